/* SPDX-License-Identifier: Apache-2.0 */
/* MQTT 5 by libmosquitto: each record a message of QoS 1, taken when its PUBACK comes. A thread of our own keeps the
 * connection: libmosquitto's ends for good on what may pass, as somebody else who answers where the broker should (a
 * network's sign-in page does to TLS). */

#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "edge/send/inner.h"
#include "edge/wait.h"

enum { EARLY = 64, OURS = 256 /* reasons from here on are libmosquitto's */ };

struct mqtt {
  struct mosquitto *m;
  char host[256], user[128], password[128];
  int port;
  const char *topic;
  pthread_mutex_t lock; /* all below */
  pthread_cond_t change;
  pthread_t thread;
  bool looping, connected;
  bool wanted;    /* somebody waits for the connection: do not pause */
  bool end, over; /* the thread shall end; it did */
  bool alone;     /* nobody waits for that: it frees what it has */
  double pause;   /* seconds before the next try */
  uint64_t seed;
  char trouble[100]; /* of the last try */
  bool told;         /* a callback said what it was */
  int *mid;          /* of each item of the batch; 0: not sent */
  int *reason;       /* of its PUBACK; -1: none yet */
  size_t n, open;
  /* Answers that came before publishing returned with the message's number. */
  struct {
    int mid, reason;
  } early[EARLY];
  size_t n_early;
};

static pthread_once_t k_once = PTHREAD_ONCE_INIT;
static void begin(void) { mosquitto_lib_init(); }

static void on_connect(struct mosquitto *m, void *user, int code, int flags, const mosquitto_property *p) {
  (void)m, (void)flags, (void)p;
  struct mqtt *q = user;
  pthread_mutex_lock(&q->lock);
  q->connected = code == 0;
  if (!code) q->pause = 0;
  snprintf(q->trouble, sizeof q->trouble, "%s", code ? mosquitto_reason_string(code) : "");
  q->told = code != 0;
  pthread_cond_broadcast(&q->change);
  pthread_mutex_unlock(&q->lock);
}

static void on_disconnect(struct mosquitto *m, void *user, int code, const mosquitto_property *p) {
  (void)m, (void)p;
  struct mqtt *q = user;
  pthread_mutex_lock(&q->lock);
  q->connected = false;
  if (!q->told) snprintf(q->trouble, sizeof q->trouble, "disconnected: %s", mosquitto_strerror(code));
  q->told = true;
  pthread_cond_broadcast(&q->change);
  pthread_mutex_unlock(&q->lock);
}

static void on_publish(struct mosquitto *m, void *user, int mid, int reason, const mosquitto_property *p) {
  (void)m, (void)p;
  struct mqtt *q = user;
  pthread_mutex_lock(&q->lock);
  size_t i = 0;
  while (i < q->n && (q->mid[i] != mid || q->reason[i] >= 0)) i++;
  if (i < q->n) {
    q->reason[i] = reason;
    q->open--;
  } else {
    q->early[q->n_early % EARLY].mid = mid;
    q->early[q->n_early++ % EARLY].reason = reason;
  }
  if (!q->open) pthread_cond_broadcast(&q->change);
  pthread_mutex_unlock(&q->lock);
}

/* mqtt[s]://[user[:password]@]host[:port]/topic */
static whet_status read_url(const char *url, struct mqtt *q, bool *tls, whet_err *err) {
  *tls = !strncmp(url, "mqtts", 5);
  const char *at = strstr(url, "://") + 3, *slash = strchr(at, '/'), *sign = NULL;
  if (!slash || !slash[1]) return edge_fail(err, WHET_E_DATA, "%.200s: expected a topic behind the host", url);
  for (const char *p = at; p < slash; p++)
    if (*p == '@') sign = p;
  if (sign) {
    const char *colon = sign > at ? memchr(at, ':', (size_t)(sign - at)) : NULL, *end = colon ? colon : sign;
    if ((size_t)(end - at) >= sizeof q->user || (colon && (size_t)(sign - colon) > sizeof q->password))
      return edge_fail(err, WHET_E_DATA, "a user's name or password is too long");
    memcpy(q->user, at, (size_t)(end - at));
    if (colon) memcpy(q->password, colon + 1, (size_t)(sign - colon - 1));
    at = sign + 1;
  }
  const char *end = slash, *colon = NULL;
  const char *close = *at == '[' && at < slash ? memchr(at, ']', (size_t)(slash - at)) : NULL;
  for (const char *p = close ? close : at; p < slash; p++)
    if (*p == ':') colon = p;
  q->port = *tls ? 8883 : 1883;
  if (colon) {
    char *stop;
    long port = strtol(colon + 1, &stop, 10);
    if (stop != slash || port < 1 || port > 65535) return edge_fail(err, WHET_E_DATA, "%.200s: no port", url);
    q->port = (int)port, end = colon;
  }
  if (close) at++, end = close;
  if (end == at || (size_t)(end - at) >= sizeof q->host) return edge_fail(err, WHET_E_DATA, "%.200s: no host", url);
  memcpy(q->host, at, (size_t)(end - at));
  q->topic = slash + 1;
  if (strpbrk(q->topic, "#+")) return edge_fail(err, WHET_E_DATA, "%.200s: a topic to publish to has no # or +", url);
  return WHET_OK;
}

