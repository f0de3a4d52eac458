/* SPDX-License-Identifier: Apache-2.0 */
/* The store of packed weights. An entry is found by its kind, parameters and sources: the same constants of one
 * model, or, in a store that programs share, constants with the same bytes. */

#include "plan/packs.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "format/whet_file.h"

struct whet_packs {
  _Atomic int ref;
  whet_mem own; /* of a store made by a caller */
  whet_mem *mem;
  bool shared;          /* sources are told apart by their bytes: their models may be gone */
  pthread_mutex_t lock; /* guards the list; rank 2 */
  whet_pack **entry;
  size_t n, cap;
  void **slab; /* what the bytes of entries lie in: many in one, so that they lie on huge pages */
  size_t n_slab, cap_slab;
};

whet_status whet__packs_new(whet_mem *mem, whet_packs **out) {
  *out = whet__alloc0(mem, sizeof **out);
  if (!*out) return WHET_E_MEMORY;
  atomic_init(&(*out)->ref, 1);
  (*out)->mem = mem;
  pthread_mutex_init(&(*out)->lock, NULL);
  return WHET_OK;
}

whet_status whet_packs_create(whet_packs **out) {
  *out = NULL;
  whet_packs *p = calloc(1, sizeof *p);
  if (!p) return WHET_E_MEMORY;
  atomic_init(&p->ref, 1);
  whet__mem_init(&p->own, NULL, NULL, 0);
  p->mem = &p->own;
  p->shared = true;
  pthread_mutex_init(&p->lock, NULL);
  *out = p;
  return WHET_OK;
}

whet_packs *whet__packs_ref(whet_packs *p) {
  atomic_fetch_add(&p->ref, 1);
  return p;
}

void whet_packs_close(whet_packs **pp) {
  whet_packs *p = pp ? *pp : NULL;
  if (!p) return;
  *pp = NULL;
  if (atomic_fetch_sub(&p->ref, 1) > 1) return;
  for (size_t i = 0; i < p->n; i++) {
    whet__free(p->mem, p->entry[i]->params);
    whet__free(p->mem, p->entry[i]);
  }
  for (size_t i = 0; i < p->n_slab; i++) whet__free(p->mem, p->slab[i]);
  whet__free(p->mem, p->slab);
  whet__free(p->mem, p->entry);
  pthread_mutex_destroy(&p->lock);
  if (p->mem == &p->own)
    free(p);
  else
    whet__free(p->mem, p);
}

/* Hash of all bytes, eight at a time. */
static uint64_t hash_bytes(uint64_t h, const void *p, size_t n) {
  const char *b = p;
  for (; n >= 8; n -= 8, b += 8) {
    uint64_t w;
    memcpy(&w, b, 8);
    h = (h ^ w) * UINT64_C(0x9E3779B97F4A7C15);
    h ^= h >> 29;
  }
  return whet__hash(h, b, n);
}

static uint64_t key_of(const whet_packs *p, const whet_pack_kind *k, const void *params, const whet_data *const *src,
                       int n) {
  uint64_t h = whet__hash(WHET_HASH_SEED, k->name, strlen(k->name));
  h = whet__hash(h, params, whet__pack_params_size(k, params));
  for (int i = 0; i < n; i++) {
    size_t bytes = src[i] ? src[i]->n : 0;
    h = whet__hash(h, &bytes, sizeof bytes);
    if (!src[i]) continue;
    if (p->shared)
      h = hash_bytes(hash_bytes(h, src[i]->p, bytes), src[i]->p, bytes);
    else
      h = whet__hash(h, &src[i]->p, sizeof src[i]->p);
  }
  return h;
}

static bool same(const whet_packs *p, const whet_pack *e, uint64_t key, const whet_pack_kind *k, const void *params,
                 const whet_data *const *src, int n) {
  size_t size = whet__pack_params_size(k, params);
  if (e->key != key || e->kind != k || e->n_src != n || e->params_size != size || memcmp(e->params, params, size))
    return false;
  for (int i = 0; i < n && !p->shared; i++)
    if ((e->src[i] ? e->src[i]->p : NULL) != (src[i] ? src[i]->p : NULL)) return false;
  return true;
}

static whet_pack *add(whet_packs *p, uint64_t key, const whet_pack_kind *k, const void *params,
                      const whet_data *const *src, int n) {
  whet_pack *e = whet__alloc0(p->mem, sizeof *e);
  size_t size = whet__pack_params_size(k, params);
  void *copy = whet__alloc0(p->mem, size);
  if (!e || !copy || !whet__grow(p->mem, (void **)&p->entry, &p->cap, p->n + 1, sizeof *p->entry)) {
    whet__free(p->mem, e);
    whet__free(p->mem, copy);
    return NULL;
  }
  memcpy(copy, params, size);
  *e = (whet_pack){.kind = k, .key = key, .n_src = n, .params = copy, .params_size = size, .n = k->bytes(params)};
  for (int i = 0; i < n; i++) e->src[i] = src[i];
  p->entry[p->n++] = e;
  return e;
}

whet_pack *whet__packs_want(whet_packs *p, const whet_pack_kind *k, const void *params, const whet_data *const *src,
                            int n_src, whet_err *err) {
  uint64_t key = key_of(p, k, params, src, n_src);
  whet_pack *e = NULL;
  pthread_mutex_lock(&p->lock);
  for (size_t i = 0; i < p->n && !e; i++)
    if (same(p, p->entry[i], key, k, params, src, n_src)) e = p->entry[i];
  if (!e && !(e = add(p, key, k, params, src, n_src)))
    whet__no_memory(p->mem, whet__pack_params_size(k, params), err, "packed weights");
  pthread_mutex_unlock(&p->lock);
  return e;
}

