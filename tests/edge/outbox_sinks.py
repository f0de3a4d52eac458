# SPDX-License-Identifier: Apache-2.0
"""Sinks behind outboxes: pictures and clips to a server that is away at first, once each and as they lie in their folders; the
same and events into a folder and a table elsewhere, where what is delivered twice is there once."""
import http.server
import json
import pathlib
import sqlite3
import subprocess
import tempfile
import threading

from server import SHARED, WHET, need

need("the shared folder", (SHARED / "data/images/faces_2.jpg").exists())
PICTURES = [str((SHARED / "data/images" / n).resolve()) for n in ("faces_2.jpg", "faces_10.jpg", "faces_2.jpg")]
RETRY = "retry: [0.02, 0.05], wait: 20s"


class Receiver(http.server.BaseHTTPRequestHandler):
    """Answers 503 to the first of every kind; keeps what it takes by its key."""
    protocol_version = "HTTP/1.1"
    taken, seen, order = {}, set(), []

    def do_POST(self):
        body, type_ = self.rfile.read(int(self.headers["Content-Length"])), self.headers["Content-Type"]
        key = self.headers["Idempotency-Key"].strip('"')
        status = 200 if type_ in self.seen else 503
        self.seen.add(type_)
        if status == 200:
            self.taken[key] = (type_, body)
            self.order.append((key, self.headers["X-Stream"]))
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def run(folder, sinks, status=0):
    """A pipeline over three pictures, a tenth of a second apart."""
    (folder / "p.yaml").write_text(f"source: {{files: {{files: {json.dumps(PICTURES)}, every: 100ms}}}}\nsinks:\n" + "".join(f"  - {s}\n" for s in sinks))
    said = subprocess.run([WHET, "pipeline", folder / "p.yaml", "--stats", folder / "stats.json"], capture_output=True, text=True)
    assert said.returncode == status, said.stderr
    return json.loads((folder / "stats.json").read_text()) if not status else said.stderr


def files(folder):
    return {f.name: f.read_bytes() for f in folder.iterdir()}


def over_http(folder, url):
    stats = run(folder, [f"image: {{folder: shots, send: {{url: '{url}', outbox: shots.db, stream: shots, max_bytes: 50M, daily_bytes: 1G, {RETRY}}}}}",
                         f"clip: {{folder: clips, of: count, on: 0, before: 0s, after: 1s, send: {{url: '{url}', outbox: clips.db, {RETRY}}}}}",
                         f"send: {{url: '{url}', outbox: events.db, single: true, {RETRY}}}"])
    shots, clips = files(folder / "shots"), files(folder / "clips")
    assert len(shots) == 3 and len(clips) == 1, (shots.keys(), clips.keys())
    kinds = {kind: {k: b for k, (t, b) in Receiver.taken.items() if t == kind} for kind in ("image/jpeg", "video/x-msvideo", "application/json")}
    assert kinds["image/jpeg"] == shots and kinds["video/x-msvideo"] == clips, [k.keys() for k in kinds.values()]
    events = [json.loads(b) for b in kinds["application/json"].values()]
    assert len(events) == 3 and {e["file"] for e in events} == clips.keys(), events
    names = [k for k, stream in Receiver.order if stream == "shots"]
    assert names == sorted(shots), names
    assert all(s["outbox"]["records"] == 0 and s["outbox"]["sent"] for s in stats["sinks"]), stats["sinks"]
    assert stats["link"]["sent_bytes"] > sum(map(len, [*shots.values(), *clips.values()])) and stats["link"]["waiting"] == 0, stats["link"]


