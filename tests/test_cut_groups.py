"""Cut groups: where rows of a group were lost, metrics, scorers and fits say so."""

import inspect
import pickle
import re
import warnings
from functools import partial

import numpy as np
import pytest
from cases import quick
from numpy.testing import assert_array_equal
from sklearn import model_selection
from sklearn.ensemble import BaggingRegressor, StackingRegressor, VotingRegressor
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.feature_selection import SequentialFeatureSelector
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    GroupShuffleSplit,
    HalvingGridSearchCV,
    HalvingRandomSearchCV,
    KFold,
    LeaveOneGroupOut,
    LeaveOneOut,
    LeavePGroupsOut,
    LeavePOut,
    PredefinedSplit,
    RandomizedSearchCV,
    RepeatedKFold,
    ShuffleSplit,
    TimeSeriesSplit,
    cross_val_predict,
    cross_val_score,
    cross_validate,
    learning_curve,
    permutation_test_score,
    train_test_split,
    validation_curve,
)
from sklearn.pipeline import make_pipeline

from sklearn_pscore import (
    Groups,
    LevelClassifierRanker,
    PairAugmenter,
    RankSumRanker,
    TopCountRanker,
)
from sklearn_pscore.metrics import (
    dcg_score,
    kendall_tau_score,
    make_ranking_scorer,
    mrr_scorer,
    ndcg_score,
    pairwise_accuracy_score,
    pairwise_accuracy_scorer,
    rank_items,
    reciprocal_rank_score,
)
from sklearn_pscore.model_selection import (
    PreferenceGroupKFold,
    compare_rankers,
    groups_train_test_split,
)

METRICS = [
    reciprocal_rank_score,
    dcg_score,
    ndcg_score,
    pairwise_accuracy_score,
    kendall_tau_score,
]
CUT = re.compile(r"got \d+ of \d+ groups cut: group .+ has \d+ of its \d+ judged rows")


