# SPDX-License-Identifier: Apache-2.0
"""Silero's voice detector in a pipeline against onnxruntime: each frame's probability, and the segments, by the rules of its
get_speech_timestamps over the whole recording at once."""
import json
import pathlib
import subprocess
import tempfile
import wave

import numpy as np
import onnxruntime

from server import SHARED, WHET, need

CASES = [dict(on=0.5, off=0.35, speech=0.25, silence=0.1, pad=0.03), dict(on=0.8, off=0.65, speech=0.05, silence=0.02, pad=0.1)]


def probabilities(model, audio):
    s = onnxruntime.InferenceSession(str(model), providers=["CPUExecutionProvider"])
    state, context, out = np.zeros((2, 1, 128), np.float32), np.zeros(64, np.float32), []
    for i in range(0, len(audio), 512):
        chunk = np.pad(audio[i:i + 512], (0, max(0, i + 512 - len(audio))))
        x = np.concatenate([context, chunk])
        p, state = s.run(None, {"input": x[None], "state": state, "sr": np.array(16000, np.int64)})
        context = x[-64:]
        out.append(float(p[0, 0]))
    return out


def segments(p, n, on, off, speech, silence, pad):
    """All of them at once, in samples, then padded."""
    speech, silence, pad = (round(16000 * v) for v in (speech, silence, pad))
    found, start, quiet = [], None, None
    for i, v in enumerate(p):
        if v >= on:
            quiet = None
            if start is None:
                start = 512 * i
        elif v < off and start is not None:
            quiet = 512 * i if quiet is None else quiet
            if 512 * i - quiet >= silence:
                if quiet - start > speech:
                    found.append([start, quiet])
                start = quiet = None
    if start is not None and n - start > speech:
        found.append([start, n])
    for i, s in enumerate(found):
        if i == 0:
            s[0] = max(0, s[0] - pad)
        gap = found[i + 1][0] - s[1] if i + 1 < len(found) else None
        if gap is not None and gap < 2 * pad:
            s[1] += gap // 2
            found[i + 1][0] = max(0, found[i + 1][0] - gap // 2)
        else:
            s[1] = min(n, s[1] + pad)
            if gap is not None:
                found[i + 1][0] = max(0, found[i + 1][0] - pad)
    return found


def pipeline(folder, model, audio, voice):
    file = pathlib.Path(folder) / "vad.yaml"
    file.write_text(f"models: {{vad: {model}}}\nsource: {{files: {audio}}}\nstages:\n"
                    "  - window: {length: 576, hop: 512, before: 64, rest: pad}\n"
                    "  - infer: {model: vad, set: {sr: 16000}, state: {state: stateN}}\n"
                    f"  - voice: {voice}\nsinks: [stdout]\n")
    said = subprocess.run([str(WHET), "pipeline", str(file)], capture_output=True, text=True)
    assert not said.returncode and not said.stderr, said.stderr
    return [json.loads(line) for line in said.stdout.splitlines()]


def main():
    recording = SHARED / "data/audio/silero_test.wav"
    need("the shared folder", recording.exists())
    with wave.open(str(recording)) as w:
        audio = np.frombuffer(w.readframes(1 << 30), "<i2").astype(np.float32) / 32768
    with tempfile.TemporaryDirectory() as folder:
        for name in ("silero_vad.onnx", "silero_vad_16k.onnx"):
            model = (SHARED / "models" / name).resolve()
            want = probabilities(model, audio)
            for case in CASES:
                voice = "{%s, pass: all}" % ", ".join(f"{k}: {v}" for k, v in case.items())
                said = pipeline(folder, model, recording.resolve(), voice)
                got = [s["values"]["speech"] for s in said if "event" not in s]
                worst = max(abs(a - b) for a, b in zip(want, got, strict=True))
                assert worst < 1e-3, f"{name}: a frame is off by {worst}"
                mine = [[round(16000 * s["at"]), round(16000 * s["until"])] for s in said if s.get("event") == "speech"]
                theirs = segments(want, len(audio), **case)
                assert mine == theirs, f"{name}, {case}: {mine} instead of {theirs}"
                assert len(mine) > 10
                print(f"{name}: {len(got)} frames within {worst:.1e}, {len(mine)} segments the same")


main()
