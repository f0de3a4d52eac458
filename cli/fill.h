/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_CLI_FILL_H
#define WHET_CLI_FILL_H

/* Made-up contents for inputs, the same in every run. */

#include "model.h"

typedef enum cli_fill { CLI_FILL_RANDOM, CLI_FILL_ZEROS, CLI_FILL_ONES } cli_fill;

/* Fill input i of the shape that it has now (free sizes count as 1) and give it to the session. RANDOM: floats as
 * normal numbers, 8-bit integers over their range, other integers 1 (a lone one 16000: most are sample rates or
 * lengths), bools false. Strings are empty. Sequences are empty, optionals hold nothing. One line is printed on
 * failure; exit status. */
WHET_MUST int cli_fill_input(const cli_model *m, size_t i, cli_fill how);

#endif
