"""``pscore fit``: a ranker learnt from a table, in a file."""

from pathlib import Path
from time import perf_counter
from typing import Annotated

import typer

from sklearn_pscore._cli.models import ENDINGS, check_can_save, save_model
from sklearn_pscore._cli.output import check_out, say, write_file
from sklearn_pscore._cli.rankers import QuickOption, import_rankers, learnt_ranker
from sklearn_pscore._cli.source import ForceOption, SeedOption, with_source


@with_source
def fit(
    source,
    *,
    out: Annotated[
        Path, typer.Option("--out", "-o", help="The fitted ranker, .skops or .onnx.")
    ],
    random_state: SeedOption = 0,
    quick: QuickOption = False,
    force: ForceOption = False,
):
    """Learn a score from a table, and write the fitted ranker."""
    check_out(out, force, ENDINGS)
    check_can_save(out)
    judged = source.read().judged()
    import_rankers()
    start = perf_counter()
    ranker = learnt_ranker(random_state, quick=quick, verbose=1)
    ranker.fit(judged.X, judged.groups)
    # How the fit spoke is not the model's.
    ranker.set_params(verbose=0)
    say(
        f"Learnt from {ranker.n_pairs_:,} pairs in {ranker.n_groups_:,} groups, in "
        f"{perf_counter() - start:.0f} s"
    )
    write_file(out, lambda path: save_model(ranker, path))
    typer.echo(f"Written to {out}: a ranker of {judged.X.shape[1]} metrics")
