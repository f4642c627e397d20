"""Systems ranked by votes: by the strengths that all of them make together."""

import warnings

import numpy as np

from sklearn_pscore._rankers.bradley_terry import BradleyTerryRanker
from sklearn_pscore.inspection import strength_leaderboard


def board_of_votes(table, options, notes):
    """Return the leaderboard of strengths, with ties by Davidson's model.

    Parameters
    ----------
    table : ReportTable
        With votes and systems.
    options : dict
        Of :func:`strength_leaderboard`.
    notes : list of str
        Gets what the fit warns of, such as a system that has won all of its votes.

    Returns
    -------
    board : StrengthLeaderboard
    """
    # Strengths are of systems alone.
    nothing = np.zeros((len(table.groups), 1))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        ranker = BradleyTerryRanker(ties="davidson")
        ranker.fit(nothing, _of_systems(table.groups, table.system))
    for message in dict.fromkeys(str(each.message) for each in caught):
        notes.append(f"Strengths by votes: {message}")
    return strength_leaderboard(ranker, **options)


def _of_systems(groups, system):
    """Return a target whose items are the systems of its rows."""
    if np.array_equal(groups["item"], system):
        return groups
    kinds = {name: groups.dtype[name] for name in groups.dtype.names}
    kinds["item"] = system.dtype
    target = np.empty(len(groups), dtype=list(kinds.items()))
    for name in kinds:
        target[name] = system if name == "item" else groups[name]
    return target
