/* SPDX-License-Identifier: Apache-2.0 */
/* All inputs of a model, from what the command line gives. */

#include <unistd.h>

#include "fill.h"
#include "input.h"
#include "out.h"

/* Which input an --input is for, and its file. NULL is never answered; *input -1 when it names none. */
static const char *split(const cli_model *m, const char *arg, int32_t *input, const char **name) {
  *input = -1;
  *name = NULL;
  for (const char *eq = strchr(arg, '='); eq; eq = strchr(eq + 1, '=')) {
    const char *n = cli_keep_str(arg, (size_t)(eq - arg));
    if (!*name) *name = n;
    *input = whet_session_find_input(m->session, n);
    if (*input >= 0) return eq + 1;
  }
  if (*name && !access(arg, F_OK)) *name = NULL; /* a file whose name has a '=' */
  return arg;
}

int cli_inputs_set(const cli_model *m, const cli_list *given, int fill, const cli_input_opts *in, const char **files,
                   const char **notes) {
  size_t n = whet_session_inputs(m->session);
  for (size_t k = 0; k < given->n; k++) {
    int32_t i;
    const char *name, *file = split(m, given->v[k], &i, &name);
    if (i < 0 && name) return cli_fail("there is no input \"%.120s\"; the model has %s", name, cli_model_inputs(m));
    for (size_t next = 0; i < 0 && next < n; next++)
      if (!files[next]) i = (int32_t)next;
    if (i < 0)
      return cli_fail("%.200s is one file too many; the model has %s", file, n ? cli_model_inputs(m) : "no inputs");
    whet_info info;
    whet_session_input_info(m->session, (size_t)i, &info);
    if (files[i]) return cli_fail("input \"%.120s\" is given twice", info.name);
    files[i] = file;
  }
  const char *missing = NULL;
  size_t n_missing = 0;
  for (size_t i = 0; i < n; i++) {
    whet_info info;
    if (files[i] || fill) continue;
    cli_input_info(m, i, &info);
    missing = cli_keep_printf("%s%s%s %s", missing ? missing : "", missing ? ", " : "", cli_clean(info.name),
                              cli_info_text(&info));
    n_missing++;
  }
  if (n_missing)
    return cli_fail(
        "%s is not given: %s; give each as --input NAME=FILE (.npy, raw, a picture, WAV, or numbers), or --fill",
        n_missing == 1 ? "an input" : cli_keep_printf("%zu of %zu inputs are not given, that", n_missing, n),
        missing);
  int status = CLI_DONE;
  for (size_t i = 0; !status && i < n; i++)
    status = files[i] ? cli_input_set(m, i, files[i], in, &notes[i]) : cli_fill_input(m, i, (cli_fill)(fill - 1));
  return status;
}
