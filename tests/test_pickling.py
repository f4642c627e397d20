"""Pickles of another version of the package are loaded aloud, all others silently."""

import copy
import pickle
import re
import warnings

import joblib
import pytest
from cases import ESTIMATORS, linear_groups, quick_estimators
from sklearn.base import clone
from sklearn.exceptions import InconsistentVersionWarning
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from sklearn_pscore import (
    LevelClassifierRanker,
    PairAugmenter,
    PairwisePreferenceRanker,
    StackedRanker,
    __version__,
)
from sklearn_pscore._estimators import pickling

X, GROUPS = linear_groups()
PAIRWISE = quick_estimators("partial_fit")[0]


def through_pickle(estimator, path):
    return pickle.loads(pickle.dumps(estimator))


def through_joblib(estimator, path):
    return joblib.load(joblib.dump(estimator, path / "estimator")[0])


def dumped(estimator, version, monkeypatch):
    """Return a pickle that another version has written, or an older one for None."""
    with monkeypatch.context() as patch:
        if version is None:
            patch.delattr(pickling.VersionedPickleMixin, "__getstate__")
        else:
            patch.setattr(pickling, "__version__", version)
        return pickle.dumps(estimator)


def warnings_of(load):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        loaded = load()
    return loaded, caught


@pytest.mark.parametrize("fitted", [True, False])
@pytest.mark.parametrize("version", ["0.0.9", "99.0", None])
@pytest.mark.parametrize("kind", ESTIMATORS)
def test_another_version_warns(kind, version, fitted, monkeypatch):
    (estimator,) = (e for e in quick_estimators() if type(e) is kind)
    if fitted:
        estimator.fit(X, GROUPS)
    data = dumped(estimator, version, monkeypatch)
    # A stack is loaded after its members, which warn too.
    loaded, (*of_members, warning) = warnings_of(lambda: pickle.loads(data))
    assert bool(of_members) == (kind is StackedRanker)
    assert issubclass(warning.category, InconsistentVersionWarning)
    assert warning.filename == __file__
    assert str(warning.message) == (
        f"{kind.__name__} was pickled by sklearn_pscore "
        f"{version or 'of an unknown version'} but is loaded by sklearn_pscore "
        f"{__version__}; expected the same version, since parameters, defaults and scores "
        "may have changed. Fit it anew, or install the version that it was pickled by."
    )
    # What can be loaded is as it was, and nothing of the version stays behind.
    assert vars(loaded).keys() == vars(estimator).keys()
    if hasattr(loaded, "score") and fitted:
        assert loaded.score(X, GROUPS) == estimator.score(X, GROUPS)


@pytest.mark.parametrize("again", [through_pickle, through_joblib])
@pytest.mark.parametrize("estimator", quick_estimators())
def test_the_same_version_is_silent(estimator, again, tmp_path):
    loaded, caught = warnings_of(lambda: again(estimator.fit(X, GROUPS), tmp_path))
    assert caught == []
    assert vars(loaded).keys() == vars(estimator).keys()


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, clone])
@pytest.mark.parametrize("estimator", quick_estimators())
def test_copies_are_silent(estimator, duplicate):
    estimator.fit(X, GROUPS)
    duplicated, caught = warnings_of(lambda: duplicate(estimator))
    assert caught == []
    if duplicate is not clone:
        assert vars(duplicated).keys() == vars(estimator).keys()


def test_every_step_of_a_pipeline_warns(monkeypatch, tmp_path):
    pipe = make_pipeline(StandardScaler(), PairAugmenter((2,)), PAIRWISE).fit(X, GROUPS)
    data = dumped(pipe, "0.0.9", monkeypatch)
    (tmp_path / "pipe").write_bytes(data)
    for load in (
        lambda: pickle.loads(data),
        lambda: joblib.load(tmp_path / "pipe"),
    ):
        _, caught = warnings_of(load)
        names = [warning.message.estimator_name for warning in caught]
        assert names == ["PairAugmenter", "PairwisePreferenceRanker"]
        assert {warning.filename for warning in caught} == {__file__}


def test_a_classifier_inside_warns_of_the_version_of_scikit_learn(monkeypatch):
    ranker = LevelClassifierRanker(DecisionTreeClassifier(), n_levels=2)
    with monkeypatch.context() as patch:
        patch.setattr("sklearn.base.__version__", "0.99")
        data = dumped(ranker.fit(X, GROUPS), "0.0.9", patch)
    _, caught = warnings_of(lambda: pickle.loads(data))
    versions = {
        w.message.estimator_name: w.message.original_sklearn_version for w in caught
    }
    assert versions == {
        "DecisionTreeClassifier": "0.99",
        "LevelClassifierRanker": "0.0.9",
    }


def test_a_pickle_written_again_is_of_this_version(monkeypatch):
    data = dumped(PAIRWISE, "0.0.9", monkeypatch)
    with pytest.warns(
        InconsistentVersionWarning, match=re.escape("sklearn_pscore 0.0.9")
    ):
        loaded = pickle.loads(data)
    assert warnings_of(lambda: pickle.loads(pickle.dumps(loaded)))[1] == []


def test_the_warning_can_be_made_an_error(monkeypatch):
    data = dumped(PairwisePreferenceRanker(), "0.0.9", monkeypatch)
    # As everywhere in the tests, warnings are errors.
    with pytest.raises(InconsistentVersionWarning, match="pickled by sklearn_pscore"):
        pickle.loads(data)
