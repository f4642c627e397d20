"""Training items attached to X, handed from one Pipeline step to the next.

A Pipeline passes the original y to every step, so a step cannot add rows. The
augmenter therefore returns the same X, as an object of a subclass of its type
whose attribute `attached_items` holds the items. The ranker reads them there
(:func:`take_attached_items`). Whatever another step makes of X is a plain X, so
the items are lost if there is a step between the augmenter and the ranker, or a
model at the end that does not look for them. A warning then tells the user, see
:class:`LossNotice`. A step that changes X in place keeps the items, which no longer
go with it: an error.
"""

import hashlib
import sys
import threading
import warnings
import weakref
from functools import lru_cache

import numpy as np

from sklearn_pscore._warn import warn_user

# Has `notice` if items are lost that the augmenter made last in the thread, and that
# is due to be told.
_thread = threading.local()


class LossNotice:
    """The warning that nobody picked up synthetic items, when X is gone with them.

    X goes while its last owner drops it, where Python ignores errors. So where
    warnings are errors, the warning is shown, and the notice is due: it is given, as
    an error, by the next fit of a ranker on the same target in that thread, which is
    the last step of the Pipeline, and by the augmenter in ``transform``.

    Parameters
    ----------
    n_synthetic : int
    target : bytes
        Digest of the target that the items are for, see :func:`content_of`.
    """

    def __init__(self, n_synthetic, target):
        self.n_synthetic = n_synthetic
        self.target = target
        self.is_due = False

    def items_are_gone(self):
        """Warn, but raise nothing."""
        self.is_due = True
        try:
            self.give_if_due()
        except UserWarning as warning:
            warnings.showwarning(warning, UserWarning, __file__, 0)
            _thread.notice = self

    def give_if_due(self):
        """Warn if it is due; it stays due if that raises."""
        if self.is_due:
            vars(_thread).clear()
            warn_user(
                f"Nobody picked up the {self.n_synthetic} synthetic items that "
                "PairAugmenter made: a step after it made a new X, or the last step "
                "does not learn from them. Put the augmenter right before a "
                "PairwisePreferenceRanker, or call augment(X, groups) for the enlarged "
                "data."
            )
            self.is_due = False


class AttachedItems:
    """Training items, the X they are attached to, and the target they are for.

    Parameters
    ----------
    items : TrainingItems
    target, content : bytes
        Digests of the target and of the X, see :func:`content_of`.
    notice : LossNotice or None
        Told when this is deleted and nobody has taken the items.
    """

    def __init__(self, items, target, content, notice):
        self.items = items
        self.target = target
        self.content = content
        self.notice = notice
        self._at_deletion = None
        if notice is not None:
            self._at_deletion = weakref.finalize(self, notice.items_are_gone)
            self._at_deletion.atexit = False

    @classmethod
    def of(cls, items, X, groups):
        """Return items that were made of `X` for the target `groups`."""
        vars(_thread).clear()
        groups = np.asarray(groups)
        target, notice = content_of(groups), None
        n_synthetic = int(np.sum(~items.judged))
        # People, and scikit-learn's checks, call fit_transform by itself with a
        # plain target. Groups are meant for a ranker, so they alone warn.
        if n_synthetic and groups.dtype.names is not None:
            notice = LossNotice(n_synthetic, target)
        return cls(items, target, content_of(X), notice)

    def take(self):
        """Return the items, and do not warn any more."""
        if self._at_deletion is not None:
            self._at_deletion.detach()
        return self.items

    def warn_if_unused(self, why, remedy):
        """Warn in a fit that does not take the items; then not once more later."""
        if self.notice is None:
            return
        self._at_deletion.detach()
        warn_user(
            f"X carries {self.notice.n_synthetic} synthetic items of PairAugmenter, {why}; "
            f"expected a PairwisePreferenceRanker that learns from them. {remedy}"
        )

    def __reduce__(self):
        return AttachedItems, (self.items, self.target, self.content, self.notice)


class AttachedArray(np.ndarray):
    """An ndarray with attached items; arrays made of it have none."""

    attached_items = None

    def __array_finalize__(self, obj):
        self.attached_items = None

    def __reduce__(self):
        return attach_items, (np.asarray(self), self.attached_items)


