/* SPDX-License-Identifier: Apache-2.0 */
/* whet serve: the server of edge/serve with its options, from the command line and from a file. */

#include <unistd.h>

#include "conf/conf.h"
#include "judge.h"
#include "media.h"
#include "out.h"

#ifdef WHET_HAVE_SERVE
#include "edge/serve/serve.h"
#endif

struct options {
  const char *models, *host, *config, *tls_cert, *tls_key, *token_file, *trace_file, *cpu, *log, *sysfs;
  int64_t port, threads, workers, connections, per_address;
  size_t body, bodies;
  double deadline, idle, slow, drain, poll, at_once, spin;
  bool shared_memory, read_only, no_compress, no_sandbox, no_check, media, openapi, json;
};

#define AT(field) offsetof(struct options, field)
static const cli_opt k_options[] = {
    {"models", 'm', CLI_TEXT, AT(models), "FOLDER", "the models: NAME/VERSION/model.{onnx,tflite,whet}", 0, 0},
    {"config", 0, CLI_TEXT, AT(config), "FILE", "settings in YAML; its keys are the options below with _ for -", 0,
     0},
    {"host", 0, CLI_TEXT, AT(host), "HOST", "the address to listen at; 127.0.0.1 unless told", 0, 0},
    {"port", 0, CLI_INT, AT(port), "N", "8000 unless told; 0: any that is free", 0, 65535},
    {"tls-cert", 0, CLI_TEXT, AT(tls_cert), "FILE", "certificate chain (PEM): TLS instead of plain HTTP", 0, 0},
    {"tls-key", 0, CLI_TEXT, AT(tls_key), "FILE", "its private key (PEM)", 0, 0},
    {"token-file", 0, CLI_TEXT, AT(token_file), "FILE", "bearer tokens, one a line: TOKEN [models=A,B] [admin]", 0,
     0},
    {"read-only", 0, CLI_FLAG, AT(read_only), NULL, "refuse to load and unload models and to change settings", 0, 0},
    {"shared-memory", 0, CLI_FLAG, AT(shared_memory), NULL, "let clients register system shared memory", 0, 0},
    {"media", 0, CLI_FLAG, AT(media), NULL, "decode JPEG, PNG, WebP, JPEG 2000 and TIFF, not only BMP and PNM", 0, 0},
    {0}};
static const cli_opt k_limits[] = {
    {"body", 0, CLI_SIZE, AT(body), "BYTES", "of one request, also when unpacked; 64M", 0, 0},
    {"bodies", 0, CLI_SIZE, AT(bodies), "BYTES", "of all requests at once; 512M", 0, 0},
    {"connections", 0, CLI_INT, AT(connections), "N", "open at once; 16384", 1, 1000000},
    {"per-address", 0, CLI_INT, AT(per_address), "N", "of one client; no limit", 0, 1000000},
    {"deadline", 0, CLI_REAL, AT(deadline), "SECONDS", "for requests that name none; 30", 1e-3, 86400},
    {"idle", 0, CLI_REAL, AT(idle), "SECONDS", "that a connection may be silent; 75", 1, 86400},
    {"slow", 0, CLI_REAL, AT(slow), "SECONDS", "for all of a request to arrive; 30", 1, 86400},
    {"drain", 0, CLI_REAL, AT(drain), "SECONDS", "that SIGTERM waits for what runs; 30", 0, 86400},
    {0}};
static const cli_opt k_running[] = {
    {"threads", 0, CLI_INT, AT(threads), "N", "that wait for connections; as many as there are processors, at most 4",
     0, 256},
    {"workers", 0, CLI_INT, AT(workers), "N", "that run what may not run at once; as many as there are processors", 0,
     1024},
    {"at-once", 0, CLI_REAL, AT(at_once), "SECONDS", "runs that take less are made by the thread that reads; 0.002",
     0, 10},
    {"spin", 0, CLI_REAL, AT(spin), "SECONDS", "that the next request of a quick client is looked for; 0.0001", 0,
     0.01},
    {"poll", 0, CLI_REAL, AT(poll), "SECONDS", "between looks at the folder, beside what the system tells; 30", 0.1,
     86400},
    {"cpu", 0, CLI_TEXT, AT(cpu), "ISA", "use nothing above this instruction set", 0, 0},
    {"log", 0, CLI_TEXT, AT(log), "LEVEL", "error, warning, info or request; info", 0, 0},
    {"trace-file", 0, CLI_TEXT, AT(trace_file), "FILE", "where traces go that clients ask for", 0, 0},
    {"no-compress", 0, CLI_FLAG, AT(no_compress), NULL, "never pack answers", 0, 0},
    {"no-check", 0, CLI_FLAG, AT(no_check), NULL, "do not run the first golden case of a new version", 0, 0},
    {"no-sandbox", 0, CLI_FLAG, AT(no_sandbox), NULL, "do not ask the kernel to shut the process in", 0, 0},
    {"sysfs", 0, CLI_TEXT, AT(sysfs), "DIR", "where the kernel tells energy, for /metrics (default: /sys)", 0, 0},
    {"openapi", 0, CLI_FLAG, AT(openapi), NULL, "print the OpenAPI document and end", 0, 0},
    {0}};

