"""Targets of votes in scikit-learn's tools, and strengths of items by other libraries."""

import numpy as np
import pandas as pd
from numpy.testing import assert_allclose

from benchmarks.compatibility.check import Checks
from benchmarks.compatibility.data import FEATURES, FOLDS, LABEL, X

CHECKS = Checks("scikit-learn: targets of votes")
STRENGTHS = Checks(
    "choix, evalica, statsmodels", needs=("choix", "evalica", "statsmodels")
)

_ITEMS = pd.DataFrame({"prompt": LABEL})
_ITEMS["system"] = _ITEMS.groupby("prompt").cumcount()


def _drawn_votes():
    """Return 600 votes, by the row of the item on the left, and on the right."""
    rng = np.random.default_rng(0)
    worth = X["SSIM"].to_numpy()
    rows = []
    while len(rows) < 600:
        left, right = rng.integers(len(X), size=2)
        if left != right and LABEL[left] == LABEL[right]:
            chance = 1 / (1 + np.exp(worth[right] - worth[left]))
            outcome = "tie" if rng.random() < 0.1 else "left"
            if outcome == "left" and rng.random() > chance:
                outcome = "right"
            rows.append((left, right, outcome))
    return pd.DataFrame(rows, columns=["left", "right", "winner"])


VOTES = _drawn_votes()


def _target():
    from sklearn_pscore import Groups

    names = _ITEMS["system"].to_numpy()
    votes = VOTES.assign(
        prompt=LABEL[VOTES["left"]],
        left=names[VOTES["left"]],
        right=names[VOTES["right"]],
    )
    return Groups.from_votes(votes, _ITEMS)


GROUPS = _target()


def _ranker(C=0.01):
    from sklearn_pscore import LinearPreferenceRanker

    return LinearPreferenceRanker(C=C)


def _share(y_score, rows=None):
    """Return the share of the decided votes between rows that scores are right in."""
    there = (
        np.ones(len(X), dtype=bool) if rows is None else np.isin(np.arange(60), rows)
    )
    right = []
    for left, right_row, winner in VOTES.itertuples(index=False):
        if winner != "tie" and there[left] and there[right_row]:
            gap = y_score[left] - y_score[right_row]
            right.append(gap > 0 if winner == "left" else gap < 0)
    return float(np.mean(right))


def _shares_of_folds(C=0.01):
    shares = []
    for train, test in FOLDS:
        fitted = _ranker(C).fit(X.iloc[train], GROUPS[train])
        shares.append(_share(fitted.predict(X), test))
    return shares


@CHECKS.works("GridSearchCV(ranker, grid).fit(X, Groups.from_votes(...))")
def grid_search():
    from sklearn.model_selection import GridSearchCV

    search = GridSearchCV(_ranker(), {"C": [0.001, 1.0]}, cv=FOLDS).fit(X, GROUPS)
    expected = [np.mean(_shares_of_folds(C)) for C in (0.001, 1.0)]
    assert_allclose(search.cv_results_["mean_test_score"], expected)


@CHECKS.works(
    "cross_val_score, cross_val_predict, learning_curve", "votes of held-out prompts"
)
def folds():
    from sklearn.model_selection import (
        cross_val_predict,
        cross_val_score,
        learning_curve,
    )

    assert_allclose(cross_val_score(_ranker(), X, GROUPS, cv=FOLDS), _shares_of_folds())
    scores = cross_val_predict(_ranker(), X, GROUPS, cv=FOLDS)
    held_out = [_share(scores, test) for _, test in FOLDS]
    assert_allclose(held_out, _shares_of_folds())
    curve = learning_curve(_ranker(), X, GROUPS, cv=FOLDS, train_sizes=[1.0])
    assert_allclose(curve[2][0], _shares_of_folds())


@CHECKS.works("permutation_importance(ranker, X, Groups.from_votes(...))")
def importance():
    from sklearn.inspection import permutation_importance

    fitted = _ranker().fit(X, GROUPS)
    found = permutation_importance(fitted, X, GROUPS, n_repeats=2, random_state=0)
    for place, column in enumerate(FEATURES):
        # The same permutations, one after the other, of which scikit-learn draws the
        # seed.
        seed = np.random.RandomState(0).randint(np.iinfo(np.int32).max + 1)
        rng = np.random.RandomState(seed)
        order, values = np.arange(len(X)), X[column].to_numpy()
        for lost in found.importances[place]:
            rng.shuffle(order)
            values = values[order]
            mixed = fitted.predict(X.assign(**{column: values}))
            assert_allclose(lost, _share(fitted.predict(X)) - _share(mixed))


