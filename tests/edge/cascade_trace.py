# SPDX-License-Identifier: Apache-2.0
"""A cascade over a bad link: up for 60 % of the time, 5 % of the requests lost, answers after up to 2 s. Every hard case has its answer
when the link is back, threads and memory stand still; in the long form, with nothing beside it, the local answers come as fast as with the link always up.

   cascade_trace.py [SECONDS [SPEED]]    of simulated time (120, 40); 3600 60 is the long form
   cascade_trace.py --write FILE [SECONDS]    only make the trace"""
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile


def trace(seconds, seed=1, down=0.4, loss=0.05, most=2000):
    """Lines seconds,up,latency_ms,loss. Times up and down are drawn from exponential distributions, 60 and 40 seconds in the mean, cut so that their shares are
    what is asked for in every 100 seconds; the latency changes every few seconds and is skewed, as on mobile links."""
    draw, lines, at = random.Random(seed), [], 0.0
    while at < seconds:
        span = min(100.0, seconds - at)
        pieces = draw.randint(1, 4)  # outages in these 100 seconds
        cut = lambda total: [total * x for x in (lambda w: [v / sum(w) for v in w])([draw.expovariate(1) + 0.1 for _ in range(pieces)])]
        for up, gone in zip(cut(span * (1 - down)), cut(span * down)):
            end = at + up
            while at < end:
                lines.append((at, 1, min(most, 30 + draw.expovariate(1 / 400)), loss))
                at = min(end, at + draw.uniform(1, 8))
            lines.append((at, 0, 0, 0))
            at += gone
    lines.append((seconds, 1, 30, loss))  # where it ends
    text = {f"{a:.3f}": f"{u},{ms:.0f},{p}" for a, u, ms, p in lines}  # of what falls on one millisecond the last
    return "seconds,up,latency_ms,loss\n" + "".join(f"{a},{rest}\n" for a, rest in text.items())


def main():
    if sys.argv[1:2] == ["--write"]:
        pathlib.Path(sys.argv[2]).write_text(trace(float(sys.argv[3]) if len(sys.argv) > 3 else 3600))
        return 0
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 120
    speed = float(sys.argv[2]) if len(sys.argv) > 2 else 40
    shared = pathlib.Path(os.environ.get("WHET_SHARED") or pathlib.Path(os.environ["WHET_SOURCE"]) / ".." / "shared").resolve()
    local, remote, data = shared / "models/resnet8_fp32.tflite", shared / "models/resnet8_int8.tflite", shared / "data/cifar10"
    if not (local.exists() and remote.exists() and data.exists()):
        print(f"skipped: needs {local}, {remote}, {data}")
        return 77
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "link.csv"
        file.write_text(trace(seconds))
        cascade = pathlib.Path(folder) / "cascade.yaml"
        cascade.write_text(f"local: {local}\nremote: {{file: {remote}}}\npolicy: {{measure: confidence, threshold: 0.6}}\nmode: correct\n")
        long = seconds >= 3600
        # by portable code, for a local model of a millisecond and more: the outbox's pauses are not those of simulated time, so that too many cases would take long
        r = subprocess.run([os.path.join(os.environ["WHET_BUILD"], "whet"), "cascade", "simulate", cascade, "--data", data, "--split", "test", "--trace", file,
                            "--seconds", str(seconds), "--speed", str(speed), "--items", "1000", "--wait", "100", "--json"], capture_output=True, text=True,
                           env={**os.environ, "WHET_CPU": "c"})
        assert not r.returncode, r.stderr
        j = json.loads(r.stdout)
        print(json.dumps(j))
        bad = j["trace"]
        assert 57 < j["link_up_percent"] < 63, j
        assert bad["offloaded"] > 0 and bad["waiting"] == 0 and bad["refused"] == 0, j
        assert bad["corrected"] + bad["answered_in_time"] == bad["offloaded"] == j["always_up"]["offloaded"], j
        assert j["threads_after"] <= j["threads_before"], j
        assert j["bytes_after"] - j["bytes_before"] < 8 << 20, j
        assert not long or j["p99_ratio"] < 1.05, j  # other tests run beside the quick form, which tells nothing of speed
    return 0


sys.exit(main())
