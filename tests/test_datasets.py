"""Data sets: the file of THQA, the paper's figures, and the synthetic challenge."""

import hashlib
import itertools
import os
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pooch
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.model_selection import GroupKFold

from sklearn_pscore._directions import KNOWN_DIRECTIONS, oriented, resolve_directions
from sklearn_pscore._target.check import check_groups
from sklearn_pscore.datasets import (
    _head_challenge,
    _thqa,
    fetch_thqa,
    load_paper_results,
    make_head_challenge,
)

# ----------------------------------------------------------------------------- THQA

FAKE = """Image,brisque,pi,musiq-ava,avset,distance,confi,Score
1_voice_en_35_wavlip,40.5,4,3.5,-1,7.5,2.5,0.6
1_voice_en_35_sad,20.5,5,4.5,2,6.5,3.5,1.8
my_face_voice_ch_7_wavlip,30.5,6,5.5,0,5.5,4.5,5.0
"""


@pytest.fixture
def thqa():
    """Return the real data, from the data home that the environment names."""
    home = os.environ.get("SKLEARN_PSCORE_DATA")
    if not home or not (Path(home) / "thqa" / "vvmf_results_a01.csv").exists():
        pytest.skip(
            "SKLEARN_PSCORE_DATA names no folder with thqa/vvmf_results_a01.csv"
        )
    return fetch_thqa(data_home=home, download_if_missing=False)


@pytest.fixture
def no_download(monkeypatch):
    """Make every download a failure of the test."""

    def retrieve(*args, **kwargs):
        raise AssertionError("a download was tried")

    monkeypatch.setattr(pooch, "retrieve", retrieve)


@pytest.fixture
def fake_home(tmp_path, monkeypatch):
    """Return a data home with a small file in the upstream form."""
    monkeypatch.setattr(_thqa, "_SHA256", hashlib.sha256(FAKE.encode()).hexdigest())
    monkeypatch.delenv("SKLEARN_PSCORE_DATA", raising=False)
    place_fake(tmp_path / "home")
    return tmp_path / "home"


def place_fake(home, text=FAKE):
    (home / "thqa").mkdir(parents=True)
    (home / "thqa" / "vvmf_results_a01.csv").write_text(text, newline="")


def stand_in_for_http(monkeypatch, download):
    """Let pooch do all but the transfer; return the addresses it asked for."""
    asked = []

    def call(self, url, output_file, *args, **kwargs):
        asked.append(url)
        download(Path(output_file))

    monkeypatch.setattr(pooch.HTTPDownloader, "__call__", call)
    return asked


def test_thqa_parses_the_upstream_form(fake_home, no_download):
    thqa = fetch_thqa(data_home=fake_home)
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


def test_thqa_is_looked_up_in_argument_then_variable_then_cache(
    fake_home, tmp_path, monkeypatch, no_download
):
    empty = tmp_path / "empty"
    monkeypatch.setattr(pooch, "os_cache", lambda project: tmp_path / "cache" / project)
    with pytest.raises(FileNotFoundError, match=r"cache/sklearn_pscore/thqa"):
        fetch_thqa(download_if_missing=False)
    monkeypatch.setenv("SKLEARN_PSCORE_DATA", "")
    with pytest.raises(FileNotFoundError, match=r"cache/sklearn_pscore/thqa"):
        fetch_thqa(download_if_missing=False)
    monkeypatch.setenv("SKLEARN_PSCORE_DATA", str(fake_home))
    assert len(fetch_thqa().data) == 3
    with pytest.raises(FileNotFoundError, match=re.escape(str(empty))):
        fetch_thqa(data_home=empty, download_if_missing=False)
    monkeypatch.setenv("SKLEARN_PSCORE_DATA", str(empty))
    assert len(fetch_thqa(data_home=str(fake_home)).data) == 3
    assert not empty.exists()


