"""Scorers as ``scoring=`` of scikit-learn, and the predictions that they use."""

import copy
import pickle
import re
from functools import partial

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import sklearn
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator, RegressorMixin, TransformerMixin, clone
from sklearn.decomposition import PCA
from sklearn.feature_selection import SequentialFeatureSelector
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import (
    GridSearchCV,
    KFold,
    LearningCurveDisplay,
    ValidationCurveDisplay,
    cross_val_score,
    cross_validate,
    learning_curve,
    validation_curve,
)
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from sklearn_pscore import Groups
from sklearn_pscore.metrics import (
    dcg_score,
    dcg_scorer,
    kendall_tau_scorer,
    make_ranking_scorer,
    mrr_scorer,
    ndcg_score,
    ndcg_scorer,
    neg_rmse_scorer,
    pairwise_accuracy_score,
    pairwise_accuracy_scorer,
    pearson_scorer,
    reciprocal_rank_score,
    soft_pairwise_accuracy_scorer,
    spearman_scorer,
    tie_calibrated_accuracy_scorer,
)
from sklearn_pscore.metrics._models import predict_scores

SCORERS = {
    "mrr": mrr_scorer,
    "dcg": dcg_scorer,
    "ndcg": ndcg_scorer,
    "accuracy": pairwise_accuracy_scorer,
    "tau": kendall_tau_scorer,
    "spearman": spearman_scorer,
    "pearson": pearson_scorer,
    "neg_rmse": neg_rmse_scorer,
    "soft accuracy": soft_pairwise_accuracy_scorer,
    "tie accuracy": tie_calibrated_accuracy_scorer,
}


class CorrelationRanker(RegressorMixin, BaseEstimator):
    """Score by the columns, each weighed by its covariance with the preference."""

    def __init__(self, sign=1):
        self.sign = sign

    def fit(self, X, groups):
        X = np.asarray(X)
        centred = groups["preference"] - groups["preference"].mean()
        self.coef_ = self.sign * centred @ (X - X.mean(axis=0))
        return self

    def predict(self, X):
        return np.asarray(X) @ self.coef_


class GroupwiseSum(RegressorMixin, BaseEstimator):
    """Score by the distance to the largest row sum of the group: needs groups."""

    def fit(self, X, groups):
        self.fitted_ = True
        return self

    def predict(self, X, groups):
        total = np.asarray(X).sum(axis=1)
        codes = np.unique(groups["group"], return_inverse=True)[1]
        largest = np.full(codes.max() + 1, -np.inf)
        np.maximum.at(largest, codes, total)
        return total - largest[codes]


