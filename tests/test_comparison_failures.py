"""Comparison of rankers where a fit, a scorer or a fold fails; folds that overlap."""

import re
import warnings

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.exceptions import FitFailedWarning

from sklearn_pscore import Groups, RankSumRanker
from sklearn_pscore.metrics import dcg_score
from sklearn_pscore.model_selection import PreferenceGroupKFold, compare_rankers

RNG = np.random.default_rng(0)
X = RNG.normal(size=(24, 2))
GROUPS = Groups.from_arrays(
    group=np.repeat(np.arange(6), 4),
    preference=RNG.permutation(24),
    item=np.tile(["a", "b", "c", "d"], 6),
)
ROWS = np.arange(24)
LARGER = RankSumRanker(directions="larger")
SCORING = {"good": lambda ranker, X, y: float(len(X))}


class Brittle(RegressorMixin, BaseEstimator):
    """A ranker that fails where its seed or the first training row says so."""

    def __init__(self, fails=lambda seed, X: True, error=None, random_state=None):
        self.fails = fails
        self.error = error
        self.random_state = random_state

    def fit(self, X, y):
        if self.fails(self.random_state, X):
            raise RuntimeError("no luck") if self.error is None else self.error
        self.fitted_ = True
        return self

    def predict(self, X):
        return X[:, 0]


def brittle_scorer(ranker, X, y):
    """Fail for all but the truth, whose class is private."""
    if isinstance(ranker, BaseEstimator):
        raise ZeroDivisionError("no score")
    return 1.0


def in_fold(number):
    """Return a condition that holds for the training part of one of the folds."""
    return lambda seed, X_train: np.array_equal(X_train, X[FOLDS[number][0]])


FOLDS = [(ROWS[8:], ROWS[:8]), (np.r_[0:8, 16:24], ROWS[8:16]), (ROWS[:16], ROWS[16:])]


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_a_fit_that_fails_leaves_the_others_and_is_named_once(n_jobs):
    rankers = {"weak": Brittle(in_fold(0)), "RS": LARGER}
    with pytest.warns(FitFailedWarning) as caught:
        comparison = compare_rankers(
            rankers, X, GROUPS, cv=FOLDS, scoring=SCORING, n_seeds=2, n_jobs=n_jobs
        )
    assert len(caught) == 1
    assert caught[0].filename == __file__
    rows = comparison.rows
    failed = (rows["method"] == "weak") & (rows["fold"] == 0)
    assert_array_equal(rows["good"].isna(), failed)
    assert (rows["fit_seconds"] >= 0).all()
    first, second = rows.loc[failed, "seed"]
    text = str(caught[0].message)
    assert "2 of 9 fits and 0 scorings failed. Their scores are nan; " in text
    assert text.endswith(
        f"\nfit of ranker 'weak' (seed {first}, fold 0; seed {second}, fold 0): "
        "RuntimeError: no luck"
    )


def test_a_scorer_that_fails_leaves_the_other_scores():
    scoring = {"bad": brittle_scorer, **SCORING}
    with pytest.warns(FitFailedWarning, match="0 of 3 fits and 3 scorings") as caught:
        rows = compare_rankers(
            {"RS": LARGER}, X, GROUPS, cv=FOLDS, scoring=scoring, error_score=-1
        ).rows
    assert rows["bad"].tolist() == [1.0] * 3 + [-1.0] * 3
    assert rows["good"].tolist() == [8.0] * 6
    line = (
        "scorer 'bad' on ranker 'RS' (seed None, fold 0; seed None, fold 1; seed None, "
        "fold 2): ZeroDivisionError: no score"
    )
    assert line in str(caught[0].message)


def test_different_errors_have_a_line_each():
    rankers = {
        "weak": Brittle(in_fold(2), ValueError("one")),
        "weaker": Brittle(in_fold(2), ValueError("two")),
        "RS": LARGER,
    }
    with pytest.warns(FitFailedWarning) as caught:
        compare_rankers(rankers, X, GROUPS, cv=FOLDS, scoring=SCORING, n_seeds=1)
    lines = str(caught[0].message).splitlines()[1:]
    assert [re.sub(r"seed \d+", "seed", line) for line in lines] == [
        "fit of ranker 'weak' (seed, fold 2): ValueError: one",
        "fit of ranker 'weaker' (seed, fold 2): ValueError: two",
    ]


def test_a_comparison_in_which_every_fit_fails_is_an_error():
    message = (
        "All 3 fits failed; expected at least one that does not. Check the rankers and "
        'the data; error_score="raise" stops at the first with its traceback.\n'
    )
    with pytest.raises(ValueError, match=re.escape(message) + "fit of ranker 'bad'"):
        compare_rankers(
            {"bad": Brittle()}, X, GROUPS, cv=FOLDS, scoring=SCORING, n_seeds=1
        )


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_raise_names_the_run_of_the_first_error(n_jobs):
    rankers = {"RS": LARGER, "weak": Brittle(in_fold(1))}
    arguments = {"cv": FOLDS, "n_seeds": 1, "n_jobs": n_jobs, "error_score": "raise"}
    with pytest.raises(RuntimeError, match="^no luck") as caught:
        compare_rankers(rankers, X, GROUPS, scoring=SCORING, **arguments)
    (note,) = caught.value.__notes__
    assert re.fullmatch(
        r"compare_rankers: in fit of ranker 'weak', seed \d+, fold 1", note
    )
    scoring = {**SCORING, "bad": brittle_scorer}
    with pytest.raises(ZeroDivisionError) as caught:
        compare_rankers({"RS": LARGER}, X, GROUPS, scoring=scoring, **arguments)
    note = "compare_rankers: in scorer 'bad' on ranker 'RS', seed None, fold 0"
    # Of two workers either may fail first.
    assert caught.value.__notes__[0][:-1] == note[:-1]


