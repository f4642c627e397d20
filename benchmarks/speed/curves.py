"""Curves: the score of a model against the seconds of its fit, by rounds.

Only the fit is on the clock. A round is an epoch of a net or a tree of an
ensemble; the clock is read after each, and the model as it was after some of
the rounds is judged when the fit is over.
"""

import numpy as np
import pandas as pd


def as_curve(points):
    """Return points (seconds, rounds, score) as a frame.

    A score may be a dict of several by name, of which "score" is the one to reach.
    """
    return pd.DataFrame(
        {
            "seconds": seconds,
            "rounds": n_rounds,
            **(score if isinstance(score, dict) else {"score": score}),
        }
        for seconds, n_rounds, score in points
    )


def curves_by_method(rows):
    """Return the curve of each method of one repetition."""
    return dict(iter(rows.groupby("method", sort=False)))


def seconds_to(curve, score):
    """Return the seconds after which a curve first has a score, NaN if never."""
    reached = curve.loc[curve["score"] >= score, "seconds"]
    return reached.iloc[0] if len(reached) else np.nan


def seconds_of_a_round(curve):
    """Return the mean seconds of a round after the first, or of the only one."""
    ends = curve.dropna(subset="rounds")[["seconds", "rounds"]]
    first, last = ends.iloc[0], ends.iloc[-1]
    if len(ends) == 1:
        return last["seconds"] / last["rounds"]
    return (last["seconds"] - first["seconds"]) / (last["rounds"] - first["rounds"])