def test_thqa_takes_a_home_below_the_users(fake_home, monkeypatch, no_download):
    monkeypatch.setenv("HOME", str(fake_home.parent))
    monkeypatch.setenv("USERPROFILE", str(fake_home.parent))
    assert len(fetch_thqa(data_home="~/home").data) == 3


def test_thqa_writes_nothing_where_the_file_is_there(fake_home, no_download):
    def state():
        return {path: path.stat().st_mtime_ns for path in fake_home.parent.rglob("*")}

    before = state()
    fetch_thqa(data_home=fake_home)
    assert state() == before


def test_thqa_keeps_a_file_of_another_hash(fake_home, tmp_path, no_download):
    other = FAKE.replace("40.5", "41.5")
    place_fake(tmp_path / "other", other)
    path = tmp_path / "other" / "thqa" / "vvmf_results_a01.csv"
    came = hashlib.sha256(other.encode()).hexdigest()
    message = (
        f"{str(path)!r} has SHA-256 {came}; expected {_thqa._SHA256}. The file was kept "
        "and not used. Move it away"
    )
    with pytest.raises(ValueError, match=re.escape(message)):
        fetch_thqa(data_home=tmp_path / "other")
    assert path.read_text() == other


def test_thqa_missing_says_where_to_put_it(tmp_path, no_download):
    path = tmp_path / "thqa" / "vvmf_results_a01.csv"
    message = f"Download {_thqa._URL} and save it as {str(path)!r}"
    with pytest.raises(FileNotFoundError, match=re.escape(message)):
        fetch_thqa(data_home=tmp_path, download_if_missing=False)
    assert list(tmp_path.iterdir()) == []


def test_thqa_downloads_once(fake_home, tmp_path, monkeypatch):
    asked = stand_in_for_http(
        monkeypatch, lambda file: file.write_text(FAKE, newline="")
    )
    new_home = tmp_path / "new"
    first = fetch_thqa(data_home=new_home)
    second = fetch_thqa(data_home=new_home)
    assert asked == [
        "https://raw.githubusercontent.com/zyj-2000/THQA/"
        "c75c7cbe4e54caba5bfd78885d5c6983fbe14379/vvmf_results_a01.csv"
    ]
    pd.testing.assert_frame_equal(first.data, second.data)
    files = [path for path in new_home.rglob("*") if path.is_file()]
    assert files == [new_home / "thqa" / "vvmf_results_a01.csv"]


def breaks_off(file):
    file.write_text(FAKE[:50])
    raise ConnectionError("the line went dead")


def is_something_else(file):
    file.write_text("<html>Please log in</html>")


@pytest.mark.parametrize(
    ("download", "reason"),
    [
        (breaks_off, "ConnectionError: the line went dead"),
        (is_something_else, "ValueError: SHA256 hash of downloaded file"),
    ],
)
def test_thqa_failed_download_leaves_no_file(tmp_path, monkeypatch, download, reason):
    stand_in_for_http(monkeypatch, download)
    path = tmp_path / "thqa" / "vvmf_results_a01.csv"
    with pytest.raises(OSError, match=re.escape(f"could not be downloaded ({reason}")):
        fetch_thqa(data_home=tmp_path)
    with pytest.raises(OSError, match=re.escape(f"save it as {str(path)!r}")):
        fetch_thqa(data_home=tmp_path)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_thqa_home_that_cannot_be_written(tmp_path, monkeypatch):
    stand_in_for_http(monkeypatch, is_something_else)
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(OSError, match="could not be downloaded"):
        fetch_thqa(data_home=tmp_path / "file")
    assert (tmp_path / "file").read_text() == "not a folder"


def test_thqa_refuses_a_home_of_another_type():
    with pytest.raises(TypeError, match="data_home is int; expected the path"):
        fetch_thqa(data_home=3)


def test_thqa_real_file(thqa):
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


def test_thqa_accuracy_of_the_method_alone_is_as_described(thqa):
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


