/* SPDX-License-Identifier: Apache-2.0 */
/* Which operators a caller brings: registrations one by one, and functions that answer them. Those of the model's
 * custom codes run; none can stand in place of a built-in one, whose parameters would have to be handed over in the
 * original's structures. */

#include "shim.h"
#include "tensorflow/lite/c/c_api_opaque.h"
#include "wire/fb.h"

enum { CUSTOM_CODE = 32, V1_BYTES = offsetof(TfLiteRegistration, registration_external) };
enum {
  V2_BYTES = offsetof(TfLiteRegistration, async_kernel),
  V3_BYTES = offsetof(TfLiteRegistration, inplace_operator)
};

bool op_list_add(op_list *l, const TfLiteRegistrationExternal *op, bool own) {
  const TfLiteRegistrationExternal **more = op ? realloc(l->op, (l->n + 1) * sizeof *more) : NULL;
  if (more) l->op = more;
  bool *flags = more ? realloc(l->own, (l->n + 1) * sizeof *flags) : NULL;
  if (!flags) return false;
  l->own = flags;
  l->own[l->n] = own;
  l->op[l->n++] = op;
  return true;
}

void op_list_free(op_list *l) {
  for (size_t i = 0; i < l->n; i++)
    if (l->own[i]) TfLiteRegistrationExternalDelete((TfLiteRegistrationExternal *)(uintptr_t)l->op[i]);
  free(l->op);
  free(l->own);
  *l = (op_list){0};
}

/* ---- options ----------------------------------------------------------------------------------- */

void TfLiteInterpreterOptionsAddRegistrationExternal(TfLiteInterpreterOptions *o, TfLiteRegistrationExternal *op) {
  if (o) op_list_add(&o->ops, op, false);
}
void TfLiteInterpreterOptionsAddOperator(TfLiteInterpreterOptions *o, TfLiteRegistrationExternal *op) {
  TfLiteInterpreterOptionsAddRegistrationExternal(o, op);
}

/* A registration in the older form, of that many bytes. */
static bool add_classic(op_list *l, int code, const char *name, const TfLiteRegistration *r, size_t bytes) {
  TfLiteRegistration full = {0};
  memcpy(&full, r, bytes);
  if (full.registration_external) return op_list_add(l, full.registration_external, false);
  TfLiteRegistrationExternal *op = registration_classic(code, name, &full);
  if (op_list_add(l, op, true)) return true;
  TfLiteRegistrationExternalDelete(op);
  return false;
}
void TfLiteInterpreterOptionsAddCustomOp(TfLiteInterpreterOptions *o, const char *name, const TfLiteRegistration *r,
                                         int32_t least, int32_t most) {
  (void)least, (void)most;
  if (o && name && r) add_classic(&o->ops, CUSTOM_CODE, name, r, sizeof *r);
}
void TfLiteInterpreterOptionsAddBuiltinOp(TfLiteInterpreterOptions *o, TfLiteBuiltinOperator code,
                                          const TfLiteRegistration *r, int32_t least, int32_t most) {
  (void)least, (void)most;
  if (o && r) add_classic(&o->ops, (int)code, NULL, r, sizeof *r);
}

typedef const TfLiteRegistration *(*find_builtin)(void *, TfLiteBuiltinOperator, int);
typedef const TfLiteRegistration *(*find_custom)(void *, const char *, int);

void TfLiteInterpreterOptionsSetOpResolver(TfLiteInterpreterOptions *o, find_builtin builtin, find_custom custom,
                                           void *user) {
  if (o)
    o->resolver = (resolver){.user = user, .builtin = builtin, .custom = custom, .bytes = sizeof(TfLiteRegistration)};
}
/* The forms for programs of older releases: the same functions, which answer the beginning of a registration. */
static void set_older(TfLiteInterpreterOptions *o, void (*builtin)(void), void (*custom)(void), void *user,
                      size_t n) {
  TfLiteInterpreterOptionsSetOpResolver(o, (find_builtin)builtin, (find_custom)custom, user);
  if (o) o->resolver.bytes = n;
}
void TfLiteInterpreterOptionsSetOpResolverV1(
    TfLiteInterpreterOptions *o, const TfLiteRegistration_V1 *(*builtin)(void *, TfLiteBuiltinOperator, int),
    const TfLiteRegistration_V1 *(*custom)(void *, const char *, int), void *user) {
  set_older(o, (void (*)(void))builtin, (void (*)(void))custom, user, V1_BYTES);
}
void TfLiteInterpreterOptionsSetOpResolverV2(
    TfLiteInterpreterOptions *o, const TfLiteRegistration_V2 *(*builtin)(void *, TfLiteBuiltinOperator, int),
    const TfLiteRegistration_V2 *(*custom)(void *, const char *, int), void *user) {
  set_older(o, (void (*)(void))builtin, (void (*)(void))custom, user, V2_BYTES);
}
void TfLiteInterpreterOptionsSetOpResolverV3(
    TfLiteInterpreterOptions *o, const TfLiteRegistration_V3 *(*builtin)(void *, TfLiteBuiltinOperator, int),
    const TfLiteRegistration_V3 *(*custom)(void *, const char *, int), void *user) {
  set_older(o, (void (*)(void))builtin, (void (*)(void))custom, user, V3_BYTES);
}
void TfLiteInterpreterOptionsSetOpResolverExternal(
    TfLiteInterpreterOptions *o, const TfLiteRegistrationExternal *(*builtin)(void *, int, int),
    const TfLiteRegistrationExternal *(*custom)(void *, const char *, int), void *user) {
  TfLiteInterpreterOptionsSetOpResolverExternalWithFallback(o, builtin, custom, NULL, NULL, user);
}
void TfLiteInterpreterOptionsSetOpResolverExternalWithFallback(
    TfLiteInterpreterOptions *o, const TfLiteRegistrationExternal *(*builtin_new)(void *, int, int),
    const TfLiteRegistrationExternal *(*custom_new)(void *, const char *, int), find_builtin builtin,
    find_custom custom, void *user) {
  if (o) o->resolver = (resolver){user, builtin_new, custom_new, builtin, custom, sizeof(TfLiteRegistration)};
}

