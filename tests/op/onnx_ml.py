# SPDX-License-Identifier: Apache-2.0
"""Generated cases of ai.onnx.ml's operators, text and sequences: onnx_ml.py FOLDER WHET [SWEEP]...

Trees are walked here node by node; patterns are matched by Python's re where it means the same; the rest is computed by the onnx
package's reference. SWEEP: programs that refuse allocations of a run in turn; each gets a model of every kind, and others
that make sequences, optionals, maps and text.
"""
import pathlib
import random
import re
import shutil
import subprocess
import sys
import warnings

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

import suite

warnings.simplefilter("ignore")
RNG = np.random.default_rng(7)
PICK = random.Random(7)
ML = "ai.onnx.ml"


def value_info(name, x):
    if isinstance(x, list):
        elem = helper.make_tensor_type_proto(helper.np_dtype_to_tensor_dtype(x[0].dtype) if x[0].dtype != object else 8, None)
        return helper.make_value_info(name, helper.make_sequence_type_proto(elem))
    return helper.make_tensor_value_info(name, 8 if x.dtype == object else helper.np_dtype_to_tensor_dtype(x.dtype), x.shape)


class Cases:
    def __init__(self, folder):
        self.folder, self.n = folder, 0

    def add(self, op, ins, outs=None, domain="", body=None, ml=5, **attrs):
        """One node; outs None: what the reference says. ins: arrays or lists of arrays."""
        names = [f"x{i}" for i in range(len(ins))]
        n_out = {"LinearClassifier": 2, "SVMClassifier": 2, "StringSplit": 2, "TreeEnsembleClassifier": 2}.get(op, 1)
        node = helper.make_node(op, names, [f"y{i}" for i in range(n_out)], domain=domain, **{k: v for k, v in attrs.items() if v is not None})
        infos = [value_info(n, x) for n, x in zip(names, ins)]
        opsets = [helper.make_opsetid("", 20), helper.make_opsetid(ML, ml)]
        if outs is None:
            free = [helper.make_value_info(f"y{i}", onnx.TypeProto()) for i in range(n_out)]
            graph = helper.make_graph([node], "case", infos, free)
            outs = ReferenceEvaluator(helper.make_model(graph, opset_imports=opsets, ir_version=9)).run(None, dict(zip(names, ins)))
            outs = [np.asarray(o) if not isinstance(o, list) else o for o in outs]
            outs = [o.astype(object) if not isinstance(o, list) and o.dtype.kind == "U" else o for o in outs]
        graph = helper.make_graph([node], "case", infos, [value_info(f"y{i}", o) for i, o in enumerate(outs)])
        home = self.folder / f"{op}_{self.n:03d}"
        self.n += 1
        data = home / "test_data_set_0"
        data.mkdir(parents=True)
        (home / "model.onnx").write_bytes(helper.make_model(graph, opset_imports=opsets, ir_version=9).SerializeToString())
        for kind, values in (("input", ins), ("output", outs)):
            for i, v in enumerate(values):
                p = numpy_helper.from_list(v) if isinstance(v, list) else numpy_helper.from_array(v)
                (data / f"{kind}_{i}.pb").write_bytes(p.SerializeToString())


def real(*dims):
    return (RNG.integers(-16, 17, dims) / 8).astype(np.float32)


def text(n, words=("a", "b", "cc", "Dä", "", "e f")):
    return np.array([PICK.choice(words) for _ in range(n)], dtype=object)


# ---- trees ----------------------------------------------------------------------------------------

MODES = ["BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ", "BRANCH_NEQ", "MEMBER"]


def grow(depth, features, modes):
    """A tree: (mode, value, missing, feature, yes, no), or a list of (target, weight)."""
    if depth == 0 or PICK.random() < 0.15:
        return None
    mode = PICK.choice(modes)
    v = [float(x) for x in real(PICK.randint(1, 4))] if mode == "MEMBER" else float(real(1)[0])
    return (mode, v, PICK.random() < 0.3, PICK.randrange(features), grow(depth - 1, features, modes), grow(depth - 1, features, modes))


