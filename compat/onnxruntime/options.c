/* SPDX-License-Identifier: Apache-2.0 */
/* Options of sessions and of runs. */

#include "shim.h"

OrtStatus *API(CreateSessionOptions)(OrtSessionOptions **out) {
  NEED(out);
  OrtSessionOptions *o = calloc(1, sizeof *o);
  if (!o) return no_memory();
  o->severity = -1;
  o->mem_pattern = o->per_session_threads = true;
  *out = o;
  return NULL;
}

void API(ReleaseSessionOptions)(OrtSessionOptions *o) {
  if (!o) return;
  pairs_free(&o->config);
  pairs_free(&o->dims);
  free(o->log_id);
  free(o->profile);
  free(o->optimized);
  free(o->domain);
  given_free(&o->given);
  free(o);
}

/* Put a copy of text (may be NULL) in place of *to. */
static OrtStatus *set_text(char **to, const char *text) {
  char *p = text ? strdup(text) : NULL;
  if (text && !p) return no_memory();
  free(*to);
  *to = p;
  return NULL;
}

OrtStatus *API(CloneSessionOptions)(const OrtSessionOptions *from, OrtSessionOptions **out) {
  NEED(from);
  NEED(out);
  OrtSessionOptions *o = malloc(sizeof *o);
  if (!o) return no_memory();
  *o = *from;
  o->config = o->dims = (pairs){0};
  o->log_id = o->profile = o->optimized = NULL;
  o->domain = NULL;
  o->given = (given){0};
  OrtStatus *s = pairs_copy(&o->config, &from->config);
  if (!s) s = pairs_copy(&o->dims, &from->dims);
  if (!s) s = given_copy(&o->given, &from->given);
  if (!s) s = set_text(&o->log_id, from->log_id);
  if (!s) s = set_text(&o->profile, from->profile);
  if (!s) s = set_text(&o->optimized, from->optimized);
  if (!s && from->n_domain) {
    o->domain = malloc(from->n_domain * sizeof *o->domain);
    if (o->domain) memcpy(o->domain, from->domain, from->n_domain * sizeof *o->domain);
    else s = no_memory();
  }
  if (s) {
    API(ReleaseSessionOptions)(o);
    return s;
  }
  *out = o;
  return NULL;
}

/* Switches that whet keeps and answers, and those that have no effect on it. */
OrtStatus *API(SetSessionExecutionMode)(OrtSessionOptions *o, ExecutionMode mode) {
  NEED(o);
  if (mode != ORT_SEQUENTIAL && mode != ORT_PARALLEL) return fail(ORT_INVALID_ARGUMENT, "execution_mode is not valid");
  o->mode = mode;
  return NULL;
}
OrtStatus *API(GetSessionExecutionMode)(const OrtSessionOptions *o, ExecutionMode *out) {
  NEED(o);
  NEED(out);
  *out = o->mode;
  return NULL;
}
OrtStatus *API(EnableMemPattern)(OrtSessionOptions *o) {
  NEED(o);
  o->mem_pattern = true;
  return NULL;
}
OrtStatus *API(DisableMemPattern)(OrtSessionOptions *o) {
  NEED(o);
  o->mem_pattern = false;
  return NULL;
}
OrtStatus *API(GetMemPatternEnabled)(const OrtSessionOptions *o, int *out) {
  NEED(o);
  NEED(out);
  *out = o->mem_pattern;
  return NULL;
}
OrtStatus *API(EnableCpuMemArena)(OrtSessionOptions *o) {
  NEED(o);
  return NULL;
}
OrtStatus *API(DisableCpuMemArena)(OrtSessionOptions *o) {
  NEED(o);
  return NULL;
}
OrtStatus *API(SetDeterministicCompute)(OrtSessionOptions *o, bool value) {
  NEED(o);
  o->deterministic = value;
  return NULL;
}
OrtStatus *API(SetSessionGraphOptimizationLevel)(OrtSessionOptions *o, GraphOptimizationLevel level) {
  NEED(o);
  int n = (int)level;
  if (n < ORT_DISABLE_ALL || (n > ORT_ENABLE_LAYOUT && n != ORT_ENABLE_ALL))
    return fail(ORT_INVALID_ARGUMENT, "graph_optimization_level is not valid");
  return NULL;
}
OrtStatus *API(SetIntraOpNumThreads)(OrtSessionOptions *o, int n) {
  NEED(o);
  o->threads = n;
  return NULL;
}
OrtStatus *API(SetInterOpNumThreads)(OrtSessionOptions *o, int n) {
  NEED(o);
  o->inter = n;
  return NULL;
}
OrtStatus *API(DisablePerSessionThreads)(OrtSessionOptions *o) {
  NEED(o);
  o->per_session_threads = false;
  return NULL;
}
OrtStatus *API(SessionOptionsSetCustomCreateThreadFn)(OrtSessionOptions *o, OrtCustomCreateThreadFn fn) {
  NEED(o);
  o->start = fn;
  return NULL;
}
OrtStatus *API(SessionOptionsSetCustomThreadCreationOptions)(OrtSessionOptions *o, void *options) {
  NEED(o);
  o->start_options = options;
  return NULL;
}
OrtStatus *API(SessionOptionsSetCustomJoinThreadFn)(OrtSessionOptions *o, OrtCustomJoinThreadFn fn) {
  NEED(o);
  o->join = fn;
  return NULL;
}
OrtStatus *API(SessionOptionsSetLoadCancellationFlag)(OrtSessionOptions *o, bool cancel) {
  NEED(o);
  o->cancel_load = cancel;
  return NULL;
}