/* The same as keys of a file. */
static const conf_key k_keys[] = {{.name = "models", CONF_STR, AT(models)},
                                  {.name = "host", CONF_STR, AT(host)},
                                  {.name = "port", CONF_INT, AT(port), NULL, 0, 65535},
                                  {.name = "tls_cert", CONF_STR, AT(tls_cert)},
                                  {.name = "tls_key", CONF_STR, AT(tls_key)},
                                  {.name = "token_file", CONF_STR, AT(token_file)},
                                  {.name = "read_only", CONF_BOOL, AT(read_only)},
                                  {.name = "shared_memory", CONF_BOOL, AT(shared_memory)},
                                  {.name = "media", CONF_BOOL, AT(media)},
                                  {.name = "body", CONF_BYTES, AT(body)},
                                  {.name = "bodies", CONF_BYTES, AT(bodies)},
                                  {.name = "connections", CONF_INT, AT(connections), NULL, 1, 1000000},
                                  {.name = "per_address", CONF_INT, AT(per_address), NULL, 0, 1000000},
                                  {.name = "deadline", CONF_SECONDS, AT(deadline), NULL, 1e-3, 86400},
                                  {.name = "idle", CONF_SECONDS, AT(idle), NULL, 1, 86400},
                                  {.name = "slow", CONF_SECONDS, AT(slow), NULL, 1, 86400},
                                  {.name = "drain", CONF_SECONDS, AT(drain), NULL, 0, 86400},
                                  {.name = "threads", CONF_INT, AT(threads), NULL, 0, 256},
                                  {.name = "workers", CONF_INT, AT(workers), NULL, 0, 1024},
                                  {.name = "at_once", CONF_SECONDS, AT(at_once), NULL, 0, 10},
                                  {.name = "spin", CONF_SECONDS, AT(spin), NULL, 0, 0.01},
                                  {.name = "poll", CONF_SECONDS, AT(poll), NULL, 0.1, 86400},
                                  {.name = "cpu", CONF_STR, AT(cpu)},
                                  {.name = "log", CONF_STR, AT(log)},
                                  {.name = "trace_file", CONF_STR, AT(trace_file)},
                                  {.name = "no_compress", CONF_BOOL, AT(no_compress)},
                                  {.name = "no_check", CONF_BOOL, AT(no_check)},
                                  {.name = "no_sandbox", CONF_BOOL, AT(no_sandbox)},
                                  {.name = "sysfs", CONF_STR, AT(sysfs)},
                                  {0}};

static const cli_use k_use = {.synopsis = "--models FOLDER [OPTION]...",
                              .about =
                                  "Serves models over HTTP as the Open Inference Protocol v2 has it, with Triton's "
                                  "extensions: clients for Triton, "
                                  "KServe and MLServer work unchanged. Prints its address when it answers; a status "
                                  "page is at /, metrics are at "
                                  "/metrics, the OpenAPI document is at /openapi.json. Files that change are loaded "
                                  "while it runs; SIGTERM ends it "
                                  "when what runs is answered. docs/serving.md has all of it.",
                              .examples =
                                  "  whet serve --models models\n  whet serve --models models --host :: --tls-cert "
                                  "cert.pem --tls-key key.pem --token-file tokens\n",
                              .most = 0};

#ifdef WHET_HAVE_SERVE

