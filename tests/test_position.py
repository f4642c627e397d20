"""The field position, and what is learnt of it: who is shown first is preferred more."""

import pickle
import re
from types import SimpleNamespace

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression

from sklearn_pscore import (
    Groups,
    LinearPreferenceRanker,
    PairAugmenter,
    PairwisePreferenceRanker,
    StackedRanker,
)
from sklearn_pscore._rankers import parts
from sklearn_pscore._target.check import check_groups
from sklearn_pscore._torch import epochs, net
from sklearn_pscore._torch.losses.listnet import TopOneLoss
from sklearn_pscore._torch.losses.positions import PositionedLoss, PositionTerms
from sklearn_pscore._torch.losses.ranknet import PairwiseLogisticLoss
from sklearn_pscore._torch.losses.terms import fit_terms
from sklearn_pscore._torch.net import GroupNet
from sklearn_pscore._torch.packing import PackedTarget
from sklearn_pscore.metrics import pairwise_accuracy_score

WEIGHTS = np.array([1.0, -0.7, 0.5])
FIELDS = {
    "group": [1, 1, 2, 2],
    "preference": [3.0, 2.0, 1.0, 4.0],
    "position": [1, 2, 3, 0],
}
GROUPS = Groups.from_arrays(**FIELDS)
QUICK = {"n_members": 2, "max_epochs": 6, "random_state": 0}


def make_lists(seed, n_groups=200, n_items=5, fall=1.0, sorted_by=0.0, **options):
    """Return metrics, target and truth of lists whose first items are liked more.

    Parameters
    ----------
    fall : float
        The bias is minus this times log(position).
    sorted_by : float
        How much the second metric counts in the order that the lists have.
    """
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_groups * n_items, 3))
    truth = X @ WEIGHTS
    group = np.repeat(np.arange(n_groups), n_items)
    shown = np.lexsort((-sorted_by * X[:, 1] - rng.gumbel(size=len(X)), group))
    position = np.empty(len(X), dtype=int)
    position[shown] = np.tile(np.arange(1, n_items + 1), n_groups)
    # Whatever the group, pairs of these are by the model of the loss.
    preference = truth - fall * np.log(position) + rng.gumbel(size=len(X))
    groups = Groups.from_arrays(
        group=group, preference=preference, position=position, **options
    )
    return X, groups, truth


def without(groups, *fields):
    return groups[[name for name in groups.dtype.names if name not in fields]]


X, LISTS, TRUTH = make_lists(0)


