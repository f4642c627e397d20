"""Pickles of estimators: they hold the version of the package that wrote them."""

from sklearn.exceptions import InconsistentVersionWarning
from sklearn.utils._metadata_requests import SIMPLE_METHODS

from sklearn_pscore._version import __version__
from sklearn_pscore._warn import warn_user

# Not a name that an estimator has: it is in the pickle only.
_KEY = "_sklearn_pscore_version"
# What ``set_fit_request`` and its like were told. Scikit-learn keeps it in an object that
# refers to the estimator: skops, which follows references, would not come to an end.
_REQUEST, _REQUESTS_KEY = "_metadata_request", "_sklearn_pscore_requests"


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
        state = {**super().__getstate__(), _KEY: __version__}
        if _REQUEST in state:
            request = state.pop(_REQUEST)
            of_method = {
                each: getattr(request, each).requests for each in SIMPLE_METHODS
            }
            state[_REQUESTS_KEY] = {
                method: dict(asked) for method, asked in of_method.items() if asked
            }
        return state

    def __setstate__(self, state):
        state, written_by = dict(state), saved_by(state)
        state.pop(_KEY, None)
        requests = state.pop(_REQUESTS_KEY, None)
        if written_by != __version__:
            warn_user(
                PackageVersionWarning(
                    estimator_name=type(self).__name__,
                    current_sklearn_version=__version__,
                    original_sklearn_version=written_by,
                )
            )
        super().__setstate__(state)
        if requests is not None:
            request = self._get_metadata_request()
            for method, asked in requests.items():
                for name, alias in asked.items():
                    getattr(request, method).add_request(param=name, alias=alias)
            setattr(self, _REQUEST, request)
