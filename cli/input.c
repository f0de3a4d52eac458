/* SPDX-License-Identifier: Apache-2.0 */
/* Files as inputs. */

#include "input.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

#include "base/dtype.h"
#include "base/file.h"
#include "format/onnx_value.h"
#include "media.h"
#include "mel.h"
#include "codec/npy.h"
#include "out.h"
#include "picture.h"
#include "whet/media.h"

#define AT(field) offsetof(cli_input_opts, field)
const cli_opt cli_input_options[] = {
    {"resize", 0, CLI_CHOICE, AT(fit), "stretch|crop|letterbox",
     "how a picture meets an input of another shape (default: stretch)", 0, 0},
    {"filter", 0, CLI_CHOICE, AT(filter), "antialias|bilinear|area|nearest",
     "how it is resized (default: antialias, as Pillow and torchvision do it; bilinear is "
     "OpenCV's and TensorFlow's)",
     0, 0},
    {"color", 0, CLI_CHOICE, AT(color), "auto|rgb|bgr|gray",
     "order of the channels (default: RGB, or gray for one channel)", 0, 0},
    {"layout", 0, CLI_CHOICE, AT(layout), "auto|nchw|nhwc",
     "where the channels stand (default: guessed from the shape)", 0, 0},
    {"range", 0, CLI_TEXT, AT(range), "LO..HI", "what black and white become, before mean and std (default: 0..255)",
     0, 0},
    {"mean", 0, CLI_TEXT, AT(mean), "A,B,C", "subtracted from each channel; one number serves all", 0, 0},
    {"std", 0, CLI_TEXT, AT(std), "A,B,C", "each channel is divided by it; one number serves all", 0, 0},
    {"pad", 0, CLI_TEXT, AT(pad), "A,B,C", "colour around a letterboxed picture, 0..255 (default: 0)", 0, 0},
    {"rate", 0, CLI_INT, AT(rate), "HZ", "samples a second that the model takes: other sound is resampled", 1, 1e7},
    {"mel", 0, CLI_TEXT, AT(mel), "KEY=VALUE,...", CLI_MEL_HELP, 0, 0},
    {0}};

int cli_input_check(const cli_input_opts *o) {
  cli_mel mel;
  int status = o->mel ? cli_mel_parse(o->mel, &mel) : CLI_DONE;
  if (status) return status;
  float v[4], lo, hi;
  if (o->range && !cli_range(o->range, &lo, &hi))
    return cli_wrong("--range %.40s: expected LO..HI, as 0..1 or -1..1", o->range);
  const char *list[] = {o->mean, o->std, o->pad}, *name[] = {"mean", "std", "pad"};
  for (int i = 0; i < 3; i++) {
    int n = list[i] ? cli_numbers(list[i], v) : 1;
    if (!n)
      return cli_wrong("--%s %.60s: expected a number, or one for each channel as 0.5,0.4,0.4", name[i], list[i]);
    for (int k = 0; list[i] && k < n; k++) {
      if (i == 1 && v[k] == 0) return cli_wrong("--std %.60s: cannot divide by 0", list[i]);
      if (i == 2 && !(v[k] >= 0 && v[k] <= 255)) return cli_wrong("--pad %.60s: a sample is 0..255", list[i]);
    }
  }
  return CLI_DONE;
}

/* All of standard input. */
static whet_status read_stdin(whet_file *f, whet_err *err) {
  whet_text t = {.mem = cli_mem()};
  char block[1 << 16];
  ssize_t n;
  while ((n = read(0, block, sizeof block)) > 0 || (n < 0 && errno == EINTR))
    if (n > 0) whet__text_add(&t, block, (size_t)n);
  if (n < 0 || t.bad) {
    whet__text_free(&t);
    return whet__fail(err, WHET_E_IO, "standard input cannot be read");
  }
  *f = (whet_file){.p = (const uint8_t *)t.p, .n = t.n, .mem = cli_mem()};
  return WHET_OK;
}

