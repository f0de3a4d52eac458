/* SPDX-License-Identifier: Apache-2.0 */
/* Packing of bodies, by zlib. */

#include "edge/pack.h"

#include <zlib.h>

whet_status pack_inflate(serve_buf *body, size_t most, whet_err *err) {
  z_stream z = {.next_in = (Bytef *)body->p, .avail_in = (uInt)body->n};
  serve_buf out = {0};
  whet_status s = WHET_OK;
  int r = Z_OK;
  if (body->n > UINT32_MAX) return edge_fail(err, WHET_E_LIMIT, "a packed body of more than 4 GB");
  if (inflateInit2(&z, 15 + 32) != Z_OK) return edge_fail(err, WHET_E_MEMORY, "no memory to unpack the body");
  while (!s && r != Z_STREAM_END) {
    size_t room = out.cap - out.n < 4096 ? out.n + 65536 : out.cap - out.n;
    if (room > most + 1 - out.n) room = most + 1 - out.n;
    void *to = buf_room(&out, room);
    if (!to) {
      s = edge_fail(err, WHET_E_MEMORY, "no memory to unpack the body");
      break;
    }
    z.next_out = to;
    z.avail_out = (uInt)(room > UINT32_MAX ? UINT32_MAX : room);
    uInt before = z.avail_out;
    r = inflate(&z, Z_NO_FLUSH);
    out.n += before - z.avail_out;
    if (out.n > most)
      s = edge_fail(err, WHET_E_LIMIT, "the body has more than %zu bytes when unpacked", most);
    else if (r == Z_BUF_ERROR || (r == Z_OK && !z.avail_in && z.avail_out))
      s = edge_fail(err, WHET_E_DATA, "the packed body ends too early");
    else if (r != Z_OK && r != Z_STREAM_END)
      s = edge_fail(err, WHET_E_DATA, "the body is no gzip and no deflate stream: %s",
                    z.msg ? z.msg : "its checksum is wrong");
  }
  if (!s && z.avail_in) s = edge_fail(err, WHET_E_DATA, "%u bytes follow the packed body", z.avail_in);
  inflateEnd(&z);
  if (s) {
    buf_free(&out);
    return s;
  }
  buf_free(body);
  *body = out;
  return WHET_OK;
}

bool pack_deflate(const serve_buf *body, bool gzip, int level, serve_buf *out) {
  z_stream z = {.next_in = (Bytef *)body->p, .avail_in = (uInt)body->n};
  out->n = 0;
  if (body->n > UINT32_MAX || deflateInit2(&z, level, Z_DEFLATED, gzip ? 15 + 16 : 15, 8, Z_DEFAULT_STRATEGY) != Z_OK)
    return false;
  size_t most = deflateBound(&z, (uLong)body->n);
  z.next_out = most > UINT32_MAX ? NULL : buf_room(out, most);
  z.avail_out = (uInt)most;
  bool done = z.next_out && deflate(&z, Z_FINISH) == Z_STREAM_END;
  if (done) out->n = most - z.avail_out;
  deflateEnd(&z);
  return done && out->n < body->n;
}