def test_thqa_description_names_the_file_that_is_fetched():
    text = Path(_thqa.__file__).with_name("thqa.rst").read_text(encoding="utf-8")
    for fact in (_thqa._COMMIT, _thqa._SHA256, _thqa._FILE, "MIT", "2404.09003"):
        assert fact in text


# ---------------------------------------------------------------- the paper's figures


def orders_dcg(n_items):
    """Return the DCG of every order of N items, keyed by the order of their gains."""
    discounts = 1 / np.log2(np.arange(2, n_items + 2))
    return {
        order: np.dot(order, discounts)
        for order in itertools.permutations(range(1, n_items + 1))
    }


def test_paper_tables_have_one_row_per_printed_figure():
    paper = load_paper_results()
    assert list(paper.table_2.columns) == ["method", "track", "metric", "mean", "std"]
    assert not paper.table_2.duplicated(["method", "track", "metric"]).any()
    assert len(paper.table_2) == 6 * 2 * 2
    assert not paper.table_3.duplicated(["track", "item", "method"]).any()
    assert len(paper.table_3) == (3 + 4) * 5
    for table in (paper.table_2, paper.table_3):
        assert table["mean"].dtype == table["std"].dtype == np.float64
        assert table["mean"].notna().all()
        repeated = table["method"].isin(["DT", "CB", "PS"])
        assert_array_equal(table["std"].notna(), repeated)
    assert paper.table_3["award"].dtype == bool
    winners = paper.table_3[paper.table_3["award"]].groupby("track")["item"].unique()
    assert winners["talking"].tolist() == ["ilearn"]
    assert winners["listening"].tolist() == ["Lyalunov"]


def test_paper_figures_are_the_printed_ones():
    paper = load_paper_results()
    wide = paper.table_2.pivot_table(
        index="method", columns=["track", "metric"], values=["mean", "std"], sort=False
    )
    assert wide["mean", "talking", "DCG"].to_dict() == {
        "GT": 10.27,
        "#Top1": 9.65,
        "RS": 9.75,
        "DT": 8.815,
        "CB": 9.925,
        "PS": 10.075,
    }
    assert wide["std", "listening", "MRR"].dropna().to_dict() == {
        "DT": 0.287,
        "CB": 0.256,
        "PS": 0.186,
    }
    lyalunov = paper.table_3.query("item == 'Lyalunov'").set_index("method")
    assert lyalunov["mean"].to_dict() == {
        "#Top1": 0,
        "RS": 36,
        "DT": 1.6,
        "CB": 1,
        "PS": 6,
    }
    assert paper.importance.to_dict("list") == {
        "track": ["talking", "listening"],
        "feature": ["AVConf", "PoseFD"],
        "dcg": [10.20, 13.02],
        "dcg_permuted": [8.05, 11.91],
    }


def test_paper_ground_truth_is_a_perfect_order_of_five_and_of_six():
    table = load_paper_results().table_2.query("method == 'GT' and metric == 'DCG'")
    printed = table.set_index("track")["mean"].to_dict()
    best = {n_items: max(orders_dcg(n_items).values()) for n_items in (5, 6)}
    assert printed == {"talking": round(best[5], 2), "listening": round(best[6], 2)}


def test_paper_remark_that_the_rank_sums_pair_is_impossible():
    orders = [o for o, dcg in orders_dcg(5).items() if abs(dcg - 9.75) <= 0.005]
    assert len(orders) == 1
    assert orders[0][0] == 4
    assert "second best item first" in " ".join(load_paper_results().DESCR.split())


@pytest.mark.parametrize(
    ("n_items", "printed", "n_runs"),
    [(5, (0.929, 0.175), 7), (6, (0.917, 0.186), 6)],
)
def test_paper_remark_that_five_runs_do_not_give_the_mrr(n_items, printed, n_runs):
    possible = set()
    for runs in range(2, 9):
        for ranks in itertools.combinations_with_replacement(
            range(1, n_items + 1), runs
        ):
            values = 1 / np.array(ranks)
            stds = values.std(), values.std(ddof=1)
            if any(np.allclose((values.mean(), s), printed, atol=5e-4) for s in stds):
                possible.add(ranks)
    assert possible == {(1,) * (n_runs - 1) + (2,)}
    assert f"{n_runs - 1} of {n_runs} runs" in load_paper_results().DESCR


