"""scikit-learn: ensembles, meta-estimators and metrics that meet the target."""

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal

from benchmarks.compatibility.check import Checks, refusal
from benchmarks.compatibility.data import (
    FOLDS,
    GROUPS,
    PREFERENCE,
    X,
    accuracy,
    ranker,
)

CHECKS = Checks("scikit-learn: ensembles and meta-estimators")


def _scorer():
    from sklearn_pscore.metrics import pairwise_accuracy_scorer

    return pairwise_accuracy_scorer


@CHECKS.works("VotingRegressor([...], weights=...)", "the mean of the members' scores")
def voting():
    from sklearn.ensemble import VotingRegressor

    from sklearn_pscore import RankSumRanker, rank
    from sklearn_pscore.metrics import rank_items

    members = [("net", ranker()), ("rs", RankSumRanker(directions="larger"))]
    model = VotingRegressor(members, weights=[3, 1]).fit(X, GROUPS)
    by_hand = (
        3 * ranker().fit(X, GROUPS).predict(X)
        + RankSumRanker(directions="larger").fit(X, GROUPS).predict(X)
    ) / 4
    assert_allclose(model.predict(X), by_hand)
    assert_allclose(_scorer()(model, X, GROUPS), accuracy(GROUPS, by_hand))
    assert_array_equal(rank(model, X, GROUPS), rank_items(GROUPS, model.predict(X)))


@CHECKS.works("BaggingRegressor(ranker)", "rows are drawn; the mean of the members")
def bagging():
    from sklearn.ensemble import BaggingRegressor

    model = BaggingRegressor(ranker(), n_estimators=3, random_state=0).fit(X, GROUPS)
    scores = []
    table = X.to_numpy()
    for rows, member in zip(model.estimators_samples_, model.estimators_, strict=True):
        by_hand = ranker(random_state=member.random_state).fit(
            table[rows], GROUPS[rows]
        )
        scores.append(by_hand.predict(table))
    assert_allclose(model.predict(X), np.mean(scores, axis=0))


@CHECKS.works(
    "StackingRegressor([...], final_estimator=a ranker, cv=...)",
    "the last model learns from scores on what was left out",
)
def stacking():
    from sklearn.ensemble import StackingRegressor

    from sklearn_pscore import TopCountRanker

    members = [("net", ranker()), ("top", TopCountRanker(directions="larger"))]
    model = StackingRegressor(members, final_estimator=ranker(), cv=FOLDS)
    model.fit(X, GROUPS)
    left_out = np.empty((60, 2))
    for train, test in FOLDS:
        for column, (_, member) in enumerate(members):
            fitted = member.fit(X.iloc[train], GROUPS[train])
            left_out[test, column] = fitted.predict(X.iloc[test])
    last = ranker().fit(left_out, GROUPS)
    scores = [member.fit(X, GROUPS).predict(X) for _, member in members]
    assert_allclose(model.predict(X), last.predict(np.column_stack(scores)), rtol=1e-6)


@CHECKS.works(
    "StackedRanker({...}) of rankers, PlainTarget(Ridge()) and GroupwiseRanker(...)",
    "ours: non-negative weights, learnt by pairs that members left out; score and rank",
)
def stacked_ranker():
    from sklearn.linear_model import Ridge

    from sklearn_pscore import PlainTarget, StackedRanker, rank
    from sklearn_pscore.metrics import rank_items

    members = [("net", ranker()), ("ridge", PlainTarget(Ridge()))]
    model = StackedRanker(members, random_state=0).fit(X, GROUPS)
    scores = model.predict(X)
    assert np.all(model.weights_ >= 0)
    assert_allclose(model.score(X, GROUPS), accuracy(GROUPS, scores))
    assert_array_equal(rank(model, X, GROUPS), rank_items(GROUPS, scores))
    # A weighted sum of what its members predict, and nothing else.
    columns = [member.predict(X) for member in model.named_rankers_.values()]
    columns = np.column_stack([*columns, np.ones(60)])
    fit = columns @ np.linalg.lstsq(columns, scores, rcond=None)[0]
    assert_allclose(fit, scores, atol=1e-6)


@CHECKS.own_words(
    "StackingRegressor without final_estimator=, or with a plain one",
    "RidgeCV cannot read the target. Pass final_estimator= a ranker",
)
def plain_stacking():
    from sklearn.ensemble import StackingRegressor

    with refusal(TypeError, "Cannot cast array data from dtype([('group'"):
        StackingRegressor([("net", ranker())], cv=FOLDS).fit(X, GROUPS)