/* A slab of n bytes that lives as long as the store; NULL when refused. */
static char *add_slab(whet_packs *p, size_t n) {
  if (!whet__grow(p->mem, (void **)&p->slab, &p->cap_slab, p->n_slab + 1, sizeof *p->slab)) return NULL;
  char *slab = whet__alloc(p->mem, n);
  if (slab) p->slab[p->n_slab++] = slab;
  return slab;
}

/* Bytes of an entry in a slab: what a kernel may read past it lies there too. */
static size_t room(const whet_pack *e) {
  size_t n = (e->n + WHET_SLACK + WHET_ALIGN - 1) / WHET_ALIGN * WHET_ALIGN;
  return n < e->n ? SIZE_MAX : n;
}

struct fill {
  whet_pack *e;
  const void *src[WHET_PACK_SRC];
};

static void fill_part(void *arg, int part, int parts, int thread) {
  struct fill *f = arg;
  f->e->kind->pack(f->e->params, f->src, f->e->bytes, part, parts);
}

/* One entry: pack on all threads of the lease, give the pages that it was packed from back. */
static void fill_one(whet_pack *e, const whet_lease *lease, const whet_file *file, int n_file) {
  struct fill f = {e, {NULL}};
  for (int i = 0; i < e->n_src; i++) f.src[i] = e->src[i] ? e->src[i]->p : NULL;
  whet__lease_run(lease, e->n < 65536 ? 1 : lease->width, fill_part, &f);
  for (int i = 0; i < e->n_src; i++)
    for (int k = 0; k < n_file && e->src[i] && e->src[i]->mapped; k++)
      whet__file_forget(&file[k], e->src[i]->p, e->src[i]->n);
}

/* All entries that have no bytes yet, in one slab of n bytes, or fast: of whole huge pages. */
static whet_status fill_all(whet_packs *p, size_t n, bool fast, const whet_lease *lease, const whet_file *file, int n_file,
                            whet_err *err) {
  char *at = fast && whet__huge(n) > n ? add_slab(p, whet__huge(n)) : NULL;
  if (!at) at = add_slab(p, n);
  if (!at) return whet__no_memory(p->mem, n, err, "packed weights");
  for (size_t i = 0; i < p->n; i++) {
    whet_pack *e = p->entry[i];
    if (e->bytes) continue;
    e->bytes = at;
    at += room(e);
    fill_one(e, lease, file, n_file);
  }
  return WHET_OK;
}

whet_status whet__packs_fill(whet_packs *p, whet_pool *pool, int threads, bool fast, const whet_file *file, int n_file,
                             whet_err *err) {
  whet_status s = WHET_OK;
  whet_lease lease;
  pthread_mutex_lock(&p->lock);
  size_t n = 0;
  for (size_t i = 0; i < p->n; i++)
    if (!p->entry[i]->bytes) n = room(p->entry[i]) > SIZE_MAX - n ? SIZE_MAX : n + room(p->entry[i]);
  if (n) {
    whet__lease_take(pool, threads, &lease);
    s = fill_all(p, n, fast, &lease, file, n_file, err);
    whet__lease_drop(&lease);
  }
  pthread_mutex_unlock(&p->lock);
  return s;
}

/* Is this what entry e is made of? */
static bool holds(const whet_stored *s, const whet_pack *e) {
  if (e->n != s->n || e->n_src != s->n_src || e->params_size != s->params_size || strcmp(e->kind->name, s->kind) ||
      memcmp(e->params, s->params, s->params_size))
    return false;
  for (int i = 0; i < e->n_src; i++)
    if ((e->src[i] ? e->src[i]->p : NULL) != (s->src[i] ? s->src[i]->p : NULL)) return false;
  return true;
}

size_t whet__packs_adopt(whet_packs *p, const whet_stored *stored, size_t n_stored) {
  size_t left = 0;
  pthread_mutex_lock(&p->lock);
  for (size_t i = 0; i < p->n; i++) {
    whet_pack *e = p->entry[i];
    const whet_stored *s = NULL;
    for (size_t k = 0; k < n_stored && !e->bytes && e->kind->plain && !s; k++)
      if (holds(&stored[k], e)) s = &stored[k];
    if (s && !p->shared && (uintptr_t)s->bytes % WHET_ALIGN == 0)
      e->bytes = (void *)s->bytes, e->mapped = true;
    else if (s && (e->bytes = add_slab(p, e->n)))
      memcpy(e->bytes, s->bytes, e->n);
    left += !e->bytes;
  }
  pthread_mutex_unlock(&p->lock);
  return left;
}

size_t whet__packs_list(whet_packs *p, whet_stored *out, size_t most) {
  size_t n = 0;
  pthread_mutex_lock(&p->lock);
  for (size_t i = 0; i < p->n; i++) {
    const whet_pack *e = p->entry[i];
    if (!e->bytes || !e->kind->plain) continue;
    if (n < most) {
      out[n] = (whet_stored){.kind = e->kind->name,
                             .params = e->params,
                             .params_size = e->params_size,
                             .n_src = e->n_src,
                             .bytes = e->bytes,
                             .n = e->n};
      for (int k = 0; k < e->n_src; k++) out[n].src[k] = e->src[k];
    }
    n++;
  }
  pthread_mutex_unlock(&p->lock);
  return n;
}

size_t whet__packs_bytes(const whet_packs *p, size_t *mapped) {
  size_t n = 0, file = 0;
  pthread_mutex_lock((pthread_mutex_t *)&p->lock);
  for (size_t i = 0; i < p->n; i++) *(p->entry[i]->mapped ? &file : &n) += p->entry[i]->n;
  pthread_mutex_unlock((pthread_mutex_t *)&p->lock);
  if (mapped) *mapped = file;
  return n;
}
