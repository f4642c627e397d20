"""Training items packed by group: their order, their batches, and no copy."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_pscore._items.training_items import TrainingItems
from sklearn_pscore._torch import packing
from sklearn_pscore._torch.batches import GroupBatches
from sklearn_pscore._torch.packing import Extent, PackedGroups, most_of_a_group
from sklearn_pscore.metrics._gains import gains_of


def items_of(group, preference, **kwargs):
    n_items = len(group)
    fields = {
        "group": np.asarray(group),
        "preference": np.asarray(preference, dtype=float),
        "weight": np.linspace(1, 2, n_items),
        "parents": np.arange(n_items)[:, None],
        "judged": np.arange(n_items) % 3 > 0,
        # The first feature tells the row.
        "X": np.arange(2.0 * n_items).reshape(n_items, 2),
    }
    return TrainingItems.of(**(fields | kwargs))


def random_items(seed=0, sizes=(3, 9, 1, 30, 4, 4, 2, 17)):
    rng = np.random.default_rng(seed)
    group = rng.permutation(np.repeat(np.arange(len(sizes)) * 2, sizes))
    return items_of(group, rng.integers(4, size=len(group)))


def pack(items, n_folds=0, **kwargs):
    packed = PackedGroups(items, partial(gains_of, "rank"), **kwargs)
    if n_folds:
        packed.draw_folds(n_folds)
    return packed


def row_of(X):
    return (X[:, 0] / 2).long().numpy()


def assert_consistent(X, target, items):
    """Check a batch: whole fields, sorted, with dense levels."""
    row = row_of(X)
    group, preference = items.group[row], items.preference[row]
    assert_array_equal(np.lexsort((preference, group)), np.arange(len(row)))
    labels, sizes = np.unique(group, return_counts=True)
    assert target.sizes.tolist() == sizes.tolist()
    for label in labels:
        rows = group == label
        levels = np.unique(preference[rows], return_inverse=True)[1]
        assert_array_equal(target.level[rows], levels)
    share = items.weight / items.weight.max()
    assert_array_equal(target.weight, share[row].astype(np.float32))


class TestPacking:
    def test_all_groups_are_sorted_with_dense_levels(self):
        items = random_items()
        packed = pack(items)
        X, target = packed.batch(torch.arange(len(packed.sizes)))
        assert_consistent(X, target, items)
        assert_array_equal(np.sort(row_of(X)), np.arange(len(items)))
        assert_array_equal(packed.judged, items.judged[row_of(X)])

    def test_some_groups_in_the_order_asked_for(self):
        items = random_items()
        packed = pack(items)
        X, target = packed.batch(np.array([4, 0, 3]))
        assert_array_equal(items.group[row_of(X)], [8] * 4 + [0] * 3 + [6] * 30)
        assert target.sizes.tolist() == [4, 3, 30]

    @pytest.mark.parametrize("seed", range(5))
    def test_counts_of_groups_and_pairs(self, seed):
        items = random_items(seed)
        packed = pack(items)
        assert packed.n_groups == 8
        differs = items.preference[:, None] > items.preference
        together = items.group[:, None] == items.group
        assert packed.n_pairs == np.count_nonzero(differs & together)

    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_table_is_neither_copied_nor_converted(self, dtype):
        items = random_items()
        X = items.table.astype(dtype)
        packed = pack(TrainingItems(**(vars(items) | {"table": X})))
        assert np.shares_memory(packed.table.numpy(), X)
        assert packed.table.numpy().dtype == dtype

    def test_other_orders_are_copied_once(self):
        items = random_items()
        X = np.asfortranarray(items.table)
        packed = pack(TrainingItems(**(vars(items) | {"table": X})))
        assert_array_equal(packed.table, items.table)

    def test_memory_map_that_nobody_may_write_to(self, tmp_path):
        items = random_items()
        np.save(tmp_path / "X.npy", items.table)
        X = np.load(tmp_path / "X.npy", mmap_mode="r")
        packed = pack(TrainingItems(**(vars(items) | {"table": X})))
        assert np.shares_memory(packed.table.numpy(), X)
        assert_array_equal(packed.batch(np.array([0]))[1].sizes, [3])

    def test_target_moves_with_all_but_the_sizes(self):
        packed = pack(random_items(), n_folds=2, group_weight="sqrt")
        target = packed.batch(np.array([0, 1]))[1]
        moved = target._replace(contender=target.level).to("meta")
        kinds = {
            name: values.device.type
            for name, values in moved._asdict().items()
            if values is not None
        }
        assert kinds.pop("sizes") == "cpu"
        assert set(kinds.values()) == {"meta"}


def pair_weights(packed, ties):
    """Return the number of pairs of each group, and what they weigh together."""
    _, target = packed.batch(np.arange(packed.n_groups))
    weight = target.weight_in_pairs.numpy()
    numbers, weights = [], []
    for start, size in zip(packed.starts, packed.sizes, strict=True):
        rows = slice(start, start + size)
        level = packed.level[rows]
        is_pair = level[:, None] > level
        if ties == "half":
            is_pair = np.tri(size, k=-1, dtype=bool)
        numbers.append(np.count_nonzero(is_pair))
        weights.append((is_pair * np.outer(weight[rows], weight[rows])).sum())
    return np.array(numbers), np.array(weights)


class TestGroupWeight:
    @pytest.mark.parametrize("ties", ["ignore", "half"])
    @pytest.mark.parametrize(
        ("name", "power"), [("pairs", 1), ("sqrt", 0.5), ("equal", 0)]
    )
    def test_a_group_weighs_a_power_of_its_number_of_pairs(self, name, power, ties):
        items = random_items()
        items = replace(items, weight=np.ones(len(items)))
        packed = pack(items, group_weight=name, ties=ties)
        numbers, weights = pair_weights(packed, ties)
        assert packed.n_pairs == numbers.sum()
        paired = numbers > 0
        share = weights[paired] / numbers[paired] ** power
        assert_allclose(share, share[0], rtol=1e-6)

    def test_the_weights_of_the_target_multiply_it(self):
        items = random_items()
        packed = pack(items, group_weight="equal")
        target = packed.batch(np.array([1, 3]))[1]
        plain = pack(items).batch(np.array([1, 3]))[1]
        assert_array_equal(target.weight, plain.weight)
        assert_array_equal(target.weight_in_pairs, plain.weight * target.group_factor)

    @pytest.mark.parametrize("name", ["sqrt", "equal"])
    def test_none_where_all_groups_have_as_many_pairs(self, name):
        items = items_of(np.repeat([3, 7], 4), [1, 2, 2, 3, 5, 5, 6, 7])
        packed = pack(items, group_weight=name)
        assert packed.group_factor is None
        assert packed.batch(np.array([0]))[1].group_factor is None


class TestFolds:
    def test_none_without_folds(self):
        packed = pack(random_items())
        assert packed.fold is None
        assert packed.batch(np.array([1]))[1].fold is None

    @pytest.mark.parametrize("n_folds", [2, 3, 5, 20])
    def test_groups_stay_whole_and_folds_are_even(self, n_folds):
        torch.manual_seed(0)
        packed = pack(random_items(), n_folds)
        by_group = np.split(packed.fold, packed.starts[1:])
        assert all(len(np.unique(fold)) == 1 for fold in by_group)
        first = np.array([fold[0] for fold in by_group])
        counts = np.bincount(first, minlength=n_folds)
        assert counts.max() - counts.min() <= 1
        target = packed.batch(np.array([6, 1]))[1]
        assert target.fold.tolist() == [first[6]] * 2 + [first[1]] * 9

    def test_are_drawn_anew(self):
        torch.manual_seed(0)
        items = random_items()
        folds = {tuple(pack(items, 3).fold.tolist()) for _ in range(5)}
        assert len(folds) > 1


class TestBatches:
    @pytest.mark.parametrize("shuffle", [False, True])
    @pytest.mark.parametrize("batch_size", [2, 4, 10, 29, 30, 69, 70, 500])
    def test_whole_groups_once_and_no_more_rows_than_asked(self, batch_size, shuffle):
        items = random_items()
        batches = GroupBatches(pack(items), batch_size, max_rows=1000, shuffle=shuffle)
        torch.manual_seed(0)
        rows = []
        for X, target in batches:
            assert len(X) <= batch_size or len(target.sizes) == 1
            # Groups come in any order, each whole.
            for rows_of_group in torch.arange(len(X)).split(target.sizes.tolist()):
                label = np.unique(items.group[row_of(X[rows_of_group])])
                assert len(label) == 1
                assert (items.group == label).sum() == len(rows_of_group)
            rows.append(row_of(X))
        assert_array_equal(np.sort(np.concatenate(rows)), np.arange(len(items)))
        if not shuffle:
            assert len(batches) == len(rows)

    def test_next_group_starts_a_batch_only_if_it_does_not_fit(self):
        items = items_of(np.repeat([0, 1, 2, 3], [3, 3, 4, 2]), np.arange(12))
        batches = GroupBatches(pack(items), 6, max_rows=100, shuffle=False)
        assert [target.sizes.tolist() for _, target in batches] == [[3, 3], [4, 2]]

    def test_order_is_new_in_every_pass(self):
        batches = GroupBatches(pack(random_items()), 10, max_rows=100, shuffle=True)
        torch.manual_seed(0)
        passes = [np.concatenate([row_of(X) for X, _ in batches]) for _ in range(2)]
        assert not np.array_equal(*passes)

    def test_one_batch_is_not_shuffled(self):
        items = random_items()
        batches = GroupBatches(pack(items), 70, max_rows=100, shuffle=True)
        ((X, target),) = batches
        assert_consistent(X, target, items)


class TestSplitGroups:
    @pytest.mark.parametrize("shuffle", [False, True])
    def test_all_items_once_in_even_pieces_with_dense_levels(self, shuffle):
        items = random_items(sizes=(100, 3, 47))
        batches = GroupBatches(pack(items), 20, max_rows=30, shuffle=shuffle)
        torch.manual_seed(0)
        rows, sizes = [], []
        for X, target in batches:
            assert_consistent(X, target, items)
            rows.append(row_of(X))
            sizes.append(len(X))
        assert_array_equal(np.sort(np.concatenate(rows)), np.arange(150))
        assert sorted(sizes) == [3, 23, 24, 25, 25, 25, 25]

    def test_are_split_anew_in_every_pass(self):
        items = random_items(sizes=(100,))
        batches = GroupBatches(pack(items), 20, max_rows=50, shuffle=True)
        torch.manual_seed(0)
        first, second = (set(row_of(next(iter(batches))[0])) for _ in range(2))
        assert first != second

    def test_piece_without_a_pair_is_passed_over(self):
        # One item is preferred to the other 99: one of four pieces has it.
        items = items_of(np.zeros(100, int), np.arange(100) == 99)
        batches = GroupBatches(pack(items), 25, max_rows=25, shuffle=True)
        (batch,) = list(batches)
        assert batch[1].level.tolist() == [0] * 24 + [1]

    def test_batch_size_above_max_rows_is_kept(self):
        items = random_items(sizes=(40, 40))
        batches = GroupBatches(pack(items), 40, max_rows=10, shuffle=False)
        assert [len(X) for X, _ in batches] == [40, 40]


class TestSample:
    @pytest.fixture
    def few_groups(self, monkeypatch):
        """Let a group take all the room of a sample."""
        monkeypatch.setattr(packing, "_GROUPS_OF_A_SAMPLE", 1)

    def test_everything_where_it_fits(self):
        items = random_items()
        X, target, judged, share = pack(items).sample(70)
        assert_consistent(X, target, items)
        assert len(X) == 70
        assert_array_equal(judged, items.judged[row_of(X)])
        assert_array_equal(share, np.ones(8))
        assert target.group_factor is None

    @pytest.mark.usefixtures("few_groups")
    @pytest.mark.parametrize("seed", range(5))
    def test_whole_groups_up_to_the_rows_asked_for(self, seed):
        torch.manual_seed(seed)
        items = random_items()
        X, target, judged, _ = pack(items, n_folds=2).sample(45)
        assert_consistent(X, target, items)
        assert len(X) == len(judged) == len(target.fold) <= 45
        whole = (items.group[:, None] == np.unique(items.group[row_of(X)])).sum()
        assert whole == len(X)
        assert_array_equal(judged, items.judged[row_of(X)])

    @pytest.mark.parametrize("ties", ["ignore", "half"])
    @pytest.mark.parametrize("sizes", [(100, 3, 4), (3, 100, 4), (3, 4, 100)])
    def test_a_large_group_leaves_room_for_the_others(self, sizes, ties):
        items = random_items(sizes=sizes)
        packed = pack(items, n_folds=3, ties=ties)
        X, target, judged, share = packed.sample(40)
        assert_consistent(X, target, items)
        assert len(X) == len(judged) == 40
        assert target.sizes.tolist() == [min(size, 33) for size in sizes]
        assert_allclose(share, np.minimum(1, 33 / np.array(sizes)))
        # Its pairs weigh together about what those of the whole group do.
        group = np.repeat(np.arange(3), target.sizes)
        whole = np.add.reduceat(packed.weight, packed.starts)
        assert_allclose(np.bincount(group, target.weight_in_pairs), whole, rtol=0.1)
        assert_array_equal(np.bincount(group, target.weight) < whole - 20, share < 1)

    def test_large_groups_give_a_part_each(self):
        items = random_items(sizes=(100, 90, 80))
        torch.manual_seed(0)
        packed = pack(items, group_weight="sqrt")
        X, target, _, share = packed.sample(60)
        assert_consistent(X, target, items)
        assert target.sizes.tolist() == [20, 20, 20]
        assert_allclose(share, [0.2, 20 / 90, 0.25])
        torch.manual_seed(1)
        assert not np.array_equal(row_of(packed.sample(60).X), row_of(X))

    def test_part_of_the_only_group(self):
        torch.manual_seed(0)
        items = random_items(sizes=(100,))
        X, target, judged, _ = pack(items).sample(20)
        assert_consistent(X, target, items)
        assert len(X) == len(judged) == 20

    def test_many_large_groups_are_twenty(self):
        items = random_items(sizes=(50,) * 100)
        X, target, *_ = pack(items).sample(400)
        assert_consistent(X, target, items)
        assert target.sizes.tolist() == [20] * 20


@pytest.mark.parametrize("seed", range(20))
def test_a_group_gives_as_much_as_leaves_room(seed):
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, rng.choice([5, 50, 500]), size=rng.integers(1, 40))
    max_rows = int(rng.integers(20, 1 + max(20, sizes.sum())))
    most = most_of_a_group(sizes, max_rows)
    fitting = [
        m for m in range(sizes.max() + 1) if np.minimum(sizes, m).sum() <= max_rows
    ]
    assert most == max(fitting[-1], max_rows // 20, 1) or most == sizes.max()
    assert np.minimum(sizes, most).sum() <= max_rows or most == max_rows // 20


def test_spread_items_are_of_all_preferences():
    items = random_items(sizes=(9, 41))
    packed = pack(items)
    assert_array_equal(
        np.sort(packed.spread_items(0, 20)), np.flatnonzero(items.group == 0)
    )
    spread = packed.spread_items(1, 5)
    assert np.all(items.group[spread] == 2)
    ordered = np.sort(items.preference[items.group == 2])
    assert_array_equal(items.preference[spread], ordered[[0, 10, 20, 30, 40]])


@pytest.mark.parametrize("group_weight", ["pairs", "sqrt", "equal"])
def test_parts_have_the_weights_and_factors_of_the_whole(group_weight):
    items = random_items()
    whole = pack(items, group_weight=group_weight)
    is_first = items.group < 8
    packs = [
        pack(items.take(mask), group_weight=group_weight)
        for mask in (is_first, ~is_first)
    ]
    extent = Extent.of_all([each.extent() for each in packs])
    assert extent == whole.extent()
    parts = [each.part_of(extent, torch.Generator()) for each in packs]
    for name in ("weight", "group_factor"):
        values = [getattr(part, name) for part in parts]
        if getattr(whole, name) is None:
            assert values == [None, None]
        else:
            assert_array_equal(np.concatenate(values), getattr(whole, name))
    # Those that they were taken from stay as they were.
    assert all(each.weight.max() == 1 for each in packs)


def test_a_part_knows_what_is_missing_in_the_whole():
    items = random_items()
    table = items.table.copy()
    table[np.flatnonzero(items.group == 0)[0], 1] = np.nan
    items = replace(items, table=table)
    extents = [pack(items.take(items.group == label)).extent() for label in (0, 2)]
    assert [each.missing_features for each in extents] == [(1,), ()]
    part = pack(items.take(items.group == 2))
    part = part.part_of(Extent.of_all(extents), torch.Generator())
    assert part.missing_features() == [1]


def test_folds_can_be_set_by_group():
    packed = pack(random_items(sizes=(2, 3)))
    packed.set_folds(np.array([1, 0]))
    assert packed.fold.tolist() == [1, 1, 0, 0, 0]
    assert packed.n_folds == 2
