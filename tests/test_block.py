"""Blocks: what splits, held-out parts and donations of the package never cut."""

import pickle
from functools import partial

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.ensemble import StackingRegressor
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, cross_val_score, learning_curve

from sklearn_pscore import (
    Groups,
    LinearPreferenceRanker,
    PairAugmenter,
    PairwisePreferenceRanker,
    PlainTarget,
    StackedRanker,
)
from sklearn_pscore._items.hold_out import hold_out
from sklearn_pscore._items.training_items import TrainingItems
from sklearn_pscore._rankers.left_out import left_out_folds
from sklearn_pscore._target.check import check_groups
from sklearn_pscore._torch.packing import PackedGroups
from sklearn_pscore.metrics import pairwise_accuracy_scorer
from sklearn_pscore.model_selection import (
    PreferenceGroupKFold,
    compare_rankers,
    groups_train_test_split,
)

N_BLOCKS, PER_BLOCK, N_ITEMS = 12, 3, 4
SHAPE = N_BLOCKS, PER_BLOCK, N_ITEMS


def table(seed=0, **options):
    """Return metrics, and a target of 12 blocks of 3 groups of 4 items, shuffled.

    The second metric is the number of the block, by which rows are told apart.
    """
    rng = np.random.default_rng(seed)
    block, group, item = (axis.ravel() for axis in np.indices(SHAPE))
    liked = rng.normal(size=len(block))
    X = np.column_stack([liked + rng.normal(size=len(block)), block])
    groups = Groups.from_arrays(
        group=PER_BLOCK * block + group,
        preference=liked,
        item=item,
        **{"block": [f"face {number}" for number in block], **options},
    )
    order = rng.permutation(len(groups))
    return X[order], groups[order]


X, GROUPS = table()
PLAIN = table(block=None)[1]


def small_net(**params):
    return PairwisePreferenceRanker(
        hidden_layer_sizes=(2,), max_epochs=1, random_state=0, **params
    )


class Recorder(LinearPreferenceRanker):
    """A ranker that notes the blocks of each fit, and of each prediction after it."""

    notes = []

    def fit(self, X, y):
        Recorder.notes.append((set(X[:, 1]), set()))
        self.note_ = len(Recorder.notes) - 1
        return super().fit(X, y)

    def predict(self, X):
        Recorder.notes[self.note_][1].update(X[:, 1])
        return super().predict(X)


@pytest.fixture
def notes():
    Recorder.notes.clear()
    return Recorder.notes


# The field


def test_every_constructor_takes_blocks():
    items = pd.DataFrame(
        {"prompt": [1, 1, 2], "system": ["a", "b", "a"], "face": ["x", "x", "y"]}
    )
    ratings = items.assign(rating=[1.0, 2.0, 3.0])
    orders = {1: ["a", "b"], 2: ["a"]}
    arrays = {"group": items["prompt"], "block": items["face"]}
    targets = [
        Groups.from_arrays(**arrays),
        Groups.from_winners(winner=[True, False, True], **arrays),
        Groups.from_frame(items, group="prompt", block="face"),
        Groups.from_ratings(ratings, items, block="face"),
        Groups.from_ranking(orders, items, block="face"),
    ]
    for groups in targets:
        assert groups["block"].tolist() == ["x", "x", "y"]
        assert groups["block"].dtype.kind == "U"
        again = pickle.loads(pickle.dumps(Groups.whole(groups[1:])))
        assert again["block"].tolist() == ["x", "y"]


def test_a_target_without_blocks_has_no_field_of_it():
    assert "block" not in PLAIN.dtype.names
    assert check_groups(PLAIN).block is None
    assert_array_equal(check_groups(PLAIN).unit, check_groups(PLAIN).group)


def test_integers_are_blocks_too():
    groups = Groups.from_arrays(group=[1, 2], block=[7, -3])
    assert groups["block"].dtype == np.int64
    assert check_groups(groups, require_preference=False).unit.tolist() == [1, 0]


def test_a_group_in_two_blocks_is_refused_by_name():
    with pytest.raises(
        ValueError,
        match="group g in two blocks: block is a at row 0 but b at row 2; expected one",
    ):
        Groups.from_arrays(group=["g", "h", "g"], block=["a", "b", "b"])


