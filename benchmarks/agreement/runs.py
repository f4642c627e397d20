"""Run a grid of rankers and data sets from the command line, and resume it."""

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.agreement.evaluation import METRICS
from benchmarks.shared.command_line import parser_with_smoke
from benchmarks.shared.run_rows import RunRows

COLUMNS = ["seed", "fold", "n_train", *METRICS, "n_pairs", "fit_seconds"]


@dataclass(frozen=True)
class Grid:
    """Data sets, and the rankers, variants or settings that run on each of them.

    Attributes
    ----------
    table : str
        Name of the rows in ``results/``.
    by : str
        Column of the names: "ranker", "variant" or "setting".
    names : list of str
        All names that may be asked for.
    sets : dict of str to DataSet
    run : callable
        ``run(name, data, splits, n_seeds)`` returns a frame with one row per fit,
        an empty one if the name says nothing on these splits.
    suits : callable
        ``suits(name, data)``: whether the name is run on a data set.
    """

    table: str
    by: str
    names: list
    sets: dict
    run: Callable
    suits: Callable = lambda name, data: True


def parse(grid, doc, *, sets=None, seeds=5, smoke_sets, smoke_names=None):
    """Return the arguments of a script.

    Parameters
    ----------
    grid : Grid
    doc : str
        Docstring of the script.
    sets : iterable of str or None
        Run if no sets are asked for; None: all.
    seeds : int
        Runs of each fold.
    smoke_sets, smoke_names : list of str or None
        Run by ``--smoke`` if none are asked for; None: as without it.
    """
    parser = parser_with_smoke(doc)
    for option, known in (("sets", grid.sets), (f"{grid.by}s", grid.names)):
        parser.add_argument(f"--{option}", nargs="+", choices=known, metavar="NAME")
    parser.add_argument("--real", action="store_true", help="real sets alone")
    parser.add_argument("--folds", type=int, help="of each set, at most (default: all)")
    parser.add_argument("--seeds", type=int, default=seeds, help="runs of each fold")
    parser.add_argument("--missing", action="store_true", help="skip runs with rows")
    parser.add_argument("--out", default=grid.table, help="name of the rows")
    parser.add_argument(
        "--as",
        dest="recorded_as",
        metavar="NAME",
        help=f"write the rows of one {grid.by} by this name: of code that is not kept",
    )
    parser.add_argument("--show", action="store_true", help="run nothing, print rows")
    args = parser.parse_args()
    args.names = getattr(args, f"{grid.by}s")
    if args.smoke:
        args.seeds, args.folds = 1, 2
        args.sets, args.names = args.sets or smoke_sets, args.names or smoke_names
    args.sets = args.sets or list(sets or grid.sets)
    if args.real:
        args.sets = [n for n in args.sets if grid.sets[n].kind == "real"]
    args.names = args.names or list(grid.names)
    if args.recorded_as is not None and len(args.names) != 1:
        parser.error(
            f"--as names the rows of one {grid.by}, but {len(args.names)} are run; "
            f"pass one, --{grid.by}s NAME."
        )
    return args


def run_grid(grid, args):
    """Make the runs asked for, write the rows after each, and return all rows.

    A run replaces its earlier rows and keeps all others; with ``--missing`` only
    runs without rows are made.
    """
    order = {"set": grid.sets, grid.by: grid.names}
    rows = RunRows(args.out, order, COLUMNS, on_disk=not args.smoke)
    for data in [] if args.show else [grid.sets[name] for name in args.sets]:
        if not data.is_available():
            print(f"{data.name}: its table is not in the data home, skipped")
            continue
        names = [
            name
            for name in args.names
            if grid.suits(name, data)
            and not (args.missing and rows.has(data.name, args.recorded_as or name))
        ]
        # Some sets take seconds to make.
        splits = data.splits()[: args.folds] if names else []
        for name in names:
            table = grid.run(name, data, splits, args.seeds)
            if not len(table):
                continue
            print(
                f"{data.name}, {name}: accuracy {table['accuracy'].mean():.4f}, "
                f"{table['fit_seconds'].sum():.1f} s",
                flush=True,
            )
            written_as = args.recorded_as or name
            rows.replace(table.assign(**{"set": data.name, grid.by: written_as}))
    return rows.table
