"""Pickles of estimators: they hold the version of the package that wrote them."""

from sklearn.exceptions import InconsistentVersionWarning

from sklearn_pscore._version import __version__
from sklearn_pscore._warn import warn_user

# Not a name that an estimator has: it is in the pickle only.
_KEY = "_sklearn_pscore_version"


class PackageVersionWarning(InconsistentVersionWarning):
    """Warning that a pickle was written by another version of this package.

    Whoever filters scikit-learn's warning of its own pickles filters this one too.
    """

    def __str__(self):
        return (
            f"{self.estimator_name} was pickled by sklearn_pscore "
            f"{self.original_sklearn_version} but is loaded by sklearn_pscore "
            f"{self.current_sklearn_version}; expected the same version, since parameters, "
            "defaults and scores may have changed. Fit it anew, or install the version "
            "that it was pickled by."
        )


def saved_by(state):
    """Return the version of this package that has written the state of an estimator."""
    return state.get(_KEY, "of an unknown version")


class VersionedPickleMixin:
    """Mixin of estimators whose pickles warn if another version loads them.

    As in scikit-learn, which does so for its own estimators, unfitted ones warn too:
    they lack the parameters that were added since, and ``fit`` may do something else.
    """

    def __getstate__(self):
        return {**super().__getstate__(), _KEY: __version__}

    def __setstate__(self, state):
        state, written_by = dict(state), saved_by(state)
        state.pop(_KEY, None)
        if written_by != __version__:
            warn_user(
                PackageVersionWarning(
                    estimator_name=type(self).__name__,
                    current_sklearn_version=__version__,
                    original_sklearn_version=written_by,
                )
            )
        super().__setstate__(state)