class Doubler(TransformerMixin, BaseEstimator):
    def fit(self, X, y=None):
        self.fitted_ = True
        return self

    def transform(self, X):
        return 2 * np.asarray(X)


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 3))
    preference = X @ [1.0, 0.5, 0.0] + 0.1 * rng.normal(size=60)
    row = np.arange(60)
    return X, Groups.from_arrays(group=row // 6, preference=preference, item=row % 6)


@pytest.fixture(params=[False, True], ids=["plain", "routing"])
def routing(request):
    with sklearn.config_context(enable_metadata_routing=request.param):
        yield request.param


class TestInScikitLearn:
    # Ten groups of six neighbouring rows, so five folds never cut a group.
    cv = KFold(5)

    def expected(self, X, groups, metric=pairwise_accuracy_score):
        model = CorrelationRanker()
        scores = []
        for train, test in self.cv.split(X):
            model.fit(X[train], groups[train])
            scores.append(metric(groups[test], model.predict(X[test])))
        return scores

    @pytest.mark.parametrize("name", list(SCORERS))
    def test_grid_search(self, data, routing, name):
        search = GridSearchCV(
            CorrelationRanker(),
            {"sign": [-1, 1]},
            scoring=SCORERS[name],
            cv=self.cv,
            error_score="raise",
        ).fit(*data)
        assert search.best_params_ == {"sign": 1}
        score = SCORERS[name](search.best_estimator_, *data)
        assert search.score(*data) == score

    def test_grid_search_by_several_scorers_in_two_processes(self, data, routing):
        X, groups = data
        pipe = make_pipeline(StandardScaler(), CorrelationRanker())
        search = GridSearchCV(
            pipe,
            {"correlationranker__sign": [-1, 1]},
            scoring=SCORERS,
            refit="ndcg",
            cv=self.cv,
            n_jobs=2,
            error_score="raise",
        ).fit(X, groups)
        assert search.best_params_ == {"correlationranker__sign": 1}
        results = search.cv_results_
        assert np.all(results["mean_test_tau"][0] < results["mean_test_tau"][1])

    def test_cross_validate(self, data, routing):
        X, groups = data
        result = cross_validate(
            CorrelationRanker(), X, groups, scoring=SCORERS, cv=self.cv
        )
        assert_array_equal(result["test_accuracy"], self.expected(X, groups))
        assert_array_equal(result["test_dcg"], self.expected(X, groups, dcg_score))

    def test_cross_val_score_with_options(self, data, routing):
        X, groups = data
        scorer = make_ranking_scorer(ndcg_score, k=2, gain="rank")
        result = cross_val_score(
            CorrelationRanker(), X, groups, scoring=scorer, cv=self.cv
        )

        def metric(groups, y_score):
            return ndcg_score(groups, y_score, k=2, gain="rank")

        assert_array_equal(result, self.expected(X, groups, metric))

    def test_curves(self, data, routing):
        options = {"scoring": ndcg_scorer, "cv": self.cv, "error_score": "raise"}
        _, _, test = learning_curve(
            CorrelationRanker(), *data, train_sizes=[24, 48], **options
        )
        assert test.shape == (2, 5)
        _, test = validation_curve(
            CorrelationRanker(),
            *data,
            param_name="sign",
            param_range=[-1, 1],
            **options,
        )
        assert np.all(test[0] < test[1])

    @pytest.mark.parametrize("name", list(SCORERS))
    def test_displays_of_curves(self, data, routing, name):
        options = {"scoring": SCORERS[name], "cv": self.cv}
        learning = LearningCurveDisplay.from_estimator(
            CorrelationRanker(), *data, train_sizes=[24, 48], **options
        )
        validation = ValidationCurveDisplay.from_estimator(
            CorrelationRanker(),
            *data,
            param_name="sign",
            param_range=[-1, 1],
            **options,
        )
        words = SCORERS[name].__name__.replace("neg_", "negative_")
        words = words.replace("_", " ").capitalize()
        for display in (learning, validation):
            assert display.score_name == display.ax_.get_ylabel() == words
        # What is drawn is the mean of the curves over the folds.
        _, _, test = learning_curve(
            CorrelationRanker(), *data, train_sizes=[24, 48], **options
        )
        drawn = learning.lines_[1].get_ydata()
        assert_allclose(drawn, test.mean(axis=1), rtol=1e-12)
        plt.close("all")

    @pytest.mark.parametrize("name", list(SCORERS))
    def test_permutation_importance(self, data, routing, name):
        X, groups = data
        model = CorrelationRanker().fit(X, groups)
        frame = pd.DataFrame(X, columns=["a", "b", "c"])
        options = {"scoring": SCORERS[name], "n_repeats": 3, "random_state": 0}
        result = permutation_importance(model, frame, groups, **options)
        assert np.argmax(result.importances_mean) == 0

    def test_permutation_importance_in_two_processes(self, data, routing):
        X, groups = data
        model = CorrelationRanker().fit(X, groups)
        options = {"scoring": SCORERS, "n_repeats": 3, "random_state": 0}
        one = permutation_importance(model, X, groups, **options)
        two = permutation_importance(model, X, groups, n_jobs=2, **options)
        for name in SCORERS:
            assert_array_equal(one[name].importances, two[name].importances)

    def test_feature_selection(self, data, routing):
        selector = SequentialFeatureSelector(
            CorrelationRanker(),
            n_features_to_select=1,
            scoring=ndcg_scorer,
            cv=self.cv,
        ).fit(*data)
        assert_array_equal(selector.get_support(), [True, False, False])

    def test_a_predict_that_takes_groups(self, data, routing):
        X, groups = data
        pipe = make_pipeline(Doubler(), GroupwiseSum())
        scores = cross_val_score(
            pipe, X, groups, scoring=ndcg_scorer, cv=self.cv, error_score="raise"
        )
        expected = [
            ndcg_score(groups[t], X[t].sum(axis=1)) for _, t in self.cv.split(X)
        ]
        assert_allclose(scores, expected)


class TestPredictScores:
    @pytest.mark.parametrize(
        ("wrap", "factor"),
        [
            (lambda model: model, 1),
            (lambda model: Pipeline([("only", model)]), 1),
            (lambda model: make_pipeline(Doubler(), model), 2),
            (lambda model: make_pipeline("passthrough", model), 1),
            (lambda model: Pipeline([("a", None), ("b", model)]), 1),
            (lambda model: make_pipeline("passthrough", Doubler(), None, model), 2),
            (lambda model: make_pipeline(Doubler(), "passthrough", model), 2),
            (lambda m: make_pipeline(Doubler(), make_pipeline(Doubler(), m)), 4),
            (lambda m: make_pipeline(make_pipeline(Doubler(), Doubler()), m), 4),
            (lambda m: GridSearchCV(m, {}, scoring=ndcg_scorer, cv=2), 1),
            (
                lambda m: make_pipeline(
                    Doubler(),
                    GridSearchCV(
                        make_pipeline(Doubler(), m), {}, scoring=ndcg_scorer, cv=2
                    ),
                ),
                4,
            ),
        ],
    )
    def test_groups_reach_the_innermost_predict(self, data, wrap, factor):
        X, groups = data
        expected = GroupwiseSum().fit(X, groups).predict(X, groups)
        model = wrap(GroupwiseSum()).fit(X, groups)
        assert_allclose(predict_scores(model, X, groups), factor * expected)

    def test_everything_else_predicts_from_x_alone(self, data):
        X, groups = data
        for model in (
            LinearRegression(),
            make_pipeline(StandardScaler(), LinearRegression()),
            GridSearchCV(LinearRegression(), {}, cv=2),
        ):
            model.fit(X, groups["preference"])
            assert_array_equal(predict_scores(model, X, groups), model.predict(X))

    def test_records_are_no_scores(self, data):
        X, groups = data
        model = make_pipeline(StandardScaler(), DecisionTreeClassifier())
        with pytest.warns(UserWarning, match="number of unique classes"):
            model.fit(X, groups)
        message = (
            "predict of Pipeline returned records of a target, each of which it took"
        )
        with pytest.raises(
            TypeError, match=f"{message}.* is wrapped, as in PlainTarget"
        ):
            ndcg_scorer(model, X, groups)

    def test_a_plain_target_is_one_group(self, data):
        X, groups = data
        one_group = Groups.from_arrays(group=np.zeros(60), preference=np.zeros(60))
        model = GroupwiseSum().fit(X, groups)
        expected = model.predict(X, one_group)
        assert_array_equal(predict_scores(model, X, groups["preference"]), expected)
        assert ndcg_scorer(model, X, groups["preference"]) < 1.0

    def test_no_predict(self, data):
        model = PCA(n_components=1).fit(data[0])
        with pytest.raises(AttributeError, match=re.escape("'predict'")):
            ndcg_scorer(model, *data)

    def test_no_target(self, data):
        X, groups = data
        model = CorrelationRanker().fit(X, groups)
        with pytest.raises(ValueError, match=re.escape("ndcg_score requires y")):
            ndcg_scorer(model, X)


class TestMakeRankingScorer:
    def test_score_is_the_metric_of_the_prediction(self, data):
        X, groups = data
        model = CorrelationRanker().fit(X, groups)
        scorer = make_ranking_scorer(dcg_score, k=3)
        score = scorer(model, X, groups)
        assert type(score) is float
        assert score == dcg_score(groups, model.predict(X), k=3)

    @pytest.mark.parametrize(
        ("scorer", "text"),
        [
            (mrr_scorer, "make_ranking_scorer(reciprocal_rank_score)"),
            (
                make_ranking_scorer(dcg_score, k=3, gain="linear"),
                "make_ranking_scorer(dcg_score, k=3, gain='linear')",
            ),
        ],
    )
    def test_repr(self, scorer, text):
        assert repr(scorer) == text

    @pytest.mark.parametrize(
        ("metric", "name"),
        [
            (reciprocal_rank_score, "reciprocal_rank_score"),
            (partial(ndcg_score, k=2), "ndcg_score"),
            (partial(partial(dcg_score, k=2), gain="linear"), "dcg_score"),
            (GroupwiseSum().fit, "fit"),
        ],
    )
    def test_name_is_that_of_the_metric(self, metric, name):
        assert make_ranking_scorer(metric).__name__ == name

    def test_every_scorer_has_the_name_of_its_metric(self):
        assert {name: scorer.__name__ for name, scorer in SCORERS.items()} == {
            "mrr": "reciprocal_rank_score",
            "dcg": "dcg_score",
            "ndcg": "ndcg_score",
            "accuracy": "pairwise_accuracy_score",
            "tau": "kendall_tau_score",
            "spearman": "spearman_score",
            "pearson": "pearson_score",
            "neg_rmse": "neg_rmse",
            "soft accuracy": "soft_pairwise_accuracy_score",
            "tie accuracy": "tie_calibrated_accuracy_score",
        }

    @pytest.mark.parametrize(
        "copied",
        [lambda s: pickle.loads(pickle.dumps(s)), copy.deepcopy, clone],
        ids=["pickle", "deepcopy", "clone"],
    )
    def test_copies_score_alike(self, data, copied):
        X, groups = data
        model = CorrelationRanker().fit(X, groups)
        scorer = make_ranking_scorer(ndcg_score, k=2)
        twin = copied(scorer)
        assert repr(twin) == repr(scorer)
        assert twin.__name__ == scorer.__name__ == "ndcg_score"
        assert twin(model, X, groups) == scorer(model, X, groups)

    def test_a_clone_is_the_scorer_itself(self):
        search = GridSearchCV(CorrelationRanker(), {}, scoring=ndcg_scorer)
        assert clone(search).scoring is ndcg_scorer

    def test_your_own_metric(self, data):
        def share_of_first(groups, y_score, *, scale):
            return scale * (groups["preference"].argmax() == y_score.argmax())

        X, groups = data
        model = CorrelationRanker().fit(X, groups)
        assert make_ranking_scorer(share_of_first, scale=2)(model, X, groups) in (0, 2)

    @pytest.mark.parametrize(
        ("metric", "options", "error", "part"),
        [
            ("dcg", {}, TypeError, "metric is 'dcg', a str; expected a function"),
            (
                dcg_score,
                {"depth": 3},
                TypeError,
                "dcg_score cannot be called as metric(groups, y_score, ...) with the "
                "options {'depth': 3}: got an unexpected keyword argument 'depth'.",
            ),
            (
                reciprocal_rank_score,
                {"gain": "rank"},
                TypeError,
                "It is declared as (groups, y_score, *, k=None, average=True).",
            ),
            (dcg_score, {"y_score": 1}, TypeError, "multiple values for argument"),
            (ndcg_score, {"k": 0}, ValueError, "must be an int in the range [1, inf)"),
            (ndcg_score, {"gain": "exp"}, ValueError, "Got 'exp' instead."),
            (ndcg_score, {"average": False}, ValueError, "Leave average=True."),
        ],
    )
    def test_errors(self, metric, options, error, part):
        with pytest.raises(error, match=re.escape(part)):
            make_ranking_scorer(metric, **options)
