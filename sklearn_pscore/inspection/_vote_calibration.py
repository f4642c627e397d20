"""Whether differences of scores are as large as votes say: slope and intercept."""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from sklearn_pscore.inspection._clusters import cluster_labels
from sklearn_pscore.metrics._checks import check_scored

_MAX_ITERATIONS = 100
_TOLERANCE = 1e-10
# Of scores scaled to differences of one at most: votes that reach it all agree.
_STEEPEST = 1e4


@dataclass(frozen=True)
class VoteCalibration:
    """Result of :func:`vote_calibration`.

    All parameters are stored as attributes.

    Parameters
    ----------
    slope : float
        What one unit of a difference of scores adds to the log odds of a vote. 1 is as
        the scores state; less, they are too sure of themselves.
    slope_std : float
        Its standard error.
    intercept : float or None
        What it adds to the log odds to be shown first; None where the order is not
        known.
    intercept_std : float or None
        Its standard error.
    n_votes : float
        Votes that were decided, weighed by the rows.
    n_clusters : int
        Number of blocks or groups, which are taken for independent.
    """

    slope: float
    slope_std: float
    intercept: float | None
    intercept_std: float | None
    n_votes: float
    n_clusters: int

    def __str__(self):
        first = ""
        if self.intercept is not None:
            first = f", shown first {self.intercept:.3f} ± {self.intercept_std:.3f}"
        return (
            f"slope of the votes' log odds on the difference of scores: {self.slope:.3f} ± "
            f"{self.slope_std:.3f}{first} ({self.n_votes:g} votes in {self.n_clusters} "
            "clusters)"
        )


def vote_calibration(groups, y_score):
    r"""Tell whether the probabilities that scores state are those of the votes.

    With d the score of the item that was preferred, or not, less that of the other, the
    log odds of a vote are

    .. math:: \log \frac{P}{1 - P} = \beta_1 d + \beta_0 o

    with o = 1 where the item was shown first and -1 where the other was. Scores that
    state their probabilities have a slope of 1 [1]_, whatever the scale of a metric
    that is not learnt. Ties are left out, as these are probabilities given that one was
    preferred. Standard errors are sandwich estimates [2]_, with the blocks of the
    target for independent, or its groups without; with a single one, the pairs.

    Direction and weights are as in ``docs/conventions.md``.

    Parameters
    ----------
    groups : structured ndarray of shape (n_samples,)
        Target of ``Groups.from_votes``; with ``order=True`` it knows who was shown first.
    y_score : array-like of shape (n_samples,)
        Score of each row, of a model that has not seen these votes; finite, larger is
        preferred.

    Returns
    -------
    calibration : VoteCalibration
        `slope` and `slope_std`, `intercept` and `intercept_std`, `n_votes` and
        `n_clusters`.

    Raises
    ------
    ValueError
        If the target has no votes, none was decided, all scores are equal, or all
        votes are for the item with the larger score, so that no slope is too steep.
    TypeError
        If an argument is of the wrong type.

    Warns
    -----
    UserWarning
        If a group has lost rows since the target was made.

    See Also
    --------
    sklearn_pscore.plotting.ReliabilityDisplay : The same as a curve.
    sklearn_pscore.metrics.pairwise_log_loss : One number for all.

    References
    ----------
    .. [1] Cox, "Two further applications of a model for binary regression", Biometrika
       45, 1958, doi:10.2307/2333203.
    .. [2] White, "Maximum likelihood estimation of misspecified models", Econometrica
       50, 1982, doi:10.2307/1912526.

    Examples
    --------
    The true scores of an arena, and scores twice as sure.

    >>> from sklearn_pscore.datasets import make_arena
    >>> from sklearn_pscore.inspection import vote_calibration
    >>> arena = make_arena(n_annotators=1, n_votes=5000, random_state=0)
    >>> once = vote_calibration(arena.groups, arena.score)
    >>> twice = vote_calibration(arena.groups, 2 * arena.score)
    >>> bool(np.isclose(once.slope, 2 * twice.slope))
    True
    """
    caller = "vote_calibration"
    target, y_score = check_scored(groups, y_score, caller)
    if target.votes is None:
        raise ValueError(
            f"groups has no votes, and {caller} expects a target of Groups.from_votes. "
            "Pass one, or draw plotting.ReliabilityDisplay, which takes preferences."
        )
    votes = target.votes
    weight = np.where(target.is_counted, target.weight, 0.0)
    weight = weight[votes.first] * weight[votes.second]
    wins, losses = weight * votes.wins, weight * votes.losses
    decided = wins + losses > 0
    wins, losses, votes = wins[decided], losses[decided], votes.of(decided)
    if not len(votes):
        raise ValueError(
            f"{caller} found no votes for one of two items that count in the "
            f"{target.n_groups} groups; expected at least one. Check the outcomes and the "
            "weights."
        )
    # Halves, whose difference is finite.
    d = y_score[votes.first] / 2 - y_score[votes.second] / 2
    largest = np.abs(d).max()
    if largest == 0:
        raise ValueError(
            f"y_score gives the items of all {len(d)} pairs with votes the same score; "
            "expected differences. Check that scores and rows are in one order."
        )
    columns = [d / largest] if votes.side is None else [d / largest, votes.side]
    design = np.column_stack(columns)
    theta = _most_likely(design, wins, losses)
    if theta is None:
        raise ValueError(
            f"y_score agrees, or disagrees, with all votes on the {len(d)} pairs, so that "
            "no slope is steep enough; expected votes on either side. Pass more votes."
        )
    codes = cluster_labels("block", groups, target, caller)[1][votes.first]
    cluster = np.unique(codes, return_inverse=True)[1]
    if cluster.max() == 0:
        cluster = np.arange(len(d))
    std = np.sqrt(np.diag(_covariance(design, wins, losses, theta, cluster)))
    has_order = votes.side is not None
    return VoteCalibration(
        slope=float(theta[0] / largest / 2),
        slope_std=float(std[0] / largest / 2),
        intercept=float(theta[1]) if has_order else None,
        intercept_std=float(std[1]) if has_order else None,
        n_votes=float(np.sum(wins + losses)),
        n_clusters=int(cluster.max()) + 1,
    )


def _most_likely(design, wins, losses):
    """Return the weights of the columns by Newton's method, None if they are infinite."""
    total = wins + losses
    theta = np.zeros(design.shape[1])
    for _ in range(_MAX_ITERATIONS):
        chance = expit(design @ theta)
        slope = design.T @ (wins - total * chance)
        curvature = (design.T * (total * chance * (1 - chance))) @ design
        if np.linalg.cond(curvature) > 1e13:
            return None
        step = np.linalg.solve(curvature, slope)
        longest = np.abs(step).max()
        # A longer one may leave the region in which the quadratic form holds.
        theta = theta + step * min(1.0, 2.0 / max(longest, 1e-300))
        if np.abs(theta).max() > _STEEPEST:
            return None
        if longest <= _TOLERANCE * max(1.0, np.abs(theta).max()):
            return theta
    return None


def _covariance(design, wins, losses, theta, cluster):
    """Return the sandwich covariance, with clusters of pairs for independent."""
    total = wins + losses
    chance = expit(design @ theta)
    bread = np.linalg.inv((design.T * (total * chance * (1 - chance))) @ design)
    scores = design * (wins - total * chance)[:, None]
    sums = np.stack([np.bincount(cluster, column) for column in scores.T], axis=1)
    n = len(sums)
    return bread @ (sums.T @ sums) @ bread * (n / max(n - 1, 1))
