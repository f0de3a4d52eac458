/* SPDX-License-Identifier: Apache-2.0 */
/* The source `mqtt`: messages of topics of a broker, by MQTT 5. The library is loaded when a pipeline has such a
 * source. A link that is lost is sought again, after 1, 2, 4 ... 30 seconds. */

#include "edge/pipeline/message.h"

#ifdef WHET_HAVE_MOSQUITTO
#include <dlfcn.h>
#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Functions of libmosquitto that are used here. */
#define CALLS(X)                                                                                               \
  X(lib_init)                                                                                                  \
  X(new) X(destroy) X(int_option) X(username_pw_set) X(tls_set) X(connect_v5_callback_set)                     \
      X(message_v5_callback_set) X(connect) X(reconnect) X(disconnect) X(subscribe_v5) X(socket) X(want_write) \
          X(loop_read) X(loop_write) X(loop_misc) X(strerror)
static struct {
#define CALL(name) __typeof__(&mosquitto_##name) name;
  CALLS(CALL)
#undef CALL
} g_mqtt;

typedef struct mqtt {
  pl_node n;
  pl_inbox in;
  const char *host, *user, *password, *client, *ca, *cert, *key;
  conf_strs topic;
  int64_t port, qos;
  bool tls;
  struct mosquitto *m;
  bool linked;
} mqtt;

#define AT(field) offsetof(mqtt, field)
static const conf_key k_keys[] = {{.name = "host", CONF_STR, AT(host), NULL, 0, 0, true},
                                  {.name = "topic", CONF_STRS, AT(topic), NULL, 0, 0, true},
                                  {.name = "port", CONF_INT, AT(port), NULL, 1, 65535},
                                  {.name = "qos", CONF_INT, AT(qos), NULL, 0, 2},
                                  {.name = "user", CONF_STR, AT(user)},
                                  {.name = "password", CONF_STR, AT(password)},
                                  {.name = "client", CONF_STR, AT(client)},
                                  {.name = "tls", CONF_BOOL, AT(tls)},
                                  {.name = "ca", CONF_STR, AT(ca)},
                                  {.name = "cert", CONF_STR, AT(cert)},
                                  {.name = "key", CONF_STR, AT(key)},
                                  PL_PAYLOAD_KEYS(mqtt, in.payload),
                                  {0}};
static const mqtt k_defaults = {.in = PL_INBOX_DEFAULTS, .qos = 1};

static whet_status open_mqtt(pl_node *n, whet_err *err) {
  mqtt *s = (mqtt *)n;
  if (!s->topic.n) return pl_fail(n, err, "topic: expected one or a list of them");
  if (!s->cert != !s->key) return pl_fail(n, err, "cert and key belong together");
  if (!s->port) s->port = s->tls || s->ca ? 8883 : 1883;
  const char **path[] = {&s->ca, &s->cert, &s->key};
  for (size_t i = 0; i < EDGE_COUNT(path); i++)
    if (*path[i] && !(*path[i] = pl_path(n, *path[i], err))) return WHET_E_MEMORY;
  return pl_payload_open(n, &s->in.payload, err);
}

