"""Codes of labels, against numpy.unique."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sklearn_pscore._target.check import check_groups
from sklearn_pscore._target.labels import number_label_pairs, number_labels


@pytest.mark.parametrize(
    "labels",
    [
        np.array([3, -1, 3, 7, -1]),
        np.array([2**63 - 1, -(2**63), 0, 2**63 - 1]),
        np.array([10**15, 5, 10**12, 5, 10**15]),
        np.array([], dtype=int),
        np.arange(50)[::-1] % 7 - 3,
        np.array(["b", "a", "", "b", "ba", "a b"]),
        np.array(["\U0001f600", "é", "z", "é", "\U0001f601x"]),
        np.array(["ā", "b", "ā", "c"], dtype=">U2"),
        np.array([f"{i * 7919 % 101:x}" * 9 for i in range(300)]),
        np.array([f"{i // 40:040d}" for i in range(300)]),
        np.array(["", "", ""]),
    ],
    ids=str,
)
def test_codes_are_those_of_unique(labels):
    distinct, codes = np.unique(labels, return_inverse=True)
    assert_array_equal(number_labels(labels)[0], distinct)
    assert_array_equal(number_labels(labels)[1], codes)
    groups = np.zeros(
        len(labels), dtype=[("group", labels.dtype), ("preference", float)]
    )
    groups["group"] = labels
    target = check_groups(groups)
    assert_array_equal(target.labels, distinct)
    assert_array_equal(target.group, codes)


@pytest.mark.parametrize("n", [0, 1, 200])
def test_pairs_are_those_of_unique_rows(n):
    first, second = np.random.default_rng(0).integers(0, 9, (2, n))
    _, first_row, codes = np.unique(
        np.column_stack([first, second]), axis=0, return_index=True, return_inverse=True
    )
    assert_array_equal(number_label_pairs(first, second)[0], first_row)
    # NumPy 2.0 gives the codes a second dimension.
    assert_array_equal(number_label_pairs(first, second)[1], codes.ravel())
