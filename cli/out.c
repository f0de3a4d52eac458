/* SPDX-License-Identifier: Apache-2.0 */
/* Messages, numbers for people, bars, progress, JSON. Tables are in grid.c. */

#include "out.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cmd.h"

static bool g_progress; /* a progress line stands on the terminal */

/* Print "whet VERB: text" on standard error. */
static void say(const char *fmt, va_list ap) {
  char text[2048];
  cli_progress_end();
  fflush(stdout);
  vsnprintf(text, sizeof text, fmt, ap);
  fprintf(stderr, cli_verb ? "whet %s: %s\n" : "whet%s: %s\n", cli_verb ? cli_verb : "", cli_clean(text));
}

void cli_error(const char *fmt, ...) {
  va_list ap;
  va_start(ap, fmt);
  say(fmt, ap);
  va_end(ap);
}

int cli_fail(const char *fmt, ...) {
  va_list ap;
  va_start(ap, fmt);
  say(fmt, ap);
  va_end(ap);
  return CLI_FAILED;
}

int cli_wrong(const char *fmt, ...) {
  va_list ap;
  va_start(ap, fmt);
  say(fmt, ap);
  va_end(ap);
  return CLI_WRONG_USE;
}

int cli_fail_err(const char *where, const whet_err *err) {
  if (where && strncmp(err->text, where, strlen(where)))
    cli_error("%s: %s", where, err->text);
  else
    cli_error("%s", err->text);
  return whet_status_exit(err->code);
}

bool cli_color(void) {
  static int known = -1;
  if (known < 0) {
    const char *no = getenv("NO_COLOR"), *term = getenv("TERM");
    known = isatty(1) && !(no && no[0]) && term && strcmp(term, "dumb");
  }
  return known;
}

bool cli_utf8(void) {
  const char *names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
  for (size_t i = 0; i < WHET_COUNT(names); i++) {
    const char *v = getenv(names[i]);
    if (v && v[0]) return strcasestr(v, "UTF-8") || strcasestr(v, "utf8");
  }
  return false;
}

int cli_columns(void) {
  struct winsize w;
  if (isatty(1) && !ioctl(1, TIOCGWINSZ, &w) && w.ws_col >= 40) return w.ws_col;
  return 118;
}

const char *cli_bold(void) { return cli_color() ? "\033[1m" : ""; }
const char *cli_dim(void) { return cli_color() ? "\033[2m" : ""; }
const char *cli_plain(void) { return cli_color() ? "\033[0m" : ""; }

enum { RING = 16, RING_TEXT = 256 };

/* The next text of the ring. */
static char *ring(void) {
  static char text[RING][RING_TEXT];
  static unsigned at;
  return text[at++ % RING];
}

const char *cli_bytes(uint64_t n) {
  static const char *unit[] = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
  char *t = ring();
  double v = (double)n;
  size_t u = 0;
  while (v >= 999.5 && u + 1 < WHET_COUNT(unit)) v /= 1000, u++;
  snprintf(t, RING_TEXT, !u ? "%.0f %s" : v < 9.995 ? "%.2f %s" : v < 99.95 ? "%.1f %s" : "%.0f %s", v, unit[u]);
  return t;
}

const char *cli_count(int64_t n) {
  char digits[32], *t = ring(), *to = t;
  int len = snprintf(digits, sizeof digits, "%lld", (long long)n);
  for (int i = 0; i < len; i++) {
    *to++ = digits[i];
    int left = len - 1 - i;
    if (left && left % 3 == 0 && digits[i] != '-') *to++ = ',';
  }
  *to = 0;
  return t;
}

const char *cli_time(double us) {
  char *t = ring();
  double a = fabs(us);
  const char *unit = a < 1 ? "ns" : a < 1e3 ? "us" : a < 1e6 ? "ms" : "s";
  double v = a < 1 ? us * 1e3 : a < 1e3 ? us : a < 1e6 ? us / 1e3 : us / 1e6;
  snprintf(t, RING_TEXT, fabs(v) < 9.995 ? "%.2f %s" : fabs(v) < 99.95 ? "%.1f %s" : "%.0f %s", v, unit);
  return t;
}

