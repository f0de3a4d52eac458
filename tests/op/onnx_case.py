# SPDX-License-Identifier: Apache-2.0
"""How onnx_fuzz.py draws inputs and attributes of each operator. A recipe fills a Draw, or answers False when this combination is
none.

Long because every operator has its own."""
import math

import ml_dtypes
import numpy as np

# Cases in which ONNX's reference is no judge: LRN sums other channels, GlobalMaxPool drops a dimension of rank 3, pools take
# padding and 3-D windows otherwise, LpNormalization takes no magnitudes, ConvTranspose and recurrent networks leave attributes out,
# Slice takes nothing backwards from before the first element, Softmax and its kin take one axis before opset 13 too, Unsqueeze then
# inserts one after the other, losses are summed in bfloat16, GridSample cuts the weights of integers to 0 and moves cubic places
# inside, Resize and Upsample round integers where onnxruntime (and whet) cut, drop imaginary parts, and look half an element before
# the first where one is left, Shape clamps negative ends otherwise, Unique sorts where it should not.
DISTRUSTED = (r"^(LRN|GlobalMaxPool|AveragePool|LpPool|MaxPool|LpNormalization|Slice|Resize|GridSample|Shape|Unique|ConvTranspose|RNN|GRU|LSTM)_"
              r"|^(Softmax|LogSoftmax|Hardmax)_(\d|1[0-2])_"
              r"|^Unsqueeze_(\d|1[0-2])_|^(NegativeLogLikelihood|SoftmaxCrossEntropy)Loss_\d+_bfloat16|^Upsample_\d+_u?int")
# Cases in which onnxruntime is at fault: pattern of names, and why.
EXPLAINED = {
    r"^QuantizeLinear_\d+_float16": "divides in f32, the specification in the scale's type",
    r"^Gather_\d+_string": "some strings come out empty",
}


# Types of 8 bits and less by the names of the schemas: numpy's types.
SMALL = {"float8e4m3fn": ml_dtypes.float8_e4m3fn, "float8e4m3fnuz": ml_dtypes.float8_e4m3fnuz, "float8e5m2": ml_dtypes.float8_e5m2,
         "float8e5m2fnuz": ml_dtypes.float8_e5m2fnuz, "float8e8m0": ml_dtypes.float8_e8m0fnu, "float4e2m1": ml_dtypes.float4_e2m1fn,
         "int4": ml_dtypes.int4, "uint4": ml_dtypes.uint4, "int2": ml_dtypes.int2, "uint2": ml_dtypes.uint2,
         "float6e2m3": ml_dtypes.float6_e2m3fn, "float6e3m2": ml_dtypes.float6_e3m2fn}


class Draw:
    """One case: `kind` is the element type's name, `t` numpy's type."""

    def __init__(self, rng, opset, kind, types):
        self.rng, self.opset, self.kind, self.types = rng, opset, kind, types
        self.t = {"float": np.float32, "double": np.float64, "bfloat16": ml_dtypes.bfloat16, "string": np.object_,
                  "bool": np.bool_, **SMALL}.get(kind) or np.dtype(kind)
        self.inputs, self.attrs, self.n_out, self.fixed, self.skip = [], {}, 1, set(), set()
        self.float = kind in ("float", "double", "float16", "bfloat16")
        self.np = np.random.RandomState(rng.getrandbits(32))

    def chance(self, p=0.5):
        return self.rng.random() < p

    def pick(self, *of):
        return self.rng.choice(of)

    def int(self, lo, hi):
        return self.rng.randint(lo, hi)

    def dims(self, lo=0, hi=4, most=5, least=1):
        return tuple(self.rng.choice([least, 1, 2, 3, most]) if least <= 1 else self.int(least, most) for _ in range(self.int(lo, hi)))

    def data(self, dims, lo=-2.0, hi=2.0, t=None, kind=None):
        t = self.t if t is None else t
        kind = kind or self.kind
        if t is np.object_:
            return np.array(self.np.choice(["", "a", "bc", "\u00fc", "x y"], size=dims), dtype=object).reshape(dims)
        if t is np.bool_:
            return self.np.rand(*dims) < 0.5 if dims else np.bool_(self.np.rand() < 0.5)
        if np.issubdtype(t, np.complexfloating):
            return np.asarray(self.np.randn(*dims) + 1j * self.np.randn(*dims)).astype(t)
        if kind in SMALL and t is SMALL[kind]:
            return np.asarray(np.abs(self.np.rand(*dims) * 3) if kind[0] == "u" or kind == "float8e8m0" else self.np.rand(*dims) * 3 - 1.5).astype(t)
        if np.issubdtype(t, np.integer):
            lo, hi = int(math.floor(lo * 5)), int(math.ceil(hi * 5))
            if np.issubdtype(t, np.unsignedinteger):
                lo = max(lo, 0)
            hi = max(hi, lo + 1)
            return self.np.randint(lo, hi + 1, size=dims).astype(t)
        x = lo + (hi - lo) * self.np.rand(*dims)
        return np.asarray(x).astype(t)

    def add(self, x, fixed=False):
        if fixed:
            self.fixed.add(len(self.inputs))
        self.inputs.append(x)
        return x

    def ints(self, v, fixed=None, t=np.int64):
        """A list of integers as an input, constant or not."""
        return self.add(np.array(v, dtype=t), self.chance(0.7) if fixed is None else fixed)

    def axis(self, rank):
        return self.int(-rank, rank - 1) if rank else 0

    def axis_up(self, rank, since=11):
        """An axis; negative ones only from an opset on."""
        a = self.axis(rank)
        return a % rank if rank and self.opset < since else a


def unary(lo=-2.0, hi=2.0, attrs=()):
    def recipe(g):
        g.add(g.data(g.dims(), lo, hi))
        for name, a, b in attrs:
            if g.chance():
                g.attrs[name] = g.rng.uniform(a, b)
    return recipe


def broadcast(lo=-2.0, hi=2.0, nonzero=False, variadic=False, second=None):
    """Two inputs (or more) that broadcast; before opset 7 by attribute."""
    def recipe(g):
        full = g.dims(0, 4)
        n = g.int(1, 4) if variadic else 2
        shapes = []
        for _ in range(n):
            cut = full[g.int(0, len(full)):] if g.chance() else full
            shapes.append(tuple(d if g.chance(0.8) else 1 for d in cut))
        if variadic and g.opset < 8:
            shapes = [full] * n
        elif not variadic and g.opset < 7:
            shapes = [full, full]
            if g.chance() and full:
                k = g.int(0, len(full) - 1)
                m = g.int(k + 1, len(full))
                shapes[1] = full[k:m]
                g.attrs["broadcast"] = 1
                if m != len(full) or g.chance():
                    g.attrs["axis"] = k
        for i, s in enumerate(shapes):
            x = g.data(s, lo, hi)
            if nonzero and i == 1:
                x = np.where(x == 0, np.ones_like(x), x)
            g.add(np.asarray(x, dtype=g.t))
    return recipe