def goes(mode, v, missing, x):
    if np.isnan(x):
        return missing or mode == "BRANCH_NEQ"
    return {"BRANCH_LEQ": lambda: x <= v, "BRANCH_LT": lambda: x < v, "BRANCH_GTE": lambda: x >= v, "BRANCH_GT": lambda: x > v,
            "BRANCH_EQ": lambda: x == v, "BRANCH_NEQ": lambda: x != v, "MEMBER": lambda: x in v}[mode]()


def walk(t, row, leaf):
    """The number of the leaf; leaves are numbered as they are met, yes before no."""
    if t is None:
        return leaf, leaf + 1
    mode, v, missing, f, yes, no = t
    at, after = walk(yes, row, leaf)
    other, after = walk(no, row, after)
    return (at if goes(mode, v, missing, row[f]) else other), after


def aggregate(trees, weights, x, how, targets):
    """Scores of rows: weights[tree][leaf] is a list of (target, weight)."""
    out = np.zeros((len(x), targets))
    for r, row in enumerate(x):
        said = [[] for _ in range(targets)]
        for t, w in zip(trees, weights):
            for target, weight in w[walk(t, row, 0)[0]]:
                said[target].append(weight)
        for k, s in enumerate(said):
            out[r, k] = 0 if not s else {"SUM": sum, "AVERAGE": lambda s: sum(s) / len(trees), "MIN": min, "MAX": max}[how](s)
    return out


def leaves(t):
    return 1 if t is None else leaves(t[4]) + leaves(t[5])


def named(trees, weights, what):
    """Attributes of nodes named by tree and number, in a random order within a tree but for the root."""
    a = {k: [] for k in ("treeids", "nodeids", "modes", "values", "featureids", "truenodeids", "falsenodeids", "missing_value_tracks_true")}
    w = {k: [] for k in ("treeids", "nodeids", "ids", "weights")}
    for tree, t in enumerate(trees):
        rows, count = [], [0, 0]

        def visit(t):
            me = count[0]
            count[0] += 1
            if t is None:
                for target, weight in weights[tree][count[1]]:
                    for k, v in zip(w, (tree, me, target, weight)):
                        w[k].append(v)
                count[1] += 1
                rows.append((me, "LEAF", 0.0, 0, 0, 0, 0))
                return me
            slot = len(rows)
            rows.append(None)
            yes, no = visit(t[4]), visit(t[5])
            rows[slot] = (me, t[0], t[1], t[3], yes, no, int(t[2]))
            return me

        visit(t)
        head, rest = rows[0], rows[1:]
        PICK.shuffle(rest)
        for me, mode, v, f, yes, no, missing in [head] + rest:
            for k, x in zip(a, (tree, me, mode, v, f, yes, no, missing)):
                a[k].append(x)
    out = {f"nodes_{k}": v for k, v in a.items()}
    out.update({f"{what}_{k}": v for k, v in w.items()})
    return out