/* Does a path end so? */
static bool ends(const char *path, const char *end) {
  size_t n = strlen(path), m = strlen(end);
  return n >= m && !strcasecmp(path + n - m, end);
}

/* Is the value what an input takes? Bits of types that numpy has not are taken from unsigned numbers of their size.
 */
static whet_status fit(const char *path, whet_value **v, const whet_info *info, whet_err *err) {
  whet_dtype got = whet_value_dtype(*v), want = info->dtype;
  if (whet_value_kind(*v) != WHET_TENSOR || want == WHET_NONE || got == want) return WHET_OK;
  unsigned bits = whet_dtype_bits(want);
  bool exotic = want == WHET_BF16 || (want >= WHET_F8E4M3FN && want <= WHET_F8E5M2FNUZ) || want >= WHET_F8E8M0;
  if (exotic && ((bits == 16 && got == WHET_U16) || (bits == 8 && got == WHET_U8))) {
    whet_value *as = NULL;
    if (whet_value_create(want, whet_value_rank(*v), whet_value_dims(*v), &as))
      return whet__fail(err, WHET_E_MEMORY, "no memory for a tensor");
    memcpy(whet_value_data(as), whet_value_const_data(*v), whet_value_bytes(*v));
    whet_value_unref(v);
    *v = as;
    return WHET_OK;
  }
  if (bits < 8 && whet__is_int(want) && (got == WHET_S8 || got == WHET_U8)) {
    whet_value *as = NULL;
    if (whet_value_create(want, whet_value_rank(*v), whet_value_dims(*v), &as))
      return whet__fail(err, WHET_E_MEMORY, "no memory for a tensor");
    for (size_t i = 0; i < whet_value_count(*v); i++)
      whet__set_i64(want, whet_value_data(as), (int64_t)i, whet__get_i64(got, whet_value_const_data(*v), (int64_t)i));
    whet_value_unref(v);
    *v = as;
    return WHET_OK;
  }
  return whet__fail(err, WHET_E_TYPE, "%s: %s, but \"%.80s\" is %s", path, whet_dtype_name(got), info->name,
                    cli_info_text(info));
}

/* A tensor out of the bytes of an .npy or .pb file. */
static whet_status tensor(const char *path, const whet_file *f, const whet_info *info, whet_value **out,
                          whet_err *err) {
  whet_status s = whet__npy_knows(f->p, f->n)
                      ? whet__npy_read(f->p, f->n, out, err)
                      : whet__onnx_value(f->p, f->n, info ? info->kind : WHET_TENSOR, out, err);
  if (s) return whet__fail_in(err, "%s", path);
  if (info && (s = fit(path, out, info, err))) whet_value_unref(out);
  return s;
}

whet_status cli_tensor_read(const char *path, const whet_info *info, whet_value **out, whet_err *err) {
  whet_file f;
  *out = NULL;
  WHET_TRY(whet__file_open(path, false, cli_mem(), &f, err));
  whet_status s = tensor(path, &f, info, out, err);
  whet__file_close(&f);
  return s;
}

/* Dimensions for n elements: those of info with at most one free one settled; false when it cannot be. */
static bool settle(const whet_info *info, int64_t n, int64_t dims[WHET_MAX_RANK]) {
  int64_t known = 1;
  int free_dim = -1;
  for (int32_t i = 0; i < info->rank; i++) {
    dims[i] = info->dims[i];
    bool batch = dims[i] < 0 && i == 0 && info->rank > 1;
    if (dims[i] >= 0)
      known *= dims[i];
    else if (free_dim < 0)
      free_dim = i;
    else if (batch || free_dim == 0) /* the first free size counts as a batch of one when there is another */
      dims[free_dim] = 1, free_dim = i;
    else
      return false;
  }
  if (info->rank < 0 || known <= 0) return info->rank >= 0 && known == 0 && n == 0;
  if (free_dim < 0) return known == n;
  dims[free_dim] = n / known;
  return n % known == 0;
}

