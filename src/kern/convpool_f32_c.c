/* SPDX-License-Identifier: Apache-2.0 */
/* Family convpool_f32, portable. */
#define ISA c
#define ISA_BITS 0
#define FORM WHET_PANEL_8
#define CONV whet_k_conv_f32__c_direct
#define POOL whet_k_pool_f32__c_any
#include "kern/convpool_f32_body.h"
