"""The result of a comparison of scores: what each is worth, and which differ."""

from dataclasses import dataclass

import pandas as pd

from sklearn_pscore._html import html_table


@dataclass(frozen=True, eq=False, repr=False)
class AgreementComparison:
    """Result of :func:`compare_agreement`.

    All parameters are stored as attributes. Printed, it is the table of the methods.

    Parameters
    ----------
    methods : DataFrame of shape (n_methods, 5)
        One row per method, the best first: `method`, the `value` of the metric, `low`
        and `high` of its interval, and the number of its `class`. No two methods of
        a class differ.
    pairs : DataFrame of shape (n_methods * (n_methods - 1) / 2, 8 or 11)
        One row per pair, the better `method` and the `other`: their `difference`,
        `low` and `high` of its interval, the p-value `p` of swapping their scores
        item by item, `p_adjusted` for all pairs, and whether the pair `differs`. For
        correlations over the items of one group, or over all items, also Williams'
        `williams_t`, `williams_p` and `williams_p_adjusted`.
    metric : str
        Name of the metric, with its options.
    level : float
        Level of the intervals; one minus it is the level of the tests.
    correction : str or None
        How p-values are adjusted.
    alternative : str
        Of the tests.
    n_clusters : int
        Number of clusters that the intervals were drawn from.
    n_permutations : int
        Number of permutations of each test, that of no swap among them.
    """

    methods: pd.DataFrame
    pairs: pd.DataFrame
    metric: str
    level: float
    correction: str | None
    alternative: str
    n_clusters: int
    n_permutations: int

    def to_frame(self):
        """Return the table of the methods.

        Returns
        -------
        frame : DataFrame of shape (n_methods, 5)
            A copy of `methods`.
        """
        return self.methods.copy()

    def __repr__(self):
        above, below = self._captions()
        return "\n".join([above, self._shown().to_string(index=False), below])

    def _repr_html_(self):
        """Return the table for a notebook; names are escaped."""
        return html_table(self._captions(), self._shown())

    def _captions(self):
        """Return the lines above and below the table."""
        n_differ = int(self.pairs["differs"].sum())
        adjusted = f", adjusted by {self.correction}" if self.correction else ""
        return (
            f"{self.metric}, {len(self.methods)} methods, intervals over "
            f"{self.n_clusters} clusters",
            f"{n_differ} of {len(self.pairs)} pairs differ (p <= {1 - self.level:.3g}"
            f"{adjusted}, and an interval without 0); methods of one class do not.",
        )

    def _shown(self):
        """Return the table as text."""
        frame = self.methods
        interval = [
            f"[{low:.3f}, {high:.3f}]"
            for low, high in zip(frame["low"], frame["high"], strict=True)
        ]
        return pd.DataFrame(
            {
                "method": frame["method"],
                "value": frame["value"].map("{:.3f}".format),
                f"{100 * self.level:g} %": interval,
                "class": frame["class"],
            }
        )
