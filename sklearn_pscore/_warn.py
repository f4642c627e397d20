"""Warnings that point at the line of the user."""

import sys
import warnings

# Modules on the way from the user to a warning: a Pipeline, a loop over folds, what
# calls the finalizer of an object that is dropped.
_BETWEEN = (
    __name__.partition(".")[0] + ".",
    "sklearn.",
    "joblib.",
    "pickle.",
    "skops.",
    "weakref.",
)


def warn_user(message, category=UserWarning):
    """Warn at the line that called into this package, or into scikit-learn.

    However many frames are in between: a fixed `stacklevel` is right for one way to
    a warning only.

    Parameters
    ----------
    message : str or Warning
    category : type, default=UserWarning
    """
    level, frame = 2, sys._getframe(1)
    while frame.f_back and f"{frame.f_globals.get('__name__')}.".startswith(_BETWEEN):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)
