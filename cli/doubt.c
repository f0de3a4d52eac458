/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers that a model was not made for. */

#include <math.h>

#include "out.h"
#include "samples.h"

enum { MOST = 256 };

/* Part of the items that m tells rightly with samples in this range. */
static whet_status right(const cli_samples *items, whet_model *m, const char *range, double *out, whet_err *err) {
  cli_samples_opts o = {.range = range};
  cli_samples s = *items;
  cli_answers a;
  s.o = &o;
  WHET_TRY(cli_answer(&s, m, "looking at numbers", &a, err));
  *out = a.right;
  return WHET_OK;
}

void cli_feed_doubt(const char *path, whet_model *m, whet_set *set, const char *range, const char *mean,
                    const char *std) {
  static const char *const k_range[] = {"0..1", "0..255", "-1..1"};
  whet_feed f = {0};
  cli_feed_numbers(m, range, mean, std, &f);
  if (range || f.ranged || f.n_mean || f.n_std || !whet__set_classes(set) ||
      whet__set_item_kind(set) != WHET_ITEM_PICTURE)
    return;
  cli_samples items = {.set = set};
  cli_samples_choose(&items, MOST, NULL);
  whet_err err = {0};
  size_t is = whet__set_white(set) == 1 ? 0 : 1, best = is;
  double part[WHET_COUNT(k_range)];
  double margin = 2 / sqrt((double)items.n); /* four standard deviations of a share at least */
  if (right(&items, m, k_range[is], &part[is], &err)) return; /* whoever runs the model says what does not fit */
  for (size_t k = 0; k < WHET_COUNT(k_range) && part[is] + margin < 1; k++) { /* else none can be so much better */
    if (k == is) continue;
    if (right(&items, m, k_range[k], &part[k], &err)) return;
    if (part[k] > part[best]) best = k;
  }
  cli_progress_end();
  if (part[best] - part[is] > margin)
    cli_error(
        "%s: nothing says what samples it takes, so they go in as %s, and it tells %.0f %% of %s items right; as %s "
        "it would be %.0f %%: "
        "--range %s",
        cli_clean(path), k_range[is], 100 * part[is], cli_count(items.n), k_range[best], 100 * part[best],
        k_range[best]);
}
