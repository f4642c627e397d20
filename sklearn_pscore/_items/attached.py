"""Training items that travel with X through a Pipeline.

A Pipeline hands every step the original y, so a step cannot add rows. What it
can do is to hand on the very same X with a passenger: an object of X's own
type that remembers the training items made of it. The next step either asks
for the passenger (:func:`take_passenger`) or makes something new of X, which
leaves the passenger behind. In the second case somebody put a step between
the augmenter and the ranker, or a model that knows nothing of passengers at
the end: the user is warned when the passenger is lost.
"""

import sys
import warnings
import weakref
from functools import lru_cache

import numpy as np


class Passenger:
    """Training items, and the target that they were made for.

    Parameters
    ----------
    items : TrainingItems
    groups : structured ndarray or array-like of shape (n_samples,)
        The target as the user passed it.
    """

    def __init__(self, items, groups):
        self.items = items
        self.groups = np.array(groups)
        self._start_watching()

    def _start_watching(self):
        n_synthetic = int(np.sum(~self.items.judged))
        # A plain target is what people (and scikit-learn's own checks) send to
        # look at fit_transform by itself; named groups are meant for a ranker.
        if n_synthetic and self.groups.dtype.names is not None:
            self._watch = weakref.finalize(self, _warn_lost, n_synthetic)
            self._watch.atexit = False
        else:
            self._watch = None

    def belongs_to(self, groups):
        """Tell whether this was made for exactly this target."""
        groups = np.asarray(groups)
        return (
            groups.dtype == self.groups.dtype
            and groups.shape == self.groups.shape
            and groups.tobytes() == self.groups.tobytes()
        )

    def deliver(self):
        """Return the items; nobody needs a warning any more."""
        if self._watch is not None:
            self._watch.detach()
        return self.items

    def __reduce__(self):
        return Passenger, (self.items, self.groups)


class CarryingArray(np.ndarray):
    """An ndarray with a passenger; whatever is made of it has none."""

    passenger = None

    def __array_finalize__(self, obj):
        self.passenger = None

    def __reduce__(self):
        return attach_passenger, (np.asarray(self), self.passenger)


def attach_passenger(X, passenger):
    """Return `X`, of the same type and values, with a passenger.

    Parameters
    ----------
    X : ndarray or DataFrame of shape (n_samples, n_features)
        A NumPy array, or a pandas or polars DataFrame. It is not copied.
    passenger : Passenger or None
    """
    if isinstance(X, np.ndarray):
        carrying = X.view(CarryingArray)
    elif _is_from(X, "pandas"):
        carrying = _pandas_type()(X, copy=False)
    elif _is_from(X, "polars"):
        carrying = _polars_type()._from_pydf(X._df)
    else:
        raise TypeError(
            f"X is {type(X).__name__}; expected an array or a pandas or polars DataFrame. "
            "Convert it with np.asarray(X)."
        )
    # Frames take new columns by attribute; this is not one.
    object.__setattr__(carrying, "passenger", passenger)
    return carrying


def take_passenger(X, groups):
    """Return the training items that travel with `X`, or None.

    Items that were made for another target are left alone: to train on them
    would leak rows that a splitter has put aside.
    """
    passenger = getattr(X, "passenger", None)
    if not isinstance(passenger, Passenger) or not passenger.belongs_to(groups):
        return None
    return passenger.deliver()


def _is_from(X, library):
    # Without importing the library: who has one of its frames has imported it.
    module = sys.modules.get(library)
    return module is not None and isinstance(X, module.DataFrame)


@lru_cache
def _pandas_type():
    import pandas as pd

    class CarryingFrame(pd.DataFrame):
        """A pandas DataFrame with a passenger; its slices are plain frames."""

        passenger = None

        @property
        def _constructor(self):
            return pd.DataFrame

        def __reduce__(self):
            return attach_passenger, (pd.DataFrame(self), self.passenger)

    return CarryingFrame


@lru_cache
def _polars_type():
    import polars as pl

    class CarryingFrame(pl.DataFrame):
        """A polars DataFrame with a passenger; its slices carry none."""

        passenger = None

        def __reduce__(self):
            return attach_passenger, (pl.DataFrame._from_pydf(self._df), self.passenger)

    return CarryingFrame


def _warn_lost(n_synthetic):
    warnings.warn(
        f"Nobody picked up the {n_synthetic} synthetic items that PairAugmenter made: a "
        "step after it made a new X, or the last step does not learn from them. Put the "
        "augmenter right before a PairwisePreferenceRanker, or call augment(X, groups) "
        "for the enlarged data.",
        UserWarning,
        stacklevel=2,
    )
