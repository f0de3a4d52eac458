/* SPDX-License-Identifier: Apache-2.0 */
/* Family chain_f32, portable. */
#define ISA c
#define ISA_BITS 0
#define FORM WHET_PANEL_8
#define CONV whet_k_conv_f32__c_direct
#define DW whet_k_dw_f32__c_rows
#include "kern/chain_f32_body.h"
