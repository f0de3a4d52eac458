# SPDX-License-Identifier: Apache-2.0
"""Models of scikit-learn's families, exported by skl2onnx, against scikit-learn itself: sklearn_models.py FOLDER WHET [TEXT | --every N]

Every estimator is trained on small data, exported, and run by whet on rows that it has not seen; labels must be equal, numbers
agree within the rounding of f32. What skl2onnx cannot export in this version is listed, not counted. TEXT: only names that
contain it. --every N: one case of N.
"""
import json
import pathlib
import subprocess
import sys
import warnings

import numpy as np
import onnx
from onnx import helper

warnings.simplefilter("ignore")

from skl2onnx import to_onnx  # noqa: E402
from skl2onnx.common.data_types import Int64TensorType, StringTensorType  # noqa: E402
from sklearn import (calibration, cluster, compose, cross_decomposition, decomposition, discriminant_analysis, ensemble,  # noqa: E402
                     feature_extraction, feature_selection, gaussian_process, impute, kernel_approximation, linear_model,
                     mixture, model_selection, multiclass, multioutput, naive_bayes, neighbors, neural_network, pipeline,
                     preprocessing, random_projection, svm, tree)
from sklearn.datasets import make_classification, make_regression  # noqa: E402

LEAST = 25


def honest_make_attribute(make=helper.make_attribute):
    """helper.make_attribute that takes NumPy's booleans among integers, as skl2onnx writes them."""
    def fixed(key, value, *args, **kw):
        if isinstance(value, list) and value and any(isinstance(v, (bool, np.bool_)) for v in value):
            value = [int(v) for v in value]
        return make(key, value, *args, **kw)
    return fixed


onnx.helper.make_attribute = honest_make_attribute()

RNG = np.random.default_rng(0)
X2, Y2 = make_classification(160, 6, n_informative=4, random_state=1)
X3, Y3 = make_classification(200, 6, n_informative=4, n_classes=3, random_state=2)
XR, YR = make_regression(160, 6, noise=3, random_state=3)
YM = np.stack([YR, YR * 0.5 + XR[:, 0]], axis=1)
X2, X3, XR = (x.astype(np.float32) for x in (X2, X3, XR))
# Numbers that f32 holds exactly, so that no threshold falls between two roundings.
X2, X3, XR = (np.round(x * 64) / 64 for x in (X2, X3, XR))
XM = X3.copy()
XM[RNG.random(XM.shape) < 0.1] = np.nan
COUNT = RNG.integers(0, 6, (160, 6)).astype(np.float32)
CAT = RNG.integers(0, 4, (160, 3)).astype(np.int64)
WORD = np.array([["red", "green", "blue", "grey"][i] for i in RNG.integers(0, 4, 160)] +
                [["small", "large"][i] for i in RNG.integers(0, 2, 160)]).reshape(2, 160).T.astype(object)
TEXT = np.array(["the quick brown fox", "jumps over the lazy dog", "The Dog barks, loudly", "one quick dog and one lazy fox",
                 "brown cats sleep over there", "sleep is for the quick"] * 8)
TEXT_Y = np.array([0, 1, 1, 0, 1, 0] * 8)


# Exports that say something else than the estimator, in every runtime: not compared.
EXPORT = {"LinearDiscriminantAnalysis_2": "one score is exported where the estimator takes two",
          "SGDClassifier_3": "the class of the normalised shares is taken, which ties where decisions do not",
          "SGDClassifier_3_37": "as SGDClassifier_3",
          "DecisionTree_missing": "the way of missing values is not exported",
          "KNeighborsRegressor_33": "distances are negated before they become weights",
          "GaussianProcessClassifier": "it is written with an operator of one runtime's own"}


class Case:
    """An estimator, what it is trained and asked on, and what is compared: `methods` in the order of the outputs."""

    def __init__(self, name, model, x, y=None, methods=None, options=None, rtol=1e-4, atol=1e-4, types=None, feed=None, opset=None):
        self.name, self.model, self.x, self.y = name, model, x, y
        self.methods = methods or (["predict", "predict_proba"] if hasattr(model, "predict_proba") else
                                   ["predict"] if hasattr(model, "predict") else ["transform"])
        self.options, self.rtol, self.atol, self.types, self.feed, self.opset = options, rtol, atol, types, feed, opset


