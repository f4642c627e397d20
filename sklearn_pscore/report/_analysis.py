"""The result of an analysis: four answers, and what they are drawn from."""

import textwrap
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

QUESTIONS = (
    "Which system is best, and how sure is that?",
    "Which metric do people follow, and in which direction?",
    "Is the learnt score better than each metric alone?",
    "How do I show it to a colleague?",
)
"""What an analysis answers, in the order of its answers."""


@dataclass(frozen=True, eq=False, repr=False)
class Analysis:
    """Result of :func:`analyse`.

    All parameters are stored as attributes. Printed, it is the four answers.

    Parameters
    ----------
    title : str
        What the table is called.
    answers : tuple of str
        One for each of the four questions, with its uncertainty.
    comparison : RankerComparison
        Of the rankers, of each metric by itself and, where there are systems, of their
        names alone, on rows held out.
    curves : MetricCurves
        Which metrics the learnt score follows, and in which direction.
    importance : Bunch
        What it costs to shuffle each metric inside of groups, on rows held out.
    leaderboard : Leaderboard or None
        Of the preferences, or of the strengths that votes make; None without systems.
    learnt_leaderboard : Leaderboard or None
        Of the learnt score, with the uncertainty of its training if there are refits.
    facts : dict of str to str
        What the table holds.
    notes : tuple of str
        What to be careful about.
    items : DataFrame of shape (n_items, n_columns)
        The items, the best of each group first: `group`, `system` if there are systems,
        the number of the first `row`, `preference`, `score`, and the `rank` by it and
        the `rank of people` in the group.
    y_score : ndarray of shape (n_rows,)
        Learnt score of each row; NaN for donors.
    groups : structured ndarray of shape (n_rows,)
        The target, with a weight of 0 for rows that nobody judged.
    held_out : ndarray of int
        Rows whose score is by a model that was not fitted on their block. All others
        say nothing of what people prefer, or were not drawn where there are many rows.
    learnt_name : str
        Name of the learnt score in the comparison.
    has_probabilities : bool
        Whether differences of the learnt score are log odds of a preference.
    n_refits : int
        Refits of each fold that the intervals of `learnt_leaderboard` take in; with 0,
        the uncertainty of the training is not in them.
    has_default_rankers : bool
        Whether the rankers are those that :func:`analyse` takes by itself.
    settings : dict of str to str
        How all this was made.
    """

    title: str
    answers: tuple
    comparison: object
    curves: object
    importance: object
    leaderboard: object
    learnt_leaderboard: object
    facts: dict
    notes: tuple
    items: pd.DataFrame
    y_score: np.ndarray
    groups: np.ndarray
    held_out: np.ndarray
    learnt_name: str
    has_probabilities: bool
    n_refits: int
    has_default_rankers: bool
    settings: dict = field(default_factory=dict)

    def to_frame(self):
        """Return the answers as a table.

        Returns
        -------
        frame : DataFrame of shape (4, 2)
            Columns `question` and `answer`.
        """
        return pd.DataFrame({"question": QUESTIONS, "answer": self.answers})

    def __repr__(self):
        lines = []
        for question, answer in zip(QUESTIONS, self.answers, strict=True):
            lines += [question, *textwrap.wrap(answer, 84, **_INDENT), ""]
        if self.notes:
            lines += ["Be careful:"]
            for note in self.notes:
                lines += textwrap.wrap(f"- {note}", 86, subsequent_indent="  ")
        return "\n".join(lines).rstrip()


_INDENT = {"initial_indent": "  ", "subsequent_indent": "  "}
