"""Callbacks of scikit-learn, set by ``set_callbacks``: they stay out of saved files."""

from sklearn.callback import CallbackSupportMixin, with_callbacks

# What scikit-learn keeps in an estimator while it is fitted.
_OF_A_FIT = ("_callback_fit_ctx", "_parent_callback_ctx", "_skl_callbacks_to_teardown")


class SavedWithoutCallbacksMixin(CallbackSupportMixin):
    """Mixin of estimators with callbacks of scikit-learn, which files do not hold.

    A pickle or copy of a fitted estimator has none: they hold addresses of this process,
    and scores that were recorded. One that is not fitted keeps them, since searches send
    it to other processes by pickles.
    """

    @with_callbacks
    def _fit_as_one_task(self, fit, X, y):
        """Return ``fit(X, y)``, which callbacks see as one task without parts."""
        context, passed = self._init_callback_context(), {"X": X, "y": y}
        context.call_on_fit_task_begin(estimator=self, **passed)
        result = fit(X, y)
        context.call_on_fit_task_end(
            estimator=self, **passed, reconstruction_attributes={}
        )
        return result

    def __getstate__(self):
        state = super().__getstate__()
        state = {name: state[name] for name in state if name not in _OF_A_FIT}
        if any(name.endswith("_") for name in state):
            state.pop("_skl_callbacks", None)
        return state