const char *cli_dims(int32_t rank, const int64_t *dims, const char *const *sym) {
  char *t = ring();
  size_t at = 0;
  if (rank < 0) return "[...]";
  t[at++] = '[';
  for (int32_t i = 0; i < rank && at < RING_TEXT - 40; i++) {
    if (i) at += (size_t)snprintf(t + at, RING_TEXT - at, ", ");
    if (dims[i] >= 0)
      at += (size_t)snprintf(t + at, RING_TEXT - at, "%lld", (long long)dims[i]);
    else
      at += (size_t)snprintf(t + at, RING_TEXT - at, "%.20s", sym && sym[i] && sym[i][0] ? sym[i] : "?");
  }
  snprintf(t + at, RING_TEXT - at, "]");
  return t;
}

const char *cli_bar(double part, int width) {
  static const char *eighth[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  char *t = ring();
  size_t at = 0;
  if (!(part > 0)) part = 0;
  if (part > 1) part = 1;
  if (width > 60) width = 60;
  int steps = (int)lround(part * width * 8);
  if (!cli_utf8()) {
    int n = (steps + 4) / 8;
    for (int i = 0; i < width; i++) t[at++] = i < n ? '#' : ' ';
    t[at] = 0;
    return t;
  }
  int cells = 0;
  for (; cells < steps / 8; cells++) at += (size_t)snprintf(t + at, RING_TEXT - at, "█");
  if (steps % 8) at += (size_t)snprintf(t + at, RING_TEXT - at, "%s", eighth[steps % 8]), cells++;
  for (; cells < width; cells++) t[at++] = ' ';
  t[at] = 0;
  return t;
}

/* Length of the valid UTF-8 character at s, 0 if there is none or it is a control character. */
static size_t utf8_char(const unsigned char *s) {
  if (s[0] < 0x20 || s[0] == 0x7f) return 0;
  if (s[0] < 0x80) return 1;
  size_t n = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : s[0] >= 0xc2 ? 2 : 0;
  if (!n || s[0] > 0xf4) return 0;
  uint32_t c = s[0] & (0x7fu >> n);
  for (size_t i = 1; i < n; i++) {
    if ((s[i] & 0xc0) != 0x80) return 0;
    c = c << 6 | (s[i] & 0x3f);
  }
  static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
  bool bad = c < least[n] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000) || (c >= 0x80 && c < 0xa0);
  return bad ? 0 : n;
}

const char *cli_clean(const char *s) {
  const unsigned char *u = (const unsigned char *)s;
  size_t i = 0;
  while (u[i]) {
    size_t n = utf8_char(u + i);
    if (!n) break;
    i += n;
  }
  if (!u[i]) return s;
  char *t = cli_keep_str(s, strlen(s));
  for (; t[i];) {
    size_t n = utf8_char((const unsigned char *)t + i);
    if (!n) t[i] = t[i] == '\n' || t[i] == '\t' ? ' ' : '?';
    i += n ? n : 1;
  }
  return t;
}

void cli_progress(const char *what, int64_t done, int64_t of) {
  static int tty = -1;
  if (tty < 0) tty = isatty(2);
  if (!tty) return;
  fprintf(stderr, "\r\033[K%s  %s of %s", cli_clean(what), cli_count(done), cli_count(of));
  fflush(stderr);
  g_progress = true;
}

void cli_progress_end(void) {
  if (g_progress) fputs("\r\033[K", stderr);
  g_progress = false;
}

int cli_json(json_t *j, int digits) {
  if (!j) return cli_fail("out of memory");
  int bad = json_dumpf(j, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION((size_t)digits));
  fputc('\n', stdout);
  json_decref(j);
  return bad ? cli_fail("standard output cannot be written") : CLI_DONE;
}

json_t *cli_json_real(double v) {
  return isnan(v) ? json_string("nan") : isinf(v) ? json_string(v > 0 ? "inf" : "-inf") : json_real(v);
}

json_t *cli_json_dims(int32_t rank, const int64_t *dims) {
  if (rank < 0) return json_null();
  json_t *a = json_array();
  for (int32_t i = 0; i < rank; i++) json_array_append_new(a, dims[i] < 0 ? json_null() : json_integer(dims[i]));
  return a;
}

json_t *cli_json_text(const char *s) {
  json_t *j = json_string(s ? s : "");
  return j ? j : json_string(cli_clean(s));
}
