/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COMPAT_TFLITE_DELEGATE_H
#define COMPAT_TFLITE_DELEGATE_H

/* Delegates of this library. */

#include "shim.h"

/* What callers hold of one. Programs may read fields of the original's bigger structures. */
typedef struct own_delegate {
  TfLiteDelegate d; /* first */
  char rest[256];
} own_delegate;
/* NULL: no memory. Given back with free. */
TfLiteDelegate *delegate_make(void);

#endif