def power(g):
    full = g.dims(0, 4)
    g.add(g.data(full, 0.3, 2))
    g.add(g.data(full if g.opset < 7 or g.chance() else (), 0, 0.8))


def shift(g):
    full = g.dims(0, 4)
    g.add(g.data(full, 0, 20))
    g.add(np.asarray(g.data(full, 0, 1), dtype=g.t) % (8 * np.dtype(g.t).itemsize))
    g.attrs["direction"] = g.pick("LEFT", "RIGHT")


def mod(g):
    broadcast(nonzero=True)(g)
    if g.float or g.chance():
        g.attrs["fmod"] = 1


def clip(g):
    g.add(g.data(g.dims()))
    lo, hi = sorted([g.rng.uniform(-2, 2), g.rng.uniform(-2, 2)])
    if g.opset < 11:
        if g.chance():
            g.attrs["min"] = lo
        if g.chance():
            g.attrs["max"] = hi
        return
    for v in (lo, hi):
        g.add(np.asarray(max(v * 3, 0) if g.kind.startswith("u") else v * 3).astype(g.t) if g.chance(0.7) else None, g.chance())
    while g.inputs[-1] is None:
        g.inputs.pop()


def reduce(axes_input, least_float=False):
    def recipe(g):
        d = g.dims(1, 4)
        if not g.float and least_float:
            return False  # logarithms cut, and products past the type, depend on the last bit
        g.add(g.data(d, 0.2, 2))
        axes = g.rng.sample(range(len(d)), g.int(1, len(d)))
        if g.opset >= 11:
            axes = [a - len(d) if g.chance() else a for a in axes]
        if g.chance():
            g.attrs["keepdims"] = g.int(0, 1)
        if g.chance(0.2):
            axes = None
            if g.opset >= axes_input and g.chance():
                g.attrs["noop_with_empty_axes"] = 1
        if axes is None:
            return
        if g.opset >= axes_input:
            g.ints(axes)
        else:
            g.attrs["axes"] = axes
    return recipe


def arg(g):
    d = g.dims(1, 4)
    g.add(g.data(d))
    if g.chance(0.8):
        g.attrs["axis"] = g.axis_up(len(d))
    if g.chance():
        g.attrs["keepdims"] = g.int(0, 1)
    if g.opset >= 12 and g.chance():
        g.attrs["select_last_index"] = 1


def softmax(g):
    d = g.dims(1, 4)
    g.add(g.data(d))
    if g.chance(0.8) or (g.opset < 13 and len(d) < 2):
        g.attrs["axis"] = g.axis_up(len(d))


def conv_sizes(g, pool=False):
    """Spatial sizes of a convolution or pool; attributes."""
    n = g.int(1, 3) if not pool or g.opset >= 1 else 2
    kernel = [g.int(1, 3) for _ in range(n)]
    dil = [g.int(1, 2) if not pool or g.opset >= 19 else 1 for _ in range(n)]
    x = [(k - 1) * d + 1 + g.int(0, 5) for k, d in zip(kernel, dil)]
    if g.chance():
        g.attrs["strides"] = [g.int(1, 3) for _ in range(n)]
    if any(d > 1 for d in dil):
        g.attrs["dilations"] = dil
    how = g.int(0, 3)
    if how == 0:
        g.attrs["pads"] = [g.int(0, k - 1) for k in kernel + kernel]
    elif how == 1 and "dilations" not in g.attrs:
        g.attrs["auto_pad"] = g.pick("SAME_UPPER", "SAME_LOWER", "VALID")
    return n, kernel, x


def conv(g):
    n, kernel, x = conv_sizes(g)
    groups = g.int(1, 3)
    ic, oc = g.int(1, 3), g.int(1, 3)
    g.add(g.data((g.int(1, 2), groups * ic, *x), -1, 1))
    g.add(g.data((groups * oc, ic, *kernel), -1, 1), g.chance())
    if groups > 1:
        g.attrs["group"] = groups
    if g.chance():
        g.attrs["kernel_shape"] = kernel
    if g.chance():
        g.add(g.data((groups * oc,), -1, 1), g.chance())


def conv_transpose(g):
    n, kernel, x = conv_sizes(g)
    if g.attrs.get("auto_pad", "VALID") != "VALID" and "strides" in g.attrs:  # onnxruntime does not fill up
        g.attrs["strides"] = [min(s, k) for s, k in zip(g.attrs["strides"], kernel)]
    groups = g.int(1, 2)
    ic, oc = g.int(1, 3), g.int(1, 3)
    g.add(g.data((g.int(1, 2), groups * ic, *[g.int(2, 5) for _ in x]), -1, 1))
    g.add(g.data((groups * ic, oc, *kernel), -1, 1), g.chance())
    if groups > 1:
        g.attrs["group"] = groups
    if g.attrs.get("strides") and "auto_pad" not in g.attrs and g.chance():
        g.attrs["output_padding"] = [g.int(0, s - 1) for s in g.attrs["strides"]]
    if g.chance():
        g.add(g.data((groups * oc,), -1, 1))


def pool(name):
    def recipe(g):
        n, kernel, x = conv_sizes(g, True)
        if name != "LpPool" and g.opset < (19 if name == "AveragePool" else 10):
            g.attrs.pop("dilations", None)
        if name == "LpPool" and g.opset < 18:
            g.attrs.pop("dilations", None)
        g.attrs["kernel_shape"] = kernel
        if g.attrs.get("auto_pad", "VALID") != "VALID" and "strides" in g.attrs:  # onnxruntime pads by negative numbers
            g.attrs["strides"] = [min(s, k) for s, k in zip(g.attrs["strides"], kernel)]
        g.add(g.data((g.int(1, 2), g.int(1, 3), *x)))
        if g.opset >= (18 if name == "LpPool" else 10) and "auto_pad" not in g.attrs and g.chance():
            g.attrs["ceil_mode"] = 1
        if name == "AveragePool" and g.opset >= 7 and g.chance():
            g.attrs["count_include_pad"] = 1
        if name == "LpPool" and g.chance():
            g.attrs["p"] = g.int(1, 3)
        if name == "MaxPool" and g.opset >= 8 and g.chance():
            g.n_out = 2
            if g.chance(0.3) and "auto_pad" not in g.attrs:
                g.attrs["storage_order"] = 1
    return recipe


