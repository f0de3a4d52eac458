/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_PROGRAM_H
#define WHET_PROGRAM_H

/* whet_program: a model made ready for one target: optimised graph, packed weights, cache of plans.
 *
 * Counted and safe to use from many threads; sessions made from one program share its weights and run at once. */

#include "whet/model.h"
#include "whet/pool.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct whet_program whet_program;
typedef struct whet_packs whet_packs;

typedef enum whet_prefer { WHET_PREFER_SPEED = 0, WHET_PREFER_MEMORY = 1, WHET_PREFER_FORCE_INT = 0x7fffffff } whet_prefer;

/* Replaces a free dimension by a number, by the name that the file gives it. */
typedef struct whet_dim_override {
  const char *symbol;
  int64_t value;
} whet_dim_override;

typedef struct whet_program_opts {
  size_t size;             /* sizeof(whet_program_opts) */
  int threads;             /* most threads of one run; 0: as many as the process may use; results never depend on it */
  const char *cpu;         /* most that may be used: "c", "avx2", "avxvnni", "avx512", "vnni", "amx", "neon", "dotprod",
                              "i8mm", "sve2", "rvv"; NULL: WHET_CPU from the environment, else all that the CPU has */
  whet_prefer prefer;      /* SPEED: weights may be held in forms up to four times larger, 8-bit ones eight times; MEMORY: never */
  int exact;               /* not 0: only kernels that keep the documented order of sums: the same bytes on every CPU */
  const char *precision;   /* "f32" (default), or "bf16": factors of large float products are rounded to bf16, sums are f32;
                              E_UNSUPPORTED where the CPU, or what cpu allows of it, has no such products, E_MISUSE with exact */
  int no_group;            /* not 0: every node runs alone */
  int keep_all;            /* not 0: every inner value of the file keeps its memory and can be read after a run */
  const char *const *keep; /* names of inner values that must survive, n_keep of them */
  size_t n_keep;
  const whet_dim_override *dims; /* n_dims of them */
  size_t n_dims;
  const char *signature;   /* TFLite: the signature that sessions run; NULL: the main graph */
  whet_pool *pool;         /* NULL: the process's */
  whet_packs *packs;       /* packed weights shared between programs; NULL: the program's own */
  size_t max_plans;        /* plans kept for shapes seen; 0: 16 */
} whet_program_opts;

WHET_API whet_program_opts whet_program_opts_default(void);

/* The program keeps a reference to the model. o may be NULL. Failures: E_UNSUPPORTED, E_LIMIT, E_MEMORY, E_NAME ... */
WHET_API whet_status whet_program_create(whet_model *m, const whet_program_opts *o, whet_program **out, whet_err *err);
/* What measuring found. */
typedef struct whet_tuning {
  size_t size;        /* sizeof(whet_tuning), set by the caller */
  size_t nodes;       /* that can be run in several ways */
  size_t changed;     /* of these, those for which another way than the estimate's was faster */
  double estimate_us; /* all nodes of one run as the estimates have it, measured */
  double tuned_us;    /* and with the fastest way of each */
} whet_tuning;

/* The same with the kernels of each node measured on this machine instead of estimated: the program is made and run a few
 * times in each way (inputs of the model's own shapes, free dimensions as whet_program_cost takes them), then made with the
 * fastest of each. whet_program_save keeps what was found, and whoever opens that file on such a machine has it without
 * measuring. Takes up to hundreds of runs, and memory for up to four programs meanwhile; float results may differ from those of
 * whet_program_create as much as between CPU levels. t may be NULL. E_UNSUPPORTED: an input that is no tensor. */
WHET_API whet_status whet_program_create_tuned(whet_model *m, const whet_program_opts *o, whet_program **out,
                                               whet_tuning *t, whet_err *err);
WHET_API whet_program *whet_program_ref(whet_program *p);
/* Drops the caller's reference, sets *p to NULL; NULL is accepted. Sessions keep what they need alive. */
WHET_API void whet_program_close(whet_program **p);

/* Output i for inputs of any size: what the file declares, and what the operators' rules tell beyond that. E_MISUSE past the
 * end. */
WHET_API whet_status whet_program_output(const whet_program *p, size_t i, whet_info *out);

/* Packed weights that several programs may share: equal weights in equal form are held once. */
WHET_API whet_status whet_packs_create(whet_packs **out);
WHET_API void whet_packs_close(whet_packs **p);

/* How a program is written to a file. */
typedef struct whet_save_opts {
  size_t size;        /* sizeof(whet_save_opts) */
  int without_packed; /* not 0: leave packed weights out: a smaller file, and weights are packed when it is opened */
} whet_save_opts;
WHET_API whet_save_opts whet_save_opts_default(void);

/* Write the program to a .whet file: its optimised graph, constants and packed weights, so that opening the file maps it
 * and has nothing left to do. All or nothing: no half file is ever seen. The file opens on every machine and CPU
 * level; where its packed weights do not serve they are made anew. o may be NULL. Failures: E_IO, E_UNSUPPORTED
 * (constants of strings, operators that a program registers), E_MEMORY. Any thread. */
WHET_API whet_status whet_program_save(whet_program *p, const char *path, const whet_save_opts *o, whet_err *err);

/* What a program costs, in bytes. Known before the first run. */
typedef struct whet_cost {
  size_t size;           /* sizeof(whet_cost), set by the caller */
  size_t weights_bytes;  /* packed weights and constants in the program's memory */
  size_t mapped_bytes;   /* constants used where they lie in the file */
  size_t arena_bytes;    /* one session's activations, inputs and outputs included, for the shapes asked */
  size_t variable_bytes; /* one session's state */
  size_t plan_bytes;     /* the plan and the arrays that a session binds */
  size_t bound_bytes;    /* lower bound for arena_bytes: the most that is alive at one step */
  int64_t macs;          /* multiply-adds of one run */
  uint64_t fingerprint;  /* of the plan */
  int complete;          /* 0: sizes known only from data come on top */
} whet_cost;

/* For the model's own shapes; free dimensions count as 1 unless overridden. */
WHET_API whet_status whet_program_cost(whet_program *p, whet_cost *out, whet_err *err);

#ifdef __cplusplus
}
#endif
#endif