def placed(trees, weights):
    """Attributes of TreeEnsemble 5."""
    node = {k: [] for k in ("splits", "modes", "featureids", "truenodeids", "falsenodeids", "trueleafs", "falseleafs", "missing")}
    roots, leaf, sets = [], ([], []), {}
    for tree, t in enumerate(trees):
        number = [0]

        def child(t):
            if t is None:
                target, weight = weights[tree][number[0]][0]
                number[0] += 1
                leaf[0].append(target), leaf[1].append(weight)
                return len(leaf[0]) - 1, 1
            me = len(node["splits"])
            for k, v in zip(node, (0.0 if t[0] == "MEMBER" else t[1], MODES.index(t[0]), t[3], 0, 0, 0, 0, int(t[2]))):
                node[k].append(v)
            if t[0] == "MEMBER":
                sets[me] = t[1]
            for key, flag, c in (("truenodeids", "trueleafs", t[4]), ("falsenodeids", "falseleafs", t[5])):
                node[key][me], node[flag][me] = child(c)
            return me, 0

        roots.append(child(t)[0])
    members = [x for me in sorted(sets) for x in sets[me] + [np.nan]]
    out = {f"nodes_{k}": node[k] for k in ("featureids", "truenodeids", "falsenodeids", "trueleafs", "falseleafs")}
    out.update(nodes_missing_value_tracks_true=node["missing"], tree_roots=roots, leaf_targetids=leaf[0],
               nodes_splits=numpy_helper.from_array(np.array(node["splits"], np.float32)),
               nodes_modes=numpy_helper.from_array(np.array(node["modes"], np.uint8)),
               leaf_weights=numpy_helper.from_array(np.array(leaf[1], np.float32)),
               membership_values=numpy_helper.from_array(np.array(members, np.float32)) if members else None)
    return out


def add_trees(c):
    for i in range(24):
        features, targets = PICK.randint(1, 5), PICK.choice([1, 1, 3])
        v5 = i % 2
        trees = [grow(PICK.randint(1, 5), features, MODES if v5 else MODES[:6]) for _ in range(PICK.randint(1, 12))]
        trees = [t or grow(1, features, MODES[:6]) or ("BRANCH_LEQ", 0.5, False, 0, None, None) for t in trees]
        weights = [[[(PICK.randrange(targets), float(real(1)[0])) for _ in range(1 if v5 or targets == 1 else PICK.randint(0, 3))]
                    for _ in range(leaves(t))] for t in trees]
        x = real(PICK.choice([1, 7, 40]), features)
        x[RNG.random(x.shape) < 0.1] = np.nan
        how = PICK.choice(["SUM", "AVERAGE", "MIN", "MAX"])
        want = aggregate(trees, weights, x, how, targets).astype(np.float32)
        if v5:
            c.add("TreeEnsemble", [x], [want], ML, n_targets=targets, aggregate_function=["AVERAGE", "SUM", "MIN", "MAX"].index(how),
                  **placed(trees, weights))
            continue
        base = [float(v) for v in real(targets)] if PICK.random() < 0.5 else None
        if base:
            want = want + np.array(base, np.float32)
        wide = PICK.random() < 0.3
        c.add("TreeEnsembleRegressor", [x.astype(np.float64) if wide else x], [want], ML, n_targets=targets, aggregate_function=how,
              base_values=base, **named(trees, weights, "target"))
    for i in range(12):
        features, classes = PICK.randint(1, 5), PICK.randint(2, 4)
        trees = [grow(4, features, MODES[:6]) or ("BRANCH_LT", 0.5, False, 0, None, None) for _ in range(PICK.randint(1, 6))]
        one, sign = classes == 2, PICK.random() < 0.5
        weights = [[[(0, float(abs(real(1)[0]) / 8 - (sign and 0.1)))] if one else [(k, float(real(1)[0])) for k in range(classes)]
                    for _ in range(leaves(t))] for t in trees]
        x = real(20, features)
        s = aggregate(trees, weights, x, "SUM", classes).astype(np.float32)
        if one:
            neg = any(w < 0 for t in weights for leaf in t for _, w in leaf)
            label = (s[:, 0] > (0 if neg else 0.5)).astype(np.int64)
            s = np.stack([-s[:, 0] if neg else 1 - s[:, 0], s[:, 0]], 1)
        else:
            label = s.argmax(1)
        names = [f"c{k}" for k in range(classes)]
        c.add("TreeEnsembleClassifier", [x], [np.array([names[k] for k in label], dtype=object), s], ML, classlabels_strings=names,
              **named(trees, weights, "class"))


# ---- the rest of ai.onnx.ml -----------------------------------------------------------------------


