"""Synthetic conversational-head challenges whose true preference is known."""

from importlib.resources import files
from numbers import Integral, Real

import numpy as np
import pandas as pd
from sklearn.utils import Bunch

from sklearn_pscore._directions import KNOWN_DIRECTIONS
from sklearn_pscore._estimators.random_state import generator_of
from sklearn_pscore._target.groups import AWARD_PREFERENCE, Groups

_TRACKS = ("talking", "listening")
_FEATURES = tuple(KNOWN_DIRECTIONS)

_PLANTED_WEIGHTS = {
    "talking": {"AVConf": 1.0, "LipLMD": 0.5, "ID": 0.3, "ExpL1": 0.2},
    "listening": {"PoseFD": 1.0, "ExpFD": 0.5, "ID": 0.3, "CPBD": 0.2},
}

_MEANS_AND_STD = {
    "SSIM": (0.65, 0.63, 0.04),
    "PSNR": (18.0, 17.5, 1.0),
    "CPBD": (0.25, 0.24, 0.03),
    "FID": (30.0, 32.0, 4.0),
    "ID": (0.80, 0.79, 0.025),
    "ExpL1": (0.15, 0.16, 0.02),
    "PoseL1": (0.100, 0.105, 0.013),
    "LipLMD": (12.0, 15.0, 1.5),
    "AVOffset": (2.0, 2.5, 0.25),
    "AVConf": (3.00, 2.25, 0.30),
    "ExpFD": (5.4, 4.0, 0.55),
    "PoseFD": (0.30, 0.22, 0.03),
}
"""Mean on talking, mean on listening, standard deviation between systems.

In the units of the metric; for AVOffset, of its distance from zero. A listener's
mouth does not follow the audio and a talker's head does not move as a
listener's, so each track is two to three standard deviations worse in the
metrics of the other. The bounds of a metric (0, and 1 for SSIM and ID) are more
than six standard deviations of a clip away, so that nothing is clipped.
"""

_MOST_NOISE = 1e300
"""Largest noise, as a fraction: the preference is finite, being some times that."""

_UNITS = {"PSNR": "dB", "LipLMD": "pixels", "AVOffset": "frames"}

_CLIP_SCATTER = 0.5
"""Standard deviation of clips around their system; 1 is that between systems."""

UNWEIGHTED_CORRELATION = -0.4
"""Correlation with the preference of every metric without a weight."""


