"""The net of a ranker: saved as arrays and plain values, made on access."""

from threading import Lock

from sklearn.utils.validation import check_is_fitted

from sklearn_pscore._estimators.pickling import saved_by
from sklearn_pscore._version import __version__
from sklearn_pscore._warn import warn_user

# Of the state: a file of another one is refused.
_FORMAT = 1
# One net at a time is made of a state: two threads may ask at once.
_making = Lock()


class SavedNetMixin:
    """Mixin of a ranker with a net, of which files and copies hold the state only.

    Attributes
    ----------
    _net : GroupNet or None
        The net, while it is there. It is what counts, whatever users do to it.
    _state : dict or None
        What the net is made of when it is first asked for.
    """

    def __sklearn_is_fitted__(self):
        return "_net" in vars(self)

    @property
    def net_(self):
        """The trained net, a skorch.NeuralNet; made when it is first asked for."""
        check_is_fitted(self)
        if self._net is None:
            with _making:
                if self._net is None:
                    # In this order, so that one of the two is always there.
                    self._net = self._net_of_state()
                    self._state = None
        return self._net

    def _saved_state(self):
        """Return the state of the net; arrays may share its memory."""
        # In this order: another thread may be making the net.
        state = self._state
        if state is None:
            from sklearn_pscore._torch.state import state_of

            state = {"format": _FORMAT, **state_of(self._net, self.history_)}
        return state

    def _net_of_state(self):
        from sklearn_pscore._torch.device import check_device
        from sklearn_pscore._torch.state import net_of

        device = self.device
        try:
            check_device(device)
        except ValueError as error:
            device = "cpu"
            warn_user(f"{error} The net is on the CPU now.")
        return net_of(self._state, self._network_, self.history_, device)

    def __getstate__(self):
        state = super().__getstate__()
        if "_net" in state:
            state |= {"_net": None, "_state": self._saved_state()}
        return state

    def __setstate__(self, state):
        saved = state.get("_state")
        if "net_" in state or (saved is not None and saved["format"] != _FORMAT):
            held = "the net itself" if saved is None else f"format {saved['format']}"
            raise ValueError(
                f"{type(self).__name__} was saved by sklearn_pscore {saved_by(state)}, as "
                f"{held}; expected format {_FORMAT}, which sklearn_pscore {__version__} "
                "reads. Fit it anew, or install the version that it was saved by."
            )
        super().__setstate__(state)
