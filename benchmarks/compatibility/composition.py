"""scikit-learn: pipelines, preparation of columns, copies and files."""

import pickle
import tempfile
from pathlib import Path

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal

from benchmarks.compatibility.check import Checks, refusal
from benchmarks.compatibility.data import (
    FEATURES,
    FOLDS,
    GROUPS,
    PREFERENCE,
    X,
    accuracy,
    accuracy_of_folds,
    ranker,
    scaled,
)

CHECKS = Checks("scikit-learn: pipelines, columns, copies")
# Apart, for it is long, and tests/test_contract.py does the same for all estimators.
CONTRACT = Checks(CHECKS.area)


def _pipe(*steps, **kwargs):
    from sklearn.pipeline import make_pipeline

    return make_pipeline(*steps, ranker(), **kwargs)


@CHECKS.works(
    "make_pipeline(StandardScaler(), ranker).fit(X, groups)",
    "predict and score are those of the ranker on scaled columns",
)
def pipeline():
    from sklearn.preprocessing import StandardScaler

    model = _pipe(StandardScaler()).fit(X, GROUPS)
    alone = ranker().fit(scaled(), GROUPS)
    assert_allclose(model.predict(X), alone.predict(scaled()), rtol=1e-6)
    assert_allclose(model.score(X, GROUPS), accuracy(GROUPS, model.predict(X)))


@CHECKS.works(
    "make_pipeline(scaler, PairAugmenter(), ranker).fit(X, groups)",
    "the ranker trains on more pairs than the rows make",
)
def augmenter():
    from sklearn.preprocessing import StandardScaler

    from sklearn_pscore import PairAugmenter

    steps = StandardScaler(), PairAugmenter((2,), max_stitched=3, random_state=0)
    model = _pipe(*steps).fit(X, GROUPS)
    assert model[-1].n_pairs_ > 12 * 10
    assert_array_equal(model[:-1].transform(X), model[0].transform(X))


@CHECKS.works("Pipeline(memory=...)", "the second fit reads the cache: the same bits")
def memory():
    from sklearn.preprocessing import StandardScaler

    with tempfile.TemporaryDirectory() as folder:
        one, two = (
            _pipe(StandardScaler(), memory=folder).fit(X, GROUPS).predict(X)
            for _ in range(2)
        )
    assert_array_equal(one, two)
    assert_array_equal(one, _pipe(StandardScaler()).fit(X, GROUPS).predict(X))


@CHECKS.works(
    "rank(pipeline, X, groups), preference_proba(pipeline, X_a, X_b)",
    "also with a search as the last step",
)
def rank_and_proba():
    from sklearn.model_selection import GridSearchCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    from sklearn_pscore import preference_proba, rank

    model = _pipe(StandardScaler()).fit(X, GROUPS)
    score = model.predict(X)
    ranks = rank(model, X, GROUPS)
    for row in range(60):
        rivals = score[GROUPS["group"] == GROUPS["group"][row]]
        assert ranks[row] == 1 + np.sum(rivals > score[row])
    proba = preference_proba(model, X[:30], X[30:])
    inner, columns = model[-1], scaled().to_numpy()
    expected = inner.preference_proba(columns[:30], columns[30:])
    assert_allclose(proba, expected, rtol=1e-6)
    search = GridSearchCV(ranker(), {}, cv=FOLDS)
    nested = make_pipeline(StandardScaler(), search).fit(X, GROUPS)
    assert_array_equal(rank(nested, X, GROUPS), ranks)


@CHECKS.works("ColumnTransformer", "columns by name, others passed or dropped")
def column_transformer():
    from sklearn.compose import ColumnTransformer
    from sklearn.preprocessing import StandardScaler

    step = ColumnTransformer(
        [("scale", StandardScaler(), ["SSIM"]), ("pass", "passthrough", ["PSNR"])]
    )
    by_hand = scaled()[["SSIM"]].assign(PSNR=X["PSNR"]).to_numpy()
    expected = ranker().fit(by_hand, GROUPS).predict(by_hand)
    assert_allclose(_pipe(step).fit(X, GROUPS).predict(X), expected, rtol=1e-6)


