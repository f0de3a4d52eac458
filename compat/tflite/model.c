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
  o->n_op = 0;
  o->op = calloc(from->n_op + 1, sizeof *o->op);
  o->own = calloc(from->n_op + 1, sizeof *o->own);
  bool ok = o->op && o->own;
  for (size_t i = 0; ok && i < from->n_op; i++) {
    const TfLiteRegistrationExternal *op = from->own[i] ? registration_copy(from->op[i]) : from->op[i];
    if (!(ok = op != NULL)) break;
    o->op[o->n_op] = op;
    o->own[o->n_op++] = from->own[i];
  }
  if (ok) return o;
  TfLiteInterpreterOptionsDelete(o);
  return NULL;
}

void TfLiteInterpreterOptionsDelete(TfLiteInterpreterOptions *o) {
  if (!o) return;
  for (size_t i = 0; i < o->n_op; i++)
    if (o->own[i]) TfLiteRegistrationExternalDelete((TfLiteRegistrationExternal *)(uintptr_t)o->op[i]);
  free(o->op);
  free(o->own);
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
static bool add(TfLiteInterpreterOptions *o, TfLiteRegistrationExternal *op, bool own) {
  const TfLiteRegistrationExternal **more = o && op ? realloc(o->op, (o->n_op + 1) * sizeof *more) : NULL;
  if (more) o->op = more;
  bool *flags = more ? realloc(o->own, (o->n_op + 1) * sizeof *flags) : NULL;
  if (!flags) return false;
  o->own = flags;
  o->own[o->n_op] = own;
  o->op[o->n_op++] = op;
  return true;
}
void TfLiteInterpreterOptionsAddRegistrationExternal(TfLiteInterpreterOptions *o, TfLiteRegistrationExternal *op) {
  add(o, op, false);
}
void TfLiteInterpreterOptionsAddCustomOp(TfLiteInterpreterOptions *o, const char *name, const TfLiteRegistration *r,
                                         int32_t least, int32_t most) {
  (void)least, (void)most;
  if (!o || !name || !r) return;
  TfLiteRegistrationExternal *op =
      r->registration_external ? r->registration_external : registration_classic(name, r);
  if (!add(o, op, op != r->registration_external) && op != r->registration_external)
    TfLiteRegistrationExternalDelete(op);
}
void TfLiteInterpreterOptionsAddOperator(TfLiteInterpreterOptions *o, TfLiteRegistrationExternal *op) {
  TfLiteInterpreterOptionsAddRegistrationExternal(o, op);
}
void TfLiteInterpreterOptionsSetUseNNAPI(TfLiteInterpreterOptions *o, bool enable) { (void)o, (void)enable; }
void TfLiteInterpreterOptionsSetEnableDelegateFallback(TfLiteInterpreterOptions *o, bool enable) {
  (void)o, (void)enable;
}