/* The first golden case in the version's folder, if there is one, must pass on the program that will serve. */
static whet_status check(void *user, const char *folder, whet_program *p, whet_err *err) {
  cli_model_opts mo = {.threads = 1};
  struct cli_judge_session one = {
      .m = {.path = folder, .program = whet_program_ref(p), .run = {.size = sizeof(whet_run_opts)}}};
  cli_judge j = {.path = folder, .opts = &mo, .session = &one, .n = 1, .cap = 1};
  cli_cases cases = {0};
  cli_verdict v = {.passed = true};
  whet_arena kept;
  (void)user;
  whet__arena_init(&kept, cli_mem());
  cli_keep_in(&kept);
  whet_status s = whet_session_create(p, &one.m.session, err);
  if (!s) s = cli_cases_find(folder, &cases, err);
  if (!s && cases.n) {
    cli_judge_case(&j, &cases.v[0], &v);
    if (!v.passed) s = whet__fail(err, WHET_E_DATA, "golden case %.60s: %s", cases.v[0].name, v.text);
  }
  cli_cases_free(&cases);
  cli_judge_close(&j);
  cli_keep_in(NULL);
  whet__arena_free(&kept);
  return s;
}

/* The file's settings under those of the command line. */
static int from_file(struct options *o, conf_file *f) {
  whet_err err = {0};
  if (conf_open(o->config, cli_mem(), f, &err) || conf_fill(f, &f->root, "the server's settings", k_keys, o, &err))
    return cli_fail_err(NULL, &err);
  return CLI_DONE;
}

/* Serve as the options say; exit status. */
static int serve(const struct options *o) {
  static const char *const k_level[] = {"error", "warning", "info", "request"};
  serve_opts s = serve_opts_default();
  whet_err err = {0};
  if (o->openapi) {
    serve_buf b = {0};
    serve_openapi(&b);
    fwrite(b.p, 1, b.n, stdout);
    putchar('\n');
    buf_free(&b);
    return CLI_DONE;
  }
  if (!o->models) return cli_wrong("name the folder of the models: --models FOLDER");
  s.level = -1;
  for (int i = 0; i < (int)WHET_COUNT(k_level); i++)
    if (!strcmp(o->log, k_level[i])) s.level = i;
  if (s.level < 0) return cli_wrong("--log %.40s: expected error, warning, info or request", o->log);
  s.models = o->models, s.host = o->host, s.port = o->port, s.tls_cert = o->tls_cert, s.tls_key = o->tls_key;
  s.token_file = o->token_file, s.trace_file = o->trace_file, s.cpu = o->cpu, s.threads = o->threads;
  s.workers = o->workers, s.connections = o->connections, s.per_address = o->per_address, s.body = o->body;
  s.bodies = o->bodies, s.deadline = o->deadline, s.idle = o->idle, s.slow = o->slow, s.drain = o->drain;
  s.poll = o->poll, s.at_once = o->at_once, s.spin = o->spin, s.shared_memory = o->shared_memory,
  s.read_only = o->read_only;
  s.sysfs = o->sysfs, s.json = o->json, s.compress = !o->no_compress, s.sandbox = !o->no_sandbox,
  s.check = o->no_check ? NULL : check;
  const char *why = o->media ? cli_media_load() : NULL;
  if (why) return cli_fail("--media: %s", why);
  return serve_run(&s, &err) ? cli_fail_err(NULL, &err) : CLI_DONE;
}

#else

static int from_file(struct options *o, conf_file *f) {
  (void)o, (void)f, (void)k_keys;
  return CLI_DONE;
}

static int serve(const struct options *o) {
  (void)o;
  return cli_fail(
      "this build has no server: libmicrohttpd, zlib or libyaml was not there (Debian: libmicrohttpd-dev, "
      "zlib1g-dev, libyaml-dev)");
}

#endif

int cli_serve(int argc, char **argv) {
  struct options first = {.host = "127.0.0.1",
                          .port = 8000,
                          .connections = 16384,
                          .body = 64u << 20,
                          .bodies = 512u << 20,
                          .deadline = 30,
                          .idle = 75,
                          .slow = 30,
                          .drain = 30,
                          .poll = 30,
                          .at_once = 2e-3,
                          .spin = 1e-4,
                          .log = "info"},
                 o = first;
  cli_use use = k_use;
  use.tables[0] = (cli_table){"serving", k_options, &o};
  use.tables[1] = (cli_table){"limits", k_limits, &o};
  use.tables[2] = (cli_table){"running", k_running, &o};
  char **arg, **again = cli_keep((size_t)(argc + 1) * sizeof *again);
  int n_arg, status;
  memcpy(again, argv, (size_t)(argc + 1) * sizeof *again);
  if (!cli_parse(&use, &o.json, argc, argv, &arg, &n_arg, &status)) return status;
  if (o.config) { /* the file first, then the command line over it */
    static conf_file f;
    const char *file = o.config;
    o = first;
    o.config = file;
    if ((status = from_file(&o, &f))) return status;
    if (!cli_parse(&use, &o.json, argc, again, &arg, &n_arg, &status)) return status;
  }
  return serve(&o);
}
