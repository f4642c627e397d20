"""Odd inputs of fits on a Dask cluster: columns, arguments, and how rows are cut.

The slow way is ``fit`` to the same rows in one place. Both train the convex model of no
hidden layer until it stands still, in steps over all pairs: so they differ by rounding
and by what is left to train, whatever each rank holds and wherever training began.
"""

from contextlib import ExitStack, contextmanager

import numpy as np
import pandas as pd
from sklearn.base import clone

from benchmarks.reliability import matrices
from benchmarks.reliability.case import Case, Meaningless
from benchmarks.reliability.dask_columns import DASK_COLUMNS
from benchmarks.reliability.parameter_cases import shown_of
from benchmarks.reliability.parquet_cases import ARROW_TYPES, FEATURES
from benchmarks.reliability.ranker_cases import plain_table
from benchmarks.reliability.structures import counts_in
from sklearn_pscore import Groups, PairwisePreferenceRanker

_N_GROUPS, _SIZE = 6, 4
_N_ROWS = _N_GROUPS * _SIZE
# What is left to train.
RTOL = 0.03
_RANKER = PairwisePreferenceRanker(
    (),
    shortcut="linear",
    n_members=1,
    max_epochs=150,
    learning_rate_init=0.05,
    random_state=0,
)
_FIELDS = {
    "group": "group",
    "preference": "preference",
    "weight": "weight",
    "block": "block",
}
_NAMES = (*_FIELDS, "features", "pairs", "X", "ddf")
_ARGUMENTS = {
    "group": [None, "nobody", 3, ["group"], b"group", "", "a"],
    "preference": [None, "nobody", 3, "a", ["preference"], "group"],
    "weight": ["nobody", 3, ["weight"], "group", True],
    "block": ["nobody", 3, ["block"], "a", "preference"],
    "features": FEATURES,
    "client": [None, "tcp://127.0.0.1:8786", 3, object()],
    "timeout": [0, -1, np.nan, np.inf, None, "300", True, [300], 300j],
    "ddf": [None, "judged/", 3, [], {}, object(), pd.DataFrame({"a": [1.0]})],
}


class _Lent:
    """The client of a cluster whose workers are threads, from its first use on."""

    def __init__(self):
        self._stack, self._client = None, None

    @contextmanager
    def lent(self):
        """Close the cluster at the end, if one was used."""
        with ExitStack() as self._stack:
            try:
                yield
            finally:
                self._client = None

    def client(self):
        """Return the client."""
        from distributed import Client, LocalCluster

        if self._client is None:
            cluster = self._stack.enter_context(
                LocalCluster(
                    n_workers=2,
                    threads_per_worker=1,
                    processes=False,
                    # Workers that are threads have no address of their own otherwise.
                    protocol="tcp://",
                    host="127.0.0.1",
                    dashboard_address="127.0.0.1:0",
                    silence_logs=50,
                )
            )
            client = Client(cluster, set_as_default=False)
            self._client = self._stack.enter_context(client)
        return self._client


_CLUSTER = _Lent()
lent_cluster = _CLUSTER.lent


def _table(rng):
    """Return a drawn table whose groups are runs of rows."""
    preference = rng.integers(0, 4, _N_ROWS)
    # Every group has something to compare.
    preference[::_SIZE], preference[1::_SIZE] = 0, 3
    group = np.repeat(rng.permutation(_N_GROUPS), _SIZE)
    X = plain_table(_N_ROWS, seed=rng.integers(99))
    table = pd.DataFrame(X, columns=matrices.NAMES)
    return table.assign(
        group=group, preference=preference.astype(float), weight=2.0, block=group // 2
    )


def _cut(table, ends, change=None):
    """Return a dask DataFrame of the rows up to each of some ends, and its parts."""
    import dask.dataframe as dd

    parts = [
        table.iloc[start:end]
        for start, end in zip([0, *ends], [*ends, None], strict=True)
    ]
    if change is not None:
        parts = change(parts)
    return dd.from_map(lambda part: part, parts, meta=table.iloc[:0])


def _between_groups(rng):
    """Return places between groups, some of them twice: an empty partition."""
    places = np.arange(_N_GROUPS + 1) * _SIZE
    return sorted(rng.choice(places, rng.integers(0, 6)).tolist())


def _anywhere(rng):
    return sorted(rng.integers(0, _N_ROWS + 1, rng.integers(1, 9)).tolist())


def _scores(ranker):
    """Return the scores of some rows, without what all have in common.

    Large ones are those of groups that can be told apart, which training never ends to
    move apart: the differences in their order are in units of their spread.
    """
    scores = ranker.predict(
        pd.DataFrame(plain_table(9, seed=2), columns=matrices.NAMES)
    )
    scores = scores - scores.mean()
    return scores / max(1.0, scores.std())