def test_paper_levels_are_means_of_five_integers():
    table = load_paper_results().table_3.query("method in ['DT', 'CB']")
    for mean, std in zip(table["mean"], table["std"], strict=True):
        fits = any(
            np.allclose((np.mean(levels), np.std(levels)), (mean, std), atol=5e-3)
            for levels in itertools.combinations_with_replacement(range(7), 5)
        )
        assert fits, (mean, std)


def test_paper_results_are_fresh_on_every_call():
    table = load_paper_results().table_2
    table["mean"] = 0.0
    assert load_paper_results().table_2["mean"].min() > 0


# -------------------------------------------------------------- synthetic challenges

TRACKS = ("talking", "listening")
PLANTED = {
    "talking": {"AVConf": 1.0, "LipLMD": 0.5, "ID": 0.3, "ExpL1": 0.2},
    "listening": {"PoseFD": 1.0, "ExpFD": 0.5, "ID": 0.3, "CPBD": 0.2},
}


def levels_described(challenge):
    """Read the table of means and spreads back out of DESCR, indexed by metric."""
    lines = challenge.DESCR.splitlines()
    start = next(n for n, line in enumerate(lines) if line.split()[:1] == ["metric"])
    rows = [line.split()[:5] for line in lines[start + 1 : start + 13]]
    table = pd.DataFrame(rows, columns=["metric", "direction", *TRACKS, "std"])
    return table.set_index("metric").astype(dict.fromkeys([*TRACKS, "std"], float))


def standardised(challenge, donor=False):
    """Return larger-is-better z values of one side's rows, and its full target."""
    side = TRACKS[(TRACKS.index(challenge.track) + donor) % 2]
    rows = challenge.groups["donor"] == donor
    levels = levels_described(challenge)
    directions = levels["direction"].to_numpy()
    mean = oriented([levels[side].to_numpy()], directions)
    values = oriented(challenge.data[rows], directions)
    return (values - mean) / levels["std"].to_numpy(), challenge.groups_full[rows]


@pytest.fixture
def no_scatter(monkeypatch):
    """Let every clip equal its system, so that the formulas hold exactly."""
    monkeypatch.setattr(_head_challenge, "_CLIP_SCATTER", 0.0)


@pytest.mark.parametrize("track", TRACKS)
def test_challenge_layout(track):
    challenge = make_head_challenge(
        track, n_challenges=2, n_systems=3, n_clips=4, random_state=0
    )
    other = TRACKS[1 - TRACKS.index(track)]
    groups = challenge.groups
    assert challenge.data.shape == (2 * 2 * 3 * 4, 12)
    assert list(challenge.data.columns) == challenge.feature_names
    assert challenge.feature_names == list(KNOWN_DIRECTIONS)
    assert challenge.directions == KNOWN_DIRECTIONS
    assert challenge.track == track
    assert groups.dtype.names == ("group", "preference", "item", "clip", "donor")
    assert groups["group"].tolist() == [
        label
        for label in (f"{track}-000", f"{track}-001", f"{other}-000", f"{other}-001")
        for _ in range(12)
    ]
    assert_array_equal(groups["donor"], np.repeat([False, True], 24))
    assert_array_equal(groups["clip"], np.tile(np.arange(4), 12))
    assert len(np.unique(groups["item"])) == 2 * 2 * 3
    assert groups["item"][4] == f"{track}-000-system-01"
    assert challenge.weights == dict.fromkeys(KNOWN_DIRECTIONS, 0.0) | PLANTED[track]
    target = check_groups(groups, n_rows=len(challenge.data))
    assert target.items.n_items == 2 * 3
    for field in ("group", "item", "clip", "donor"):
        assert_array_equal(groups[field], challenge.groups_full[field])


