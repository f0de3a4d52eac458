# SPDX-License-Identifier: Apache-2.0
"""The elements of GStreamer in gst-launch-1.0: faces in videos, pictures of odd strides, sizes that change, what is refused and how."""
import os
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import threading

from head import head_model
from server import SHARED, need

BUILD = pathlib.Path(os.environ.get("WHET_BUILD", "build")).resolve()
SOURCE = pathlib.Path(os.environ.get("WHET_SOURCE", ".")).resolve()
DIGITS = SOURCE / "tools/demo_model/digits_mlp.tflite"
ENV = {**os.environ, "GST_PLUGIN_PATH": str(BUILD / "gst"), "GST_REGISTRY": str(BUILD / "gst/registry.bin"), "LC_ALL": "C"}


def launch(*words, fails=False):
    """What gst-launch-1.0 says; `words` are pieces of a pipeline. When an element fails while the pipeline prerolls, gst-launch-1.0 now and then
    stays although it has told the error (with GStreamer's own `identity error-after=1 ! fakesink`, too): it is then ended."""
    p = subprocess.Popen(["gst-launch-1.0", "-m", *" ".join(str(w) for w in words).split()], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                         env=ENV)  # errors apart: one pipe for both cuts their lines
    try:
        said = "\n".join(p.communicate(timeout=15 if fails else 100))
        assert (p.returncode != 0) == fails, said[-2000:]
    except subprocess.TimeoutExpired:
        p.kill()
        said = "\n".join(p.communicate())
        assert fails and "ERROR: from" in said, said[-2000:]
    assert "CRITICAL" not in said and "WARNING **" not in said, said[-2000:]
    return said


def counts(said, message="whet-objects"):
    return [int(n) for n in re.findall(message + r", pts=\(guint64\)\d+, count=\(int\)(\d+)", said)]


def has(*elements):
    return all(not subprocess.run(["gst-inspect-1.0", e], capture_output=True, env=ENV).returncode for e in elements)


def shown():
    for e, words in {"whetinfer": ["model", "letterbox"], "whetdecode": ["scores-boxes", "anchors"], "whetfilter": ["on-after"],
                     "whetoverlay": ["blur"]}.items():
        said = subprocess.run(["gst-inspect-1.0", e], capture_output=True, text=True, env=ENV).stdout
        assert all(w in said for w in words), (e, said)


def digits():
    """A class for every picture, of any format and stride, when sizes change on the way, and for every third alone."""
    model = f"whetinfer model={DIGITS}"
    classes = "whetdecode kind=classes most=1 score=0 post=true"
    for form in ("RGB", "BGRx", "GRAY8"):
        said = launch("videotestsrc num-buffers=5 ! video/x-raw,width=101,height=57,format=" + form, "!", model, "!", classes, "! whetoverlay ! fakesink")
        assert counts(said) == [1] * 5, said[-2000:]
    said = launch("concat name=c !", model, "!", classes, "! fakesink",
                  "videotestsrc num-buffers=2 ! video/x-raw,width=101,height=57,format=RGB ! c.",
                  "videotestsrc num-buffers=3 ! video/x-raw,width=64,height=480,format=RGB ! c.")
    assert counts(said) == [1] * 5, said[-2000:]
    assert re.findall(r"w=\(uint\)(\d+)", said.replace("\\", "")) == ["101"] * 2 + ["64"] * 3, said[-2000:]
    said = launch("videotestsrc num-buffers=7 ! video/x-raw,width=28,height=28,format=GRAY8 !", model + " every=3 !", classes, "! fakesink")
    assert counts(said) == [1] * 3, said[-2000:]


