/* SPDX-License-Identifier: Apache-2.0 */
/* Where releases from 2.17 on have the types. */
#include "tensorflow/lite/c/c_api_types.h"
