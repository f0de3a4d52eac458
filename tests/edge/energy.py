# SPDX-License-Identifier: Apache-2.0
"""Joules as they are shown: planted trees of sysfs with each kind of counter, sensor and gauge, read by a pipeline (its JSON, its
/metrics, `whet top`, what it says at its end) and by the server's /metrics. A machine that tells nothing: a pipeline estimates and says
within which error, the server shows none."""
import http.client
import json
import pathlib
import re
import subprocess
import tempfile
import time

from server import WHET, serving

PIPELINE = """%ssource: {sensor: {files: {load: %s/load}, every: 10ms}}
stages: [{threshold: {of: load, on: 1}}]
sinks: [{live: {port: 0}}]
"""
# A kind as it is told, its error, files of a tree, then what changes and how many joules that is; None: watts by time, as many as told
TREES = (
    ("rapl", 0.05, {"powercap/intel-rapl:0/name": "package-0", "powercap/intel-rapl:0/energy_uj": "4000000", "powercap/intel-rapl:0/max_energy_range_uj": "5000000",
                    "powercap/intel-rapl:0:0/name": "core", "powercap/intel-rapl:0:0/energy_uj": "1", "powercap/intel-rapl:0:1/name": "dram",
                    "powercap/intel-rapl:0:1/energy_uj": "10"},
     {"powercap/intel-rapl:0/energy_uj": "1000000", "powercap/intel-rapl:0:1/energy_uj": "500010", "powercap/intel-rapl:0:0/energy_uj": "900000"}, 2.5),
    ("energy", 0.05, {"hwmon/hwmon3/name": "ina", "hwmon/hwmon3/energy1_input": "250000"}, {"hwmon/hwmon3/energy1_input": "1750000"}, 1.5),
    ("power", 0.1, {"hwmon/hwmon0/name": "soc", "hwmon/hwmon0/power1_input": "3000000"}, {}, 3),
    ("battery", 0.15, {"power_supply/BAT1/type": "Battery", "power_supply/BAT1/status": "Discharging", "power_supply/BAT1/power_now": "6500000"}, {}, 6.5),
    ("battery", 0.15, {"power_supply/AC/type": "Mains", "power_supply/bms/type": "Battery", "power_supply/bms/status": "Discharging",
                       "power_supply/bms/current_now": "-500000", "power_supply/bms/voltage_now": "4000000"}, {}, 2),
)


def plant(tree, files):
    for path, text in files.items():
        to = tree / "class" / path
        to.parent.mkdir(parents=True, exist_ok=True)
        to.write_text(text + "\n")


def ask(port, path):
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    c.request("GET", path)
    r = c.getresponse()
    assert r.status == 200
    return r.read().decode()


def number(text, name):
    found = re.search(rf"^{name}(?:\{{([^}}]*)\}})? ([-+.\de]+)$", text, re.M)
    return found and (found.group(1), float(found.group(2)))