/* Raw little-endian elements. */
static whet_status raw(const char *path, const whet_file *f, const whet_info *info, whet_value **out, whet_err *err) {
  size_t each = whet__dtype_size(info->dtype);
  int64_t dims[WHET_MAX_RANK];
  if (info->kind != WHET_TENSOR || !each || info->dtype == WHET_STRING)
    return whet__fail(err, WHET_E_TYPE, "%s: raw bytes cannot be \"%.80s\", which is %s", path, info->name,
                      cli_info_text(info));
  if (f->n % each || !settle(info, (int64_t)(f->n / each), dims))
    return whet__fail(err, WHET_E_SHAPE,
                      "%s: %zu bytes, no picture, sound or .npy, do not make \"%.80s\", which is %s", path, f->n,
                      info->name, cli_info_text(info));
  if (whet_value_create(info->dtype, info->rank, dims, out))
    return whet__fail(err, WHET_E_MEMORY, "no memory for \"%.80s\"", info->name);
  if (f->n) memcpy(whet_value_data(*out), f->p, f->n);
  return WHET_OK;
}

/* Rows of the front end instead of samples; where the input's size is fixed (room >= 0), as many as it takes.
 * *turned: the input has the rows' numbers before the rows. */
static whet_status front_end(const char *text, const whet_info *info, int64_t room, whet_sound *s, bool *turned,
                             whet_err *err) {
  cli_mel m;
  if (cli_mel_parse(text, &m)) return WHET_E_MISUSE; /* it was read before */
  int64_t width = cli_mel_width(&m);
  int32_t last = info->rank - 1;
  while (last > 0 && info->dims[last] == 1) last--;
  for (int32_t i = 0; i < last; i++) *turned |= info->dims[i] == width && info->dims[last] != width;
  if (room >= 0 && room % width)
    return whet__fail(err, WHET_E_SHAPE, "--mel: rows of %lld do not make \"%.80s\", which is %s", (long long)width,
                      info->name, cli_info_text(info));
  if (room >= 0) WHET_TRY(cli_sound_fit(s, cli_mel_samples(&m, s->rate, room / width), err));
  return cli_mel_run(&m, s, err);
}

/* Sound: one channel, the mean of all, in the input's type. Too long is cut, too short ends in silence, where the
 * input's size is fixed. */
