/* SPDX-License-Identifier: Apache-2.0 */
/* whet bench: how long a run takes and what it needs. Very short runs are timed in batches, so that reading the clock
 * does not count. */

#include <stdio.h>

#include "edge/power/meter.h"
#include "fill.h"
#include "input.h"
#include "picture.h"
#include "profile.h"
#include "plan/program.h"
#include "run/session.h"
#include "stats.h"

struct options {
  cli_list input;
  int fill; /* cli_fill */
  double min_time;
  int64_t warmup;
  bool profile;
  const char *trace;
  bool energy;
  const char *watts, *sysfs, *procfs;
};

#define AT(field) offsetof(struct options, field)
static const cli_opt k_options[] = {
    {"min-time", 0, CLI_REAL, AT(min_time), "SECONDS", "measure for as long at least (default: 1)", 0.001, 86400},
    {"warmup", 0, CLI_INT, AT(warmup), "N", "runs before measuring (default: for a tenth of the time, 3 at least)", 0,
     1e9},
    {"input", 'i', CLI_LIST, AT(input), "[NAME=]FILE", "contents of an input, as for `whet run`", 0, 0},
    {"fill", 0, CLI_CHOICE, AT(fill), "random|zeros|ones", "contents of inputs without a file (default: random)", 0,
     0},
    {"profile", 0, CLI_FLAG, AT(profile), NULL,
     "tables of time by node and by operator, with the share of this machine's measured peak", 0, 0},
    {"trace", 0, CLI_TEXT, AT(trace), "FILE",
     "write a trace of ten runs that Perfetto (ui.perfetto.dev) and chrome://tracing open", 0, 0},
    {0}};
static const cli_opt k_energy[] = {
    {"energy", 0, CLI_FLAG, AT(energy), NULL,
     "joules of a run: by the processor's counters, a sensor, the battery, else estimated from processor time", 0, 0},
    {"watts", 0, CLI_TEXT, AT(watts), "IDLE,BUSY",
     "for the estimate: watts of the idle machine, and of each busy processor (default: 0,4)", 0, 0},
    {"sysfs", 0, CLI_TEXT, AT(sysfs), "DIR", "where the kernel tells of devices (default: /sys)", 0, 0},
    {"procfs", 0, CLI_TEXT, AT(procfs), "DIR", "and of processes (default: /proc)", 0, 0},
    {0}};

static const cli_use k_use = {
    .synopsis = "MODEL [OPTION]...",
    .about =
        "Runs a model again and again and shows latency, load time and memory. Inputs without a file are filled with "
        "made-up numbers, the same in "
        "every run of the command. Peak memory is what the kernel counts for the process.",
    .examples =
        "  whet bench resnet18.onnx --threads 1\n  whet bench model.onnx --shape input:1x3x320x320 --profile\n"
        "  whet bench model.tflite --json --min-time 0.3 --cpu avx2\n",
    .least = 1,
    .most = 1,
    .missing = "name a model"};

/* What was measured. */
struct result {
  double load_us, first_us;
  cli_stats stats;
  int64_t iterations;
  long peak_rss_kb;
  whet_cost cost;
  power_meter *meter; /* NULL: energy is not measured */
  double joules;      /* of all iterations */
};

/* The most memory that the process has had, in kB, as the kernel counts; 0 where it does not say. */
static long peak_rss_kb(void) {
  char line[256];
  long kb = 0;
  FILE *f = fopen("/proc/self/status", "r");
  while (f && fgets(line, sizeof line, f))
    if (sscanf(line, "VmHWM: %ld", &kb) == 1) break;
  if (f) fclose(f);
  return kb;
}

