"""THQA: what is read from its file, and what is said about the real one."""

import itertools
import os
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from sklearn.model_selection import GroupKFold

from sklearn_pscore._directions import resolve_directions
from sklearn_pscore._target.check import check_groups
from sklearn_pscore.datasets import fetch_thqa
from sklearn_pscore.datasets._remote_file import DATA_HOME_VARIABLE
from sklearn_pscore.datasets._thqa import THQA_FILE, read_thqa

FAKE = """Image,brisque,pi,musiq-ava,avset,distance,confi,Score
1_voice_en_35_wavlip,40.5,4,3.5,-1,7.5,2.5,0.6
1_voice_en_35_sad,20.5,5,4.5,2,6.5,3.5,1.8
my_face_voice_ch_7_wavlip,30.5,6,5.5,0,5.5,4.5,5.0
"""


@pytest.fixture
def thqa():
    """Return the real data, from the data home that the environment names."""
    home = os.environ.get("SKLEARN_PSCORE_DATA")
    if not home or not (Path(home) / THQA_FILE.path).exists():
        pytest.skip(f"SKLEARN_PSCORE_DATA names no folder with {THQA_FILE.path}")
    return fetch_thqa(data_home=home, download_if_missing=False)


def test_parses_the_upstream_form(tmp_path):
    path = tmp_path / "fake.csv"
    path.write_text(FAKE, newline="")
    thqa = read_thqa(path)
    names = ["brisque", "pi", "musiq-ava", "avset", "distance", "confi"]
    assert thqa.feature_names == list(thqa.data.columns) == names
    assert set(thqa.data.dtypes) == {np.dtype(np.float64)}
    assert_array_equal(thqa.data.iloc[1], [20.5, 5.0, 4.5, 2.0, 6.5, 3.5])
    assert thqa.groups["group"].tolist() == [
        "1_voice_en_35",
        "1_voice_en_35",
        "my_face_voice_ch_7",
    ]
    assert thqa.groups["preference"].tolist() == [0.6, 1.8, 5.0]
    assert thqa.groups["item"].tolist() == ["wavlip", "sad", "wavlip"]
    assert thqa.groups["block"].tolist() == ["1", "1", "my_face"]
    assert thqa.portraits.dtype.kind == "U"
    assert thqa.portraits.tolist() == ["1", "1", "my_face"]
    assert thqa.directions == {
        "brisque": "smaller",
        "pi": "smaller",
        "musiq-ava": "larger",
        "avset": "nearest_zero",
        "distance": "smaller",
        "confi": "larger",
    }


def test_real_file(thqa):
    assert thqa.data.shape == (800, 24)
    assert np.isfinite(thqa.data.to_numpy()).all()
    assert set(thqa.data.dtypes) == {np.dtype(np.float64)}
    labels, sizes = np.unique(thqa.groups["group"], return_counts=True)
    assert_array_equal(sizes, np.full(100, 8))
    assert np.unique(thqa.groups["item"]).tolist() == [
        *("ahead", "dinet", "dreamtalk", "iplap", "mkittalk", "sad", "vidtalk"),
        "wavlip",
    ]
    assert_array_equal(np.unique(thqa.portraits, return_counts=True)[1], [40] * 20)
    assert (thqa.groups["preference"].min(), thqa.groups["preference"].max()) == (
        0.1,
        5,
    )
    assert list(thqa.directions) == thqa.feature_names
    words = resolve_directions(thqa.directions, 24, thqa.feature_names)
    assert (words != "larger").sum() == 4
    assert check_groups(thqa.groups, n_rows=800).items.n_items == 800
    correlation = np.corrcoef(thqa.data["confi"], thqa.groups["preference"])[0, 1]
    assert f"{correlation:.2f}" in thqa.DESCR


def test_accuracy_of_the_method_alone_is_as_described(thqa):
    group, item = thqa.groups["group"], thqa.groups["item"]
    opinion = pd.Series(thqa.groups["preference"])
    accuracies = []
    for train, test in GroupKFold(5).split(thqa.data, groups=thqa.portraits):
        means = opinion[train].groupby(item[train]).mean()
        for label in np.unique(group[test]):
            rows = test[group[test] == label]
            pairs = [
                (opinion[a] > opinion[b]) == (means[item[a]] > means[item[b]])
                for a, b in itertools.combinations(rows, 2)
                if opinion[a] != opinion[b]
            ]
            accuracies.append(np.mean(pairs))
    assert f"{np.mean(accuracies):.3f}" in fetch_thqa.__doc__
    assert f"{100 * np.mean(accuracies):.1f} %" in thqa.DESCR


def test_description_names_the_file_that_is_fetched(tmp_path):
    path = tmp_path / "fake.csv"
    path.write_text(FAKE, newline="")
    text = " ".join(read_thqa(path).DESCR.split())
    assert f"``{Path(THQA_FILE.path).name}``" in text
    assert f"SHA-256 {THQA_FILE.sha256}." in text
    commit = re.search("/([0-9a-f]{40})/", THQA_FILE.url)[1]
    assert f"commit {commit}," in text
    assert "{" not in text
    assert "MIT" in text
    assert "2404.09003" in text


def test_docstring_names_the_file():
    assert f"``{THQA_FILE.path}``" in fetch_thqa.__doc__
    assert f"``{DATA_HOME_VARIABLE}``" in fetch_thqa.__doc__
