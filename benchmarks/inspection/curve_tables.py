"""Write the tables of docs/curves.md.

    python -m benchmarks.inspection.curve_tables

replaces the text between their marks (doc_tables.py) by tables of the rows in results/.
"""

from functools import partial

import numpy as np
import pandas as pd

from benchmarks.shared import doc_tables
from benchmarks.shared.results import read_rows

table_of = partial(doc_tables.markdown, cell=str)
UNCLEAR = "no clear direction"
_SHORT = {
    "larger is preferred": "larger",
    "smaller is preferred": "smaller",
    UNCLEAR: "",
}


def thqa(rows, halves):
    """Return direction and size of each metric, and how often halves agree."""
    additive, accumulated = _by_method(rows, ["metric"])
    rise = _by_method(halves, ["metric", "split", "half"])[0]["rise"]
    same = np.sign(rise).mul(np.sign(additive["rise"]), level="metric") > 0
    table = pd.DataFrame(index=additive.index)
    table["name promises"] = additive["promised"].str.replace("_", " ")
    table["people prefer"] = additive["direction"].map(_SHORT)
    table["rise"] = _with_error(additive, "rise", "{:+.2f} ± {:.2f}", 1)
    table["share, %"] = _with_error(additive, "share", "{:.1f} ± {:.1f}", 100)
    table["best value"] = [
        "" if np.isnan(best) else f"{best:.3g}" for best in additive["best"]
    ]
    table["same sign in halves"] = [
        f"{same.loc[name].mean():.2f}" for name in additive.index
    ]
    accumulated = accumulated.loc[additive.index]
    table["accumulated: people prefer"] = accumulated["direction"].map(_SHORT)
    table["accumulated: share, %"] = _with_error(
        accumulated, "share", "{:.1f} ± {:.1f}", 100
    )
    return table_of(table)


def summary(rows, halves):
    """Return how many directions are clear, and those that no name promises."""
    additive = _by_method(rows, ["metric"])[0]
    clear = additive[additive["direction"] != UNCLEAR]
    is_promised = clear["direction"].str.split().str[0] == clear["promised"]
    others = ", ".join(f"`{name}`" for name in clear.index[~is_promised])
    return (
        f"{len(clear)} of {len(additive)} metrics have a clear direction, and "
        f"{is_promised.sum()} of them the one that the name promises. Another one has: "
        f"{others or 'none'}."
    )


def trust(rows, halves):
    """Return how often directions are those of noise, and how often they are kept."""
    found = {}
    names = {"additive": "additive part", "accumulated": "accumulated local effects"}
    for method, name in names.items():
        ours = rows[rows["method"] == method].set_index("metric")
        theirs = halves[halves["method"] == method]
        is_noise = theirs["metric"].str.startswith("noise")
        is_clear = theirs["direction"] != UNCLEAR
        real = theirs[~is_noise].pivot_table(
            index=["split", "metric"], columns="half", values="rise"
        )
        clear = theirs[~is_noise & is_clear & (theirs["rise"] != 0)].pivot_table(
            index=["split", "metric"], columns="half", values="rise"
        )
        both = clear.dropna()
        agree = np.sign(both[0]) == np.sign(both[1])
        sizes = abs(ours["rise"])
        large = real[
            real.index.get_level_values("metric").isin(sizes.nlargest(8).index)
        ]
        found[name] = {
            "columns of noise with a direction": f"{is_clear[is_noise].mean():.3f}",
            "metrics with a direction": f"{is_clear[~is_noise].mean():.2f}",
            "pairs with one in both halves": len(both),
            "of these the same": f"{agree.mean():.2f}",
            "same sign in both halves, all metrics": _agreement(real),
            "same, the 8 that rise most": _agreement(large),
            "not additive, %": f"{100 * ours['interaction_share'].iloc[0]:.1f}",
        }
    return table_of(pd.DataFrame(found).rename_axis(""))


def _agreement(pairs):
    return f"{(np.sign(pairs[0]) == np.sign(pairs[1])).mean():.2f}"


def _by_method(rows, keys):
    return [
        rows[rows["method"] == method].set_index(keys)
        for method in ("additive", "accumulated")
    ]


def _with_error(rows, column, form, factor):
    pairs = factor * rows[[column, f"{column}_std"]].to_numpy()
    return [form.format(*pair) for pair in pairs]


NAMES = ("curves", "curves_of_halves")
TABLES = {"summary": summary, "thqa": thqa, "trust": trust}
"""The function that makes the table, or the sentence, of both rows, by its mark."""


def main():
    """Fill the page."""
    rows = [read_rows(name) for name in NAMES]
    tables = {mark: partial(make, *rows) for mark, make in TABLES.items()}
    tables["machine"] = partial(doc_tables.table_of_machines, NAMES)
    doc_tables.fill("curves.md", tables)


if __name__ == "__main__":
    main()