class TestField:
    def test_its_place(self):
        names = "group", "preference", "position", "group_size"
        assert GROUPS.dtype.names == names
        assert GROUPS["position"].dtype == np.int64
        assert "position" not in Groups.from_arrays(group=[1]).dtype.names

    @pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame])
    def test_column_of_a_frame(self, make):
        frame = make({"g": [1, 1], "n": [2.0, None]})
        groups = Groups.from_frame(frame, group="g", position="n")
        assert groups["position"].tolist() == [2, 0]

    def test_of_winners(self):
        groups = Groups.from_winners(group=[1, 1], winner=[1, 0], position=[2, 1])
        assert groups["position"].tolist() == [2, 1]

    def test_of_ratings_and_orders(self):
        items = {"prompt": [1, 1, 2], "system": ["a", "b", "a"], "place": [2, 1, None]}
        ratings = [[1.0, 2.0], [3.0, 3.0], [2.0, 2.0]]
        groups = Groups.from_ratings(ratings, items, position="place")
        assert groups["position"].tolist() == [2, 1, 0]
        assert "position" not in Groups.from_ratings(ratings, items).dtype.names
        orders = {1: ["b", "a"], 2: ["a"]}
        groups = Groups.from_ranking(orders, items, position="place")
        assert groups["position"].tolist() == [2, 1, 0]
        assert "position" not in Groups.from_ranking(orders, items).dtype.names
        with pytest.raises(ValueError, match="position='shown' is not a column"):
            Groups.from_ratings(ratings, items, position="shown")

    def test_slices_joined_targets_and_whole_ones_keep_it(self):
        assert GROUPS[[3, 0]]["position"].tolist() == [0, 1]
        target = check_groups(GROUPS).take(np.array([1, 2]))
        assert target.position.tolist() == [2, 3]
        assert pickle.loads(pickle.dumps(GROUPS)).tobytes() == GROUPS.tobytes()
        assert Groups.whole(GROUPS[:1])["position"].tolist() == [1]
        plain = Groups.from_arrays(group=[1], preference=[1.0])
        both = Groups.concat([GROUPS, plain])
        assert both["position"].tolist() == [1, 2, 3, 0, 0]

    def test_rows_of_one_item_share_it(self):
        fields = {"group": [1, 1], "item": ["a", "a"], "position": [1, 2]}
        with pytest.raises(ValueError, match="has position 2 at row 1 but 1 at row 0"):
            Groups.from_arrays(**fields)

    def test_nothing_depends_on_it_by_default(self):
        plain = without(LISTS, "position")
        for ranker in (
            LinearPreferenceRanker(),
            PairwisePreferenceRanker(**QUICK),
            PairwisePreferenceRanker(loss="lambdarank", **QUICK),
        ):
            scores = [
                clone(ranker).fit(X[:100], y[:100]).predict(X) for y in (LISTS, plain)
            ]
            assert_array_equal(*scores)
        values = [pairwise_accuracy_score(y, X[:, 0]) for y in (LISTS, plain)]
        assert values[0] == values[1]

    @pytest.mark.parametrize(
        ("values", "error", "message"),
        [
            (
                [1, -2],
                ValueError,
                "position is -2 at row 1; expected where in the list the row was shown, 1 "
                "for the first, or 0 where that is not known. Count from 1.",
            ),
            ([1.5, 2], TypeError, "position is 1.5 at row 0; expected integers."),
            ([np.inf, 2], TypeError, "position is inf at row 0"),
            (["first", "last"], TypeError, "position"),
            ([1], ValueError, "group has 2 entries but position has 1"),
        ],
        ids=["negative", "fraction", "infinite", "text", "length"],
    )
    def test_bad_values(self, values, error, message):
        with pytest.raises(error, match=re.escape(message)):
            Groups.from_arrays(group=[1, 1], position=values)


def packed_target(position, level, sizes):
    n = len(position)
    return PackedTarget(
        torch.tensor(level),
        torch.ones(n),
        torch.tensor(sizes),
        torch.zeros(n),
        position=torch.tensor(position),
    )


class TestLoss:
    @pytest.mark.parametrize("loss", [PairwiseLogisticLoss(), TopOneLoss()])
    def test_it_is_that_of_scores_with_the_terms(self, loss):
        torch.manual_seed(0)
        terms = PositionTerms([1, 2, 4], [0, 0, 0]).double()
        terms.bias.data = torch.tensor([0.5, -0.2, 1.0], dtype=torch.float64)
        target = packed_target([4, 1, 2, 2, 1], [0, 1, 2, 0, 1], [3, 2])
        scores = torch.randn(2, 5, dtype=torch.float64, requires_grad=True)
        positioned = PositionedLoss(loss, terms)
        moved = scores.detach() + torch.tensor([1.0, 0.5, -0.2, -0.2, 0.5]).double()
        value = float(positioned(scores, target).detach())
        assert_allclose(value, float(loss(moved, target)))
        assert torch.autograd.gradcheck(
            lambda scores, _: positioned(scores, target), (scores, terms.bias)
        )

    def test_other_positions_are_the_nearest(self):
        terms = PositionTerms([2, 4, 9], [0, 0, 0])
        position = torch.tensor([0, 1, 2, 3, 4, 6, 7, 9, 50])
        assert terms.code(position).tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]

    def test_terms_are_the_best_for_the_scores(self):
        rng = np.random.default_rng(0)
        level = np.tile(np.arange(3), 20)
        position = np.concatenate([rng.permutation(3) + 1 for _ in range(20)])
        target = packed_target(position.tolist(), level.tolist(), [3] * 20)
        scores = torch.from_numpy(rng.normal(size=60))
        loss = PositionedLoss(
            PairwiseLogisticLoss(), PositionTerms([1, 2, 3], [0, 0, 0]).double()
        )
        fit_terms(loss, scores, target)
        best = float(loss(scores, target).detach())
        for place in range(3):
            for step in (-0.02, 0.02):
                loss.terms.bias.data[place] += step
                assert float(loss(scores, target).detach()) > best
                loss.terms.bias.data[place] -= step

    def test_parts_that_were_compared(self):
        packed = SimpleNamespace(
            position=np.array([1, 3, 3, 7, 2, 5, 0, 0]),
            n_groups=4,
            sizes=np.array([2, 2, 2, 2]),
        )
        terms = PositionTerms.of(packed)
        assert terms.position.tolist() == [1, 2, 3, 5, 7]
        part = terms.part.tolist()
        assert part[0] == part[2] == part[4]
        assert part[1] == part[3]
        assert part[0] != part[1]
        terms.bias.data = torch.arange(5.0)
        terms.bias_std.fill_(0.5)
        position, bias, std = terms.reported()
        assert position.tolist() == [1, 2, 3, 5, 7]
        assert_array_equal(bias, [0.0, np.nan, 2.0, np.nan, 4.0])
        assert_array_equal(std, [0.5, np.nan, 0.5, np.nan, 0.5])


