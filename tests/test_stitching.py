"""Stitched and injected items against a slow re-implementation."""

import tracemalloc
from itertools import combinations, permutations
from math import comb, perm
from time import perf_counter

import numpy as np
import pytest
from cases import n_pairs_of
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import chisquare

from sklearn_pscore._items.stitching import draw_orders, make_training_items
from sklearn_pscore._target.check import check_groups
from sklearn_pscore._target.groups import Groups

ALL = {
    "stitch_sizes": (2, 3, 4),
    "max_stitched": None,
    "stitch_penalty": 1.0,
    "stitched_preference": "max",
    "n_injected": None,
    "injected_penalty": 100.0,
}


def make(X, groups, seed=0, **kwargs):
    rng = np.random.RandomState(seed)
    return make_training_items(X, check_groups(groups), **(ALL | kwargs), rng=rng)[0]


def rows(items):
    """Every item as one tuple, rounded, in sorted order: a set that can repeat."""
    columns = [items.group, items.preference, items.weight, items.judged]
    return sorted_rows(np.column_stack([*columns, items.X]))


def sorted_rows(table):
    """Rows as sorted tuples, rounded, with 1e9 for NaN, which has no place in order."""
    table = np.nan_to_num(table.round(9) + 0.0, nan=1e9)
    return sorted(map(tuple, table.tolist()))


def mean_of_present(values):
    """The mean of each column over what is no NaN, NaN if nothing is."""
    columns = [[v for v in column if v == v] for column in np.transpose(values)]
    return np.array([np.mean(column) if column else np.nan for column in columns])


def slow_rows(X, groups, stitch_sizes, stitch_penalty=1.0, injected_penalty=100.0):
    """The same from the words of DESIGN: every item, one row at a time."""
    names = groups.dtype.names
    labels = np.unique(groups["group"]).tolist()
    judged_items, donors = {}, {}
    for row, record in enumerate(groups):
        key = record["item"] if "item" in names else row
        kind = donors if "donor" in names and record["donor"] else judged_items
        kind.setdefault(record["group"], {}).setdefault(key, []).append(row)
    weight = groups["weight"] if "weight" in names else np.ones(len(X))
    made = []

    def add(label, preference, of_items, judged, values):
        mean_weight = np.mean([weight[item].mean() for item in of_items])
        made.append((labels.index(label), preference, mean_weight, judged, *values))

    def preference_of(item):
        return groups["preference"][item[0]]

    for label, items in judged_items.items():
        items = list(items.values())
        for item in items:
            add(label, preference_of(item), [item], True, mean_of_present(X[item]))
        rows_of_group = sum(items, [])
        for size in stitch_sizes:
            ways = permutations if "clip" in names else combinations
            for parts in ways(items, size):
                if "clip" in names:
                    clips = sorted(set(groups["clip"][rows_of_group].tolist()))
                    runs = np.array_split(clips, size)
                    pieces = [
                        [row for row in part if groups["clip"][row] in run]
                        for part, run in zip(parts, runs, strict=True)
                    ]
                    if not all(pieces):
                        continue
                    values = mean_of_present(X[sum(pieces, [])])
                else:
                    means = [mean_of_present(X[part]) for part in parts]
                    values = mean_of_present(means)
                best = max(preference_of(part) for part in parts)
                add(label, best - stitch_penalty * size, parts, False, values)
        for other, strangers in (donors or judged_items).items():
            for item in strangers.values() if other != label else ():
                preference = preference_of(item) - injected_penalty
                add(label, preference, [item], False, mean_of_present(X[item]))
    return sorted_rows(np.array(made, dtype=float))


def clips_of(n_groups, n_items, n_clips, seed=0, missing=0.0, donors=False):
    """Rows of several groups in random order, with labels that do not sort."""
    rng = np.random.default_rng(seed)
    group, item, clip = np.indices((n_groups, n_items, n_clips)).reshape(3, -1)
    kept = rng.permutation(len(group))[: int((1 - missing) * len(group))]
    group, item, clip = group[kept], item[kept], clip[kept]
    preference = rng.integers(4, size=(n_groups, n_items))[group, item]
    groups = Groups.from_arrays(
        group=np.array(["t", "l", "z", "a"])[group],
        preference=preference,
        item=item,
        clip=7 * clip - 3,
        weight=rng.uniform(size=len(kept)),
        **({"donor": group == n_groups - 1} if donors else {}),
    )
    return rng.normal(size=(len(kept), 2)), groups


