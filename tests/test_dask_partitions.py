"""Which worker gets which partitions."""

import numpy as np
import pytest

from sklearn_pscore._dask.partitions import deal_out, place


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("n_workers", [1, 2, 5, 40])
def test_neighbours_stay_together_and_nobody_is_left_out(n_workers, seed):
    rng = np.random.default_rng(seed)
    n_rows = rng.integers(0, 100, size=30) * (rng.random(30) < 0.7)
    n_rows[rng.integers(30)] = 3000
    dealt = deal_out(n_rows, n_workers)
    assert len(dealt) == min(n_workers, np.count_nonzero(n_rows))
    assert min(map(len, dealt)) > 0
    assert np.concatenate(dealt).tolist() == np.flatnonzero(n_rows).tolist()


def test_ranks_have_about_as_many_rows():
    assert [part.tolist() for part in deal_out([10] * 6, 3)] == [[0, 1], [2, 3], [4, 5]]
    dealt = deal_out([30, 10, 0, 10, 10], 2)
    assert [part.tolist() for part in dealt] == [[0], [1, 3, 4]]
    assert deal_out([0, 0], 2) == []
    assert deal_out([], 2) == []


def test_ranks_go_where_their_partitions_are():
    parts = [np.array([0, 1]), np.array([2]), np.array([3])]
    holders = [("b",), ("b", "c"), ("c",), ()]
    assert place(parts, holders, ["a", "b", "c", "d"]) == ["b", "c", "a"]
    # Who comes first has the choice.
    assert place([np.array([0]), np.array([0])], [("b",)], ["a", "b"]) == ["b", "a"]