def filtered():
    """Turns on after three pictures with something; none passes while it must not; copies go their own way."""
    with tempfile.TemporaryDirectory() as top:
        out = pathlib.Path(top) / "out.raw"
        head = f"videotestsrc num-buffers=6 ! video/x-raw,width=28,height=28,format=GRAY8 ! whetinfer model={DIGITS} ! whetdecode kind=classes most=1 score=0 ! "
        said = launch(head, "whetfilter on-after=3 pass=on post=true ! filesink location=" + str(out))
        assert out.stat().st_size == 4 * 28 * 28 and counts(said, "whet-on") == [1], (out.stat().st_size, said[-2000:])
        launch(head, "whetfilter labels=none pass=on ! filesink location=" + str(out))
        assert out.stat().st_size == 0
        # what one branch paints, the other must not see
        other = pathlib.Path(top) / "other.raw"
        launch(head, "tee name=t ! queue ! whetoverlay style=fill color=65793 ! filesink location=" + str(out),
               "t. ! queue ! filesink location=" + str(other))
        assert out.read_bytes() == b"\1" * (6 * 28 * 28) and other.read_bytes() != out.read_bytes()


def refused():
    for words, why in [("whetinfer model=none.onnx", "none.onnx: No such file"), ("whetinfer", "model is not set"),
                       (f"whetinfer model={DIGITS} std=0", 'std "0": expected numbers above 0'),
                       (f"whetinfer model={DIGITS} ! whetdecode kind=anchors", "needs anchors"),
                       (f"whetinfer model={DIGITS} ! whetdecode kind=ssd", "whetdecode"),
                       (f"whetinfer model={DIGITS} ! whetdecode kind=classes output=3", "no output 3"),
                       (f"whetinfer model={SOURCE}/README.md", "README.md")]:
        said = launch("videotestsrc num-buffers=2 !", words, "! fakesink", fails=True)
        errors = [line for line in said.splitlines() if line.startswith("ERROR: from") and "GstWhet" in line]
        assert len(errors) == 1 and why in errors[0], (words, said[-1500:])
    for words, told in [("whetdecode kind=classes", 1), (f"whetinfer model={DIGITS} every=2 ! whetdecode kind=classes", 0)]:
        said = launch("videotestsrc num-buffers=3 !", words, "! fakesink")
        assert said.count("no buffer had a model's outputs") == told, said[-1500:]


def faces():
    model, images = SHARED.resolve() / "models/ultraface_rfb320.onnx", SHARED.resolve() / "data/images"
    if not model.exists() or not has("avimux", "avidemux", "jpegdec", "jpegenc", "multifilesrc"):
        print("faces: skipped: needs the shared models and gstreamer1.0-plugins-good")
        return
    with tempfile.TemporaryDirectory() as top:
        for name, want in (("faces_2", 4), ("faces_10", 19)):
            video = f"{top}/{name}.avi"
            launch(f"multifilesrc location={images}/{name}.jpg num-buffers=3 caps=image/jpeg,framerate=30/1 ! jpegdec ! videoconvert !",
                   f"jpegenc quality=95 ! avimux ! filesink location={video}")
            said = launch(f"filesrc location={video} ! avidemux ! jpegdec ! videoconvert ! whetinfer model={model} mean=127 std=128 !",
                          "whetdecode kind=scores-boxes score=0.7 overlap=0.3 post=true ! whetfilter pass=on ! whetoverlay ! fakesink")
            assert counts(said) == [want] * 3, (name, said[-2000:])


