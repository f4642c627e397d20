"""Write the tables of docs/votes.md.

    python -m benchmarks.votes.tables

replaces the text between their marks (doc_tables.py) by tables of the rows in results/.
"""

import textwrap
from functools import partial

import numpy as np
import pandas as pd

from benchmarks.shared import doc_tables
from benchmarks.votes.command_line import COMMANDS


def arena(rows):
    """Return the metrics of each method less those of the truth, over draws."""
    by_draw = rows.groupby(["method", "draw"], sort=False).mean(numeric_only=True)
    by_draw = by_draw.drop(columns="fold")
    truth = by_draw.loc["truth"]
    table = {"truth": [f"{value:.3f}" for value in truth.mean()]}
    for method in by_draw.index.get_level_values("method").unique().drop("truth"):
        less = by_draw.loc[method] - truth
        error = less.std() / np.sqrt(len(less))
        table[method] = [
            f"{mean:+.4f} ± {each:.4f}"
            for mean, each in zip(less.mean(), error, strict=True)
        ]
    columns = [name.replace("_", " ") for name in truth.columns]
    frame = pd.DataFrame(table, columns).T.rename_axis("method")
    return doc_tables.markdown(frame, cell=str)


def unseen(rows):
    """Return how often the place was the true one."""
    n_right = int(np.sum(rows["true_rank"] == rows["found_rank"]))
    return f"{n_right} of {len(rows)} draws."


def ties(rows):
    """Return slope and correlation of each way to take ties, by their share."""
    keys = ["tie_parameter", "ties"]
    means = rows.groupby(keys, sort=False)[["share_of_ties", "slope", "correlation"]]
    means = means.mean()
    table = {}
    for parameter in rows["tie_parameter"].unique():
        part = means.loc[parameter]
        label = f"{part['share_of_ties'].iloc[0]:.0%} of votes are ties"
        table[label] = [
            f"{slope:.2f}, {correlation:.3f}"
            for slope, correlation in part[["slope", "correlation"]].to_numpy()
        ]
    frame = pd.DataFrame(table, rows["ties"].unique()).rename_axis("ties")
    return doc_tables.markdown(frame, cell=str)


def thqa(rows):
    """Return mean accuracy and its spread over draws, by learner."""
    keys = ["learnt_from", "learner"]
    by_draw = rows.groupby([*keys, "draw"], sort=False)["accuracy"].mean()
    table = by_draw.groupby(keys, sort=False).agg(["mean", "std"])
    cells = [f"{m:.4f} ± {s:.4f}" for m, s in table.to_numpy()]
    frame = pd.Series(cells, table.index).unstack(sort=False)
    frame = frame.rename_axis("learnt from").rename_axis(None, axis=1)
    frame = frame.rename(columns={"one vote": "one judgement is right"})
    return doc_tables.markdown(frame, cell=str)


def rail(rows):
    """Return the metrics of each method, means over draws, ± their spread over draws."""
    by_draw = rows.groupby(["method", "draw"], sort=False).mean(numeric_only=True)
    columns = {"log_loss": "log loss", "Brier": "Brier score", "accuracy": "accuracy"}
    table = by_draw[list(columns)].groupby("method", sort=False).agg(["mean", "std"])
    cells = {
        name: [f"{m:.4f} ± {s:.4f}" for m, s in table[column].to_numpy()]
        for column, name in columns.items()
    }
    return doc_tables.markdown(pd.DataFrame(cells, table.index), cell=str)


def rail_bias(rows):
    """Return the bias to the journey that is shown first, the end of a sentence."""
    bias, error = rows[["order_bias", "order_bias_std"]].iloc[0]
    return f"{bias:+.3f} ± {error:.3f}."


def positions(rows):
    """Return mean accuracy and its spread over draws, by how the lists were sorted."""
    by = rows.groupby(["method", "lists"], sort=False)["accuracy"].agg(["mean", "std"])
    cells = [f"{m:.3f} ± {s:.3f}" for m, s in by.to_numpy()]
    frame = pd.Series(cells, by.index).unstack(sort=False).rename_axis("learnt")
    return doc_tables.markdown(frame.rename_axis(None, axis=1), cell=str)


def speed(rows):
    """Return the medians of one size."""
    row = rows.median(numeric_only=True)
    table = pd.DataFrame(
        {
            "": [
                f"{row['target']:.1f} s",
                f"{row['peak_mb']:,.0f} MB",
                f"{row['target_mb']:.0f} MB",
                f"{row['epoch']:.2f} s",
            ]
        },
        [
            "`Groups.from_votes`, median of 3",
            "its peak memory",
            "the target",
            "an epoch of the defaults",
        ],
    ).rename_axis(f"{row['votes']:,.0f} votes, 10,000 prompts x 8 items, 20 metrics")
    return doc_tables.markdown(table, cell=str)


def console(name, rows):
    """Return a command and what it printed, as a block of the page."""
    row = rows.set_index("name").loc[name]
    # An error is one line of any length.
    lines = [textwrap.fill(line, 100) or line for line in row["printed"].splitlines()]
    text = row["printed"] if len(lines) > 1 else lines[0]
    return f"```console\n$ {row['command']}\n{text}\n```"


TABLES = {
    "arena": doc_tables.from_rows("votes_arena", arena),
    "unseen": doc_tables.from_rows("votes_unseen", unseen),
    "ties": doc_tables.from_rows("votes_ties", ties),
    "thqa": doc_tables.from_rows("votes_thqa", thqa),
    "rail": doc_tables.from_rows("votes_rail", rail),
    "rail_bias": doc_tables.from_rows("votes_rail", rail_bias),
    "positions": doc_tables.from_rows("positions_accuracy", positions),
    "speed": doc_tables.from_rows("votes_speed", speed),
    **{
        f"console_{name}": doc_tables.from_rows(
            "votes_command_line", partial(console, name)
        )
        for name in COMMANDS
    },
}

if __name__ == "__main__":
    names = ("votes_arena", "votes_unseen", "votes_ties", "votes_thqa", "votes_rail")
    names += ("votes_speed", "positions_accuracy", "votes_command_line")
    machine = partial(doc_tables.table_of_machines, names)
    doc_tables.fill("votes.md", {**TABLES, "machine": machine})