@CHECKS.works("FeatureUnion")
def feature_union():
    from sklearn.pipeline import FeatureUnion
    from sklearn.preprocessing import FunctionTransformer

    step = FeatureUnion(
        [("as it is", "passthrough"), ("squared", FunctionTransformer(np.square))]
    )
    by_hand = np.hstack([X, X**2])
    expected = ranker().fit(by_hand, GROUPS).predict(by_hand)
    assert_allclose(_pipe(step).fit(X, GROUPS).predict(X), expected, rtol=1e-6)


@CHECKS.works(
    "FunctionTransformer, PolynomialFeatures, PowerTransformer, QuantileTransformer, "
    "KBinsDiscretizer, SplineTransformer, PCA, Nystroem, SimpleImputer, ...",
    "every transformer that needs no target",
)
def transformers():
    from sklearn.decomposition import PCA
    from sklearn.impute import SimpleImputer
    from sklearn.kernel_approximation import Nystroem
    from sklearn.preprocessing import (
        FunctionTransformer,
        KBinsDiscretizer,
        PolynomialFeatures,
        PowerTransformer,
        QuantileTransformer,
        SplineTransformer,
    )

    for step in (
        FunctionTransformer(np.log1p, validate=False).set_params(func=np.cbrt),
        PolynomialFeatures(2, include_bias=False),
        PowerTransformer(),
        QuantileTransformer(n_quantiles=20),
        KBinsDiscretizer(3, encode="ordinal", quantile_method="averaged_inverted_cdf"),
        SplineTransformer(),
        PCA(2, svd_solver="full"),
        Nystroem(n_components=5, random_state=0),
        SimpleImputer(),
    ):
        by_hand = step.fit_transform(X)
        expected = ranker().fit(by_hand, GROUPS).predict(by_hand)
        assert_allclose(_pipe(step).fit(X, GROUPS).predict(X), expected, rtol=1e-5)


@CHECKS.works('set_output(transform="pandas"), "polars"', "names reach the ranker")
def set_output():
    from sklearn.preprocessing import StandardScaler

    expected = _pipe(StandardScaler()).fit(X, GROUPS).predict(X)
    for container in ("pandas", "polars"):
        model = _pipe(StandardScaler()).set_output(transform=container).fit(X, GROUPS)
        assert model[-1].feature_names_in_.tolist() == FEATURES
        assert_allclose(model.predict(X), expected, rtol=1e-6)


@CHECKS.works("clone, get_params, set_params", "a clone fits to the same bits")
def cloned():
    from sklearn.base import clone

    fitted = ranker(dropout=0.2).fit(X, GROUPS)
    twin = clone(fitted)
    assert not hasattr(twin, "net_")
    assert twin.get_params()["dropout"] == 0.2
    assert_array_equal(twin.fit(X, GROUPS).predict(X), fitted.predict(X))


@CHECKS.works("pickle, joblib.dump, copy.deepcopy", "the copy predicts the same bits")
def copies():
    import copy

    import joblib
    from sklearn.preprocessing import StandardScaler

    fitted = _pipe(StandardScaler()).fit(X, GROUPS)
    with tempfile.TemporaryDirectory() as folder:
        path = joblib.dump(fitted, Path(folder) / "ranker.joblib")[0]
        loaded = joblib.load(path)
    for twin in (pickle.loads(pickle.dumps(fitted)), loaded, copy.deepcopy(fitted)):
        assert_array_equal(twin.predict(X), fitted.predict(X))


