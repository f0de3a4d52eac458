/* SPDX-License-Identifier: Apache-2.0 */
/* Opening models as the command line says. */

#include "model.h"

#include <stdio.h>

#include "base/target.h"
#include "format/model.h"
#include "media.h"
#include "out.h"
#include "plan/program.h"
#include "run/session.h"

#define AT(field) offsetof(cli_model_opts, field)
const cli_opt cli_model_options[] = {
    {"threads", 't', CLI_INT, AT(threads), "N", "threads of a run; 0: as many as the process may use (default)", 0,
     1024},
    {"cpu", 0, CLI_TEXT, AT(cpu), "LEVEL",
     "use no more than: c, avx2, avxvnni, avx512, vnni, amx, neon, dotprod, "
     "i8mm, sve2, rvv (default: WHET_CPU, else all that the CPU has)",
     0, 0},
    {"shape", 's', CLI_LIST, AT(shape), "INPUT:DIMS",
     "shape of an input, as 1x3x224x224 or scalar; may be given for each", 0, 0},
    {"prefer", 0, CLI_CHOICE, AT(prefer), "speed|memory", "what packed weights are for (default: speed)", 0, 0},
    {"memory-limit", 0, CLI_SIZE, AT(memory_limit), "SIZE",
     "fail rather than use more memory for model, weights and run: bytes, "
     "or a number with K, M or G",
     0, 0},
    {"deadline", 0, CLI_INT, AT(deadline_ms), "MS", "end a run that takes longer", 0, 1e12},
    {"exact", 0, CLI_FLAG, AT(exact), NULL,
     "the same bytes on every CPU: only kernels that keep the documented order of sums", 0, 0},
    {"no-group", 0, CLI_FLAG, AT(no_group), NULL, "run every node alone", 0, 0},
    {"tune", 0, CLI_FLAG, AT(tune), NULL,
     "measure which kernels are the fastest here instead of estimating it; whet convert keeps it in a .whet file", 0, 0},
    {"precision", 0, CLI_CHOICE, AT(precision), "f32|bf16", "what factors of float products are rounded to (default: f32)", 0, 0},
    {"signature", 0, CLI_TEXT, AT(signature), "KEY", "the signature to run (TFLite; default: the main graph)", 0, 0},
    {"rules", 0, CLI_CHOICE, AT(rules), "litert|micro",
     "whose integer rules, where LiteRT and tflite-micro differ (default: litert)", 0, 0},
    {0}};

const char *cli_info_text(const whet_info *info) {
  static const char *kind[] = {"", "sequence of ", "map of ", "optional "};
  const char *k = (unsigned)info->kind < WHET_COUNT(kind) ? kind[info->kind] : "";
  return cli_keep_printf("%s%s %s", k, whet_dtype_name(info->dtype), cli_dims(info->rank, info->dims, info->symbol));
}

void cli_input_info(const cli_model *m, size_t i, whet_info *out) {
  whet_session_input_info(m->session, i, out);
  if (m->shaped && m->shaped[i]) return;
  const whet_graph *g = &m->session->program->graph;
  const whet_shape *s = &g->val[g->main.in[i]].shape;
  out->rank = s->rank;
  for (int32_t d = 0; d < s->rank; d++) {
    int32_t symbol = whet__dim_symbol(s->d[d]);
    out->dims[d] = s->d[d] < 0 ? -1 : s->d[d];
    out->symbol[d] = symbol >= 0 && symbol < g->n_symbol ? g->symbol[symbol] : NULL;
  }
}

int32_t cli_open_input(const cli_model *m) {
  for (size_t i = 0; i < whet_session_inputs(m->session); i++) {
    whet_info info;
    cli_input_info(m, i, &info);
    for (int32_t d = 0; d < info.rank; d++)
      if (info.dims[d] < 0) return (int32_t)i;
  }
  return -1;
}

int cli_fail_run(const cli_model *m, const whet_err *err) {
  int32_t open = err->code == WHET_E_SHAPE ? cli_open_input(m) : -1;
  if (open < 0) return cli_fail_err(m->path, err);
  whet_err more = *err;
  whet_info info;
  cli_input_info(m, (size_t)open, &info);
  snprintf(more.text, sizeof more.text,
           "%.400s; sizes that the model leaves open count as 1, --shape %.80s:DIMS sets them", err->text, info.name);
  return cli_fail_err(m->path, &more);
}

const char *cli_model_inputs(const cli_model *m) {
  const char *text = "";
  for (size_t i = 0; i < whet_session_inputs(m->session); i++) {
    whet_info info;
    cli_input_info(m, i, &info);
    text = cli_keep_printf("%s%s%s %s", text, i ? ", " : "", cli_clean(info.name), cli_info_text(&info));
  }
  return text;
}

/* "1x3x224x224" or "scalar"; false when it is neither. */
static bool parse_dims(const char *s, int32_t *rank, int64_t dims[WHET_MAX_RANK]) {
  *rank = 0;
  if (!strcmp(s, "scalar")) return true;
  while (*rank < WHET_MAX_RANK) {
    char number[24];
    size_t n = strcspn(s, "x,");
    if (!n || n >= sizeof number) return false;
    memcpy(number, s, n);
    number[n] = 0;
    if (!cli_parse_int(number, &dims[*rank]) || dims[*rank] < 0) return false;
    ++*rank;
    if (!s[n]) return true;
    s += n + 1;
  }
  return false;
}