static whet_status open_mqtt(sender *s, whet_err *err) {
  bool tls;
  pthread_once(&k_once, begin);
  struct mqtt *q = calloc(1, sizeof *q);
  if (!q) return edge_fail(err, WHET_E_MEMORY, "no memory for a sender");
  s->own = q;
  pthread_mutex_init(&q->lock, NULL);
  edge_cond_init(&q->change);
  EDGE_TRY(read_url(s->o.url, q, &tls, err));
  q->m = mosquitto_new(s->o.client, true, q);
  if (!q->m) return edge_fail(err, WHET_E_MEMORY, "no memory for a sender");
  mosquitto_int_option(q->m, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5);
  mosquitto_max_inflight_messages_set(q->m, 0); /* as many as the broker takes */
  mosquitto_connect_v5_callback_set(q->m, on_connect);
  mosquitto_disconnect_v5_callback_set(q->m, on_disconnect);
  mosquitto_publish_v5_callback_set(q->m, on_publish);
  mosquitto_threaded_set(q->m, true);
  q->seed = (uint64_t)edge_now();
  if (*q->user) mosquitto_username_pw_set(q->m, q->user, *q->password ? q->password : NULL);
  if (tls && mosquitto_tls_set(q->m, s->o.ca, s->o.ca ? NULL : "/etc/ssl/certs", s->o.cert, s->o.key, NULL))
    return edge_fail(err, WHET_E_DATA, "the certificates cannot be used");
  return WHET_OK;
}

static void free_mqtt(struct mqtt *q) {
  if (q->m) mosquitto_destroy(q->m);
  pthread_mutex_destroy(&q->lock);
  pthread_cond_destroy(&q->change);
  free(q->mid);
  free(q->reason);
  free(q);
}

/* Between two tries: 0.5, 1, 2 .. 30 s, a part of each drawn; nothing for who waits. Under the lock; false: the end.
 */
static bool rest(struct mqtt *q, int r) {
  if (!q->told) snprintf(q->trouble, sizeof q->trouble, "%s", mosquitto_strerror(r));
  q->told = false;
  q->pause = q->pause > 0 ? (q->pause < 15 ? 2 * q->pause : 30) : 0.5;
  int64_t until = edge_after(q->pause * (0.5 + 0.5 * edge_draw(&q->seed)));
  while (!q->end && !q->wanted && edge_wait(&q->change, &q->lock, until)) {
  }
  q->wanted = false;
  return !q->end;
}

/* The thread: whatever ends a connection, another one is sought. */
static void *keep(void *user) {
  struct mqtt *q = user;
  int r = mosquitto_connect_async(q->m, q->host, q->port, 30);
  pthread_mutex_lock(&q->lock);
  while (!q->end) {
    pthread_mutex_unlock(&q->lock);
    if (!r) r = mosquitto_loop(q->m, 1000, 1); /* what is to be sent ends its wait */
    pthread_mutex_lock(&q->lock);
    if (!r) continue;
    q->connected = false;
    if (!rest(q, r)) break;
    pthread_mutex_unlock(&q->lock);
    r = mosquitto_reconnect_async(q->m);
    pthread_mutex_lock(&q->lock);
  }
  q->over = true;
  bool alone = q->alone;
  pthread_cond_broadcast(&q->change);
  pthread_mutex_unlock(&q->lock);
  if (alone) free_mqtt(q);
  return NULL;
}

static void close_mqtt(sender *s) {
  struct mqtt *q = s->own;
  if (!q) return;
  if (q->looping) {
    mosquitto_disconnect_v5(q->m, 0, NULL);
    pthread_mutex_lock(&q->lock);
    q->end = true;
    pthread_cond_broadcast(&q->change);
    int64_t until = edge_after(0.1); /* looking up a name takes seconds without a link */
    while (!q->over && edge_wait(&q->change, &q->lock, until)) {
    }
    bool alone = q->alone = !q->over;
    pthread_mutex_unlock(&q->lock);
    if (alone) {
      pthread_detach(q->thread);
      return;
    }
    pthread_join(q->thread, NULL);
  }
  free_mqtt(q);
}

static void wake(sender *s) {
  struct mqtt *q = s->own;
  pthread_mutex_lock(&q->lock);
  pthread_cond_broadcast(&q->change);
  pthread_mutex_unlock(&q->lock);
}

/* Be connected, within the time. The lock is held. */
static bool connected(sender *s, struct mqtt *q) {
  int64_t until = edge_after(s->o.timeout < 10 ? s->o.timeout : 10);
  if (!q->looping) q->looping = !pthread_create(&q->thread, NULL, keep, q);
  q->wanted = !q->connected;
  pthread_cond_broadcast(&q->change);
  while (q->looping && !q->connected && !atomic_load(&s->woken))
    if (!edge_wait(&q->change, &q->lock, until)) break;
  return q->connected && !atomic_load(&s->woken);
}

