"""``pscore fit``: a ranker learnt from a table, in a file."""

from pathlib import Path
from time import perf_counter
from typing import Annotated

import typer

from sklearn_pscore._cli.models import ENDINGS, check_can_save, save_model
from sklearn_pscore._cli.output import (
    check_out,
    say,
    text_table,
    wrapped,
    write_file,
)
from sklearn_pscore._cli.rankers import QuickOption, import_rankers, learnt_ranker
from sklearn_pscore._cli.source import ForceOption, SeedOption, with_source


@with_source
def fit(
    source,
    *,
    out: Annotated[
        Path, typer.Option("--out", "-o", help="The fitted ranker, .skops or .onnx.")
    ],
    order_bias: Annotated[
        bool,
        typer.Option(
            "--order-bias",
            help="Learn, too, how much it is worth to be shown first, of --votes or by "
            "--position, and leave it out of the score.",
        ),
    ] = False,
    random_state: SeedOption = 0,
    quick: QuickOption = False,
    force: ForceOption = False,
):
    """Learn a score from a table, and write the fitted ranker."""
    check_out(out, force, ENDINGS)
    check_can_save(out)
    judged = source.read(order=order_bias).judged()
    import_rankers()
    start = perf_counter()
    ranker = learnt_ranker(random_state, quick=quick, verbose=1, order_bias=order_bias)
    ranker.fit(judged.X, judged.groups)
    # How the fit spoke is not the model's.
    ranker.set_params(verbose=0)
    say(
        f"Learnt from {ranker.n_pairs_:,} pairs in {ranker.n_groups_:,} groups, in "
        f"{perf_counter() - start:.0f} s"
    )
    write_file(out, lambda path: save_model(ranker, path))
    typer.echo(f"Written to {out}: a ranker of {judged.X.shape[1]} metrics")
    if order_bias:
        typer.echo(f"\n{_bias(ranker, judged)}")


def _bias(ranker, rows):
    """Return the bias to what is shown first, in words or as a table."""
    fields = rows.groups.dtype.names
    what = f"{rows.n_blocks} {'blocks' if 'block' in fields else 'groups'}"
    if "votes" in fields:
        return wrapped(
            f"To be shown first adds {ranker.order_bias_:.3f} (standard error "
            f"{ranker.order_bias_std_:.3f}, by {what}) to the log odds of being "
            "preferred. The score leaves it out."
        )
    bias = ranker.position_bias_
    table = bias.assign(
        bias=bias["bias"].map("{:.3f}".format), std=bias["std"].map("{:.3f}".format)
    )
    table = table.rename(columns={"std": "standard error"})
    return "\n\n".join(
        (
            "What it adds to the log odds to be shown at a position rather than first:",
            text_table(table),
            wrapped(f"Standard errors are by {what}. The score leaves it out."),
        )
    )
