/* SPDX-License-Identifier: Apache-2.0 */
/* QDQ models: [--graphs N] [FILE]...   For N random graphs and for files:
 *
 *   - what the grouped run gives, at every CPU level of this machine, with one thread and two, is what each node run alone
 *     gives there, bit for bit; and the same at all levels where the program is exact or all results are integers;
 *   - each quantised value is that of the plain float form of the nodes before it, up to the last quantised values, or one
 *     step away where the exact value is as near to a tie as f32 operations may be from it.
 *
 * Files are followed by the float form at the lowest level only, and fail where there is an operator that the test does not know. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "base/target.h"
#include "lib/test.h"
#include "model/qdq_draw.h"
#include "model/qdq_float.h"
#include "op/op.h"
#include "whet/whet.h"

enum { MOST_OUT = 16 };

static int s_bad;
static qdq_count s_count;

/* Input i of a session, filled with normal-like numbers of a seed. */
static float *fill(whet_session *s, size_t i, uint64_t seed, whet_err *err) {
  size_t bytes;
  float *x = whet_session_input(s, i, &bytes, err);
  for (size_t k = 0; x && k < bytes / 4; k++) {
    uint32_t r[4];
    whet__rng_block(seed, 11 + i, k, r);
    x[k] = 1.7f * (whet__rng_unit(r[0]) + whet__rng_unit(r[1]) + whet__rng_unit(r[2]) - 1.5f);
  }
  return x;
}

static bool told(const char *what, const char *how, const char *text) {
  printf("%s (%s): %s\n", what, how, text);
  s_bad++;
  return false;
}

/* Run a program; the outputs, in memory to be freed. Asks `keep` for values by name where n_keep is not 0, and compares them
 * with the float form. */
static bool run(whet_model *m, const char *what, const whet_program_opts *o, uint64_t seed, void *out[MOST_OUT], size_t size[MOST_OUT]) {
  whet_program *p = NULL;
  whet_session *s = NULL;
  whet_err err = {0};
  char how[80], why[200];
  const float *in[MOST_OUT];
  bool ok = true;
  snprintf(how, sizeof how, "--cpu %s --threads %d%s%s", o->cpu, o->threads, o->no_group ? " --no-group" : "", o->exact ? " --exact" : "");
  if (whet_program_create(m, o, &p, &err) || whet_session_create(p, &s, &err)) return told(what, how, err.text);
  for (size_t i = 0; i < whet_session_inputs(s) && i < MOST_OUT; i++)
    if (!(in[i] = fill(s, i, seed, &err))) ok = told(what, how, err.text);
  if (ok && whet_session_run(s, NULL, &err)) ok = told(what, how, err.text);
  for (size_t i = 0; ok && i < whet_session_outputs(s) && i < MOST_OUT; i++) {
    const void *y = whet_session_output(s, i, &size[i], &err);
    out[i] = malloc(size[i] + 1);
    if (!y || !out[i]) ok = told(what, how, err.text);
    else memcpy(out[i], y, size[i]);
  }
  if (ok && o->n_keep) {
    const void **stored = calloc((size_t)m->graph.n_val + 1, sizeof *stored);
    for (int32_t v = 0; v < m->graph.n_val; v++) {
      whet_info info;
      if (m->graph.val[v].origin >= 0) whet_session_kept(s, (size_t)m->graph.val[v].origin, &info, &stored[v], NULL);
    }
    float *copy[MOST_OUT] = {0};
    for (size_t i = 0; i < whet_session_inputs(s) && i < MOST_OUT; i++) { /* a run may have written over its inputs */
      size_t bytes;
      whet_session_input(s, i, &bytes, NULL);
      copy[i] = malloc(bytes + 1);
      in[i] = memcpy(copy[i], fill(s, i, seed, &err), bytes);
    }
    if (!qdq_float(m, in, stored, &s_count, why)) ok = told(what, how, why);
    for (int i = 0; i < MOST_OUT; i++) free(copy[i]);
    free(stored);
  }
  whet_session_close(&s);
  whet_program_close(&p);
  return ok;
}

/* Names of the values that QuantizeLinear makes; how many. */
static size_t quantised(const whet_model *m, const char **names) {
  size_t n = 0;
  for (int32_t i = 0; i < m->graph.main.n_node; i++) {
    const whet_node *r = &m->graph.node[m->graph.main.node[i]];
    for (int32_t k = 0; k < m->graph.n_node && !strcmp(r->op->name, "Reinterpret"); k++)
      if (!strcmp(m->graph.node[k].op->name, "QuantizeLinear") && m->graph.node[k].out[0] == r->in[0]) names[n++] = m->graph.val[r->out[0]].name;
  }
  return n;
}

