/* SPDX-License-Identifier: Apache-2.0 */
/* whet run: a model on files. */

#include <errno.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/str.h"
#include "fill.h"
#include "input.h"
#include "codec/npy.h"
#include "show.h"
#include "stats.h"

struct options {
  cli_list input;
  const char *output, *labels;
  int64_t top;
  int fill; /* 0: none, else 1 + cli_fill */
};

#define AT(field) offsetof(struct options, field)
static const cli_opt k_options[] = {
    {"input", 'i', CLI_LIST, AT(input), "[NAME=]FILE",
     "contents of an input: .npy, .pb, raw, JPEG, PNG, WebP, BMP, PNM, JPEG 2000, "
     "TIFF, WAV, numbers as 16000 or 1,2,3, or - for standard input; without NAME the next input",
     0, 0},
    {"output", 'o', CLI_TEXT, AT(output), "DIR", "write each output to DIR/output_<i>.npy", 0, 0},
    {"top", 0, CLI_INT, AT(top), "K", "show the K greatest scores (default: 5 with --labels)", 1, 1e9},
    {"labels", 0, CLI_TEXT, AT(labels), "FILE", "names of the scores, one a line", 0, 0},
    {"fill", 0, CLI_CHOICE, AT(fill), "none|random|zeros|ones",
     "what inputs without a file hold (default: none, they must be given)", 0, 0},
    {0}};

static const cli_use k_use = {
    .synopsis = "MODEL [--input [NAME=]FILE]... [OPTION]...",
    .about =
        "Runs a model once and shows its outputs. Pictures are resized, laid out and normalised for the input as the "
        "options below or the "
        "model's metadata say; sound becomes one channel of -1..1. A quantised input takes the real value through "
        "its scale and zero point; "
        "without --range, --mean, --std and metadata a picture's 0..255 fill all that its quantisation holds. "
        "Initialisers that an ONNX model lists as inputs too keep their values unless they are given by name.",
    .examples =
        "  whet run mobilenet.onnx --input photo.jpg --range 0..1 --mean 0.485,0.456,0.406 \\\n"
        "      --std 0.229,0.224,0.225 --labels imagenet.txt\n"
        "  whet run vad.onnx --input input=chunk.npy --input state=state.npy --input sr=16000 --output out\n"
        "  whet run digits.tflite --input seven.png --top 3 --json\n",
    .least = 1,
    .most = 1,
    .missing = "name a model"};

/* Write every output, tensors as output_<i>.npy, items of others as output_<i>.<k>.npy. Whatever this call wrote is
 * taken away again when one of them fails. */
static int write_outputs(const char *dir, cli_shown *out, size_t n) {
  whet_err err = {0};
  const char **written = cli_keep(sizeof *written);
  size_t n_written = 0, cap = 1;
  if (mkdir(dir, 0777) && errno != EEXIST) return cli_fail("%s: %s", dir, strerror(errno));
  whet_status s = WHET_OK;
  for (size_t i = 0; !s && i < n; i++) {
    bool tensor = whet_value_kind(out[i].value) == WHET_TENSOR;
    size_t items = tensor ? 1 : whet_value_items(out[i].value);
    for (size_t k = 0; !s && k < items; k++) {
      whet_text t = {.mem = cli_mem()};
      const char *path =
          tensor ? cli_keep_printf("%s/output_%zu.npy", dir, i) : cli_keep_printf("%s/output_%zu.%zu.npy", dir, i, k);
      s = whet__npy_write(tensor ? out[i].value : whet_value_item(out[i].value, k), &t, &err);
      if (!s) s = whet__file_write(path, t.p, t.n, &err);
      whet__text_free(&t);
      if (s) break;
      if (!out[i].file) out[i].file = path;
      if (n_written == cap) {
        const char **more = cli_keep(cap * 2 * sizeof *more);
        memcpy(more, written, cap * sizeof *more);
        written = more;
        cap *= 2;
      }
      written[n_written++] = path;
    }
  }
  if (!s) return CLI_DONE;
  for (size_t i = 0; i < n_written; i++) unlink(written[i]);
  return cli_fail_err(dir, &err);
}

/* Take the outputs of a run. */
static int take_outputs(const cli_model *m, cli_shown *out, size_t n) {
  whet_err err = {0};
  for (size_t i = 0; i < n; i++)
    if (whet_session_output_info(m->session, i, &out[i].info) ||
        whet_session_get_output(m->session, i, &out[i].value, &err))
      return cli_fail_err(m->path, &err);
  return CLI_DONE;
}

/* Labels must name the scores of some output, one each; a first one "background" may stand before those of a model
 * that has no such class. */