@pytest.mark.parametrize("error_score", [np.nan, 0.0, "raise"])
def test_ctrl_c_goes_through(error_score):
    rankers = {"RS": LARGER, "slow": Brittle(in_fold(1), KeyboardInterrupt())}
    with pytest.raises(KeyboardInterrupt):
        compare_rankers(
            rankers, X, GROUPS, cv=FOLDS, scoring=SCORING, error_score=error_score
        )


def test_a_scorer_that_fails_on_the_truth_stops_before_any_fit():
    def linear_gain(ranker, X, y):
        return dcg_score(y, ranker.predict(X), gain="linear")

    groups = GROUPS.copy()
    groups["preference"] -= 5
    fit = Brittle(error=AssertionError("fit was called"))
    with pytest.raises(ValueError, match="with gain='linear' needs") as caught:
        compare_rankers({"a": fit}, X, groups, cv=FOLDS, scoring={"DCG": linear_gain})
    assert caught.value.__notes__ == [
        "compare_rankers: while scoring 'GT', the reference, by 'DCG' in fold 0; a "
        "scorer that needs a fitted ranker needs truth=None"
    ]


def overlap_of(folds, groups=GROUPS):
    """Return the numbers of pairs and folds that a comparison warns of, or None."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        compare_rankers({"RS": LARGER}, X, groups, cv=folds, scoring=SCORING)
    # Of cut groups there are tests elsewhere.
    caught = [warning for warning in caught if "groups cut" not in str(warning.message)]
    if not caught:
        return None
    (warning,) = caught
    assert warning.filename == __file__
    text = str(warning.message)
    n_pairs, numbers = re.match(
        r"cv holds out (\d+) pairs .* in the folds ([\d, ]+); expected", text
    ).groups()
    return int(n_pairs), numbers


def trained_pairs(train, test, groups):
    """Count, pair by pair, the test pairs of groups without a new row."""
    n_pairs = 0
    counts = groups["weight"] > 0 if "weight" in groups.dtype.names else ROWS >= 0
    new = [groups["group"][row] for row in test if row not in train and counts[row]]
    for a in test:
        for b in test:
            same = groups["group"][a] == groups["group"][b]
            is_pair = groups["preference"][a] > groups["preference"][b]
            if same and is_pair and counts[a] and counts[b]:
                n_pairs += groups["group"][a] not in new
    return n_pairs


def test_pairs_that_were_trained_on_warn():
    assert overlap_of([(ROWS, ROWS)]) == (36, "0")
    assert overlap_of([FOLDS[0], (ROWS[:16], ROWS[12:])]) == (6, "1")
    # Half of the second group only: one pair, and no new row.
    assert overlap_of([FOLDS[0], (ROWS[:7], ROWS[4:6]), (ROWS, ROWS[:4])]) == (
        7,
        "1, 2",
    )


@pytest.mark.parametrize("seed", range(20))
def test_trained_pairs_are_those_of_a_count_pair_by_pair(seed):
    rng = np.random.default_rng(seed)
    groups = Groups.from_arrays(
        group=GROUPS["group"],
        preference=rng.integers(0, 3, size=24),
        weight=rng.integers(0, 4, size=24),
    )
    train = rng.choice(24, 20, replace=False)
    test = rng.choice(24, 16, replace=False)
    # A trained row of weight zero was not trained on.
    trained = train[groups["weight"][train] > 0]
    expected = trained_pairs(trained, test, groups)
    found = overlap_of([(train, test)], groups)
    assert found == ((expected, "0") if expected else None)


def test_leaving_a_system_out_does_not_warn():
    folds = [(ROWS[GROUPS["item"] != system], ROWS) for system in "abcd"]
    assert overlap_of(folds) is None
    without_two = [(ROWS[(ROWS % 4) > 1], ROWS)]
    assert overlap_of(without_two) is None


def test_folds_that_hold_out_groups_or_masks_do_not_warn():
    assert overlap_of(PreferenceGroupKFold(3)) is None
    assert overlap_of([(ROWS < 12, ROWS >= 12)]) is None
    assert overlap_of(iter([(list(range(8)), tuple(range(8, 24)))])) is None


def test_masks_are_the_rows_that_they_mark():
    rows = compare_rankers(
        {"RS": LARGER}, X, GROUPS, cv=[(ROWS < 12, ROWS >= 16)], scoring=SCORING
    ).rows
    assert rows["good"].tolist() == [8.0, 8.0]


def test_a_training_row_of_weight_zero_was_not_trained_on():
    groups = Groups.from_arrays(
        group=GROUPS["group"], preference=GROUPS["preference"], weight=ROWS >= 8
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        comparison = compare_rankers(
            {"RS": LARGER},
            X,
            groups,
            cv=[(ROWS, ROWS[:8])],
            reference=GROUPS,
            scoring=SCORING,
        )
    assert comparison.rows["good"].tolist() == [8.0, 8.0]
