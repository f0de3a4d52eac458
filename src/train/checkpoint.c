/* SPDX-License-Identifier: Apache-2.0 */
/* Writing and reading checkpoints. */

#include "train/checkpoint.h"

#include <unistd.h>

#include "base/crc.h"
#include "base/file.h"

static const char k_magic[8] = "WHETCKP1";

whet_status whet__checkpoint_write(const char *path, whet_checkpoint *c, const whet_epoch *epoch, const whet_memory *var, size_t n_var,
                                   whet_mem *m, whet_err *err) {
  whet_piece *piece = whet__alloc_array(m, n_var + 2, sizeof *piece);
  if (!piece) return whet__no_memory(m, n_var * sizeof *piece, err, "a checkpoint");
  memcpy(c->magic, k_magic, sizeof k_magic);
  c->n_var = (uint32_t)n_var;
  c->bytes = 0;
  piece[0] = (whet_piece){c, sizeof *c};
  piece[1] = (whet_piece){epoch, (size_t)c->n_epoch * sizeof *epoch};
  c->crc = whet__crc32c(0, piece[1].p, piece[1].n);
  for (size_t i = 0; i < n_var; i++) {
    piece[2 + i] = (whet_piece){var[i].p, var[i].n};
    c->crc = whet__crc32c(c->crc, var[i].p, var[i].n);
    c->bytes += var[i].n;
  }
  whet_status s = whet__file_write_pieces(path, piece, n_var + 2, err);
  whet__free(m, piece);
  return s;
}

whet_status whet__checkpoint_read(const char *path, uint64_t print, whet_checkpoint *c, whet_epoch **epoch, const whet_memory *var,
                                  size_t n_var, whet_mem *m, bool *there, whet_err *err) {
  whet_file f;
  uint64_t bytes = 0;
  *there = access(path, F_OK) == 0;
  if (!*there) return WHET_OK;
  WHET_TRY(whet__file_open(path, true, m, &f, err));
  whet_status s = WHET_OK;
  for (size_t i = 0; i < n_var; i++) bytes += var[i].n;
  if (f.n < sizeof *c || memcmp(f.p, k_magic, sizeof k_magic)) {
    s = whet__fail(err, WHET_E_FORMAT, "%s: no checkpoint", path);
  } else {
    memcpy(c, f.p, sizeof *c);
    if (c->print != print || (size_t)c->n_var != n_var || c->bytes != bytes)
      s = whet__fail(err, WHET_E_DATA, "%s: a checkpoint of another model, other data or other options; remove it to begin anew", path);
    else if (c->n_epoch > f.n / sizeof **epoch || f.n != sizeof *c + c->n_epoch * sizeof **epoch + bytes ||
             c->crc != whet__crc32c(0, f.p + sizeof *c, f.n - sizeof *c))
      s = whet__fail(err, WHET_E_FORMAT, "%s: the checkpoint is damaged", path);
  }
  if (!s) {
    *epoch = whet__alloc_array(m, (size_t)c->n_epoch + 1, sizeof **epoch);
    if (!*epoch) s = whet__no_memory(m, (size_t)c->n_epoch * sizeof **epoch, err, "a checkpoint");
  }
  if (!s) {
    const uint8_t *p = f.p + sizeof *c;
    memcpy(*epoch, p, (size_t)c->n_epoch * sizeof **epoch);
    p += c->n_epoch * sizeof **epoch;
    for (size_t i = 0; i < n_var; p += var[i++].n) memcpy(var[i].p, p, var[i].n);
  }
  whet__file_close(&f);
  return s;
}