def global_pool(g):
    g.add(g.data((g.int(1, 2), g.int(1, 3), *[g.int(1, 5) for _ in range(g.int(1, 3))])))


def norm_batch(g):
    c = g.int(1, 4)
    g.add(g.data((g.int(1, 3), c, *g.dims(0, 3))))
    for lo in (-1, -1, -1, 0.3):
        g.add(g.data((c,), lo, 1), g.chance())
    if g.opset < 7:
        g.attrs["is_test"] = 1


def norm_instance(g):
    c = g.int(1, 4)
    g.add(g.data((g.int(1, 3), c, *g.dims(1, 3, 5, 2))))
    g.add(g.data((c,)))
    g.add(g.data((c,)))


def norm_group(g):
    groups, per = g.int(1, 3), g.int(1, 3)
    g.add(g.data((g.int(1, 3), groups * per, *g.dims(1, 2, 5, 2))))
    n = groups * per if g.opset >= 21 else groups
    g.add(g.data((n,)))
    g.add(g.data((n,)))
    g.attrs["num_groups"] = groups


def norm_layer(bias):
    def recipe(g):
        d = g.dims(1, 4, 5, 2)
        axis = g.axis(len(d))
        g.add(g.data(d))
        g.add(g.data(d[axis % len(d):]))
        if bias and g.chance():
            g.add(g.data(d[axis % len(d):]))
        g.attrs["axis"] = axis
    return recipe


def norm_lp(g):
    d = g.dims(1, 4)
    g.add(g.data(d))
    g.attrs["axis"] = g.axis(len(d))
    g.attrs["p"] = g.int(1, 2)


def lrn(g):
    g.add(g.data((g.int(1, 2), g.int(1, 6), *g.dims(1, 2))))
    g.attrs.update(size=g.pick(1, 3, 5), alpha=g.rng.uniform(0.001, 1), beta=g.rng.uniform(0.5, 1), bias=g.rng.uniform(1, 2))


def matmul(g):
    m, k, n = g.int(1, 4), g.int(1, 4), g.int(1, 4)
    batch = g.dims(0, 2)
    a, b = [tuple(d if g.chance(0.7) else 1 for d in batch[g.int(0, len(batch)):]) for _ in range(2)]
    form = g.int(0, 9)
    if form == 0:
        g.add(g.data((k,))), g.add(g.data((*b, k, n)))
    elif form == 1:
        g.add(g.data((*a, m, k))), g.add(g.data((k,)))
    elif form == 2:
        g.add(g.data((k,))), g.add(g.data((k,)))
    else:
        g.add(g.data((*a, m, k))), g.add(g.data((*b, k, n)), g.chance(0.3))


def matmul_integer(g):
    m, k, n = g.int(1, 4), g.int(1, 4), g.int(1, 4)
    g.add(g.data((m, k), -20, 20))
    g.add(g.data((k, n), -20, 20, g.pick(np.int8, np.uint8)))
    if g.chance():
        g.add(g.data((), 0, 5), g.chance())
        if g.chance():
            g.add(g.data((), 0, 5, g.inputs[1].dtype.type), g.chance())


def gemm(g):
    m, k, n = g.int(1, 4), g.int(1, 4), g.int(1, 4)
    ta, tb = g.int(0, 1), g.int(0, 1)
    g.add(g.data((k, m) if ta else (m, k)))
    g.add(g.data((n, k) if tb else (k, n)), g.chance(0.3))
    g.attrs.update(transA=ta, transB=tb)
    if g.float:
        g.attrs.update(alpha=g.rng.uniform(0.5, 2), beta=g.rng.uniform(0.5, 2))
    if g.opset < 7:
        g.add(g.data((m, n)))
    elif g.opset < 11 or g.chance(0.8):
        g.add(g.data(g.pick((), (n,), (1, n), (m, 1), (m, n), (1, 1))))


def concat(g):
    d = list(g.dims(1, 4))
    axis = g.axis_up(len(d))
    for _ in range(g.int(1, 4)):
        d[axis] = g.int(0, 3) if g.opset >= 11 else g.int(1, 3)
        g.add(g.data(tuple(d)))
    g.attrs["axis"] = axis


def split(g):
    d = list(g.dims(1, 4))
    axis = g.axis_up(len(d))
    n = g.int(1, 4)
    sizes = [g.int(1, 3) for _ in range(n)]
    even = g.chance()
    if even:
        sizes = [sizes[0]] * n
    d[axis] = sum(sizes)
    g.n_out = n
    g.add(g.data(tuple(d)))
    g.attrs["axis"] = axis
    if even and g.chance():
        if g.opset >= 18:
            g.attrs["num_outputs"] = n
    elif g.opset >= 13:
        g.ints(sizes)
    else:
        g.attrs["split"] = sizes


def slice_(g):
    d = g.dims(1, 4)
    axes = g.rng.sample(range(len(d)), g.int(1, len(d)))
    starts = [g.int(-d[a] - 2, d[a] + 2) for a in axes]
    ends = [g.pick(g.int(-d[a] - 2, d[a] + 2), 2**31 - 1) for a in axes]
    g.add(g.data(d))
    if g.opset < 10:
        g.attrs.update(starts=starts, ends=ends, axes=axes)
        return
    t = g.pick(np.int64, np.int32)
    fixed = g.chance(0.7)
    g.ints(starts, fixed, t), g.ints(ends, fixed, t)
    if g.chance(0.8) or len(axes) < len(d) or axes != sorted(axes):
        if g.opset >= 11:
            axes = [a - len(d) if g.chance() else a for a in axes]
        g.ints(axes, fixed, t)
        if g.chance():
            steps = [g.pick(-2, -1, 1, 2, 3) for _ in axes]
            # Backwards to the end is a large negative number; onnxruntime takes a large positive one for it too.
            ends = [-2**31 if e > 99 and s < 0 else e for e, s in zip(ends, steps)]
            g.inputs[2] = np.array(ends, t)
            g.ints(steps, fixed, t)


def pad(g):
    d = g.dims(1, 4, 5, 2)
    mode = g.pick("constant", "reflect", "edge", *(["wrap"] if g.opset >= 19 else []))
    pads = [g.int(0, min(2, d[i % len(d)] - 1)) for i in range(2 * len(d))]
    if mode == "constant" and g.chance():
        pads = [p - g.int(0, 1) for p in pads]
        if any(d[i] + pads[i] + pads[i + len(d)] < 1 for i in range(len(d))):
            return False
    g.attrs["mode"] = mode
    g.add(g.data(d))
    if g.opset < 11:
        g.attrs["pads"] = pads
        if g.chance():
            g.attrs["value"] = 1.5
        return
    axes = None
    if g.opset >= 18 and g.chance():
        axes = g.rng.sample(range(len(d)), g.int(1, len(d)))
        pads = [pads[a] for a in axes] + [pads[a + len(d)] for a in axes]
    g.ints(pads)
    if g.chance() or axes or g.kind == "float8e8m0":  # which has no 0
        g.add(g.data(()) if g.chance() or not axes or g.kind == "float8e8m0" else None)
    if axes:
        g.ints(axes)


