/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens. */

#include "edge/serve/auth.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { SHORTEST = 16, LONGEST = 200 };

typedef struct token {
  char text[LONGEST + 1]; /* zeros behind it */
  bool admin, all;
  char *models; /* "a,b," */
} token;

struct serve_auth {
  token *v;
  size_t n;
};

/* One line of the file. */
static whet_status line(serve_auth *a, char *s, const char *path, int number, whet_err *err) {
  char *save, *word = strtok_r(s, " \t\r\n", &save);
  if (!word || word[0] == '#') return WHET_OK;
  size_t n = strlen(word);
  if (n < SHORTEST || n > LONGEST ||
      strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~+/=") != n)
    return edge_fail(err, WHET_E_DATA, "%s:%d: expected a token of %d to %d letters, digits and -._~+/=", path,
                     number, SHORTEST, LONGEST);
  token *v = realloc(a->v, (a->n + 1) * sizeof *v);
  if (!v) return edge_fail(err, WHET_E_MEMORY, "%s: no memory", path);
  a->v = v;
  token *t = &v[a->n++];
  *t = (token){.all = true};
  memcpy(t->text, word, n);
  while ((word = strtok_r(NULL, " \t\r\n", &save))) {
    if (!strcmp(word, "admin")) {
      t->admin = true;
    } else if (!strncmp(word, "models=", 7) && !t->models) {
      t->all = false;
      if (asprintf(&t->models, "%s,", word + 7) < 0)
        return t->models = NULL, edge_fail(err, WHET_E_MEMORY, "%s: no memory", path);
    } else {
      return edge_fail(err, WHET_E_DATA, "%s:%d: expected admin or models=NAME,NAME behind the token, got \"%.40s\"",
                       path, number, word);
    }
  }
  return WHET_OK;
}

whet_status auth_open(const char *path, serve_auth **out, whet_err *err) {
  char text[4096];
  int number = 0;
  *out = NULL;
  FILE *f = fopen(path, "re");
  if (!f) return edge_fail(err, WHET_E_IO, "%s: %s", path, strerror(errno));
  serve_auth *a = calloc(1, sizeof *a);
  whet_status s = a ? WHET_OK : edge_fail(err, WHET_E_MEMORY, "%s: no memory", path);
  while (!s && fgets(text, sizeof text, f)) {
    number++;
    if (strlen(text) == sizeof text - 1)
      s = edge_fail(err, WHET_E_DATA, "%s:%d: a line longer than %zu characters", path, number, sizeof text - 2);
    else
      s = line(a, text, path, number, err);
  }
  if (!s && ferror(f)) s = edge_fail(err, WHET_E_IO, "%s: %s", path, strerror(errno));
  if (!s && !a->n) s = edge_fail(err, WHET_E_DATA, "%s holds no token", path);
  fclose(f);
  explicit_bzero(text, sizeof text);
  if (s) auth_close(&a);
  *out = a;
  return s;
}

void auth_close(serve_auth **at) {
  serve_auth *a = *at;
  *at = NULL;
  if (!a) return;
  for (size_t i = 0; i < a->n; i++) free(a->v[i].models);
  if (a->v) explicit_bzero(a->v, a->n * sizeof *a->v);
  free(a->v);
  free(a);
}

/* Is the model in a token's list? */
static bool opens(const token *t, json_text model) {
  if (t->all || t->admin) return true;
  for (const char *p = t->models; *p; p += strcspn(p, ",") + 1)
    if (strcspn(p, ",") == model.n && !memcmp(p, model.p, model.n)) return true;
  return false;
}

auth_verdict auth_ask(const serve_auth *a, const char *header, json_text model) {
  char given[LONGEST + 1] = {0};
  const token *found = NULL;
  if (!header || strncasecmp(header, "Bearer ", 7)) return AUTH_NO;
  header += 7 + strspn(header + 7, " ");
  size_t n = strlen(header);
  if (!n || n > LONGEST) return AUTH_NO;
  memcpy(given, header, n);
  for (size_t i = 0; i < a->n; i++) {
    unsigned differ = 0;
    for (size_t k = 0; k < sizeof given; k++) differ |= (unsigned)(a->v[i].text[k] ^ given[k]);
    found = differ ? found : &a->v[i];
  }
  if (!found) return AUTH_NO;
  return found->admin ? AUTH_ADMIN : model.p && opens(found, model) ? AUTH_MODEL : AUTH_ANY;
}
