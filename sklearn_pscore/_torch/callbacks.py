"""The callbacks of skorch that a user passes: whether they find what they read."""

from skorch.callbacks import (
    BatchScoring,
    Callback,
    Checkpoint,
    EarlyStopping,
    EpochScoring,
    LRScheduler,
)
from skorch.utils import to_numpy

# What the history of a net has of the validation set.
_VALIDATION_KEYS = {"valid_loss", "valid_batch_count", "valid_batch_size"}
_WAY_OUT = (
    "Pass one to fit as X_val and y_val, or set early_stopping=True, with which fit holds "
    "one out; or monitor a value of the training set, such as 'train_loss'."
)


def check_callbacks(callbacks, has_validation, caller):
    """Raise an error unless the callbacks can be called in a training.

    Parameters
    ----------
    callbacks : list or None
    has_validation : bool
        Whether there is a validation set.
    caller : str
        Name of the method that trains, for the message.

    Raises
    ------
    TypeError
        If there is anything but callbacks of skorch, or (name, callback) tuples.
    ValueError
        If one of them cannot score groups, or monitors what there is not.
    """
    for callback in _callbacks_of(callbacks):
        if not isinstance(callback, Callback):
            raise TypeError(
                f"callbacks holds {callback!r} of type {type(callback).__name__}; "
                "expected skorch callbacks, or (name, callback) tuples. Pass for example "
                "callbacks=[skorch.callbacks.GradientNormClipping(1.0)]."
            )
        _check_scoring(callback)
    if has_validation:
        return
    of_validation = _validation_keys(callbacks)
    for callback in _callbacks_of(callbacks):
        monitor = _monitor_of(callback)
        if isinstance(monitor, str) and monitor.removesuffix("_best") in of_validation:
            raise ValueError(
                f"callbacks holds {type(callback).__name__}(monitor={monitor!r}), but "
                f"{caller} has no validation set; expected a monitor of what there is. "
                f"{_WAY_OUT}"
            )


def note_missing_validation(error, callbacks):
    """Add a note to a KeyError if its key is one that a validation set would bring.

    Parameters
    ----------
    error : KeyError
        Of a callback, in a training without a validation set.
    callbacks : list
    """
    keys = _validation_keys(callbacks)
    if any(repr(k) in str(error) for key in keys for k in (key, f"{key}_best")):
        error.add_note(f"There is no validation set in this training. {_WAY_OUT}")


def _callbacks_of(callbacks):
    """Return callbacks without their names; a class as skorch makes an object of it."""
    unnamed = [
        each[-1] if isinstance(each, tuple) else each for each in callbacks or []
    ]
    return [
        each() if isinstance(each, type) and issubclass(each, Callback) else each
        for each in unnamed
    ]


def _check_scoring(callback):
    """Raise ValueError if a callback of skorch cannot score groups."""
    if isinstance(callback, BatchScoring) and callback.target_extractor is to_numpy:
        raise ValueError(
            "callbacks holds a BatchScoring, whose batches are tensors of packed groups; "
            "expected EpochScoring, which scores all groups at the end of an epoch. Pass "
            "EpochScoring(sklearn_pscore.metrics.ndcg_scorer, lower_is_better=False)."
        )
    if isinstance(callback, EpochScoring) and not takes_groups(callback.scoring):
        raise ValueError(
            f"callbacks holds EpochScoring({callback.scoring!r}), which knows no groups; "
            "expected a scorer that takes (net, X, groups). Pass "
            "EpochScoring(sklearn_pscore.metrics.ndcg_scorer, lower_is_better=False), or "
            "your own function."
        )


def takes_groups(scoring):
    """Return False for the names, metrics and scorers of scikit-learn's own."""
    metric = getattr(scoring, "_score_func", scoring)
    is_of_sklearn = (getattr(metric, "__module__", None) or "").startswith("sklearn.")
    return callable(scoring) and not is_of_sklearn


def _monitor_of(callback):
    """Return the key of the history that a callback of skorch needs, or None."""
    if isinstance(callback, LRScheduler):
        policy = getattr(callback.policy, "__name__", callback.policy)
        return callback.monitor if policy == "ReduceLROnPlateau" else None
    is_known = isinstance(callback, (EarlyStopping, Checkpoint))
    return callback.monitor if is_known else None


def _validation_keys(callbacks):
    """Return the keys of the history that are there with a validation set only."""
    of_training, of_validation = set(), set(_VALIDATION_KEYS)
    for callback in _callbacks_of(callbacks):
        if isinstance(callback, EpochScoring):
            name = callback.name or getattr(callback.scoring, "__name__", None)
            (of_training if callback.on_train else of_validation).add(name)
    return of_validation - of_training
