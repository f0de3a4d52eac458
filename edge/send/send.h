/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_EDGE_SEND_SEND_H
#define WHET_EDGE_SEND_SEND_H

/* Senders: records to whoever takes them, by a URL.
 *
 * - http(s)://HOST/PATH: POST. One record is the body as it is, with its media type and an Idempotency-Key; several
 * are lines of JSON, {"key","stream","time","type","data"}, data as JSON, as text, or ("encoding":"base64") as bytes.
 * 2xx takes all; an answer {"results":[{"key","status"}]} says it of each. 4xx refuses for good, but 408, 425 and
 * 429; of several records each is then tried alone. 401, 403, 404 and 407 of a whole request blame no record: nothing
 * is counted, the link pauses. Everything else is tried again, not before Retry-After.
 *
 * - mqtt(s)://[USER:PASSWORD@]HOST[:PORT]/TOPIC: MQTT 5, QoS 1, each record a message, taken when its PUBACK comes.
 * "{stream}" in the topic stands for the record's stream. User properties "key" and "time" travel with it.
 *
 * - file:///PATH, or -: lines of JSON as above, appended to a file or written to standard output.
 * - folder:///PATH: each record a file, named by its key. sqlite:///PATH[?table=NAME]: each a row, by its key. Both
 * store what comes twice once.
 *
 * A sender is used by one thread, except for send_wake. Sources: RFC 9110, the Idempotency-Key draft (httpapi working
 * group), MQTT 5.0. */

#include "edge/outbox/outbox.h"

typedef struct sender sender;

typedef struct send_opts {
  const char *url;
  const char *token;           /* HTTP: "Authorization: Bearer ..."; NULL: none */
  const char *ca, *cert, *key; /* files in PEM for TLS; NULL: the system's, none */
  const char *client;          /* MQTT: client id; NULL: one that is made */
  double timeout;              /* seconds for an answer; 0: 30 */
  bool compress;               /* HTTP: bodies of a kilobyte and more go as gzip */
  bool single;                 /* HTTP: never several records in a request */
} send_opts;

/* Open; nothing is connected yet. E_DATA: no such URL; E_UNSUPPORTED: this build lacks the library, by name. */
EDGE_MUST whet_status send_open(const send_opts *o, sender **out, whet_err *err);
void send_close(sender **s);
/* Send the batch; answer[i] for each item, `*bytes` over the link. Only memory and wrong use are failures. */
EDGE_MUST whet_status send_batch(sender *s, const outbox_batch *b, outbox_answer *answer, int64_t *bytes,
                                 whet_err *err);
/* From any thread: a send_batch under way ends soon with what is not answered UNREACHED, and so do all that follow.
 */
void send_wake(sender *s);

#endif
