# SPDX-License-Identifier: Apache-2.0
"""A server for a test: made models in a folder, `whet serve` on a free port, ended by SIGTERM."""
import contextlib
import http.client
import json
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse

WHET = pathlib.Path(os.environ.get("WHET_BUILD", "build")) / "whet"
SHARED = pathlib.Path(os.environ.get("WHET_SHARED") or pathlib.Path(os.environ.get("WHET_SOURCE", ".")) / ".." / "shared")
SANITIZED = any(w in WHET.read_bytes() for w in (b"__asan_init", b"__tsan_init"))  # what it keeps for itself grows


def need(what, there):
    """End as skipped when something is not there."""
    if not there:
        print(f"skipped: needs {what}")
        sys.exit(77)


def put(folder, name, version, file, config=None, goldens=True):
    """A model of the shared folder as NAME/VERSION, with its stored cases."""
    to = pathlib.Path(folder) / name / str(version)
    to.mkdir(parents=True)
    model = SHARED / "models" / file
    shutil.copy(model, to / ("model" + model.suffix))
    cases = SHARED / "goldens" / file
    if goldens and cases.is_dir():
        shutil.copytree(cases, to, dirs_exist_ok=True)
    if config:
        (to.parent / "config.yaml").write_text(config)


class Server:
    def __init__(self, models, *options, command=None, env=None):
        self.log = tempfile.TemporaryFile("a+")  # appended to: whoever reads moves the place that both share
        if SANITIZED and "--no-sandbox" not in options:  # who is shut in cannot look for leaks
            env = {**(env or os.environ)}
            env["ASAN_OPTIONS"] = env.get("ASAN_OPTIONS", "") + ":detect_leaks=0"
        words = command or [str(WHET), "serve", "--models", str(models), "--port", "0"]
        self.process = subprocess.Popen([*words, *options], stdout=subprocess.PIPE, stderr=self.log, text=True, env=env)
        self.url = self.process.stdout.readline().strip()
        if not self.url:
            self.process.wait()
            raise SystemExit(f"the server does not start: {self.said()}")
        at = urllib.parse.urlparse(self.url)
        self.host, self.port, self.address = at.hostname, at.port, at.netloc

    def said(self):
        with open(f"/dev/fd/{self.log.fileno()}") as f:  # a place of its own: the server's writes move the one that it shares
            return f.read()

    def ask(self, method, path, body=None, headers={}):
        """Status, headers, body."""
        c = http.client.HTTPConnection(self.host, self.port, timeout=60)
        try:
            c.request(method, path, body, headers)
            r = c.getresponse()
            return r.status, r.headers, r.read()
        finally:
            c.close()

    def json(self, method, path, body=None, headers={}):
        status, _, out = self.ask(method, path, json.dumps(body) if body is not None else None, headers)
        return status, json.loads(out) if out else None

    def status(self, key):
        """A line of /proc/PID/status, in kB or as a number."""
        for line in open(f"/proc/{self.process.pid}/status"):
            if line.startswith(key + ":"):
                return int(line.split()[1])

    def files(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def end(self):
        """SIGTERM must end it with status 0."""
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(600 if SANITIZED else 60)
        assert status == 0, (status, self.said())


@contextlib.contextmanager
def serving(models, *options, **more):
    s = Server(models, *options, **more)
    try:
        yield s
        s.end()
    except BaseException:
        print(s.said()[-4000:], file=sys.stderr)
        raise
    finally:
        if s.process.poll() is None:
            s.process.kill()
            s.process.wait()


def wait_for(what, tries=3000):
    """Until it holds. Tries are counted, not time: on a busy machine everybody is late."""
    for _ in range(tries):
        if what():
            return
        time.sleep(0.02)
    raise AssertionError("what was waited for did not come")


def free_port():
    """A port that can be left and taken again. It is none that the system hands out: whoever asks such a port of this machine while nobody listens may be
    given it for its own end, and then holds it."""
    low = int(pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    while True:
        with socket.socket() as s, contextlib.suppress(OSError):
            s.bind(("127.0.0.1", random.randrange(low // 2, low)))
            return s.getsockname()[1]
