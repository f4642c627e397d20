"""The score of a validation set: what it is, and that training stops by it."""

import pickle
import re

import numpy as np
import pytest
import torch
from cases import quick
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.metrics import make_scorer, r2_score
from skorch.callbacks import Callback, Checkpoint, EarlyStopping

from sklearn_pscore import Groups, PairwisePreferenceRanker
from sklearn_pscore.metrics import (
    dcg_scorer,
    kendall_tau_scorer,
    make_ranking_scorer,
    mrr_scorer,
    ndcg_score,
    ndcg_scorer,
    pairwise_accuracy_scorer,
)

SCORERS = [
    mrr_scorer,
    dcg_scorer,
    ndcg_scorer,
    pairwise_accuracy_scorer,
    kendall_tau_scorer,
    make_ranking_scorer(ndcg_score, k=2),
]


@pytest.fixture
def parts(data):
    """Return X, y, X_val, y_val: twenty groups, and ten others, with some noise."""
    X, groups = data
    noise = np.random.default_rng(1).normal(size=len(X))
    groups["preference"] += 2 * noise
    is_first = groups["group"] < 20
    return X[is_first], groups[is_first], X[~is_first], groups[~is_first]


def fit(ranker, X, y, X_val, y_val):
    return ranker.fit(X, y, X_val=X_val, y_val=y_val)


def values(ranker, key="valid_score"):
    return ranker.history_[key].tolist()


class TestHistory:
    @pytest.mark.parametrize("scorer", SCORERS, ids=repr)
    def test_is_the_score_of_the_ranker(self, parts, scorer):
        X, y, X_val, y_val = parts
        # Without folds, only the zero of the members is moved after the last epoch.
        ranker = fit(quick(scoring=scorer, leave_out=False, shortcut=None), *parts)
        assert values(ranker)[-1] == scorer(ranker, X_val, y_val)
        assert len(set(values(ranker))) > 1
        assert len(values(ranker, "valid_loss")) == 5

    def test_none_is_the_score_of_the_ranker_itself(self, parts):
        X, y, X_val, y_val = parts
        ranker = fit(quick(scoring=None, leave_out=False, shortcut=None), *parts)
        assert values(ranker)[-1] == ranker.score(X_val, y_val)

    def test_rows_of_an_item_count_once(self, parts):
        """As in the scorers, whether they are passed or held out."""
        X, y, X_val, y_val = parts
        item = np.arange(len(y_val)) % 5
        y_val = Groups.from_arrays(
            group=np.sort(y_val["group"]), preference=item % 3, item=item % 3
        )
        for settings in ({}, {"early_stopping": True}):
            ranker = quick(scoring=mrr_scorer, leave_out=False, shortcut=None)
            fit(ranker.set_params(**settings), X, y, X_val, y_val)
            best = np.argmax(values(ranker)) if settings else -1
            assert values(ranker)[best] == mrr_scorer(ranker, X_val, y_val)

    def test_rows_of_an_item_that_is_held_out_count_once(self, parts):
        X, y, *_ = parts
        item = np.tile([0, 0, 1, 1, 2], 20)
        y = Groups.from_arrays(group=np.sort(y["group"]), preference=item, item=item)
        seen = []

        def score(model, X, groups):
            seen.append((X, groups))
            return 0.0

        quick(early_stopping=True, scoring=score).fit(X, y)
        held_out, groups = seen[0]
        assert len(held_out) == len(groups) == 4 * 5
        for label in np.unique(groups["group"]):
            rows = groups[groups["group"] == label]
            assert len(np.unique(rows["item"])) == 3
            assert len(set(zip(rows["item"], rows["preference"], strict=True))) == 3

    def test_a_function_is_given_the_net_and_the_set_as_it_was_passed(self, parts):
        X, y, X_val, y_val = parts
        seen = []

        def score(model, X, groups):
            seen.append((X, groups))
            return model.predict(X).mean()

        ranker = fit(quick(scoring=score, leave_out=False, shortcut=None), *parts)
        assert len(seen) == 5
        for features, groups in seen:
            assert_array_equal(features, X_val)
            assert_array_equal(groups, y_val)
        assert all(isinstance(value, float) for value in values(ranker))

    def test_a_cut_group_warns_once(self, parts):
        X, y, X_val, y_val = parts
        with pytest.warns(UserWarning, match="are cut") as caught:
            fit(quick(scoring=ndcg_scorer), X, y, X_val[1:], y_val[1:])
        assert len(caught) == 1

    def test_it_changes_no_bit_of_the_fit(self, parts):
        X, y, *_ = parts
        ranker = fit(quick(scoring=ndcg_scorer, warm_start=True), *parts)
        plain = quick(warm_start=True).fit(X, y)
        assert_array_equal(ranker.predict(X), plain.predict(X))
        fit(ranker, *parts)
        plain.fit(X, y)
        for name, weight in plain.net_.module_.state_dict().items():
            assert torch.equal(weight, ranker.net_.module_.state_dict()[name])

    def test_without_a_validation_set_it_is_not_used(self, parts):
        ranker = quick(scoring=ndcg_scorer).fit(*parts[:2]).partial_fit(*parts[:2])
        assert "valid_score" not in ranker.history_

    def test_the_loss_alone_has_no_score(self, parts):
        assert "valid_score" not in fit(quick(), *parts).history_


