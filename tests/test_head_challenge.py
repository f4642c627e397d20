"""The synthetic challenge: its layout, and the formulas that it is drawn by."""

import re

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_pscore._directions import KNOWN_DIRECTIONS, oriented
from sklearn_pscore._target.check import check_groups
from sklearn_pscore.datasets import make_head_challenge
from sklearn_pscore.datasets._head_challenge import draw_challenge

TRACKS = ("talking", "listening")
PLANTED = {
    "talking": {"AVConf": 1.0, "LipLMD": 0.5, "ID": 0.3, "ExpL1": 0.2},
    "listening": {"PoseFD": 1.0, "ExpFD": 0.5, "ID": 0.3, "CPBD": 0.2},
}


def described(challenge):
    """Read the table of means and std back out of DESCR, indexed by metric."""
    lines = challenge.DESCR.splitlines()
    start = next(n for n, line in enumerate(lines) if line.split()[:1] == ["metric"])
    rows = [line.split()[:5] for line in lines[start + 1 : start + 13]]
    table = pd.DataFrame(rows, columns=["metric", "direction", *TRACKS, "std"])
    return table.set_index("metric").astype(dict.fromkeys([*TRACKS, "std"], float))


def standardised(challenge, donor=False):
    """Return larger-is-better z values of one side's rows, and its full target."""
    side = TRACKS[(TRACKS.index(challenge.track) + donor) % 2]
    rows = challenge.groups["donor"] == donor
    table = described(challenge)
    directions = table["direction"].to_numpy()
    mean = oriented([table[side].to_numpy()], directions)
    values = oriented(challenge.data[rows], directions)
    return (values - mean) / table["std"].to_numpy(), challenge.groups_full[rows]


def without_scatter(track, *, n_challenges, weights="planted", noise=0.25):
    """Return a challenge of one clip that equals its system: formulas hold exactly."""
    return draw_challenge(
        track,
        (n_challenges, 8, 1),
        weights=weights,
        noise=noise,
        clip_scatter=0.0,
        rng=np.random.RandomState(0),
    )


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
    assert groups.dtype.names == (
        "group",
        "preference",
        "item",
        "clip",
        "donor",
        "group_size",
    )
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


@pytest.mark.parametrize("track", TRACKS)
def test_planted_weights_are_documented(track):
    weights = make_head_challenge(track).weights
    text = ", ".join(f"{name} {weights[name]}" for name in PLANTED[track])
    assert f"{track} {text}" in " ".join(make_head_challenge.__doc__.split())
    assert weights == dict.fromkeys(KNOWN_DIRECTIONS, 0.0) | PLANTED[track]


def test_challenge_with_the_defaults():
    challenge = make_head_challenge("talking")
    assert challenge.data.shape == (2 * 8 * 12, 12)
    assert (challenge.groups["preference"] == 10).sum() == 2 * 12


def test_challenge_names_sort_as_numbers_do():
    challenge = make_head_challenge(
        "talking", n_challenges=1001, n_systems=2, n_clips=1, random_state=0
    )
    labels = challenge.groups["group"][:2002:2]
    assert labels[[0, -1]].tolist() == ["talking-0000", "talking-1000"]
    assert_array_equal(np.sort(labels), labels)


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
def test_weights_are_recovered_exactly_without_noise(track, donor, weights):
    challenge = without_scatter(track, n_challenges=10, noise=0.0, weights=weights)
    z, target = standardised(challenge, donor)
    recovered, *_ = np.linalg.lstsq(z, target["preference"], rcond=None)
    side = TRACKS[(TRACKS.index(track) + donor) % 2]
    expected = dict.fromkeys(KNOWN_DIRECTIONS, 0.0) | PLANTED[side]
    if weights == "equal":
        expected = dict.fromkeys(KNOWN_DIRECTIONS, 1.0)
    assert_allclose(recovered, list(expected.values()), atol=1e-10)
    if not donor:
        assert challenge.weights == expected


@pytest.mark.parametrize("track", TRACKS)
def test_weights_are_recovered_from_item_means_of_many_clips(track):
    challenge = make_head_challenge(
        track, n_challenges=20, n_clips=200, noise=0.0, random_state=0
    )
    z, target = standardised(challenge)
    means = z.reshape(160, 200, 12).mean(axis=1)
    recovered, *_ = np.linalg.lstsq(means, target["preference"][::200], rcond=None)
    assert_allclose(recovered, list(challenge.weights.values()), atol=0.03)


@pytest.mark.parametrize("weights", ["planted", "equal"])
@pytest.mark.parametrize("donor", [False, True])
@pytest.mark.parametrize("track", TRACKS)
def test_correlations_with_the_preference(track, donor, weights):
    noise = 0.25
    challenge = without_scatter(track, n_challenges=1000, weights=weights, noise=noise)
    z, target = standardised(challenge, donor)
    side = TRACKS[(TRACKS.index(track) + donor) % 2]
    planted = (
        PLANTED[side] if weights == "planted" else dict.fromkeys(KNOWN_DIRECTIONS, 1)
    )
    length = np.sqrt(sum(weight**2 for weight in planted.values()) * (1 + noise**2))
    expected = [
        planted[name] / length if name in planted else -0.4 for name in KNOWN_DIRECTIONS
    ]
    correlation = np.corrcoef(z, target["preference"], rowvar=False)[-1, :-1]
    assert_allclose(correlation, expected, atol=0.04)
    assert_allclose(z.mean(axis=0), 0, atol=0.05)
    assert_allclose(z.std(axis=0), 1, atol=0.05)