class TestBias:
    @pytest.mark.parametrize("sorted_by", [0.0, 1.5])
    def test_planted_ones_are_recovered(self, sorted_by):
        z = []
        for seed in range(5):
            X, groups, _ = make_lists(seed, sorted_by=sorted_by)
            ranker = PairwisePreferenceRanker(
                hidden_layer_sizes=(4,), order_bias=True, **QUICK
            ).fit(X, groups)
            found = ranker.position_bias_
            assert list(found) == ["position", "bias", "std"]
            assert found["position"].tolist() == [1, 2, 3, 4, 5]
            assert found.loc[0, ["bias", "std"]].tolist() == [0.0, 0.0]
            off = found["bias"] + np.log(found["position"])
            z.append((off / found["std"])[1:])
        z = np.array(z)
        # 20 values, of which 4 at a time are of one draw.
        assert np.abs(z).max() < 3.5
        assert 0.5 < np.sqrt(np.mean(z**2)) < 1.5

    def test_standard_errors_are_those_of_other_lists(self):
        found, stated = [], []
        for seed in range(20):
            X, groups, _ = make_lists(seed, n_groups=100, sorted_by=1.5)
            ranker = PairwisePreferenceRanker(
                hidden_layer_sizes=(),
                shortcut="linear",
                n_members=1,
                max_epochs=1,
                order_bias=True,
                random_state=0,
            )
            bias = ranker.fit(X, groups).position_bias_[1:]
            found.append(bias["bias"])
            stated.append(bias["std"])
        spread = np.sqrt(np.mean(np.var(found, axis=0, ddof=1)))
        assert_allclose(np.mean(stated), spread, rtol=0.3)

    def test_accuracy_against_the_truth_is_better_with_it(self):
        gains = []
        for seed in range(3):
            X, groups, _ = make_lists(seed, n_groups=60, sorted_by=3.0, fall=1.5)
            X_new, new, truth = make_lists(100 + seed)
            truth = Groups.from_arrays(group=new["group"], preference=truth)
            scores = [
                PairwisePreferenceRanker(order_bias=on, **QUICK)
                .fit(X, groups)
                .predict(X_new)
                for on in (True, False)
            ]
            with_it, without_it = (pairwise_accuracy_score(truth, s) for s in scores)
            gains.append(with_it - without_it)
        assert min(gains) > 0.02

    def test_it_is_that_of_a_logistic_regression(self):
        # Lists of two, and position as a column. The second metric foretells it.
        X, groups, _ = make_lists(3, n_groups=400, n_items=2, sorted_by=3.0)
        ranker = PairwisePreferenceRanker(
            hidden_layer_sizes=(),
            shortcut="linear",
            input_clip=None,
            n_members=1,
            max_epochs=1,
            learning_rate_init=1e-9,
            order_bias=True,
            random_state=0,
        ).fit(X, groups)
        columns = np.column_stack([X, groups["position"] == 2])
        d = columns[::2] - columns[1::2]
        won = groups["preference"][::2] > groups["preference"][1::2]
        exact = LogisticRegression(C=np.inf, fit_intercept=False, tol=1e-8)
        coef = exact.fit(d, won).coef_[0]
        # The ridge of the shortcut shrinks the metrics a little.
        assert_allclose(ranker.position_bias_["bias"][1], coef[-1], atol=0.09)

        def information(coef):
            p = 1 / (1 + np.exp(-d @ coef))
            return d.T @ (d * (p * (1 - p))[:, None])

        error = np.sqrt(np.linalg.inv(information(coef))[-1, -1])
        assert_allclose(ranker.position_bias_["std"][1], error, rtol=0.15)

    def test_blocks_are_taken_for_independent(self):
        # The lists of each block are the same four times.
        X, groups, _ = make_lists(0, n_groups=60)
        fields = {name: np.tile(groups[name], 4) for name in ("preference", "position")}
        group = np.concatenate([groups["group"] + 100 * k for k in range(4)])
        options = {"n_members": 1, "max_epochs": 1, "random_state": 0}
        ranker = PairwisePreferenceRanker(order_bias=True, **options)
        std = {}
        for name, block in (("blocks", group % 100), ("groups", None)):
            y = Groups.from_arrays(group=group, block=block, **fields)
            std[name] = clone(ranker).fit(np.tile(X, (4, 1)), y).position_bias_["std"]
        assert_allclose(std["blocks"][1:], 2 * std["groups"][1:], rtol=0.02)

    def test_a_single_group_has_no_error(self):
        ranker = PairwisePreferenceRanker(order_bias=True, **QUICK)
        groups = Groups.from_arrays(
            group=np.zeros(30),
            preference=TRUTH[:30],
            position=np.arange(30) % 3 + 1,
        )
        bias = ranker.fit(X[:30], groups).position_bias_
        assert np.isfinite(bias["bias"]).all()
        assert bias["std"].isna().all()

    def test_many_metrics(self):
        rng = np.random.default_rng(0)
        wide = np.hstack([X, rng.normal(size=(len(X), 120))])
        ranker = PairwisePreferenceRanker(order_bias=True, shortcut="linear", **QUICK)
        bias = ranker.fit(wide, LISTS).position_bias_
        assert_allclose(bias["bias"], -np.log(bias["position"]), atol=0.8)
        assert ((bias["std"][1:] > 0.05) & (bias["std"][1:] < 0.3)).all()

    def test_sparse_metrics(self):
        rng = np.random.default_rng(0)
        wide = np.hstack([X * (rng.uniform(size=X.shape) < 0.5), np.zeros((1000, 300))])
        ranker = PairwisePreferenceRanker(order_bias=True, **QUICK)
        found = [
            clone(ranker).fit(form(wide), LISTS) for form in (np.asarray, csr_array)
        ]
        bias = [each.position_bias_ for each in found]
        assert_allclose(bias[0], bias[1], atol=1e-3)

    def test_unknown_positions_of_a_whole_group(self):
        known = LISTS["group"] < 150
        groups = LISTS.copy()
        groups["position"][~known] = 0
        ranker = PairwisePreferenceRanker(order_bias=True, **QUICK).fit(X, groups)
        bias = ranker.position_bias_
        assert bias["position"].tolist() == [1, 2, 3, 4, 5]
        assert_allclose(bias["bias"], -np.log(bias["position"]), atol=0.5)

    def test_other_losses_and_networks(self):
        for options in (
            {"loss": "listnet"},
            {"shortcut": None},
            {"ties": "half"},
            {"early_stopping": True},
            {"monotonic_cst": [1, -1, 0]},
        ):
            ranker = PairwisePreferenceRanker(
                order_bias=True, **{**QUICK, "max_epochs": 20, **options}
            )
            bias = ranker.fit(X, LISTS).position_bias_
            assert_allclose(bias["bias"], -np.log(bias["position"]), atol=0.6)
            assert (bias["std"][1:] > 0.05).all()

    def test_listnet_is_the_conditional_logit(self):
        # With the best of each list alone, its terms are those of choices.
        won = np.zeros(len(X))
        best = pd.Series(LISTS["preference"]).groupby(LISTS["group"]).idxmax()
        won[best] = 1.0
        groups = Groups.from_winners(
            group=LISTS["group"], winner=won, position=LISTS["position"]
        )
        ranker = PairwisePreferenceRanker(loss="listnet", order_bias=True, **QUICK)
        bias = ranker.fit(X, groups).position_bias_
        z = (bias["bias"] + np.log(bias["position"]))[1:] / bias["std"][1:]
        assert np.abs(z).max() < 3

    def test_partial_fit_and_warm_start(self):
        ranker = PairwisePreferenceRanker(order_bias=True, **QUICK)
        first, second = LISTS["group"] < 100, LISTS["group"] >= 100
        early = first & (LISTS["position"] < 5)
        ranker.partial_fit(X[early], Groups.whole(LISTS[early]))
        for _ in range(30):
            # Position 5 counts as 4, the nearest that the first call had.
            ranker.partial_fit(X[second], LISTS[second])
        bias = ranker.position_bias_
        assert bias["position"].tolist() == [1, 2, 3, 4]
        assert bias["bias"].is_monotonic_decreasing
        assert bias["std"].isna().all()
        ranker = PairwisePreferenceRanker(order_bias=True, warm_start=True, **QUICK)
        before = ranker.fit(X, LISTS).position_bias_["bias"]
        after = ranker.fit(X, LISTS).position_bias_["bias"]
        assert_allclose(after, before, atol=0.3)

    @pytest.mark.parametrize("loss", ["ranknet", "listnet"])
    def test_of_items_that_stay_on_a_device(self, loss, monkeypatch):
        ranker = PairwisePreferenceRanker(loss=loss, order_bias=True, **QUICK)
        here = clone(ranker).fit(X, LISTS)
        # The CPU counts as a device with memory of its own.
        monkeypatch.setattr(epochs, "bytes_to_place", lambda device: 2**40)
        monkeypatch.setattr(GroupNet, "waits_for_losses", False)
        there = clone(ranker).fit(X, LISTS)
        assert_allclose(there.predict(X), here.predict(X), atol=1e-5)
        assert_allclose(there.position_bias_, here.position_bias_, atol=1e-5)

    def test_saved_and_copied(self):
        ranker = PairwisePreferenceRanker(order_bias=True, **QUICK).fit(X, LISTS)
        copied = pickle.loads(pickle.dumps(ranker))
        pd.testing.assert_frame_equal(copied.position_bias_, ranker.position_bias_)
        assert_array_equal(copied.predict(X), ranker.predict(X))

    def test_stacks_and_parquet(self, tmp_path):
        learner = PairwisePreferenceRanker(order_bias=True, **QUICK)
        stack = StackedRanker([("net", learner), ("linear", LinearPreferenceRanker())])
        assert pairwise_accuracy_score(LISTS, stack.fit(X, LISTS).predict(X)) > 0.6
        frame = pd.DataFrame(X, columns=["a", "b", "c"]).assign(
            **{name: LISTS[name] for name in ("group", "preference", "position")}
        )
        frame.to_parquet(tmp_path / "lists.parquet", index=False)
        fields = {name: name for name in ("group", "preference", "position")}
        ranker = clone(learner).fit_parquet(tmp_path / "lists.parquet", **fields)
        assert ranker.feature_names_in_.tolist() == ["a", "b", "c"]
        assert ranker.position_bias_["bias"].is_monotonic_decreasing
        with pytest.raises(ValueError, match="does not know what was shown first"):
            clone(learner).fit_parquet(
                tmp_path / "lists.parquet", group="group", preference="preference"
            )

    def test_errors_of_a_fit_to_files_are_those_of_all_groups(
        self, tmp_path, monkeypatch
    ):
        """Biases are found in a sample, and trained on all."""
        for module in (net, parts):
            monkeypatch.setattr(module, "_SAMPLE_VALUES", 1)
        monkeypatch.setattr(net, "_SAMPLE_ROWS", len(X) // 6)
        frame = pd.DataFrame(X, columns=["a", "b", "c"])
        fields = {name: name for name in ("group", "preference", "position")}
        frame = frame.assign(**{name: LISTS[name] for name in fields})
        frame.to_parquet(tmp_path / "lists.parquet", index=False)
        learner = PairwisePreferenceRanker(order_bias=True, **QUICK)
        streamed = clone(learner).fit_parquet(tmp_path / "lists.parquet", **fields)
        whole = learner.fit(X, LISTS)
        ratio = streamed.position_bias_["std"] / whole.position_bias_["std"]
        assert ratio[1:].between(0.6, 1.6).all()

    def test_blocks_of_files_are_taken_for_independent(self, tmp_path):
        # The lists of each block are the same four times.
        rows, groups, _ = make_lists(0, n_groups=60)
        frame = pd.DataFrame(np.tile(rows, (4, 1)), columns=["a", "b", "c"])
        fields = {name: name for name in ("group", "preference", "position")}
        frame = frame.assign(**{name: np.tile(groups[name], 4) for name in fields})
        frame["block"] = frame["group"]
        frame["group"] += 1000 * np.repeat(np.arange(4), len(rows))
        frame.to_parquet(tmp_path / "lists.parquet", index=False)
        std = {}
        for name, block in (("blocks", {"block": "block"}), ("groups", {})):
            ranker = PairwisePreferenceRanker(order_bias=True, **QUICK)
            ranker.fit_parquet(
                tmp_path / "lists.parquet", **fields, **block, features=["a", "b", "c"]
            )
            std[name] = ranker.position_bias_["std"][1:]
        assert_allclose(std["blocks"], 2 * std["groups"], rtol=0.1)


class TestRefusals:
    def fit(self, groups, **options):
        ranker = PairwisePreferenceRanker(order_bias=True, **{**QUICK, **options})
        return ranker.fit(X[: len(groups)], groups)

    def test_no_position(self):
        message = (
            "order_bias=True, and the target does not know who was shown first; expected "
            "one of Groups.from_votes(..., order=True), or for lists the field position: "
            "Groups.from_arrays(..., position=...). Build it so, or set order_bias=False."
        )
        with pytest.raises(ValueError, match=re.escape(message)):
            self.fit(without(LISTS, "position"))
        with pytest.raises(ValueError, match="does not know who was shown first"):
            self.fit([1.0, 2.0, 3.0])

    def test_lambdarank(self):
        with pytest.raises(ValueError, match="order_bias=True with loss='lambdarank'"):
            self.fit(LISTS, loss="lambdarank")

    def test_synthetic_items(self):
        augmented = PairAugmenter(stitch_sizes=(2,), random_state=0)
        augmented = augmented.fit_transform(X, LISTS)
        ranker = PairwisePreferenceRanker(order_bias=True, **QUICK)
        message = (
            r"order_bias=True and \d+ synthetic items of PairAugmenter, which nobody"
        )
        with pytest.raises(ValueError, match=message):
            ranker.fit(augmented, LISTS)

    def test_part_of_a_group(self):
        groups = LISTS.copy()
        groups["position"][[3, 10, 11]] = 0
        message = (
            "position is 0, not known, of 1 of 5 items of one group, and of some in 2 "
            "groups; expected it of all items of a group, or of none."
        )
        with pytest.raises(ValueError, match=re.escape(message)):
            self.fit(groups)
        weight = np.ones(len(groups))
        weight[[3, 10, 11]] = 0
        kept = {name: groups[name] for name in ("group", "preference", "position")}
        assert self.fit(Groups.from_arrays(**kept, weight=weight)).n_groups_ == 200

    def test_none_is_known(self):
        groups = LISTS.copy()
        groups["position"] = 0
        with pytest.raises(
            ValueError, match="not known, of all 1000 items that are in"
        ):
            self.fit(groups)

    def test_attributes_of_another_fit(self):
        ranker = PairwisePreferenceRanker(**QUICK).fit(X, LISTS)
        with pytest.raises(
            AttributeError, match="no position_bias_, which is of a fit"
        ):
            ranker.position_bias_  # noqa: B018
        biased = self.fit(LISTS)
        with pytest.raises(AttributeError, match="order_bias_ is of a fit to votes"):
            biased.order_bias_  # noqa: B018
