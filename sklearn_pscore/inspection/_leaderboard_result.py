"""The result of a leaderboard: means, ranks and their uncertainty."""

from dataclasses import dataclass

import pandas as pd

from sklearn_pscore._html import html_table


@dataclass(frozen=True, eq=False, repr=False)
class Leaderboard:
    """Result of :func:`bootstrap_leaderboard`.

    All parameters are stored as attributes. Printed, it is a table of the systems.

    Parameters
    ----------
    systems : DataFrame of shape (n_systems, 12)
        One row per system, the best first: `item`, the `mean`, `low` and `high` of its
        interval, its `rank`, `rank_low` and `rank_high` of the confidence set of its
        rank, the number of its `class`, `beats_next`, the share of draws in which it
        is above the next system, whether it `differs_from_next`, `more_groups`, how
        many groups more it would take to tell the two apart, and `n_groups`, in how
        many it is. The last system has no next.
    win_probability : DataFrame of shape (n_systems, n_systems)
        Share of draws in which the row's system is above the column's.
    is_better : DataFrame of shape (n_systems, n_systems)
        Whether the row's system is better than the column's, with one error for all
        pairs together.
    of : str
        What the means are of: "preference" or "score".
    level : float
        Level of the intervals, and of all sets of ranks together.
    n_groups, n_clusters : int
        Groups with two systems or more, and clusters that were drawn.
    n_boot : int
        Number of draws.
    """

    systems: pd.DataFrame
    win_probability: pd.DataFrame
    is_better: pd.DataFrame
    of: str
    level: float
    n_groups: int
    n_clusters: int
    n_boot: int

    def to_frame(self):
        """Return the table of the systems.

        Returns
        -------
        frame : DataFrame of shape (n_systems, 12)
            A copy of `systems`.
        """
        return self.systems.copy()

    @property
    def separation(self):
        """Share of the pairs of systems that are told apart, from 0 to 1.

        With one error for all pairs together, as in `is_better`. Arena-Hard [1]_ counts
        the pairs whose intervals do not overlap, each pair by itself.

        References
        ----------
        .. [1] Li et al., "From Crowdsourced Data to High-Quality Benchmarks: Arena-Hard
           and BenchBuilder Pipeline", 2024, arXiv:2406.11939.
        """
        n_systems = len(self.systems)
        return 2 * self._n_apart / (n_systems * (n_systems - 1))

    @property
    def _over(self):
        """What intervals are taken over, for the axis of a picture."""
        over = f"{self.n_groups} groups"
        is_same = self.n_clusters == self.n_groups
        return over if is_same else f"{self.n_clusters} clusters of {over}"

    @property
    def _n_apart(self):
        return int(self.is_better.to_numpy().sum())

    def beside(self, other, *, names=None):
        """Return this leaderboard and another one side by side.

        Parameters
        ----------
        other : Leaderboard
            Of the same systems, of a score for example.
        names : tuple of str or None, default=None
            Names of the two in the columns; None takes what they are of.

        Returns
        -------
        frame : DataFrame of shape (n_systems, 10)
            One row per system in the order of this leaderboard: its `item`, then
            `mean`, `rank`, `rank_low` and `rank_high` of both, each after the name and
            a space, and whether the two sets of ranks `overlap`.

        Raises
        ------
        TypeError
            If `other` is no leaderboard.
        ValueError
            If it holds other systems, or the names are equal.
        """
        if not isinstance(other, Leaderboard):
            raise TypeError(
                f"other is of type {type(other).__name__}; expected a leaderboard. Pass "
                "bootstrap_leaderboard(groups, y_score)."
            )
        names = (self.of, other.of) if names is None else tuple(names)
        if len(names) != 2 or names[0] == names[1]:
            raise ValueError(
                f"names is {names}; expected two different names, one for each "
                'leaderboard. Pass for example names=("people", "PS").'
            )
        ours, theirs = (board.systems.set_index("item") for board in (self, other))
        lacking = ours.index.symmetric_difference(theirs.index)
        if len(lacking):
            raise ValueError(
                f"Only one of the leaderboards has {lacking[0]!r}, and {len(lacking)} "
                "systems in all; expected the same systems in both. Make both from the "
                "same rows."
            )
        columns = ["mean", "rank", "rank_low", "rank_high"]
        theirs = theirs.loc[ours.index]
        overlap = (ours["rank_low"] <= theirs["rank_high"]) & (
            theirs["rank_low"] <= ours["rank_high"]
        )
        named = [
            board[columns].add_prefix(f"{name} ")
            for board, name in zip((ours, theirs), names, strict=True)
        ]
        frame = pd.concat([*named, overlap.rename("overlap")], axis=1)
        return frame.reset_index()

    def __repr__(self):
        above, below = self._captions()
        return "\n".join([above, self._shown().to_string(index=False), below])

    def _repr_html_(self):
        """Return the table for a notebook; names are escaped."""
        return html_table(self._captions(), self._shown())

    def _captions(self):
        """Return the lines above and below the table."""
        n_pairs = len(self.systems) * (len(self.systems) - 1) // 2
        return (
            f"Mean {self.of} of {len(self.systems)} systems in {self.n_groups} groups, "
            f"intervals over {self.n_clusters} clusters",
            f"The true ranks are all in their sets with a confidence of "
            f"{100 * self.level:g} %. Systems of one class are not told apart; "
            f"{self._n_apart} of {n_pairs} pairs are.",
        )

    def _shown(self):
        """Return the table as text."""
        frame = self.systems
        shown = pd.DataFrame(
            {
                "rank": frame["rank"],
                "item": frame["item"],
                "mean": frame["mean"].map("{:.3f}".format),
                f"{100 * self.level:g} %": _intervals(frame, "low", "high", "[{}, {}]"),
                "ranks": _intervals(frame, "rank_low", "rank_high", "{}-{}"),
                "class": frame["class"],
                "P(beats next)": frame["beats_next"].map("{:.2f}".format),
            }
        )
        if "more_groups" in frame:
            shown["more groups"] = frame["more_groups"].map("{:.0f}".format)
        # The last system has no next.
        shown.loc[len(shown) - 1, shown.columns[6:]] = ""
        return shown


def _intervals(frame, low, high, form):
    """Return the text of two columns as an interval."""
    number = "{:.3f}".format if frame[low].dtype.kind == "f" else str
    return [
        form.format(number(a), number(b))
        for a, b in zip(frame[low], frame[high], strict=True)
    ]