def test_metrics_that_count_are_independent_and_the_others_share_the_preference():
    planted = without_scatter("talking", n_challenges=1000)
    counts = np.array(list(planted.weights.values())) > 0
    correlation = np.corrcoef(standardised(planted)[0], rowvar=False)
    off_diagonal = ~np.eye(12, dtype=bool)
    among_counting = np.outer(counts, counts) & off_diagonal
    among_others = np.outer(~counts, ~counts) & off_diagonal
    assert_allclose(correlation[among_counting], 0, atol=0.04)
    assert_allclose(correlation[among_others], 0.16, atol=0.04)
    equal = without_scatter("talking", n_challenges=1000, weights="equal")
    correlation = np.corrcoef(standardised(equal)[0], rowvar=False)
    assert_allclose(correlation[off_diagonal], 0, atol=0.045)


@pytest.mark.parametrize("noise", [0.0, 0.25, 2.0])
def test_noise_is_a_share_of_the_weighted_sum(noise):
    challenge = without_scatter("listening", n_challenges=1000, noise=noise)
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
    ranked = ~challenge.groups["donor"]
    late = challenge.data["AVOffset"].to_numpy()[ranked].reshape(1600, 12) > 0
    assert_array_equal(late.all(axis=1), late.any(axis=1))
    assert_allclose(late.mean(), 0.5, atol=0.05)
    preference = challenge.groups_full["preference"][ranked][::12]
    assert abs(np.corrcoef(late[:, 0], preference)[0, 1]) < 0.08


def test_each_track_has_its_own_level():
    challenge = make_head_challenge("talking", n_challenges=200, random_state=0)
    table = described(challenge)
    donor = challenge.groups["donor"]
    distance = challenge.data.abs()
    for side, rows in (("talking", ~donor), ("listening", donor)):
        gap = (distance[rows].mean() - table[side]) / table["std"]
        assert gap.abs().max() < 0.1
    worse = oriented(
        [(table["talking"] - table["listening"]) / table["std"]],
        table["direction"].replace("nearest_zero", "smaller"),
    )
    ahead = dict(zip(table.index, worse[0], strict=True))
    assert min(ahead[name] for name in ("LipLMD", "AVOffset", "AVConf")) >= 2 - 1e-9
    assert max(ahead[name] for name in ("ExpFD", "PoseFD")) <= -2
    common = ["SSIM", "PSNR", "CPBD", "FID", "ID", "ExpL1", "PoseL1"]
    assert max(abs(ahead[name]) for name in common) <= 0.5 + 1e-9


def test_values_stay_inside_the_bounds_of_their_metric():
    challenge = make_head_challenge("listening", n_challenges=200, random_state=0)
    table = described(challenge)
    reach = 6 * np.hypot(1, 0.5) * table["std"]
    for track in TRACKS:
        assert (table[track] - reach > 0).all()
        assert (table[track] + reach)[["SSIM", "ID"]].max() < 1
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


def test_tracks_are_drawn_independently():
    challenge = without_scatter("talking", n_challenges=1000, weights="equal")
    talking, groups_talking = standardised(challenge)
    listening, groups_listening = standardised(challenge, donor=True)
    cross = np.corrcoef(talking, listening, rowvar=False)[:12, 12:]
    assert_allclose(cross, 0, atol=0.045)
    preferences = groups_talking["preference"], groups_listening["preference"]
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
        ({"noise": -0.1}, ValueError, "noise is -0.1; expected a fraction from 0"),
        ({"noise": np.nan}, ValueError, "noise is nan; expected a fraction from 0"),
        ({"noise": np.inf}, ValueError, "noise is inf; expected a fraction from 0"),
        ({"noise": 1e308}, ValueError, "noise is 1e+308; expected a fraction from 0"),
        ({"random_state": "0"}, ValueError, "make_head_challenge must be an int in"),
        ({"random_state": -1}, ValueError, "a RandomState or None. Got -1 instead."),
        ({"noise": "0.1"}, TypeError, "noise is '0.1'; expected a number, at least 0"),
    ],
)
def test_challenge_refuses(kwargs, error, message):
    with pytest.raises(error, match=re.escape(message)):
        make_head_challenge(**{"track": "talking", **kwargs})


def test_the_largest_noise_leaves_preferences_finite():
    challenge = make_head_challenge("talking", noise=1e300, random_state=0)
    assert np.isfinite(challenge.groups_full["preference"]).all()
    assert np.isfinite(challenge.data).all(axis=None)


def test_noise_of_every_float_type():
    draws = [
        make_head_challenge("talking", n_systems=4, noise=noise, random_state=0)
        for noise in (0.25, np.float16(0.25), np.float32(0.25))
    ]
    for draw in draws[1:]:
        assert_array_equal(draw.groups, draws[0].groups)
