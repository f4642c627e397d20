"""THQA-NTIRE: what is read from its files, and what is said about the real ones."""

import os
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.model_selection import GroupKFold

from sklearn_pscore import Groups
from sklearn_pscore.datasets import fetch_thqa_ntire
from sklearn_pscore.datasets._remote_file import DATA_HOME_VARIABLE
from sklearn_pscore.datasets._thqa_ntire import THQA_NTIRE_FILES, read_thqa_ntire
from sklearn_pscore.inspection import bootstrap_leaderboard
from sklearn_pscore.metrics import pairwise_accuracy_score

FAKE = {
    "train": """Video,Score
10_sd3_common_voice_en_35_wavlip.mp4,3.2
10_sd3_common_voice_en_35_eat.mp4,1.5
10_voice_en_36505762_sad.mp4,4.5
""",
    "val": "Video,Score\n2_open_dalle_common_voice_ch_7_eat.mp4,0.5\n",
    "test": "Video,Score\n837_SEN_go_change_qp_level_9.mp4,3.65\n",
}


@pytest.fixture
def fake(tmp_path):
    paths = {subset: tmp_path / f"{subset}.csv" for subset in FAKE}
    for subset, path in paths.items():
        path.write_text(FAKE[subset])
    return read_thqa_ntire(paths)


@pytest.fixture
def real():
    """Return the real data, from the data home that the environment names."""
    home = os.environ.get(DATA_HOME_VARIABLE)
    if not home or not (Path(home) / THQA_NTIRE_FILES["test"].path).exists():
        pytest.skip(f"{DATA_HOME_VARIABLE} names no folder with THQA-NTIRE")
    return fetch_thqa_ntire(data_home=home, download_if_missing=False)


def test_parses_the_upstream_form(fake):
    assert fake.groups["group"].tolist() == [
        "10_sd3_common_voice_en_35",
        "10_sd3_common_voice_en_35",
        "2_open_dalle_common_voice_ch_7",
    ]
    assert fake.groups["item"].tolist() == ["wavlip", "eat", "eat"]
    assert fake.groups["preference"].tolist() == [3.2, 1.5, 0.5]
    assert fake.portraits.tolist() == ["10", "10", "2"]
    assert fake.groups["block"].tolist() == ["10", "10", "2"]
    assert fake.image_models.tolist() == ["sd3", "sd3", "open_dalle"]
    assert fake.subsets.tolist() == ["train", "train", "val"]
    assert fake.data.shape == (3, 0)
    assert (fake.feature_names, fake.directions) == ([], {})


def test_description_names_the_files_that_are_fetched(fake):
    text = " ".join(fake.DESCR.split())
    commits = set()
    for file in THQA_NTIRE_FILES.values():
        assert f"``{Path(file.path).name}``, SHA-256 {file.sha256}" in text
        assert file.url.endswith(Path(file.path).name)
        commits.add(re.search("/([0-9a-f]{40})/", file.url)[1])
    assert len(commits) == 1
    assert f"commit {commits.pop()}," in text
    assert "{" not in text
    for part in ("MIT", "2506.02875"):
        assert part in text
    assert f"``{THQA_NTIRE_FILES['train'].path}``" in fetch_thqa_ntire.__doc__


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(FileNotFoundError, match="THQA-NTIRE is not at"):
        fetch_thqa_ntire(tmp_path, download_if_missing=False)


def test_real_files(real):
    assert len(real.data) == len(real.groups) == 10_447
    _, sizes = np.unique(real.groups["group"], return_counts=True)
    assert (len(sizes), sizes.min(), sizes.max()) == (780, 7, 14)
    talkers = np.unique(real.groups["item"])
    assert len(talkers) == 14
    assert ", ".join(talkers) in " ".join(real.DESCR.split())
    assert len(np.unique(real.portraits)) == 14
    assert len(np.unique(real.image_models)) == 12
    assert np.unique(real.subsets).tolist() == ["test", "train", "val"]
    preference = real.groups["preference"]
    assert (preference.min(), preference.max()) == (0, 5)


def test_accuracy_of_the_talker_alone_is_as_described(real):
    item, opinion = real.groups["item"], real.groups["preference"]
    values = []
    for train, test in GroupKFold(5).split(opinion, groups=real.portraits):
        means = pd.Series(opinion[train]).groupby(item[train]).mean()
        groups = Groups.whole(real.groups[test])
        score = means[item[test]].to_numpy()
        values.append(pairwise_accuracy_score(groups, score, average=False))
    accuracy = np.mean(np.concatenate(values))
    assert f"{accuracy:.3f}" in fetch_thqa_ntire.__doc__
    assert f"{100 * accuracy:.1f} %" in real.DESCR


def test_leaderboard(real):
    board = bootstrap_leaderboard(real.groups, n_boot=1000, random_state=0)
    assert (board.n_groups, board.n_clusters) == (780, 14)
    systems = board.systems.set_index("item")
    assert_array_equal(systems.index[:3], ["sadtalker", "echomimic", "musetalk"])
    assert_array_equal(systems.loc["musetalk", ["rank_low", "rank_high"]], [3, 3])
    # Talkers are missing from groups, so means are adjusted, but not by much.
    frame = pd.DataFrame({name: real.groups[name] for name in ("item", "preference")})
    plain = frame.groupby("item")["preference"].mean()
    assert_allclose(systems["mean"], plain[systems.index], atol=0.06)
    assert np.abs(systems["mean"] - plain[systems.index]).max() > 0.02
