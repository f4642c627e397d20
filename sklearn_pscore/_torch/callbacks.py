"""The callbacks of skorch that a user passes: whether they find what they read."""

from skorch.callbacks import (
    BatchScoring,
    Callback,
    Checkpoint,
    EarlyStopping,
    EpochScoring,
    LRScheduler,
)
from skorch.callbacks.scoring import ScoringBase
from skorch.exceptions import SkorchException
from skorch.utils import to_numpy

from sklearn_pscore._warn import warn_user

# What the history of a net has without further callbacks, and of a validation set.
_TRAINING_KEYS = {"epoch", "dur", "train_loss", "train_batch_count", "train_batch_size"}
_VALIDATION_KEYS = {"valid_loss", "valid_batch_count", "valid_batch_size"}
_SCORE_KEY = "valid_score"
# Errors of callbacks of skorch whose monitor is not in the history.
MONITOR_ERRORS = (KeyError, ValueError, SkorchException)
_WAY_OUT = (
    "Pass one to fit as X_val and y_val, or set early_stopping=True, with which fit holds "
    "one out; or monitor a value of the training set, such as 'train_loss'."
)


def check_callbacks(callbacks, has_validation, has_score, caller):
    """Raise an error unless the callbacks can be called in a training.

    Parameters
    ----------
    callbacks : list or None
    has_validation : bool
        Whether there is a validation set.
    has_score : bool
        Whether a score of it is recorded beside its loss.
    caller : str
        Name of the method that trains, for the message.

    Raises
    ------
    TypeError
        If there is anything but callbacks of skorch, or (name, callback) tuples.
    ValueError
        If one of them cannot score groups, or monitors what there is not.

    Warns
    -----
    UserWarning
        If one of them scores the validation set, and there is none.
    """
    for callback in _callbacks_of(callbacks):
        if not isinstance(callback, Callback):
            raise TypeError(
                f"callbacks holds {callback!r} of type {type(callback).__name__}; "
                "expected skorch callbacks, or (name, callback) tuples. Pass for example "
                "callbacks=[skorch.callbacks.GradientNormClipping(1.0)]; the method "
                "set_callbacks takes those of scikit-learn."
            )
        _check_scoring(callback)
    if has_validation:
        _check_monitors(callbacks, _VALIDATION_KEYS, has_score, caller)
        return
    of_validation = _validation_keys(callbacks)
    for callback, monitor in _monitors_of(callbacks):
        if monitor.removesuffix("_best") in of_validation:
            raise ValueError(
                f"callbacks holds {type(callback).__name__}(monitor={monitor!r}), but "
                f"{caller} has no validation set; expected a monitor of what there is. "
                f"{_WAY_OUT}"
            )
    _check_monitors(callbacks, set(), False, caller)
    for callback in _callbacks_of(callbacks):
        if isinstance(callback, EpochScoring) and not callback.on_train:
            warn_user(
                f"callbacks holds EpochScoring({callback.scoring!r}), which scores the "
                f"validation set, but {caller} has none: it records nothing. Pass one to "
                "fit as X_val and y_val, or set early_stopping=True, with which fit holds "
                "one out; or score the training set by on_train=True."
            )


def _check_monitors(callbacks, of_validation, has_score, caller):
    """Raise ValueError if a monitor is a key that nothing records.

    Only where all callbacks are of skorch: others may record what they like.
    """
    unnamed = _callbacks_of(callbacks)
    if not all(type(each).__module__.startswith("skorch.") for each in unnamed):
        return
    names = {_name_of(each) for each in unnamed if isinstance(each, ScoringBase)}
    if None in names:
        return
    events = {getattr(each, "event_name", None) for each in unnamed} - {None}
    keys = _TRAINING_KEYS | of_validation | names | events
    if has_score:
        keys.add(_SCORE_KEY)
    for callback, monitor in _monitors_of(callbacks):
        if monitor not in keys and monitor.removesuffix("_best") not in keys:
            raise ValueError(
                f"callbacks holds {type(callback).__name__}(monitor={monitor!r}), which "
                f"nothing records in {caller}; expected one of {sorted(keys)}. An "
                f"EpochScoring(scorer, name={monitor!r}) before it would record a score of "
                "that name."
            )


def explain_monitor(error, net):
    """Raise ValueError in place of the error of a callback whose monitor is not there.

    Parameters
    ----------
    error : Exception
        Of a callback, one of `MONITOR_ERRORS`.
    net : NeuralNet
        In the epoch in which it was raised.
    """
    there = [] if not net.history else list(net.history[-1])
    for callback, monitor in _monitors_of(net.callbacks_):
        if monitor not in there and repr(monitor) in str(error):
            raise ValueError(
                f"callbacks holds {type(callback).__name__}(monitor={monitor!r}), which no "
                f"callback before it records; expected one of "
                f"{sorted(set(there) - {'batches'})}. Put it behind the callback that "
                f"records {monitor!r}, or monitor one of these."
            ) from error


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


def _monitors_of(callbacks):
    """Return the callbacks of skorch that need a key of the history, each with its key."""
    found = []
    for callback in _callbacks_of(callbacks):
        if isinstance(callback, LRScheduler):
            policy = getattr(callback.policy, "__name__", callback.policy)
            has_monitor = policy == "ReduceLROnPlateau"
        else:
            has_monitor = isinstance(callback, (EarlyStopping, Checkpoint))
        # Some take a function of the net, too.
        if has_monitor and isinstance(callback.monitor, str):
            found.append((callback, callback.monitor))
    return found


def _name_of(scoring):
    """Return the key that a scoring of skorch records, None if only skorch knows it."""
    return scoring.name or getattr(scoring.scoring, "__name__", None)


def _validation_keys(callbacks):
    """Return the keys of the history that are there with a validation set only."""
    of_training, of_validation = set(), set(_VALIDATION_KEYS)
    for callback in _callbacks_of(callbacks):
        if isinstance(callback, EpochScoring):
            kind = of_training if callback.on_train else of_validation
            kind.add(_name_of(callback))
    return of_validation - of_training