/* every: the float form at all levels. */
static void check(whet_model *m, const char *what, uint64_t seed, bool every) {
  static const char *const levels[] = {"c", "avx2", "avxvnni", "avx512", "vnni", "amx", "neon", "dotprod", "i8mm", "sve2", "rvv"};
  void *first[MOST_OUT] = {0};
  const char **names = malloc(((size_t)m->graph.n_node + 1) * sizeof *names);
  uint32_t last = UINT32_MAX;
  int exact = seed & 1;
  for (size_t l = 0; l < WHET_COUNT(levels); l++) {
    uint32_t bits;
    if (!whet__isa_of_level(levels[l], &bits) || (bits & whet__target_host()->isa) == last) continue;
    last = bits & whet__target_host()->isa;
    void *alone[MOST_OUT] = {0}, *group[MOST_OUT] = {0};
    size_t size[MOST_OUT] = {0};
    bool ok = true;
    whet_program_opts o = whet_program_opts_default();
    o.cpu = levels[l];
    o.exact = exact;
    o.threads = 1;
    o.no_group = 1;
    if (every || l == 0) o.keep = names, o.n_keep = quantised(m, names);
    ok = run(m, what, &o, seed, alone, size);
    o = whet_program_opts_default();
    o.cpu = levels[l];
    o.exact = exact;
    for (o.threads = 1; ok && o.threads <= 2; o.threads++) {
      ok = run(m, what, &o, seed, group, size);
      for (int i = 0; ok && i < MOST_OUT && size[i]; i++) {
        if (memcmp(alone[i], group[i], size[i])) ok = told(what, levels[l], "the grouped run gives other bytes than each node alone");
        if (exact && first[i] && memcmp(first[i], alone[i], size[i])) ok = told(what, levels[l], "other bytes than in portable C");
      }
      for (int i = 0; i < MOST_OUT; i++) free(group[i]), group[i] = NULL;
    }
    for (int i = 0; i < MOST_OUT; i++) {
      if (!first[i]) first[i] = alone[i];
      else free(alone[i]);
    }
    if (!ok) break;
  }
  for (int i = 0; i < MOST_OUT; i++) free(first[i]);
  free(names);
}

int main(int argc, char **argv) {
  int graphs = 40, files = 0, skipped = 0;
  for (int i = 1; i < argc; i++) {
    if (!strcmp(argv[i], "--graphs") && i + 1 < argc) graphs = atoi(argv[++i]);
  }
  for (int i = 0; i < graphs; i++) {
    uint64_t seed = test_seed(1) + (uint64_t)i;
    char what[60];
    whet_model *m = NULL;
    whet_err err = {0};
    buf b = qdq_draw(seed);
    snprintf(what, sizeof what, "graph of WHET_SEED=%llu --graphs 1", (unsigned long long)seed);
    if (getenv("WHET_QDQ_WRITE")) {
      FILE *f = fopen(getenv("WHET_QDQ_WRITE"), "wb");
      if (f) fwrite(b.p, 1, b.n, f), fclose(f);
    }
    if (whet_model_open_memory(b.p, b.n, NULL, &m, &err)) told(what, "reading", err.text);
    else check(m, what, seed, true);
    whet_model_close(&m);
    buf_free(&b);
  }
  for (int i = 1; i < argc; i++) {
    whet_model *m = NULL;
    whet_err err = {0};
    if (!strcmp(argv[i], "--graphs")) {
      i++;
      continue;
    }
    const char *path = strchr(argv[i], '/') ? argv[i] : test_shared(argv[i]);
    FILE *f = path ? fopen(path, "rb") : NULL;
    if (!f) {
      skipped++;
      continue;
    }
    fclose(f);
    files++;
    if (whet_model_open(path, NULL, &m, &err)) told(path, "reading", err.text);
    else check(m, path, 3, false);
    whet_model_close(&m);
  }
  printf("%d graphs, %d files (%d are not there): %lld quantised numbers beside their float form, %lld a step away; widest bound %.2g steps; "
         "%d failures\n", graphs, files, skipped, (long long)s_count.compared, (long long)s_count.differ, s_count.widest, s_bad);
  return s_bad != 0;
}