def test_a_block_for_each_row_is_needed():
    with pytest.raises(ValueError, match="group has 2 entries but block has 1"):
        Groups.from_arrays(group=[1, 2], block=[7])
    with pytest.raises(ValueError, match="block is nan at row 1; expected a label"):
        Groups.from_arrays(group=[1, 2], block=[1.0, np.nan])
    with pytest.raises(ValueError, match="block='face' is not a column of the items"):
        Groups.from_ranking({1: ["a"]}, {"prompt": [1], "system": ["a"]}, block="face")


@pytest.mark.parametrize(
    ("first", "expected"),
    [(["x", "y"], ["x", "y", "more:1", "more:1"]), ([5, 2], [5, 2, 6, 6])],
)
def test_joined_groups_without_blocks_are_blocks_of_their_own(first, expected):
    given = Groups.from_arrays(group=[1, 2], preference=[0, 1], block=first)
    other = Groups.from_arrays(group=[1, 1], preference=[0, 1])
    joined = Groups.concat({"given": given, "more": other})
    assert joined["block"].tolist() == expected
    twice = Groups.concat([given, given])
    assert twice["block"].tolist() == first * 2


def test_joined_blocks_of_two_kinds_are_refused():
    one, two = (Groups.from_arrays(group=[1], block=[label]) for label in (1, "1"))
    with pytest.raises(TypeError, match="block holds integers in '0', strings in '1'"):
        Groups.concat([one, two])


def test_joined_blocks_that_leave_no_number():
    given = Groups.from_arrays(group=[1], preference=[0], block=[2**63 - 1])
    other = Groups.from_arrays(group=[1, 1], preference=[0, 1])
    part = "for each of the 1 groups of '1'; expected smaller ones. Number the blocks"
    with pytest.raises(ValueError, match=part):
        Groups.concat([given, other])


# What splits by them


def shared_blocks(X, train, test):
    return set(X[train, 1]) & set(X[test, 1])


@pytest.mark.parametrize("shuffle", [False, True])
def test_folds_cut_no_block(shuffle):
    folds = PreferenceGroupKFold(
        4, shuffle=shuffle, random_state=0 if shuffle else None
    )
    tested = []
    for train, test in folds.split(X, GROUPS):
        assert not shared_blocks(X, train, test)
        assert len(set(X[test, 1])) == 3
        tested.extend(test)
    assert sorted(tested) == list(range(len(X)))
    # By groups they would.
    assert any(shared_blocks(X, *fold) for fold in folds.split(X, PLAIN))


def test_labels_that_are_passed_win():
    face = GROUPS["group"] % 2
    for _, test in PreferenceGroupKFold(2).split(X, GROUPS, groups=face):
        assert len(set(face[test])) == 1
    parts = groups_train_test_split(
        X, GROUPS, face, test_size=0.5, cv_groups=face, random_state=0
    )
    assert len(set(parts[5])) == 1


def test_one_split_cuts_no_block():
    X_train, X_test, *_, groups_test = groups_train_test_split(
        X, GROUPS, test_size=0.25, random_state=0
    )
    assert not set(X_train[:, 1]) & set(X_test[:, 1])
    assert len(set(groups_test["block"])) == 3


def test_errors_count_blocks():
    few = GROUPS[X[:, 1] < 2]
    with pytest.raises(ValueError, match="n_splits is 3 but .* are in 2 blocks"):
        next(PreferenceGroupKFold(3).split(few, few))
    with pytest.raises(ValueError, match="test_size is 2 with 2 blocks to split"):
        groups_train_test_split(few, few, test_size=2)
    one = GROUPS[X[:, 1] == 0]
    with pytest.raises(ValueError, match=r"are in 1 block\(s\); expected at least 2"):
        groups_train_test_split(one, one)


CALLS = {
    "cross_val_score": lambda model: cross_val_score(
        model, X, GROUPS, cv=PreferenceGroupKFold(3), scoring=pairwise_accuracy_scorer
    ),
    "GridSearchCV": lambda model: GridSearchCV(
        model,
        {"C": [0.1, 1.0]},
        cv=PreferenceGroupKFold(3),
        scoring=pairwise_accuracy_scorer,
        refit=False,
    ).fit(X, GROUPS),
    "learning_curve": lambda model: learning_curve(
        model,
        X,
        GROUPS,
        cv=PreferenceGroupKFold(3),
        train_sizes=[96],
        scoring=pairwise_accuracy_scorer,
    ),
    "compare_rankers": lambda model: compare_rankers(
        {"it": model}, X, GROUPS, cv=3, n_seeds=1, truth=None
    ),
    "StackingRegressor": lambda model: StackingRegressor(
        [("a", model)], PlainTarget(Ridge()), cv=PreferenceGroupKFold(3)
    ).fit(X, GROUPS),
    "StackedRanker": lambda model: StackedRanker(
        [("a", model), ("b", clone(model).set_params(C=0.1))]
    ).fit(X, GROUPS),
}