def without(groups, *fields):
    """The target with fewer fields."""
    kept = [field for field in groups.dtype.names if field not in fields]
    return Groups.from_arrays(**{field: groups[field] for field in kept})


@pytest.mark.parametrize(
    ("n_items", "size", "n_drawn"),
    [(5, 2, 3), (5, 2, 19), (6, 3, 5), (6, 3, 119), (20, 4, 500), (4, 4, 2), (9, 2, 0)],
)
@pytest.mark.parametrize("ordered", [True, False])
def test_drawn_orders_are_distinct(n_items, size, n_drawn, ordered):
    orders = draw_orders(n_items, size, n_drawn, ordered, np.random.RandomState(0))
    n_all = perm(n_items, size) if ordered else comb(n_items, size)
    assert orders.shape == (min(n_drawn, n_all), size)
    assert len({tuple(order) for order in orders.tolist()}) == len(orders)
    assert all(len(set(order)) == size for order in orders.tolist())
    assert np.all((orders >= 0) & (orders < n_items))
    if not ordered:
        assert_array_equal(orders, np.sort(orders, axis=1))


@pytest.mark.parametrize("n_drawn", [None, 10_000])
@pytest.mark.parametrize(("n_items", "size"), [(5, 2), (5, 5), (3, 4), (1, 2)])
def test_all_orders_are_given_where_no_more_are_there(n_items, size, n_drawn):
    rng = np.random.RandomState(0)
    for ordered, listing in [(True, permutations), (False, combinations)]:
        orders = draw_orders(n_items, size, n_drawn, ordered, rng)
        assert orders.shape[1] == size
        assert orders.tolist() == [
            list(order) for order in listing(range(n_items), size)
        ]


@pytest.mark.parametrize("n_drawn", [2, 8])  # thrown until new, drawn from a list
@pytest.mark.parametrize(("ordered", "n_all"), [(True, 20), (False, 10)])
def test_every_order_is_as_likely(ordered, n_all, n_drawn):
    rng = np.random.RandomState(0)
    drawn = [draw_orders(5, 2, n_drawn, ordered, rng) for _ in range(2000)]
    counts = np.unique(np.concatenate(drawn), axis=0, return_counts=True)[1]
    assert len(counts) == n_all
    assert chisquare(counts).pvalue > 0.001


@pytest.mark.parametrize("ordered", [True, False])
def test_many_orders_are_never_listed(ordered):
    tracemalloc.start()
    orders = draw_orders(60, 4, 500, ordered, np.random.RandomState(0))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert orders.shape == (500, 4)
    # Of 32 bytes each, and there are 24 times as many permutations.
    assert peak < 32 * comb(60, 4)
    # Nor of a number that no machine could list.
    assert len(draw_orders(10**6, 4, 50, ordered, np.random.RandomState(0))) == 50


@pytest.mark.parametrize("donors", [False, True])
@pytest.mark.parametrize("missing", [0.0, 0.4])
@pytest.mark.parametrize("drop", [(), ("clip",), ("clip", "item"), ("weight",)])
@pytest.mark.parametrize("share_of_nan", [0.0, 0.1, 0.7])
def test_all_items_equal_the_slow_ones(drop, missing, donors, share_of_nan):
    n_clips = 1 if "item" in drop else 5
    X, groups = clips_of(3, 4, n_clips, missing=missing, donors=donors)
    X[np.random.default_rng(1).random(X.shape) < share_of_nan] = np.nan
    groups = without(groups, *drop)
    items = make(X, groups, stitch_penalty=0.5, injected_penalty=20.0)
    expected = slow_rows(X, groups, ALL["stitch_sizes"], 0.5, 20.0)
    assert_allclose(rows(items), expected, rtol=0, atol=1e-8)


@pytest.mark.parametrize("drop", [(), ("clip",)])
def test_row_order_does_not_matter(drop):
    X, groups = clips_of(3, 4, 6, missing=0.2)
    groups = without(groups, *drop)
    shuffled = np.random.default_rng(1).permutation(len(X))
    expected = rows(make(X, groups))
    assert_allclose(rows(make(X[shuffled], groups[shuffled])), expected, atol=1e-8)