/* Time batches of `batch` runs until min_us are over and there are three samples. */
static int measure(const cli_model *m, const struct options *o, struct result *r) {
  whet_err err = {0};
  double start = cli_now_us(), warm = start + (o->warmup >= 0 ? 0 : o->min_time * 1e5), once = r->first_us;
  for (int64_t i = 0; i < (o->warmup >= 0 ? o->warmup : 3) || cli_now_us() < warm; i++) {
    double t = cli_now_us();
    if (whet_session_run(m->session, &m->run, &err)) return cli_fail_run(m, &err);
    t = cli_now_us() - t;
    if (t < once) once = t;
  }
  r->peak_rss_kb = peak_rss_kb(); /* before the samples take memory */
  cli_stats_init(&r->stats);
  int64_t batch = once < 20 ? (int64_t)(20 / (once > 0.02 ? once : 0.02)) : 1;
  double before = 0;
  if (r->meter && power_read(r->meter, &before, &err)) return cli_fail_err(NULL, &err);
  double t = cli_now_us(), end = t + o->min_time * 1e6, look = t + 1e5;
  while (t < end || r->stats.seen < 3) {
    for (int64_t i = 0; i < batch; i++)
      if (whet_session_run(m->session, &m->run, &err)) return cli_fail_run(m, &err);
    double now = cli_now_us();
    cli_stats_add(&r->stats, (now - t) / (double)batch);
    r->iterations += batch;
    t = now;
    if (!r->meter || t < look) continue;
    if (power_read(r->meter, &r->joules, &err))
      return cli_fail_err(NULL, &err); /* sensors hold from reading to reading */
    t = cli_now_us();
    look = t + 1e5;
  }
  if (r->meter && power_read(r->meter, &r->joules, &err)) return cli_fail_err(NULL, &err);
  r->joules -= before;
  return CLI_DONE;
}

/* Load, fill, run for the first time, measure. */
static int bench(const char *path, const struct options *o, const cli_model_opts *mo, cli_model *m,
                 struct result *r) {
  whet_err err = {0};
  const cli_input_opts in = {0};
  double t = cli_now_us();
  int status = cli_model_open(m, path, mo);
  if (status) return status;
  if (whet__session_ready(m->session, &err)) err.code = WHET_OK; /* some plans need the inputs' contents first */
  r->load_us = cli_now_us() - t;
  size_t n = whet_session_inputs(m->session);
  const char **files = cli_keep((n + 1) * sizeof *files), **notes = cli_keep((n + 1) * sizeof *notes);
  if ((status = cli_inputs_set(m, &o->input, 1 + o->fill, &in, files, notes))) return status;
  err.code = WHET_OK;
  t = cli_now_us();
  if (whet_session_run(m->session, &m->run, &err)) return cli_fail_run(m, &err);
  r->first_us = cli_now_us() - t;
  r->cost = (whet_cost){.size = sizeof r->cost};
  if (whet_session_cost(m->session, &r->cost, &err)) return cli_fail_run(m, &err);
  return measure(m, o, r);
}

/* The contract of ARCHITECTURE.md. */
static json_t *result_json(const cli_model *m, struct result *r) {
  json_t *j = json_object(), *l = json_object();
  const whet_program *p = m->session->program;
  json_object_set_new(l, "min", json_real(r->stats.min));
  json_object_set_new(l, "median", json_real(cli_stats_quantile(&r->stats, 0.5)));
  json_object_set_new(l, "mean", json_real(cli_stats_mean(&r->stats)));
  json_object_set_new(l, "p90", json_real(cli_stats_quantile(&r->stats, 0.9)));
  json_object_set_new(l, "p99", json_real(cli_stats_quantile(&r->stats, 0.99)));
  json_object_set_new(j, "model", cli_json_text(m->path));
  json_object_set_new(j, "latency_us", l);
  json_object_set_new(j, "load_us", json_real(r->load_us));
  json_object_set_new(j, "first_us", json_real(r->first_us));
  json_object_set_new(j, "peak_rss_kb", json_integer(r->peak_rss_kb));
  json_object_set_new(j, "arena_bytes", json_integer((json_int_t)r->cost.arena_bytes));
  json_object_set_new(j, "weights_bytes", json_integer((json_int_t)r->cost.weights_bytes));
  json_object_set_new(j, "mapped_bytes", json_integer((json_int_t)r->cost.mapped_bytes));
  json_object_set_new(j, "variable_bytes", json_integer((json_int_t)r->cost.variable_bytes));
  json_object_set_new(j, "plan_bytes", json_integer((json_int_t)r->cost.plan_bytes));
  json_object_set_new(j, "macs", json_integer(r->cost.macs));
  json_object_set_new(j, "fingerprint", json_sprintf("%016llx", (unsigned long long)r->cost.fingerprint));
  json_object_set_new(j, "threads", json_integer(p->threads));
  json_object_set_new(j, "cpu", json_string(whet__isa_level(p->target.isa)));
  json_object_set_new(j, "precision", json_string(p->target.bf16 ? "bf16" : "f32"));
  json_object_set_new(j, "processor", cli_json_text(p->target.cpu));
  json_object_set_new(j, "iterations", json_integer(r->iterations));
  if (r->meter)
    json_object_set_new(j, "energy",
                        json_pack("{s:f, s:s, s:f}", "joules", r->joules / (double)r->iterations, "source",
                                  power_name(r->meter), "relative_error", power_error(r->meter)));
  return j;
}