def test_challenge_with_the_defaults():
    challenge = make_head_challenge("talking")
    assert challenge.data.shape == (2 * 8 * 12, 12)
    assert (challenge.groups["preference"] == 10).sum() == 2 * 12


def test_challenge_names_sort_as_numbers_do():
    challenge = make_head_challenge(
        "talking", n_challenges=1001, n_systems=2, n_clips=1, random_state=0
    )
    own = challenge.groups["group"][:2002:2]
    assert own[[0, -1]].tolist() == ["talking-0000", "talking-1000"]
    assert_array_equal(np.sort(own), own)


@pytest.mark.parametrize("track", TRACKS)
def test_award_goes_to_the_best_of_the_full_order(track):
    challenge = make_head_challenge(track, n_challenges=20, n_clips=2, random_state=0)
    award, full = challenge.groups, challenge.groups_full
    assert set(award["preference"]) == {0.0, 10.0}
    for label in np.unique(award["group"]):
        rows = award["group"] == label
        best = full["preference"][rows] == full["preference"][rows].max()
        assert best.sum() == 2
        assert_array_equal(award["preference"][rows], 10.0 * best)


@pytest.mark.parametrize("weights", ["planted", "equal"])
@pytest.mark.parametrize("donor", [False, True])
@pytest.mark.parametrize("track", TRACKS)
def test_weights_are_recovered_exactly_without_noise(track, donor, weights, no_scatter):
    challenge = make_head_challenge(
        track, n_challenges=10, n_clips=1, noise=0.0, weights=weights, random_state=0
    )
    z, target = standardised(challenge, donor)
    found, *_ = np.linalg.lstsq(z, target["preference"], rcond=None)
    side = TRACKS[(TRACKS.index(track) + donor) % 2]
    expected = dict.fromkeys(KNOWN_DIRECTIONS, 0.0) | PLANTED[side]
    if weights == "equal":
        expected = dict.fromkeys(KNOWN_DIRECTIONS, 1.0)
    assert_allclose(found, list(expected.values()), atol=1e-10)
    if not donor:
        assert challenge.weights == expected


@pytest.mark.parametrize("track", TRACKS)
def test_weights_are_recovered_from_item_means_of_many_clips(track):
    challenge = make_head_challenge(
        track, n_challenges=20, n_clips=200, noise=0.0, random_state=0
    )
    z, target = standardised(challenge)
    means = z.reshape(160, 200, 12).mean(axis=1)
    found, *_ = np.linalg.lstsq(means, target["preference"][::200], rcond=None)
    assert_allclose(found, list(challenge.weights.values()), atol=0.03)


@pytest.mark.parametrize("weights", ["planted", "equal"])
@pytest.mark.parametrize("donor", [False, True])
@pytest.mark.parametrize("track", TRACKS)
def test_correlations_with_the_preference(track, donor, weights, no_scatter):
    noise = 0.25
    challenge = make_head_challenge(
        track, n_challenges=1000, n_clips=1, weights=weights, random_state=0
    )
    z, target = standardised(challenge, donor)
    side = TRACKS[(TRACKS.index(track) + donor) % 2]
    planted = (
        PLANTED[side] if weights == "planted" else dict.fromkeys(KNOWN_DIRECTIONS, 1)
    )
    length = np.sqrt(sum(weight**2 for weight in planted.values()) * (1 + noise**2))
    expected = [
        planted[name] / length if name in planted else -0.4 for name in KNOWN_DIRECTIONS
    ]
    found = np.corrcoef(z, target["preference"], rowvar=False)[-1, :-1]
    assert_allclose(found, expected, atol=0.04)
    assert_allclose(z.mean(axis=0), 0, atol=0.05)
    assert_allclose(z.std(axis=0), 1, atol=0.05)