def _fit_on_cluster(ddf, **odd):
    arguments = {"features": matrices.NAMES, **_FIELDS, "client": _CLUSTER.client()}
    # Dask guesses sizes of columns of objects by this generator, in threads of workers.
    state = np.random.get_state()  # noqa: NPY002
    try:
        return _scores(clone(_RANKER).fit_dask(ddf, **{**arguments, **odd}))
    finally:
        np.random.set_state(state)  # noqa: NPY002


def _fit_here(table):
    y = Groups.from_frame(table, **_FIELDS)
    return _scores(clone(_RANKER).fit(table[matrices.NAMES], y))


def _shown(table):
    target = {"group": table["group"].tolist()}
    return (*counts_in(target), *ARROW_TYPES, "one preference", "missing", "no client")


def _case(kind, oddity, call, right, names, passed, shown, must_handle=False):
    # Before the state of the process is looked at: dask changes some of it.
    _CLUSTER.client()
    return Case(
        "PairwisePreferenceRanker.fit_dask",
        kind,
        oddity,
        call,
        right,
        names,
        passed,
        shown=shown,
        must_handle=must_handle,
        rtol=RTOL,
    )


def column_case(rng):
    """Draw a fit to a table with an odd column."""
    table, ends = _table(rng), _between_groups(rng)
    what = str(rng.choice(list(DASK_COLUMNS)))
    field, make, has_meaning = DASK_COLUMNS[what]
    values = table[field] if field == "a" else table[field].astype(int)
    made = make(values.tolist())
    odd = table.assign(**{field: pd.Series(made, index=table.index)})

    def right():
        if has_meaning is False:
            raise Meaningless(what)
        if field == "a":
            floats = [np.nan if pd.isna(x) else float(x) for x in odd["a"]]
            return _fit_here(table.assign(a=floats))
        if what == "preference as bool":
            return _fit_here(table.assign(preference=np.array(made, float)))
        return _fit_here(table)

    ddf = _cut(odd, ends)
    names = (field, *_NAMES)
    return _case(
        "column",
        what,
        lambda: _fit_on_cluster(ddf),
        right,
        names,
        (made,),
        _shown(table),
    )


def argument_case(rng):
    """Draw a fit with an odd argument."""
    table, ends = _table(rng), _between_groups(rng)
    argument = str(rng.choice(list(_ARGUMENTS)))
    values = _ARGUMENTS[argument]
    value = values[rng.integers(len(values))]
    ddf = _cut(table, ends)

    def call():
        if argument == "ddf":
            return _fit_on_cluster(value)
        return _fit_on_cluster(ddf, **{argument: value})

    def right():
        if (argument, value) == ("weight", "group"):
            return _fit_here(table.assign(weight=table["group"]))
        raise Meaningless(argument)

    what = f"{argument}={value!r:.60}"
    shown = (*shown_of(value), *_shown(table))
    return _case("argument", what, call, right, (argument, *_NAMES), (value,), shown)


def _persisted(ddf, rng):
    # On the client of the cases: there is no default one.
    return _CLUSTER.client().persist(ddf)


# Ways to the same rows that a fit has to take.
_WHOLE = {
    "cut between groups": lambda ddf, rng: ddf,
    "shuffled by group": lambda ddf, rng: ddf.shuffle(on="group", npartitions=3),
    "persisted": _persisted,
    "filtered to the same rows": lambda ddf, rng: ddf[ddf["weight"] > 1],
    "columns in another order": lambda ddf, rng: ddf[list(ddf.columns)[::-1]],
    "a computed column": lambda ddf, rng: ddf.assign(a=ddf["a"] + 1 - 1),
    "a column of text beside": lambda ddf, rng: ddf.assign(text="words"),
    "an index of text": lambda ddf, rng: ddf.map_partitions(
        lambda part: part.set_axis([f"row {x}" for x in part.index]),
        meta=ddf._meta.set_axis(pd.Index([], dtype=object)),
    ),
    "an index with one value": lambda ddf, rng: ddf.map_partitions(
        lambda part: part.set_axis([0] * len(part)), meta=ddf._meta
    ),
}


def partition_case(rng):
    """Draw a fit to plain rows in odd partitions: whole groups, which have to work."""
    table, ends = _table(rng), _between_groups(rng)
    what = str(rng.choice(list(_WHOLE)))
    ddf = _WHOLE[what](_cut(table, ends), rng)
    return _case(
        "partitions",
        f"{what}, ends {ends}",
        lambda: _fit_on_cluster(ddf),
        lambda: _fit_here(table),
        _NAMES,
        (),
        _shown(table),
        must_handle=True,
    )


