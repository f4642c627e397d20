"""Runs of equal values, and sums inside segments, against the plain loop."""

from itertools import combinations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sklearn_pscore._segments import Segments, run_starts


@pytest.mark.parametrize("n", [0, 1, 2, 200])
@pytest.mark.parametrize("n_columns", [1, 2, 3])
def test_run_starts_by_the_loop(n, n_columns):
    columns = np.random.default_rng(1).integers(0, 3, (n_columns, n))
    rows = columns.T.tolist()
    expected = [i for i in range(n) if i == 0 or rows[i] != rows[i - 1]]
    assert_array_equal(run_starts(*columns), expected)
    assert_array_equal(Segments.of_equal(*columns).start, expected)
    assert np.sum(Segments.of_equal(*columns).size) == n


@pytest.mark.parametrize("ufunc", [np.add, np.multiply])
def test_accumulate_is_that_of_each_segment_alone(ufunc):
    rng = np.random.default_rng(20)
    size = np.concatenate([np.arange(1, 35), rng.integers(1, 9, 50), [700]])
    segments = Segments(rng.permutation(size))
    values = rng.random(np.sum(size))
    parts = np.split(values, segments.start[1:])
    assert_array_equal(
        segments.accumulate(ufunc, values),
        np.concatenate([ufunc.accumulate(part) for part in parts]),
    )


def test_sums_before():
    segments = Segments(np.array([2, 1, 3]))
    values = np.array([1, 2, 3, 4, 5, 6])
    expected = [0, 1, 0, 0, 4, 9]
    assert_array_equal(segments.sums_before(values), expected)
    assert_array_equal(segments.sums_before(values / 8), np.array(expected) / 8)


@pytest.mark.parametrize(
    ("size", "n_pairs"),
    [
        ([1], [0]),
        ([2, 1, 5], [1, 0, 10]),
        # More pairs than 32 bits can count, of sizes that they can.
        (np.array([100_000], dtype=np.int32), [100_000 * 99_999 // 2]),
    ],
)
def test_n_pairs(size, n_pairs):
    assert Segments(np.array(size)).n_pairs.tolist() == n_pairs


def test_pairs_of_each_segment():
    sizes = np.array([3, 1, 4, 2])
    first, second = Segments(sizes).pairs()
    positions = np.split(np.arange(10), np.cumsum(sizes)[:-1])
    expected = [pair for part in positions for pair in combinations(part.tolist(), 2)]
    assert list(zip(first.tolist(), second.tolist(), strict=True)) == expected