/* Files that a session writes. */
OrtStatus *API(EnableProfiling)(OrtSessionOptions *o, const char *prefix) {
  NEED(o);
  NEED(prefix);
  return set_text(&o->profile, prefix);
}
OrtStatus *API(DisableProfiling)(OrtSessionOptions *o) {
  NEED(o);
  return set_text(&o->profile, NULL);
}
OrtStatus *API(SetOptimizedModelFilePath)(OrtSessionOptions *o, const char *path) {
  NEED(o);
  NEED(path);
  return set_text(&o->optimized, path);
}

/* Log lines. */
OrtStatus *API(SetSessionLogId)(OrtSessionOptions *o, const char *id) {
  NEED(o);
  NEED(id);
  return set_text(&o->log_id, id);
}
OrtStatus *API(SetSessionLogVerbosityLevel)(OrtSessionOptions *o, int level) {
  NEED(o);
  o->verbosity = level;
  return NULL;
}
OrtStatus *API(SetSessionLogSeverityLevel)(OrtSessionOptions *o, int level) {
  NEED(o);
  o->severity = level;
  return NULL;
}
OrtStatus *API(SetUserLoggingFunction)(OrtSessionOptions *o, OrtLoggingFunction fn, void *param) {
  NEED(o);
  o->log = fn;
  o->log_param = param;
  return NULL;
}

/* Entries by name. */
OrtStatus *API(AddSessionConfigEntry)(OrtSessionOptions *o, const char *key, const char *value) {
  NEED(o);
  NEED(key);
  NEED(value);
  if (!*key || strlen(key) > 1024) return fail(ORT_INVALID_ARGUMENT, "Config key is empty or longer than maximum length 1024");
  if (strlen(value) > 8192) return fail(ORT_INVALID_ARGUMENT, "Config value is longer than maximum length: 8192");
  return pairs_set(&o->config, key, value);
}
OrtStatus *API(HasSessionConfigEntry)(const OrtSessionOptions *o, const char *key, int *out) {
  NEED(o);
  NEED(key);
  NEED(out);
  *out = pairs_get(&o->config, key) != NULL;
  return NULL;
}
OrtStatus *API(GetSessionConfigEntry)(const OrtSessionOptions *o, const char *key, char *out, size_t *size) {
  NEED(o);
  NEED(key);
  NEED(size);
  const char *value = pairs_get(&o->config, key);
  if (!value) return fail(ORT_INVALID_ARGUMENT, "Session config entry '%s' was not found.", key);
  size_t need = strlen(value) + 1, have = *size;
  *size = need;
  if (!out) return NULL;
  if (have < need) return fail(ORT_INVALID_ARGUMENT, "Result buffer is not large enough: %zu bytes, %zu needed", have, need);
  memcpy(out, value, need);
  return NULL;
}
OrtStatus *API(GetSessionOptionsConfigEntries)(const OrtSessionOptions *o, OrtKeyValuePairs **out) {
  NEED(o);
  NEED(out);
  API(CreateKeyValuePairs)(out);
  if (!*out) return no_memory();
  OrtStatus *s = pairs_copy(&(*out)->p, &o->config);
  if (s) API(ReleaseKeyValuePairs)(*out), *out = NULL;
  return s;
}
OrtStatus *API(AddFreeDimensionOverrideByName)(OrtSessionOptions *o, const char *name, int64_t value) {
  NEED(o);
  NEED(name);
  char text[24];
  snprintf(text, sizeof text, "%lld", (long long)value);
  return pairs_set(&o->dims, name, text);
}
/* whet's reader keeps no denotations of dimensions: an override of one finds nothing, as with the original for a
 * denotation that no dimension has. */
