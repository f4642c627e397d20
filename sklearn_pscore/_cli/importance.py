"""``pscore importance``: what the score loses without each metric."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from sklearn_pscore._cli.fitted import ModelOption, fitted_model, held_out_folds
from sklearn_pscore._cli.output import RESULTS, check_out, text_table, write_result
from sklearn_pscore._cli.progress import shown_progress
from sklearn_pscore._cli.rankers import QuickOption, import_rankers, learnt_ranker
from sklearn_pscore._cli.source import ForceOption, SeedOption, with_source
from sklearn_pscore._cli.votes import parted


class Shuffle(StrEnum):
    """Where values are swapped."""

    within = "within"
    everywhere = "global"


class Measure(StrEnum):
    """What is lost."""

    accuracy = "pairwise_accuracy"
    mrr = "mrr"
    dcg = "dcg"
    ndcg = "ndcg"
    spearman = "spearman"


@with_source
def importance(
    source,
    *,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="The table, or a picture (.png, .svg)."),
    ] = None,
    model: ModelOption = None,
    measure: Annotated[Measure, typer.Option(help="What is lost.")] = Measure.accuracy,
    shuffle: Annotated[
        Shuffle, typer.Option(help="Where values are swapped: inside groups, or all.")
    ] = Shuffle.within,
    together: Annotated[
        list[str] | None,
        typer.Option(
            help="Metrics that are permuted together, parted by commas. May be given "
            "several times.",
            metavar="COLUMNS",
        ),
    ] = None,
    repeats: Annotated[int, typer.Option(min=1, help="Permutations.")] = 10,
    folds: Annotated[
        int, typer.Option(min=2, help="Without --model: parts that are held out.")
    ] = 5,
    random_state: SeedOption = 0,
    quick: QuickOption = False,
    force: ForceOption = False,
):
    """Tell what agreement with people is lost without each metric."""
    check_out(out, force, RESULTS)
    source.check_given()
    fitted, columns = fitted_model(model)
    rows = source.read(columns=columns).judged()
    feature_groups = _joined(rows, together)
    import_rankers()
    options = {
        "scoring": measure.value,
        "shuffle": shuffle.value,
        "feature_groups": feature_groups,
        "n_repeats": repeats,
        "random_state": random_state,
    }
    if fitted is not None:
        parts = [_importance(fitted, rows.X, rows.groups, options)]
        of = f"{model} on {len(rows.X):,} rows"
    else:
        ranker = learnt_ranker(random_state, quick=quick)
        parts = _on_held_out_rows(ranker, rows, folds, options)
        of = f"the learnt score on {len(parts)} held-out folds"
    table = importance_table(parts)
    write_result(out, table, lambda: _drawn(parts, measure, of))
    baseline = sum(part.baseline for part in parts) / len(parts)
    name = measure.value.replace("_", " ")
    typer.echo(
        f"Loss of {of}, where a metric is permuted:\n"
        f"{name}, which is {baseline:.3f} with nothing permuted\n"
    )
    shown = table.copy()
    for name in ("loss", "std"):
        shown[name] = table[name].map("{:.4f}".format)
    over = "folds" if len(parts) > 1 else "permutations"
    typer.echo(text_table(shown.rename(columns={"std": f"± {over}"})))


def _joined(rows, together):
    """Return the metrics that are permuted together, by a name for them."""
    groups = {}
    for text in together or ():
        names = parted(text)
        for name in names:
            if name not in rows.X:
                from sklearn_pscore._tables.names import listed, nearest

                near = nearest(name, list(rows.X))
                hint = f"Did you mean {near!r}? " if near else ""
                raise ValueError(
                    f"--together has {name!r}, which is no metric; expected metrics. "
                    f"{hint}They are {listed(list(rows.X))}."
                )
        groups[" + ".join(names)] = list(names)
    return groups or None


def _on_held_out_rows(ranker, rows, folds, options):
    """Return the importances of each fold, by a model that was fitted on the others."""
    from sklearn.base import clone

    parts = []
    for train, test in shown_progress(held_out_folds(rows, folds), "fits"):
        fitted = clone(ranker).fit(rows.X.iloc[train], rows.groups[train])
        parts.append(_importance(fitted, rows.X.iloc[test], rows.groups[test], options))
    return parts


def _importance(fitted, X, groups, options):
    from sklearn_pscore.inspection import group_permutation_importance

    return group_permutation_importance(fitted, X, groups, **options)


def importance_table(parts):
    """Return a row per metric, the most important first.

    Parameters
    ----------
    parts : list of Bunch
        Results on one or several folds.

    Returns
    -------
    table : DataFrame
        `metric`, mean `loss`, and its `std` over folds, or over permutations where there
        is one part.
    """
    import numpy as np
    import pandas as pd

    means = np.array([part.importances_mean for part in parts])
    std = means.std(axis=0) if len(parts) > 1 else parts[0].importances_std
    table = pd.DataFrame(
        {"metric": parts[0].feature_names, "loss": means.mean(axis=0), "std": std}
    )
    table = table.sort_values("loss", ascending=False, kind="stable")
    return table.reset_index(drop=True)


def _drawn(parts, measure, of):
    """Return a picture: over folds if there are several, else over permutations."""
    import numpy as np

    from sklearn_pscore.plotting import ImportanceDisplay

    values, over = parts[0].importances, "permutations"
    if len(parts) > 1:
        values = np.column_stack([part.importances_mean for part in parts])
        over = "folds"
    return ImportanceDisplay.from_importances(
        values,
        feature_names=list(parts[0].feature_names),
        metric=measure.value.replace("_", " "),
        baseline=float(np.mean([part.baseline for part in parts])),
        model=of,
        over=over,
    ).figure_