static whet_status sound(const char *path, const whet_file *f, const whet_info *info, const cli_input_opts *o,
                         whet_value **out, const char **note, whet_err *err) {
  whet_sound s;
  whet_sound_opts so = whet_sound_opts_default();
  so.mono = 1;
  so.rate = (int32_t)o->rate;
  if (whet_sound_decode(f->p, f->n, &so, &s, err)) return whet__fail_in(err, "%s", path);
  whet_status status = WHET_OK;
  int64_t dims[WHET_MAX_RANK], room = 1, n;
  bool open = false;
  for (int32_t i = 0; i < info->rank; i++)
    if (info->dims[i] >= 0)
      room *= info->dims[i];
    else
      open = true;
  bool turned = false;
  int64_t samples = s.frames;
  if (o->mel && front_end(o->mel, info, open ? -1 : room, &s, &turned, err)) {
    whet_sound_free(&s);
    return whet__fail_in(err, "%s", path);
  }
  int64_t width = s.channels, all = s.frames * width;
  n = open ? all : room;
  if (info->kind != WHET_TENSOR || info->quant.n > 1 || !(whet__is_float(info->dtype) || whet__is_int(info->dtype)))
    status = whet__fail(err, WHET_E_TYPE, "%s: sound cannot be \"%.80s\", which is %s", path, info->name,
                        cli_info_text(info));
  else if (!settle(info, n, dims))
    status = whet__fail(err, WHET_E_SHAPE, "%s: %lld samples do not fit \"%.80s\", which is %s", path, (long long)all,
                        info->name, cli_info_text(info));
  else if (whet_value_create(info->dtype, info->rank, dims, out))
    status = whet__fail(err, WHET_E_MEMORY, "no memory for \"%.80s\"", info->name);
  for (int64_t i = 0; !status && i < n; i++) {
    int64_t from = turned ? i % s.frames * width + i / s.frames : i;
    double v = from < all ? s.data[from] : 0;
    if (whet__is_float(info->dtype)) {
      whet__set_f64(info->dtype, whet_value_data(*out), i, v);
      continue;
    }
    /* Integers without a scale take samples as PCM of their size. */
    double q = info->quant.n ? round(v / info->quant.scale[0]) + (info->quant.zero ? info->quant.zero[0] : 0)
                             : round(v * ((double)whet__dtype_max(info->dtype) + 1));
    double least = (double)whet__dtype_min(info->dtype), most = (double)whet__dtype_max(info->dtype);
    whet__set_i64(info->dtype, whet_value_data(*out), i, (int64_t)(q < least ? least : q > most ? most : q));
  }
  if (!status)
    *note = cli_keep_printf("%s samples at %s Hz%s%s, mono, -1..1%s", cli_count(samples), cli_count(s.rate),
                            s.came != s.rate ? ", resampled from " : "", s.came != s.rate ? cli_count(s.came) : "",
                            o->mel         ? cli_keep_printf(", %s rows of %s", cli_count(s.frames), cli_count(width))
                            : n < s.frames ? ", cut"
                            : n > s.frames ? ", silence added"
                                           : "");
  whet_sound_free(&s);
  return status;
}

/* A picture: decoded, then made to fit. */
static whet_status picture(const cli_model *m, size_t i, const char *path, const whet_file *f, const whet_info *info,
                           const cli_input_opts *o, whet_value **out, const char **note, whet_err *err) {
  whet_picture p;
  const char *kind = whet_picture_kind(f->p, f->n), *why = NULL;
  bool own = kind && (!strcmp(kind, "bmp") || !strcmp(kind, "pnm")); /* the core reads these itself */
  if (!own) why = cli_media_load();
  if (whet_picture_decode(f->p, f->n, NULL, &p, err)) {
    if (why && err->code == WHET_E_UNSUPPORTED) return whet__fail_in(err, "%s (%s)", path, why);
    return whet__fail_in(err, "%s", path);
  }
  whet_status s = cli_picture_tensor(m, i, info, &p, o, out, note, err);
  whet_picture_free(&p);
  return s;
}

/* Does a file call itself a picture, or begin like one? Kinds without a codec count, so that they are refused by
 * name. */
static bool is_picture(const char *path, const whet_file *f) {
  static const char *end[] = {".jpg", ".jpeg", ".png", ".bmp", ".webp", ".gif",  ".tif", ".tiff",
                              ".jp2", ".ppm",  ".pgm", ".pbm", ".pnm",  ".avif", ".heic"};
  for (size_t k = 0; k < WHET_COUNT(end); k++)
    if (ends(path, end[k])) return true;
  return !ends(path, ".raw") && !ends(path, ".bin") && whet_picture_kind(f->p, f->n);
}

/* Numbers on the command line, "16000" or "1,2,3", for an input of one number or a row of them. */
static whet_status literal(const char *text, const whet_info *info, whet_value **out, whet_err *err) {
  int64_t n = 1, dims[WHET_MAX_RANK];
  for (const char *c = text; *c; c++) n += *c == ',';
  if (info->kind != WHET_TENSOR || info->dtype == WHET_STRING || whet__is_complex(info->dtype) ||
      !settle(info, n, dims))
    return whet__fail(err, WHET_E_SHAPE, "%.60s: %lld number%s for \"%.80s\", which is %s", text, (long long)n,
                      n > 1 ? "s" : "", info->name, cli_info_text(info));
  if (whet_value_create(info->dtype, info->rank, dims, out))
    return whet__fail(err, WHET_E_MEMORY, "no memory for \"%.80s\"", info->name);
  for (int64_t i = 0; i < n; i++) {
    double v = strtod(text, (char **)&text);
    text += *text == ',';
    if (whet__is_int(info->dtype) &&
        (v != rint(v) || v < (double)whet__dtype_min(info->dtype) || v > (double)whet__dtype_max(info->dtype))) {
      whet_value_unref(out);
      return whet__fail(err, WHET_E_DATA, "%g for \"%.80s\", which is %s", v, info->name, cli_info_text(info));
    }
    whet__set_f64(info->dtype, whet_value_data(*out), i, v);
  }
  return WHET_OK;
}