class TestStopping:
    def patient(self, **settings):
        return quick(
            early_stopping=True,
            n_iter_no_change=4,
            learning_rate="constant",
            learning_rate_init=0.05,
            max_epochs=60,
            shortcut=None,
            **settings,
        )

    @pytest.mark.parametrize("scorer", SCORERS, ids=repr)
    @pytest.mark.parametrize("is_passed", [True, False], ids=["passed", "held out"])
    def test_the_epoch_of_the_best_score_is_kept(self, parts, scorer, is_passed):
        X, y, X_val, y_val = parts
        passed = {"X_val": X_val, "y_val": y_val} if is_passed else {}
        ranker = self.patient(scoring=scorer).fit(X, y, **passed)
        n_best = int(np.argmax(values(ranker))) + 1
        assert n_best == len(ranker.history_["epoch"]) - 4
        shorter = clone(ranker).set_params(max_epochs=n_best).fit(X, y, **passed)
        assert_array_equal(ranker.predict(X), shorter.predict(X))
        if is_passed:
            assert scorer(ranker, X_val, y_val) == max(values(ranker))

    def test_loss_and_score_stop_at_different_epochs(self, parts):
        by_loss, by_score = (
            fit(self.patient(scoring=scoring), *parts)
            for scoring in ("loss", ndcg_scorer)
        )
        assert len(values(by_loss, "epoch")) != len(values(by_score, "epoch"))
        n_both = min(len(values(each, "epoch")) for each in (by_loss, by_score))
        losses = [values(each, "valid_loss")[:n_both] for each in (by_loss, by_score)]
        assert losses[0] == losses[1]

    def test_negative_scores_can_get_better(self, parts):
        """Larger is better below zero, too."""
        scores = iter([-3.0, -2.0, -1.0, -1.5, -1.0, -9.0, -1.0])
        ranker = fit(self.patient(scoring=lambda *_: next(scores)), *parts)
        assert values(ranker) == [-3.0, -2.0, -1.0, -1.5, -1.0, -9.0, -1.0]

    def test_it_may_change_when_a_fit_goes_on(self, parts):
        ranker = fit(quick(scoring=ndcg_scorer, warm_start=True), *parts)
        fit(ranker.set_params(scoring="loss"), *parts)
        fit(ranker.set_params(scoring=mrr_scorer), *parts)
        has_score = [not np.isnan(score) for score in values(ranker)]
        assert has_score == [True] * 5 + [False] * 5 + [True] * 5

    def test_it_says_when_it_stops(self, parts, capsys):
        fit(self.patient(scoring=ndcg_scorer, verbose=1), *parts)
        first, *_, last = capsys.readouterr().err.splitlines()
        assert "valid_score has not improved in the last 4 epochs; kept epoch" in last
        assert "valid_score" in first

    def test_callbacks_of_skorch_find_it(self, parts, tmp_path):
        stop = EarlyStopping("valid_score", patience=2, threshold=1e9)
        best = Checkpoint("valid_score_best", dirname=tmp_path)
        seen = []

        class Reader(Callback):
            def on_epoch_end(self, net, **kwargs):
                seen.append(net.history[-1, "valid_score"])

        callbacks = [Reader, best, stop]
        ranker = quick(scoring=ndcg_scorer, callbacks=callbacks, max_epochs=20)
        assert len(fit(ranker, *parts).history_["epoch"]) == 3
        assert seen == values(ranker)
        written = [epoch["event_cp"] for epoch in ranker.net_.history]
        is_best = [v > max(seen[:k], default=-9) for k, v in enumerate(seen)]
        assert written == is_best

    def test_nothing_of_it_stays_in_the_net(self, parts):
        X, y, *_ = parts
        ranker = fit(quick(scoring=ndcg_scorer), *parts)
        names = [name for name, _ in ranker.net_.callbacks_]
        assert names == [name for name, _ in quick().fit(X, y).net_.callbacks_]
        copied = pickle.loads(pickle.dumps(ranker))
        assert_array_equal(copied.predict(X), ranker.predict(X))


