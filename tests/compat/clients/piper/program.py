# SPDX-License-Identifier: Apache-2.0
"""piper-phonemize with a model of its own in the original's form (.ort): program.py FOLDER, where the package lies."""
import sys

sys.path.insert(0, sys.argv[1])
import piper_phonemize  # noqa: E402

TEXTS = ("مرحبا بكم في هذا البرنامج", "السلام عليكم ورحمة الله وبركاته", "كتب الولد الدرس في المدرسة", "اللغة العربية جميلة جدا")
for text in TEXTS:
    print(piper_phonemize.tashkeel_run(text))
    print(piper_phonemize.phonemize_espeak(text, "ar"))
