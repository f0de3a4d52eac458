/* SPDX-License-Identifier: Apache-2.0 */
/* whet convert: write a model in another format. */

#include <sys/stat.h>

#include "model.h"
#include "out.h"
#include "whet/export.h"

struct options {
  const char *output;
  bool without_packed, dense;
  int64_t opset;
};

#define AT(field) offsetof(struct options, field)
static const cli_opt k_options[] = {
    {"output", 'o', CLI_TEXT, AT(output), "FILE",
     "the file to write; its ending says the format: .onnx, .tflite or .whet", 0, 0},
    {"opset", 0, CLI_INT, AT(opset), "N", "ONNX: the operator set to write (default: 17)", 13, 21},
    {"dense", 0, CLI_FLAG, AT(dense), NULL,
     ".onnx, .tflite: write weights with all their zeros; else those that become half as large are written sparse", 0,
     0},
    {"without-packed", 0, CLI_FLAG, AT(without_packed), NULL,
     ".whet: leave packed weights out: about half the size, and weights are packed when the file is opened", 0, 0},
    {0}};

static const cli_use k_use = {
    .synopsis = "MODEL -o FILE [OPTION]...",
    .about =
        "Writes a model in another format, which the ending of FILE says. .onnx and .tflite: for every runtime; "
        "names, order "
        "and layout of inputs and outputs stay, and every node that the format cannot say is named. .whet: its "
        "optimised "
        "graph, constants, and weights packed for this CPU level, so that opening it has nothing left to do but to "
        "map it. "
        "The file opens on every machine; where its packed weights do not serve, they are made anew. Options that "
        "shape the program (--cpu, --exact, --prefer, --precision, --tune, --signature, --rules) are built in.",
    .examples =
        "  whet convert model.onnx -o model.tflite\n  whet convert model.tflite -o model.onnx --opset 13\n"
        "  whet convert model.onnx -o model.whet --tune\n  whet run model.whet --input photo.jpg\n"
        "  whet inspect model.whet --check\n",
    .least = 1,
    .most = 1,
    .missing = "name a model"};

/* Does a path end with this, whatever the case of its letters? */
static bool ends_with(const char *path, const char *end) {
  size_t n = strlen(path), m = strlen(end);
  if (n < m) return false;
  for (size_t i = 0; i < m; i++)
    if ((path[n - m + i] | 32) != end[i]) return false;
  return true;
}

static int64_t file_size(const char *path) {
  struct stat st;
  return stat(path, &st) ? -1 : (int64_t)st.st_size;
}

/* Say what became of it. */
static int done(bool json, const char *from, const char *to) {
  if (json)
    return cli_json(json_pack("{s:s, s:I, s:s, s:I}", "model", from, "bytes", (json_int_t)file_size(from), "output",
                              to, "output_bytes", (json_int_t)file_size(to)),
                    9);
  printf("%s (%s) -> %s (%s)\n", cli_clean(from), cli_bytes((uint64_t)file_size(from)), cli_clean(to),
         cli_bytes((uint64_t)file_size(to)));
  return CLI_DONE;
}

/* To a format of others. */
static int export(const char *from, const struct options *o, whet_format format, const cli_model_opts *mo,
                  bool json) {
  whet_model *m;
  whet_err err = {0};
  whet_model_opts open = cli_model_open_opts(mo);
  whet_export_opts to = whet_export_opts_default();
  if (o->opset) to.opset = (int)o->opset;
  to.dense = o->dense;
  if (whet_model_open(from, &open, &m, &err)) return cli_fail_err(from, &err);
  int status =
      whet_model_export(m, o->output, format, &to, &err) ? cli_fail_err(from, &err) : done(json, from, o->output);
  whet_model_close(&m);
  return status;
}

int cli_convert(int argc, char **argv) {
  struct options o = {0};
  cli_model_opts mo = {0};
  cli_use use = k_use;
  use.tables[0] = (cli_table){"options", k_options, &o};
  use.tables[1] = (cli_table){"model", cli_model_options, &mo};
  bool json;
  char **arg;
  int n_arg, status;
  if (!cli_parse(&use, &json, argc, argv, &arg, &n_arg, &status)) return status;
  if (!o.output) return cli_wrong("name the file to write: --output FILE");
  bool onnx = ends_with(o.output, ".onnx"), tflite = ends_with(o.output, ".tflite");
  if (o.opset && !onnx) return cli_wrong("--opset is for .onnx files");
  if (o.dense && !onnx && !tflite) return cli_wrong("--dense is for .onnx and .tflite files");
  if (o.without_packed && (onnx || tflite)) return cli_wrong("--without-packed is for .whet files");
  if (mo.tune && (onnx || tflite)) return cli_wrong("--tune is for .whet files, which can hold what it finds");
  if (onnx || tflite) return export(arg[0], &o, onnx ? WHET_FORMAT_ONNX : WHET_FORMAT_TFLITE, &mo, json);
  if (!ends_with(o.output, ".whet"))
    return cli_wrong("%.200s: the ending says the format: .onnx, .tflite or .whet", o.output);
  cli_model m;
  if ((status = cli_model_open(&m, arg[0], &mo))) return status;
  whet_err err = {0};
  whet_save_opts so = whet_save_opts_default();
  so.without_packed = o.without_packed;
  if (whet_program_save(m.program, o.output, &so, &err))
    status = cli_fail_err(arg[0], &err);
  else
    status = done(json, arg[0], o.output);
  cli_model_close(&m);
  return status;
}