static whet_status load(whet_err *err) {
  static pthread_mutex_t once = PTHREAD_MUTEX_INITIALIZER; /* g_mqtt */
  whet_status s = WHET_OK;
  pthread_mutex_lock(&once);
  void *lib = g_mqtt.lib_init ? NULL : dlopen("libmosquitto.so.1", RTLD_NOW | RTLD_LOCAL);
  if (!g_mqtt.lib_init && !lib)
    s = edge_fail(err, WHET_E_UNSUPPORTED, "libmosquitto.so.1 is not there (Debian: libmosquitto1)");
#define CALL(name)                                                             \
  if (lib && !s && !(*(void **)&g_mqtt.name = dlsym(lib, "mosquitto_" #name))) \
    s = edge_fail(err, WHET_E_UNSUPPORTED, "libmosquitto.so.1 has no mosquitto_" #name);
  CALLS(CALL)
#undef CALL
  if (lib && !s) g_mqtt.lib_init();
  pthread_mutex_unlock(&once);
  return s;
}

static void connected(struct mosquitto *m, void *user, int code, int flags, const mosquitto_property *props) {
  mqtt *s = user;
  (void)flags, (void)props;
  if (code) {
    pl_log(&s->n, 1, "the broker refuses: reason %d", code);
    return;
  }
  s->linked = true;
  for (size_t i = 0; i < s->topic.n; i++) g_mqtt.subscribe_v5(m, NULL, s->topic.v[i], (int)s->qos, 0, NULL);
}

static void came(struct mosquitto *m, void *user, const struct mosquitto_message *msg,
                 const mosquitto_property *props) {
  mqtt *s = user;
  whet_err err = {0};
  size_t given;
  (void)m, (void)props;
  if (pl_message(&s->n, &s->in, msg->payload ? msg->payload : "", (size_t)msg->payloadlen, 0, msg->topic, &given,
                 &err)) {
    edge_fail_in(&err, "%s", msg->topic);
    pl_failed(&s->n, NULL, &err);
  }
}

static whet_status start(pl_node *n, whet_err *err) {
  mqtt *s = (mqtt *)n;
  if (load(err)) return pl_fail_here(n, err);
  s->m = g_mqtt.new(s->client, !s->client, s);
  if (!s->m) return edge_fail(err, WHET_E_MEMORY, "no memory for a client of MQTT");
  g_mqtt.int_option(s->m, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5);
  g_mqtt.connect_v5_callback_set(s->m, connected);
  g_mqtt.message_v5_callback_set(s->m, came);
  int k = s->user ? g_mqtt.username_pw_set(s->m, s->user, s->password) : 0;
  if (!k && (s->tls || s->ca))
    k = g_mqtt.tls_set(s->m, s->ca, s->ca ? NULL : "/etc/ssl/certs", s->cert, s->key, NULL);
  if (!k) return WHET_OK;
  edge_fail(err, WHET_E_IO, "%s", g_mqtt.strerror(k));
  return pl_fail_here(n, err);
}

/* Serve the link until it is lost or the pipeline ends; what the library said last. */
static int serve(mqtt *s) {
  int k = MOSQ_ERR_SUCCESS;
  while (!k) {
    int fd = g_mqtt.socket(s->m);
    if (fd < 0) return MOSQ_ERR_CONN_LOST;
    if (g_mqtt.want_write(s->m)) {
      if ((k = g_mqtt.loop_write(s->m, 1))) break;
    }
    int64_t until = edge_now() + (g_mqtt.want_write(s->m) ? 20000000 : 500000000);
    if (!pl_source_wait(&s->n, until, fd)) return MOSQ_ERR_SUCCESS;
    if ((k = g_mqtt.loop_read(s->m, 1))) break;
    k = g_mqtt.loop_misc(s->m);
  }
  return k;
}

static whet_status run(pl_node *n, pl_frame *none, whet_err *err) {
  mqtt *s = (mqtt *)n;
  bool before = false;
  int tries = 0;
  (void)none, (void)err;
  while (!pl_stopping(n)) {
    s->linked = false;
    int k = before ? g_mqtt.reconnect(s->m) : g_mqtt.connect(s->m, s->host, (int)s->port, 30);
    before = true;
    if (!k) k = serve(s);
    if (pl_stopping(n)) break;
    tries = s->linked ? 0 : tries + 1;
    double pause = tries > 5 ? 30 : (double)(1 << tries);
    pl_log(n, 1, "no link to %s port %lld: %s; again in %g s", s->host, (long long)s->port, g_mqtt.strerror(k),
           pause);
    if (!pl_source_wait(n, edge_now() + (int64_t)(pause * 1e9), -1)) break;
  }
  if (s->linked) {
    g_mqtt.disconnect(s->m);
    g_mqtt.loop_write(s->m, 1);
  }
  return WHET_OK;
}

static void close_mqtt(pl_node *n) {
  mqtt *s = (mqtt *)n;
  if (s->m) g_mqtt.destroy(s->m);
  pl_inbox_close(&s->in);
}

const pl_kind pl_source_mqtt = {.name = "mqtt",
                                .size = sizeof(mqtt),
                                .keys = k_keys,
                                .defaults = &k_defaults,
                                .open = open_mqtt,
                                .start = start,
                                .run = run,
                                .close = close_mqtt,
                                .live = true};
#else
static whet_status lacks(pl_node *n, whet_err *err) {
  return pl_fail(n, err, "this build lacks libmosquitto (Debian: libmosquitto-dev)");
}

const pl_kind pl_source_mqtt = {.name = "mqtt", .size = sizeof(pl_node), .loose = true, .open = lacks};
#endif