@CHECKS.works("FrozenEstimator(ranker)", "is not fitted again; gets the groups")
def frozen():
    from sklearn.frozen import FrozenEstimator

    from sklearn_pscore import rank

    fitted = ranker().fit(X, GROUPS)
    model = FrozenEstimator(fitted).fit(X[:20], GROUPS[:20])
    assert_array_equal(model.predict(X), fitted.predict(X))
    assert_array_equal(rank(model, X, GROUPS), fitted.rank(X, GROUPS))


@CHECKS.works("config_context(enable_metadata_routing=True)", "the same results")
def metadata_routing():
    import sklearn
    from sklearn.model_selection import cross_val_score
    from sklearn.preprocessing import StandardScaler

    from sklearn_pscore.metrics import pairwise_accuracy_scorer

    with sklearn.config_context(enable_metadata_routing=True):
        scores = cross_val_score(
            _pipe(StandardScaler()),
            X,
            GROUPS,
            scoring=pairwise_accuracy_scorer,
            cv=FOLDS,
        )
    assert_allclose(scores, accuracy_of_folds(_pipe(StandardScaler())))


@CHECKS.works(
    "estimator in a notebook, estimator_html_repr", "a diagram of the pipeline"
)
def html():
    from sklearn.preprocessing import StandardScaler
    from sklearn.utils import estimator_html_repr

    # scikit-learn compares values with defaults, which NumPy 2.0 cannot for 3 and "auto".
    auto = {"pairwisepreferenceranker__max_epochs": "auto"}
    text = estimator_html_repr(_pipe(StandardScaler()).set_params(**auto))
    assert "PairwisePreferenceRanker" in text
    assert "StandardScaler" in text


@CONTRACT.works("estimator_checks.check_estimator(ranker)", "no exemption")
def check_estimator():
    from sklearn.utils.estimator_checks import check_estimator as checks_of

    for one in checks_of(ranker(max_epochs=2), on_fail=None, on_skip=None):
        assert one["status"] in ("passed", "skipped"), one["check_name"]


@CHECKS.works("utils.shuffle, utils.resample", "rows and target stay together")
def shuffled():
    from sklearn.utils import resample, shuffle

    for drawn in (shuffle, resample):
        X_drawn, groups, rows = drawn(X, GROUPS, np.arange(60), random_state=0)
        assert_array_equal(X_drawn, X.to_numpy()[rows])
        assert_array_equal(groups["preference"], PREFERENCE[rows])


@CHECKS.guided(
    "ranker.fit(X, groups, sample_weight=w)",
    "weights are a field: Groups.from_arrays(..., weight=w)",
)
def sample_weight():
    from sklearn_pscore import Groups

    with refusal(TypeError, "sample_weight", "weight=..."):
        ranker().fit(X, GROUPS, sample_weight=np.ones(60))
    with refusal(TypeError, "sample_weight", "weight=..."):
        _pipe().fit(X, GROUPS, pairwisepreferenceranker__sample_weight=np.ones(60))
    groups = Groups.from_arrays(
        group=GROUPS["group"], preference=PREFERENCE, weight=np.linspace(1, 2, 60)
    )
    plain = ranker().fit(X, GROUPS).predict(X)
    assert np.any(ranker().fit(X, groups).predict(X) != plain)


@CHECKS.guided(
    "ranker.fit(X, group_ids), fit(X, [(group, preference), ...])",
    "the error names Groups.from_arrays",
)
def other_targets():
    labels = [f"group {label}" for label in GROUPS["group"]]
    for target in (labels, list(zip(labels, PREFERENCE, strict=True))):
        with refusal(TypeError, "Groups.from_arrays"):
            ranker().fit(X, target)


@CHECKS.own_words(
    "TransformedTargetRegressor(ranker)",
    "transform the preference first: Groups.from_arrays(preference=f(preference)); "
    "ranks do not change by a rising map",
)
def transformed_target():
    from sklearn.compose import TransformedTargetRegressor

    with refusal(ValueError, "dtype='numeric' is not compatible"):
        TransformedTargetRegressor(ranker(), func=np.cbrt, inverse_func=np.power).fit(
            X, GROUPS
        )