def classifiers():
    zoo = [
        tree.DecisionTreeClassifier(max_depth=5, random_state=0), tree.ExtraTreeClassifier(max_depth=5, random_state=0),
        ensemble.RandomForestClassifier(20, max_depth=6, random_state=0), ensemble.ExtraTreesClassifier(20, random_state=0),
        ensemble.GradientBoostingClassifier(n_estimators=15, random_state=0), ensemble.HistGradientBoostingClassifier(max_iter=15),
        ensemble.AdaBoostClassifier(n_estimators=8, random_state=0), ensemble.BaggingClassifier(n_estimators=6, random_state=0),
        linear_model.LogisticRegression(), linear_model.LogisticRegressionCV(cv=3), naive_bayes.GaussianNB(),
        naive_bayes.BernoulliNB(), discriminant_analysis.LinearDiscriminantAnalysis(),
        discriminant_analysis.QuadraticDiscriminantAnalysis(reg_param=0.1), neighbors.KNeighborsClassifier(3),
        neighbors.RadiusNeighborsClassifier(20.0), neural_network.MLPClassifier((12,), max_iter=150, random_state=0),
        linear_model.SGDClassifier(loss="log_loss", random_state=0), linear_model.SGDClassifier(loss="modified_huber", random_state=0),
        calibration.CalibratedClassifierCV(svm.LinearSVC(), cv=2), svm.SVC(probability=True, random_state=0),
        svm.SVC(kernel="poly", degree=2, probability=True, random_state=0), svm.NuSVC(probability=True, random_state=0),
        ensemble.VotingClassifier([("a", linear_model.LogisticRegression()), ("b", naive_bayes.GaussianNB())], voting="soft", flatten_transform=False),
        ensemble.StackingClassifier([("a", tree.DecisionTreeClassifier(max_depth=3)), ("b", naive_bayes.GaussianNB())]),
        multiclass.OneVsRestClassifier(linear_model.LogisticRegression()), multiclass.OneVsOneClassifier(linear_model.LogisticRegression()),
        model_selection.GridSearchCV(tree.DecisionTreeClassifier(random_state=0), {"max_depth": [2, 4]}, cv=2),
    ]
    out = []
    for m in zoo:
        for x, y, tag in ((X2, Y2, "2"), (X3, Y3, "3")):
            name = f"{type(m).__name__}_{tag}"
            if any(c.name == name for c in out):
                name += "_" + str(len(out))
            out.append(Case(name, m, x, y, ["predict", "predict_proba"], rtol=1e-3 if "SVC" in name else 1e-4, atol=2e-4 if "SVC" in name else 1e-4))
    names = np.array(["ant", "bee", "cat"])
    out += [Case("RandomForest_text_labels", ensemble.RandomForestClassifier(10, random_state=0), X3, names[Y3]),
            Case("LogisticRegression_text_labels", linear_model.LogisticRegression(), X3, names[Y3]),
            Case("SVC_text_labels", svm.SVC(probability=True, random_state=0), X3, names[Y3], rtol=1e-3),
            Case("HistGradientBoosting_missing", ensemble.HistGradientBoostingClassifier(max_iter=15), XM, Y3),
            Case("DecisionTree_missing", tree.DecisionTreeClassifier(max_depth=5, random_state=0), XM, Y3)]
    for m in (linear_model.Perceptron(), linear_model.RidgeClassifier(), linear_model.PassiveAggressiveClassifier(random_state=0),
              svm.LinearSVC(), svm.SVC(), svm.SVC(kernel="sigmoid"), svm.SVC(kernel="linear"), svm.NuSVC(),
              linear_model.SGDClassifier(random_state=0)):
        for x, y, tag in ((X2, Y2, "2"), (X3, Y3, "3")):
            out.append(Case(f"{type(m).__name__}_{getattr(m, 'kernel', '')}_decision_{tag}", m, x, y,
                            ["predict", "decision_function"], {"raw_scores": True}, rtol=1e-3, atol=1e-3))
    out += [Case("MultinomialNB", naive_bayes.MultinomialNB(), COUNT, Y2), Case("ComplementNB", naive_bayes.ComplementNB(), COUNT, Y2),
            Case("CategoricalNB", naive_bayes.CategoricalNB(), CAT, Y2),
            Case("GaussianProcessClassifier", gaussian_process.GaussianProcessClassifier(), X2[:60], Y2[:60], rtol=1e-3, atol=1e-3),
            Case("MultiOutputClassifier", multioutput.MultiOutputClassifier(linear_model.LogisticRegression()), X2,
                 np.stack([Y2, 1 - Y2], 1), ["predict"])]
    return out