class Pipeline:
    """One that runs over a tree, with its live page."""

    def __init__(self, folder, tree, more=""):
        (folder / "load").write_text("2\n")
        (folder / "p.yaml").write_text(PIPELINE % (more, folder))
        self.began = time.monotonic()
        self.p = subprocess.Popen([WHET, "pipeline", folder / "p.yaml", "--sysfs", tree, "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.port = None
        while self.port is None:
            line = self.p.stderr.readline()
            assert line, "it does not start"
            if "listens" in line:
                self.port = int(line.rpartition(":")[2].strip("/\n"))
        while json.loads(ask(self.port, "/stats"))["state"] != "running":  # sinks listen before sources begin
            time.sleep(0.01)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.p.kill()
        self.p.wait()

    def end(self):
        self.p.terminate()
        out, log = self.p.communicate(timeout=20)
        assert not self.p.returncode, log
        return json.loads(out.splitlines()[-1])


def pipeline(folder, tree, kind, error, change, much):
    with Pipeline(folder, tree) as p:
        first = json.loads(ask(p.port, "/stats"))["energy"]
        assert first["source"] == kind and abs(first["relative_error"] - error) < 1e-9, first
        plant(tree, change)
        time.sleep(0.4)
        metrics = ask(p.port, "/metrics")
        labels, joules = number(metrics, "whet_pipeline_energy_joules_total")
        assert labels == f'source="{kind}"' and number(metrics, "whet_pipeline_energy_relative_error")[1] == error, metrics
        shown = subprocess.run([WHET, "top", str(p.port), "--count", "1", "--every", "0.1"], capture_output=True, text=True, check=True).stdout
        assert f"({kind}, within {100 * error:.0f} %)" in shown, shown
        stats = json.loads(ask(p.port, "/stats"))
        now, energy = time.monotonic(), stats["energy"]
        watts = number(metrics, "whet_pipeline_watts")[1]
        if change:
            assert abs(joules - much) < 1e-6 and abs(energy["joules"] - much) < 1e-6, (joules, energy)
            assert f"{much:.3g} J in all" in shown and watts > 0, (shown, watts)
        else:  # between the time that it surely ran and the time since it was begun
            assert much * 0.4 < joules < much * (now - p.began) and joules < energy["joules"] < much * (now - p.began), (joules, energy)
            told = float(re.search(r"energy +([\d.]+) W", shown).group(1))
            assert all(abs(w - much) < 0.1 * much for w in (watts, energy["watts"], told)), (watts, energy, shown)
        frames = stats["branches"][0]["frames"]
        assert 0.8 * energy["joules"] / (frames + 5) < energy["joules_per_frame"] < 1.2 * energy["joules"] / max(1, frames - 5), (energy, frames)
        last = p.end()["energy"]
        assert last["source"] == kind and last["joules"] >= energy["joules"], last


def server(folder, tree, kind, change, much):
    began = time.monotonic()
    (folder / "models").mkdir(exist_ok=True)
    with serving(folder / "models", "--sysfs", str(tree)) as s:
        least = time.monotonic()
        assert number(ask(s.port, "/metrics"), "whet_energy_joules_total")[0] == f'source="{kind}"'
        plant(tree, change)
        time.sleep(0.3)
        ran = time.monotonic() - least
        joules = number(ask(s.port, "/metrics"), "whet_energy_joules_total")[1]
        if change:
            assert abs(joules - much) < 1e-6, joules
        else:
            assert 0.99 * much * ran < joules < much * (time.monotonic() - began), (joules, ran)


def silent(folder):
    """A machine that tells nothing."""
    (folder / "sys/class").mkdir(parents=True)
    with Pipeline(folder, folder / "sys") as p:
        energy = json.loads(ask(p.port, "/stats"))["energy"]
        assert energy["source"] == "estimate" and energy["relative_error"] == 1, energy
        assert number(ask(p.port, "/metrics"), "whet_pipeline_energy_joules_total")[0] == 'source="estimate"'
        assert p.end()["energy"]["source"] == "estimate"
    with Pipeline(folder, folder / "sys", "energy: {idle: 20, busy: 0.001, error: 25%}\n") as p:  # as somebody has measured it
        time.sleep(0.3)
        energy = json.loads(ask(p.port, "/stats"))["energy"]
        assert energy["source"] == "estimate" and energy["relative_error"] == 0.25, energy
        assert 20 * 0.3 <= energy["joules"] < 20 * (time.monotonic() - p.began) + 1, energy
        assert "(estimate, within 25 %)" in subprocess.run([WHET, "top", str(p.port), "--count", "1", "--every", "0.1"], capture_output=True, text=True, check=True).stdout
        p.end()
    (folder / "models").mkdir()
    with serving(folder / "models", "--sysfs", str(folder / "sys")) as s:
        assert number(ask(s.port, "/metrics"), "whet_energy_joules_total") is None


for kind, error, files, change, much in TREES:
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        plant(folder / "sys", files)
        pipeline(folder, folder / "sys", kind, error, change, much)
        plant(folder / "sys", files)
        server(folder, folder / "sys", kind, change, much)
        print(f"{kind}: {', '.join(sorted(files))[:60]}: passed", flush=True)
with tempfile.TemporaryDirectory() as folder:
    silent(pathlib.Path(folder))
