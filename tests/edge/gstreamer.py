# SPDX-License-Identifier: Apache-2.0
"""The elements of GStreamer in gst-launch-1.0: faces in videos, pictures of odd strides, sizes that change, what is refused and how."""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

from server import SHARED, need

BUILD = pathlib.Path(os.environ.get("WHET_BUILD", "build")).resolve()
SOURCE = pathlib.Path(os.environ.get("WHET_SOURCE", ".")).resolve()
DIGITS = SOURCE / "tools/demo_model/digits_mlp.tflite"
ENV = {**os.environ, "GST_PLUGIN_PATH": str(BUILD / "gst"), "GST_REGISTRY": str(BUILD / "gst/registry.bin"), "LC_ALL": "C"}


def launch(*words, fails=False):
    """What gst-launch-1.0 says; `words` are pieces of a pipeline. When an element fails while the pipeline prerolls, gst-launch-1.0 now and then
    stays although it has told the error (with GStreamer's own `identity error-after=1 ! fakesink`, too): it is then ended."""
    p = subprocess.Popen(["gst-launch-1.0", "-m", *" ".join(str(w) for w in words).split()], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                         env=ENV)
    try:
        said = p.communicate(timeout=15 if fails else 100)[0]
        assert (p.returncode != 0) == fails, said[-2000:]
    except subprocess.TimeoutExpired:
        p.kill()
        said = p.communicate()[0]
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


need("gst-launch-1.0", not subprocess.run(["sh", "-c", "command -v gst-launch-1.0 gst-inspect-1.0"], capture_output=True).returncode)
need("elements videotestsrc, concat, tee, queue", has("videotestsrc", "concat", "tee", "queue"))
for test in (shown, digits, filtered, refused, faces):
    test()
    print("ok", test.__name__)