/* Is a text a list of numbers? */
static bool is_literal(const char *s) {
  for (;;) {
    char *end;
    if (!((*s >= '0' && *s <= '9') || *s == '-' || *s == '.')) return false;
    strtod(s, &end);
    if (end == s || (*end && *end != ',')) return false;
    if (!*end) return true;
    s = end + 1;
  }
}

/* Has the value a shape that the input takes? Sizes that are open take any. */
static whet_status fits(const char *path, const whet_value *v, const whet_info *info, whet_err *err) {
  if (whet_value_kind(v) != WHET_TENSOR || info->kind != WHET_TENSOR || info->rank < 0) return WHET_OK;
  bool same = whet_value_rank(v) == info->rank;
  for (int32_t d = 0; same && d < info->rank; d++) same = info->dims[d] < 0 || info->dims[d] == whet_value_dims(v)[d];
  if (same) return WHET_OK;
  return whet__fail(err, WHET_E_SHAPE, "%s: shape %s, but \"%.80s\" is %s (--shape changes it)", path,
                    cli_dims(whet_value_rank(v), whet_value_dims(v), NULL), info->name, cli_info_text(info));
}

int cli_input_set(const cli_model *m, size_t i, const char *file, const cli_input_opts *o, const char **note) {
  whet_file f;
  whet_info info;
  whet_value *v = NULL;
  whet_err err = {0};
  bool std = !strcmp(file, "-");
  const char *path = std ? "standard input" : file;
  *note = "";
  cli_input_info(m, i, &info);
  bool number = !std && access(file, F_OK) && is_literal(file);
  whet_status s = number ? literal(file, &info, &v, &err)
                  : std  ? read_stdin(&f, &err)
                         : whet__file_open(path, false, cli_mem(), &f, &err);
  if (s) return cli_fail_err(NULL, &err);
  if (number)
    f = (whet_file){.mem = cli_mem()};
  else if (whet__npy_knows(f.p, f.n) || ends(path, ".pb") || ends(path, ".npy"))
    s = ends(path, ".npy") && !whet__npy_knows(f.p, f.n)
            ? whet__fail(&err, WHET_E_FORMAT, "%s: this is no .npy file", path)
            : tensor(path, &f, &info, &v, &err);
  else if ((f.n > 12 && !memcmp(f.p, "RIFF", 4) && !memcmp(f.p + 8, "WAVE", 4)) || ends(path, ".wav"))
    s = sound(path, &f, &info, o, &v, note, &err);
  else if (is_picture(path, &f))
    s = picture(m, i, path, &f, &info, o, &v, note, &err);
  else
    s = raw(path, &f, &info, &v, &err);
  if (!s) s = fits(path, v, &info, &err);
  if (!s && whet_session_set_input(m->session, i, v, &err)) {
    const char *shape =
        whet_value_kind(v) == WHET_TENSOR ? cli_dims(whet_value_rank(v), whet_value_dims(v), NULL) : "";
    s = err.code;
    whet__fail_in(&err, "%s: %s for \"%.80s\"", path, shape, info.name);
  }
  whet_value_unref(&v);
  whet__file_close(&f);
  return s ? cli_fail_err(NULL, &err) : CLI_DONE;
}