static int check_labels(const cli_shown *out, size_t n, const char *path, cli_labels *labels) {
  cli_labels rest = {labels->v + 1, labels->n - 1};
  bool background = labels->n > 1 && !strcasecmp(labels->v[0], "background");
  for (size_t i = 0; i < n; i++)
    if (cli_show_scores(out[i].value, labels)) return CLI_DONE;
  for (size_t i = 0; background && i < n; i++)
    if (cli_show_scores(out[i].value, &rest)) return *labels = rest, CLI_DONE;
  const char *sizes = "";
  for (size_t i = 0; i < n; i++)
    sizes = cli_keep_printf("%s%s%zu", sizes, i ? ", " : "", whet_value_count(out[i].value));
  return cli_fail("%s: %zu labels, but the output%s ha%s %s elements", path, labels->n, n == 1 ? "" : "s",
                  n == 1 ? "s" : "ve", sizes);
}

/* Say what was done. */
static int answer(const cli_model *m, const struct options *o, const cli_labels *labels, bool json, cli_shown *out,
                  size_t n, const char **files, const char **notes, double us) {
  if (!json) {
    for (size_t i = 0; i < whet_session_inputs(m->session); i++)
      if (notes[i][0]) printf("%s%s: %s%s\n", cli_dim(), cli_clean(files[i]), notes[i], cli_plain());
    for (size_t i = 0; i < n; i++) cli_show(&out[i], o->top, labels);
    printf("%sran in %s%s\n", cli_dim(), cli_time(us), cli_plain());
    return CLI_DONE;
  }
  json_t *j = json_object(), *inputs = json_array(), *outputs = json_array();
  int digits = 9;
  for (size_t i = 0; i < whet_session_inputs(m->session); i++) {
    whet_info info;
    whet_session_input_info(m->session, i, &info);
    json_t *one = json_object();
    json_object_set_new(one, "name", cli_json_text(info.name));
    json_object_set_new(one, "dtype", json_string(whet_dtype_name(info.dtype)));
    json_object_set_new(one, "shape", cli_json_dims(info.rank, info.dims));
    if (files[i]) json_object_set_new(one, "file", cli_json_text(files[i]));
    if (notes[i][0]) json_object_set_new(one, "made", cli_json_text(notes[i]));
    json_array_append_new(inputs, one);
  }
  for (size_t i = 0; i < n; i++) {
    if (whet_value_dtype(out[i].value) == WHET_F64) digits = 17;
    json_array_append_new(outputs, cli_show_json(&out[i], o->top, labels));
  }
  json_object_set_new(j, "model", cli_json_text(m->path));
  json_object_set_new(j, "inputs", inputs);
  json_object_set_new(j, "outputs", outputs);
  json_object_set_new(j, "run_us", json_real(us));
  return cli_json(j, digits);
}

int cli_run(int argc, char **argv) {
  struct options o = {0};
  cli_input_opts in = {0};
  cli_model_opts mo = {0};
  cli_use use = k_use;
  use.tables[0] = (cli_table){"inputs and outputs", k_options, &o};
  use.tables[1] = (cli_table){"pictures and sound", cli_input_options, &in};
  use.tables[2] = (cli_table){"running", cli_model_options, &mo};
  bool json;
  char **arg;
  int n_arg, status;
  if (!cli_parse(&use, &json, argc, argv, &arg, &n_arg, &status)) return status;
  if ((status = cli_input_check(&in))) return status;
  cli_model m;
  cli_labels labels = {0};
  whet_err err = {0};
  if (o.labels && cli_labels_read(o.labels, &labels, &err)) return cli_fail_err(o.labels, &err);
  if (o.labels && !o.top) o.top = 5;
  mo.given = &o.input;
  if ((status = cli_model_open(&m, arg[0], &mo))) return status;
  size_t n_in = whet_session_inputs(m.session), n_out = whet_session_outputs(m.session);
  const char **files = cli_keep((n_in + 1) * sizeof *files), **notes = cli_keep((n_in + 1) * sizeof *notes);
  cli_shown *out = cli_keep((n_out + 1) * sizeof *out);
  for (size_t i = 0; i < n_in; i++) notes[i] = "";
  status = cli_inputs_set(&m, &o.input, o.fill, &in, files, notes);
  double us = cli_now_us();
  if (!status && whet_session_run(m.session, &m.run, &err))
    status = o.fill ? cli_fail_run(&m, &err) : cli_fail_err(m.path, &err);
  us = cli_now_us() - us;
  if (!status) status = take_outputs(&m, out, n_out);
  if (!status && o.labels) status = check_labels(out, n_out, o.labels, &labels);
  if (!status && o.output) status = write_outputs(o.output, out, n_out);
  if (!status) status = answer(&m, &o, &labels, json, out, n_out, files, notes, us);
  for (size_t i = 0; i < n_out; i++) whet_value_unref(&out[i].value);
  cli_model_close(&m);
  return status;
}
