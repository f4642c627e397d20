"""Rows written run by run, so that a long script can be stopped and resumed."""

import pandas as pd

from benchmarks.shared.results import read_rows, write_rows


class RunRows:
    """Rows of ``results/NAME.csv``; a run replaces its earlier rows.

    A run is named by its values in the key columns. The file has a fixed order,
    so that it does not matter whether a script was stopped and resumed.

    Parameters
    ----------
    name : str
    order : dict of str to iterable of str
        The names that each key column may hold, in the order of the file; any other
        comes after them.
    columns : iterable of str
        Order of the columns after the key; any other comes last.
    on_disk : bool
        False keeps the rows in memory, and starts with none.
    write : callable
        ``write(name, rows)`` writes all rows.
    """

    def __init__(self, name, order, columns=(), *, on_disk=True, write=write_rows):
        self.name = name
        self.order = {column: list(names) for column, names in order.items()}
        self.columns = list(columns)
        self.on_disk = on_disk
        self.write = write
        self._in_memory = pd.DataFrame()

    @property
    def table(self):
        """All rows; read each time, since another process may have added some."""
        return read_rows(self.name) if self.on_disk else self._in_memory

    def has(self, *run):
        """Return whether there are rows of a run."""
        table = self.table
        if not len(table):
            return False
        return bool((table[list(self.order)] == list(run)).all(axis=1).any())

    def replace(self, rows):
        """Add the rows of some runs, and drop their earlier ones."""
        merged = self._sorted(self._merged(self.table, rows))
        if self.on_disk:
            self.write(self.name, merged)
        else:
            self._in_memory = merged

    def _merged(self, table, rows):
        key = list(self.order)
        if len(table):
            again = table.set_index(key).index.isin(rows.set_index(key).index)
            table = table[~again]
        return pd.concat([table, rows]) if len(table) else rows

    def _sorted(self, table):
        listed = [c for c in [*self.order, *self.columns] if c in table]
        ranks = {
            column: {
                name: rank
                # Names that are not in the order any more come last.
                for rank, name in enumerate(
                    dict.fromkeys([*names, *sorted(table[column].unique())])
                )
            }
            for column, names in self.order.items()
        }
        return table[[*listed, *table.columns.drop(listed)]].sort_values(
            [*self.order, *(c for c in ("seed", "fold") if c in table)],
            key=lambda c: c.map(ranks[c.name]) if c.name in ranks else c,
            kind="stable",
        )
