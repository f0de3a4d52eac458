/* SPDX-License-Identifier: Apache-2.0 */
/* Contents for inputs that nobody gave. */

#include "fill.h"

#include <math.h>

#include "base/dtype.h"
#include "base/rng.h"
#include "out.h"

/* Element e of a made-up tensor. */
static double element(const whet_info *info, size_t input, int64_t e, bool alone, cli_fill how) {
  uint32_t r[4];
  if (how == CLI_FILL_ZEROS) return 0;
  if (how == CLI_FILL_ONES) return 1;
  whet__rng_block(3, input, (uint64_t)e, r);
  if (whet__is_float(info->dtype)) { /* two uniform numbers make a normal one (Box and Muller) */
    double u = ((double)r[0] + 1) / 4294967296.0, v = (double)r[1] / 4294967296.0;
    return sqrt(-2 * log(u)) * cos(6.283185307179586 * v);
  }
  if (info->dtype == WHET_U8) return r[0] & 255;
  if (info->dtype == WHET_S8) return (int8_t)(r[0] & 255);
  if (info->dtype == WHET_BOOL) return 0;
  return alone ? 16000 : 1;
}

int cli_fill_input(const cli_model *m, size_t i, cli_fill how) {
  whet_info info;
  whet_value *v = NULL;
  whet_err err = {0};
  whet_session_input_info(m->session, i, &info);
  whet_status s;
  if (info.kind == WHET_TENSOR) {
    if (info.rank < 0)
      return cli_fail("input \"%.120s\" has any number of dimensions: give its shape with --shape",
                      cli_clean(info.name));
    for (int32_t d = 0; d < info.rank; d++)
      if (info.dims[d] < 0) info.dims[d] = 1;
    s = whet_value_create(info.dtype, info.rank, info.dims, &v);
    bool number = info.dtype != WHET_STRING && !whet__is_complex(info.dtype);
    size_t n = s || !number ? 0 : whet_value_count(v);
    for (size_t e = 0; e < n; e++)
      whet__set_f64(info.dtype, whet_value_data(v), (int64_t)e, element(&info, i, (int64_t)e, !info.rank, how));
  } else if (info.kind == WHET_OPTIONAL) {
    s = whet_value_create_optional(NULL, &v);
  } else {
    s = whet_value_create_sequence(NULL, 0, &v);
  }
  if (s) return cli_fail("no memory for input \"%.120s\"", cli_clean(info.name));
  s = whet_session_set_input(m->session, i, v, &err);
  whet_value_unref(&v);
  return s ? cli_fail_run(m, &err) : CLI_DONE;
}
