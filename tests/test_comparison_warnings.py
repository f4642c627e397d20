"""What fits warn of in a comparison: said once, at the line of the user."""

import warnings

import numpy as np
import pytest
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.exceptions import ConvergenceWarning, FitFailedWarning

from sklearn_pscore import Groups, PairwisePreferenceRanker
from sklearn_pscore._warn import warn_user
from sklearn_pscore.model_selection import compare_rankers
from sklearn_pscore.model_selection._comparison_warnings import RunWarnings

X = np.random.default_rng(0).normal(size=(48, 2))
GROUPS = Groups.from_arrays(group=np.repeat(np.arange(12), 4), preference=X[:, 0])


class OddWarning(UserWarning):
    """A warning that is made from more than a text."""

    def __init__(self, *, part):
        super().__init__(f"odd {part}")


class Cautious(RegressorMixin, BaseEstimator):
    """A ranker that warns in fit and in predict."""

    def __init__(self, text="careful", category=UserWarning, random_state=None):
        self.text = text
        self.category = category
        self.random_state = random_state

    def fit(self, X, y):
        if self.category is OddWarning:
            warnings.warn(OddWarning(part=self.text), stacklevel=2)
        elif self.text:
            warn_user(self.text.format(len(X), self.random_state), self.category)
        self.fitted_ = True
        return self

    def predict(self, X):
        return X[:, 0]


def compared(rankers, **options):
    """Return the warnings of a comparison of four folds and two seeds."""
    options = {"cv": 4, "n_seeds": 2, **options}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        compare_rankers(rankers, X, GROUPS, **options)
    return caught


@pytest.mark.parametrize("n_jobs", [None, 2])
@pytest.mark.parametrize("verbose", [0, 1])
def test_once_for_all_folds_at_the_line_of_the_user(n_jobs, verbose):
    rankers = {"first": Cautious(), "silent": Cautious(""), "other": Cautious()}
    (warning,) = compared(rankers, n_jobs=n_jobs, verbose=verbose)
    assert str(warning.message) == "careful [in 16 of 24 fits: first, other]"
    assert warning.category is UserWarning
    assert warning.filename == __file__


def test_kinds_and_texts_are_told_apart():
    rankers = {"a": Cautious(category=ConvergenceWarning), "b": Cautious("beware")}
    first, second = compared(rankers)
    assert first.category is ConvergenceWarning
    assert str(first.message) == "careful [in 8 of 16 fits: a]"
    assert str(second.message) == "beware [in 8 of 16 fits: b]"


def test_texts_that_differ_in_numbers():
    (warning,) = compared({"a": Cautious("{} rows and seed {}")}, cv=4)
    where = "in 8 of 8 fits, numbers of the first: a"
    text = str(warning.message)
    assert text.startswith("36 rows and seed ")
    assert text.endswith(f" [{where}]")


def test_a_warning_that_is_made_from_more_than_a_text():
    (warning,) = compared({"a": Cautious("part", category=OddWarning)})
    assert warning.category is UserWarning
    assert str(warning.message) == "OddWarning: odd part [in 8 of 8 fits: a]"


def test_warnings_of_scorers():
    def scorer(ranker, X, groups):
        if isinstance(ranker, Cautious):
            warn_user("a scorer says")
        return 1.0

    (warning,) = compared({"a": Cautious("")}, scoring={"one": scorer})
    assert str(warning.message) == "a scorer says [in 8 of 8 fits: a]"


def test_the_filters_of_the_user_hold():
    rankers = {"a": Cautious(), "b": Cautious("")}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", "careful")
        compare_rankers(rankers, X, GROUPS, cv=2)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warnings.filterwarnings("error", "careful")
        compare_rankers(rankers, X, GROUPS, cv=2)
    (warning,) = caught
    assert warning.category is FitFailedWarning
    assert "UserWarning: careful" in str(warning.message)


def test_a_run_that_warns_twice_counts_once(recwarn):
    said = RunWarnings()
    said.add("a", [(UserWarning, "one 1"), (UserWarning, "one 2")])
    said.add("a", [])
    said.warn()
    (warning,) = recwarn
    assert str(warning.message) == "one 1 [in 1 of 2 fits: a]"


def test_a_fit_that_failed_warns_of_what_it_said_before():
    class Failing(Cautious):
        def fit(self, X, y):
            super().fit(X, y)
            raise RuntimeError("no luck")

    said, failed = compared({"a": Failing(), "b": Cautious("")})
    assert str(said.message) == "careful [in 8 of 16 fits: a]"
    assert failed.category is FitFailedWarning
    assert failed.filename == __file__


def test_the_ranker_of_the_package():
    """Nearly constant scores: the warning has the number of the gap in it."""
    ranker = PairwisePreferenceRanker(
        shortcut=None, max_epochs=1, learning_rate_init=1e-30, n_members=2
    )
    flat = Groups.from_arrays(group=GROUPS["group"], preference=GROUPS["preference"])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        compare_rankers({"PS": ranker}, np.zeros((48, 2)), flat, cv=3, n_seeds=1)
    assert 0 < len(caught) < 3
    assert all(warning.filename == __file__ for warning in caught)
    assert all("of 3 fits" in str(warning.message) for warning in caught)