def attach_items(X, attached_items):
    """Return `X`, of the same type and values, with attached items.

    Parameters
    ----------
    X : ndarray or DataFrame of shape (n_samples, n_features)
        A NumPy array, or a pandas or polars DataFrame. It is not copied.
    attached_items : AttachedItems or None

    Returns
    -------
    X : ndarray or DataFrame of shape (n_samples, n_features)
    """
    if isinstance(X, np.ndarray):
        attached = X.view(AttachedArray)
    elif _is_from(X, "pandas"):
        attached = _pandas_type()(X, copy=False)
    elif _is_from(X, "polars"):
        attached = _polars_type()._from_pydf(X._df)
    else:
        raise TypeError(
            f"X is {type(X).__name__}; expected an array or a pandas or polars DataFrame. "
            "Convert it with np.asarray(X)."
        )
    attached.attached_items = attached_items
    return attached


def take_attached_items(X, groups):
    """Return the training items attached to `X`, or None.

    Items made for another target than `groups` are not taken: training on them
    would leak rows that a splitter has held out.

    Raises
    ------
    ValueError
        If `X` was changed after the items were made.

    Warns
    -----
    UserWarning
        If items for `groups` were lost in this thread, and a notice of it is due, or
        those of `X` were made for another target.
    """
    notice = vars(_thread).pop("notice", None)
    attached_items = _items_of(X)
    if notice is None and attached_items is None:
        return None
    target = content_of(np.asarray(groups))
    if notice is not None and notice.target == target:
        notice.give_if_due()
    if attached_items is None:
        return None
    if attached_items.target != target:
        attached_items.warn_if_unused(
            "which were made for another target",
            "Pass the target that fit_transform was called with.",
        )
        return None
    items = attached_items.take()
    if attached_items.content != content_of(X):
        raise ValueError(
            f"X was changed after PairAugmenter had made {np.sum(~items.judged)} synthetic "
            "items of it: a step between it and the ranker changes X in place; expected "
            "the X that the items were made of. Put the augmenter right before the ranker."
        )
    return items


def warn_about_attached_items(X, model):
    """Warn if synthetic items are attached to the `X` of a model that takes none.

    Parameters
    ----------
    X : array-like
    model : str
        Name of the model, for the message.
    """
    attached_items = _items_of(X)
    if attached_items is not None:
        attached_items.warn_if_unused(
            f"which {model} does not learn from",
            "Leave the augmenter out, or call augment(X, groups) for the enlarged data.",
        )


def without_attached_items(X):
    """Return `X`, of the same type and values, without attached items."""
    return X if _items_of(X) is None else attach_items(X, None)


def _items_of(X):
    attached_items = getattr(X, "attached_items", None)
    return attached_items if isinstance(attached_items, AttachedItems) else None


def content_of(X):
    """Return a digest of the values and the columns of an array or a DataFrame."""
    arrays = [X]
    if not isinstance(X, np.ndarray):
        names = list(X.columns)
        arrays = [np.array(list(map(repr, names)))]
        # Names may repeat; each stands for all of its columns.
        arrays += [X[name] for name in dict.fromkeys(names)]
    digest = hashlib.blake2b()
    for array in map(np.asarray, arrays):
        digest.update(f"{array.shape} {array.dtype} ".encode())
        if array.dtype.hasobject:
            digest.update(repr(array.tolist()).encode())
        else:
            digest.update(np.ascontiguousarray(array).view(np.ndarray).tobytes())
    return digest.digest()


def _is_from(X, library):
    # Does not import the library: whoever has one of its frames has imported it.
    module = sys.modules.get(library)
    return module is not None and isinstance(X, module.DataFrame)


@lru_cache
def _pandas_type():
    import pandas as pd

    class AttachedFrame(pd.DataFrame):
        """A pandas DataFrame with attached items; frames made of it have none."""

        attached_items = None

        @property
        def _constructor(self):
            return pd.DataFrame

        def __reduce__(self):
            return attach_items, (pd.DataFrame(self), self.attached_items)

    return AttachedFrame


@lru_cache
def _polars_type():
    import polars as pl

    class AttachedFrame(pl.DataFrame):
        """A polars DataFrame with attached items; frames made of it have none."""

        attached_items = None

        def __reduce__(self):
            return attach_items, (
                pl.DataFrame._from_pydf(self._df),
                self.attached_items,
            )

    return AttachedFrame
