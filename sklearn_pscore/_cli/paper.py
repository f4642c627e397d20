"""The comparison of the paper's methods on a data set, with tables and pictures."""

from dataclasses import dataclass

import typer

from sklearn_pscore._cli.data_sets import DataSet
from sklearn_pscore._cli.failures import Failure
from sklearn_pscore._cli.output import check_folder, check_is_new
from sklearn_pscore._folders import whole_files
from sklearn_pscore._interrupt import quiet_interrupt


def compare_paper(data, runs, out, data_home, force):
    """Compare the methods of the paper, and tell which metric people follow.

    Parameters
    ----------
    data : DataSet or None
        None is THQA where it is at hand or can be fetched, else the challenge.
    runs : int
        Seeds of each method.
    out : Path
        Folder for tables and pictures.
    data_home : Path or None
    force : bool
        Whether files that are there are replaced.
    """
    if data is DataSet.thqa_ntire:
        raise Failure(
            f"--data is {data.value!r}, which has no metrics; expected thqa or challenge."
        )
    check_folder(out)
    with quiet_interrupt():
        _import_libraries()
    experiments = _experiments(data, data_home)
    _check_out(out, experiments, force)
    _write(out, [_result(experiment, runs) for experiment in experiments])


@dataclass(frozen=True)
class _Result:
    """What came of an experiment.

    Attributes
    ----------
    experiment : Experiment
    comparison : RankerComparison
    drops, baseline
        See :meth:`Experiment.importances`.
    analysis : Analysis
        The answers to four questions, by the ranker with its defaults.
    """

    experiment: object
    comparison: object
    drops: object
    baseline: float
    analysis: object

    def table(self):
        """Return mean and standard deviation of each method and metric."""
        table = self.comparison.table(over="seed")
        table.columns = [" ".join(column) for column in table.columns]
        table = table.rename_axis("method").reset_index()
        table.insert(0, "data", self.experiment.title)
        return table

    def runs(self):
        """Return the score of each run."""
        return self.comparison.rows.assign(data=self.experiment.title)

    def importance(self):
        """Return what each metric is worth, the most important first."""
        import pandas as pd

        table = pd.DataFrame(
            {
                "data": self.experiment.title,
                "metric": self.experiment.X.columns,
                "DCG shuffled": self.baseline - self.drops.mean(axis=1),
                "loss mean": self.drops.mean(axis=1),
                "loss std": self.drops.std(axis=1),
            }
        )
        return table.sort_values("loss mean", ascending=False)


_TABLES = {
    "table.csv": _Result.table,
    "runs.csv": _Result.runs,
    "importance.csv": _Result.importance,
}


def _check_out(out, experiments, force):
    """Fail if what is to be written is there, as a file or a folder."""
    names = [*_TABLES, *(name for each in experiments for name in _files(each))]
    for name in names:
        if (out / name).is_dir():
            raise Failure(
                f"--out is {str(out)!r}, which has a folder {name!r}; expected none of "
                "the name of a file to write. Pass another."
            )
    check_is_new([out / name for name in names], force)


def _import_libraries():
    """Import all that the work needs, so that Ctrl-C in it comes in no import."""
    import catboost  # noqa: F401
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot  # noqa: F401

    import sklearn_pscore._experiments
    import sklearn_pscore._rankers.training
    import sklearn_pscore.plotting
    import sklearn_pscore.report  # noqa: F401


def _experiments(data, data_home):
    """Return the experiments that were asked for, or those that there are data for."""
    from sklearn_pscore._experiments import challenge_experiment, thqa_experiment

    if data is not DataSet.challenge:
        try:
            return [thqa_experiment(data_home=data_home)]
        except ValueError as error:
            raise Failure(error, code=1) from None
        except OSError as error:
            if data is DataSet.thqa:
                raise Failure(error, code=1) from None
            typer.echo(f"THQA is not at hand ({error})\n")
    return [challenge_experiment(track) for track in ("talking", "listening")]


def _result(experiment, runs):
    """Run an experiment and print what came of it."""
    typer.echo(f"Data: {experiment.title}. {experiment.protocol}")
    comparison = experiment.compare(n_runs=runs, verbose=1)
    seeds = comparison.rows.query("method == 'PS'")["seed"].unique().tolist()
    importances = experiment.importances(seeds=seeds, verbose=1)
    result = _Result(experiment, comparison, *importances, _analysis(experiment))
    how = f"± std over {runs} seeds" if runs > 1 else "of one seed"
    typer.echo(f"\nMean {how}")
    typer.echo(comparison.formatted(over="seed").to_string())
    typer.echo(
        f"\nPermutation importance in DCG of PS (unshuffled: DCG {result.baseline:.3f})"
    )
    importance = result.importance().drop(columns="data")
    typer.echo(importance.to_string(index=False, float_format="{:.3f}".format))
    typer.echo(f"\n{result.analysis}\n")
    return result


def _analysis(experiment):
    from sklearn_pscore.report import analyse

    # Refits would take longer than all before.
    options = {"n_refits": 0, "title": experiment.title}
    return analyse(experiment.X, experiment.groups, **options)


def _write(out, results):
    """Write the tables and pictures, all or none of them."""
    import pandas as pd

    try:
        with whole_files(out) as folder:
            for name, part in _TABLES.items():
                table = pd.concat([part(result) for result in results])
                table.to_csv(folder / name, index=False, float_format="%.6g")
            for result in results:
                _draw(folder, result)
                _write_page(folder, result)
            written = sorted(path.name for path in folder.iterdir())
    except OSError as error:
        raise Failure(
            f"--out {str(out)!r} could not be written ({error}); nothing was. Make room, "
            "or pass another.",
            code=1,
        ) from None
    typer.echo(f"Written to {out}: {', '.join(written)}")


def _files(experiment):
    """Return the names of the two pictures and the page of an experiment."""
    suffix = experiment.title.split()[-1].lower()
    names = "leaderboard-{}.png", "importance-{}.png", "report-{}.html"
    return [name.format(suffix) for name in names]


def _write_page(folder, result):
    from sklearn_pscore.report import write_report

    experiment = result.experiment
    *_, name = _files(experiment)
    data = experiment.X, experiment.groups
    write_report(folder / name, *data, analysis=result.analysis)


def _draw(folder, result):
    import matplotlib.pyplot as plt

    from sklearn_pscore.plotting import ImportanceDisplay, LeaderboardDisplay

    experiment, comparison = result.experiment, result.comparison
    figure, axes = plt.subplots(1, 2, figsize=(11, 3.6), layout="constrained")
    # Keep the numbers of the left panel away from the right one.
    figure.get_layout_engine().set(wspace=0.12)
    for ax, metric in zip(axes, comparison.metrics, strict=True):
        LeaderboardDisplay.from_comparison(comparison, metric=metric, ax=ax)
    figure.suptitle(experiment.title)
    display = ImportanceDisplay.from_importances(
        result.drops,
        feature_names=list(experiment.X.columns),
        metric="DCG",
        baseline=result.baseline,
        model="PS",
    )
    display.ax_.set_title(experiment.title)
    figures = figure, display.figure_
    for name, each in zip(_files(experiment)[:2], figures, strict=True):
        each.savefig(folder / name, dpi=150, bbox_inches="tight")
        plt.close(each)
