"""The partitions of a table, and which worker gets which of them."""

import numpy as np


def check_is_dask(ddf, caller):
    """Raise TypeError if a table is no dask DataFrame."""
    import dask.dataframe as dd

    if not isinstance(ddf, dd.DataFrame):
        kind = type(ddf)
        # A DataFrame may be one of pandas.
        library = kind.__module__.partition(".")[0]
        name = kind.__name__ if library == "builtins" else f"{library} {kind.__name__}"
        raise TypeError(
            f"ddf is of type {name}; {caller} expected a dask DataFrame. "
            "Make one by dask.dataframe.read_parquet(...) or from_pandas(frame, "
            "npartitions=...), or call fit on data in memory."
        )


def check_kinds(dtypes, fields, features, name):
    """Raise ValueError for a column of a type that its use cannot take.

    Parameters
    ----------
    dtypes : Series
        By column.
    fields : dict of str to str
    features : list of str
    name : str
        Of the table, for messages.
    """
    import pandas as pd
    from pandas.api.types import is_integer_dtype, is_numeric_dtype

    for argument, column in fields.items():
        kind = dtypes[column]
        if isinstance(kind, pd.CategoricalDtype):
            kind = kind.categories.dtype
        is_number = is_numeric_dtype(kind)
        if argument not in ("group", "block"):
            if not is_number:
                raise ValueError(
                    f"{name}: column {column!r}, which {argument}= names, holds {kind}; "
                    "expected numbers. Convert the column."
                )
        elif (is_number and not is_integer_dtype(kind)) or kind.kind in "bmM":
            how = f"Convert the column by ddf[{column!r}].astype(str)."
            if kind.kind == "f":
                how = (
                    "Integers are floats to pandas where one is missing: drop such rows, "
                    f"and convert the column by ddf[{column!r}].astype(int), or "
                    "astype(str)."
                )
            raise ValueError(
                f"{name}: column {column!r}, which {argument}= names, holds {kind}; "
                "expected integers or strings, which tell the same label on every worker. "
                + how
            )
    for column in features:
        if not is_numeric_dtype(dtypes[column]):
            raise ValueError(
                f"{name}: column {column!r} holds {dtypes[column]}; expected numbers in "
                "every metric. Name the metrics with features=[...]."
            )


def load(client, ddf, columns):
    """Return futures of the partitions of some columns, in order.

    A partition is made where the cluster likes, as for any other work.
    """
    return client.compute(ddf[columns].to_delayed())


def deal_out(n_rows, n_workers):
    """Return the numbers of the partitions that each rank gets.

    Neighbours stay together, and the ranks have about the same number of rows. It
    depends on nothing else, so the same partitions on as many workers give the same fit.

    Parameters
    ----------
    n_rows : sequence of int
        Of each partition.
    n_workers : int

    Returns
    -------
    parts : list of ndarray of int
        At most `n_workers`; none is empty, and no partition without rows is in one.
    """
    n_rows = np.asarray(n_rows)
    kept = np.flatnonzero(n_rows)
    n_ranks = min(n_workers, len(kept))
    if not n_ranks:
        return []
    ends = np.cumsum(n_rows[kept])
    middle = ends - n_rows[kept] / 2
    rank = (middle * (n_ranks / ends[-1])).astype(np.int64)
    # A large partition may span several ranks: each gets one at least.
    place = np.arange(len(kept))
    rank = np.clip(rank, n_ranks - len(kept) + place, place)
    for k in range(1, len(rank)):
        rank[k] = min(rank[k], rank[k - 1] + 1)
    return [kept[rank == number] for number in range(n_ranks)]


def place(parts, holders, workers):
    """Return the worker of each rank: mostly where its partitions are already.

    Parameters
    ----------
    parts : list of ndarray of int
        Partitions of each rank.
    holders : list of collection of str
        Addresses of the workers that hold each partition.
    workers : list of str
        More or as many as there are ranks.
    """
    free, chosen = list(workers), []
    for numbers in parts:
        held = {worker: sum(worker in holders[k] for k in numbers) for worker in free}
        # The first of those that hold most.
        best = max(free, key=held.get)
        free.remove(best)
        chosen.append(best)
    return chosen
