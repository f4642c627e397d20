"""The display of scores against the number of groups learnt from."""

import re

import matplotlib.pyplot as plt
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from pictures import assert_inside
from sklearn.base import clone
from sklearn.model_selection import GroupKFold, learning_curve
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_pscore import Groups, LinearPreferenceRanker, PairAugmenter
from sklearn_pscore.metrics import make_ranking_scorer, ndcg_score, ndcg_scorer
from sklearn_pscore.metrics import pairwise_accuracy_score as accuracy
from sklearn_pscore.model_selection import PreferenceGroupKFold
from sklearn_pscore.plotting import RankingLearningCurveDisplay

RANKER = make_pipeline(StandardScaler(), LinearPreferenceRanker())


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


class Recorder(LinearPreferenceRanker):
    """Ranker that notes what it is fitted on."""

    seen = []

    def fit(self, X, y):
        self.seen.append((X, y))
        return super().fit(X, y)


@pytest.fixture
def recorder():
    Recorder.seen.clear()
    return Recorder()


def test_scores_are_those_of_fits_to_whole_groups(data, recorder):
    X, groups = data
    display = RankingLearningCurveDisplay.from_estimator(
        recorder, X, groups, train_sizes=[3, 9, 1.0], score_type="both", random_state=0
    )
    assert display.n_groups.tolist() == [3, 9, 24]
    folds = list(PreferenceGroupKFold(5).split(X, groups))
    assert len(recorder.seen) == 15
    for number, (seen_X, seen) in enumerate(recorder.seen):
        size, fold = divmod(number, 5)
        train, test = folds[fold]
        labels, counts = np.unique(seen["group"], return_counts=True)
        assert len(labels) == [3, 9, 24][size]
        assert set(counts) == {5}
        assert set(labels) <= set(groups["group"][train])
        if size:
            # A larger set holds the smaller ones.
            before = recorder.seen[number - 5][1]["group"]
            assert set(before) < set(labels)
        model = clone(recorder)
        model = LinearPreferenceRanker(**model.get_params()).fit(seen_X, seen)
        held_out = accuracy(groups[test], model.predict(X[test]))
        assert_allclose(display.test_scores[size, fold], held_out)
        learnt = accuracy(seen, model.predict(seen_X))
        assert_allclose(display.train_scores[size, fold], learnt)


def test_all_groups_are_scikit_learns_last_point(data):
    X, groups = data
    cv = PreferenceGroupKFold(3)
    _, _, scores = learning_curve(
        RANKER, X, groups, cv=cv, scoring=ndcg_scorer, train_sizes=[1.0]
    )
    display = RankingLearningCurveDisplay.from_estimator(
        RANKER, X, groups, cv=cv, scoring=ndcg_scorer, train_sizes=[1.0]
    )
    assert_allclose(display.test_scores, scores, atol=1e-6)
    assert np.isnan(display.train_scores).all()


def test_artists(data):
    X, groups = data
    display = RankingLearningCurveDisplay.from_estimator(
        RANKER,
        X,
        groups,
        train_sizes=[5, 24],
        scoring=make_ranking_scorer(ndcg_score, k=2),
        score_type="both",
        random_state=0,
    )
    held_out, learnt = display.lines_
    assert_array_equal(held_out.get_xdata(), [5, 24])
    assert_allclose(held_out.get_ydata(), display.test_scores.mean(axis=1))
    assert_allclose(learnt.get_ydata(), display.train_scores.mean(axis=1))
    assert held_out.get_linestyle() == "-"
    assert learnt.get_linestyle() == "--"
    low = display.test_scores.mean(axis=1) - display.test_scores.std(axis=1)
    vertices = display.bands_[0].get_paths()[0].vertices[:, 1]
    assert all(np.isclose(vertices, end).any() for end in low)
    texts = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    name = "LinearPreferenceRanker"
    assert texts == [f"{name}, held out", f"{name}, learnt from"]
    assert display.ax_.get_xlabel() == "Groups to learn from"
    assert display.ax_.get_ylabel() == "ndcg (mean ± std, 5 folds)"
    assert_inside(display.figure_)


