/* SPDX-License-Identifier: Apache-2.0 */
/* The client lies in libwhet_link, beside the senders. */

#include "edge/cascade/remote.h"

#include "edge/send/load.h"

static const remote_kind *k_kind;

whet_status remote_open(const remote_opts *o, remote **out, whet_err *err) {
  const remote_kind *(*find)(void);
  *out = NULL;
  if (!k_kind) {
    *(void **)&find = send_load("whet_link_remote", "a remote model", err);
    if (!find) return WHET_E_UNSUPPORTED;
    k_kind = find();
  }
  if (!k_kind)
    return edge_fail(err, WHET_E_UNSUPPORTED,
                     "a remote model is left out of this build for want of libcurl (Debian: libcurl4-openssl-dev)");
  return k_kind->open(o, out, err);
}
void remote_close(remote **r) {
  if (*r) k_kind->close(r);
}
bool remote_ready(remote *r) { return k_kind->ready(r); }
whet_status remote_describe(remote *r, remote_info *out, whet_err *err) { return k_kind->describe(r, out, err); }
whet_status remote_infer(remote *r, const char *id, int32_t rank, const int64_t *dims, const void *data, size_t bytes,
                         remote_answer *a, whet_err *err) {
  return k_kind->infer(r, id, rank, dims, data, bytes, a, err);
}
void remote_wake(remote *r) { k_kind->wake(r); }
