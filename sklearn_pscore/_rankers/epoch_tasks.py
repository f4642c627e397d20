"""The epochs of a fit as tasks of scikit-learn's callbacks."""

from types import SimpleNamespace


class EpochTasks:
    """Tells the callbacks of scikit-learn when an epoch begins, and when it ends.

    Parameters
    ----------
    context : sklearn.callback.CallbackContext
        Of the whole fit.
    ranker : PairwisePreferenceRanker
    X, y : array-like
        What ``fit`` was passed.
    keep : callable
        ``keep(kept, net, n_groups=..., n_pairs=...)`` sets in `kept` what a fit sets in
        a ranker.
    """

    def __init__(self, context, ranker, X, y, keep):
        self.context = context
        self.keep = keep
        self._passed = {"estimator": ranker, "X": X, "y": y}

    def begin_fit(self):
        """Begin the fit."""
        self.context.call_on_fit_task_begin(**self._passed)

    def follow(self, packed, finished_net):
        """Take note of the training.

        Parameters
        ----------
        packed : PackedGroups
            What is trained on.
        finished_net : callable
            Returns a copy of the net as if the fit had ended here.
        """
        self._packed = packed
        self._finished_net = finished_net

    def begin(self):
        """Begin an epoch."""
        self._epoch = self.context.subcontext(task_name="epoch")
        self._epoch.call_on_fit_task_begin(**self._passed)

    def end(self):
        """End an epoch; return whether a callback asks to stop."""
        return self._epoch.call_on_fit_task_end(
            **self._passed, reconstruction_attributes=self._attributes
        )

    def _attributes(self):
        """Return what a ranker had if the fit ended here; for callbacks that ask."""
        kept = SimpleNamespace()
        if hasattr(self._passed["estimator"], "history_"):
            kept.history_ = self._passed["estimator"].history_
        counts = {"n_groups": self._packed.n_groups, "n_pairs": self._packed.n_pairs}
        self.keep(kept, self._finished_net(), **counts)
        return vars(kept)

    def end_fit(self):
        """End the fit; the ranker has its attributes."""
        self.context.call_on_fit_task_end(**self._passed, reconstruction_attributes={})
