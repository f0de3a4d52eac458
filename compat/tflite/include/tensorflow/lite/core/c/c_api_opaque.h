/* SPDX-License-Identifier: Apache-2.0 */
#include "tensorflow/lite/c/c_api_opaque.h"