/* ---- what a model asks for ---------------------------------------------------------------------- */

/* One operator code of a model (schema.fbs, OperatorCode). */
typedef struct asked {
  int32_t code, version;
  char *name; /* of a custom one */
} asked;

/* Look one up with the caller's functions: -1 no memory, 0 there is none, 1 it is added. */
static int look_up(const resolver *s, const asked *a, op_list *found) {
  const TfLiteRegistrationExternal *op = NULL;
  const TfLiteRegistration *r = NULL;
  bool custom = a->name != NULL;
  if (custom && s->custom_new) op = s->custom_new(s->user, a->name, a->version);
  if (!custom && s->builtin_new) op = s->builtin_new(s->user, a->code, a->version);
  if (op) return op_list_add(found, op, false) ? 1 : -1;
  if (custom && s->custom) r = s->custom(s->user, a->name, a->version);
  if (!custom && s->builtin) r = s->builtin(s->user, (TfLiteBuiltinOperator)a->code, a->version);
  if (r) return add_classic(found, a->code, a->name, r, s->bytes) ? 1 : -1;
  return 0;
}

/* Does the list bring this one? */
static bool brings(const op_list *l, const asked *a) {
  for (size_t i = 0; i < l->n; i++)
    if (a->name ? l->op[i]->name && !strcmp(l->op[i]->name, a->name) : l->op[i]->code == a->code) return true;
  return false;
}

/* One operator code against the options. */
static bool settle(const asked *a, const TfLiteInterpreterOptions *o, op_list *found, const report *r) {
  int looked = brings(&o->ops, a) ? 1 : o->resolver.bytes ? look_up(&o->resolver, a, found) : 0;
  if (looked < 0) report_say(r, "out of memory");
  if (!looked && o->resolver.bytes) {
    if (a->name)
      report_say(r, "Encountered unresolved custom op: %s.", a->name);
    else
      report_say(r, "Didn't find op for builtin opcode %d version %d.", (int)a->code, (int)a->version);
    return false;
  }
  if (looked > 0 && !a->name) {
    report_say(r, "an operator in place of the built-in one of code %d, which the model uses: not there",
               (int)a->code);
    return false;
  }
  return looked >= 0;
}

/* Every operator code of a .tflite file's bytes against the options; other files have none. */
static bool settle_all(const void *bytes, size_t n, const TfLiteInterpreterOptions *o, op_list *found,
                       const report *r) {
  whet_fb b = {.p = bytes, .n = n};
  if (n < 8 || memcmp((const char *)bytes + 4, "TFL3", 4)) return true;
  whet_fb_vec codes = whet__fb_vec(whet__fb_root(&b), 1, 4);
  bool ok = true;
  for (uint32_t i = 0; ok && i < codes.n && !b.bad; i++) {
    whet_fb_table t = whet__fb_vec_table(codes, i);
    int64_t old = whet__fb_int(t, 0, 1, 0), now = whet__fb_int(t, 3, 4, 0);
    whet_str name = whet__fb_str(t, 1);
    asked a = {.code = (int32_t)(old > now ? old : now), .version = (int32_t)whet__fb_int(t, 2, 4, 1)};
    if (a.code == CUSTOM_CODE && !(a.name = strndup(name.n ? name.p : "", name.n))) {
      report_say(r, "out of memory");
      return false;
    }
    ok = settle(&a, o, found, r);
    free(a.name);
  }
  return ok;
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

bool resolve(const TfLiteModel *m, const TfLiteInterpreterOptions *o, op_list *found, const report *r) {
  if (!o->ops.n && !o->resolver.bytes) return true;
  size_t n = m->n;
  void *own = m->path ? slurp(m->path, &n) : NULL;
  if (m->path && !own) {
    report_say(r, "%s: cannot be read again", m->path);
    return false;
  }
  bool ok = settle_all(own ? own : m->bytes, n, o, found, r);
  free(own);
  for (size_t i = 0; ok && i < o->ops.n; i++)
    if (!(ok = op_list_add(found, o->ops.op[i], false))) report_say(r, "out of memory");
  return ok;
}