@pytest.mark.parametrize("name", CALLS)
def test_no_block_of_a_test_fold_is_in_training(name, notes):
    CALLS[name](Recorder(C=1.0))
    judged = [note for note in notes if note[1]]
    assert len(judged) >= 3
    for trained_on, predicted_for in judged:
        held_out = predicted_for - trained_on
        # A learning curve scores the training part, too.
        assert held_out
        assert name == "learning_curve" or held_out == predicted_for


@pytest.mark.parametrize("cv", [None, 4])
def test_folds_of_stacks_and_of_linear_choice_cut_no_block(cv):
    folds = left_out_folds(cv, X, GROUPS, check_groups(GROUPS), "fit")
    assert len(folds) == (cv or 5)
    assert not any(shared_blocks(X, *fold) for fold in folds)
    # As many as there are blocks, but a single block is split by groups.
    for n_blocks, n_folds in ((3, 3), (1, 3)):
        rows = X[:, 1] < n_blocks
        few, target = GROUPS[rows], check_groups(GROUPS[rows])
        folds = left_out_folds(None, X[rows], few, target, "fit")
        assert len(folds) == n_folds


def test_the_linear_choice_goes_by_blocks(monkeypatch):
    from sklearn_pscore._rankers import linear

    seen = []

    def noted(*args):
        seen.extend(left_out_folds(*args))
        return seen

    monkeypatch.setattr(linear, "left_out_folds", noted)
    LinearPreferenceRanker(C="cv").fit(X, GROUPS)
    assert len(seen) == 5
    assert not any(shared_blocks(X, *fold) for fold in seen)


def test_early_stopping_holds_out_blocks():
    items = TrainingItems.from_target(X, check_groups(GROUPS))
    for seed in range(3):
        rng = np.random.RandomState(seed)
        parts = hold_out(items, 0.25, rng, "fit")
        training, validation = (set(part.X[:, 1]) for part in parts)
        assert not training & validation
        assert (len(training), len(validation)) == (9, 3)
    ranker = small_net(early_stopping=True, n_members=1).fit(X, GROUPS)
    assert len(ranker.history_["valid_loss"]) == 1


def test_a_single_block_holds_out_groups():
    rows = X[:, 1] == 0
    items = TrainingItems.from_target(X[rows], check_groups(GROUPS[rows]))
    training, validation = hold_out(items, 0.3, np.random.RandomState(0), "fit")
    assert (training.n_groups, validation.n_groups) == (2, 1)


def test_too_few_blocks_to_hold_out_are_said():
    liked = np.where(X[:, 1] < 11, 0.0, GROUPS["preference"])
    groups = table()[1]
    groups["preference"] = liked
    items = TrainingItems.from_target(X, check_groups(groups))
    with pytest.raises(ValueError, match="cannot hold out 2 of the 12 blocks so"):
        hold_out(items, 0.2, np.random.RandomState(0), "fit")


def packed_of(groups, rows=slice(None)):
    items = TrainingItems.from_target(X[rows], check_groups(groups[rows]))
    return PackedGroups(items.comparable(), lambda group, preference: preference)


@pytest.mark.parametrize("n_folds", [4, 12, 20])
def test_members_leave_out_blocks(n_folds):
    packed = packed_of(GROUPS)
    packed.draw_folds(n_folds)
    assert packed.n_folds == min(n_folds, N_BLOCKS)
    pairs = set(zip(packed.fold.tolist(), packed.X[:, 1].tolist(), strict=True))
    assert len(pairs) == N_BLOCKS
    assert packed.y.dtype.names == (
        "group",
        "preference",
        "weight",
        "block",
        "group_size",
    )


@pytest.mark.parametrize(
    ("n_blocks", "n_members", "n_folds"), [(12, 8, 8), (5, 8, 5), (4, 8, 0)]
)
def test_members_leave_out_nothing_where_blocks_are_few(n_blocks, n_members, n_folds):
    rows = X[:, 1] < n_blocks
    ranker = small_net(n_members=n_members).fit(X[rows], GROUPS[rows])
    assert ranker.net_.n_folds == n_folds