/* The same for people. */
static void result_text(const cli_model *m, struct result *r) {
  const whet_program *p = m->session->program;
  double median = cli_stats_quantile(&r->stats, 0.5);
  printf("%s%s%s  %d thread%s, %s%s (%s)\n", cli_bold(), cli_clean(m->path), cli_plain(), p->threads,
         p->threads == 1 ? "" : "s", whet__isa_level(p->target.isa), p->target.bf16 ? ", bf16" : "", p->target.cpu);
  printf("  latency   %s%s%s median   (min %s, mean %s, p90 %s, p99 %s; %s runs)\n", cli_bold(), cli_time(median),
         cli_plain(), cli_time(r->stats.min), cli_time(cli_stats_mean(&r->stats)),
         cli_time(cli_stats_quantile(&r->stats, 0.9)), cli_time(cli_stats_quantile(&r->stats, 0.99)),
         cli_count(r->iterations));
  printf("  load      %s, first run %s\n", cli_time(r->load_us), cli_time(r->first_us));
  printf("  memory    peak %s; weights %s", cli_bytes((uint64_t)r->peak_rss_kb * 1024),
         cli_bytes(r->cost.weights_bytes));
  if (r->cost.mapped_bytes) printf(" and %s in the mapped file", cli_bytes(r->cost.mapped_bytes));
  printf(", arena %s", cli_bytes(r->cost.arena_bytes));
  if (r->cost.variable_bytes) printf(", state %s", cli_bytes(r->cost.variable_bytes));
  printf("\n");
  if (r->cost.macs)
    printf("  work      %s multiply-adds, %.1f GMAC/s\n", cli_count(r->cost.macs),
           median > 0 ? (double)r->cost.macs / median * 1e-3 : 0);
  if (!r->meter) return;
  double each = r->joules / (double)r->iterations;
  printf("  energy    %.4g %s a run (%s, within %.0f %%)\n", each < 0.1 ? 1e3 * each : each, each < 0.1 ? "mJ" : "J",
         power_name(r->meter), 100 * power_error(r->meter));
}

/* The meter, when it is asked for. */
static int open_meter(const struct options *o, struct result *r) {
  whet_err err = {0};
  float v[4];
  power_opts p = {.sysfs = o->sysfs, .procfs = o->procfs};
  if (!o->energy)
    return o->watts || o->sysfs || o->procfs ? cli_wrong("--watts, --sysfs and --procfs are of --energy") : 0;
  if (o->watts && (cli_numbers(o->watts, v) != 2 || !(v[0] >= 0) || !(v[1] > 0)))
    return cli_wrong("--watts %.40s: expected watts idle and for a busy processor, as 2.5,4", o->watts);
  if (o->watts) p.idle = (double)v[0], p.busy = (double)v[1];
  return power_open(&p, &r->meter, &err) ? cli_fail_err(NULL, &err) : 0;
}

int cli_bench(int argc, char **argv) {
  struct options o = {.min_time = 1, .warmup = -1};
  cli_model_opts mo = {0};
  cli_use use = k_use;
  use.tables[0] = (cli_table){"measuring", k_options, &o};
  use.tables[1] = (cli_table){"energy", k_energy, &o};
  use.tables[2] = (cli_table){"running", cli_model_options, &mo};
  bool json;
  char **arg;
  int n_arg, status;
  if (!cli_parse(&use, &json, argc, argv, &arg, &n_arg, &status)) return status;
  cli_model m = {0};
  struct result r = {0};
  cli_profile p = {0};
  status = open_meter(&o, &r);
  if (!status) status = bench(arg[0], &o, &mo, &m, &r);
  if (!status && (o.profile || o.trace)) status = cli_profile_make(&m, o.min_time * 1e6, &p);
  if (!status && o.trace) status = cli_profile_trace(&p, o.trace, 10);
  if (!status && json) {
    json_t *j = result_json(&m, &r);
    if (o.profile) json_object_set_new(j, "profile", cli_profile_json(&p));
    status = cli_json(j, 9);
  } else if (!status) {
    result_text(&m, &r);
    if (o.profile) {
      printf("\n");
      cli_profile_print(&p);
    }
    if (o.trace) printf("trace of ten runs in %s: open it at ui.perfetto.dev\n", o.trace);
  }
  power_close(&r.meter);
  cli_model_close(&m);
  return status;
}