def regressors():
    zoo = [
        tree.DecisionTreeRegressor(max_depth=5, random_state=0), tree.ExtraTreeRegressor(max_depth=5, random_state=0),
        ensemble.RandomForestRegressor(20, random_state=0), ensemble.ExtraTreesRegressor(20, random_state=0),
        ensemble.GradientBoostingRegressor(n_estimators=15, random_state=0), ensemble.HistGradientBoostingRegressor(max_iter=15),
        ensemble.AdaBoostRegressor(n_estimators=8, random_state=0), ensemble.BaggingRegressor(n_estimators=6, random_state=0),
        linear_model.LinearRegression(), linear_model.Ridge(), linear_model.RidgeCV(), linear_model.Lasso(), linear_model.LassoCV(cv=3),
        linear_model.LassoLars(), linear_model.ElasticNet(), linear_model.ElasticNetCV(cv=3), linear_model.Lars(), linear_model.LarsCV(cv=3),
        linear_model.BayesianRidge(), linear_model.ARDRegression(), linear_model.HuberRegressor(), linear_model.TheilSenRegressor(random_state=0),
        linear_model.OrthogonalMatchingPursuit(), linear_model.SGDRegressor(random_state=0), linear_model.RANSACRegressor(random_state=0),
        linear_model.PassiveAggressiveRegressor(random_state=0), linear_model.QuantileRegressor(), svm.SVR(), svm.SVR(kernel="poly", degree=2),
        svm.SVR(kernel="sigmoid"), svm.NuSVR(), svm.LinearSVR(random_state=0), neighbors.KNeighborsRegressor(3),
        neighbors.KNeighborsRegressor(3, weights="distance"), neighbors.RadiusNeighborsRegressor(30.0),
        neural_network.MLPRegressor(hidden_layer_sizes=(12,), max_iter=150, random_state=0), cross_decomposition.PLSRegression(2),
        gaussian_process.GaussianProcessRegressor(gaussian_process.kernels.RBF(2.0), alpha=10.0),
        ensemble.VotingRegressor([("a", linear_model.Ridge()), ("b", tree.DecisionTreeRegressor(max_depth=3, random_state=0))]),
        ensemble.StackingRegressor([("a", linear_model.Ridge()), ("b", tree.DecisionTreeRegressor(max_depth=3, random_state=0))]),
    ]
    out = [Case(f"{type(m).__name__}_{i}", m, XR, YR, ["predict"], atol=2e-3, rtol=1e-4) for i, m in enumerate(zoo)]
    out += [Case(f"{type(m).__name__}_cdist", m, XR, YR, ["predict"], {"optim": "cdist"}, atol=2e-3, rtol=1e-4)
            for m in (neighbors.KNeighborsRegressor(3), gaussian_process.GaussianProcessRegressor(gaussian_process.kernels.RBF(2.0), alpha=10.0))]
    positive = np.exp(YR / 200)
    out += [Case(type(m).__name__, m, XR, positive, ["predict"])
            for m in (linear_model.PoissonRegressor(), linear_model.GammaRegressor(), linear_model.TweedieRegressor(power=1.5))]
    out += [Case(f"{type(m).__name__}_two_targets", m, XR, YM, ["predict"], atol=2e-3)
            for m in (tree.DecisionTreeRegressor(max_depth=5, random_state=0), ensemble.RandomForestRegressor(10, random_state=0),
                      linear_model.LinearRegression(), linear_model.MultiTaskLasso(), linear_model.MultiTaskElasticNet(),
                      neighbors.KNeighborsRegressor(3), multioutput.MultiOutputRegressor(linear_model.Ridge()))]
    return out