def r_squared():
    return make_scorer(r2_score)


BAD = {
    "name": ("ndcg", "The 'scoring' parameter of PairwisePreferenceRanker must be"),
    "number": (3, "The 'scoring' parameter of PairwisePreferenceRanker must be"),
    "metric": (ndcg_score, "Pass make_ranking_scorer(ndcg_score)."),
    "of scikit-learn": (r_squared(), "which knows no groups; expected a scorer"),
    "class": (dict, "which cannot be called as scorer(model, X, groups)"),
    "few arguments": (
        len,
        "scoring is <built-in function len>, which cannot be called",
    ),
    "many arguments": (lambda a, b, c, d: 0.0, "cannot be called as scorer(model, X, "),
    "bad values": (
        make_ranking_scorer(ndcg_score, gain="linear"),
        "cannot score the validation set: preference is -",
    ),
    "not a number": (lambda *_: np.nan, "returned nan; expected a finite number"),
    "text": (lambda *_: "good", "returned 'good' of type str; expected one number"),
    "one per group": (lambda *_: np.ones(3), "of type ndarray; expected one number"),
    "bool": (lambda *_: True, "returned True of type bool; expected one number"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_score(parts, name):
    scoring, message = BAD[name]
    ranker = quick().fit(*parts[:2]).set_params(scoring=scoring)
    before = dict(vars(ranker))
    with pytest.raises((ValueError, TypeError), match=re.escape(message)):
        fit(ranker, *parts)
    assert vars(ranker) == before


@pytest.mark.parametrize(
    "name", ["name", "metric", "of scikit-learn", "few arguments", "bad values"]
)
@pytest.mark.parametrize("is_passed", [True, False])
def test_it_is_refused_before_work_is_done(parts, name, is_passed):
    X, y, X_val, y_val = parts
    passed = {"X_val": X_val, "y_val": y_val} if is_passed else {}
    endless = PairwisePreferenceRanker(max_epochs=10**9, scoring=BAD[name][0])
    endless.set_params(early_stopping=not is_passed)
    with pytest.raises((ValueError, TypeError), match=re.escape(BAD[name][1])):
        endless.fit(X, y, **passed)


def test_errors_of_the_user_stay_as_they_are(parts):
    def fail(model, X, groups):
        raise KeyError("the user's own")

    with pytest.raises(KeyError, match="the user's own"):
        fit(quick(scoring=fail), *parts)
