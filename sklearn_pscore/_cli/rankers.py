"""The rankers that commands fit."""

from typing import Annotated

import typer

from sklearn_pscore._interrupt import quiet_interrupt

QuickOption = Annotated[
    bool, typer.Option("--quick", help="Train little: to try whether a table works.")
]

QUICK = {"max_epochs": 3, "n_members": 2}
"""Parameters of a ranker that is trained little."""


def import_rankers():
    """Import all that fits need, so that Ctrl-C in it comes in no import."""
    with quiet_interrupt():
        import sklearn_pscore._rankers.pairwise
        import sklearn_pscore._rankers.training
        import sklearn_pscore.inspection  # noqa: F401


def learnt_ranker(random_state, *, quick=False, **options):
    """Return the ranker that learns, not fitted.

    Parameters
    ----------
    random_state : int
    quick : bool, default=False
        Whether to train little.
    **options : dict
        Further parameters of the ranker.
    """
    from sklearn_pscore._rankers.pairwise import PairwisePreferenceRanker

    parameters = QUICK if quick else {}
    return PairwisePreferenceRanker(random_state=random_state, **parameters, **options)


def quick_rankers(random_state):
    """Return rankers of a report, trained little."""
    from sklearn_pscore._rankers.linear import LinearPreferenceRanker

    return {
        "PS, defaults": learnt_ranker(random_state, quick=True),
        "linear": LinearPreferenceRanker(),
    }
