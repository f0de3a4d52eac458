/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_CLI_SHOW_H
#define WHET_CLI_SHOW_H

/* Values as people and programs see them. */

#include "out.h"
#include "whet/types.h"
#include "whet/value.h"

/* Names for the classes of an output, one a line of a file. */
typedef struct cli_labels {
  const char **v;
  size_t n;
} cli_labels;
/* Read a file of labels. */
WHET_MUST whet_status cli_labels_read(const char *path, cli_labels *out, whet_err *err);

/* An output and what is known of it. */
typedef struct cli_shown {
  whet_info info; /* name and quantisation; type and shape are the value's */
  whet_value *value;
  const char *file; /* where it was written; NULL: nowhere */
} cli_shown;

/* The value as text on standard output: type, shape, numbers. top: list the `top` greatest instead, if it is a row of
 * scores (of as many as there are labels, where there are any). */
void cli_show(const cli_shown *s, int64_t top, const cli_labels *labels);
/* The same as JSON; contents are left out when they are in a file. */
json_t *cli_show_json(const cli_shown *s, int64_t top, const cli_labels *labels);
/* Is it a row of scores: a tensor of real numbers of which at most one dimension is not 1, and more than one element;
 * with labels: of as many elements as labels? */
bool cli_show_scores(const whet_value *v, const cli_labels *labels);

/* Element i as text into a ring: "0.125", "7", "true", "\"text\"". */
const char *cli_element(const whet_value *v, size_t i);
/* "[0, 3, 17]": where row-major element i lies. */
const char *cli_index(const whet_value *v, size_t i);

#endif