def others():
    wide = np.abs(X3) + 0.5
    out = [Case(type(m).__name__ + f"_{i}", m, x, y, ["transform"], atol=atol) for i, (m, x, y, atol) in enumerate([
        (preprocessing.StandardScaler(), X3, None, 1e-5), (preprocessing.MinMaxScaler(), X3, None, 1e-5),
        (preprocessing.MaxAbsScaler(), X3, None, 1e-5), (preprocessing.RobustScaler(), X3, None, 1e-5),
        (preprocessing.Normalizer("l2"), X3, None, 1e-5), (preprocessing.Normalizer("l1"), X3, None, 1e-5),
        (preprocessing.Normalizer("max"), X3, None, 1e-5), (preprocessing.Binarizer(threshold=0.25), X3, None, 0),
        (preprocessing.PolynomialFeatures(2), X3, None, 1e-3), (preprocessing.PowerTransformer(), X3, None, 1e-3),
        (preprocessing.PowerTransformer("box-cox"), wide, None, 1e-3), (preprocessing.KBinsDiscretizer(4, encode="onehot-dense"), X3, None, 0),
        (preprocessing.KBinsDiscretizer(4, encode="ordinal"), X3, None, 0), (preprocessing.FunctionTransformer(), X3, None, 0),
        (preprocessing.QuantileTransformer(n_quantiles=20), X3, None, 1e-4), (preprocessing.OrdinalEncoder(), CAT, None, 0),
        (preprocessing.OneHotEncoder(sparse_output=False), CAT, None, 0), (preprocessing.KernelCenterer(), X3[:6], None, 1e-4),
        (preprocessing.TargetEncoder(random_state=0), CAT, Y2, 1e-4),
        (impute.SimpleImputer(), XM, None, 1e-5), (impute.SimpleImputer(strategy="median"), XM, None, 1e-5), (impute.KNNImputer(n_neighbors=2), XM, None, 1e-3),
        (decomposition.PCA(3), X3, None, 1e-4), (decomposition.PCA(3, whiten=True), X3, None, 1e-4), (decomposition.IncrementalPCA(3), X3, None, 1e-4),
        (decomposition.TruncatedSVD(3, random_state=0), X3, None, 1e-4), (decomposition.KernelPCA(3, kernel="rbf"), X3, None, 1e-3),
        (random_projection.GaussianRandomProjection(3, random_state=0), X3, None, 1e-4),
        (feature_selection.SelectKBest(k=3), X3, Y3, 0), (feature_selection.SelectPercentile(percentile=50), X3, Y3, 0),
        (feature_selection.SelectFpr(), X3, Y3, 0), (feature_selection.SelectFdr(), X3, Y3, 0), (feature_selection.SelectFwe(), X3, Y3, 0),
        (feature_selection.VarianceThreshold(0.5), X3, None, 0), (feature_selection.GenericUnivariateSelect(mode="k_best", param=3), X3, Y3, 0),
        (feature_selection.RFE(linear_model.LogisticRegression(), n_features_to_select=3), X3, Y3, 0),
        (feature_selection.SelectFromModel(linear_model.LogisticRegression()), X3, Y3, 0),
        (neighbors.NeighborhoodComponentsAnalysis(3, random_state=0), X3, Y3, 1e-3), (ensemble.RandomTreesEmbedding(5, random_state=0, sparse_output=False), X3, None, 0),
        (neighbors.KNeighborsTransformer(n_neighbors=3, mode="distance"), X3, None, 1e-3)])]
    out += [
        Case("KMeans", cluster.KMeans(4, n_init=2, random_state=0), X3, None, ["predict", "transform"], atol=1e-3),
        Case("MiniBatchKMeans", cluster.MiniBatchKMeans(4, n_init=2, random_state=0), X3, None, ["predict", "transform"], atol=1e-3),
        Case("OneClassSVM", svm.OneClassSVM(), X3, None, ["predict", "decision_function"], atol=1e-3),
        Case("SGDOneClassSVM", linear_model.SGDOneClassSVM(random_state=0), X3, None, ["predict", "decision_function"], atol=1e-3),
        Case("IsolationForest", ensemble.IsolationForest(n_estimators=10, random_state=0), X3, None, ["predict", "decision_function"], atol=1e-4, opset=True),
        Case("LocalOutlierFactor", neighbors.LocalOutlierFactor(5, novelty=True), X3, None, ["predict", "decision_function"], atol=1e-3),
        Case("GaussianMixture", mixture.GaussianMixture(3, random_state=0), X3, None, ["predict", "predict_proba"], atol=1e-3),
        Case("BayesianGaussianMixture", mixture.BayesianGaussianMixture(n_components=3, random_state=0), X3, None, ["predict", "predict_proba"], atol=1e-3),
        Case("LabelBinarizer", preprocessing.LabelBinarizer(), CAT[:, 0], None, ["transform"], types=[("x", Int64TensorType([None]))]),
        Case("LabelEncoder", preprocessing.LabelEncoder(), WORD[:, 0], None, ["transform"], types=[("x", StringTensorType([None]))]),
        Case("OneHotEncoder_text", preprocessing.OneHotEncoder(sparse_output=False, handle_unknown="ignore"), WORD, None, ["transform"],
             types=[("x", StringTensorType([None, 2]))]),
        Case("OrdinalEncoder_text", preprocessing.OrdinalEncoder(), WORD, None, ["transform"], types=[("x", StringTensorType([None, 2]))]),
    ]
    return out


