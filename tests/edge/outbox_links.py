# SPDX-License-Identifier: Apache-2.0
"""`whet outbox` from outside: a receiver over HTTP that fails in every way it can, a broker that is restarted in the middle, a quick
end, and wrong use."""
import gzip
import http.server
import json
import os
import pathlib
import random
import shutil
import socket
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

WHET = os.path.join(os.environ["WHET_BUILD"], "whet")
DIR = pathlib.Path(tempfile.mkdtemp(prefix="outbox."))


def whet(*args, text="", status=0, **more):
    r = subprocess.run([WHET, "outbox", *map(str, args)], input=text, capture_output=True, text=True, timeout=100, **more)
    assert r.returncode == status, (args, r.returncode, r.stdout, r.stderr)
    return r.stderr if status else r.stdout


def stats(box):
    return json.loads(whet("status", box, "--json"))


def unquoted(text):
    """A string of structured fields (RFC 9651, 4.2.5), then %XX."""
    assert text[0] == text[-1] == '"' and all(31 < ord(c) < 127 for c in text), text
    out, at = "", 1
    while at < len(text) - 1:
        assert text[at] != '"', text
        if text[at] == "\\":
            at += 1
            assert text[at] in '"\\', text
        out += text[at]
        at += 1
    return urllib.parse.unquote(out)


class Receiver(http.server.ThreadingHTTPServer):
    """Stores each key once. `fail` of 1: chance of a failure; refuse: texts that are answered with 400; redirect: so many requests first are sent elsewhere;
    shut: statuses of the first requests."""

    def __init__(self, fail=0.0, refuse=(), slow=0.0, redirect=0, shut=()):
        self.fail, self.refuse, self.slow, self.redirect, self.shut = fail, refuse, slow, redirect, list(shut)
        self.seen, self.order, self.twice, self.heads, self.requests = set(), [], 0, [], 0
        self.draw = random.Random(3)
        super().__init__(("127.0.0.1", 0), Answer)
        self.url = f"http://127.0.0.1:{self.server_port}/events"
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Answer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *a):
        pass

    def reply(self, code, body=b"", **heads):
        self.send_response(code)
        for k, v in heads.items():
            self.send_header(k.replace("_", "-"), v)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def hang_up(self):
        self.close_connection = True
        self.connection.close()

    def do_POST(self):
        s = self.server
        body = self.rfile.read(int(self.headers["Content-Length"]))
        s.requests += 1
        s.heads.append(dict(self.headers))
        time.sleep(s.slow)
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        if s.requests <= s.redirect:
            return self.reply(302, Location="http://127.0.0.1:1/sign-in")
        if s.shut:
            return self.reply(s.shut.pop(0))
        r = s.draw.random()
        if r < s.fail / 4:
            return self.reply(503, Retry_After="0")
        if r < s.fail / 2:
            return self.hang_up()
        if self.headers["Content-Type"] == "application/x-ndjson":
            records = [(x["key"], x["data"]) for x in map(json.loads, body.splitlines())]
        else:
            records = [(unquoted(self.headers["Idempotency-Key"]), json.loads(body))]
        if any(d in s.refuse for _, d in records):
            return self.reply(400)
        for key, data in records:
            s.twice += key in s.seen
            if key not in s.seen:
                s.seen.add(key)
                s.order.append(data)
        if r < s.fail:
            return self.hang_up()  # it is stored, and the sender does not know
        return self.reply(200)


def lines(values):
    return "".join(json.dumps(v) + "\n" for v in values)


def test_flaky():
    box, r = DIR / "flaky.db", Receiver(fail=0.6)
    whet("put", box, "--stream", "s", "--lines", text=lines(range(2000)))
    whet("drain", box, "--to", r.url, "--once", "--batch", 50, "--compress", "--retry-min", 0.001, "--retry-max", 0.01)
    assert r.order == list(range(2000)), (len(r.order), r.order[:20])
    assert r.twice > 0 and stats(box)["waiting"] == 0 and stats(box)["sent"] == 2000
    assert any(h.get("Content-Encoding") == "gzip" for h in r.heads)


