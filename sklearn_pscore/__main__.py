"""The command line: ``python -m sklearn_pscore compare``."""

import os
import tempfile
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import pandas as pd
import typer

app = typer.Typer(
    help="Learn human preference from metrics.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


class Data(StrEnum):
    """Data to compare the methods on."""

    thqa = "thqa"
    challenge = "challenge"


@app.callback()
def main():
    """Learn human preference from metrics."""


@app.command()
def compare(
    data: Annotated[
        Data | None,
        typer.Option(
            help="Default: thqa where it is or can be fetched, else challenge."
        ),
    ] = None,
    runs: Annotated[int, typer.Option(min=1, help="Seeds per method.")] = 5,
    out: Annotated[
        Path, typer.Option(file_okay=False, help="Folder for tables and pictures.")
    ] = Path("demo"),
    data_home: Annotated[
        Path | None,
        typer.Option(
            help="Folder that holds thqa/. Default: $SKLEARN_PSCORE_DATA, else a cache."
        ),
    ] = None,
):
    """Compare the methods of the paper, and tell which metric people follow."""
    # Heavy imports come after typer has checked the options.
    from sklearn_pscore._experiments import challenge_experiment, thqa_experiment

    if data is not Data.challenge:
        try:
            experiments = [thqa_experiment(data_home=data_home)]
        except ValueError as error:
            raise _Failure(str(error)) from None
        except OSError as error:
            if data is Data.thqa:
                raise _Failure(str(error)) from None
            typer.echo(f"THQA is not at hand ({error})\n")
            data = Data.challenge
    if data is Data.challenge:
        experiments = [
            challenge_experiment(track) for track in ("talking", "listening")
        ]

    out.mkdir(parents=True, exist_ok=True)
    tables, rows, importances, written = [], [], [], []
    for experiment in experiments:
        typer.echo(f"Data: {experiment.title}. {experiment.protocol}")
        comparison = experiment.compare(n_runs=runs, verbose=1)
        seeds = comparison.rows.query("method == 'PS'")["seed"].unique().tolist()
        drops, baseline = experiment.importances(seeds=seeds, verbose=1)
        importance = _importance_table(experiment, drops, baseline)
        how = f"± std over {runs} seeds" if runs > 1 else "of one seed"
        typer.echo(f"\nMean {how}")
        typer.echo(comparison.formatted(over="seed").to_string())
        typer.echo(
            f"\nPermutation importance in DCG of PS (unshuffled: DCG {baseline:.3f})"
        )
        typer.echo(importance.drop(columns="data").to_string(index=False, **_ROUNDED))
        typer.echo("")
        tables.append(_long_table(experiment, comparison))
        rows.append(comparison.rows.assign(data=experiment.title))
        importances.append(importance)
        written += _draw(out, experiment, comparison, drops, baseline)
    for name, parts in (("table", tables), ("runs", rows), ("importance", importances)):
        written.append(_write_csv(out / f"{name}.csv", pd.concat(parts)))
    typer.echo(f"Written to {out}: {', '.join(written)}")


_ROUNDED = {"float_format": "{:.3f}".format}


class _Failure(typer.Exit):
    """End with a message and exit code 1, without a traceback."""

    def __init__(self, message):
        typer.echo(f"Error: {message}", err=True)
        super().__init__(1)


def _long_table(experiment, comparison):
    table = comparison.table(over="seed")
    table.columns = [" ".join(column) for column in table.columns]
    table = table.rename_axis("method").reset_index()
    table.insert(0, "data", experiment.title)
    return table


def _importance_table(experiment, drops, baseline):
    table = pd.DataFrame(
        {
            "data": experiment.title,
            "metric": experiment.X.columns,
            "DCG shuffled": baseline - drops.mean(axis=1),
            "loss mean": drops.mean(axis=1),
            "loss std": drops.std(axis=1),
        }
    )
    return table.sort_values("loss mean", ascending=False)


def _draw(out, experiment, comparison, drops, baseline):
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    from sklearn_pscore.plotting import ImportanceDisplay, LeaderboardDisplay

    suffix = f"-{experiment.title.split()[-1].lower()}"
    figure, axes = plt.subplots(1, 2, figsize=(11, 3.6), layout="constrained")
    # Keep the numbers of the left panel away from the right one.
    figure.get_layout_engine().set(wspace=0.12)
    for ax, metric in zip(axes, comparison.metrics, strict=True):
        LeaderboardDisplay.from_comparison(
            comparison, metric=metric, over="seed", ax=ax
        )
    figure.suptitle(experiment.title)
    leaderboard = _write_picture(out / f"leaderboard{suffix}.png", figure)
    display = ImportanceDisplay.from_importances(
        drops,
        feature_names=list(experiment.X.columns),
        metric="DCG",
        baseline=baseline,
    )
    display.ax_.set_title(experiment.title)
    importance = _write_picture(out / f"importance{suffix}.png", display.figure_)
    return [leaderboard, importance]


def _write_csv(path, table):
    with _whole_file(path) as part:
        table.to_csv(part, index=False, float_format="%.6g")
    return path.name


def _write_picture(path, figure):
    import matplotlib.pyplot as plt

    with _whole_file(path) as part:
        figure.savefig(part, dpi=150, bbox_inches="tight", format="png")
    plt.close(figure)
    return path.name


@contextmanager
def _whole_file(path):
    """Yield a file beside `path` to write to; move it to `path` at the end."""
    handle, part = tempfile.mkstemp(dir=path.parent, prefix=".part-")
    os.close(handle)
    try:
        yield part
        os.chmod(part, 0o644)
        os.replace(part, path)
    except BaseException:
        os.unlink(part)
        raise


if __name__ == "__main__":
    app()
