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
import signal
import subprocess
import sys
import tempfile
import threading
import time

WHET = os.path.join(os.environ["WHET_BUILD"], "whet")
DIR = pathlib.Path(tempfile.mkdtemp(prefix="outbox."))


def whet(*args, text="", status=0, **more):
    r = subprocess.run([WHET, "outbox", *map(str, args)], input=text, capture_output=True, text=True, timeout=100, **more)
    assert r.returncode == status, (args, r.returncode, r.stdout, r.stderr)
    return r.stderr if status else r.stdout


def stats(box):
    return json.loads(whet("status", box, "--json"))


class Receiver(http.server.ThreadingHTTPServer):
    """Stores each key once. `fail` of 1: chance of a failure; refuse: texts that are answered with 400; redirect: so many requests first are sent elsewhere."""

    def __init__(self, fail=0.0, refuse=(), slow=0.0, redirect=0):
        self.fail, self.refuse, self.slow, self.redirect = fail, refuse, slow, redirect
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
        r = s.draw.random()
        if r < s.fail / 4:
            return self.reply(503, Retry_After="0")
        if r < s.fail / 2:
            return self.hang_up()
        if self.headers["Content-Type"] == "application/x-ndjson":
            records = [(x["key"], x["data"]) for x in map(json.loads, body.splitlines())]
        else:
            records = [(self.headers["Idempotency-Key"].strip('"'), json.loads(body))]
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


def test_heads():
    """Keys and tokens travel whole; a batch has no key of its own, since the next attempt may hold other records."""
    box, r, key, token = DIR / "heads.db", Receiver(), "k" * 500, DIR / "token"
    token.write_text("t" * 1500 + "\n")
    for end in "ab":
        whet("put", box, "--key", key + end, text='"%s"' % end)
    whet("drain", box, "--to", r.url, "--once", "--batch", 1, "--token-file", token)
    assert sorted(r.seen) == [key + "a", key + "b"] and r.twice == 0, r.seen
    assert all(h["Authorization"] == "Bearer " + "t" * 1500 for h in r.heads)
    whet("put", box, "--lines", text=lines([1, 2]))
    whet("drain", box, "--to", r.url, "--once")
    assert "Idempotency-Key" not in r.heads[-1] and r.order[-2:] == [1, 2]


def test_offline_then_online():
    """Nobody listens; then somebody does. The process that delivers is told to end in the middle of a slow answer."""
    box, r = DIR / "offline.db", Receiver(slow=3)
    whet("put", box, text='{"x": 1}')
    p = subprocess.Popen([WHET, "outbox", "drain", box, "--to", r.url], stderr=subprocess.PIPE)
    while not r.requests:
        time.sleep(0.01)
    t = time.monotonic()
    p.send_signal(signal.SIGTERM)
    assert p.wait(10) == 0, p.stderr.read()
    assert time.monotonic() - t < 1, time.monotonic() - t  # 0.2 s on an idle machine
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
