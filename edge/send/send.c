/* SPDX-License-Identifier: Apache-2.0 */
/* Which sender a URL means. Those of the network lie in a library of their own (link.c). */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "edge/send/inner.h"
#include "edge/send/load.h"

/* The kind of a scheme out of the library; NULL: err says why. */
static const send_kind *load(const char *scheme, whet_err *err) {
  const send_kind *(*find)(const char *, const char **);
  const char *lacks = "";
  char what[40];
  snprintf(what, sizeof what, "%s://", scheme);
  *(void **)&find = send_load("whet_link_sender", what, err);
  if (!find) return NULL;
  const send_kind *k = find(scheme, &lacks);
  if (!k) edge_fail(err, WHET_E_UNSUPPORTED, "%s is left out of this build for want of %s", what, lacks);
  return k;
}

static whet_status kind_of(const char *url, const send_kind **out, whet_err *err) {
  static const char *const k_schemes[] = {"http", "https", "mqtt", "mqtts"};
  static const struct {
    const char *begin;
    const send_kind *kind;
  } k_here[] = {{"file://", &send_lines}, {"folder://", &send_folder}, {"sqlite://", &send_table}};
  size_t n = strcspn(url, ":");
  *out = !strcmp(url, "-") ? &send_lines : NULL;
  for (size_t i = 0; i < EDGE_COUNT(k_here) && !*out; i++)
    if (!strncmp(url, k_here[i].begin, strlen(k_here[i].begin))) *out = k_here[i].kind;
  if (*out) return WHET_OK;
  for (size_t i = 0; i < EDGE_COUNT(k_schemes); i++) {
    if (strlen(k_schemes[i]) != n || strncmp(url, k_schemes[i], n) || strncmp(url + n, "://", 3)) continue;
    *out = load(k_schemes[i], err);
    return *out ? WHET_OK : WHET_E_UNSUPPORTED;
  }
  return edge_fail(err, WHET_E_DATA,
                   "%.200s: expected http://, https://, mqtt://, mqtts://, file:///, folder:///, sqlite:/// or -",
                   url);
}

whet_status send_open(const send_opts *o, sender **out, whet_err *err) {
  const send_kind *kind;
  *out = NULL;
  EDGE_TRY(kind_of(o->url, &kind, err));
  sender *s = calloc(1, sizeof *s);
  if (!s) return edge_fail(err, WHET_E_MEMORY, "no memory for a sender");
  s->kind = kind;
  s->o = *o;
  const char **text[] = {&s->o.url, &s->o.token, &s->o.ca, &s->o.cert, &s->o.key, &s->o.client};
  bool kept = true;
  for (size_t i = 0; i < EDGE_COUNT(text); i++)
    if (*text[i]) kept &= (*text[i] = strdup(*text[i])) != NULL;
  if (!(s->o.timeout > 0)) s->o.timeout = 30;
  whet_status r = kept ? kind->open(s, err) : edge_fail(err, WHET_E_MEMORY, "no memory for a sender");
  if (r)
    send_close(&s);
  else
    *out = s;
  return r;
}

whet_status send_open_kind(const send_kind *kind, void *own_, sender **out, whet_err *err) {
  sender *s = *out = calloc(1, sizeof *s);
  if (!s) return edge_fail(err, WHET_E_MEMORY, "no memory for a sender");
  s->kind = kind;
  s->own = own_;
  return WHET_OK;
}

void send_close(sender **ps) {
  sender *s = *ps;
  if (!s) return;
  s->kind->close(s);
  const char *text[] = {s->o.url, s->o.token, s->o.ca, s->o.cert, s->o.key, s->o.client};
  for (size_t i = 0; i < EDGE_COUNT(text); i++) free((char *)(uintptr_t)text[i]);
  free(s);
  *ps = NULL;
}

whet_status send_batch(sender *s, const outbox_batch *b, outbox_answer *a, int64_t *bytes, whet_err *err) {
  *bytes = 0;
  send_all(a, 0, b->n, OUTBOX_UNREACHED, 0, "stopped");
  if (!b->n || atomic_load(&s->woken)) return WHET_OK;
  return s->kind->batch(s, b, a, bytes, err);
}

void send_wake(sender *s) {
  atomic_store(&s->woken, true);
  if (s->kind->wake) s->kind->wake(s);
}