def test_a_single_block_says_nothing():
    face = ["one"] * len(PLAIN)
    groups = table(block=face)[1]
    for model in (small_net(n_members=3), LinearPreferenceRanker(C="cv")):
        with_block, without = (
            clone(model).fit(X, y).predict(X) for y in (groups, PLAIN)
        )
        assert_array_equal(with_block, without)


@pytest.mark.parametrize(
    "model",
    [
        small_net(n_members=3),
        small_net(early_stopping=True, n_members=1),
        LinearPreferenceRanker(C="cv"),
        StackedRanker(
            [("linear", LinearPreferenceRanker(C=1.0)), ("ridge", PlainTarget(Ridge()))]
        ),
    ],
    ids=["members", "early stopping", "linear", "stack"],
)
def test_a_block_for_each_group_changes_no_bit(model):
    groups = Groups.from_arrays(
        **{name: PLAIN[name] for name in PLAIN.dtype.names}, block=PLAIN["group"]
    )
    with_block, without = (clone(model).fit(X, y).predict(X) for y in (groups, PLAIN))
    assert_array_equal(with_block, without)


def test_a_column_of_blocks_in_a_file_is_no_metric(tmp_path):
    pytest.importorskip("pyarrow")
    frame = pd.DataFrame(X, columns=["SSIM", "FID"])
    for name in ("group", "preference", "block"):
        frame[name] = GROUPS[name]
    frame = frame.sort_values("group")
    frame.to_parquet(tmp_path / "items.parquet")
    named = {"group": "group", "preference": "preference", "block": "block"}
    ranker = small_net(n_members=1).fit_parquet(tmp_path / "items.parquet", **named)
    assert ranker.feature_names_in_.tolist() == ["SSIM", "FID"]
    frame["block"] = np.arange(len(frame))
    frame.to_parquet(tmp_path / "cut.parquet")
    with pytest.raises(ValueError, match=r"cut.parquet.*group 0 in two blocks"):
        small_net(n_members=1).fit_parquet(tmp_path / "cut.parquet", **named)


# Donations


def donated(items):
    """Return the group, and the block by its metric, of injected items."""
    injected = ~items.judged
    return items.group[injected], items.X[injected, 1]


@pytest.mark.parametrize("n_injected", [5, 40, None])
def test_groups_of_one_block_never_donate_to_each_other(n_injected):
    augmenter = PairAugmenter(stitch_sizes=(), n_injected=n_injected, random_state=0)
    make = partial(augmenter.augment, X)
    more_X, more = make(GROUPS)
    n_judged = len(X)
    assert_array_equal(
        more["block"][:n_judged], [f"face {b:.0f}" for b in more_X[:n_judged, 1]]
    )
    of_group, of_donor = more["group"][n_judged:] // PER_BLOCK, more_X[n_judged:, 1]
    assert np.all(of_group != of_donor)
    n_strangers = (N_BLOCKS - 1) * PER_BLOCK * N_ITEMS
    n_each = n_strangers if n_injected is None else n_injected
    assert_array_equal(
        np.unique(more["group"], return_counts=True)[1] - N_ITEMS, n_each
    )
    more_X, more = make(PLAIN)
    if n_injected is None:
        same = more["group"][n_judged:] // PER_BLOCK == more_X[n_judged:, 1]
        assert same.any()


def test_donors_of_the_own_block_are_left_out():
    groups = Groups.from_arrays(
        group=[0, 0, 1, 2],
        preference=[1.0, 0.0, 5.0, 6.0],
        donor=[False, False, True, True],
        block=["a", "a", "a", "b"],
    )
    x = np.arange(4.0)[:, None]
    augmenter = PairAugmenter(stitch_sizes=(), n_injected=None, random_state=0)
    more_x, more = augmenter.augment(x, groups)
    assert more_x.ravel().tolist() == [0.0, 1.0, 3.0]
    assert more["block"].tolist() == ["a", "a", "a"]


def test_a_pipeline_of_synthetic_items_leaves_out_blocks():
    items, _ = PairAugmenter(n_injected=3, stitch_sizes=(2,), random_state=0), None
    attached = items.fit_transform(X, GROUPS).attached_items.take()
    packed = PackedGroups(attached.comparable(), lambda group, preference: preference)
    packed.draw_folds(6)
    block = packed.y["block"]
    assert len(set(zip(packed.fold.tolist(), block.tolist(), strict=True))) == N_BLOCKS