def listened():
    """Sound from a file, as from a microphone: windows of samples, and of mel cepstra, give the numbers that a pipeline of the same stages gives."""
    models, sound = SHARED.resolve() / "models", SHARED.resolve() / "data/audio/yes_1000ms.wav"
    if not sound.exists() or not has("wavparse", "audioconvert"):
        print("listened: skipped: needs the shared models and gstreamer1.0-plugins-good")
        return
    whet = BUILD / "whet"
    with tempfile.TemporaryDirectory() as top:
        top = pathlib.Path(top)

        def wanted(name, stages):
            (top / "p.yaml").write_text(f"models: {{m: {models}/{name}.tflite}}\nsource: {{files: {sound}}}\nstages:\n  - columns: {{mean: true}}\n{stages}"
                                        f"  - output\nsinks: [{{stdout: {{}}}}, {{arrays: {top}/{name}.npy}}]\n".replace("{stdout: {}}, ", ""))
            said = subprocess.run([whet, "pipeline", top / "p.yaml"], capture_output=True, text=True)
            assert not said.returncode, said.stderr
            data = (top / f"{name}.npy").read_bytes()
            return struct.unpack(f"<{(len(data) - 128) // 4}f", data[128:])

        def given(name, words, format="S16LE", buffers=""):
            said = launch(f"filesrc location={sound} {buffers} ! wavparse ! audioconvert ! audio/x-raw,format={format} !",
                          f"whetinfer model={models}/{name}.tflite post=true {words} ! fakesink")
            lines = [line.replace("\\", "") for line in said.splitlines() if "whet-tensors" in line]
            return [float(v) for line in lines for v in re.search(r"values=\(double\)<([^>]*)>", line).group(1).split(",")], \
                   [int(v) for line in lines for v in re.findall(r"(?:pts|until)=\(guint64\)(\d+)", line)]

        want = wanted("audio_preprocessor_int8", "  - window: {length: 30ms, hop: 20ms}\n  - infer: {model: m, scale: 32768}\n")
        for format, cut in ("S16LE", ""), ("F32LE", "blocksize=1000"):
            got, times = given("audio_preprocessor_int8", "window=30 hop=20 scale=32768", format, cut)
            assert len(got) == len(want) == 49 * 40 and all(abs(a - b) < 1e-6 for a, b in zip(got, want)), (len(got), len(want))
            assert times[:4] == [0, 30000000, 20000000, 50000000] and times[-1] == 990000000, times
        want = wanted("kws_fp32", "  - window: {length: 40ms, hop: 20ms}\n  - mel: {bands: 40, cepstra: 10, between: [20, 4000], kind: torchaudio, rate: 50}\n"
                                  "  - window: 49\n  - infer: m\n")
        words = "window=40 hop=20 front=torchaudio bands=40 cepstra=10 low=20 high=4000 rows=49"
        got, _ = given("kws_fp32", words, "F32LE")
        assert len(got) == len(want) == 12 and all(abs(a - b) < 1e-5 for a, b in zip(got, want)), (got, want)
        said = launch(f"filesrc location={sound} ! wavparse ! whetinfer model={models}/kws_fp32.tflite {words} ! whetdecode kind=classes most=1 post=true ! fakesink")
        assert counts(said) == [1] and "class-9" in said, said[-2000:]
        said = launch(f"filesrc location={sound} ! wavparse ! whetinfer model={models}/kws_fp32.tflite window=40 ! fakesink", fails=True)
        assert "takes 490 numbers, a window has 640" in said, said[-2000:]


class Server:
    """whet serve with the large net of digits, or with a model that is given as bytes."""

    def __init__(self, folder, model=None):
        (folder / "models/big/1").mkdir(parents=True)
        (folder / "models/big/1/model.onnx").write_bytes(model or (SHARED.resolve() / "models/mnist_cnn.onnx").read_bytes())
        self.folder, self.port, self.process = folder, 0, None

    def start(self):
        self.process = subprocess.Popen([BUILD / "whet", "serve", "--models", self.folder / "models", "--port", str(self.port)], stdout=subprocess.DEVNULL,
                                        stderr=subprocess.PIPE, text=True)
        for line in self.process.stderr:
            found = re.search(r"http://127.0.0.1:(\d+)", line)
            if found:
                self.port = int(found.group(1))
                break
        threading.Thread(target=lambda: [None for _ in self.process.stderr], daemon=True).start()

    def stop(self):
        self.process.terminate()
        self.process.wait(20)


