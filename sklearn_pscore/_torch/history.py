"""The history of a net by column: one array for each value that epochs have."""

from numbers import Real

import numpy as np
from skorch.history import History


def columns_of(epochs, names, before=None):
    """Return values of epochs as a dict of arrays of float64, NaN where there is none.

    Parameters
    ----------
    epochs : list of dict
    names : iterable of str
        Values to take; one that no epoch has is left out.
    before : dict of ndarray or None, default=None
        Columns of the epochs before these.

    Returns
    -------
    columns : dict of str to ndarray of shape (n_epochs,), float64
        In the order of `names`.
    """
    before = before or {}
    n_before = len(next(iter(before.values()), ()))
    columns = {}
    for name in names:
        if name in before or any(name in epoch for epoch in epochs):
            past = before.get(name, np.full(n_before, np.nan))
            new = [epoch.get(name, np.nan) for epoch in epochs]
            columns[name] = np.concatenate([past, np.array(new, dtype=np.float64)])
    return columns


def names_of_numbers(epochs):
    """Return the names of the values of epochs that are numbers, in order, each once."""
    return dict.fromkeys(
        name
        for epoch in epochs
        for name, value in epoch.items()
        if isinstance(value, (Real, np.bool_))
    )


def history_of(columns):
    """Return the history of a net from its columns: without its batches.

    The values are floats, but the number of the epoch, and of its batches.
    """
    n_epochs = len(next(iter(columns.values()), ()))
    epochs = [{"batches": []} for _ in range(n_epochs)]
    for name, values in columns.items():
        kind = int if name == "epoch" or name.endswith("_count") else float
        for epoch, value in zip(epochs, values.tolist(), strict=True):
            if not np.isnan(value):
                epoch[name] = kind(value)
    return History(epochs)
