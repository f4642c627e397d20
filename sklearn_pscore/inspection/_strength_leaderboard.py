"""Leaderboards of strengths: of systems by votes, without metrics."""

import numpy as np
import pandas as pd
import scipy.stats
from sklearn.utils.validation import check_is_fitted

from sklearn_pscore._estimators.random_state import generator_of
from sklearn_pscore._rankers.bradley_terry import BradleyTerryRanker
from sklearn_pscore.inspection._arguments import check_count, check_level
from sklearn_pscore.inspection._classes import classes_of_equals
from sklearn_pscore.inspection._leaderboard_result import Leaderboard
from sklearn_pscore.inspection._rank_sets import differing, rank_sets, variances

# Differences up to this are rounding, of strengths.
_ROUNDING = 1e-9


class StrengthLeaderboard(Leaderboard):
    """Result of :func:`strength_leaderboard`: a leaderboard of strengths.

    `mean` is the strength; `systems` has `n_votes`, in how many votes the system was,
    in the place of `more_groups` and `n_groups`.
    """

    @property
    def _n_votes(self):
        return self.systems["n_votes"].sum() / 2

    @property
    def _over(self):
        return f"{self._n_votes:,.0f} votes"

    def _captions(self):
        below = super()._captions()[1]
        return (
            f"Strength of {len(self.systems)} systems by {self._over} in {self.n_groups} "
            "groups: the log odds to be preferred to a system of strength 0",
            below,
        )

    def _shown(self):
        shown = super()._shown().rename(columns={"mean": "strength"})
        return shown.assign(votes=self.systems["n_votes"].map("{:,.0f}".format))


def strength_leaderboard(ranker, *, level=0.95, n_boot=2000, random_state=None):
    """Rank systems by their strengths, and say how sure that is.

    The leaderboard of an arena: of strengths that votes make, without a metric. The
    intervals are of the standard errors of the ranker. The sets of ranks hold
    simultaneously, as those of :func:`bootstrap_leaderboard` do: with probability
    `level`, or more, all true ranks are in their sets. Both are normal, so that they
    ask for many votes, or blocks, of each system.

    Parameters
    ----------
    ranker : BradleyTerryRanker
        A fitted one.
    level : float, default=0.95
        Level of each interval of a strength, and of all sets of ranks together.
    n_boot : int, default=2000
        Number of draws of the strengths, from which the limit of all differences comes.
    random_state : int, RandomState instance or None, default=None
        Source of the draws. An integer gives the same result in every call.

    Returns
    -------
    leaderboard : Leaderboard
        With `mean`, the strength, and `n_votes` in the place of `more_groups` and
        `n_groups` in `systems`. ``of`` is "strength".

    Raises
    ------
    ValueError
        If there are fewer than two systems, or an argument is out of range.
    TypeError
        If `ranker` is no BradleyTerryRanker.
    NotFittedError
        If it is not fitted.

    See Also
    --------
    bootstrap_leaderboard : Ranks systems by preferences or a score.

    Examples
    --------
    >>> from sklearn_pscore import BradleyTerryRanker
    >>> from sklearn_pscore.datasets import make_arena
    >>> from sklearn_pscore.inspection import strength_leaderboard
    >>> arena = make_arena(n_systems=3, random_state=0)
    >>> ranker = BradleyTerryRanker(ties="davidson").fit(arena.data, arena.groups)
    >>> board = strength_leaderboard(ranker, random_state=0)
    >>> board.systems[["item", "rank_low", "rank_high"]].values.tolist()
    [['system 0', 1, 1], ['system 2', 2, 2], ['system 1', 3, 3]]
    """
    caller = "strength_leaderboard"
    if not isinstance(ranker, BradleyTerryRanker):
        raise TypeError(
            f"ranker is of type {type(ranker).__name__}; expected a BradleyTerryRanker, "
            "which has strengths. For scores of rows, pass them to bootstrap_leaderboard."
        )
    check_is_fitted(ranker)
    check_count(n_boot, "n_boot", caller)
    check_level(level, caller)
    rng = generator_of(random_state, caller)
    names, strength = ranker.items_, ranker.strength_
    # Equal strengths in the order of their names.
    order = np.lexsort((np.arange(len(names)), -np.round(strength / _ROUNDING)))
    names, strength = names[order], strength[order]
    std = ranker.strength_std_[order]
    parts = _root(ranker.covariance_[np.ix_(order, order)])
    error = np.sqrt(variances(parts))
    difference = strength[:, None] - strength
    difference[np.abs(difference) <= _ROUNDING] = 0.0
    with np.errstate(divide="ignore", invalid="ignore"):
        normal = difference / error
    normal[difference == 0] = 0.0
    deviation = rng.standard_normal((n_boot, len(parts))) @ parts
    is_better, _ = differing(normal, deviation, error, level)
    lowest, highest = rank_sets(is_better)
    share = scipy.stats.norm.cdf(normal)
    far = scipy.stats.norm.isf((1 - level) / 2)
    systems = pd.DataFrame(
        {
            "item": names,
            "mean": strength,
            "low": strength - far * std,
            "high": strength + far * std,
            "rank": 1 + np.sum(difference < 0, axis=1),
            "rank_low": lowest,
            "rank_high": highest,
            "class": classes_of_equals(is_better | is_better.T),
            "beats_next": [*np.diag(share, 1).tolist(), np.nan],
            "differs_from_next": [*np.diag(is_better, 1).tolist(), False],
            "n_votes": ranker.n_votes_[order],
        }
    )
    return StrengthLeaderboard(
        systems=systems,
        win_probability=pd.DataFrame(share, names, names),
        is_better=pd.DataFrame(is_better, names, names),
        of="strength",
        level=level,
        n_groups=ranker.n_groups_,
        n_clusters=ranker.n_groups_,
        n_boot=n_boot,
    )


def _root(covariance):
    """Return rows whose products make a covariance."""
    values, vectors = np.linalg.eigh(covariance)
    return np.sqrt(np.maximum(values, 0.0))[:, None] * vectors.T
