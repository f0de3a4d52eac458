/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_CLI_FIT_H
#define WHET_CLI_FIT_H

/* Training as commands do it (whet train, whet prune): options that fill a cli_recipe, a run with its progress, log
 * and chart. */

#include "out.h"
#include "recipe.h"

extern const cli_opt cli_fit_data[], cli_fit_learn[], cli_fit_augment[], cli_fit_teach[], cli_fit_files[];

/* What a recipe says before anybody says anything. */
extern const cli_recipe cli_fit_default;
/* Are data, numbers of samples and teacher whole? One line is printed when not; exit status. */
WHET_MUST int cli_fit_check(const cli_recipe *r);
/* Open r->data. One line is printed on failure; exit status. */
WHET_MUST int cli_fit_open(const cli_recipe *r, whet_set **set);

typedef struct cli_fitted {
  whet_model *model; /* the caller's to close */
  int64_t weights;   /* that were trained */
  json_t *epochs;    /* NULL without `json`; the caller's to put somewhere */
} cli_fitted;
/* What the options say of training, for who trains itself; *feed is filled and must stay. Without data to test on. */
whet_trainer_opts cli_fit_opts(const cli_recipe *r, whet_model *m, whet_feed *feed);
/* Train m on a set. sparsity may be NULL. json: nothing is printed but what is wrong. Exit status. */
WHET_MUST int cli_fit(const cli_recipe *r, const whet_set *set, whet_model *m, const whet_sparsity *sparsity,
                      bool json, cli_fitted *out);

#endif
