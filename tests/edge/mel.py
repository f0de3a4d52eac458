# SPDX-License-Identifier: Apache-2.0
"""The stage `mel` beside the formulas of librosa, torchaudio and Kaldi in NumPy, on a WAV file."""
import pathlib
import subprocess
import tempfile
import wave

import numpy as np

from server import WHET

RATE, LENGTH, HOP = 16000, 400, 160


def windows(x):
    return np.stack([x[i:i + LENGTH] for i in range(0, len(x) - LENGTH + 1, HOP)])


def slaney(f):
    return np.where(f < 1000, f / (200 / 3), 15 + np.log(np.maximum(f, 1e-9) / 1000) / (np.log(6.4) / 27))


def slaney_hertz(m):
    return np.where(m < 15, m * 200 / 3, 1000 * np.exp((m - 15) * np.log(6.4) / 27))


def htk(f):
    return 2595 * np.log10(1 + f / 700)


def htk_hertz(m):
    return 700 * (10 ** (m / 2595) - 1)


def dct(bands, n):
    k = np.arange(n)[:, None]
    d = np.cos(np.pi * k * (np.arange(bands) + .5) / bands) * np.sqrt(2 / bands)
    d[0] /= np.sqrt(2)
    return d


def triangles(points, at):
    """[bins][bands] between neighbouring points."""
    lower = (at[:, None] - points[None, :-2]) / np.diff(points)[None, :-1]
    upper = (points[None, 2:] - at[:, None]) / np.diff(points)[None, 1:]
    return np.maximum(0, np.minimum(lower, upper))


def hann(x, n_fft, to_mel, to_hertz, bands, lo, hi, areas):
    w = windows(x) * (.5 - .5 * np.cos(2 * np.pi * np.arange(LENGTH) / LENGTH))
    power = np.abs(np.fft.rfft(w, n_fft)) ** 2  # where the window lies in the transform turns phases alone
    points = to_hertz(np.linspace(to_mel(np.float64(lo)), to_mel(np.float64(hi)), bands + 2))
    t = triangles(points, np.arange(n_fft // 2 + 1) * RATE / n_fft)
    if areas:
        t = t * (2 / (points[2:] - points[:-2]))
    return 10 * np.log10(np.maximum(power @ t, 1e-10))


def kaldi(x, bands, lo, hi):
    w = windows(x)
    w = w - w.mean(1, keepdims=True)
    w = w - .97 * np.concatenate([w[:, :1], w[:, :-1]], 1)
    w = w * (.5 - .5 * np.cos(2 * np.pi * np.arange(LENGTH) / (LENGTH - 1))) ** .85
    power = np.abs(np.fft.rfft(w, 512)) ** 2
    mel = lambda f: 1127 * np.log(1 + f / 700)  # noqa: E731
    t = triangles(np.linspace(mel(lo), mel(hi), bands + 2), mel(np.arange(256) * RATE / 512))
    return np.log(np.maximum(power[:, :256] @ t, 2.0 ** -23))


def cases(x):
    """Settings of the stage, and what it must give."""
    yield "bands: 64, fft: 512, between: [50, 7600]", hann(x, 512, slaney, slaney_hertz, 64, 50, 7600, True)
    yield "kind: torchaudio, bands: 40", hann(x, LENGTH, htk, htk_hertz, 40, 0, 8000, False)
    yield "kind: torchaudio, bands: 40, cepstra: 13", hann(x, LENGTH, htk, htk_hertz, 40, 0, 8000, False) @ dct(40, 13).T
    fbank = kaldi(x * 32768, 23, 20, 8000)
    yield "kind: kaldi, bands: 23, between: [20, 8000], scale: 32768", fbank
    lift = 1 + 11 * np.sin(np.pi * np.arange(13) / 22)
    yield "kind: kaldi, bands: 23, between: [20, 8000], scale: 32768, cepstra: 13, lifter: 22", (fbank @ dct(23, 13).T) * lift


def run(top, settings):
    (top / "p.yaml").write_text(f"source: {{files: s.wav}}\nstages:\n  - window: {{length: {LENGTH}, hop: {HOP}}}\n"
                                f"  - mel: {{{settings}}}\nsinks: [{{arrays: out.npy}}]\n")
    return subprocess.run([str(WHET), "pipeline", str(top / "p.yaml")], capture_output=True, text=True)


def main():
    r = np.random.default_rng(5)
    t = np.arange(RATE) / RATE
    x = .4 * np.sin(2 * np.pi * (200 + 3000 * t) * t) * (t > .2) + .05 * r.standard_normal(RATE)
    pcm = np.round(np.clip(x, -1, 1) * 32767).astype("<i2")
    with tempfile.TemporaryDirectory() as top:
        top = pathlib.Path(top)
        with wave.open(str(top / "s.wav"), "wb") as f:
            f.setparams((1, 2, RATE, 0, "NONE", ""))
            f.writeframes(pcm.tobytes())
        for settings, want in cases(pcm / 32768):
            (top / "out.npy").unlink(missing_ok=True)
            p = run(top, settings)
            assert not p.returncode, p.stderr
            got = np.load(top / "out.npy").reshape(want.shape)
            assert np.abs(got - want).max() < 2e-3, (settings, np.abs(got - want).max())
            assert np.ptp(want) > 5
        for settings, why in [("bands: 4, cepstra: 9", "p.yaml:4"), ("bands: 4, fft: 16", "a transform of 16 samples for windows of 400"),
                              ("between: [100, 9000]", "bands from 100 to 9000 Hz"), ("kind: other", "p.yaml:4")]:
            p = run(top, settings)
            assert p.returncode == 1 and why in p.stderr, (settings, p.returncode, p.stderr)


if __name__ == "__main__":
    main()