def _in_one(change):
    """Return a change of the last partition that has rows."""

    def changed(parts):
        number = max(k for k, part in enumerate(parts) if len(part))
        return [change(part) if k == number else part for k, part in enumerate(parts)]

    return changed


# A partition unlike the others, and whether the rows mean what they did.
_UNLIKE = {
    "other order of columns": (lambda part: part[list(part)[::-1]], True),
    "one column more": (lambda part: part.assign(more=1.0), True),
    "no column a": (lambda part: part.drop(columns="a"), False),
    "no group": (lambda part: part.drop(columns="group"), False),
    "a twice": (lambda part: pd.concat([part, part[["a"]]], axis=1), False),
    "a as text": (lambda part: part.astype({"a": str}), False),
    "a as float32": (lambda part: part.astype({"a": "f4"}), True),
    "a as integers": (lambda part: part.astype({"a": "i8"}), True),
    "group as int8": (lambda part: part.astype({"group": "i1"}), True),
    "group as text": (lambda part: part.astype({"group": str}), False),
    "group as float": (lambda part: part.astype({"group": float}), None),
    "preference as text": (lambda part: part.astype({"preference": str}), False),
    "an array": (lambda part: part.to_numpy(), False),
    "a Series": (lambda part: part["a"], False),
    "None": (lambda part: None, False),
}


def unlike_case(rng):
    """Draw a fit to partitions of which one is of another kind."""
    table, ends = _table(rng), _between_groups(rng)
    what = str(rng.choice(list(_UNLIKE)))
    change, has_meaning = _UNLIKE[what]
    ddf = _cut(table, ends, _in_one(change))

    edges = [0, *ends, _N_ROWS]
    is_like_all = what == "group as text" and np.count_nonzero(np.diff(edges)) == 1

    def right():
        if has_meaning is False and not is_like_all:
            raise Meaningless(what)
        return _fit_here(table)

    return _case(
        "partitions",
        f"{what} in one, ends {ends}",
        lambda: _fit_on_cluster(ddf),
        right,
        _NAMES,
        (),
        (*_shown(table), *map(str, range(9)), "a", "group", "preference", "ndarray"),
    )


def _one_group(table, rng):
    return table.assign(group=7, block=7)


def _rows_alone(table, rng):
    """Let some rows be groups of their own."""
    alone = rng.random(len(table)) < 0.3
    group = np.where(alone, 1000 + np.arange(len(table)), table["group"])
    return table.assign(group=group, block=group)


_STRUCTURES = {
    "as it is": lambda table, rng: table,
    "rows in any order": lambda table, rng: table.iloc[rng.permutation(len(table))],
    "one group": _one_group,
    "groups of one row": lambda table, rng: table.assign(
        group=range(len(table)), block=range(len(table))
    ),
    "some rows alone": _rows_alone,
    "groups of ties": lambda table, rng: table.assign(
        preference=np.where(table["group"] < 3, 1.0, table["preference"])
    ),
    "ties only": lambda table, rng: table.assign(preference=1.0),
    "some weights of 0": lambda table, rng: table.assign(
        weight=rng.integers(0, 2, len(table)).astype(float)
    ),
    "weights of 0 only": lambda table, rng: table.assign(weight=0.0),
    "drawn weights": lambda table, rng: table.assign(
        weight=rng.integers(1, 9, len(table)).astype(float)
    ),
    "metrics missing": lambda table, rng: table.assign(
        a=table["a"].where(rng.random(len(table)) < 0.7)
    ),
    "two rows": lambda table, rng: table.iloc[:2],
    "one row": lambda table, rng: table.iloc[:1],
    "no rows": lambda table, rng: table.iloc[:0],
    "preferences far apart": lambda table, rng: table.assign(
        preference=table["preference"] * 1e300
    ),
}


def structure_case(rng):
    """Draw a fit to rows of an odd structure, cut anywhere.

    A group that comes to two workers is refused; all else is to be as where the rows
    are in one place.
    """
    what = str(rng.choice(list(_STRUCTURES)))
    table = _STRUCTURES[what](_table(rng), rng)
    ends = _anywhere(rng) if rng.random() < 0.5 else _between_groups(rng)
    ends = [end for end in ends if end <= len(table)]
    ddf = _cut(table, ends)

    def right():
        try:
            return _fit_here(table)
        except (TypeError, ValueError) as error:
            raise Meaningless(what) from error

    return _case(
        "structure",
        f"{what}, ends {ends}",
        lambda: _fit_on_cluster(ddf),
        right,
        _NAMES,
        (),
        (*_shown(table), *map(str, table["group"]), "no rows", "1e+300", "0.0"),
    )


CASES = (column_case, argument_case, partition_case, unlike_case, structure_case)