def make_data(n_groups=6, n_rows=7):
    """Rows of the groups follow one another; group and split sizes do not match."""
    X = np.random.default_rng(0).normal(size=(n_groups * n_rows, 3))
    group = np.repeat(np.arange(n_groups), n_rows)
    return X, Groups.from_arrays(group=group, preference=X[:, 0] // 0.5)


X, GROUPS = make_data()
RANKER = RankSumRanker(directions="larger")
RANKERS = {
    "pairwise": quick(max_epochs=1),
    "rank sums": RANKER,
    "top counts": TopCountRanker(directions="larger"),
    "levels": LevelClassifierRanker(random_state=0),
}


def messages_of(call):
    """Return the messages of the warnings of cut groups; any other is an error."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        call()
    messages = [str(warning.message) for warning in caught]
    others = [m for m in messages if not CUT.search(m) and "Scoring failed" not in m]
    assert others == []
    return [message for message in messages if CUT.search(message)]


class TestGroupSize:
    def test_it_counts_judged_rows_that_are_no_donors_and_have_a_weight(self):
        groups = Groups.from_arrays(
            group=["a", "b", "a", "a", "a", "a", "b"],
            preference=[1.0, np.nan, 2.0, 3.0, np.nan, 4.0, 5.0],
            weight=[1, 1, 1, 1, 1, 0, 1],
            donor=[0, 0, 0, 1, 0, 0, 0],
        )
        assert groups["group_size"].tolist() == [2, 1, 2, 2, 2, 2, 1]

    def test_pickles_and_copies_keep_it(self):
        kept = pickle.loads(pickle.dumps(GROUPS[:3]))
        assert_array_equal(kept["group_size"], [7, 7, 7])

    def test_a_target_built_from_fields_of_another_keeps_it(self):
        fields = {field: GROUPS[3:9][field] for field in GROUPS.dtype.names}
        assert Groups.from_arrays(**fields).tolist() == GROUPS[3:9].tolist()
        del fields["group_size"]
        assert Groups.from_arrays(**fields)["group_size"].tolist() == [4] * 4 + [2] * 2

    def test_whole_counts_anew_and_copies(self):
        part = GROUPS[4:10]
        whole = Groups.whole(part)
        assert whole["group_size"].tolist() == [3, 3, 3, 3, 3, 3]
        assert part["group_size"].tolist() == [7] * 6
        for field in ("group", "preference"):
            assert_array_equal(whole[field], part[field])

    def test_whole_gives_an_old_target_its_sizes(self):
        old = GROUPS[["group", "preference"]]
        assert Groups.whole(old).tolist() == GROUPS.tolist()

    def test_whole_refuses_a_plain_target(self):
        with pytest.raises(
            TypeError, match="Groups.whole takes groups as a structured"
        ):
            Groups.whole([1.0, 2.0])

    def test_two_sizes_in_one_group_are_two_sources(self):
        other = Groups.from_arrays(group=[2, 2, 3], preference=[1.0, 0.0, 1.0])
        both = np.concatenate([GROUPS, other])
        message = re.escape(
            "groups has rows of two targets in group 2: it had 7 judged rows in the one "
            "of row 14, and 2 in another; expected one. Join targets by Groups.concat("
        )
        with pytest.raises(ValueError, match=message):
            pairwise_accuracy_score(both, np.zeros(len(both)))
        assert Groups.whole(both)["group_size"][14] == 9

    def test_concat_keeps_the_sizes(self):
        old = GROUPS[["group", "preference"]][:3]
        joined = Groups.concat([GROUPS[:3], old])
        assert joined["group_size"].tolist() == [7, 7, 7, 3, 3, 3]


class TestMetrics:
    @pytest.mark.parametrize("metric", METRICS)
    def test_one_cut_group_warns_once_and_changes_no_value(self, metric):
        part, score = GROUPS[5:21], np.arange(16.0)
        message = f"{metric.__name__} got 1 of 3 groups cut: group 0 has 2 of its 7 "
        with pytest.warns(UserWarning, match=message) as caught:
            value = metric(part, score)
        assert len(caught) == 1
        assert caught[0].filename == __file__
        assert metric(part[["group", "preference"]], score) == value

    @pytest.mark.parametrize("metric", METRICS)
    def test_whole_and_larger_groups_do_not_warn(self, metric):
        score = np.arange(len(GROUPS), dtype=float)
        repeated = np.concatenate([GROUPS, GROUPS[:7], GROUPS[3:5]])
        for groups, y_score in (
            (GROUPS[7:21], score[7:21]),
            (repeated, np.r_[score, score[:9]]),
            (Groups.whole(GROUPS[3:12]), score[3:12]),
            (GROUPS["preference"][:5], score[:5]),
        ):
            assert messages_of(partial(metric, groups, y_score)) == []

    def test_rows_that_do_not_count_may_be_left_out(self):
        groups = Groups.from_arrays(
            group=[0, 0, 0, 0, 0, 1, 1],
            preference=[1.0, 2.0, np.nan, 3.0, 4.0, np.nan, 5.0],
            weight=[1, 1, 1, 0, 1, 1, 1],
            donor=[0, 0, 0, 0, 1, 0, 1],
        )
        for rows in ([0, 1], [0, 1, 3], [0, 1, 4, 6]):
            assert (
                pairwise_accuracy_score(groups[rows], groups["preference"][rows]) == 1
            )

    def test_a_group_of_which_only_donors_are_left_is_not_cut(self):
        groups = Groups.from_arrays(
            group=[0, 0, 1, 1, 1], preference=[1, 2, 3, 4, 5], donor=[0, 0, 0, 0, 1]
        )
        assert pairwise_accuracy_score(groups[[0, 1, 4]], [1.0, 2.0, 3.0]) == 1

    def test_a_row_whose_weight_is_set_to_zero_is_left_out(self):
        groups = Groups.from_arrays(
            group=[0, 0, 0], preference=[0, 1, 2], weight=[1, 1, 1]
        )
        groups["weight"][0] = 0
        assert len(messages_of(lambda: dcg_score(groups, [1, 2, 3]))) == 1

    def test_ranks_do_not_warn(self):
        assert rank_items(GROUPS[:3], [1.0, 2.0, 3.0]).tolist() == [3, 2, 1]


def mean_of_two(groups, y_score):
    return (dcg_score(groups, y_score) + ndcg_score(groups, y_score)) / 2


class TestModels:
    @pytest.mark.parametrize("name", RANKERS)
    def test_a_fit_warns_once_of_two_cut_groups_and_is_silent_of_one(self, name):
        ranker = RANKERS[name]
        assert messages_of(lambda: ranker.fit(X[3:], GROUPS[3:])) == []
        messages = messages_of(lambda: ranker.fit(X[3:-3], GROUPS[3:-3]))
        assert len(messages) == 1
        caller = f"{type(ranker).__name__}.fit got 2 of 6 groups cut: group 0 has 4 of"
        assert messages[0].startswith(caller)
        assert messages_of(lambda: ranker.fit(X, GROUPS)) == []

    def test_partial_fit_warns(self):
        ranker = quick()
        assert len(messages_of(lambda: ranker.partial_fit(X[3:-3], GROUPS[3:-3]))) == 1

    def test_a_warning_that_is_an_error_leaves_the_ranker_unfitted(self):
        ranker = quick()
        with pytest.raises(UserWarning, match="groups cut"):
            ranker.fit(X[3:-3], GROUPS[3:-3])
        assert not hasattr(ranker, "n_features_in_")

    @pytest.mark.parametrize("name", RANKERS)
    @pytest.mark.parametrize(
        "scorer",
        [
            lambda ranker, X, y: ranker.score(X, y),
            mrr_scorer,
            make_ranking_scorer(mean_of_two),
            make_ranking_scorer(lambda groups, y_score: 0.5),
        ],
        ids=["score", "scorer", "scorer of a mean", "scorer of a constant"],
    )
    def test_scores_warn_once(self, name, scorer):
        ranker = RANKERS[name].fit(X, GROUPS)
        rows = slice(2, 12)
        messages = messages_of(lambda: scorer(ranker, X[rows], GROUPS[rows]))
        assert len(messages) == 1
        assert "got 2 of 2 groups cut: group 0 has 5 of its 7" in messages[0]
        assert messages_of(lambda: scorer(ranker, X, GROUPS)) == []

    @pytest.mark.parametrize(
        "model",
        [RANKER, make_pipeline(RANKER), VotingRegressor([("sums", RANKER)])],
        ids=["ranker", "pipeline", "voting"],
    )
    def test_the_rows_of_the_fit_are_scored_without_another_warning(self, model):
        def n_warnings(rows):
            return len(messages_of(lambda: mrr_scorer(model, X[rows], GROUPS[rows])))

        fitted, other = slice(0, 10), slice(11, 21)
        assert messages_of(lambda: model.fit(X[fitted], GROUPS[fitted])) == []
        assert (n_warnings(fitted), n_warnings(other)) == (0, 1)
        model.fit(X, GROUPS)
        assert (n_warnings(fitted), n_warnings(other)) == (1, 1)

    @pytest.mark.parametrize(
        "model",
        [RANKER, make_pipeline(RANKER), VotingRegressor([("sums", RANKER)])],
        ids=["ranker", "pipeline", "voting"],
    )
    def test_one_group_can_only_be_split_by_rows(self, model):
        one = Groups.from_arrays(group=np.zeros(len(X)), preference=X[:, 0])
        search = GridSearchCV(model, {}, scoring=mrr_scorer, cv=3)
        assert messages_of(lambda: search.fit(X, one).score(X[:9], one[:9])) == []
        curve = lambda: learning_curve(model, X, one, scoring=mrr_scorer)  # noqa: E731
        assert messages_of(curve) == []
        # The rows of one group of several are still a part of it.
        two = Groups.from_arrays(group=np.arange(len(X)) % 2, preference=X[:, 0])
        first = two["group"] == 0
        model.fit(X, two)
        part = slice(0, 5)
        messages = messages_of(
            lambda: mrr_scorer(model, X[first][part], two[first][part])
        )
        assert len(messages) == 1

    def test_one_group_is_compared_over_rows(self):
        one = Groups.from_arrays(group=np.zeros(len(X)), preference=X[:, 0])
        compare = lambda y, X: compare_rankers(  # noqa: E731
            {"sums": RANKER}, X, y, cv=KFold(3)
        )
        assert messages_of(lambda: compare(one, X)) == []
        assert len(messages_of(lambda: compare(one[1:], X[1:]))) == 1

    def test_a_metric_of_the_user_may_take_a_target_of_its_own(self):
        y = np.ones(4, dtype=[("event", bool), ("time", float)])
        scorer = make_ranking_scorer(lambda y, y_score: float(y["time"].sum()))
        assert scorer(RANKERS["levels"].fit(X, GROUPS), X[:4], y) == 4.0

    def test_an_augmented_set_is_whole_and_augment_warns(self):
        augmenter = PairAugmenter(stitch_sizes=(2,), random_state=0)
        pipeline = make_pipeline(augmenter, quick())
        assert messages_of(lambda: pipeline.fit(X, GROUPS)) == []
        assert len(messages_of(lambda: pipeline.fit(X[3:-3], GROUPS[3:-3]))) == 1
        assert (
            messages_of(lambda: pipeline[-1].fit(*augmenter.augment(X, GROUPS))) == []
        )
        messages = messages_of(lambda: augmenter.augment(X[3:-3], GROUPS[3:-3]))
        assert messages[0].startswith("PairAugmenter.augment got 2 of 6 groups cut")


N_ROWS = 21
ROW_GROUPS = np.arange(N_ROWS) % 5
SPLITTERS = {
    KFold: KFold(5),
    RepeatedKFold: RepeatedKFold(n_splits=3, n_repeats=1, random_state=0),
    ShuffleSplit: ShuffleSplit(2, random_state=0),
    GroupKFold: GroupKFold(4),
    GroupShuffleSplit: GroupShuffleSplit(2, random_state=0),
    LeaveOneGroupOut: LeaveOneGroupOut(),
    LeavePGroupsOut: LeavePGroupsOut(3),
    LeaveOneOut: LeaveOneOut(),
    LeavePOut: LeavePOut(2),
    PredefinedSplit: PredefinedSplit(ROW_GROUPS),
    TimeSeriesSplit: TimeSeriesSplit(4),
}
# They take classes; with a target of Groups they raise.
OF_CLASSES = {
    "RepeatedStratifiedKFold",
    "StratifiedGroupKFold",
    "StratifiedKFold",
    "StratifiedShuffleSplit",
}


def labels_for(name):
    """Return labels of rows for a splitter that needs some; others warn of them."""
    return ROW_GROUPS if "Group" in name else None


def test_every_splitter_of_scikit_learn_is_here():
    splitters = {
        name
        for name, splitter in vars(model_selection).items()
        if inspect.isclass(splitter) and hasattr(splitter, "split")
    }
    bases = {"BaseCrossValidator", "BaseShuffleSplit"}
    assert splitters - bases == OF_CLASSES | {cls.__name__ for cls in SPLITTERS}
    for name in OF_CLASSES:
        with pytest.raises(ValueError, match="classes in y|members in each class"):
            next(
                getattr(model_selection, name)().split(
                    X[:N_ROWS], GROUPS[:N_ROWS], labels_for(name)
                )
            )


@pytest.mark.parametrize(
    "splitter", SPLITTERS.values(), ids=lambda cv: type(cv).__name__
)
def test_folds_of_rows_are_noticed(splitter):
    """A fit warns where two groups are cut, a score where one is."""
    features, groups = X[:N_ROWS], GROUPS[:N_ROWS]
    labels = labels_for(type(splitter).__name__)
    messages = messages_of(
        lambda: cross_val_score(RANKER, features, groups, cv=splitter, groups=labels)
    )
    n_expected = 0
    for train, test in splitter.split(features, groups, labels):
        n_cut = []
        for rows in (train, test):
            n_left = np.bincount(groups["group"][rows])
            n_cut.append(int(np.sum((n_left > 0) & (n_left < 7))))
        n_expected += (n_cut[0] > 1) + (n_cut[1] > 0)
    assert len(messages) == n_expected > 0
    assert all("PreferenceGroupKFold" in message for message in messages)


GRID = {"directions": ["larger", "smaller"]}
WHOLE = PreferenceGroupKFold(3)
HALVING = {"min_resources": 20, "max_resources": 40, "random_state": 0}


def with_split(split):
    """Return what fits on one part and scores the other."""

    def call():
        X_train, X_test, train, test = split(X, GROUPS, random_state=0)
        RANKERS["levels"].fit(X_train, train).score(X_test, test)

    return call


CUTTING = {
    "cv=5": lambda: cross_val_score(RANKER, X, GROUPS, cv=5),
    "GroupKFold by the target": lambda: cross_val_score(
        RANKER, X, GROUPS, cv=GroupKFold(3), groups=GROUPS
    ),
    "cross_validate": lambda: cross_validate(RANKER, X, GROUPS, cv=KFold(5)),
    "cross_val_predict": lambda: cross_val_predict(RANKER, X, GROUPS, cv=KFold(4)),
    "validation_curve": lambda: validation_curve(
        RANKER, X, GROUPS, param_name="directions", param_range=["larger"], cv=4
    ),
    "learning_curve": lambda: learning_curve(RANKER, X, GROUPS, cv=4),
    "learning_curve, shuffled": lambda: learning_curve(
        RANKER, X, GROUPS, cv=WHOLE, shuffle=True, random_state=0
    ),
    "GridSearchCV": lambda: GridSearchCV(RANKER, GRID).fit(X, GROUPS),
    "RandomizedSearchCV": lambda: RandomizedSearchCV(
        RANKER, GRID, n_iter=2, random_state=0, scoring=pairwise_accuracy_scorer
    ).fit(X, GROUPS),
    "HalvingGridSearchCV": lambda: HalvingGridSearchCV(
        RANKER, GRID, cv=WHOLE, **HALVING
    ).fit(X, GROUPS),
    "HalvingRandomSearchCV": lambda: HalvingRandomSearchCV(
        RANKER, GRID, cv=WHOLE, n_candidates=2, **HALVING
    ).fit(X, GROUPS),
    "train_test_split": with_split(train_test_split),
    "SequentialFeatureSelector": lambda: SequentialFeatureSelector(
        RANKER, n_features_to_select=1, cv=4
    ).fit(X, GROUPS),
    "StackingRegressor": lambda: StackingRegressor(
        [("sums", RANKER)], RANKERS["levels"], cv=4
    ).fit(X, GROUPS),
    "BaggingRegressor": lambda: BaggingRegressor(
        RANKER, n_estimators=2, max_samples=0.5, bootstrap=False, random_state=0
    ).fit(X, GROUPS),
    "permutation_importance of some rows": lambda: permutation_importance(
        RANKER.fit(X, GROUPS), X, GROUPS, max_samples=0.5, n_repeats=1, random_state=0
    ),
    "permutation_test_score": lambda: permutation_test_score(
        RANKER, X, GROUPS, cv=4, n_permutations=2, random_state=0
    ),
}


@pytest.mark.parametrize("call", CUTTING.values(), ids=CUTTING)
def test_cut_groups_are_noticed(call):
    messages = messages_of(call)
    assert messages
    assert all("PreferenceGroupKFold" in message for message in messages)
    assert all('resource="max_epochs"' in message for message in messages)


KEEPING = {
    "cross_val_score": lambda: cross_val_score(RANKER, X, GROUPS, cv=WHOLE),
    "cross_validate": lambda: cross_validate(
        RANKER, X, GROUPS, cv=WHOLE, return_train_score=True
    ),
    "cross_val_predict": lambda: cross_val_predict(RANKER, X, GROUPS, cv=WHOLE),
    "validation_curve": lambda: validation_curve(
        RANKER, X, GROUPS, param_name="directions", param_range=["larger"], cv=WHOLE
    ),
    "learning_curve": lambda: learning_curve(RANKER, X, GROUPS, cv=WHOLE),
    "learning_curve of a scorer": lambda: learning_curve(
        RANKER, X, GROUPS, cv=WHOLE, scoring=mrr_scorer
    ),
    "GridSearchCV": lambda: GridSearchCV(RANKER, GRID, cv=WHOLE).fit(X, GROUPS),
    "nested": lambda: cross_val_score(
        GridSearchCV(RANKER, GRID, cv=PreferenceGroupKFold(2)), X, GROUPS, cv=WHOLE
    ),
    "HalvingGridSearchCV of epochs": lambda: HalvingGridSearchCV(
        quick(),
        {"dropout": [0.0, 0.1]},
        resource="max_epochs",
        min_resources=1,
        max_resources=2,
        cv=WHOLE,
    ).fit(X, GROUPS),
    "groups_train_test_split": with_split(groups_train_test_split),
    "compare_rankers": lambda: compare_rankers(
        {"sums": RANKER}, X, GROUPS, cv=3, n_seeds=1
    ),
    "VotingRegressor": lambda: mrr_scorer(
        VotingRegressor([("sums", RANKER)]).fit(X, GROUPS), X, GROUPS
    ),
    "StackingRegressor": lambda: StackingRegressor(
        [("sums", RANKER)], RANKERS["levels"], cv=WHOLE
    ).fit(X, GROUPS),
    "permutation_importance": lambda: permutation_importance(
        RANKER.fit(X, GROUPS), X, GROUPS, n_repeats=1, random_state=0
    ),
    "permutation_test_score": lambda: permutation_test_score(
        RANKER, X, GROUPS, cv=WHOLE, n_permutations=2, random_state=0
    ),
    "bootstrap of groups": lambda: RANKER.fit(
        np.concatenate([X, X[:14]]), np.concatenate([GROUPS, GROUPS[:14]])
    ),
    "bootstrap of rows": lambda: BaggingRegressor(
        RANKER, n_estimators=3, random_state=0
    ).fit(X, GROUPS),
    "early stopping": lambda: quick(early_stopping=True).fit(X, GROUPS),
    "left-out folds": lambda: quick(n_members=3, leave_out=True).fit(X, GROUPS),
    "pickle": lambda: pickle.loads(pickle.dumps(RANKER.fit(X, GROUPS))).score(
        X, GROUPS
    ),
}


@pytest.mark.parametrize("call", KEEPING.values(), ids=KEEPING)
def test_whole_groups_do_not_warn(call):
    assert messages_of(call) == []


class TestComparison:
    SCORING = {"mrr": mrr_scorer, "mean": make_ranking_scorer(mean_of_two)}

    def test_leaving_a_system_out_cuts_training_groups_and_is_right(self):
        folds = [
            (np.flatnonzero(np.arange(42) % 7 != k), np.arange(42)) for k in (0, 1)
        ]
        messages = messages_of(
            lambda: compare_rankers({"sums": RANKER}, X, GROUPS, cv=folds, n_seeds=1)
        )
        assert messages == []

    @pytest.mark.parametrize("n_jobs", [None, 2])
    def test_folds_of_rows_warn_once(self, n_jobs):
        messages = messages_of(
            lambda: compare_rankers(
                {"sums": RANKER}, X, GROUPS, cv=KFold(4), n_seeds=1, n_jobs=n_jobs
            )
        )
        assert len(messages) == 1
        assert messages[0].startswith("compare_rankers got 1 of 2 groups cut: group 1")

    def test_a_cut_test_set_warns_once_and_values_are_those_of_what_is_left(self):
        test = X[3:12], GROUPS[3:12]
        results = []
        messages = messages_of(
            lambda: results.append(
                compare_rankers({"sums": RANKER}, X, GROUPS, test=test)
            )
        )
        assert len(messages) == 1
        whole = test[0], Groups.whole(test[1])
        expected = compare_rankers({"sums": RANKER}, X, GROUPS, test=whole)
        assert results[0].to_markdown() == expected.to_markdown()

    def test_a_plain_test_target_of_a_fit_on_groups_is_refused(self):
        message = "groups_test is plain, which is read as one group, but groups has 6"
        with pytest.raises(TypeError, match=message):
            compare_rankers({"a": RANKER}, X, GROUPS, test=(X, GROUPS["preference"]))
        # Donors of other groups are not ranked: there is one group.
        one = Groups.from_arrays(
            group=GROUPS["group"],
            preference=GROUPS["preference"],
            donor=GROUPS["group"] > 0,
        )
        test = X, GROUPS["preference"]
        comparison = compare_rankers({"a": RANKER}, X, one, test=test, n_seeds=1)
        assert list(comparison.rows["method"]) == ["GT", "a"]


class TestPlainTargets:
    SEARCH = GridSearchCV(RANKER, GRID, cv=WHOLE, scoring=mrr_scorer)
    MODELS = {
        **RANKERS,
        "pipeline": make_pipeline(RANKER),
        "search": SEARCH,
        "voting": VotingRegressor([("sums", RANKER)]),
        "bagging": BaggingRegressor(RANKER, n_estimators=1, bootstrap=False),
        "nested": make_pipeline(SEARCH),
    }

    @pytest.mark.parametrize("name", MODELS)
    def test_a_model_of_several_groups_is_not_scored_on_a_plain_target(self, name):
        model = self.MODELS[name].fit(X, GROUPS)
        kind = type(model).__name__
        y = GROUPS["preference"]
        message = (
            f"groups is a plain ndarray, .* the {kind} was fitted on 6 groups; exp"
        )
        with pytest.raises(TypeError, match=message):
            mrr_scorer(model, X, y)
        if name not in ("voting", "bagging"):  # Their score is scikit-learn's R^2.
            message = "is a plain ndarray, .* was fitted on 6 groups; expected a target"
            with pytest.raises(TypeError, match=message):
                model.score(X, y)

    @pytest.mark.parametrize("name", RANKERS)
    def test_a_model_of_one_group_is_scored_on_a_plain_target(self, name):
        for y in (GROUPS["preference"][:7], GROUPS[:7]):
            ranker = RANKERS[name].fit(X[:7], y)
            value = ranker.score(X[:7], y)
            assert ranker.score(X[:7], GROUPS["preference"][:7]) == value

    def test_other_models_are_scored_on_a_plain_target(self):
        y = GROUPS["preference"]
        model = LinearRegression().fit(X, y)
        assert pairwise_accuracy_scorer(model, X, y) > 0.9


class TestOrderOfFolds:
    def test_training_rows_come_group_after_group_in_the_order_of_the_data(self):
        group = np.array([5, 3, 5, 8, 3, 8, 1, 1])
        groups = Groups.from_arrays(group=group, preference=np.arange(8.0))
        folds = PreferenceGroupKFold(4).split(np.zeros((8, 1)), groups)
        trained = {group[test[0]]: group[train].tolist() for train, test in folds}
        assert trained == {
            5: [3, 3, 8, 8, 1, 1],
            3: [5, 5, 8, 8, 1, 1],
            8: [5, 5, 3, 3, 1, 1],
            1: [5, 5, 3, 3, 8, 8],
        }

    def test_groups_stay_together_inside_the_labels_to_split_by(self):
        group = np.array([1, 2, 1, 2, 4, 3, 4, 3])
        portrait = np.array(list("aaaabbbb"))
        groups = Groups.from_arrays(group=group, preference=np.arange(8.0))
        shuffled = np.random.default_rng(0).permutation(8)
        folds = PreferenceGroupKFold(2).split(
            np.zeros((8, 1)), groups[shuffled], portrait[shuffled]
        )
        for train, test in folds:
            labels = groups["group"][shuffled][train]
            assert np.count_nonzero(labels[1:] != labels[:-1]) == 1
            assert not set(portrait[shuffled][train]) & set(portrait[shuffled][test])

    def test_a_fit_has_the_bits_of_rows_in_their_own_order(self):
        order = np.random.default_rng(1).permutation(len(X))
        X_mixed, mixed = X[order], GROUPS[order]
        train, _ = next(PreferenceGroupKFold(3).split(X_mixed, mixed))
        scores = [
            quick().fit(X_mixed[rows], mixed[rows]).predict(X)
            for rows in (train, np.sort(train))
        ]
        assert_array_equal(*scores)