def test_metrics_that_count_are_independent_and_the_others_share_the_preference(
    no_scatter,
):
    planted = make_head_challenge(
        "talking", n_challenges=1000, n_clips=1, random_state=0
    )
    counts = np.array(list(planted.weights.values())) > 0
    correlation = np.corrcoef(standardised(planted)[0], rowvar=False)
    off_diagonal = ~np.eye(12, dtype=bool)
    among_counting = np.outer(counts, counts) & off_diagonal
    among_others = np.outer(~counts, ~counts) & off_diagonal
    assert_allclose(correlation[among_counting], 0, atol=0.04)
    assert_allclose(correlation[among_others], 0.16, atol=0.04)
    equal = make_head_challenge(
        "talking", n_challenges=1000, n_clips=1, weights="equal", random_state=0
    )
    correlation = np.corrcoef(standardised(equal)[0], rowvar=False)
    assert_allclose(correlation[off_diagonal], 0, atol=0.045)


@pytest.mark.parametrize("noise", [0.0, 0.25, 2.0])
def test_noise_is_a_share_of_the_weighted_sum(noise, no_scatter):
    challenge = make_head_challenge(
        "listening", n_challenges=1000, n_clips=1, noise=noise, random_state=0
    )
    z, target = standardised(challenge)
    total = z @ list(challenge.weights.values())
    error = target["preference"] - total
    assert_allclose(error.std() / total.std(), noise, rtol=0.04, atol=1e-12)
    if noise:
        assert abs(np.corrcoef(error, total)[0, 1]) < 0.04


def test_clips_scatter_by_half_of_the_spread_between_systems():
    challenge = make_head_challenge(
        "talking", n_challenges=50, n_systems=8, n_clips=20, random_state=0
    )
    z = standardised(challenge)[0].reshape(400, 20, 12)
    scatter = z - z.mean(axis=1, keepdims=True)
    assert_allclose(scatter.std(axis=(0, 1)) * np.sqrt(20 / 19), 0.5, rtol=0.03)
    flat = np.corrcoef(scatter.reshape(-1, 12), rowvar=False)
    assert_allclose(flat, np.eye(12), atol=0.05)


def test_offset_is_early_or_late_throughout_a_system():
    challenge = make_head_challenge("talking", n_challenges=200, random_state=0)
    own = ~challenge.groups["donor"]
    late = challenge.data["AVOffset"].to_numpy()[own].reshape(1600, 12) > 0
    assert_array_equal(late.all(axis=1), late.any(axis=1))
    assert_allclose(late.mean(), 0.5, atol=0.05)
    preference = challenge.groups_full["preference"][own][::12]
    assert abs(np.corrcoef(late[:, 0], preference)[0, 1]) < 0.08


def test_each_track_has_its_own_level():
    challenge = make_head_challenge("talking", n_challenges=200, random_state=0)
    levels = levels_described(challenge)
    donor = challenge.groups["donor"]
    distance = challenge.data.abs()
    for side, rows in (("talking", ~donor), ("listening", donor)):
        gap = (distance[rows].mean() - levels[side]) / levels["std"]
        assert gap.abs().max() < 0.1
    worse = oriented(
        [(levels["talking"] - levels["listening"]) / levels["std"]],
        levels["direction"].replace("nearest_zero", "smaller"),
    )
    ahead = dict(zip(levels.index, worse[0], strict=True))
    assert min(ahead[name] for name in ("LipLMD", "AVOffset", "AVConf")) >= 2 - 1e-9
    assert max(ahead[name] for name in ("ExpFD", "PoseFD")) <= -2
    common = ["SSIM", "PSNR", "CPBD", "FID", "ID", "ExpL1", "PoseL1"]
    assert max(abs(ahead[name]) for name in common) <= 0.5 + 1e-9