def gather(g):
    d = g.dims(1, 4)
    axis = g.axis_up(len(d))
    n = d[axis]
    g.add(g.data(d))
    lo = -n if g.opset >= 11 else 0
    g.add(g.np.randint(lo, n, size=g.dims(0, 3)).astype(g.pick(np.int32, np.int64)), g.chance())
    g.attrs["axis"] = axis


def gather_elements(g):
    d = g.dims(1, 4)
    axis = g.axis(len(d))
    i = tuple(g.int(1, 3) if k == axis % len(d) else g.int(1, n) for k, n in enumerate(d))
    g.add(g.data(d))
    g.add(g.np.randint(-d[axis], d[axis], size=i).astype(g.pick(np.int32, np.int64)))
    g.attrs["axis"] = axis


def gather_nd(g):
    d = g.dims(1, 4)
    batch = g.int(0, len(d) - 1) if g.opset >= 12 else 0
    last = g.int(1, len(d) - batch)
    shape = d[:batch] + g.dims(0, 2)
    idx = [g.np.randint(-d[batch + k], d[batch + k], size=shape) for k in range(last)]
    g.add(g.data(d))
    g.add(np.stack(idx, -1).astype(np.int64) if shape else np.array(idx, np.int64))
    if batch:
        g.attrs["batch_dims"] = batch


