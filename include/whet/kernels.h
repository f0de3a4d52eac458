/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_KERNELS_H
#define WHET_KERNELS_H

/* Which kernels this build has, and which of them a CPU gets: what `whet kernels` prints. */

#include <stddef.h>

#include "whet/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct whet_cpu_info {
  size_t size;       /* sizeof(whet_cpu_info), set by the caller */
  const char *level; /* "avx512": the highest level in use */
  int cores;         /* that the process may use */
  const char *lack;  /* why kernels for AVX-512 and above are not used on a CPU that has it, when their library is not
                        beside libwhet.so or is not of the same build; else "". Written where `size` has room for it */
} whet_cpu_info;

typedef struct whet_kernel_info {
  size_t size;        /* sizeof(whet_kernel_info), set by the caller */
  const char *family; /* "conv_f32" */
  const char *name;   /* "conv_f32__avx512_direct" */
  int exact;          /* not 0: the documented order of sums, the same bytes on every CPU */
  int usable;         /* not 0: this CPU, at this level, can run it */
} whet_kernel_info;

/* The CPU, with at most the level `cpu` (as in whet_program_opts; NULL: WHET_CPU or all that there is). E_NAME. Texts
 * are static. */
WHET_API whet_status whet_cpu(const char *cpu, whet_cpu_info *out, whet_err *err);
/* Kernel i of all that are there, family by family, best first; E_MISUSE past the last. Those in
 * libwhet_avx512.so are where the CPU and WHET_CPU allow them. */
WHET_API whet_status whet_kernel(size_t i, const char *cpu, whet_kernel_info *out, whet_err *err);

#ifdef __cplusplus
}
#endif
#endif