def add_models(c):
    for post in ("NONE", "LOGISTIC", "SOFTMAX", "SOFTMAX_ZERO"):
        for classes in (1, 3):
            x, w = real(9, 4), [float(v) for v in real(classes * 4)]
            b = [float(v) for v in real(classes)]
            labels = [5, 7] if classes == 1 else [5, 7, 9]
            c.add("LinearClassifier", [x], None, ML, coefficients=w, intercepts=b, post_transform=post, classlabels_ints=labels)
        c.add("LinearRegressor", [real(5, 4)], None, ML, coefficients=[float(v) for v in real(8)], intercepts=[0.5, -1.0], targets=2)
    for kernel in ("LINEAR", "POLY", "RBF", "SIGMOID"):
        params = [0.25, 0.5, 2.0]
        for one in (0, 1):
            c.add("SVMRegressor", [real(6, 3)], None, ML, kernel_type=kernel, kernel_params=params, n_supports=5, one_class=one,
                  coefficients=[float(v) for v in real(5)], support_vectors=[float(v) for v in real(15)], rho=[0.3])
        for _ in range(2):  # not with probabilities, which the reference couples otherwise
            k, each = 3, [2, 1, 3]
            c.add("SVMClassifier", [real(8, 3)], None, ML, kernel_type=kernel, kernel_params=params, vectors_per_class=each,
                  coefficients=[float(v) for v in real((k - 1) * 6)], support_vectors=[float(v) for v in real(18)],
                  rho=[0.1, -0.2, 0.3], classlabels_ints=[3, 1, 2], post_transform="NONE")
    for norm in ("MAX", "L1", "L2"):
        c.add("Normalizer", [real(5, 4)], None, ML, norm=norm)
    for t in (np.float32, np.float64, np.int32, np.int64):
        x = (real(6, 3) * 4).astype(t)
        c.add("Scaler", [x], [((x.astype(np.float64) - [1, 2, 3]) * [0.5, 0.25, 2]).astype(np.float32)], ML, offset=[1.0, 2.0, 3.0], scale=[0.5, 0.25, 2.0])
        c.add("Scaler", [x], [((x.astype(np.float64) - 1) * 0.5).astype(np.float32)], ML, offset=[1.0], scale=[0.5])
        c.add("Binarizer", [x], [(x > 0.5).astype(t)], ML, threshold=0.5)
        c.add("ArrayFeatureExtractor", [x, np.array([[2, 0, 2]], np.int64)], None, ML)
    x = real(6, 3)
    x[RNG.random(x.shape) < 0.4] = np.nan
    c.add("Imputer", [x], None, ML, imputed_value_floats=[1.5, 2.5, 3.5], replaced_value_float=float("nan"))
    c.add("Imputer", [x], None, ML, imputed_value_floats=[1.5], replaced_value_float=float("nan"))
    c.add("Imputer", [(real(5, 2) * 2).astype(np.int64)], None, ML, imputed_value_int64s=[9, 8], replaced_value_int64=1)
    a, b = real(4, 3), real(4, 2)
    c.add("FeatureVectorizer", [a, b], [np.concatenate([a[:, :2], b, np.zeros((4, 2), np.float32)], 1)], ML, inputdimensions=[2, 4])
    for x, cats in ((text(6), {"cats_strings": ["a", "cc", ""]}), (RNG.integers(0, 5, (4, 2)), {"cats_int64s": [3, 1, 2]})):
        c.add("OneHotEncoder", [x], None, ML, zeros=1, **cats)
    keys = {"keys_strings": (text(9), ["a", "b", "Dä"]), "keys_int64s": (RNG.integers(0, 5, (3, 3)), [0, 2, 4]),
            "keys_floats": (real(9), [0.5, 1.0, -0.25])}
    values = {"values_strings": ["x", "yy", ""], "values_int64s": [7, -7, 0], "values_floats": [0.5, 1.5, 2.5]}
    for k, (x, ks) in keys.items():
        for v, vs in values.items():
            d = {"values_strings": "_Unused", "values_int64s": -1, "values_floats": -0.0}[v]
            t = {"values_strings": object, "values_int64s": np.int64, "values_floats": np.float32}[v]
            table = dict(zip([np.float32(q) for q in ks] if k == "keys_floats" else ks, vs))
            want = np.array([table.get(e, d) for e in x.ravel()], dtype=t).reshape(x.shape)
            c.add("LabelEncoder", [x], [want], ML, ml=2, **{k: ks, v: vs})
    words = ["a", "b", "cc"]
    for op, more in (("LabelEncoder", {"classes_strings": words}), ("CategoryMapper", {"cats_strings": words, "cats_int64s": [0, 1, 2]})):
        x = text(8)
        c.add(op, [x], [np.array([words.index(w) if w in words else -1 for w in x], np.int64)], ML, ml=1, **more)
        i = RNG.integers(-1, 4, 8)
        c.add(op, [i], [np.array([words[k] if 0 <= k < 3 else "_Unused" for k in i], dtype=object)], ML, ml=1, **more)