def scatter_elements(g):
    d = g.dims(1, 3)
    axis = g.axis_up(len(d)) if g.opset < 11 else g.axis(len(d))
    k = axis % len(d)
    i = tuple(g.int(1, n) for n in d)
    along = np.stack([g.np.permutation(d[k])[:i[k]] for _ in range(int(np.prod(i)) // i[k])]).reshape(
        *(i[:k] + i[k + 1:]), i[k])
    idx = np.moveaxis(along, -1, k)
    g.add(g.data(d))
    g.add(idx.astype(g.pick(np.int32, np.int64)))
    g.add(g.data(i))
    g.attrs["axis"] = axis
    if g.opset >= 16 and g.kind not in ("string", "bool") and g.chance():
        g.attrs["reduction"] = g.pick("add", "mul", *(["min", "max"] if g.opset >= 18 else []))


def scatter_nd(g):
    d = g.dims(1, 3)
    last = g.int(1, len(d))
    n = int(np.prod(d[:last]))
    m = g.int(1, n)
    flat = g.np.permutation(n)[:m]
    g.add(g.data(d))
    g.add(np.stack(np.unravel_index(flat, d[:last]), -1).astype(np.int64))
    g.add(g.data((m, *d[last:])))
    if g.opset >= 16 and g.kind not in ("string", "bool") and g.chance():
        g.attrs["reduction"] = g.pick("add", "mul", *(["min", "max"] if g.opset >= 18 else []))


def transpose(g):
    d = g.dims(0, 5)
    g.add(g.data(d))
    if d and g.chance(0.8):
        g.attrs["perm"] = g.rng.sample(range(len(d)), len(d))


def reshape(g):
    d = g.dims(0, 4)
    n = int(np.prod(d))
    to, rest = [], n
    while rest > 1 and len(to) < 4:
        k = g.rng.choice([k for k in range(1, rest + 1) if rest % k == 0])
        to.append(k)
        rest //= k
    to.append(rest)
    if g.chance():
        to[g.int(0, len(to) - 1)] = -1
    g.add(g.data(d))
    g.ints(to)


def squeeze(g):
    d = list(g.dims(1, 4))
    d[g.int(0, len(d) - 1)] = 1
    axes = [i for i, n in enumerate(d) if n == 1 and g.chance(0.8)]
    g.add(g.data(tuple(d)))
    if g.opset >= 11:
        axes = [a - len(d) if g.chance() else a for a in axes]
    if axes:
        if g.opset >= 13:
            g.ints(axes)
        else:
            g.attrs["axes"] = axes


def unsqueeze(g):
    d = g.dims(0, 3)
    n = g.int(1, 2)
    axes = g.rng.sample(range(len(d) + n), n)
    g.add(g.data(d))
    if g.opset >= 11:
        axes = [a - len(d) - n if g.chance() else a for a in axes]
    if g.opset >= 13:
        g.ints(axes)
    else:
        g.attrs["axes"] = axes


def expand(g):
    full = g.dims(0, 4)
    g.add(g.data(tuple(n if g.chance() else 1 for n in full[g.int(0, len(full)):])))
    g.ints(full)


def tile(g):
    d = g.dims(0, 4)
    g.add(g.data(d))
    g.ints([g.int(0, 3) if g.chance(0.2) else g.int(1, 3) for _ in d])


def flatten(g):
    d = g.dims(1, 4)
    g.add(g.data(d))
    if g.chance(0.8):
        g.attrs["axis"] = g.int(-len(d) if g.opset >= 11 else 0, len(d))


def blocks(g):
    b = g.int(1, 3)
    deep = g.deep
    g.add(g.data((g.int(1, 2), b * b * g.int(1, 2) if deep else g.int(1, 3), g.int(1, 3) * (1 if deep else b), g.int(1, 3) * (1 if deep else b))))
    g.attrs["blocksize"] = b
    if deep and g.opset >= 11 and g.chance():
        g.attrs["mode"] = g.pick("DCR", "CRD")


def depth_to_space(g):
    g.deep = True
    blocks(g)


def space_to_depth(g):
    g.deep = False
    blocks(g)


def one_hot(g):
    depth = g.int(1, 5)
    d = g.dims(0, 3)
    index = g.data(d, -1 if not g.kind.startswith("u") else 0, 1)
    g.add(np.trunc(index).astype(g.t) if g.float else index)
    g.add(np.asarray(depth).astype(g.pick(np.int64, np.float32, np.int32)), g.chance())
    g.add(g.data((2,), -1, 1, g.pick(np.float32, np.int64, np.int32)))
    g.attrs["axis"] = g.int(-len(d) - 1, len(d))


def top_k(g):
    d = g.dims(1, 4)
    axis = g.axis_up(len(d))
    g.add(np.asarray(g.np.permutation(int(np.prod(d))).reshape(d)).astype(g.t))
    g.attrs["axis"] = axis
    k = g.int(1, d[axis])
    g.n_out = 2
    if g.opset < 10:
        g.attrs["k"] = k
    else:
        g.ints([k])
    if g.opset >= 11 and g.chance():
        g.attrs["largest"] = 0


def cum_sum(g):
    d = g.dims(1, 4)
    g.add(g.data(d))
    g.add(np.array(g.axis(len(d)), g.pick(np.int32, np.int64)), g.chance())
    g.attrs.update(exclusive=g.int(0, 1), reverse=g.int(0, 1))


def where(g):
    full = g.dims(0, 4)
    cut = lambda: tuple(n if g.chance(0.7) else 1 for n in full[g.int(0, len(full)):])
    g.add(g.data(cut(), t=np.bool_))
    t = g.pick(np.float32, np.int64, np.float64, np.uint8, np.int32, np.object_, np.bool_)
    g.add(g.data(cut(), t=t))
    g.add(g.data(cut(), t=t))


def compress(g):
    d = g.dims(1, 4)
    g.add(g.data(d))
    n = int(np.prod(d))
    if g.chance():
        a = g.axis_up(len(d))
        g.attrs["axis"] = a
        n = d[a]
    g.add(g.np.rand(g.int(1, n)) < 0.5)


def unique(g):
    d = g.dims(1, 3)
    g.add(g.data(d))
    g.n_out = g.int(1, 4)
    if g.chance():
        g.attrs["axis"] = g.axis(len(d))
    if g.chance():
        g.attrs["sorted"] = g.int(0, 1)


def trilu(g):
    g.add(g.data(g.dims(2, 4)))
    if g.chance():
        g.add(np.array(g.int(-3, 3), np.int64), g.chance())
    if g.chance():
        g.attrs["upper"] = g.int(0, 1)


def reverse_sequence(g):
    d = g.dims(2, 4)
    b = g.int(0, 1)
    g.add(g.data(d))
    g.add(g.np.randint(1, d[1 - b] + 1, size=(d[b],)).astype(np.int64))
    g.attrs.update(batch_axis=b, time_axis=1 - b)


def eye_like(g):
    g.add(g.data((g.int(1, 4), g.int(1, 4))))
    if g.chance():
        g.attrs["k"] = g.int(-3, 3)
    if g.chance():
        g.attrs["dtype"] = g.types[g.pick("float", "double", "int64", "int32", "uint64", "float16")]


def range_(g):
    lo = g.int(0, 5)
    step = g.int(1, 3)
    for v in (lo, lo + g.int(0, 9), step):
        g.add(np.asarray(v).astype(g.t), g.chance(0.3))


def shape(g):
    d = g.dims(0, 5)
    g.add(g.data(d))
    if g.opset >= 15 and g.chance():
        g.attrs["start"] = g.int(-6, 6)
    if g.opset >= 15 and g.chance():
        g.attrs["end"] = g.int(-6, 6)


def cast(g):
    to = g.pick(*[k for k in g.types if k not in ("string", "bfloat16") and not (g.kind == "string" and k in ("bool", "float16"))])
    d = g.dims()
    if g.kind in SMALL and to.startswith("u"):
        return False  # negative numbers
    if g.kind == "string":
        g.add(np.array(g.np.choice(["1", "2", "-3", "40"] if not to.startswith("u") else ["1", "2", "40"], size=d), dtype=object).reshape(d))
    else:
        g.add(g.data(d, 0 if to.startswith("u") else -2, 2))
    g.attrs["to"] = g.types[to]


def resize(g):
    d = (g.int(1, 2), g.int(1, 2), g.int(1, 5), g.int(1, 5))
    mode = g.pick("nearest", "linear")
    scales = [1.0, 1.0, g.pick(0.5, 0.6, 1.0, 1.5, 2.0, 3.0), g.pick(0.5, 0.8, 1.0, 1.7, 2.0)]
    g.attrs["mode"] = mode
    if g.opset < 11:
        g.add(g.data(d))
        g.add(np.array(scales, np.float32), g.chance())
        return
    if g.chance(0.3) and g.float:
        g.attrs["mode"] = "cubic"
        g.attrs["cubic_coeff_a"] = g.pick(-0.5, -0.75)
    g.attrs["coordinate_transformation_mode"] = g.pick("half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric",
                                                       *(["half_pixel_symmetric"] if g.opset >= 19 else []))
    if mode == "nearest":
        g.attrs["nearest_mode"] = g.pick("round_prefer_floor", "round_prefer_ceil", "floor", "ceil")
    g.add(g.data(d))
    g.add(np.array([], np.float32) if g.opset < 13 else None, True)
    # Corners with scales: onnxruntime takes the rounded size, the specification's own cases the exact one.
    if g.chance() and g.attrs["coordinate_transformation_mode"] != "align_corners":
        g.add(np.array(scales, np.float32), g.chance())
    else:
        g.add(np.array([], np.float32) if g.opset < 13 else None, True)
        g.ints([d[0], d[1], g.int(1, 7), g.int(1, 7)])


def upsample(g):
    d = (g.int(1, 2), g.int(1, 2), g.int(1, 4), g.int(1, 4))
    scales = [1.0, 1.0, float(g.int(1, 3)), float(g.int(1, 3))]
    g.attrs["mode"] = g.pick("nearest", "linear")
    g.add(g.data(d))
    if g.opset < 9:
        g.attrs["scales"] = scales
    else:
        g.add(np.array(scales, np.float32), g.chance())


def grid_sample(g):
    n, c = g.int(1, 2), g.int(1, 2)
    space = g.int(2, 3) if g.opset >= 20 else 2
    g.add(g.data((n, c, *[g.int(1, 5) for _ in range(space)])))
    g.add(g.data((n, *[g.int(1, 4) for _ in range(space)], space), -1.4, 1.4, np.float32))
    if g.opset >= 20:
        g.attrs["mode"] = g.pick("linear", "nearest", *(["cubic"] if space == 2 else []))
    else:
        g.attrs["mode"] = g.pick("bilinear", "nearest", "bicubic")
    g.attrs.update(padding_mode=g.pick("zeros", "border", "reflection"), align_corners=g.int(0, 1))


def affine_grid(g):
    space = g.int(2, 3)
    n = g.int(1, 2)
    g.add(g.data((n, space, space + 1), -1, 1))
    g.ints([n, 1, *[g.int(2, 4) for _ in range(space)]])
    g.attrs["align_corners"] = g.int(0, 1)


def roi_align(g):
    n, r = g.int(1, 2), g.int(1, 3)
    g.add(g.data((n, g.int(1, 2), g.int(3, 7), g.int(3, 7))))
    a = g.np.rand(r, 2) * 4
    g.add(np.concatenate([a, a + g.np.rand(r, 2) * 4], 1).astype(g.t))
    g.add(g.np.randint(0, n, size=(r,)).astype(np.int64))
    g.attrs.update(output_height=g.int(1, 3), output_width=g.int(1, 3), sampling_ratio=g.int(0, 3), spatial_scale=g.pick(1.0, 0.5))
    if g.opset >= 16:
        g.attrs["coordinate_transformation_mode"] = g.pick("half_pixel", "output_half_pixel")
    g.attrs["mode"] = "avg"


def max_roi_pool(g):
    n, r = g.int(1, 2), g.int(1, 3)
    g.add(g.data((n, g.int(1, 2), g.int(3, 7), g.int(3, 7))))
    a = g.np.randint(0, 3, size=(r, 2))
    g.add(np.concatenate([g.np.randint(0, n, size=(r, 1)), a, a + g.np.randint(0, 4, size=(r, 2))], 1).astype(g.t))
    g.attrs.update(pooled_shape=[g.int(1, 3), g.int(1, 3)], spatial_scale=g.pick(1.0, 0.5))


def non_max(g):
    n, b, c = g.int(1, 2), g.int(1, 8), g.int(1, 2)
    a = g.np.rand(n, b, 2)
    g.add(np.concatenate([a, a + g.np.rand(n, b, 2)], 2).astype(np.float32))
    g.add(g.np.rand(n, c, b).astype(np.float32))
    g.add(np.array(g.int(0, 4), np.int64), g.chance())
    if g.chance(0.8):
        g.add(np.array(g.rng.uniform(0, 1), np.float32), g.chance())
        if g.chance():
            g.add(np.array(g.rng.uniform(0, 1), np.float32), g.chance())
    g.attrs["center_point_box"] = g.int(0, 1)


def max_unpool(g):
    n, c, h, w = g.int(1, 2), g.int(1, 2), g.int(1, 3), g.int(1, 3)
    g.add(g.data((n, c, h, w)))
    total = n * c * h * w * 4
    g.add(g.np.permutation(total)[:n * c * h * w].reshape(n, c, h, w).astype(np.int64))
    g.attrs.update(kernel_shape=[2, 2], strides=[2, 2])


def einsum(g):
    letters = "abcdE"
    size = {k: g.int(1, 3) for k in letters}
    n = g.int(1, 3)
    terms = ["".join(g.rng.sample(letters, g.int(1, 3))) for _ in range(n)]
    if n == 1 and g.chance():
        terms = [g.pick("aa", "aab", "...a")]
    every = sorted(set("".join(terms).replace(".", "")))
    for t in terms:
        g.add(g.data((2, 3) * t.count("...") + tuple(size[k] for k in t.replace(".", "")), -1, 1))
    eq = g.pick(",", " , ").join(terms)
    if g.chance(0.8):
        eq += "->" + ("..." if "." in eq else "") + "".join(g.rng.sample(every, g.int(0, min(4, len(every)))))
    g.attrs["equation"] = eq


def det(g):
    n = g.int(1, 4)
    g.add(g.data((*g.dims(0, 2), n, n)))


def dft(g):
    d = [g.int(1, 2), g.int(1, 9), g.int(1, 5), g.int(1, 2)]
    axis = g.int(1, 2)
    g.add(g.data(tuple(d)))
    if g.chance():
        g.add(np.array(g.int(1, 12), np.int64), True)
    inverse = g.int(0, 1)
    g.attrs["inverse"] = inverse
    if not inverse and d[3] == 1:
        g.attrs["onesided"] = g.int(0, 1)
    if g.opset < 20:
        g.attrs["axis"] = axis
    elif g.chance():
        if len(g.inputs) < 2:
            g.add(None)
        g.add(np.array(axis, np.int64), True)


def stft(g):
    size = g.int(1, 6)
    g.add(g.data((g.int(1, 2), g.int(6, 20), 1)))
    g.add(np.array(g.int(1, 4), np.int64), True)
    how = g.int(0, 1)
    g.add(g.data((size,), 0.2, 1) if how else None)
    g.add(np.array(size, np.int64), True)
    g.attrs["onesided"] = g.int(0, 1)


def window(g):
    g.add(np.array(g.int(2, 12)).astype(g.t), g.chance(0.3))
    if g.chance():
        g.attrs["periodic"] = g.int(0, 1)
    if g.chance():
        g.attrs["output_datatype"] = g.types[g.pick("float", "double")]


def mel(g):
    for v in (g.int(2, 8), g.pick(16, 32), 8192):
        g.add(np.array(v).astype(g.t), g.chance(0.3))
    g.add(np.array(0, np.float32)), g.add(np.array(4096, np.float32))


def loss(soft):
    def recipe(g):
        n, c = g.int(1, 3), g.int(1, 4)
        d = g.dims(0, 3)
        g.add(g.data((n, c, *d)))
        target = g.np.randint(0, c, size=(n, *d)).astype(g.pick(np.int32, np.int64))
        if g.chance(0.4):
            g.attrs["ignore_index"] = g.int(0, c) if not g.chance(0.3) else -1
            target[g.np.rand(*target.shape) < 0.2] = g.attrs["ignore_index"]
            if (target == g.attrs["ignore_index"]).all():
                return False
        g.add(target)
        if g.chance():
            g.add(g.data((c,), 0.2, 1))
        g.attrs["reduction"] = g.pick("none", "sum", "mean")
        if soft and g.chance():
            g.n_out = 2
    return recipe


def prelu(g):
    d = g.dims(1, 4)
    g.add(g.data(d))
    if g.opset < 7:
        g.add(g.data((d[1],) if len(d) > 1 and g.chance() else (1,)))
    else:
        cut = d[g.int(0, len(d) - 1):]
        g.add(g.data(tuple(n if g.chance(0.7) else 1 for n in cut)))


def quantize(g):
    d = g.dims(1, 4)
    g.add(g.data(d, -3, 3) if g.float else g.data(d, -20, 20))
    axis = g.axis(len(d))
    each = g.opset >= 13 and g.chance()
    s = (d[axis],) if each else ()
    z = g.pick(np.uint8, np.int8, *([np.int16, np.uint16] if g.opset >= 21 else []))
    t = g.t if g.float and g.opset >= 19 else np.float32
    g.add(g.data(s, 0.05, 0.3, t), g.chance())
    if g.chance(0.8):
        g.add(g.data(s, 0, 5, z), g.chance())
    if each:
        g.attrs["axis"] = axis


def dequantize(g):
    d = g.dims(1, 4)
    g.add(g.data(d, -20, 20))
    axis = g.axis(len(d))
    each = g.opset >= 13 and g.chance()
    s = (d[axis],) if each else ()
    g.add(g.data(s, 0.05, 0.3, np.float32), g.chance())
    if g.kind != "int32" and g.chance(0.8):
        g.add(np.zeros(s, g.t) if g.kind.startswith("float") else g.data(s, 0, 5), g.chance())
    if each:
        g.attrs["axis"] = axis


def dynamic_quantize(g):
    g.add(g.data(g.dims(1, 4), -3, 3))
    g.n_out = 3


def conv_integer(g):
    n, kernel, x = conv_sizes(g)
    g.add(g.data((1, 2, *x), 0, 20))
    g.add(g.data((3, 2, *kernel), -10, 10, g.pick(np.int8, np.uint8)), g.chance())
    if g.chance():
        g.add(g.data((), 0, 5), g.chance())


def recurrent(gates, kind):
    def recipe(g):
        t, b, i, h = g.int(1, 4), g.int(1, 3), g.int(1, 3), g.int(1, 3)
        way = g.pick("forward", "reverse", "bidirectional")
        n = 2 if way == "bidirectional" else 1
        g.attrs.update(direction=way, hidden_size=h)
        g.add(g.data((t, b, i), -1, 1))
        g.add(g.data((n, gates * h, i), -1, 1), True)
        g.add(g.data((n, gates * h, h), -1, 1), True)
        if g.chance():
            g.add(g.data((n, 2 * gates * h), -1, 1), True)
            if g.chance():
                g.add(g.np.randint(1, t + 1, size=(b,)).astype(np.int32))
                if g.chance():
                    g.add(g.data((n, b, h), -1, 1))
        if kind == "GRU" and g.chance():
            g.attrs["linear_before_reset"] = 1
        g.n_out = 3 if kind == "LSTM" else 2
    return recipe


def dropout(g):
    g.add(g.data(g.dims(1, 4)))
    if g.opset < 7:
        g.attrs["is_test"] = 1


def like_input(g):
    g.add(g.data(g.dims()))


def non_zero(g):
    g.add(g.data(g.dims(1, 4)))  # onnxruntime makes one row of a scalar, the specification none


def constant_of_shape(g):
    from onnx import numpy_helper
    g.inputs.append(np.array(g.dims(0, 4), np.int64))
    if g.chance():
        g.attrs["value"] = numpy_helper.from_array(g.data((1,), t=g.pick(np.float32, np.int64, np.bool_, np.uint8, np.float64)))


def center_crop(g):
    d = g.dims(1, 4)
    g.add(g.data(d))
    g.ints([g.int(1, 6) for _ in d])


def col2im(g):
    kh, kw, h, w, c, n = g.int(1, 2), g.int(1, 2), g.int(2, 4), g.int(2, 4), g.int(1, 2), g.int(1, 2)
    g.add(g.data((n, c * kh * kw, (h - kh + 1) * (w - kw + 1))))
    g.ints([h, w]), g.ints([kh, kw])


def cast_like(g):
    cast(g)
    to = g.attrs.pop("to", None)
    if to is None:
        return False
    kind = next(k for k, v in g.types.items() if v == to)
    g.add(g.data((1,), 0, 1, Draw(g.rng, g.opset, kind, g.types).t, kind))


def deform_conv(g):
    kh, kw, groups, offsets = g.int(1, 3), g.int(1, 3), g.int(1, 2), g.int(1, 2)
    h, w = kh + g.int(0, 4) + 1, kw + g.int(0, 4) + 1
    n, ic, oc = g.int(1, 2), 2 * groups, g.int(1, 2) * groups
    oh, ow = h - kh + 1, w - kw + 1
    g.add(g.data((n, ic, h, w), -1, 1))
    g.add(g.data((oc, ic // groups, kh, kw), -1, 1))
    g.add(g.data((n, offsets * kh * kw * 2, oh, ow), -1.5, 1.5))
    if g.chance():
        g.add(g.data((oc,), -1, 1))
        if g.chance():
            g.add(g.data((n, offsets * kh * kw, oh, ow), 0, 1))
    g.attrs.update(group=groups, offset_group=offsets, kernel_shape=[kh, kw], pads=[0, 0, 0, 0])


def norm_mvn(g):
    d = (g.int(1, 3), g.int(1, 3), g.int(1, 4), g.int(1, 4))
    g.add(g.data(d))
    axes = [0, 2, 3]
    if g.chance():
        g.attrs["axes"] = axes = sorted(g.rng.sample(range(4), g.int(1, 4)))
    if math.prod(d[a] for a in axes) == 1:
        return False  # a variance of 0, which rounding may leave below that: onnxruntime answers NaN


def qlinear_matmul(g):
    m, k, n = g.int(1, 4), g.int(1, 4), g.int(1, 4)
    batch = g.dims(0, 2)
    b = g.pick(np.int8, np.uint8) if g.kind == "uint8" else np.int8
    scale = lambda: g.data((), 0.02, 0.2, np.float32)
    g.add(g.data((*batch, m, k), -20, 20)), g.add(scale(), True), g.add(g.data((), 0, 5), True)
    g.add(g.data((*batch, k, n), -20, 20, b)), g.add(scale(), True), g.add(g.data((), 0, 5, b), True)
    g.add(scale(), True), g.add(g.data((), 0, 5), True)


def qlinear_conv(g):
    n, kernel, x = conv_sizes(g)
    oc, w = g.int(1, 3), g.pick(np.int8, np.uint8) if g.kind == "uint8" else np.int8
    scale = lambda: g.data((), 0.02, 0.2, np.float32)
    g.add(g.data((1, 2, *x), -20, 20)), g.add(scale(), True), g.add(g.data((), 0, 5), True)
    g.add(g.data((oc, 2, *kernel), -10, 10, w), True)
    g.add(g.data((oc,) if g.chance() and w is np.int8 else (), 0.02, 0.2, np.float32), True)
    g.add(np.zeros(g.inputs[-1].shape, w) if w is np.int8 else g.data((), 0, 5, w), True)
    g.add(scale(), True), g.add(g.data((), 0, 5), True)
    if g.chance():
        g.add(g.data((oc,), -100, 100, np.int32), True)


def bit_cast(g):
    size = np.dtype(g.t).itemsize
    same = [k for k in ("float", "double", "float16", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
            if np.dtype({"float": "float32", "double": "float64"}.get(k, k)).itemsize == size]
    if g.kind in SMALL or g.kind in ("bool", "string") or not same:
        return False
    g.add(g.data(g.dims()))
    g.attrs["to"] = g.types[g.pick(*same)]


def swiglu(g):
    d = g.dims()
    g.add(g.data(d)), g.add(g.data(d))


def rotary(g):
    b, s, h, size = g.int(1, 2), g.int(1, 4), g.int(1, 3), 2 * g.int(1, 3)
    g.add(g.data((b, h, s, size), -1, 1))
    each = g.chance()
    table = (b, s, size // 2) if not each else (g.int(s, 6), size // 2)
    g.add(g.data(table, -1, 1)), g.add(g.data(table, -1, 1))
    if each:
        g.add(g.np.randint(0, table[0], size=(b, s)).astype(np.int64))
    g.attrs["interleaved"] = g.int(0, 1)


def string_concat(g):
    d = g.dims()
    g.add(g.data(d)), g.add(g.data(d if g.chance() else ()))


def tensor_scatter(g):
    b, s, n = g.int(1, 3), g.int(3, 6), g.int(1, 3)
    g.add(g.data((b, s, 2))), g.add(g.data((b, n, 2)))
    if g.chance():
        g.add(g.np.randint(0, s - n + 1, size=(b,)).astype(np.int64))
    g.attrs["mode"] = g.pick("linear", "circular")


RECIPES = {
    **{n: unary() for n in ("Abs", "Neg", "Sign", "Relu", "Ceil", "Floor", "Round", "Exp", "Sigmoid", "Tanh", "Softplus", "Softsign",
                            "Erf", "Sin", "Cos", "Sinh", "Cosh", "Atan", "Asinh", "Identity", "Not", "IsNaN", "HardSwish", "Mish",
                            "BitwiseNot", "Gelu", "Tan")},
    **{n: unary(-0.95, 0.95) for n in ("Asin", "Acos", "Atanh")},
    **{n: unary(0.2, 3) for n in ("Log", "Sqrt", "Reciprocal")},
    "Acosh": unary(1.1, 3),
    "Elu": unary(attrs=[("alpha", 0.5, 2)]), "LeakyRelu": unary(attrs=[("alpha", 0.01, 0.5)]), "Celu": unary(attrs=[("alpha", 0.5, 2)]),
    "Selu": unary(attrs=[("alpha", 1, 2), ("gamma", 1, 2)]), "HardSigmoid": unary(attrs=[("alpha", 0.1, 1), ("beta", 0.1, 1)]),
    "ThresholdedRelu": unary(attrs=[("alpha", 0, 1)]), "Shrink": unary(attrs=[("lambd", 0, 1), ("bias", 0, 1)]), "Swish": unary(),
    **{n: broadcast() for n in ("Add", "Sub", "Mul", "And", "Or", "Xor", "Equal", "Greater", "Less", "GreaterOrEqual", "LessOrEqual",
                                "BitwiseAnd", "BitwiseOr", "BitwiseXor")},
    "Div": broadcast(nonzero=True), "Mod": mod, "Pow": power, "BitShift": shift, "PRelu": prelu, "Clip": clip, "IsInf": unary(),
    **{n: broadcast(variadic=True) for n in ("Max", "Min", "Sum", "Mean")},
    "ReduceSum": reduce(13), **{n: reduce(18) for n in ("ReduceMean", "ReduceMax", "ReduceMin", "ReduceL1", "ReduceSumSquare")},
    **{n: reduce(18, True) for n in ("ReduceProd", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp")},
    "ArgMax": arg, "ArgMin": arg, "Softmax": softmax, "LogSoftmax": softmax, "Hardmax": softmax,
    "Conv": conv, "ConvTranspose": conv_transpose, "ConvInteger": conv_integer,
    "MaxPool": pool("MaxPool"), "AveragePool": pool("AveragePool"), "LpPool": pool("LpPool"),
    **{n: global_pool for n in ("GlobalMaxPool", "GlobalAveragePool", "GlobalLpPool")},
    "BatchNormalization": norm_batch, "InstanceNormalization": norm_instance, "GroupNormalization": norm_group,
    "LayerNormalization": norm_layer(True), "RMSNormalization": norm_layer(False), "LpNormalization": norm_lp, "LRN": lrn,
    "MatMul": matmul, "MatMulInteger": matmul_integer, "Gemm": gemm, "Concat": concat, "Split": split, "Slice": slice_, "Pad": pad,
    "Gather": gather, "GatherElements": gather_elements, "GatherND": gather_nd, "ScatterElements": scatter_elements,
    "Scatter": scatter_elements, "ScatterND": scatter_nd, "Transpose": transpose, "Reshape": reshape, "Squeeze": squeeze,
    "Unsqueeze": unsqueeze, "Expand": expand, "Tile": tile, "Flatten": flatten, "DepthToSpace": depth_to_space,
    "SpaceToDepth": space_to_depth, "OneHot": one_hot, "TopK": top_k, "CumSum": cum_sum, "Where": where, "Compress": compress,
    "NonZero": non_zero, "Unique": unique, "Trilu": trilu, "ReverseSequence": reverse_sequence, "EyeLike": eye_like,
    "Range": range_, "Shape": shape, "Size": like_input, "Cast": cast, "Resize": resize, "Upsample": upsample,
    "GridSample": grid_sample, "AffineGrid": affine_grid, "RoiAlign": roi_align, "MaxRoiPool": max_roi_pool,
    "NonMaxSuppression": non_max, "MaxUnpool": max_unpool, "Einsum": einsum, "Det": det, "DFT": dft, "STFT": stft,
    **{n: window for n in ("HannWindow", "HammingWindow", "BlackmanWindow")}, "MelWeightMatrix": mel,
    "NegativeLogLikelihoodLoss": loss(False), "SoftmaxCrossEntropyLoss": loss(True), "QuantizeLinear": quantize,
    "DequantizeLinear": dequantize, "DynamicQuantizeLinear": dynamic_quantize, "LSTM": recurrent(4, "LSTM"), "GRU": recurrent(3, "GRU"),
    "RNN": recurrent(1, "RNN"), "Dropout": dropout, "ConstantOfShape": constant_of_shape, "CenterCropPad": center_crop,
    "Col2Im": col2im, "CastLike": cast_like, "CumProd": cum_sum, "DeformConv": deform_conv, "MeanVarianceNormalization": norm_mvn,
    "QLinearMatMul": qlinear_matmul, "QLinearConv": qlinear_conv, "BitCast": bit_cast, "SwiGLU": swiglu, "RotaryEmbedding": rotary,
    "StringConcat": string_concat, "TensorScatter": tensor_scatter,
}