OrtStatus *API(AddFreeDimensionOverride)(OrtSessionOptions *o, const char *denotation, int64_t value) {
  NEED(o);
  NEED(denotation);
  (void)value;
  return NULL;
}

/* Options of a run. */
OrtStatus *API(CreateRunOptions)(OrtRunOptions **out) {
  NEED(out);
  *out = calloc(1, sizeof **out);
  if (!*out) return no_memory();
  (*out)->severity = -1;
  return NULL;
}
void API(ReleaseRunOptions)(OrtRunOptions *o) {
  if (!o) return;
  pairs_free(&o->config);
  free(o->tag);
  free(o);
}
OrtStatus *API(RunOptionsSetRunLogVerbosityLevel)(OrtRunOptions *o, int level) {
  NEED(o);
  o->verbosity = level;
  return NULL;
}
OrtStatus *API(RunOptionsSetRunLogSeverityLevel)(OrtRunOptions *o, int level) {
  NEED(o);
  o->severity = level;
  return NULL;
}
OrtStatus *API(RunOptionsSetRunTag)(OrtRunOptions *o, const char *tag) {
  NEED(o);
  return set_text(&o->tag, tag);
}
OrtStatus *API(RunOptionsGetRunLogVerbosityLevel)(const OrtRunOptions *o, int *out) {
  NEED(o);
  NEED(out);
  *out = o->verbosity;
  return NULL;
}
OrtStatus *API(RunOptionsGetRunLogSeverityLevel)(const OrtRunOptions *o, int *out) {
  NEED(o);
  NEED(out);
  *out = o->severity;
  return NULL;
}
OrtStatus *API(RunOptionsGetRunTag)(const OrtRunOptions *o, const char **out) {
  NEED(o);
  NEED(out);
  *out = o->tag ? o->tag : "";
  return NULL;
}
OrtStatus *API(RunOptionsSetTerminate)(OrtRunOptions *o) {
  NEED(o);
  whet_cancel_raise(&o->cancel);
  return NULL;
}
OrtStatus *API(RunOptionsUnsetTerminate)(OrtRunOptions *o) {
  NEED(o);
  o->cancel.flag = 0;
  return NULL;
}
OrtStatus *API(AddRunConfigEntry)(OrtRunOptions *o, const char *key, const char *value) {
  NEED(o);
  NEED(key);
  NEED(value);
  return pairs_set(&o->config, key, value);
}
const char *API(GetRunConfigEntry)(const OrtRunOptions *o, const char *key) {
  return o && key ? pairs_get(&o->config, key) : NULL;
}

/* Custom operator domains: borrowed, they live longer than the sessions that use them. */
OrtStatus *API(CreateCustomOpDomain)(const char *name, OrtCustomOpDomain **out) {
  NEED(name);
  NEED(out);
  OrtCustomOpDomain *d = calloc(1, sizeof *d);
  if (!d || !(d->name = strdup(name))) {
    free(d);
    return no_memory();
  }
  *out = d;
  return NULL;
}
void API(ReleaseCustomOpDomain)(OrtCustomOpDomain *d) {
  if (!d) return;
  free(d->name);
  free(d->op);
  free(d);
}
OrtStatus *API(CustomOpDomain_Add)(OrtCustomOpDomain *d, const OrtCustomOp *op) {
  NEED(d);
  NEED(op);
  const OrtCustomOp **more = realloc(d->op, (d->n + 1) * sizeof *more);
  if (!more) return no_memory();
  d->op = more;
  d->op[d->n++] = op;
  return NULL;
}
OrtStatus *API(AddCustomOpDomain)(OrtSessionOptions *o, OrtCustomOpDomain *d) {
  NEED(o);
  NEED(d);
  OrtCustomOpDomain **more = realloc(o->domain, (o->n_domain + 1) * sizeof *more);
  if (!more) return no_memory();
  o->domain = more;
  o->domain[o->n_domain++] = d;
  return NULL;
}
