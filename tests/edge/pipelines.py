# SPDX-License-Identifier: Apache-2.0
"""The examples of examples/pipelines as their readers run them, and a folder that is watched until the pipeline is told to end."""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

from server import SHARED, WHET

EXAMPLES = pathlib.Path(os.environ.get("WHET_SOURCE", ".")).resolve() / "examples/pipelines"


def run(words, **env):
    said = subprocess.run([str(w) for w in words], capture_output=True, text=True, env={**os.environ, "WHET": str(WHET.resolve()), **env})
    assert not said.returncode, said.stderr
    return [json.loads(line) for line in said.stdout.splitlines()]


def vibration():
    """Healthy for 30 of 60 seconds, then it fails: one alarm, within three seconds."""
    with tempfile.TemporaryDirectory() as folder:
        events = run([EXAMPLES / "vibration/run.sh", folder])
        assert [e["event"] for e in events] == ["on"], events
        assert 30 < events[0]["at"] < 33, events
        bad = subprocess.run([str(WHET), "pipeline", str(EXAMPLES / "vibration/vibration.yaml"), "--check"], capture_output=True, text=True,
                             env={**os.environ, "DATA": folder + "/none"})
        assert bad.returncode == 1 and "vibration.yaml:3: the model healthy" in bad.stderr, bad.stderr


def keywords():
    events = run([WHET, "pipeline", EXAMPLES / "keywords/keywords.yaml"], MODELS=str(SHARED.resolve() / "models"),
                 SOUND=str(SHARED.resolve() / "data/audio/*_1000ms.wav"))
    assert [(e["item"], e["subject"]) for e in events] == [("no_1000ms.wav", "no"), ("yes_1000ms.wav", "yes")], events


def faces():
    events = run([WHET, "pipeline", EXAMPLES / "faces/faces.yaml"], MODELS=str(SHARED.resolve() / "models"),
                 PICTURES=str(SHARED.resolve() / "data/images/*.jpg"))
    assert [len(e["objects"]) for e in events] == [19, 4, 3], events
    assert set(events[0]) == {"time", "item", "size", "objects"} and set(events[0]["objects"][0]) == {"label", "score", "box", "track"}


def watched():
    """Files that are moved in and written are taken; those that were there before are not; deleted when taken."""
    with tempfile.TemporaryDirectory() as top:
        top = pathlib.Path(top)
        (top / "in").mkdir()
        (top / "in/old.csv").write_text("1,2\n")
        (top / "p.yaml").write_text("source: {folder: {path: in, watch: true, only_new: true, match: '*.csv', then: delete, format: csv}}\n"
                                    "stages: [{values: [a, b]}]\nsinks: [{jsonl: out.jsonl}]\n")
        p = subprocess.Popen([str(WHET), "pipeline", str(top / "p.yaml")], stderr=subprocess.PIPE, text=True)
        out = top / "out.jsonl"
        for _ in range(500):
            if out.exists():
                break
            time.sleep(0.01)
        time.sleep(0.05)
        (top / "half.tmp").write_text("3,4\n5,6\n")
        (top / "half.tmp").rename(top / "in/new.csv")
        (top / "in/also.csv").write_text("7,8\n")
        (top / "in/other.txt").write_text("9,9\n")
        for _ in range(500):
            if len(out.read_text().splitlines()) == 3:
                break
            time.sleep(0.01)
        p.send_signal(signal.SIGTERM)
        begun = time.monotonic()
        assert p.wait(5) == 0, p.stderr.read()
        assert time.monotonic() - begun < 1
        events = [json.loads(line) for line in out.read_text().splitlines()]
        assert [(e["item"], e["values"]["a"]) for e in events] == [("new.csv", 3), ("new.csv", 5), ("also.csv", 7)], events
        assert sorted(f.name for f in (top / "in").iterdir()) == ["old.csv", "other.txt"]


def main():
    vibration()
    watched()
    if SHARED.exists():
        keywords()
        faces()


main()