@pytest.mark.parametrize("score_type", ["test", "train"])
def test_two_rankers_in_one_picture(data, score_type):
    X, groups = data
    options = {"train_sizes": [0.5, 1.0], "cv": 2, "score_type": score_type}
    first = RankingLearningCurveDisplay.from_estimator(RANKER, X, groups, **options)
    second = RankingLearningCurveDisplay.from_estimator(
        RANKER, X, groups, name="PS $x", ax=first.ax_, markersize=9, **options
    )
    assert second.ax_ is first.ax_
    assert len(second.lines_) == 1
    assert second.lines_[0].get_color() != first.lines_[0].get_color()
    assert second.lines_[0].get_markersize() == 9
    assert_inside(first.figure_)


def test_donors_and_groups_without_a_pair_do_not_count(recorder):
    X = np.random.default_rng(0).normal(size=(40, 2))
    group = np.repeat(np.arange(10), 4)
    # Group 8 is a donor, in group 9 all are equal.
    preference = np.where(group == 9, 1.0, X[:, 0])
    groups = Groups.from_arrays(group=group, preference=preference, donor=group == 8)
    display = RankingLearningCurveDisplay.from_estimator(
        recorder, X, groups, train_sizes=[1, 4], cv=[(group > 2, group <= 2)]
    )
    assert display.n_groups.tolist() == [1, 4]
    labels = [set(seen["group"]) for _, seen in recorder.seen]
    assert [len(each - {8, 9}) for each in labels] == [1, 4]
    assert all({8, 9} <= each for each in labels)
    assert display.ax_.get_ylabel() == "pairwise accuracy"


def test_an_augmenter_before_the_ranker(data):
    X, groups = data
    augmenter = PairAugmenter(stitch_sizes=(2,), random_state=0)
    model = make_pipeline(augmenter, LinearPreferenceRanker())
    display = RankingLearningCurveDisplay.from_estimator(
        model, X, groups, train_sizes=[4, 15], cv=2, random_state=0
    )
    assert np.isfinite(display.test_scores).all()


def test_folds_by_other_labels(data):
    X, groups = data
    labels = groups["group"] // 3
    for cv in (GroupKFold(5), 5):
        display = RankingLearningCurveDisplay.from_estimator(
            RANKER, X, groups, cv=cv, cv_groups=labels, train_sizes=[1.0]
        )
        assert display.n_groups.tolist() == [24]


def test_a_seed_gives_the_same_again(data):
    X, groups = data
    scores = [
        RankingLearningCurveDisplay.from_estimator(
            RANKER, X, groups, train_sizes=[2], random_state=seed
        ).test_scores
        for seed in (0, 0, 1)
    ]
    assert_array_equal(scores[0], scores[1])
    assert not np.array_equal(scores[0], scores[2])


@pytest.mark.parametrize(
    ("options", "error", "part"),
    [
        (
            {"train_sizes": [25]},
            ValueError,
            "holds 25; expected shares in (0, 1], or inte",
        ),
        ({"train_sizes": [0.0]}, ValueError, "holds 0.0; expected shares"),
        ({"train_sizes": [True]}, ValueError, "holds True; expected shares"),
        ({"train_sizes": []}, ValueError, "train_sizes of RankingLearningCurveDisplay"),
        ({"score_type": "all"}, ValueError, "must be a str among {'test', 'train',"),
        ({"random_state": "x"}, ValueError, "'random_state' parameter"),
    ],
)
def test_options_that_cannot_be_used(data, options, error, part):
    with pytest.raises(error, match=re.escape(part)):
        RankingLearningCurveDisplay.from_estimator(RANKER, *data, **options)
    assert plt.get_fignums() == []


def test_bad_input(data):
    X, groups = data
    with pytest.raises(TypeError, match="takes groups as a structured array of Groups"):
        RankingLearningCurveDisplay.from_estimator(RANKER, X, groups["preference"])
    equal = Groups.from_arrays(group=groups["group"], preference=np.ones(150))
    with pytest.raises(ValueError, match="No comparable pairs: all preferences"):
        RankingLearningCurveDisplay.from_estimator(RANKER, X, equal)
    message = "test_scores has shape (2,) but there are 2 numbers of groups; expected"
    with pytest.raises(ValueError, match=re.escape(message)):
        RankingLearningCurveDisplay(
            n_groups=[1, 2], train_scores=[[1], [1]], test_scores=[1, 1]
        ).plot()