@CHECKS.works(
    'Pipeline(transform_input=["X_val"]) with set_fit_request(X_val=True, y_val=True)',
    "with metadata routing: the validation set goes through the same steps",
)
def transform_input():
    import sklearn
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    train, val = FOLDS[0]
    stopped = ranker(early_stopping=True)
    with sklearn.config_context(enable_metadata_routing=True):
        model = make_pipeline(
            StandardScaler(),
            ranker(early_stopping=True).set_fit_request(X_val=True, y_val=True),
            transform_input=["X_val"],
        ).fit(X.iloc[train], GROUPS[train], X_val=X.iloc[val], y_val=GROUPS[val])
        scores = model.predict(X)
    like = X.iloc[train]
    stopped.fit(
        scaled(like, like).to_numpy(),
        GROUPS[train],
        X_val=scaled(X.iloc[val], like).to_numpy(),
        y_val=GROUPS[val],
    )
    assert_allclose(scores, stopped.predict(scaled(X, like).to_numpy()), rtol=1e-6)


@CHECKS.works(
    "sklearn.callback: set_callbacks(ScoringMonitor(...)), also through a Pipeline",
    "a row for each epoch; the last is the score of the fitted ranker",
)
def callbacks():
    from sklearn.callback import ScoringMonitor

    from sklearn_pscore.metrics import pairwise_accuracy_scorer

    monitor = ScoringMonitor(scoring={"accuracy": pairwise_accuracy_scorer})
    fitted = ranker().set_callbacks(monitor).fit(X, GROUPS)
    rows = monitor.get_logs().data_as_pandas
    # One for the fit, and one for each of its three epochs.
    assert len(rows) == 1 + 3
    assert_allclose(rows["accuracy"].iloc[[0, -1]], accuracy(GROUPS, fitted.predict(X)))
    assert_array_equal(fitted.predict(X), ranker().fit(X, GROUPS).predict(X))


@CHECKS.works(
    "NaN in X, without an imputer", "rows without the metric get a finite score"
)
def missing():
    table = X.copy()
    table.iloc[::7, 1] = np.nan
    fitted = ranker().fit(table, GROUPS)
    assert np.isfinite(fitted.predict(table)).all()
    assert fitted.score(table, GROUPS) == accuracy(GROUPS, fitted.predict(table))


@CHECKS.works("sparse X: OneHotEncoder, CSR", "the scores of the same table, dense")
def sparse():
    from sklearn.preprocessing import OneHotEncoder

    kinds = np.digitize(X, [-0.5, 0.5])
    encoded = OneHotEncoder().fit_transform(kinds)
    dense = encoded.toarray()
    for table in (encoded, encoded.tocsr()):
        scores = ranker().fit(table, GROUPS).predict(table)
        assert_allclose(scores, ranker().fit(dense, GROUPS).predict(dense), rtol=1e-4)


@CHECKS.works(
    "X, y, qid = load_svmlight_file(path, query_id=True)",
    "Groups.from_arrays(group=qid, preference=y)",
)
def svmlight():
    from sklearn.datasets import dump_svmlight_file, load_svmlight_file

    from sklearn_pscore import Groups

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ranking.txt"
        order = np.argsort(GROUPS["group"], kind="stable")
        table, groups = X.to_numpy()[order], GROUPS[order]
        dump_svmlight_file(
            table, groups["preference"], str(path), query_id=groups["group"]
        )
        loaded, preference, qid = load_svmlight_file(str(path), query_id=True)
    again = Groups.from_arrays(group=qid, preference=preference)
    assert_allclose(again["preference"], groups["preference"])
    assert_array_equal(again["group"], groups["group"])
    scores = ranker().fit(loaded, again).predict(loaded)
    assert_allclose(
        accuracy(again, scores), ranker().fit(loaded, again).score(loaded, again)
    )