def pipelines():
    scaled = pipeline.make_pipeline
    mixed = compose.ColumnTransformer([("n", scaled(impute.SimpleImputer(), preprocessing.StandardScaler()), [0, 1, 2]),
                                       ("m", preprocessing.MinMaxScaler(), [3, 4, 5])])
    union = pipeline.FeatureUnion([("p", decomposition.PCA(2)), ("s", preprocessing.StandardScaler())])
    text = {"tokenexp": "[a-zA-Z0-9_]+"}
    vec = feature_extraction.text
    out = [
        Case("Pipeline_scaler_logistic", scaled(preprocessing.StandardScaler(), linear_model.LogisticRegression()), X3, Y3),
        Case("Pipeline_minmax_svc", scaled(preprocessing.MinMaxScaler(), svm.SVC(probability=True, random_state=0)), X3, Y3, rtol=1e-3, atol=5e-4),
        Case("Pipeline_pca_logistic", scaled(preprocessing.StandardScaler(), decomposition.PCA(3), linear_model.LogisticRegression()), X3, Y3),
        Case("Pipeline_select_forest", scaled(feature_selection.SelectKBest(k=4), ensemble.RandomForestClassifier(10, random_state=0)), X3, Y3),
        Case("Pipeline_columns", scaled(mixed, linear_model.LogisticRegression()), np.hstack([XM[:, :3], X3[:, 3:]]), Y3),
        Case("Pipeline_union", scaled(union, linear_model.LogisticRegression()), X3, Y3),
        Case("Pipeline_poly_ridge", scaled(preprocessing.PolynomialFeatures(2), linear_model.Ridge()), XR, YR, ["predict"], atol=5e-3),
        Case("Pipeline_onehot_tree", scaled(preprocessing.OneHotEncoder(handle_unknown="ignore"), tree.DecisionTreeClassifier(max_depth=4, random_state=0)), CAT, Y2),
        Case("Pipeline_text_onehot_logistic", scaled(preprocessing.OneHotEncoder(handle_unknown="ignore"), linear_model.LogisticRegression()), WORD, Y2,
             types=[("x", StringTensorType([None, 2]))]),
        Case("TfidfVectorizer", vec.TfidfVectorizer(), TEXT, None, ["transform"], types=[("x", StringTensorType([None]))]),
        Case("TfidfVectorizer_bigrams", vec.TfidfVectorizer(ngram_range=(1, 2), norm=None), TEXT, None, ["transform"], types=[("x", StringTensorType([None]))]),
        Case("CountVectorizer", vec.CountVectorizer(), TEXT, None, ["transform"], types=[("x", StringTensorType([None]))]),
        Case("CountVectorizer_stop", vec.CountVectorizer(stop_words=["the", "is"]), TEXT, None, ["transform"], types=[("x", StringTensorType([None]))]),
        Case("TfidfTransformer", vec.TfidfTransformer(), COUNT, None, ["transform"]),
        Case("Pipeline_tfidf_logistic", scaled(vec.TfidfVectorizer(), linear_model.LogisticRegression()), TEXT, TEXT_Y, types=[("x", StringTensorType([None]))]),
        Case("Pipeline_tfidf_nb", scaled(vec.TfidfVectorizer(), naive_bayes.MultinomialNB()), TEXT, TEXT_Y, types=[("x", StringTensorType([None]))]),
    ]
    del text
    return out


def dense(v):
    return np.asarray(v.todense()) if hasattr(v, "todense") else np.asarray(v)


def wanted(model, method, x):
    """What scikit-learn says; decision values of two classes as one column for each, as the export has them."""
    return dense(getattr(model, method)(x))


def same(got, want, rtol, atol):
    if want.dtype.kind in "OUS":
        got = got.ravel()
        return "" if list(got) == [str(w) for w in want.ravel()] else f"labels {got[:6]}, expected {want.ravel()[:6]}"
    if got.size == 2 * want.size and want.ndim == 1:
        got = got.reshape(-1, 2)[:, 1]
    if got.size != want.size:
        return f"shape {got.shape}, expected {want.shape}"
    g, w = got.ravel().astype(np.float64), want.ravel().astype(np.float64)
    if want.dtype.kind in "iub":
        return "" if np.array_equal(g, w) else f"{np.sum(g != w)} of {g.size} labels differ"
    off = np.abs(g - w)
    bad = ~((off <= atol + rtol * np.abs(w)) | (np.isnan(g) & np.isnan(w)))
    return f"{bad.sum()} of {g.size} differ, by up to {np.nanmax(off):.3g}" if bad.any() else ""


