/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_RUN_VALUE_H
#define WHET_RUN_VALUE_H

/* What a session does with whet_values beside what callers may: values that it makes are charged to its account until
 * the last reference goes, wherever that is; a sequence that nobody else holds is changed in place. */

#include "base/base.h"
#include "whet/value.h"

/* Bytes of values that are alive. Counted: a value keeps its account. Atomic, as a caller may drop a value anywhere. */
typedef struct whet_account whet_account;
whet_account *whet__account_new(void); /* NULL when memory is refused */
void whet__account_unref(whet_account *a);
size_t whet__account_used(const whet_account *a); /* NULL: 0 */
/* n bytes more are the value's; given back when it is freed. */
void whet__value_charge(whet_value *v, whet_account *a, size_t n);

/* The caller's reference is the only one. */
bool whet__value_sole(const whet_value *v);
/* Put an item (its reference is taken over on success) before item `at` of a sequence; take item `at` out. Only where
 * whet__value_sole. */
WHET_MUST whet_status whet__value_insert(whet_value *v, size_t at, whet_value *item);
void whet__value_erase(whet_value *v, size_t at);

#endif
