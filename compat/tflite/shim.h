/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COMPAT_TFLITE_SHIM_H
#define COMPAT_TFLITE_SHIM_H

/* TensorFlow Lite's C interface over whet's public one: what its files share. A runner is a session with tensors
 * around it: the main subgraph's in an interpreter, a signature's in a signature runner. */

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "tensorflow/lite/c/c_api.h"
#include "tensorflow/lite/c/c_api_experimental.h"
#include "whet/custom.h"
#include "whet/source.h"
#include "whet/whet.h"

typedef void (*report_fn)(void *user, const char *format, va_list args);
typedef struct report {
  report_fn fn; /* NULL: stderr */
  void *user;
} report;
/* One line to the caller's reporter. */
void report_say(const report *r, const char *format, ...) __attribute__((format(printf, 2, 3)));

struct TfLiteModel {
  _Atomic int ref;
  whet_model *m;     /* NULL: it has operators that only registrations can bring */
  const void *bytes; /* where it was opened from: the caller's bytes, or those of a file */
  size_t n;
  char *path;
  report report;
};
TfLiteModel *model_ref(const TfLiteModel *m);
/* The model anew, with operators of the caller's own. NULL after a report. */
whet_model *model_reopen(const TfLiteModel *m, const whet_custom_domain *own, const report *r);

/* Registrations, and which of them go with the list. */
typedef struct op_list {
  const TfLiteRegistrationExternal **op;
  bool *own;
  size_t n;
} op_list;
/* Add one; false: no memory, and it stays the caller's. */
bool op_list_add(op_list *l, const TfLiteRegistrationExternal *op, bool own);
void op_list_free(op_list *l);

/* Functions of the caller's that say which operators there are. Registrations of older programs are shorter. */
typedef struct resolver {
  void *user;
  const TfLiteRegistrationExternal *(*builtin_new)(void *user, int code, int version);
  const TfLiteRegistrationExternal *(*custom_new)(void *user, const char *name, int version);
  const TfLiteRegistration *(*builtin)(void *user, TfLiteBuiltinOperator code, int version);
  const TfLiteRegistration *(*custom)(void *user, const char *name, int version);
  size_t bytes; /* of the registrations that the last two answer; 0: there is no resolver */
} resolver;

struct TfLiteInterpreterOptions {
  int32_t threads;
  bool cancel;
  report report;
  TfLiteOpaqueDelegate *delegate; /* the first that is not ours */
  op_list ops;
  resolver resolver;
};

/* Find the operators that the model names and that the options bring in place of whet's: those of the caller's own go
 * to `found`. False after a report: one is missing, or in place of a built-in one. */
bool resolve(const TfLiteModel *m, const TfLiteInterpreterOptions *o, op_list *found, const report *r);

struct runner;

/* A tensor of a runner. What callers hold is `t`. */
typedef struct port {
  TfLiteTensor t; /* first: a TfLiteTensor * is a port * */
  struct runner *r;
  size_t i;
  bool out;
  int32_t index; /* of the tensor in its subgraph */
  void *text;    /* strings in the original's packed form */
  TfLiteAffineQuantization affine;
} port;

typedef struct runner {
  whet_program *program;
  whet_session *session;
  whet_model *model; /* borrowed from the program */
  port *in, *out;
  size_t n_in, n_out;
  int *in_index, *out_index;
  bool ready;
  bool can_cancel;
  whet_cancel cancel;
  report report;
  int32_t signature; /* number in the model, -1: the main subgraph */
} runner;

/* Open what signature `key` (NULL: the main subgraph) runs. False after a report. */
bool runner_open(runner *r, whet_model *m, const char *key, int32_t threads);
void runner_close(runner *r);
TfLiteStatus runner_resize(runner *r, size_t input, const int *dims, int32_t n);
TfLiteStatus runner_allocate(runner *r);
TfLiteStatus runner_invoke(runner *r);

/* Type and quantisation of a whet description as the original has them. */
TfLiteType type_of(whet_dtype t);
whet_dtype dtype_of(TfLiteType t);
/* Fill name, type, shape and quantisation of a tensor; false when memory is refused. What was there is freed. */
bool port_describe(port *p, const whet_info *info);
void port_free(port *p);
/* Strings: from packed form to a value (NULL: malformed), and back (NULL: refused; *n bytes). */
whet_value *strings_unpack(const void *p, size_t n, int32_t rank, const int64_t *dims);
void *strings_pack(const whet_str *s, size_t count, size_t *n);
/* How many strings packed bytes hold, -1: they are malformed; and string i of them. */
int32_t strings_count(const void *p, size_t n);
whet_str strings_at(const void *p, int32_t i);

/* The domain of operators that registrations make, in memory that lives as long as the process needs it: freed by
 * domain_free. */
typedef struct domain domain;
domain *domain_make(const op_list *ops);
const whet_custom_domain *domain_of(const domain *d);
void domain_free(domain *d);

/* A node of the caller's operator as the older form of registrations sees it. resized: output i has new dims, and may
 * get memory; report: what went wrong. */
typedef struct classic_node {
  port *in, *out;
  int n_in, n_out;
  void *state;
  const void *options;
  size_t n_options;
  void *user;
  TfLiteStatus (*resized)(void *user, int i, TfLiteTensor *t);
  void (*report)(void *user, const char *text);
} classic_node;
void *classic_init(const TfLiteRegistration *r, const void *options, size_t n);
void classic_free(const TfLiteRegistration *r, void *state);
TfLiteStatus classic_call(const TfLiteRegistration *r, const classic_node *n, bool running);
/* An operator of the caller's own (opaque.c, operator.c). */
struct TfLiteRegistrationExternal {
  int code, version;
  char *name;
  void *(*init)(TfLiteOpaqueContext *, const char *, size_t);
  void (*free)(TfLiteOpaqueContext *, void *);
  TfLiteStatus (*prepare)(TfLiteOpaqueContext *, TfLiteOpaqueNode *);
  TfLiteStatus (*invoke)(TfLiteOpaqueContext *, TfLiteOpaqueNode *);
  void *user; /* for these, where they are there in place of those above */
  void *(*init_with)(void *, TfLiteOpaqueContext *, const char *, size_t);
  void (*free_with)(void *, TfLiteOpaqueContext *, void *);
  TfLiteStatus (*prepare_with)(void *, TfLiteOpaqueContext *, TfLiteOpaqueNode *);
  TfLiteStatus (*invoke_with)(void *, TfLiteOpaqueContext *, TfLiteOpaqueNode *);
  bool old; /* its functions are those of `classic` */
  TfLiteRegistration classic;
};

/* A copy of a registration in the newer form, given back with TfLiteRegistrationExternalDelete; NULL: no memory. */
TfLiteRegistrationExternal *registration_copy(const TfLiteRegistrationExternal *r);
TfLiteRegistrationExternal *registration_classic(int code, const char *name, const TfLiteRegistration *r);

/* Is this delegate one of ours? */
bool delegate_is_ours(const void *d);

#endif