def test_refused():
    """One record that is refused for good is found among many and kept aside; the rest goes on."""
    box, r = DIR / "refused.db", Receiver(refuse=("bad",))
    whet("put", box, "--stream", "s", "--lines", text=lines(["a", "bad", "b", "c"]))
    whet("drain", box, "--to", r.url, "--once")
    assert r.order == ["a", "b", "c"], r.order
    dead = [json.loads(x) for x in whet("dead", box).splitlines()]
    assert len(dead) == 1 and dead[0]["data"] == '"bad"' and "400" in dead[0]["why"], dead
    r.refuse = ()
    whet("revive", box)
    whet("drain", box, "--to", r.url, "--once")
    assert r.order[-1] == "bad"


def test_redirected():
    """A network's sign-in page stands before the receiver: nothing becomes a dead letter."""
    box, r = DIR / "redirected.db", Receiver(redirect=3)
    whet("put", box, "--stream", "s", "--lines", text=lines(range(5)))
    whet("drain", box, "--to", r.url, "--once", "--retry-min", 0.001, "--retry-max", 0.01)
    s = stats(box)
    assert r.order == list(range(5)) and r.requests == 4 and s["dead"] == 0, (r.order, r.requests, s)


def test_shut_out():
    """A token that ran out, a path that moved: whoever is not let in keeps its records, waits longer each time, and says why."""
    box, r = DIR / "shut.db", Receiver(shut=(401, 403, 404, 401))
    whet("put", box, "--stream", "s", "--lines", text=lines(range(5)))
    said = subprocess.run([WHET, "outbox", "drain", box, "--to", r.url, "--once", "--retry-min", "0.02", "--retry-max", "0.3", "--attempts", "1"],
                          capture_output=True, text=True, timeout=60)
    s = stats(box)
    assert said.returncode == 0 and r.order == list(range(5)) and s["dead"] == 0 and s["waiting"] == 0 and r.requests == 5, (said, s, r.requests)
    r.shut = [401] * 1000
    whet("put", box, text="6")
    p = subprocess.Popen([WHET, "outbox", "drain", box, "--to", r.url, "--retry-min", "0.05", "--retry-max", "0.3"], stderr=subprocess.PIPE, text=True)
    line = p.stderr.readline()
    assert "HTTP 401: not let in" in line and "wait" in line, line
    before = r.requests
    time.sleep(1)
    assert r.requests - before < 40, r.requests  # no storm
    p.terminate()
    assert p.wait(10) == 0 and stats(box)["waiting"] == 1 and stats(box)["dead"] == 0
    p.stderr.close()


def test_heads():
    """Keys and tokens travel whole; a batch has no key of its own, since the next attempt may hold other records."""
    box, r, key, token = DIR / "heads.db", Receiver(), "k" * 500, DIR / "token"
    token.write_text("t" * 1500 + "\n")
    for end in "ab":
        whet("put", box, "--key", key + end, text='"%s"' % end)
    whet("drain", box, "--to", r.url, "--once", "--batch", 1, "--token-file", token)
    assert sorted(r.seen) == [key + "a", key + "b"] and r.twice == 0, r.seen
    assert all(h["Authorization"] == "Bearer " + "t" * 1500 for h in r.heads)
    odd = ['say "hi"', "back\\slash", "50%41", "kl\u00fcger \u2713", "tab\there"]
    for k in odd:
        whet("put", box, "--key", k, text="0")
    whet("drain", box, "--to", r.url, "--once", "--batch", 1)
    assert r.seen >= set(odd) and len(r.seen) == 2 + len(odd), r.seen
    assert any(h.get("Idempotency-Key") == '"say \\"hi\\""' for h in r.heads)
    whet("put", box, "--lines", text=lines([1, 2]))
    whet("drain", box, "--to", r.url, "--once")
    assert "Idempotency-Key" not in r.heads[-1] and r.order[-2:] == [1, 2]


