/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_BASE_APART_H
#define WHET_BASE_APART_H

/* Kernels for AVX-512 and above (WHET_ISA_APART), which most devices cannot run, lie in a library of their own beside
 * libwhet.so: WHET_APART_FILE, "libwhet_avx512.so.0". It is loaded when they may be used for the first time, and
 * never where the processor or WHET_CPU does not allow them. Where it is not there, or not of exactly this build,
 * whet goes on without them. libwhet.a has them inside, and so has libwhet.so of a build that was told so: then
 * nothing is loaded. */

#include "base/base.h"

/* Whether they are there; the first call loads them. Thread safe. */
bool whet__apart_load(void);
/* Their table, whet__families of kern/kern.h; NULL where they are inside, not there or not loaded yet. */
const void *whet__apart_families(void);
/* Why they are not there, one line; "" where they are, and before the first call of whet__apart_load. */
const char *whet__apart_lack(void);

#endif
