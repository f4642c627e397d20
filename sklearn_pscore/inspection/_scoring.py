"""The argument `scoring`, as a scorer of scores."""

from difflib import get_close_matches

from sklearn_pscore.metrics import _scorers
from sklearn_pscore.metrics._scorers import RankingScorer

_SCORERS = {
    name: scorer
    for name, scorer in vars(_scorers).items()
    if isinstance(scorer, RankingScorer)
}


def checked_scorer(scoring, caller):
    """Return the scorer that an argument `scoring` stands for.

    Parameters
    ----------
    scoring : str, callable or None
        A metric ``metric(groups, y_score)``, a scorer of ``make_ranking_scorer``, or
        the name of either in :mod:`sklearn_pscore.metrics`; None is pairwise accuracy.
    caller : str
        For the messages.

    Returns
    -------
    scorer : RankingScorer

    Raises
    ------
    ValueError
        If there is no such name.
    TypeError
        If it is anything else.
    """
    if scoring is None:
        return _SCORERS["pairwise_accuracy_scorer"]
    if isinstance(scoring, RankingScorer):
        return scoring
    if isinstance(scoring, str):
        return _scorer_of_name(scoring, caller)
    if not callable(scoring):
        raise TypeError(
            f"The 'scoring' parameter of {caller} must be a metric, a scorer of "
            f"make_ranking_scorer, the name of one or None. Got {scoring!r:.60} instead. "
            "Pass for example sklearn_pscore.metrics.dcg_scorer."
        )
    for scorer in _SCORERS.values():
        if scorer.metric is scoring:
            return scorer
    try:
        return _scorers.make_ranking_scorer(scoring)
    except TypeError as error:
        raise TypeError(
            f"The 'scoring' parameter of {caller} is {scoring!r:.80}, which is no metric "
            f"of scores: {error} Pass a metric(groups, y_score), or a scorer that "
            "make_ranking_scorer made of one: scores of many permutations are predicted "
            "at once, and a scorer of another kind predicts by itself."
        ) from None


def _scorer_of_name(name, caller):
    """Return the scorer of a name: ``"dcg"``, ``"dcg_score"`` or ``"dcg_scorer"``."""
    by_name = {}
    for key, scorer in _SCORERS.items():
        for spelt in (key.removesuffix("_scorer"), key, scorer.metric.__name__):
            by_name[spelt] = scorer
    if name not in by_name:
        short = sorted(key.removesuffix("_scorer") for key in _SCORERS)
        near = get_close_matches(name, by_name, n=1)
        raise ValueError(
            f"The 'scoring' parameter of {caller} must be a str among {short}. Got "
            f"{name!r} instead."
            f"{f' Is {near[0]!r} meant?' if near else ''}"
        )
    return by_name[name]