def test_offline_then_online():
    """Nobody listens; then somebody does. The process that delivers is told to end in the middle of a slow answer."""
    box, r = DIR / "offline.db", Receiver(slow=3)
    whet("put", box, text='{"x": 1}')
    took = []
    while not took or (min(took) >= 0.2 and len(took) < 5):  # other things may keep the machine busy now and then
        before = r.requests
        p = subprocess.Popen([WHET, "outbox", "drain", box, "--to", r.url], stderr=subprocess.PIPE)
        while r.requests == before:
            time.sleep(0.01)
        t = time.monotonic()
        p.send_signal(signal.SIGTERM)
        assert p.wait(10) == 0, p.stderr.read()
        took.append(time.monotonic() - t)
        p.stderr.close()
    assert min(took) < 0.2, took
    print(f"SIGTERM to the end of a drain: {min(took) * 1e3:.0f} ms")
    assert stats(box)["waiting"] == 1
    r.slow = 0
    whet("drain", box, "--to", r.url, "--once")
    assert {"x": 1} in r.order and len(r.seen) == 1


def test_mqtt():
    """A broker that is restarted while records flow."""
    if not shutil.which("mosquitto") or not shutil.which("mosquitto_sub"):
        print("skipped by name: mosquitto (Debian: mosquitto, mosquitto-clients)")
        return
    box, port, conf = DIR / "mqtt.db", 20000 + os.getpid() % 20000, DIR / "mosquitto.conf"
    conf.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\npersistence true\npersistence_location {DIR}/\nmax_queued_messages 0\n"
                    f"user {os.environ.get('USER', 'root')}\n")

    def broker():
        p = subprocess.Popen(["mosquitto", "-c", conf], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(0.4)
        return p

    b = broker()
    sub = subprocess.Popen(["mosquitto_sub", "-p", str(port), "-t", "site/#", "-q", "1", "-V", "5", "-c", "-i", "reader", "-F", "%t %p"],
                           stdout=subprocess.PIPE, text=True)
    got = []
    threading.Thread(target=lambda: [got.append(x.split()) for x in sub.stdout], daemon=True).start()
    time.sleep(0.4)
    whet("put", box, "--stream", "boiler", "--lines", text=lines(range(3000)))
    d = subprocess.Popen([WHET, "outbox", "drain", box, "--to", f"mqtt://127.0.0.1:{port}/site/{{stream}}", "--batch", "50", "--retry-min", "0.05",
                          "--retry-max", "0.2", "--timeout", "2"], stderr=subprocess.DEVNULL)
    while len(got) < 300:
        time.sleep(0.01)
    b.terminate()
    b.wait(10)
    time.sleep(0.3)
    b = broker()
    end = time.monotonic() + 60
    while stats(box)["waiting"] and time.monotonic() < end:
        time.sleep(0.1)
    time.sleep(1.5)
    d.terminate()
    d.wait(10)
    sub.terminate()
    b.terminate()
    assert stats(box)["waiting"] == 0
    first = list(dict.fromkeys(int(v) for _, v in got))
    assert first == list(range(3000)), len(first)  # whole, and in order the first time
    assert all(t == "site/boiler" for t, _ in got)


def test_mqtt_tls():
    """A broker with a certificate of one's own authority: taken with that authority, by none other."""
    if not shutil.which("mosquitto") or not shutil.which("openssl"):
        print("skipped by name: mosquitto, openssl (Debian: mosquitto, openssl)")
        return
    def openssl(*args):
        subprocess.run(["openssl", *map(str, args)], check=True, capture_output=True, cwd=DIR)
    for name in "ca", "other":
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", 2, "-subj", f"/CN=whet test {name}", "-keyout",
                f"{name}.key", "-out", f"{name}.pem", "-addext", "basicConstraints=critical,CA:TRUE")
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=127.0.0.1", "-keyout", "broker.key", "-out", "broker.csr")
    (DIR / "broker.ext").write_text("subjectAltName=IP:127.0.0.1,DNS:localhost\n")
    openssl("x509", "-req", "-in", "broker.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", 2, "-extfile", "broker.ext", "-out", "broker.pem")
    port, conf, box, log = 21000 + os.getpid() % 20000, DIR / "tls.conf", DIR / "tls.db", DIR / "tls.log"
    conf.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\ncafile {DIR}/ca.pem\ncertfile {DIR}/broker.pem\nkeyfile {DIR}/broker.key\n"
                    f"log_type all\nlog_dest file {log}\nuser {os.environ.get('USER', 'root')}\n")
    url = f"mqtts://127.0.0.1:{port}/site/{{stream}}"

    # A network's sign-in page answers first: what it says is no TLS. The same process delivers when the broker is there.
    whet("put", box, "--stream", "gate", text='{"n": 0}')
    with socket.create_server(("127.0.0.1", port)) as portal:
        d = subprocess.Popen([WHET, "outbox", "drain", box, "--to", url, "--ca", DIR / "ca.pem", "--timeout", "1", "--retry-min", "0.1", "--retry-max", "0.3"],
                             stderr=subprocess.DEVNULL)
        for _ in range(2):
            c, _ = portal.accept()
            c.sendall(b"HTTP/1.1 302 Found\r\nLocation: http://login/\r\n\r\n")
            c.close()
    b = subprocess.Popen(["mosquitto", "-c", conf], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(0.5)
    try:
        end = time.monotonic() + 30
        while stats(box)["waiting"] and time.monotonic() < end:
            time.sleep(0.1)
        d.terminate()
        assert d.wait(10) == 0 and stats(box)["sent"] == 1
        whet("put", box, "--stream", "boiler", "--lines", text=lines(range(20)))
        p = subprocess.Popen([WHET, "outbox", "drain", box, "--to", url, "--ca", DIR / "other.pem", "--timeout", "1", "--retry-min", "0.1", "--retry-max", "0.2"],
                             stderr=subprocess.PIPE, text=True)
        assert p.stderr.readline()  # it says what is wrong
        p.terminate()
        p.wait(10)
        p.stderr.close()
        assert stats(box)["waiting"] == 20
        whet("drain", box, "--to", url, "--ca", DIR / "ca.pem", "--once")
        assert stats(box)["waiting"] == 0 and stats(box)["sent"] == 21
        assert log.read_text().count("Received PUBLISH") == 21
    finally:
        b.terminate()
        b.wait(10)


def test_wrong():
    box = DIR / "wrong.db"
    assert "No such file" in whet("status", box, status=1)
    assert "--to" in whet("put", box, text="{}") + whet("drain", box, status=2)
    assert "ftp://" in whet("drain", box, "--to", "ftp://x/y", status=1)
    assert "topic" in whet("drain", box, "--to", "mqtt://host", status=1)
    assert "throw" in whet("throw", box, status=2)
    (DIR / "not.db").write_text("no database" * 100)
    assert "not.db" in whet("status", DIR / "not.db", status=1)
    whet("put", box, "--key", "k", text="{}")
    whet("put", box, "--key", "k", text="{}")
    assert stats(box)["waiting"] == 2  # the first, and k once
    out = DIR / "out.jsonl"
    whet("drain", box, "--to", f"file://{out}", "--once")
    assert [json.loads(x)["data"] for x in out.read_text().splitlines()] == [{}, {}]


try:
    for name, f in list(globals().items()):
        if name.startswith("test_"):
            f()
            print("ok", name)
finally:
    shutil.rmtree(DIR)
sys.exit(0)