def test_runs_by_hand():
    """Five clips in two runs: 0, 1, 2 of the first item and 3, 4 of the second."""
    X = np.r_[np.arange(5.0), 10 + np.arange(5.0)][:, None]
    groups = Groups.from_winners(
        group=np.zeros(10, int),
        winner=np.arange(10) < 5,
        item=np.arange(10) // 5,
        clip=np.tile(np.arange(5), 2),
    )
    items = make(X, groups, stitch_sizes=(2,))
    stitched = [(0 + 1 + 2 + 13 + 14) / 5, (10 + 11 + 12 + 3 + 4) / 5]
    assert items.X.ravel().tolist() == [2.0, 12.0, *stitched]
    assert items.preference.tolist() == [10.0, 0.0, 10.0 - 2, 10.0 - 2]
    assert items.parents.tolist() == [[0, -1], [1, -1], [0, 1], [1, 0]]
    assert items.judged.tolist() == [True, True, False, False]


@pytest.mark.parametrize(("n_clips", "n_stitched"), [(1, 0), (2, 0), (3, 24), (4, 24)])
def test_more_parts_than_clips_cannot_be_stitched(n_clips, n_stitched):
    X, groups = clips_of(1, 4, n_clips)
    items = make(X, groups, stitch_sizes=(3,))
    assert np.sum(~items.judged) == n_stitched
    assert np.all(np.isfinite(items.X))


def test_an_item_lacking_a_run_is_no_such_part():
    X, groups = clips_of(1, 3, 4)
    # Item 0 was measured in the first half only.
    kept = (groups["item"] != 0) | (groups["clip"] < 7 * 2 - 3)
    items = make(X[kept], groups[kept], stitch_sizes=(2,))
    stitched = items.parents[~items.judged].tolist()
    assert sorted(stitched) == [[0, 1], [0, 2], [1, 2], [2, 1]]


def test_groups_smaller_than_a_size_are_not_stitched():
    groups = Groups.from_arrays(group=[0, 0, 0, 1], preference=[3, 1, 2, 5])
    items = make(np.arange(4.0)[:, None], groups, n_injected=0)
    assert_array_equal(items.group[~items.judged], [0, 0, 0, 0])
    assert items.preference[~items.judged].tolist() == [1.0, 1.0, 0.0, 0.0]


@pytest.mark.parametrize("max_stitched", [0, 1, 7, 23, 24, 100])
@pytest.mark.parametrize("seed", range(3))
def test_caps_draw_from_all(max_stitched, seed):
    X, groups = clips_of(3, 4, 4)
    caps = {"stitch_sizes": (3,), "max_stitched": max_stitched, "n_injected": 5}
    items, everything = make(X, groups, seed, **caps), make(X, groups)
    injected = ~items.judged & (items.parents[:, 1] < 0)
    stitched = ~items.judged & ~injected
    for group in range(3):
        assert np.sum(stitched & (items.group == group)) == min(max_stitched, 24)
        assert np.sum(injected & (items.group == group)) == 5
    assert set(rows(items)) <= set(rows(everything))
    assert len(set(rows(items))) == len(items)


def test_the_seed_decides_what_is_drawn():
    X, groups = clips_of(3, 5, 4)
    caps = {"max_stitched": 4, "n_injected": 2}
    same = [rows(make(X, groups, seed, **caps)) for seed in (0, 0, 1)]
    assert same[0] == same[1]
    assert same[0] != same[2]


def test_every_group_may_donate_where_no_row_is_marked():
    items = make(*clips_of(4, 3, 2), stitch_sizes=())
    away = items.take(~items.judged)
    assert len(away) == 4 * (3 * 3)
    # The code of a judged item is its position, so this is where each comes from.
    home = items.group[away.parents[:, 0]]
    assert np.all(home != away.group)


def test_marked_rows_alone_donate_and_are_parents_of_nobody():
    X, groups = clips_of(4, 3, 2, donors=True)
    items = make(X, groups, stitch_sizes=())
    assert check_groups(groups).labels[np.unique(items.group)].tolist() == list("ltz")
    assert np.sum(~items.judged) == 3 * 3
    assert np.all(items.parents[~items.judged] == -1)


def test_a_donor_is_not_injected_into_its_own_group():
    # Nor is it merged with the judged row of its name.
    fields = {"group": [0, 0, 0, 1], "item": [5, 6, 6, 5], "donor": [0, 0, 1, 0]}
    groups = Groups.from_arrays(preference=[3, 1, 1, 2], **fields)
    items = make(np.arange(4.0)[:, None], groups, stitch_sizes=())
    assert items.group.tolist() == [0, 0, 1, 1]
    assert items.X.ravel().tolist() == [0.0, 1.0, 3.0, 2.0]
    assert items.preference.tolist() == [3.0, 1.0, 2.0, 1.0 - 100]