def elsewhere(folder, far):
    """Only handed over, nothing kept here; then delivered once more under the same keys."""
    run(folder, [f"image: {{send: {{url: 'folder://{far}', outbox: i.db, {RETRY}}}}}", f"send: {{url: 'sqlite://{far}/e.db?table=seen', outbox: e.db, {RETRY}}}"])
    pictures = {n: b for n, b in files(far).items() if n.endswith(".jpg")}
    db = sqlite3.connect(far / "e.db")
    rows = db.execute("SELECT key, type, json_extract(data, '$.file') FROM seen ORDER BY time, key").fetchall()
    assert len(pictures) == 3 and all(b[:2] == b"\xff\xd8" for b in pictures.values()) and not (folder / "shots").exists()
    assert len(rows) == 3 and {r[2] for r in rows} == pictures.keys() and {r[1] for r in rows} == {"application/json"}, rows
    box = folder / "again.db"
    for key in (rows[0][0], "../../etc/.x y"):
        for to in (f"sqlite://{far}/e.db?table=seen", f"folder://{far}"):
            for _ in range(2):
                subprocess.run([WHET, "outbox", "put", box, "--key", key, "--type", "application/octet-stream"], input=b"\0\xff", check=True, stdout=subprocess.DEVNULL)
                subprocess.run([WHET, "outbox", "drain", box, "--to", to, "--once"], check=True, stdout=subprocess.DEVNULL)
    assert db.execute("SELECT count(*), count(DISTINCT key) FROM seen").fetchone() == (4, 4)
    assert db.execute("SELECT data FROM seen WHERE key='../../etc/.x y'").fetchone() == (b"\0\xff",)
    assert db.execute("SELECT type FROM seen WHERE key=?", (rows[0][0],)).fetchone() == ("application/json",)  # as it came first
    new = files(far).keys() - pictures.keys() - {"e.db"}
    assert {n for n in new if not n.startswith("e.db")} == {rows[0][0], "%2E.%2F..%2Fetc%2F.x%20y"}, new
    subprocess.run([WHET, "outbox", "put", box, "--key", "k" * 300], input=b"1", check=True, stdout=subprocess.DEVNULL)
    subprocess.run([WHET, "outbox", "drain", box, "--to", f"folder://{far}", "--once"], stdout=subprocess.DEVNULL)
    said = subprocess.run([WHET, "outbox", "dead", box], capture_output=True, text=True).stdout
    assert "no name for a file" in said, said


def wrong(folder):
    for sink, why in (("image: {}", "p.yaml:3: image: expected folder: where pictures are put, or send, or both"),
                      ("image: {send: {outbox: a.db}}", "p.yaml:3: image: expected url"),
                      ("image: {send: {url: 'folder:///tmp', streem: a}}", 'p.yaml:3: send has no key "streem"; did you mean "stream"?'),
                      ("image: {send: {url: 'folder:///tmp', stream: a}}", "stream belongs to an outbox"),
                      ("send: {url: 'folder:///tmp', outbox: a.db, max_bytes: 5x}", 'p.yaml:3: max_bytes: expected a size (4096, 64K, 16M, 2G), got "5x"'),
                      ("clip: {folder: a, send: {url: 'ftp://x'}}", "expected http://, https://, mqtt://, mqtts://, file:///, folder:///, sqlite:/// or -"),
                      ("send: 'sqlite://x.db'", "expected sqlite:/// and a path from the root"), ("send: 'sqlite:///x.db?tabel=a'", "expected ?table= and a name"),
                      ("send: 'sqlite:///x.db?table=a b'", "expected ?table= and a name"), ("send: 'folder://x'", "expected folder:/// and a path from the root")):
        assert why in run(folder, [sink], status=1), (sink, run(folder, [sink], status=1))
    said = run(folder, ["image: {send: 'folder:///nonexistent/x'}"], status=1)
    assert "send: expected a map" in said, said
    said = run(folder, ["image: {send: {url: 'folder:///nonexistent/x'}}"], status=1)
    assert "folder:///nonexistent/x: it was not taken: No such file or directory" in said, said


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
threading.Thread(target=server.serve_forever, daemon=True).start()
with tempfile.TemporaryDirectory() as top:
    for name in "abc":
        (pathlib.Path(top) / name / "far").mkdir(parents=True)
    over_http(pathlib.Path(top) / "a", f"http://127.0.0.1:{server.server_port}/in")
    elsewhere(pathlib.Path(top) / "b", (pathlib.Path(top) / "b/far").resolve())
    wrong(pathlib.Path(top) / "c")
server.shutdown()