@CHECKS.own_words(
    "VotingRegressor, BaggingRegressor, StackingRegressor: score(X, groups)",
    "theirs is R2. Call pairwise_accuracy_scorer(model, X, groups), and pass scoring= in "
    "searches",
)
def score_of_ensembles():
    from sklearn.ensemble import VotingRegressor

    model = VotingRegressor([("net", ranker())]).fit(X, GROUPS)
    with refusal(TypeError, "Cannot cast array data from dtype([('group'"):
        model.score(X, GROUPS)
    assert_allclose(_scorer()(model, X, GROUPS), accuracy(GROUPS, model.predict(X)))


@CHECKS.own_words(
    "AdaBoostRegressor(ranker)",
    "it subtracts scores from records; BaggingRegressor and VotingRegressor work",
)
def boosting():
    from numpy._core._exceptions import _UFuncNoLoopError
    from sklearn.ensemble import AdaBoostRegressor

    with refusal(_UFuncNoLoopError, "ufunc 'subtract' did not contain a loop"):
        AdaBoostRegressor(ranker(), n_estimators=2).fit(X, GROUPS)


@CHECKS.own_words(
    "MultiOutputRegressor(ranker), RegressorChain(ranker)",
    "there is one score per row. For several opinions join targets by Groups.concat",
)
def several_outputs():
    from sklearn.multioutput import MultiOutputRegressor, RegressorChain

    with refusal(ValueError, "y must have at least two dimensions"):
        MultiOutputRegressor(ranker()).fit(X, GROUPS)
    with refusal(IndexError, "tuple index out of range"):
        RegressorChain(ranker()).fit(X, GROUPS)


@CHECKS.own_words(
    "CalibratedClassifierCV(ranker), OneVsRestClassifier(ranker), "
    "SelfTrainingClassifier(ranker)",
    "they ask for a classifier; preference_proba is a probability already",
)
def classifiers():
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.multiclass import OneVsRestClassifier
    from sklearn.semi_supervised import SelfTrainingClassifier
    from sklearn.utils._param_validation import InvalidParameterError

    with refusal(InvalidParameterError, "implementing 'fit' and 'predict_proba'"):
        CalibratedClassifierCV(ranker()).fit(X, GROUPS)
    with refusal(TypeError, "unhashable type: 'writeable void-scalar'"):
        OneVsRestClassifier(ranker()).fit(X, GROUPS)
    with refusal(TypeError, "Cannot compare structured or void"):
        SelfTrainingClassifier(ranker()).fit(X, GROUPS)


@CHECKS.works(
    "metrics.ndcg_score, dcg_score of one query",
    'the same number as ours with gain="linear"',
)
def metrics_of_one_query():
    from sklearn.metrics import dcg_score, ndcg_score

    from sklearn_pscore import metrics

    relevance = np.random.default_rng(1).integers(0, 4, 20).astype(float)
    scores = np.random.default_rng(2).integers(0, 9, 20).astype(float)
    for theirs, ours in (
        (ndcg_score, metrics.ndcg_score),
        (dcg_score, metrics.dcg_score),
    ):
        for k in (None, 5):
            expected = theirs([relevance], [scores], k=k)
            assert_allclose(ours(relevance, scores, k=k, gain="linear"), expected)


@CHECKS.works(
    "a regressor on the plain preference, in our scorers, rank and compare_rankers",
    "Ridge().fit(X, preference): score and rank of what it predicts",
)
def plain_regressor():
    from sklearn.linear_model import Ridge

    from sklearn_pscore import rank

    model = Ridge().fit(X, PREFERENCE)
    assert_allclose(_scorer()(model, X, GROUPS), accuracy(GROUPS, model.predict(X)))
    best = rank(model, X, GROUPS) == 1
    assert np.sum(best) == 12


@CHECKS.guided(
    "rank(a classifier, X, groups)",
    "labels are no scores: the error names LevelClassifierRanker",
)
def rank_of_a_classifier():
    from sklearn.linear_model import LogisticRegression

    from sklearn_pscore import rank

    model = LogisticRegression().fit(X, PREFERENCE > 0)
    with refusal(TypeError, "is a classifier", "LevelClassifierRanker(classifier)"):
        rank(model, X, GROUPS)