def cascaded():
    """A net here, a larger one behind whet serve: its answers in time, as corrections, and, after the link was down, from the outbox."""
    if not has("whetcascade") or not (SHARED / "models/mnist_cnn.onnx").exists():
        print("cascaded: skipped: needs SQLite, the shared models")
        return
    with tempfile.TemporaryDirectory() as top:
        top = pathlib.Path(top)
        server = Server(top)
        server.start()
        try:
            head = f"videotestsrc num-buffers=5 ! video/x-raw,width=28,height=28,format=GRAY8,framerate=10/1 ! whetinfer model={DIGITS} !"
            remote = f"whetcascade url=http://127.0.0.1:{server.port} model=big shape=1,1,28,28 threshold=2 "
            said = launch(head, remote, "mode=wait deadline=20 ! fakesink")
            assert said.count("whet-cascade") == 5 and said.count("remote=(boolean)true") == 5 and "whet-correction" not in said, said[-2000:]
            said = launch(head, remote, f"outbox={top}/box.db wait-eos=20 ! fakesink")
            assert said.count("whet-cascade") == said.count("provisional=(boolean)true") == 5, said[-2000:]
            keys = re.findall(r'whet-correction, pts=\(guint64\)(\d+)', said)
            assert sorted(map(int, keys)) == [i * 100000000 for i in range(5)], said[-2000:]
            said = launch(head, remote.replace("threshold=2", "threshold=0"), "! fakesink")
            assert said.count("hard=(boolean)false") == 5 and "whet-correction" not in said, said[-2000:]
            server.stop()
            said = launch(head, remote, f"outbox={top}/later.db wait-eos=0.1 ! fakesink")
            assert said.count("provisional=(boolean)true") == 5 and "whet-correction" not in said, said[-2000:]
            server.start()
            said = launch("videotestsrc num-buffers=1 ! video/x-raw,width=28,height=28,format=GRAY8 !", f"whetinfer model={DIGITS} !",
                          remote.replace("threshold=2", "threshold=0"), f"outbox={top}/later.db wait-eos=30 ! fakesink")
            assert said.count("whet-correction") == 5, said[-2000:]
        finally:
            server.stop()
    words = "features=0 shape=1,10 type=int8 scale=127"
    with tempfile.TemporaryDirectory() as top:
        server = Server(pathlib.Path(top), head_model())
        server.start()
        try:
            head = f"videotestsrc num-buffers=5 ! video/x-raw,width=28,height=28,format=GRAY8,framerate=10/1 ! whetinfer model={DIGITS} !"
            remote = f"whetcascade url=http://127.0.0.1:{server.port} model=big threshold=2 mode=wait deadline=20 "
            local = re.findall(r"whet-cascade.*label-id=\(int\)(\d+)", launch(head, remote.replace("threshold=2", "threshold=0"), words, "! fakesink"))
            said = launch(head, remote, words, "! fakesink")  # instead of 784 bytes of the picture
            assert said.count("remote=(boolean)true") == 5, said[-2000:]
            away = re.findall(r"whet-cascade.*label-id=\(int\)(\d+)", said)
            assert len(local) == len(away) == 5 and all(a != b for a, b in zip(local, away)), (local, away)
            said = launch(head, remote, words, "price=1 money=2 ! fakesink")
            assert 2 <= said.count("remote=(boolean)true") <= 3, said[-2000:]
            for more, why in (("features=1", "the local model has no output 1; it has 1"), ("shape=1,11", "shape has 11 numbers, the local model's output 0 has 10")):
                said = launch(head, remote, words, more, "! fakesink", fails=True)
                assert why in said, said[-2000:]
        finally:
            server.stop()
    for words, why in (("url=http://x model=y", "shape"), ("model=y shape=1,1,28,28", "url and model")):
        said = launch(f"videotestsrc num-buffers=1 ! whetinfer model={DIGITS} ! whetcascade", words, "! fakesink", fails=True)
        assert why in said, said[-2000:]


need("gst-launch-1.0", not subprocess.run(["sh", "-c", "command -v gst-launch-1.0 gst-inspect-1.0"], capture_output=True).returncode)
need("elements videotestsrc, concat, tee, queue", has("videotestsrc", "concat", "tee", "queue"))
for test in (shown, digits, filtered, refused, faces, listened, cascaded):
    test()
    print("ok", test.__name__)