def test_values_stay_inside_the_bounds_of_their_metric():
    challenge = make_head_challenge("listening", n_challenges=200, random_state=0)
    levels = levels_described(challenge)
    reach = 6 * np.hypot(1, 0.5) * levels["std"]
    for track in TRACKS:
        assert (levels[track] - reach > 0).all()
        assert (levels[track] + reach)[["SSIM", "ID"]].max() < 1
    assert challenge.data.drop(columns="AVOffset").min().min() > 0
    assert challenge.data[["SSIM", "ID"]].max().max() < 1
    assert challenge.data["AVOffset"].abs().max() < 5


def test_one_seed_shows_one_challenge_from_both_sides():
    talking = make_head_challenge("talking", n_challenges=3, random_state=5)
    listening = make_head_challenge("listening", n_challenges=3, random_state=5)
    donor = talking.groups["donor"]
    assert_array_equal(talking.data[donor], listening.data[~donor])
    assert_array_equal(listening.data[donor], talking.data[~donor])
    for name in ("groups", "groups_full"):
        for field in ("group", "preference", "item", "clip"):
            assert_array_equal(
                talking[name][field][donor], listening[name][field][~donor]
            )


def test_tracks_are_drawn_independently(no_scatter):
    challenge = make_head_challenge(
        "talking", n_challenges=1000, n_clips=1, weights="equal", random_state=0
    )
    own, own_target = standardised(challenge)
    other, other_target = standardised(challenge, donor=True)
    cross = np.corrcoef(own, other, rowvar=False)[:12, 12:]
    assert_allclose(cross, 0, atol=0.045)
    preferences = own_target["preference"], other_target["preference"]
    assert abs(np.corrcoef(*preferences)[0, 1]) < 0.04


def test_same_seed_same_data_and_other_seed_other_data():
    first = make_head_challenge("talking", random_state=3)
    again = make_head_challenge("talking", random_state=np.random.RandomState(3))
    other = make_head_challenge("talking", random_state=4)
    pd.testing.assert_frame_equal(first.data, again.data)
    assert_array_equal(first.groups, again.groups)
    assert_array_equal(first.groups_full, again.groups_full)
    assert not np.isclose(first.data, other.data).any()
    assert not np.isclose(
        first.groups_full["preference"], other.groups_full["preference"]
    ).any()


def test_global_generator_is_untouched():
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    make_head_challenge("talking", random_state=0)
    assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


def test_results_do_not_share_state():
    first = make_head_challenge("talking", random_state=0)
    first.directions["SSIM"] = "smaller"
    first.weights["SSIM"] = 9.0
    second = make_head_challenge("talking", random_state=0)
    assert second.directions["SSIM"] == KNOWN_DIRECTIONS["SSIM"] == "larger"
    assert second.weights["SSIM"] == 0.0


@pytest.mark.parametrize(
    ("kwargs", "error", "message"),
    [
        ({"track": "singing"}, ValueError, "'listening']. Got 'singing' instead."),
        ({"track": ["talking"]}, ValueError, "Got ['talking'] instead."),
        ({"weights": "mine"}, ValueError, "among ['planted', 'equal']. Got 'mine'"),
        ({"n_challenges": 0}, ValueError, "n_challenges is 0; expected at least 1"),
        ({"n_systems": 1}, ValueError, "n_systems is 1; expected at least 2. Pass"),
        ({"n_clips": 0}, ValueError, "n_clips is 0; expected at least 1"),
        (
            {"n_clips": 2.0},
            TypeError,
            "n_clips is 2.0; expected an integer, at least 1",
        ),
        ({"n_systems": True}, TypeError, "n_systems is True; expected an integer"),
        ({"noise": -0.1}, ValueError, "noise is -0.1; expected a finite fraction"),
        ({"noise": np.nan}, ValueError, "noise is nan; expected a finite fraction"),
        ({"noise": np.inf}, ValueError, "noise is inf; expected a finite fraction"),
        ({"noise": "0.1"}, TypeError, "noise is '0.1'; expected a number, at least 0"),
    ],
)
def test_challenge_refuses(kwargs, error, message):
    with pytest.raises(error, match=re.escape(message)):
        make_head_challenge(**{"track": "talking", **kwargs})
