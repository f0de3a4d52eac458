/* SPDX-License-Identifier: Apache-2.0 */
/* Models and options. */

#include "shim.h"

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

/* The bytes of a file, or NULL. */
static void *slurp(const char *path, size_t *n) {
  FILE *f = fopen(path, "rb");
  long size = -1;
  void *p = NULL;
  if (!f) return NULL;
  if (!fseek(f, 0, SEEK_END) && (size = ftell(f)) > 0 && !fseek(f, 0, SEEK_SET) && (p = malloc((size_t)size)) &&
      fread(p, 1, (size_t)size, f) != (size_t)size) {
    free(p);
    p = NULL;
  }
  fclose(f);
  *n = p ? (size_t)size : 0;
  return p;
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
  whet_status s =
      path ? whet_model_open(path, NULL, &m->m, &err) : whet_model_open_memory(bytes, n, NULL, &m->m, &err);
  if (s == WHET_E_UNSUPPORTED) {
    m->own = path != NULL;
    m->bytes = path ? slurp(path, &m->n) : (void *)bytes;
    if (!path) m->n = n;
    if (m->bytes) return m;
  }
  if (!s) return m;
  report_say(&r, "%s", err.text);
  free(m);
  return NULL;
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
  if (m->own) free(m->bytes);
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
  o->op = calloc(from->n_op + 1, sizeof *o->op);
  if (!o->op) {
    free(o);
    return NULL;
  }
  if (from->n_op) memcpy(o->op, from->op, from->n_op * sizeof *o->op);
  return o;
}

void TfLiteInterpreterOptionsDelete(TfLiteInterpreterOptions *o) {
  if (!o) return;
  free(o->op);
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
void TfLiteInterpreterOptionsAddRegistrationExternal(TfLiteInterpreterOptions *o, TfLiteRegistrationExternal *op) {
  const TfLiteRegistrationExternal **more = o && op ? realloc(o->op, (o->n_op + 1) * sizeof *more) : NULL;
  if (!more) return;
  o->op = more;
  o->op[o->n_op++] = op;
}
void TfLiteInterpreterOptionsAddOperator(TfLiteInterpreterOptions *o, TfLiteRegistrationExternal *op) {
  TfLiteInterpreterOptionsAddRegistrationExternal(o, op);
}
void TfLiteInterpreterOptionsSetUseNNAPI(TfLiteInterpreterOptions *o, bool enable) { (void)o, (void)enable; }
void TfLiteInterpreterOptionsSetEnableDelegateFallback(TfLiteInterpreterOptions *o, bool enable) {
  (void)o, (void)enable;
}
