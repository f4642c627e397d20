"""The result of explaining pairs: what each metric adds to the difference."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from sklearn_pscore._html import html_table

# Rows of the table when it is printed.
_SHOWN = 10


@dataclass(frozen=True, eq=False, repr=False)
class PairContributions:
    """Result of :func:`pairwise_contributions`.

    All parameters are stored as attributes. Printed, it is the table of the first pair.

    Parameters
    ----------
    values : ndarray of shape (n_pairs, n_features)
        What each metric adds to the score of a over that of b, in the units of the
        score: positive speaks for a.
    difference : ndarray of shape (n_pairs,)
        Score of a less that of b, the sum of the values.
    std_error : ndarray of shape (n_pairs, n_features)
        Standard error of the values for chance of the drawn orders, 0 where all
        mixtures were taken.
    is_exact : ndarray of shape (n_pairs,), bool
        Whether all mixtures were taken.
    feature_names : ndarray of shape (n_features,), object
        Names of the metrics.
    std : ndarray of shape (n_pairs, n_features) or None, default=None
        How far the values would be from these if the ranker were learnt from other
        groups, as `return_std` of :class:`~sklearn_pscore.PairwisePreferenceRanker`
        has it for scores; None for other rankers, and where no member of it has left
        out groups, as with ``n_members=1`` or ``leave_out=False``.
    difference_std : ndarray of shape (n_pairs,) or None, default=None
        The same of the difference.
    """

    values: np.ndarray
    difference: np.ndarray
    std_error: np.ndarray
    is_exact: np.ndarray
    feature_names: np.ndarray
    std: np.ndarray | None = None
    difference_std: np.ndarray | None = None

    def to_frame(self):
        """Return a table of what each metric adds.

        Returns
        -------
        frame : DataFrame of shape (n_pairs * n_features, 4 or 5)
            The number of the `pair`, the `metric`, its `value` and `std_error`, and
            the `std` of a ranker that has it. The largest of a pair stand first,
            whatever their sign is.
        """
        n_pairs, n_features = self.values.shape
        order = np.argsort(-np.abs(self.values), axis=1, kind="stable")
        columns = {"value": self.values, "std_error": self.std_error, "std": self.std}
        return pd.DataFrame(
            {
                "pair": np.repeat(np.arange(n_pairs), n_features),
                "metric": self.feature_names[order].ravel(),
                **{
                    name: np.take_along_axis(column, order, axis=1).ravel()
                    for name, column in columns.items()
                    if column is not None
                },
            }
        )

    def __repr__(self):
        above, below = self._captions()
        return "\n".join([above, self._shown().to_string(index=False), below])

    def _repr_html_(self):
        """Return the table for a notebook; names are escaped."""
        return html_table(self._captions(), self._shown())

    def _captions(self):
        """Return the lines above and below the table."""
        n_pairs, n_features = self.values.shape
        above = f"{n_pairs} {'pair' if n_pairs == 1 else 'pairs'}, {n_features} metrics"
        if n_pairs:
            above += f"; pair 0: a is {self.difference[0]:+.3f} to b"
        n_left = n_features - len(self._shown())
        rest = f"; {n_left} more" if n_left and n_pairs else ""
        return above, f"a positive value speaks for a{rest}; to_frame() has all."

    def _shown(self):
        """Return the table of the first pair as text."""
        frame = self.to_frame()
        frame = frame[frame["pair"] == 0].drop(columns="pair").head(_SHOWN)
        for column in frame.columns[1:]:
            form = "{:+.3f}" if column == "value" else "{:.3f}"
            frame[column] = frame[column].map(form.format)
        return frame