def make_head_challenge(
    track,
    *,
    n_challenges=1,
    n_systems=8,
    n_clips=12,
    weights="planted",
    noise=0.25,
    random_state=None,
):
    """Make conversational-head challenges with a known human preference.

    A challenge is one group of systems, each measured on `n_clips` clips by the
    twelve metrics of the paper [1]_, with the units and directions that these
    have. The other track's systems of the same challenge come along as donor
    rows in a group of their own, with that track's preference.

    Definition, with z the metrics of a system, standardised over all systems
    and turned so that larger is better:

    .. math:: p = \\sum_k w_k z_k + \\epsilon, \\qquad
        \\mathrm{std}(\\epsilon) = noise \\cdot \\lVert w \\rVert

    The metrics with a weight are independent. Every other metric is -0.4 times
    the standardised preference plus independent noise, so that it misleads.

    Both tracks are drawn in any case. The same `random_state` gives the same
    challenge seen from either side: the rows of one are the donors of the other.

    Parameters
    ----------
    track : {"talking", "listening"}
        Track whose systems are ranked; the other's are the donors.
    n_challenges : int, default=1
        Number of groups of the track, at least 1.
    n_systems : int, default=8
        Systems per challenge and track, at least 2.
    n_clips : int, default=12
        Clips per system, at least 1. A clip scatters around its system with
        half of the standard deviation between systems.
    weights : {"planted", "equal"}, default="planted"
        ``"planted"``: talking AVConf 1.0, LipLMD 0.5, ID 0.3, ExpL1 0.2;
        listening PoseFD 1.0, ExpFD 0.5, ID 0.3, CPBD 0.2; the others 0.
        ``"equal"`` is the control: weight 1 for all twelve.
    noise : float, default=0.25
        Standard deviation of the noise in the preference, as a fraction of that
        of the weighted sum; from 0 to 1e300.
    random_state : int, RandomState instance or None, default=None
        Pass an int for the same data on every call.

    Returns
    -------
    challenge : Bunch
        With the attributes, where n_samples is
        ``2 * n_challenges * n_systems * n_clips``

        data : DataFrame of shape (n_samples, 12), float64
            One row per clip: first the rows of `track`, then the donors, each
            sorted by challenge, system and clip.
        groups : structured ndarray of shape (n_samples,)
            The award only: preference 10 for the system that people like best in
            its challenge, 0 for the rest. `item`, `clip` and `donor` are given.
        groups_full : structured ndarray of shape (n_samples,)
            The same with the continuous preference p.
        feature_names : list of str
            The twelve column names.
        directions : dict
            ``"larger"``, ``"smaller"`` or ``"nearest_zero"`` by column name.
        weights : dict
            True weight of each of the twelve metrics on this track.
        track : str
            The track that was asked for.
        DESCR : str
            How the data is made, with the mean and spread of each metric.

    Raises
    ------
    ValueError
        If a count is too small, `noise` is negative or too large, a word is
        unknown, or `random_state` is no seed.
    TypeError
        If a count or `noise` is no number.

    See Also
    --------
    fetch_thqa : Real videos with mean opinion scores.
    PairAugmenter : Uses the clips and the donors.

    References
    ----------
    .. [1] Zhou et al., "Learning and Evaluating Human Preferences for
       Conversational Head Generation", ACM MM 2023, arXiv:2307.10636.

    Examples
    --------
    Two systems with one clip each, and two of the other track:

    >>> from sklearn_pscore.datasets import make_head_challenge
    >>> challenge = make_head_challenge(
    ...     "talking", n_systems=2, n_clips=1, random_state=0
    ... )
    >>> challenge.groups["group"].tolist()
    ['talking-000', 'talking-000', 'listening-000', 'listening-000']
    >>> sorted(challenge.groups["preference"][:2].tolist())
    [0.0, 10.0]
    """
    _check_word(track, "track", _TRACKS)
    _check_word(weights, "weights", ("planted", "equal"))
    _check_count(n_challenges, "n_challenges", 1)
    _check_count(n_systems, "n_systems", 2)
    _check_count(n_clips, "n_clips", 1)
    _check_noise(noise)
    return draw_challenge(
        track,
        (n_challenges, n_systems, n_clips),
        weights=weights,
        noise=float(noise),
        clip_scatter=_CLIP_SCATTER,
        rng=generator_of(random_state, "make_head_challenge"),
    )


def draw_challenge(track, shape, *, weights, noise, clip_scatter, rng):
    """Return the Bunch of :func:`make_head_challenge`.

    Parameters
    ----------
    shape : tuple (n_challenges, n_systems, n_clips)
    clip_scatter : float
        Standard deviation of clips around their system; 1 is that between
        systems.
    rng : RandomState
    track, weights, noise
        As there.
    """
    # Both tracks, in this order, whichever was asked for: the same seed makes the
    # same two tracks.
    tracks = {
        name: _draw_track(
            rng, name, _weights_of(name, weights), noise, clip_scatter, shape
        )
        for name in _TRACKS
    }
    ranked = tracks.pop(track)
    (donors,) = tracks.values()
    rows = pd.concat([ranked.assign(donor=False), donors.assign(donor=True)])
    rows = rows.reset_index(drop=True)
    fields = {name: rows[name] for name in ("group", "item", "clip", "donor")}
    return Bunch(
        data=rows[list(_FEATURES)],
        groups=Groups.from_arrays(preference=rows["award"], **fields),
        groups_full=Groups.from_arrays(preference=rows["preference"], **fields),
        feature_names=list(_FEATURES),
        directions=dict(KNOWN_DIRECTIONS),
        weights=_weights_of(track, weights),
        track=track,
        DESCR=_describe(),
    )


def _weights_of(track, weights):
    """Return the true weight of each metric, by name."""
    if weights == "equal":
        return dict.fromkeys(_FEATURES, 1.0)
    return {name: _PLANTED_WEIGHTS[track].get(name, 0.0) for name in _FEATURES}


def _draw_track(rng, track, weights, noise, clip_scatter, shape):
    """Return one track as a frame: features, group, item, clip and preferences."""
    n_challenges, n_systems, n_clips = shape
    latent, preference = _draw_systems(
        rng, np.array(list(weights.values())), noise, shape[:2]
    )
    # One sign for all clips of a system: it is early or late throughout, and the
    # mean over clips keeps the distance from zero.
    sign = rng.choice([-1.0, 1.0], size=(n_challenges, n_systems, 1))
    scatter = clip_scatter * rng.standard_normal((*shape, len(_FEATURES)))
    features = _to_units(latent[:, :, np.newaxis, :] + scatter, sign, track)
    best = preference == preference.max(axis=1, keepdims=True)
    groups = _numbered(track, n_challenges, at_least=3)
    systems = _numbered("system", n_systems, at_least=2)
    # No system is in two challenges, so its name starts with the challenge.
    items = np.array([[f"{group}-{system}" for system in systems] for group in groups])
    frame = pd.DataFrame(features.reshape(-1, len(_FEATURES)), columns=list(_FEATURES))
    return frame.assign(
        group=np.repeat(groups, n_systems * n_clips),
        item=np.repeat(items.ravel(), n_clips),
        clip=np.tile(np.arange(n_clips), n_challenges * n_systems),
        preference=np.repeat(preference.ravel(), n_clips),
        award=np.repeat(AWARD_PREFERENCE * best.ravel(), n_clips),
    )


