"""The result of metric curves: directions, sizes, and the curves themselves."""

from dataclasses import dataclass

import pandas as pd

from sklearn_pscore._html import html_table


@dataclass(frozen=True, eq=False, repr=False)
class MetricCurves:
    """Result of :func:`metric_curves`.

    All parameters are stored as attributes. Printed, it is the table of the metrics.

    Parameters
    ----------
    table : DataFrame of shape (n_metrics, 9)
        One row per metric, the largest share first: `metric`, its `direction`, the
        `best` value, NaN if there is no clear direction, by how much the worth `rise`s
        from the 5 % to the 95 % quantile of the metric, its `share` of the score
        differences inside groups, and `missing`, what it is worth that the metric is
        missing, NaN if it never is. Standard errors are `rise_std`, `share_std` and
        `missing_std`.
    curves : dict of str to DataFrame of shape (n_points, 3)
        Curve of each metric: `value` in the user's units, ascending, its `worth`, and
        `std`, the standard error of this. The mean worth over the rows is 0.
    interaction_share : float
        In [0, 1], the share of the score differences inside groups that the sum of the
        curves does not explain.
    method : str
        "additive part" or "accumulated local effects".
    spread_of : str
        What standard errors are over, empty if there are none: all `std` are NaN then.
    n_rows, n_groups : int
        Rows and groups that the curves are centred and measured on.
    """

    table: pd.DataFrame
    curves: dict
    interaction_share: float
    method: str
    spread_of: str
    n_rows: int
    n_groups: int

    def to_frame(self):
        """Return the table of the metrics.

        Returns
        -------
        frame : DataFrame of shape (n_metrics, 9)
            A copy of `table`.
        """
        return self.table.copy()

    def __repr__(self):
        above, below = self._captions()
        return "\n".join([above, self._shown().to_string(index=False), below])

    def _repr_html_(self):
        """Return the table for a notebook; names are escaped."""
        return html_table(self._captions(), self._shown())

    def _captions(self):
        """Return the lines above and below the table."""
        over = f"standard errors over {self.spread_of}" if self.spread_of else ""
        return (
            f"Worth of {len(self.table)} metrics in {self.n_groups} groups, by the "
            f"{self.method}",
            f"{100 * self.interaction_share:.1f} % of the score differences inside groups "
            f"are no sum over the metrics; {over or 'there are no standard errors'}.",
        )

    def _shown(self):
        """Return the table as text."""
        frame = self.table
        share = [
            f"{100 * share:.1f} %" + (f" +- {100 * std:.1f}" if std == std else "")
            for share, std in zip(frame["share"], frame["share_std"], strict=True)
        ]
        shown = {
            "metric": frame["metric"],
            "direction": frame["direction"],
            "best": [f"{best:.4g}" if best == best else "" for best in frame["best"]],
            "rise": frame["rise"].map("{:+.2f}".format),
            "share": share,
        }
        if frame["missing"].notna().any():
            shown["missing"] = [f"{m:+.3f}" if m == m else "" for m in frame["missing"]]
        return pd.DataFrame(shown)