def run(whet, home, x):
    """The outputs of home/model.onnx for x."""
    np.save(home / "x.npy", x if x.dtype != object else x.astype(np.str_))
    done = subprocess.run([whet, "run", home / "model.onnx", "-i", home / "x.npy", "--json"], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr.strip()[-300:])
    return [np.array([list(v.values()) if isinstance(v, dict) else v for v in o["values"]] if o["kind"] == "sequence" else o["values"], dtype=float if "string" not in o.get("dtype", "") else object)
            for o in json.loads(done.stdout)["outputs"]]


def export(case, options):
    """The model; without an option that the estimator's exporter does not know."""
    opset = {"": 18, "ai.onnx.ml": 3} if case.opset else None
    for o in (options, dict(options, zipmap=False), {k: v for k, v in options.items() if k != "zipmap"}, {}):
        try:
            return to_onnx(case.model, None if case.types else case.x[:1], initial_types=case.types, target_opset=opset,
                           options={id(case.model): o} if o else None)
        except NameError as e:
            why = e
    raise why


def check(case, folder, whet):
    """"" when all agrees, None when it cannot be exported, else what is wrong."""
    half = len(case.x) // 2 if "KernelCenterer" not in case.name else 0
    home = folder / case.name
    home.mkdir(parents=True, exist_ok=True)
    model = case.model
    seen, asked = slice(0, half or None), case.x[half:]
    model.fit(*([case.x[seen]] if case.y is None else [case.x[seen], case.y[seen]]))
    try:
        options = dict(case.options or {})
        if "predict_proba" in case.methods:
            options["zipmap"] = False
        made = export(case, options)
    except Exception as e:  # noqa: BLE001: whatever the exporter dislikes
        print(f"  {case.name}: not exported: {type(e).__name__} {str(e)[:90]!r}")
        return None
    (home / "model.onnx").write_bytes(made.SerializeToString())
    try:
        got = run(whet, home, asked)
    except RuntimeError as e:
        return str(e)
    for g, method in zip(got, case.methods):
        why = same(g, wanted(model, method, asked), case.rtol, case.atol)
        if why:
            return f"{method}: {why}"
    return ""


def zip_map(folder, whet):
    """Maps as outputs, through JSON."""
    home = folder / "zipmap"
    home.mkdir(parents=True, exist_ok=True)
    names = np.array(["ant", "bee", "cat"])
    model = linear_model.LogisticRegression().fit(X3, names[Y3])
    (home / "model.onnx").write_bytes(to_onnx(model, X3[:1]).SerializeToString())
    np.save(home / "x.npy", X3[:5])
    done = subprocess.run([whet, "run", home / "model.onnx", "-i", home / "x.npy", "--json"], capture_output=True, text=True)
    if done.returncode:
        return done.stderr
    out = json.loads(done.stdout)["outputs"]
    want = model.predict_proba(X3[:5])
    for row, w in zip(out[1]["values"], want):
        if list(row) != list(names) or np.abs(np.array(list(row.values())) - w).max() > 1e-5:
            return f"{row}, expected {w}"
    return "" if out[0]["values"] == list(model.predict(X3[:5])) else "labels differ"


def main():
    folder, whet, text = pathlib.Path(sys.argv[1]), sys.argv[2], (sys.argv + [""])[3]
    good, bad, left = [], [], []
    every = int(sys.argv[4]) if text == "--every" else 1
    text = "" if every > 1 else text
    for case in (classifiers() + regressors() + others() + pipelines())[::every]:
        if text not in case.name or case.name in EXPORT:
            continue
        try:
            why = check(case, folder, whet)
        except Exception as e:  # noqa: BLE001: training itself
            print(f"  {case.name}: not trained: {type(e).__name__} {str(e)[:120]!r}")
            why = None
        (left if why is None else bad if why else good).append(case)
        if why:
            print(f"{case.name}: {why}")
    if not text:
        why = zip_map(folder, whet)
        if why:
            print(f"zipmap: {why}")
            bad.append(None)
    kinds = {type(c.model).__name__ for c in good}
    print(f"{len(good)} models of {len(kinds)} kinds agree, {len(bad)} do not, {len(left)} cannot be exported")
    return 1 if bad or (not text and len(kinds) < LEAST) else 0


if __name__ == "__main__":
    sys.exit(main())