def _draw_systems(rng, weights, noise, shape):
    """Draw the latent metrics z (larger is better) and preferences p of systems.

    p = w'z + e with z standard normal and e normal of standard deviation
    noise |w|. Then each z_k of weight 0 becomes c p / std(p) + sqrt(1 - c^2) z_k:
    mean 0 and variance 1 as before, and correlation c with p.

    Returns
    -------
    latent : ndarray of shape (n_challenges, n_systems, 12)
    preference : ndarray of shape (n_challenges, n_systems)
    """
    latent = rng.standard_normal((*shape, len(weights)))
    spread = np.linalg.norm(weights)
    error = noise * spread * rng.standard_normal(shape)
    preference = latent @ weights + error
    standardised = preference / (spread * np.hypot(1.0, noise))
    others = weights == 0
    latent[..., others] = (
        UNWEIGHTED_CORRELATION * standardised[..., np.newaxis]
        + np.sqrt(1.0 - UNWEIGHTED_CORRELATION**2) * latent[..., others]
    )
    return latent, preference


def _to_units(latent, sign, track):
    """Map latent metrics z, in the last axis, to the units of each metric.

    mean + std z where larger is better, mean - std z where smaller is better,
    and sign (mean - std z) where nearest to zero is best.
    """
    columns = []
    for column, name in enumerate(_FEATURES):
        *means, std = _MEANS_AND_STD[name]
        mean = means[_TRACKS.index(track)]
        deviation = std * latent[..., column]
        if KNOWN_DIRECTIONS[name] == "larger":
            columns.append(mean + deviation)
        elif KNOWN_DIRECTIONS[name] == "smaller":
            columns.append(mean - deviation)
        else:
            columns.append(sign * (mean - deviation))
    return np.stack(columns, axis=-1)


def _numbered(name, n, at_least):
    """Return name-0, name-1, ... with zeros that keep text order numeric."""
    width = max(at_least, len(str(n - 1)))
    return [f"{name}-{number:0{width}d}" for number in range(n)]


def _describe():
    """Return the description with the numbers of this file filled in."""
    lines = [
        f"{name:<9} {KNOWN_DIRECTIONS[name]:<13} {talking:>7g} {listening:>9g} "
        f"{std:>6g}  {_UNITS.get(name, '')}".rstrip()
        for name, (talking, listening, std) in _MEANS_AND_STD.items()
    ]
    text = files(__package__).joinpath("head_challenge.rst").read_text(encoding="utf-8")
    return text.format(
        means_and_std="\n   ".join(lines),
        correlation=UNWEIGHTED_CORRELATION,
        common=UNWEIGHTED_CORRELATION**2,
        clip_scatter=_CLIP_SCATTER,
        award=AWARD_PREFERENCE,
    )


def _check_word(value, name, words):
    if not (isinstance(value, str) and value in words):
        raise ValueError(
            f"The {name!r} parameter of make_head_challenge must be a str among "
            f"{list(words)}. Got {value!r} instead."
        )


def _check_count(value, name, least):
    if not isinstance(value, Integral) or isinstance(value, bool):
        raise TypeError(
            f"{name} is {value!r}; expected an integer, at least {least}. Pass "
            f"{name}={least} or more."
        )
    if value < least:
        raise ValueError(
            f"{name} is {value}; expected at least {least}. Pass {name}={least} or more."
        )


def _check_noise(noise):
    if not isinstance(noise, Real) or isinstance(noise, bool):
        raise TypeError(
            f"noise is {noise!r}; expected a number, at least 0. Pass noise=0.0 for a "
            "preference without noise."
        )
    if not 0 <= float(noise) <= _MOST_NOISE:
        raise ValueError(
            f"noise is {noise}; expected a fraction from 0 to {_MOST_NOISE:g}, which "
            "leaves preferences finite. Pass noise=0.0 for a preference without noise."
        )
