# SPDX-License-Identifier: Apache-2.0
"""Wake words by pymicro-wakeword and pyopen-wakeword, over TensorFlow Lite's C interface through ctypes: program.py [LIBRARY].

Prints the probability of every step for each model of the packages on speech-like sound. LIBRARY: in place of the packages' own."""
import sys

import numpy as np
import pymicro_wakeword as micro
import pyopen_wakeword as wake


def sound(seconds=6, rate=16000):
    """Chirps with harmonics that swell and fall, and noise by rule."""
    t = np.arange(seconds * rate) / rate
    f = 140 + 60 * np.sin(2 * np.pi * 1.3 * t)
    phase = 2 * np.pi * np.cumsum(f) / rate
    voice = sum(np.sin(k * phase) / k * (1 + np.sin(2 * np.pi * (0.7 * k) * t)) for k in range(1, 20))
    noise = np.random.default_rng(5).standard_normal(t.size)
    x = (voice * 3000 + noise * 200) * (0.6 + 0.4 * np.sin(2 * np.pi * 2.1 * t))
    return np.clip(x, -32768, 32767).astype(np.int16).tobytes()


def main():
    where = {"libtensorflowlite_c_path": sys.argv[1]} if len(sys.argv) > 1 else {}
    audio = sound()
    for model in micro.Model:
        word, features = micro.MicroWakeWord.from_builtin(model, **where), micro.MicroWakeWordFeatures()
        print("micro", model.value, word.stride, word.input_scale, word.input_zero_point, word.output_scale, word.output_zero_point)
        for f in features.process_streaming(audio):
            print(f"{word.process_streaming_prob(f):.6f}")
        word.close()
    for model in wake.Model:
        word, features = wake.OpenWakeWord.from_builtin(model, **where), wake.OpenWakeWordFeatures.from_builtin(**where)
        print("open", model.value)
        for i in range(0, len(audio), 2048):
            for f in features.process_streaming(audio[i:i + 2048]):
                print("features", f.shape, f"{float(np.abs(f).sum()):.4f}")
                for p in word.process_streaming(f):
                    print(f"{p:.6f}")
        word.close()
        features.close()


main()