# ---- text, sequences ------------------------------------------------------------------------------

PIECES = ["a", "b", "ab", ".", "[ab]", "[^a]", "\\d", "\\w", "\\s", "(a|b)", "(ab)?", "a*", "b+", "a{2}", "b{1,3}", "(?:a|bc)*", "[a-c]{2,}", "^", "$",
          "\\bab\\b", "x?", "(a*)*", "(?i:A)", "\\.", "[\\d.]", "ü", "[à-ü]", "(|a)", "\\x61", "a??", "(?i:[B-D])", "\\B"]
TEXTS = ["", "a", "b", "ab", "aab", "abab", "ba", "aabb", "a1", "12", "a b", "ü", "aü", "abc", "bcbc", "A", "aA", "x", ".", "a.b", "cab", "bbb", "ab ab", "\n", "a\nb"]


def add_text(c):
    for i in range(60):
        pattern = "".join(PICK.choice(PIECES) for _ in range(PICK.randint(1, 4)))
        if i % 3 == 0:
            pattern = f"({pattern})|{PICK.choice(PIECES)}"
        texts = [t for t in TEXTS if t or "\\B" not in pattern]  # Python's \B never holds in an empty text
        want = [re.fullmatch(pattern, t, re.ASCII) is not None for t in texts]
        c.add("RegexFullMatch", [np.array(texts, dtype=object)], [np.array(want)], pattern=pattern)
    c.add("RegexFullMatch", [np.array(["a" * 200 + "!", "a" * 200], dtype=object)], [np.array([False, True])], pattern="(a*)*(a|aa)+")
    for delimiter, most in ((None, None), (" ", None), ("a", 1), ("", 1), ("ab", None), (",", 2)):
        x = np.array(["a b c", "  lead", "a,b,,c", "", "abab", "x  y  "], dtype=object).reshape(2, 3)
        c.add("StringSplit", [x], None, delimiter=delimiter, maxsplit=most)
    c.add("StringConcat", [text(6).reshape(3, 2), text(2)], None)
    for action in ("NONE", "LOWER", "UPPER"):
        x = np.array(["Monday", "tuesday", "ÄÖÜ", "monday", "éa"], dtype=object)
        change = {"NONE": str, "LOWER": str.lower, "UPPER": str.upper}[action]
        for sensitive in (0, 1):
            fold = str if sensitive else str.upper if action == "UPPER" else str.lower
            kept = [change(w) for w in x if fold(w) not in [fold("monday"), fold("Tuesday")]]
            c.add("StringNormalizer", [x], [np.array(kept, dtype=object)], case_change_action=action, is_case_sensitive=sensitive,
                  stopwords=["monday", "Tuesday"])
    for i in range(8):
        pool = [1, 2, 3, 4, 1, 2, 3, 3, 2, 4, 1, 2, 3]
        args = {"ngram_counts": [0, 4, 10], "ngram_indexes": [0, 1, 2, 3, 4, 5, 6, 7], "pool_int64s": pool, "mode": ["TF", "IDF", "TFIDF"][i % 3],
                "min_gram_length": 1 + i % 2, "max_gram_length": 2 + i // 4, "max_skip_count": i % 3, "weights": [float(v) for v in np.arange(1, 9)]}
        c.add("TfIdfVectorizer", [RNG.integers(1, 5, (3, 9)).astype(np.int64)], None, **args)
    seq = [real(2, 3), real(4, 3), real(1, 3)]
    new = real(5, 3)
    for at in (-3, -1, 0, 2, 3):
        want = list(seq)
        want.insert(at + 3 if at < 0 else at, new)
        c.add("SequenceInsert", [seq, new, np.array(at, np.int64)], [want])
    for at in (-3, -1, 0, 2):
        want = list(seq)
        del want[at]
        c.add("SequenceErase", [seq, np.array(at, np.int64)], [want])
        c.add("SequenceAt", [seq, np.array(at, np.int64)], [seq[at]])
    c.add("ConcatFromSequence", [seq], [np.concatenate(seq)], axis=0)
    same = [real(2, 3) for _ in range(3)]
    for axis in (-1, 0, 1, 2):
        c.add("ConcatFromSequence", [same], [np.stack(same, axis)], axis=axis, new_axis=1)
    x = real(4, 6)
    c.add("SplitToSequence", [x, np.array(4, np.int64)], [[x[:, :4], x[:, 4:]]], axis=1)
    c.add("SplitToSequence", [x, np.array([1, 3], np.int64)], [[x[:1], x[1:]]], axis=-2)
    c.add("SplitToSequence", [x], [[r for r in x]], axis=0, keepdims=0)
    t = [text(3), text(2)]
    c.add("ConcatFromSequence", [t], [np.concatenate(t)], axis=0)


# ---- refused allocations --------------------------------------------------------------------------


def sweeps(folder):
    """Models of several nodes that make sequences, optionals, maps and text from what they hold themselves."""
    def node(op, ins, outs, domain="", **a):
        return helper.make_node(op, ins.split(" ") if ins else [], outs.split(" "), domain=domain, **a)

    def graph(name, nodes, outs, inits=(), ins=()):
        return helper.make_graph(nodes, name, list(ins), [helper.make_value_info(o, t) for o, t in outs], list(inits))

    def tensor(t, rank=None):
        return helper.make_tensor_type_proto(t, rank)

    f, i = TensorProto.FLOAT, TensorProto.INT64
    seq = helper.make_sequence_type_proto(tensor(f))
    x = helper.make_tensor_value_info("x", f, [4, 3])
    at = numpy_helper.from_array(np.array(1, np.int64), "at")
    body = graph("body", [node("Identity", "c", "d"), node("SequenceInsert", "s x", "t"), node("SequenceLength", "t", "n")],
                 [("d", tensor(TensorProto.BOOL, [])), ("t", seq), ("n", tensor(i, []))],
                 ins=[helper.make_tensor_value_info("k", i, []), helper.make_tensor_value_info("c", TensorProto.BOOL, []), helper.make_value_info("s", seq)])
    each = graph("each", [node("Neg", "e", "m"), node("Shape", "e", "z")], [("m", tensor(f)), ("z", tensor(i))],
                 ins=[helper.make_tensor_value_info("e", f, None)])
    words = numpy_helper.from_array(np.array(["ab cd", "e f g", "cd"], dtype=object), "w")
    yes = graph("yes", [node("SequenceErase", "s0 at", "b0")], [("b0", seq)])
    no = graph("no", [node("Identity", "s0", "b1")], [("b1", seq)])
    models = {
        "sequence": graph("g", [node("SplitToSequence", "x", "s0", axis=0), node("SequenceErase", "s0 at", "s1"), node("SequenceAt", "s1 at", "a"),
                                node("SequenceConstruct", "a a", "s2"), node("SequenceInsert", "s2 a at", "s3"),
                                node("ConcatFromSequence", "s3", "y", axis=0), node("Identity", "s3", "s")],
                          [("y", tensor(f)), ("s", seq)], [at], [x]),
        "loop": graph("g", [node("SequenceEmpty", "", "s0"), node("Loop", "trips  s0", "s n", body=body)], [("s", seq), ("n", tensor(i))],
                      [numpy_helper.from_array(np.array(5, np.int64), "trips")], [x]),
        "map": graph("g", [node("SplitToSequence", "x", "s0", axis=0), node("SequenceMap", "s0", "s t", body=each)],
                     [("s", seq), ("t", helper.make_sequence_type_proto(tensor(i)))], ins=[x]),
        "if": graph("g", [node("SplitToSequence", "x", "s0", axis=0), node("ReduceSum", "x", "r", keepdims=0), node("Greater", "r zero", "c"),
                          node("If", "c", "s", then_branch=yes, else_branch=no), node("SequenceLength", "s0", "n")],
                    [("s", seq), ("n", tensor(i))], [at, numpy_helper.from_array(np.array(-1e9, np.float32), "zero")], [x]),
        "optional": graph("g", [node("SplitToSequence", "x", "s0", axis=0), node("Optional", "s0", "o"), node("OptionalHasElement", "o", "h"),
                                node("OptionalGetElement", "o", "s")], [("h", tensor(TensorProto.BOOL)), ("s", seq)], ins=[x]),
        "zipmap": graph("g", [node("ZipMap", "x", "m", ML, classlabels_strings=["a", "b", "c"])],
                        [("m", helper.make_sequence_type_proto(helper.make_map_type_proto(8, tensor(f, []))))], ins=[x]),
        "text": graph("g", [node("StringConcat", "w w", "v"), node("StringNormalizer", "v", "u", case_change_action="UPPER", stopwords=["cdcd"]),
                            node("StringSplit", "u", "p q"), node("Cast", "x", "t", to=8), node("SequenceConstruct", "u w", "s"),
                            node("ConcatFromSequence", "s", "y", axis=0), node("RegexFullMatch", "y", "r", pattern="(A|B)+ .*")],
                      [(o, tensor(t)) for o, t in (("p", 8), ("q", i), ("t", 8), ("y", 8), ("r", 9))], [words], [x]),
    }
    out = []
    folder.mkdir(parents=True, exist_ok=True)
    for name, g in models.items():
        out.append(folder / f"{name}.onnx")
        m = helper.make_model(g, opset_imports=[helper.make_opsetid("", 20), helper.make_opsetid(ML, 3)], ir_version=9)
        out[-1].write_bytes(m.SerializeToString())
    return out


def main():
    folder = pathlib.Path(sys.argv[1])
    shutil.rmtree(folder, ignore_errors=True)
    c = Cases(folder)
    for part in (add_trees, add_models, add_text):
        part(c)
    status = suite.check(folder, sys.argv[2], [])
    kinds = {}
    for home in sorted(folder.iterdir()):
        if not home.name.startswith(("Sequence", "Concat", "ArrayFeature")):  # their inputs must be given
            kinds.setdefault(home.name.rsplit("_", 1)[0], home / "model.onnx")
    models = [*kinds.values(), *sweeps(folder.with_name(folder.name + "_sweep"))]
    for kind in ("LabelEncoder", "RegexFullMatch", "SVMClassifier", "TreeEnsembleRegressor", "OneHotEncoder"):
        done = subprocess.run([sys.argv[2], "convert", kinds[kind], "-o", folder / "x.whet"], capture_output=True, text=True)
        if done.returncode != 1 or "cannot hold operator" not in done.stderr:
            print(f"{kind} in a .whet file: {done.stderr[-300:]}")
            status = 1
    for sweep in sys.argv[3:]:
        done = subprocess.run([sweep, *models], capture_output=True, text=True)
        if done.returncode:
            print(f"{pathlib.Path(sweep).name}: {(done.stdout + done.stderr)[-1500:]}")
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