/* Set the shape that one `--shape` names. */
static int set_shape(cli_model *m, const char *s) {
  int64_t dims[WHET_MAX_RANK];
  int32_t rank, input = 0;
  whet_err err = {0};
  const char *colon = strrchr(s, ':'), *text = colon ? colon + 1 : s;
  if (!parse_dims(text, &rank, dims))
    return cli_wrong("--shape %.120s: expected INPUT:DIMS with DIMS as 1x3x224x224 or scalar, at most %d dimensions",
                     s, WHET_MAX_RANK);
  if (colon) {
    const char *name = cli_keep_str(s, (size_t)(colon - s));
    input = whet_session_find_input(m->session, name);
    if (input < 0)
      return cli_fail("--shape: there is no input \"%.120s\"; the model has %s", name, cli_model_inputs(m));
  } else if (whet_session_inputs(m->session) != 1) {
    return cli_fail("--shape %.120s: name the input, as INPUT:DIMS; the model has %s", s, cli_model_inputs(m));
  }
  if (whet_session_resize(m->session, (size_t)input, rank, dims, &err)) return cli_fail_err(m->path, &err);
  if (!m->shaped) m->shaped = cli_keep((whet_session_inputs(m->session) + 1) * sizeof *m->shaped);
  m->shaped[input] = true;
  return CLI_DONE;
}

whet_model_opts cli_model_open_opts(const cli_model_opts *o) {
  whet_model_opts mo = whet_model_opts_default();
  mo.limits.memory_bytes = o->memory_limit;
  mo.rules = o->rules ? "micro" : "litert";
  return mo;
}

whet_program_opts cli_program_opts(const cli_model_opts *o) {
  whet_program_opts po = whet_program_opts_default();
  po.threads = (int)o->threads;
  po.cpu = o->cpu;
  po.prefer = (whet_prefer)o->prefer;
  po.exact = o->exact;
  po.precision = o->precision ? "bf16" : "f32";
  po.no_group = o->no_group;
  po.signature = o->signature;
  return po;
}

/* Models that decode pictures themselves need the codecs; where they are not, the operator says so. */
static void load_codecs(const whet_model *model) {
  for (int32_t i = 0; i < model->graph.n_node; i++)
    if (!strcmp(model->graph.node[i].op->name, "ImageDecoder")) {
      cli_media_load();
      return;
    }
}

/* What measuring brought. */
static void say_tuning(const whet_tuning *t) {
  fprintf(stderr, "whet: tuned: of %zu nodes that can be run in several ways %zu take another than estimated, %.4g us -> %.4g us\n", t->nodes,
          t->changed, t->estimate_us, t->tuned_us);
}

whet_status cli_model_make(cli_model *m, whet_model *model, const char *path, const cli_model_opts *o,
                           whet_err *err) {
  *m = (cli_model){.path = path, .model = whet_model_ref(model)};
  m->run = (whet_run_opts){.size = sizeof m->run, .deadline_ms = o->deadline_ms};
  whet_program_opts po = cli_program_opts(o);
  load_codecs(model);
  whet_tuning found = {.size = sizeof found};
  whet_status s = o->tune ? whet_program_create_tuned(model, &po, &m->program, &found, err)
                          : whet_program_create(model, &po, &m->program, err);
  if (!s && o->tune) say_tuning(&found);
  if (!s) s = whet_session_create(m->program, &m->session, err);
  if (s) cli_model_close(m);
  return s;
}

int cli_model_shapes(cli_model *m, const cli_model_opts *o) {
  int status = CLI_DONE;
  for (size_t i = 0; !status && i < o->shape.n; i++) status = set_shape(m, o->shape.v[i]);
  return status;
}

int cli_model_prepare(cli_model *m, whet_model *model, const char *path, const cli_model_opts *o) {
  whet_err err = {0};
  if (cli_model_make(m, model, path, o, &err)) return cli_fail_err(path, &err);
  int status = cli_model_shapes(m, o);
  if (status) cli_model_close(m);
  return status;
}

/* Open the model anew with those of its overridable initialisers as inputs that are given. */
static whet_status with_given(whet_model **model, const char *path, whet_model_opts mo, const cli_list *given, whet_err *err) {
  size_t n = whet_model_overridables(*model);
  const char **names = cli_keep((n + 1) * sizeof *names);
  for (size_t i = 0; i < n; i++) {
    whet_info info;
    whet_model_overridable(*model, i, &info);
    size_t length = strlen(info.name);
    for (size_t k = 0; k < given->n; k++)
      if (!strncmp(given->v[k], info.name, length) && given->v[k][length] == '=') {
        names[mo.n_inputs++] = cli_keep_str(info.name, length);
        break;
      }
  }
  if (!mo.n_inputs) return WHET_OK;
  whet_model_close(model);
  mo.inputs = names;
  return whet_model_open(path, &mo, model, err);
}

int cli_model_open(cli_model *m, const char *path, const cli_model_opts *o) {
  whet_model *model = NULL;
  whet_target target;
  whet_err err = {0};
  *m = (cli_model){.path = path};
  if (whet__target_at(o->cpu, &target, &err)) return cli_wrong("%s%s", o->cpu ? "--cpu: " : "", err.text);
  whet_model_opts mo = cli_model_open_opts(o);
  if (whet_model_open(path, &mo, &model, &err) || (o->given && with_given(&model, path, mo, o->given, &err)))
    return cli_fail_err(path, &err);
  int status = cli_model_prepare(m, model, path, o);
  whet_model_close(&model);
  return status;
}

void cli_model_close(cli_model *m) {
  whet_session_close(&m->session);
  whet_program_close(&m->program);
  whet_model_close(&m->model);
}
