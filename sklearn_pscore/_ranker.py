"""The ranker: a score per item that orders each group as people do."""

from copy import deepcopy
from numbers import Integral, Real

import numpy as np
from scipy.special import expit
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted, validate_data

from sklearn_pscore._carrier import take_passenger
from sklearn_pscore._items import TrainingItems, hold_out
from sklearn_pscore._mixin import RankerMixin
from sklearn_pscore._state import restored_on_error
from sklearn_pscore._target import check_comparable, check_groups

# Seeds that numpy and torch both take.
_N_SEEDS = 2**31 - 1


class PairwisePreferenceRanker(RankerMixin, BaseEstimator):
    """Learn one score per item that orders every group as people do.

    The *Preference Score* of Zhou et al. [1]_: a multi-layer perceptron maps
    an item's metrics to a score, and is trained by RankNet's pairwise logistic
    loss [2]_ over all pairs of a group with different preference,

    .. math:: P(i \\succ j) = 1 / (1 + e^{-(S_i - S_j)}).

    Larger scores are preferred. Ties in the preference make no pair.

    Metrics of different units should be scaled before, usually by a
    ``StandardScaler`` in the same Pipeline.

    Direction, ties, weights and gains are as in ``docs/conventions.md``.

    Parameters
    ----------
    hidden_layer_sizes : sequence of int, default=(64, 32)
        Units of each hidden layer [Linear, BatchNorm, ReLU]. Empty makes the
        score linear in the metrics.

    output_activation : {"relu6", "identity"}, default="relu6"
        "relu6" ends with Linear, BatchNorm, ReLU6 as in the paper, with scores
        in [0, 6]; items may tie at both ends. "identity" ends with Linear.

    max_epochs : int, default=30
        Passes over the training groups.

    learning_rate_init : float, default=0.01
        Step size of the AdamW optimiser.

    weight_decay : float, default=0.01
        Decoupled weight decay of AdamW.

    batch_size : int, default=200
        Rows per step. Whole groups go into a batch; a larger group is a batch
        of its own.

    early_stopping : bool, default=False
        Whether to hold out a validation set, to stop when its loss has not
        improved for `n_iter_no_change` epochs, and to keep the best epoch.
        Groups are held out where there are several, items where there is one.

    validation_fraction : float, default=0.2
        Share of the groups (or items) to hold out, in (0, 1). Used if
        `early_stopping`.

    n_iter_no_change : int, default=20
        Epochs without improvement before stopping. Used if `early_stopping`.

    warm_start : bool, default=False
        Whether ``fit`` goes on from the last fit instead of starting anew.

    callbacks : list of skorch callbacks or None, default=None
        Passed to the net as copies, each a callback or a (name, callback)
        tuple: learning rate schedules, gradient clipping, checkpoints.

    random_state : int, RandomState instance or None, default=None
        Initial weights, order of the groups, and the validation set.

    verbose : int, default=0
        1 prints a line per epoch.

    device : str, default="cpu"
        A torch device such as "cpu" or "cuda".

    predict_dtype : {"float64", "float32"}, default="float64"
        What scores are computed in. "float32" is faster; a row's score may then
        differ in the last digits with the rows that it is scored with.

    Attributes
    ----------
    net_ : skorch.NeuralNet
        The trained net; the network itself is ``net_.module_``.

    history_ : list of dict
        One entry per epoch: epoch, train_loss, valid_loss if there is a
        validation set, and dur in seconds.

    n_groups_ : int
        Groups that the last call trained on, those held out and those without a
        pair not counted.

    n_pairs_ : int
        Pairs that the last call trained on, those of synthetic items included.

    n_features_in_ : int
        Number of features seen in ``fit``.

    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the features, if ``X`` had names.

    See Also
    --------
    PairAugmenter : Enlarges the training set; goes right before this.
    LevelClassifierRanker : A classifier over preference levels.

    Notes
    -----
    Training is in float32 and prediction, by default, in float64. On one machine the same
    `random_state` gives the same scores to the last bit. A `fit` or
    `partial_fit` that fails, or is interrupted, leaves the estimator as it
    was.

    References
    ----------
    .. [1] Zhou et al., "Learning and Evaluating Human Preferences for
       Conversational Head Generation", ACM MM 2023, arXiv:2307.10636.
    .. [2] Burges et al., "Learning to rank using gradient descent", ICML 2005,
       doi:10.1145/1102351.1102363.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_pscore import Groups, PairwisePreferenceRanker
    >>> X = np.random.default_rng(0).normal(size=(40, 2))
    >>> groups = Groups.from_arrays(group=np.arange(40) // 4, preference=X[:, 0])
    >>> ranker = PairwisePreferenceRanker(random_state=0).fit(X, groups)
    >>> ranker.n_pairs_
    60
    >>> bool(ranker.score(X, groups) > 0.9)
    True
    """

    _parameter_constraints = {
        "hidden_layer_sizes": ["array-like"],
        "output_activation": [StrOptions({"relu6", "identity"})],
        "max_epochs": [Interval(Integral, 1, None, closed="left")],
        "learning_rate_init": [Interval(Real, 0, None, closed="neither")],
        "weight_decay": [Interval(Real, 0, None, closed="left")],
        "batch_size": [Interval(Integral, 2, None, closed="left")],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "warm_start": ["boolean"],
        "callbacks": [list, None],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
        "device": [str],
        "predict_dtype": [StrOptions({"float64", "float32"})],
    }

    def __init__(
        self,
        hidden_layer_sizes=(64, 32),
        *,
        output_activation="relu6",
        max_epochs=30,
        learning_rate_init=0.01,
        weight_decay=0.01,
        batch_size=200,
        early_stopping=False,
        validation_fraction=0.2,
        n_iter_no_change=20,
        warm_start=False,
        callbacks=None,
        random_state=None,
        verbose=0,
        device="cpu",
        predict_dtype="float64",
    ):
        self.hidden_layer_sizes = hidden_layer_sizes
        self.output_activation = output_activation
        self.max_epochs = max_epochs
        self.learning_rate_init = learning_rate_init
        self.weight_decay = weight_decay
        self.batch_size = batch_size
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.warm_start = warm_start
        self.callbacks = callbacks
        self.random_state = random_state
        self.verbose = verbose
        self.device = device
        self.predict_dtype = predict_dtype

    def fit(self, X, y):
        """Learn to order the items of every group.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Metrics.
        y : structured ndarray of shape (n_samples,) or array-like
            Target of :class:`Groups`, or preferences of one single group.

        Returns
        -------
        self : PairwisePreferenceRanker
            The same object, fitted.

        Raises
        ------
        ValueError
            If there is no comparable pair, a value cannot be used, or the
            scores are not finite any more during training.
        TypeError
            If `y` is neither of the two.
        """
        goes_on = self.warm_start and hasattr(self, "net_")
        with restored_on_error(self):
            items, rng = self._check(X, y, "PairwisePreferenceRanker.fit", goes_on)
            training, validation = items, None
            if self.early_stopping:
                training, validation = hold_out(
                    items,
                    self.validation_fraction,
                    rng,
                    "PairwisePreferenceRanker.fit",
                )
            self._train(training, validation, rng, goes_on, self.max_epochs)
        return self

    def partial_fit(self, X, y):
        """Go through some groups once, from where training stopped.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Metrics.
        y : structured ndarray of shape (n_samples,) or array-like
            Target of :class:`Groups`, or preferences of one single group. A
            group that is split between calls loses the pairs in between.

        Returns
        -------
        self : PairwisePreferenceRanker
            The same object, fitted.

        Raises
        ------
        ValueError
            As for :meth:`fit`.
        """
        goes_on = hasattr(self, "net_")
        with restored_on_error(self):
            items, rng = self._check(
                X, y, "PairwisePreferenceRanker.partial_fit", goes_on
            )
            self._train(items, None, rng, goes_on, max_epochs=1)
        return self

    def fit_parquet(
        self,
        path,
        *,
        group,
        preference,
        features=None,
        item=None,
        weight=None,
        donor=None,
        rows_at_a_time=65536,
    ):
        """Learn from Parquet files that need not fit in memory.

        The files are gone through `max_epochs` times, whole groups at a time,
        as by ``partial_fit``: groups are shuffled among those read together. So
        sort the file by group, with the groups in a random order. Only as many
        rows as are read at a time, and the largest group, are in memory.

        Metrics are taken as they are in the file: scale them before. There is
        no validation set, so `early_stopping` must be False.

        Parameters
        ----------
        path : str, path or list of paths
            One file, several files in the order of their rows, or a folder,
            whose ``*.parquet`` files are taken in the order of their names.
        group, preference : str
            Columns of the target, see :meth:`Groups.from_frame`.
        features : list of str or None, default=None
            Columns of the metrics. None takes all that are not in the target.
        item, weight, donor : str or None, default=None
            Further columns of the target.
        rows_at_a_time : int, default=65536
            Rows to read at a time.

        Returns
        -------
        self : PairwisePreferenceRanker
            The same object, fitted. `history_` has an entry per stretch of rows
            read, and `n_groups_` and `n_pairs_` count a whole pass.

        Raises
        ------
        ValueError
            If a file cannot be read, lacks a column, or has a group in two
            places, and as for :meth:`fit`.
        """
        from sklearn_pscore._groups import Groups
        from sklearn_pscore._parquet import ParquetGroups

        caller = "PairwisePreferenceRanker.fit_parquet"
        self._validate_params()
        if self.early_stopping:
            raise ValueError(
                f"early_stopping=True, but {caller} has no validation set; expected "
                "False. Set early_stopping=False, or use fit on data in memory."
            )
        named = {"item": item, "weight": weight, "donor": donor}
        fields = {"group": group, "preference": preference}
        fields |= {field: name for field, name in named.items() if name is not None}
        stretches = ParquetGroups(
            path, fields=fields, features=features, rows_at_a_time=rows_at_a_time
        )
        goes_on = self.warm_start and hasattr(self, "net_")
        rng = check_random_state(self.random_state)
        with restored_on_error(self):
            for _ in range(self.max_epochs):
                n_groups = n_pairs = 0
                for frame in stretches:
                    y = Groups.from_frame(frame, **fields)
                    X = frame[stretches.features]
                    items, _ = self._check(X, y, caller, goes_on, comparable=False)
                    if not len(items):
                        continue
                    self._train(items, None, rng, goes_on, max_epochs=1)
                    goes_on = True
                    n_groups += self.n_groups_
                    n_pairs += self.n_pairs_
                if not n_pairs:
                    raise ValueError(
                        f"No comparable pairs in {path}: within each group all items have "
                        f"one preference. {caller} compares items of one group with "
                        "different preference; check the group column."
                    )
                self.n_groups_, self.n_pairs_ = n_groups, n_pairs
        return self

    def predict(self, X):
        """Score items; larger is preferred.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Metrics.

        Returns
        -------
        y_score : ndarray of shape (n_samples,), float64
            One score per row. It depends on no other row. Memory beside `X` is
            bounded, since rows are scored in chunks.
        """
        from sklearn_pscore._torch._net import scores

        check_is_fitted(self)
        X = self._check_X(X, dtype=[np.float64, np.float32])
        return scores(self.net_, X, self.predict_dtype)

    def preference_proba(self, X_a, X_b):
        """Return the probability that people prefer a to b, Eq. 1 of the paper.

        Parameters
        ----------
        X_a, X_b : array-like of shape (n_pairs, n_features)
            Metrics of the two items of each pair.

        Returns
        -------
        proba : ndarray of shape (n_pairs,)
            In [0, 1]; 0.5 where the scores are equal.

        Raises
        ------
        ValueError
            If the numbers of rows differ.
        """
        score_a, score_b = self.predict(X_a), self.predict(X_b)
        if len(score_a) != len(score_b):
            raise ValueError(
                f"X_a has {len(score_a)} rows but X_b has {len(score_b)}; expected the two "
                "items of each pair in the same row. To compare one item with many, "
                "repeat it with np.repeat(x[None], len(X_b), axis=0)."
            )
        return expit(score_a - score_b)

    def _check(self, X, y, caller, goes_on, comparable=True):
        """Check everything before any work is done; return items and generator."""
        from sklearn_pscore._torch._net import check_callbacks, check_device

        # First, so that no other error is joined by a warning of lost items.
        items = take_passenger(X, y)
        self._validate_params()
        _check_layers(self.hidden_layer_sizes)
        check_device(self.device)
        check_callbacks(self.callbacks)
        if goes_on:
            self._check_same_network()
        n_least = 2 if comparable else 1
        X = self._check_X(X, reset=not goes_on, ensure_min_samples=n_least)
        target = check_groups(y, n_rows=len(X), caller=caller)
        if items is None:
            items = TrainingItems.from_target(X, target)
        items = items.comparable()
        if comparable and not len(items):
            check_comparable(target, caller)
        _check_float32(items.X)
        return items, check_random_state(self.random_state)

    def _check_same_network(self):
        """Refuse to go on with another network than the one that was trained."""
        for parameter in ("hidden_layer_sizes", "output_activation"):
            trained = self.net_.get_params()[f"module__{parameter}"]
            asked = getattr(self, parameter)
            if trained != (asked if isinstance(asked, str) else tuple(asked)):
                raise ValueError(
                    f"{parameter}={asked!r} but the fitted network has {trained!r}; "
                    "warm_start and partial_fit go on with the same network. Set "
                    "warm_start=False and fit anew, or clone the estimator."
                )

    def _check_X(self, X, reset=False, dtype=np.float64, **kwargs):
        return validate_data(self, X, reset=reset, dtype=dtype, **kwargs)

    def _train(self, training, validation, rng, goes_on, max_epochs):
        from sklearn_pscore._torch._net import build_net, seeded, train

        # Epochs that go on from others are not shuffled as these were.
        n_done = len(self.history_) if goes_on else 0
        with seeded((rng.randint(_N_SEEDS) + n_done) % _N_SEEDS, self.device):
            if goes_on:
                # A copy, so that a failure leaves the trained net as it was.
                net = deepcopy(self.net_)
                net.set_params(
                    lr=self.learning_rate_init,
                    optimizer__weight_decay=self.weight_decay,
                    batch_size=self.batch_size,
                    verbose=self.verbose,
                )
            else:
                net = build_net(
                    training.X.shape[1],
                    hidden_layer_sizes=self.hidden_layer_sizes,
                    output_activation=self.output_activation,
                    learning_rate=self.learning_rate_init,
                    weight_decay=self.weight_decay,
                    batch_size=self.batch_size,
                    patience=self.n_iter_no_change if self.early_stopping else None,
                    callbacks=deepcopy(self.callbacks),
                    verbose=self.verbose,
                    device=self.device,
                )
            try:
                train(net, training, validation, max_epochs)
            except FloatingPointError:
                raise ValueError(
                    f"The scores became non-finite in epoch {len(net.history)} with "
                    f"learning_rate_init={self.learning_rate_init}; expected finite "
                    "scores throughout. Lower learning_rate_init, or scale X, for "
                    "example with StandardScaler."
                ) from None
        self.net_ = net
        self.history_ = [
            {key: epoch[key] for key in _HISTORY_KEYS if key in epoch}
            for epoch in net.history
        ]
        self.n_groups_ = training.n_groups
        self.n_pairs_ = training.n_pairs


_HISTORY_KEYS = ("epoch", "train_loss", "valid_loss", "dur")


def _check_float32(X):
    """Refuse values that the network, which trains in float32, cannot hold."""
    largest = np.abs(X).max(initial=0.0)
    if largest > np.finfo(np.float32).max:
        raise ValueError(
            f"X holds a value of size {largest:.3g}; expected at most "
            f"{np.finfo(np.float32).max:.3g}, the largest float32, in which the network "
            "trains. Scale X, for example with StandardScaler."
        )


def _check_layers(sizes):
    for size in sizes:
        if isinstance(size, bool) or not isinstance(size, Integral) or size < 1:
            raise ValueError(
                f"hidden_layer_sizes holds {size!r}; expected integers >= 1, the units of "
                "each hidden layer. Use hidden_layer_sizes=() for a linear score."
            )