@CHECKS.works(
    "make_pipeline(StandardScaler(), ranker), VotingRegressor, shuffle",
    "a shuffled target is the same",
)
def parts():
    from sklearn.ensemble import VotingRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.utils import shuffle

    alone = _ranker().fit(X, GROUPS).predict(X)
    pipe = make_pipeline(StandardScaler(), _ranker()).fit(
        *shuffle(X, GROUPS, random_state=0)
    )
    centre = np.mean(alone - pipe.predict(X))
    assert_allclose(pipe.predict(X) + centre, alone, atol=1e-6)
    both = VotingRegressor([("a", _ranker()), ("b", _ranker())]).fit(X, GROUPS)
    assert_allclose(both.predict(X), alone)


@CHECKS.works("BaggingRegressor(ranker)", "a row drawn twice has its votes twice")
def bagging():
    from sklearn.ensemble import BaggingRegressor

    bag = BaggingRegressor(_ranker(), n_estimators=3, random_state=0).fit(X, GROUPS)
    by_hand = [
        _ranker().fit(X.to_numpy()[rows], GROUPS[rows]).predict(X.to_numpy())
        for rows in bag.estimators_samples_
    ]
    assert_allclose(bag.predict(X), np.mean(by_hand, axis=0))


def _strengths(ties="half"):
    from sklearn_pscore import BradleyTerryRanker

    return BradleyTerryRanker(ties=ties).fit(X, GROUPS)


def _systems():
    names = _ITEMS["system"].to_numpy()
    return names[VOTES["left"]], names[VOTES["right"]], VOTES["winner"]


def _centred(logarithms):
    return np.asarray(logarithms) - np.mean(logarithms)


@STRENGTHS.works("choix.opt_pairwise(...)", "BradleyTerryRanker has its strengths")
def choix():
    import choix

    wins = []
    for left, right, winner in zip(*_systems(), strict=True):
        pair = (right, left) if winner == "right" else (left, right)
        wins += [pair, pair[::-1]] if winner == "tie" else [pair, pair]
    expected = choix.opt_pairwise(5, wins, tol=1e-12)
    assert_allclose(_strengths().strength_, _centred(expected), atol=1e-6)


@STRENGTHS.works(
    "evalica.bradley_terry(...), evalica.newman(...)",
    "with tolerance=1e-14; ties as half a win, and by Davidson's model",
)
def evalica():
    import evalica

    of = {
        "left": evalica.Winner.X,
        "right": evalica.Winner.Y,
        "tie": evalica.Winner.Draw,
    }
    left, right, winner = _systems()
    sides = [f"s{k}" for k in left], [f"s{k}" for k in right], [of[w] for w in winner]
    options = {"tolerance": 1e-14, "limit": 100_000}
    names = [f"s{k}" for k in range(5)]
    half = evalica.bradley_terry(*sides, tie_weight=0.5, **options).scores[names]
    assert_allclose(_strengths().strength_, _centred(np.log(half)), atol=1e-6)
    newman = evalica.newman(*sides, **options)
    ours = _strengths("davidson")
    assert_allclose(ours.strength_, _centred(np.log(newman.scores[names])), atol=1e-6)
    assert_allclose(ours.tie_parameter_, 2 * newman.v, rtol=1e-6)


@STRENGTHS.works(
    'statsmodels.GLM(..., family=Binomial()).fit(cov_type="HC0")',
    "strengths, and their standard errors",
)
def statsmodels():
    import statsmodels.api as sm

    left, right, winner = (np.asarray(column) for column in _systems())
    decided = np.flatnonzero(winner != "tie")
    names = np.arange(5)
    design = np.subtract(
        left[decided, None] == names, right[decided, None] == names, dtype=float
    )[:, 1:]
    model = sm.GLM(winner[decided] == "left", design, family=sm.families.Binomial())
    result = model.fit(tol=1e-12, cov_type="HC0")
    # Without ties; the first has the strength 0 there.
    center = (np.eye(5) - 0.2)[:, 1:]
    ours = _without_ties()
    assert_allclose(ours.strength_, center @ result.params, atol=1e-6)
    expected = center @ result.cov_params() @ center.T
    assert_allclose(ours.covariance_, expected, atol=1e-6)


def _without_ties():
    from sklearn_pscore import BradleyTerryRanker, Groups

    names = _ITEMS["system"].to_numpy()
    decided = VOTES[VOTES["winner"] != "tie"]
    votes = decided.assign(
        prompt=LABEL[decided["left"]],
        left=names[decided["left"]],
        right=names[decided["right"]],
    )
    return BradleyTerryRanker().fit(X, Groups.from_votes(votes, _ITEMS))