static void topic_of(const struct mqtt *q, const char *stream, char *out, size_t n) {
  const char *hole = strstr(q->topic, "{stream}");
  if (!hole) {
    snprintf(out, n, "%s", q->topic);
    return;
  }
  int at = snprintf(out, n, "%.*s", (int)(hole - q->topic), q->topic);
  for (const char *p = stream; *p && at + 1 < (int)n; p++) out[at++] = strchr("#+/", *p) ? '_' : *p;
  snprintf(out + at, n - (size_t)at, "%s", hole + 8);
}

static int publish(struct mqtt *q, const outbox_item *x, int *mid) {
  char topic[1024], time_text[40];
  mosquitto_property *p = NULL;
  topic_of(q, x->stream, topic, sizeof topic);
  snprintf(time_text, sizeof time_text, "%.6f", x->created);
  int r = mosquitto_property_add_string_pair(&p, MQTT_PROP_USER_PROPERTY, "key", x->key);
  if (!r) r = mosquitto_property_add_string_pair(&p, MQTT_PROP_USER_PROPERTY, "time", time_text);
  if (!r) r = mosquitto_property_add_string(&p, MQTT_PROP_CONTENT_TYPE, x->type);
  if (!r) r = mosquitto_publish_v5(q->m, mid, topic, (int)x->n, x->data, 1, false, p);
  mosquitto_property_free_all(&p);
  return r;
}

/* Publish what a batch holds; `bytes` grows by what went out. Under the lock, which is not held while libmosquitto
 * takes its own, under which it calls back. */
static void publish_all(struct mqtt *q, const outbox_batch *b, int64_t *bytes) {
  bool on = true;
  for (size_t i = 0; i < b->n && on; i++) {
    int r, id = 0;
    q->n_early = 0;
    q->open++;
    pthread_mutex_unlock(&q->lock);
    r = publish(q, &b->item[i], &id);
    pthread_mutex_lock(&q->lock);
    q->mid[i] = id;
    for (size_t k = 0; !r && k < q->n_early && k < EARLY; k++) {
      if (q->early[k].mid != id || q->reason[i] >= 0) continue;
      q->reason[i] = q->early[k].reason;
      q->open--;
    }
    if (r) {
      q->open--;
      q->reason[i] = OURS + r;
      on = r != MOSQ_ERR_NO_CONN;
    } else {
      *bytes += (int64_t)b->item[i].n + 100;
    }
  }
}

/* What became of a record, by the reason of its PUBACK or OURS and libmosquitto's own. */
static outbox_fate fate_of(int r) {
  static const int k_never[] = {MOSQ_ERR_PAYLOAD_SIZE, MOSQ_ERR_OVERSIZE_PACKET, MOSQ_ERR_MALFORMED_UTF8,
                                MOSQ_ERR_INVAL};
  for (size_t i = 0; i < EDGE_COUNT(k_never); i++)
    if (r == OURS + k_never[i]) return OUTBOX_REFUSED;
  if (r < 0 || r >= OURS) return OUTBOX_UNREACHED;
  if (r < 128) return OUTBOX_SENT;
  return r == MQTT_RC_QUOTA_EXCEEDED || r == MQTT_RC_UNSPECIFIED || r == MQTT_RC_NOT_AUTHORIZED /* may be put right */
             ? OUTBOX_AGAIN
             : OUTBOX_REFUSED;
}

static const char *reason_text(const struct mqtt *q, int r) {
  if (r < 0) return *q->trouble ? q->trouble : "no answer in time";
  return r >= OURS ? mosquitto_strerror(r - OURS) : mosquitto_reason_string(r);
}

static whet_status batch(sender *s, const outbox_batch *b, outbox_answer *a, int64_t *bytes, whet_err *err) {
  struct mqtt *q = s->own;
  int *mid = calloc(b->n, sizeof *mid), *reason = malloc(b->n * sizeof *reason);
  if (!mid || !reason) {
    free(mid), free(reason);
    return edge_fail(err, WHET_E_MEMORY, "no memory for a batch");
  }
  pthread_mutex_lock(&q->lock);
  free(q->mid), free(q->reason);
  q->mid = mid, q->reason = reason, q->n = b->n, q->open = 0;
  for (size_t i = 0; i < b->n; i++) reason[i] = -1;
  if (connected(s, q)) publish_all(q, b, bytes);
  int64_t until = edge_after(s->o.timeout);
  while (q->open && q->connected && !atomic_load(&s->woken))
    if (!edge_wait(&q->change, &q->lock, until)) break;
  for (size_t i = 0; i < b->n; i++) {
    outbox_fate f = fate_of(reason[i]);
    send_all(a, i, i + 1, f, 0, f == OUTBOX_SENT ? "" : reason_text(q, reason[i]));
  }
  q->n = 0;
  pthread_mutex_unlock(&q->lock);
  return WHET_OK;
}

const send_kind send_mqtt = {.open = open_mqtt, .batch = batch, .wake = wake, .close = close_mqtt};
