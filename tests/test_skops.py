"""Files of skops: safe to load, whole, and aloud where another version wrote them."""

import pickle
from copy import deepcopy

import numpy as np
import pytest
import sklearn
import skops.io
from cases import ESTIMATORS, linear_groups, quick, quick_estimators
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.exceptions import InconsistentVersionWarning
from sklearn.impute import SimpleImputer
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_pscore import (
    SKOPS_TYPES,
    Groups,
    PairAugmenter,
    PairwisePreferenceRanker,
    __version__,
    metrics,
)
from sklearn_pscore._estimators import pickling
from sklearn_pscore._items.attached import LossNotice
from sklearn_pscore.model_selection import PreferenceGroupKFold

X, GROUPS = linear_groups()
SCORERS = [getattr(metrics, name) for name in metrics.__all__ if "_scorer" in name]
SCORERS.remove(metrics.make_ranking_scorer)


def loaded(estimator, trusted=SKOPS_TYPES):
    return skops.io.loads(skops.io.dumps(estimator), trusted=trusted)


def by_pickle(estimator):
    return pickle.loads(pickle.dumps(estimator))


def untrusted(estimator):
    return set(skops.io.get_untrusted_types(data=skops.io.dumps(estimator)))


def full_name(thing):
    return f"{thing.__module__}.{thing.__qualname__}"


def test_the_types_are_the_estimators_and_what_goes_with_them():
    scorer = metrics.ndcg_scorer
    things = [*ESTIMATORS, LossNotice, PreferenceGroupKFold, type(scorer)]
    things += [scorer.metric for scorer in SCORERS]
    ours = [name for name in SKOPS_TYPES if name.startswith("sklearn_pscore.")]
    assert sorted(ours) == sorted({*map(full_name, things)})
    assert set(SKOPS_TYPES) - set(ours) == {
        "sklearn.metrics._scorer._PassthroughScorer",
        "numpy.dtype",
    }


@pytest.mark.parametrize("estimator", quick_estimators(), ids=repr)
def test_every_estimator_is_loaded_as_it_was(estimator):
    estimator.fit(X, GROUPS)
    # Of the library that is wrapped, and of scikit-learn's trees.
    others = untrusted(estimator) - set(SKOPS_TYPES)
    assert all(name.startswith(("catboost.", "sklearn.tree.")) for name in others)
    again = loaded(estimator, [*SKOPS_TYPES, *others])
    assert vars(again).keys() == vars(estimator).keys()
    method = "predict" if hasattr(estimator, "predict") else "transform"
    assert_array_equal(getattr(again, method)(X), getattr(estimator, method)(X))
    unfitted = type(estimator)(**estimator.get_params(deep=False))
    unfitted = loaded(unfitted, [*SKOPS_TYPES, *others])
    assert repr(unfitted) == repr(estimator)


@pytest.mark.parametrize(
    "pipe",
    [
        make_pipeline(StandardScaler(), PairAugmenter((2,)), quick()),
        make_pipeline(
            make_column_transformer(
                (SimpleImputer(), [0]), (StandardScaler(), [1]), remainder="passthrough"
            ),
            quick(scoring=metrics.ndcg_scorer, early_stopping=True),
        ),
    ],
    ids=["augmenter", "columns"],
)
def test_pipelines(pipe):
    pipe.fit(X, GROUPS)
    assert untrusted(pipe) <= set(SKOPS_TYPES)
    again = loaded(pipe)
    assert_array_equal(again.predict(X), pipe.predict(X))
    assert again.score(X, GROUPS) == pipe.score(X, GROUPS)


@pytest.mark.parametrize("scoring", [None, *SCORERS], ids=repr)
def test_searches(scoring):
    item = np.argsort(np.argsort(GROUPS["group"], kind="stable")) % 5
    groups = Groups.from_arrays(
        group=GROUPS["group"],
        item=item,
        preference=GROUPS["preference"],
        n_raters=np.full(len(GROUPS), 5),
        spread=np.ones(len(GROUPS)),
    )
    search = GridSearchCV(
        make_pipeline(StandardScaler(), quick(max_epochs=1)),
        {"pairwisepreferenceranker__dropout": [0.1, 0.2]},
        scoring=scoring,
        cv=PreferenceGroupKFold(2),
    ).fit(X, groups)
    assert untrusted(search) <= set(SKOPS_TYPES)
    again = loaded(search)
    assert_array_equal(again.predict(X), search.predict(X))
    assert again.score(X, groups) == search.score(X, groups)


@pytest.mark.parametrize("copied", [loaded, deepcopy, clone, by_pickle])
def test_requests_of_metadata_are_kept(copied):
    with sklearn.config_context(enable_metadata_routing=True):
        ranker = quick().set_fit_request(X_val=True, y_val="target")
        asked = copied(ranker).get_metadata_routing()
        plain = copied(quick()).get_metadata_routing()
        assert asked.fit.requests == {"X_val": True, "y_val": "target"}
        assert plain.fit.requests == {"X_val": None, "y_val": None}
        assert str(asked) == str(ranker.get_metadata_routing())


def test_a_routed_pipeline_is_fitted_again_after_loading():
    with sklearn.config_context(enable_metadata_routing=True):
        ranker = quick(early_stopping=True).set_fit_request(X_val=True, y_val=True)
        pipe = make_pipeline(StandardScaler(), ranker, transform_input=["X_val"])
        pipe.fit(X, GROUPS, X_val=X, y_val=GROUPS)
        again = loaded(pipe)
        assert_array_equal(again.predict(X), pipe.predict(X))
        again.fit(X, GROUPS, X_val=X, y_val=GROUPS)
        assert_array_equal(again.predict(X), pipe.predict(X))


@pytest.mark.parametrize("estimator", quick_estimators(), ids=repr)
def test_another_version_warns(estimator, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(pickling, "__version__", "0.0.9")
        saved = skops.io.dumps(estimator.fit(X, GROUPS))
    trusted = [*SKOPS_TYPES, *skops.io.get_untrusted_types(data=saved)]
    with pytest.warns(InconsistentVersionWarning) as caught:
        again = skops.io.loads(saved, trusted=trusted)
    # A stack comes after its members.
    warning, name = caught[-1], type(estimator).__name__
    assert warning.filename == __file__
    assert str(warning.message).startswith(
        f"{name} was pickled by sklearn_pscore 0.0.9 but is loaded by sklearn_pscore "
        f"{__version__}; expected the same version"
    )
    assert vars(again).keys() == vars(estimator).keys()


# Of mlflow's own types.
@pytest.mark.filterwarnings("default")
def test_a_model_of_mlflow(tmp_path):
    mlflow = pytest.importorskip("mlflow.sklearn")
    pipe = make_pipeline(StandardScaler(), PairAugmenter((2,)), quick())
    pipe.fit(X, GROUPS)
    mlflow.save_model(
        pipe,
        tmp_path / "model",
        serialization_format="skops",
        skops_trusted_types=SKOPS_TYPES,
    )
    again = mlflow.load_model(str(tmp_path / "model"))
    assert_array_equal(again.predict(X), pipe.predict(X))
    assert isinstance(again[-1], PairwisePreferenceRanker)
    assert np.ptp(again.predict(X)) > 0
