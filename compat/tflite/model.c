/* SPDX-License-Identifier: Apache-2.0 */
/* Models and options. */

#include "shim.h"
#include "tensorflow/lite/c/c_api_opaque.h"

const char *TfLiteVersion(void) { return "2.16.1"; }
const char *TfLiteExtensionApisVersion(void) { return ""; }
int TfLiteSchemaVersion(void) { return 3; }

void report_say(const report *r, const char *format, ...) {
  va_list ap;
  va_start(ap, format);
  if (r->fn) {
    r->fn(r->user, format, ap);
  } else {
    fputs("ERROR: ", stderr);
    vfprintf(stderr, format, ap);
    fputc('\n', stderr);
  }
  va_end(ap);
}

static whet_status open(const TfLiteModel *m, const whet_model_opts *o, whet_model **out, whet_err *err) {
  return m->path ? whet_model_open(m->path, o, out, err) : whet_model_open_memory(m->bytes, m->n, o, out, err);
}

/* The original resolves operators when an interpreter is made: a model that lacks some is a model still. */
static TfLiteModel *create(const char *path, const void *bytes, size_t n, report_fn fn, void *user) {
  TfLiteModel *m = calloc(1, sizeof *m);
  report r = {fn, user};
  whet_err err = {0};
  if (!m || (!path && !bytes)) {
    if (m) report_say(&r, "TfLiteModelCreate: no bytes are given");
    free(m);
    return NULL;
  }
  atomic_init(&m->ref, 1);
  m->report = r;
  m->bytes = bytes;
  m->n = n;
  m->path = path ? strdup(path) : NULL;
  whet_status s = path && !m->path ? WHET_E_MEMORY : open(m, NULL, &m->m, &err);
  if (!s || s == WHET_E_UNSUPPORTED) return m;
  report_say(&r, "%s", err.text);
  TfLiteModelDelete(m);
  return NULL;
}

whet_model *model_reopen(const TfLiteModel *m, const whet_custom_domain *own, const report *r) {
  whet_model_opts o = whet_model_opts_default();
  whet_model *out = NULL;
  whet_err err = {0};
  o.custom = &own;
  o.n_custom = own != NULL;
  if (open(m, &o, &out, &err)) report_say(r, "%s", err.text);
  return out;
}

TfLiteModel *TfLiteModelCreate(const void *data, size_t n) { return create(NULL, data, n, NULL, NULL); }
TfLiteModel *TfLiteModelCreateWithErrorReporter(const void *data, size_t n, report_fn fn, void *user) {
  return create(NULL, data, n, fn, user);
}
TfLiteModel *TfLiteModelCreateFromFile(const char *path) { return path ? create(path, NULL, 0, NULL, NULL) : NULL; }
TfLiteModel *TfLiteModelCreateFromFileWithErrorReporter(const char *path, report_fn fn, void *user) {
  return path ? create(path, NULL, 0, fn, user) : NULL;
}

TfLiteModel *model_ref(const TfLiteModel *m) {
  atomic_fetch_add(&((TfLiteModel *)m)->ref, 1);
  return (TfLiteModel *)m;
}

void TfLiteModelDelete(TfLiteModel *m) {
  if (!m || atomic_fetch_sub(&m->ref, 1) > 1) return;
  whet_model_close(&m->m);
  free(m->path);
  free(m);
}

TfLiteInterpreterOptions *TfLiteInterpreterOptionsCreate(void) {
  TfLiteInterpreterOptions *o = calloc(1, sizeof *o);
  if (o) o->threads = -1;
  return o;
}

TfLiteInterpreterOptions *TfLiteInterpreterOptionsCopy(const TfLiteInterpreterOptions *from) {
  TfLiteInterpreterOptions *o = from ? calloc(1, sizeof *o) : NULL;
  if (!o) return NULL;
  *o = *from;
  o->ops = (op_list){0};
  for (size_t i = 0; i < from->ops.n; i++) {
    bool own = from->ops.own[i];
    TfLiteRegistrationExternal *copy = own ? registration_copy(from->ops.op[i]) : NULL;
    if (op_list_add(&o->ops, own ? copy : from->ops.op[i], own)) continue;
    TfLiteRegistrationExternalDelete(copy);
    TfLiteInterpreterOptionsDelete(o);
    return NULL;
  }
  return o;
}

void TfLiteInterpreterOptionsDelete(TfLiteInterpreterOptions *o) {
  if (!o) return;
  op_list_free(&o->ops);
  free(o);
}

void TfLiteInterpreterOptionsSetNumThreads(TfLiteInterpreterOptions *o, int32_t n) {
  if (o) o->threads = n;
}
void TfLiteInterpreterOptionsSetErrorReporter(TfLiteInterpreterOptions *o, report_fn fn, void *user) {
  if (o) o->report = (report){fn, user};
}
void TfLiteInterpreterOptionsAddDelegate(TfLiteInterpreterOptions *o, TfLiteOpaqueDelegate *d) {
  if (o && d && !delegate_is_ours(d) && !o->delegate) o->delegate = d;
}
TfLiteStatus TfLiteInterpreterOptionsEnableCancellation(TfLiteInterpreterOptions *o, bool enable) {
  if (!o) return kTfLiteError;
  o->cancel = enable;
  return kTfLiteOk;
}
void TfLiteInterpreterOptionsSetUseNNAPI(TfLiteInterpreterOptions *o, bool enable) { (void)o, (void)enable; }
void TfLiteInterpreterOptionsSetEnableDelegateFallback(TfLiteInterpreterOptions *o, bool enable) {
  (void)o, (void)enable;
}
