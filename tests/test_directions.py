"""Directions of metrics: known by name, given by the caller, and their use."""

import re

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

from sklearn_pscore._directions import (
    DIRECTION_WORDS,
    KNOWN_DIRECTIONS,
    oriented,
    resolve_directions,
)


def test_the_twelve_metrics_point_as_in_the_challenge():
    by_word = {
        word: {name for name, known in KNOWN_DIRECTIONS.items() if known == word}
        for word in DIRECTION_WORDS
    }
    assert by_word == {
        "larger": {"SSIM", "PSNR", "CPBD", "ID", "AVConf"},
        "smaller": {"FID", "ExpL1", "PoseL1", "LipLMD", "ExpFD", "PoseFD"},
        "nearest_zero": {"AVOffset"},
    }


@pytest.mark.parametrize(
    ("directions", "names", "expected"),
    [
        (None, ["FID", "AVOffset", "ID"], ["smaller", "nearest_zero", "larger"]),
        (None, np.array(["FID", "ID"], dtype=object), ["smaller", "larger"]),
        ({}, ["FID"], ["smaller"]),
        ({"b": "larger"}, ["FID", "b"], ["smaller", "larger"]),
        ({"FID": "larger"}, ["FID", "ID"], ["larger", "larger"]),
        (["smaller", "larger"], None, ["smaller", "larger"]),
        (("smaller", "larger"), ["ID", "b"], ["smaller", "larger"]),
        (np.array(["nearest_zero"]), None, ["nearest_zero"]),
        (pd.Series(["smaller", "larger"], index=[7, 3]), None, ["smaller", "larger"]),
        ("smaller", None, ["smaller", "smaller", "smaller"]),
        ("larger", ["FID", "b"], ["larger", "larger"]),
    ],
)
def test_resolve(directions, names, expected):
    resolved = resolve_directions(directions, len(expected), names)
    assert resolved.dtype.kind == "U"
    assert_array_equal(resolved, expected)


def test_resolve_leaves_the_callers_dict_and_the_known_ones_alone():
    given, known = {"FID": "larger"}, dict(KNOWN_DIRECTIONS)
    resolve_directions(given, 2, ["FID", "ID"])
    assert given == {"FID": "larger"}
    assert known == KNOWN_DIRECTIONS


@pytest.mark.parametrize(
    ("directions", "n_features", "names", "error", "message"),
    [
        (
            None,
            3,
            ["FID", "LPIPS", "fid"],
            ValueError,
            "no entry for the columns ['LPIPS', 'fid']; known by name are ['SSIM', 'PSNR'",
        ),
        ({"a": "larger"}, 2, ["a", "b"], ValueError, "Pass directions={'b': ...} with"),
        (None, 4, None, ValueError, "directions is None, but X has no column names"),
        (
            {},
            4,
            None,
            ValueError,
            "directions is a dict of 0 names, but X has no column",
        ),
        (
            {"a": "larger"},
            4,
            None,
            ValueError,
            "directions is a dict of 1 names, but X has no column names to look up; "
            "expected one direction per column. Pass a list of 4 words",
        ),
        (
            {"a": "larger", "c": "larger"},
            1,
            ["a"],
            ValueError,
            "directions names 'c', which is not a column of X; expected names of ['a']",
        ),
        (
            ["larger"],
            3,
            None,
            ValueError,
            "directions has 1 entries but X has 3 columns",
        ),
        (
            ["larger", "bigger"],
            2,
            ["a", "b"],
            ValueError,
            "directions is 'bigger' for column 1 ('b'); expected one of ['larger',",
        ),
        (["larger", 1], 2, None, ValueError, "directions is 1 for column 1; expected"),
        ({"FID": None}, 1, ["FID"], ValueError, "directions is None for column 0"),
        ("up", 2, None, ValueError, "directions is 'up' for column 0; expected one of"),
        (1, 2, None, TypeError, "directions is int; expected a list of 2 words"),
        ({"larger"}, 1, None, TypeError, "directions is set; expected a list of 1"),
    ],
)
def test_resolve_refuses(directions, n_features, names, error, message):
    with pytest.raises(error, match=re.escape(message)):
        resolve_directions(directions, n_features, names)


@pytest.mark.parametrize("container", [np.array, pd.DataFrame, np.ndarray.tolist])
def test_oriented_makes_larger_better(container):
    values = np.array([[1.0, 2.0, -3.0], [4.0, -5.0, 0.5]])
    X = container(values)
    turned = oriented(X, np.array(["larger", "smaller", "nearest_zero"]))
    assert_array_equal(turned, [[1.0, -2.0, -3.0], [4.0, 5.0, -0.5]])
    assert turned.dtype == np.float64
    assert_array_equal(np.asarray(X), values)


def test_oriented_takes_integers_without_a_sign():
    X = np.array([[1], [2]], dtype=np.uint8)
    assert_array_equal(oriented(X, ["smaller"]), [[-1.0], [-2.0]])