def test_donors_alone_make_nothing():
    groups = Groups.from_arrays(group=[0, 1], preference=[1, 2], donor=[1, 1])
    assert len(make(np.ones((2, 3)), groups)) == 0


def test_the_paper_has_more_than_500k_pairs():
    """Eight systems stitched in every way, and eight of the other track."""
    system, clip = np.indices((16, 12)).reshape(2, -1)
    groups = Groups.from_winners(
        group=np.where(system < 8, "talking", "listening"),
        winner=system % 8 == 0,
        item=system,
        clip=clip,
        donor=system >= 8,
    )
    X = np.random.default_rng(0).normal(size=(len(system), 3))
    items = make(X, groups)
    sizes = [perm(8, size) for size in (2, 3, 4)]
    assert sizes == [56, 336, 1680]
    assert len(items) == 8 + sum(sizes) + 8 == 2088
    # The winner's part is k of 8: so many items lose 10 - k and -k are left.
    levels = {10: 1, 0: 7, -90: 1, -100: 7}
    for size, n_orders in zip((2, 3, 4), sizes, strict=True):
        levels |= {10 - size: n_orders * size // 8, -size: n_orders * (8 - size) // 8}
    values, counts = np.unique(items.preference, return_counts=True)
    assert dict(zip(values, counts, strict=True)) == levels
    tied = sum(comb(count, 2) for count in levels.values())
    assert n_pairs_of(items) == comb(2088, 2) - tied == 1_443_254


def test_a_stitched_item_may_be_liked_as_its_parts_on_average():
    X = np.arange(3.0)[:, None]
    groups = Groups.from_arrays(group=[0, 0, 0], preference=[1.0, 2.0, 6.0])
    items = make(
        X,
        groups,
        stitch_sizes=[2, 3],
        stitch_penalty=0.5,
        stitched_preference="mean",
        n_injected=0,
    )
    stitched = ~items.judged
    assert_allclose(items.preference[stitched], [0.5, 2.5, 3.0, 1.5])
    assert_allclose(items.X[stitched].ravel(), [0.5, 1.0, 1.5, 1.0])


@pytest.mark.parametrize("donors", ["marked", "all"])
def test_drawn_donors_are_different_and_from_other_groups(donors):
    """With so many donors that they are not shuffled."""
    group = np.repeat(np.arange(700), 2)
    fields = {"donor": group >= 20} if donors == "marked" else {}
    groups = Groups.from_arrays(group=group, preference=np.arange(1400), **fields)
    X = np.column_stack([group, np.arange(1400)]).astype(float)
    items = make(X, groups, stitch_sizes=(), n_injected=5)
    injected = items.take(~items.judged)
    n_groups = 20 if donors == "marked" else 700
    assert_array_equal(injected.group, np.repeat(np.arange(n_groups), 5))
    assert (injected.X[:, 0] != injected.group).all()
    for of_group in np.split(injected.X[:, 1], n_groups):
        assert len(set(of_group)) == 5
    if donors == "marked":
        assert (injected.X[:, 0] >= 20).all()
    # Each of 700 groups draws 5 of 1,398 donors: a quarter comes from each quarter.
    counts = np.histogram(injected.X[:, 1], bins=4)[0]
    assert chisquare(counts).pvalue > 0.001


@pytest.mark.parametrize("options", [{}, {"clips": True}, {"donors": True}])
def test_time_grows_with_the_groups(options):
    """40,000 groups of two: one pass over all items for each would take minutes."""
    item, n_clips = np.arange(80_000), 2 if "clips" in options else 1
    fields = {"donor": item >= 60_000} if "donors" in options else {}
    if n_clips > 1:
        fields = {"item": np.repeat(item, 2), "clip": np.tile([0, 1], len(item))}
    item = np.repeat(item, n_clips)
    groups = Groups.from_arrays(group=item // 2, preference=item, **fields)
    X = np.random.default_rng(0).normal(size=(len(item), 3))
    start = perf_counter()
    items = make(X, groups, max_stitched=500, n_injected=3)
    assert perf_counter() - start < 15
    n_judged = 60_000 if "donors" in options else 80_000
    n_orders = 2 if n_clips > 1 else 1
    assert len(items) == n_judged + n_judged // 2 * (n_orders + 3)
