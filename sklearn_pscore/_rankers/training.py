"""A ranker's training: from its parameters and some items to a trained net."""

from copy import deepcopy

import numpy as np

from sklearn_pscore._rankers.parameters import resolve_batch_size, resolve_epochs
from sklearn_pscore.metrics._gains import gains_of

# Seeds that numpy and torch both take.
_N_SEEDS = 2**31 - 1
# Fewer groups than this are too few to judge by what a member leaves out.
_FEWEST_GROUPS = 10
_HISTORY_KEYS = ("epoch", "train_loss", "valid_loss", "dur")


class Training:
    """The training of one call of a ranker's public methods.

    Parameters
    ----------
    ranker : PairwisePreferenceRanker
        Given its fitted attributes once trained.
    rng : RandomState
    goes_on : bool
        Whether to go on from the ranker's net, which stays as it is.
    """

    def __init__(self, ranker, rng, goes_on):
        self.ranker = ranker
        self.rng = rng
        self.goes_on = goes_on
        self.callbacks = deepcopy(ranker.callbacks) or []

    def to_the_end(self, training, validation):
        """Train from the start to the end on training items, as ``fit`` does."""
        from sklearn_pscore._torch import net as _net

        ranker = self.ranker
        batch_size = resolve_batch_size(ranker.batch_size, len(training))
        course = _net.Course(
            resolve_epochs(ranker.max_epochs, len(training), batch_size),
            ranker.learning_rate,
            patience=None if validation is None else ranker.n_iter_no_change,
        )
        with self._seeded():
            n_folds = self._n_folds(training, validation)
            packed = _net.pack(training, self._gain, n_folds)
            if validation is not None:
                validation = _net.pack(validation, self._gain)
            if self.goes_on:
                net = self._copy(batch_size)
                self._train(net, packed, validation, course)
            else:
                net, sample = self._build(packed, batch_size)
                _net.start(net, sample, packed, validation)
                self._train(net, packed, validation, course)
                _net.finish(net, sample, n_folds > 0)
        self._keep(net, training)

    def go_through(self, items, *, n_rows=None, done=None):
        """Train on items once, as ``partial_fit`` does.

        Parameters
        ----------
        items : TrainingItems
        n_rows : int or None, default=None
            What "auto" is counted from; None is the number of items.
        done : tuple of float or None, default=None
            Share of the whole training that is done before and after; None is
            not known.
        """
        from sklearn_pscore._torch import net as _net

        ranker = self.ranker
        n_rows = len(items) if n_rows is None else n_rows
        batch_size = resolve_batch_size(ranker.batch_size, n_rows)
        course = _net.Course(1, "constant")
        if done is not None:
            course = _net.Course(1, ranker.learning_rate, *done)
        with self._seeded():
            packed = _net.pack(items, self._gain)
            if self.goes_on:
                net = self._copy(batch_size)
            else:
                net, _ = self._build(packed, batch_size)
            self._train(net, packed, None, course)
        self._keep(net, items)
        self.goes_on = True

    def _gain(self, group, preference):
        # Synthetic items may have a preference below zero: they gain nothing.
        return np.maximum(gains_of(self.ranker.gain, group, preference), 0.0)

    def _n_folds(self, training, validation):
        ranker = self.ranker
        can = (
            ranker.leave_out
            and ranker.n_members > 1
            and ranker.output_activation == "identity"
            and validation is None
            and not self.goes_on
            and training.n_groups >= _FEWEST_GROUPS
        )
        return ranker.n_members if can else 0

    def _seeded(self):
        from sklearn_pscore._torch.net import seeded

        # Epochs that go on from others are not shuffled as these were.
        n_done = len(self.ranker.history_) if self.goes_on else 0
        seed = (self.rng.randint(_N_SEEDS) + n_done) % _N_SEEDS
        return seeded(seed, self.ranker.device)

    def _copy(self, batch_size):
        """Return a copy of the ranker's net, so that a failure leaves it as it was."""
        from sklearn_pscore._torch.net import retune

        net = deepcopy(self.ranker.net_)
        retune(net, **self._settings(batch_size))
        return net

    def _build(self, packed, batch_size):
        from sklearn_pscore._torch.net import build_net

        network = self.ranker._network()
        return build_net(packed, **network, **self._settings(batch_size))

    def _settings(self, batch_size):
        """Return what a net may change between one training and the next."""
        ranker = self.ranker
        return {
            "loss": ranker.loss,
            "k": ranker.k,
            "learning_rate": ranker.learning_rate_init,
            "weight_decay": ranker.weight_decay,
            "batch_size": batch_size,
            "callbacks": self.callbacks,
            "verbose": ranker.verbose,
            "device": ranker.device,
        }

    def _train(self, net, packed, validation, course):
        from sklearn_pscore._torch.net import train

        try:
            train(net, packed, validation, course)
        except FloatingPointError:
            raise ValueError(
                f"The scores became non-finite in epoch {len(net.history)} with "
                f"learning_rate_init={self.ranker.learning_rate_init}; expected finite "
                "scores throughout. Lower learning_rate_init, or scale X, for "
                "example with StandardScaler."
            ) from None

    def _keep(self, net, training):
        ranker = self.ranker
        ranker.net_ = net
        ranker._network_ = ranker._network()
        ranker.history_ = [
            {key: epoch[key] for key in _HISTORY_KEYS if key in epoch}
            for epoch in net.history
        ]
        ranker.n_groups_ = training.n_groups
        ranker.n_pairs_ = training.n_pairs
