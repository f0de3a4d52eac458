/* SPDX-License-Identifier: Apache-2.0 */
/* Writing models. */

#include "save.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "format/model.h"
#include "op/quantize.h"
#include "out.h"
#include "whet/export.h"

/* Does a path end with this, whatever the case of its letters? */
static bool ends_with(const char *path, const char *end) {
  size_t n = strlen(path), m = strlen(end);
  if (n < m) return false;
  for (size_t i = 0; i < m; i++)
    if ((path[n - m + i] | 32) != end[i]) return false;
  return true;
}

whet_format cli_save_format(const char *path) {
  return ends_with(path, ".tflite") ? WHET_FORMAT_TFLITE : ends_with(path, ".onnx") ? WHET_FORMAT_ONNX : WHET_FORMAT_AUTO;
}

int cli_save_check(const char *path) {
  if (!cli_save_format(path) && !ends_with(path, ".whet"))
    return cli_wrong("%.200s: the ending says the format, and these are written: " CLI_SAVE_ENDINGS, path);
  const char *slash = strrchr(path, '/');
  const char *folder = !slash ? "." : slash == path ? "/" : cli_keep_str(path, (size_t)(slash - path));
  return access(folder, W_OK | X_OK) ? cli_fail("%.200s: %s", cli_clean(path), strerror(errno)) : 0;
}

/* The oldest of the operator sets that are usual which can say all of the model: numbers of 4 bits and blocks are of 21. */
static int opset_of(const whet_model *m) {
  for (int32_t v = 0; v < m->graph.n_val; v++)
    if (m->graph.val[v].dtype == WHET_S4 || m->graph.val[v].dtype == WHET_U4) return 21;
  for (int32_t i = 0; i < m->graph.main.n_node; i++) {
    const whet_node *n = &m->graph.node[m->graph.main.node[i]];
    if (!strcmp(n->op->name, "DequantizeLinear") && ((const whet_quantize_attr *)n->attr)->block) return 21;
  }
  return whet_export_opts_default().opset;
}

whet_status cli_save_could(whet_model *m, const char *path, whet_err *err) {
  whet_format f = cli_save_format(path);
  whet_export_opts o = whet_export_opts_default();
  o.opset = opset_of(m);
  return f ? whet_model_export(m, "/dev/null", f, &o, err) : WHET_OK;
}

whet_status cli_save(whet_model *m, const char *path, bool dense, whet_err *err) {
  whet_program *p;
  whet_format f = cli_save_format(path);
  whet_export_opts o = whet_export_opts_default();
  o.opset = opset_of(m);
  o.dense = dense;
  if (f) return whet_model_export(m, path, f, &o, err);
  WHET_TRY(whet_program_create(m, NULL, &p, err));
  whet_status s = whet_program_save(p, path, NULL, err);
  whet_program_close(&p);
  return s;
}
