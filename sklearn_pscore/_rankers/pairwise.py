"""The ranker: a score per item that orders each group as people do."""

from dataclasses import replace
from functools import partial
from numbers import Integral, Real

import numpy as np
from scipy.special import expit
from sklearn.base import BaseEstimator
from sklearn.callback import with_callbacks
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from sklearn_pscore._estimators.callback_support import SavedWithoutCallbacksMixin
from sklearn_pscore._estimators.parameters import check_parameters
from sklearn_pscore._estimators.restore import restored_on_error
from sklearn_pscore._items.attached import take_attached_items
from sklearn_pscore._items.hold_out import hold_out
from sklearn_pscore._items.training_items import TrainingItems
from sklearn_pscore._progress import say
from sklearn_pscore._rankers.base import RankerMixin, log_odds
from sklearn_pscore._rankers.dask import DaskMixin
from sklearn_pscore._rankers.epoch_tasks import EpochTasks
from sklearn_pscore._rankers.item_checks import (
    check_float32,
    check_positions,
    check_same_kind,
    check_ties,
    check_votes,
    check_weights,
    warn_if_constant,
    warn_of_many_pairs,
)
from sklearn_pscore._rankers.parameters import (
    check_same_network,
    check_training_parameters,
    network_of,
    resolve_parameters,
    resolve_ties,
)
from sklearn_pscore._rankers.parquet import ParquetMixin
from sklearn_pscore._rankers.saved_net import SavedNetMixin
from sklearn_pscore._rankers.validation_score import Validation
from sklearn_pscore._rankers.validation_set import check_validation_set, errors_about
from sklearn_pscore._rankers.vote_terms import VoteTermsMixin
from sklearn_pscore._rows import extremes
from sklearn_pscore._target.arguments import explained_call
from sklearn_pscore._target.check import check_comparable, check_groups, is_structured
from sklearn_pscore._target.tables import checked_table
from sklearn_pscore.metrics._checks import check_gainable

# Keys of the net's history that `history_` has.
_HISTORY_KEYS = ("epoch", "train_loss", "valid_loss", "valid_score", "dur")


class PairwisePreferenceRanker(
    VoteTermsMixin,
    ParquetMixin,
    DaskMixin,
    SavedNetMixin,
    SavedWithoutCallbacksMixin,
    RankerMixin,
    BaseEstimator,
):
    """Learn one score per item that orders every group as people do.

    A RankNet [2]_ in the manner of the *Preference Score* of Zhou et al. [1]_:
    a network maps an item's metrics to a score and is trained by the logistic
    loss of the pairs of a group with different preference,

    .. math:: P(i \\succ j) = 1 / (1 + e^{-(S_i - S_j)}).

    Larger scores are preferred. Ties in the preference make no pair.

    The defaults are for few judgements: an ensemble of small networks, each
    beside a shortcut that is a sum of one function of each metric. Each member
    leaves out a fold of the groups, and the left-out groups decide how much the
    shortcut and the layers count. ``Notes`` has the paper's own network.

    Direction, ties, weights and gains are as in ``docs/conventions.md``.

    Parameters
    ----------
    hidden_layer_sizes : sequence of int, default=(32, 32)
        Units of each hidden layer. Empty leaves a linear layer.

    loss : {"ranknet", "lambdarank", "listnet"}, default="ranknet"
        "ranknet" is the mean over all pairs, in time linear in the items.
        "lambdarank" weighs a pair by what its swap does to NDCG [3]_; its time
        grows with the items times `k`, and without `k` with the square of a
        group: one of more than 5,000 items then warns. "listnet" is the
        cross-entropy of the group's most preferred items [4]_: with one winner
        in each group, the likelihood of the conditional logit model.

    k : int or None, default=None
        Ranks that NDCG counts, None is all. A group of at most 8 `k` items goes
        through all of its pairs. Used if `loss` is "lambdarank".

    gain : {"rank", "linear", "exponential"}, default="rank"
        Gain of NDCG. Used if `loss` is "lambdarank".

    ties : {"auto", "ignore", "half", "davidson"}, default="auto"
        What a tie is: a pair of equal preference, or a vote for neither. "ignore", as
        in the paper: no pair, so probabilities are those given that one of the two
        is preferred. "half": half a win for each, so that a pair that often ties
        gets a probability near one half; for ties that people judged to be such, not
        for the losers of a choice. "davidson", for votes: a third outcome that is
        more likely the closer two scores are, see ``docs/votes.md``. "auto" is
        "davidson" for votes, else "ignore". Several rows of one item do not tie with
        each other. Ties only count for `loss` "ranknet", and without
        :class:`PairAugmenter`.

    order_bias : bool, default=False
        Whether to learn by how much it is an advantage to be shown first, for votes, or
        at each `position` of a list, for preferences; ``predict`` leaves it out. Votes
        are of ``Groups.from_votes(..., order=True)``. Positions need `loss` "ranknet" or
        "listnet", and no :class:`PairAugmenter`: they are known of all items of a group,
        or of none. A position that the first call did not have counts as the nearest
        that it had. See ``docs/votes.md``.

    group_weight : {"sqrt", "pairs", "equal"}, default="sqrt"
        What the pairs of a group weigh together in the mean over pairs: the root
        of their number; their number, as in the paper, so that a group of 40
        weighs as much as 78 groups of 5; or as much as those of any other group,
        as in the metrics. The weights of the target multiply it. It holds for the
        layers, the shortcut and the weights of these two, and in each batch. Not
        used if `loss` is "listnet"; of "lambdarank", which has weights of its own,
        it only concerns the shortcut.

    shortcut : {"additive", "linear"} or None, default="additive"
        Score that is added to the output of the layers: a sum of functions
        that are piecewise linear in each metric, and constant outside the
        training range; a weighted sum of the metrics; or none. It is fitted
        first, with a ridge penalty, to as many items as 16 MB hold, but at
        least 4,096. Where members leave out groups, and `X` stores more than 2 %,
        metrics that are worth nothing on those get no weight, here and in the
        layers, but where training goes on by `warm_start` or `partial_fit`. If there
        are many more items, it is fitted again, in columns of as many values as the
        items have, from 64 to 256 MB; for a single member in 32 MB; not to votes, and
        not with `order_bias`.
        "additive" takes at most 23,831 metrics of so many items, for
        its columns may not take more than 4 GB; more is an error of ``fit``, but
        for a sparse `X` that stores at most 2 %.

    n_pieces : int, default=10
        Pieces of each function. Used if `shortcut` is "additive".

    output_activation : {"identity", "relu6"}, default="identity"
        "relu6" ends with BatchNorm and ReLU6 as in the paper, with scores in
        [0, 6]; items may tie at both ends. "identity" ends with Linear.

    batch_norm : bool, default=False
        Whether there is a BatchNorm in each hidden layer.

    dropout : float, default=0.1
        Share of the hidden units left out in a training step, in [0, 1).

    input_dropout : float, default=0.0
        Share of the metrics left out in a training step, in [0, 1); the
        shortcut sees them all.

    input_clip : float or None, default=4.0
        Metrics are centred by their median and scaled by their quartiles, and
        then bent smoothly so that none is farther than this from zero. None
        does not bend.

    monotonic_cst : array-like of int of shape (n_features,), dict, default=None
        1 for a metric that never lowers the score as it grows, -1 for one that
        never raises it, 0 for no constraint. A dict maps names of features to
        constraints.

    n_members : int, default=5
        Networks of the ensemble. They are trained together, and the score is
        the mean of theirs.

    leave_out : bool, default=True
        Whether each member leaves out a fold of the groups, or of the blocks where
        the target has them. These folds tell how much each curve and each part of
        the score is worth, and which features count for nothing. Needs 10 groups, and
        no less than 5 blocks unless all is one, several members, "identity" and no
        `early_stopping`; else no member does. A validation set that is passed to
        ``fit`` does not change that.

    max_epochs : int or "auto", default="auto"
        Passes over the training groups. "auto" is 30, or more to make 300 steps, or
        less to make no more than 3,000 steps, or to see no more than a million rows,
        but at least 5.

    learning_rate_init : float, default=0.01
        Largest step size of the AdamW optimiser.

    learning_rate : {"one_cycle", "constant"}, default="one_cycle"
        "one_cycle" rises to `learning_rate_init` and falls to zero. In
        ``partial_fit``, which cannot know the end, the rate is constant. Not used
        if there is an ``LRScheduler`` in `callbacks`.

    weight_decay : float, default=0.1
        Decoupled weight decay of AdamW, on the weights of the layers.

    batch_size : int or "auto", default="auto"
        Rows per step. Whole groups go into a batch; a larger group is a batch
        of its own, unless its layers would take more than 2 GB: then it is
        split at random, anew in every epoch. "auto" is a hundredth of the rows,
        from 200 to 4,096, but not more than 64 MB hold.

    early_stopping : bool, default=False
        Whether to stop when a validation set has not got better by `scoring` for
        `n_iter_no_change` epochs, and to keep the best epoch. The set is the one
        that is passed to ``fit``. If none is, it is held out: groups where there
        are several, items where there is one.

    scoring : "loss", callable or None, default="loss"
        What is better on a validation set: a smaller loss, or a larger score, by
        a scorer of :mod:`sklearn_pscore.metrics` or a function of (model, X,
        groups). The model is the net of each epoch, whose ``predict(X)`` is that
        of the ranker. None is the pairwise accuracy, as of ``score``. Not used if
        there is no validation set.

    validation_fraction : float, default=0.2
        Share of the blocks (or groups, or items) to hold out, in (0, 1). Used if
        `early_stopping`, and no validation set is passed to ``fit``.

    n_iter_no_change : int, default=20
        Epochs without improvement before stopping. Used if `early_stopping`.

    warm_start : bool, default=False
        Whether ``fit`` goes on from the last fit instead of starting anew. As
        in ``partial_fit``, the parameters of the network, `dropout` and
        `monotonic_cst` among them, must then stay the same; those of training
        and prediction may change. Only then, and after ``partial_fit``, the state of
        the optimiser is kept, which takes twice the memory of the weights: going on
        from any other ``fit`` starts it anew.

    callbacks : list of skorch callbacks or None, default=None
        Passed to the net as copies, new ones in every call, each a callback or
        a (name, callback) tuple: gradient clipping, checkpoints, logging. An
        ``LRScheduler`` among them replaces `learning_rate`. ``EpochScoring``
        takes the scorers of :mod:`sklearn_pscore.metrics`, or a function of
        (net, X, groups), for the validation set or with ``on_train=True``: X
        has its rows sorted by group, and each is an item of its own. A
        ``monitor`` may be of those, train_loss, valid_loss and valid_score.
        Callbacks of scikit-learn are no parameter, see ``Notes``.

    random_state : int, RandomState instance or None, default=None
        Initial weights, dropout, order of the groups, and the groups left out.

    verbose : int, default=0
        1 shows one line on a terminal or in a notebook, with the epoch, the loss, what
        there is of a validation set and the time left; and elsewhere, as in a file, a
        plain line for about each tenth. 2 is a plain line per epoch. ``partial_fit``
        writes one line. All of it goes to the standard error.

    device : str, default="cpu"
        A torch device such as "cpu" or "cuda", to train on. Scores are computed on
        the device of the last training; those of a saved ranker on this device, or
        with a warning on the CPU where a machine lacks it.

    predict_dtype : {"auto", "float64", "float32"}, default="auto"
        Type that scores are computed in. "auto" is float64, and for more than 8,192
        rows products in float32 whose sums are float64, where these move no score by
        more than 1e-6 of the scores' range: not with `monotonic_cst`, `batch_norm` or
        `input_clip` of None, on a GPU or for thin tables. "float32" is as quick for
        few rows, and has no such limit. `preference_proba` and the standard error,
        which are of single members, are float64 with "auto".

    Attributes
    ----------
    net_ : skorch.NeuralNet
        The trained net; its ``predict(X)`` takes arrays. The network itself,
        ``net_.module_``, takes a tensor of shape (n_samples, n_features) to the
        members' scores, (n_members, n_samples), with gradients for both. A saved
        ranker or a copy makes it anew when it is first asked for: without batches in
        its history, and without callbacks.

    history_ : dict of str to ndarray of shape (n_epochs,), float64
        Columns with a value per epoch: epoch, train_loss, valid_loss if there is a
        validation set, valid_score if `scoring` is not "loss", and dur in seconds.
        Losses are sums over members, and a score is of their mean. An epoch without
        a validation set has NaN. ``pd.DataFrame(ranker.history_)`` is a table.

    n_groups_ : int
        Groups that the last call trained on, those held out and those without a
        pair not counted.

    n_pairs_ : int
        Pairs that the last call trained on, those of synthetic items included.

    feature_importances_ : ndarray of shape (n_features_in_,), float64
        Share of the score's variation inside groups that each feature takes part in:
        half the mean squared change of the score of an item that gets the value of
        another item of its group (the total effect of Jansen, 1999), in training data,
        scaled to sum to 1. 0 for a feature that counts for nothing. Only ``fit`` sets
        it, and only for an `X` that is dense, or of which much is stored.

    order_bias_, order_bias_std_ : float
        By how much it raises the log odds to be shown first, and its standard error.
        Only with `order_bias`, of votes.

    position_bias_ : DataFrame of shape (n_positions, 3)
        `position`, the `bias` that it adds to the score to be shown there rather than at
        the first position, and its standard error `std`. Only with `order_bias`, of
        preferences.

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
    The network of the paper, with its 80/20 split::

        PairwisePreferenceRanker(
            hidden_layer_sizes=(64, 32), batch_norm=True, shortcut=None,
            output_activation="relu6", dropout=0.0, input_dropout=0.0,
            input_clip=None, group_weight="pairs", n_members=1, weight_decay=0.01,
            learning_rate="constant", max_epochs=100, batch_size=200,
            early_stopping=True, validation_fraction=0.2,
        )

    Callbacks of scikit-learn (``sklearn.callback``), such as its progress bar, are
    set by the method ``set_callbacks``, and not by the parameter `callbacks`. Each
    epoch of ``fit`` is a task, ``partial_fit``, ``fit_parquet`` and ``fit_dask`` have
    none. A Pipeline or search hands on those that it hands on to its own steps; a fitted
    ranker that is saved or copied has none.

    Missing values: NaN in ``X`` is taken. Where a metric is missing it counts as
    its median, of the values there are in training. Beside that, the shortcut
    learns what it is worth that the metric is missing, for each metric of which a
    value was missing in training; in `partial_fit`, in the first call. So missing
    values of other metrics, and all of them without a shortcut, are medians. A metric
    that is always missing in training is worth nothing, as one that is constant.
    `monotonic_cst` holds between values that are there; what a missing one is worth is
    free.

    Training is in float32 and prediction, by default, in float64. On one
    machine, and with one number of threads, the same `random_state` gives the
    same scores to the last bit, whatever other threads do. Small fits and
    predictions use one thread of torch, callbacks included, and give the number
    back at their end (``docs/speed.md``). A `fit` or
    `partial_fit` that fails, or is interrupted, leaves the estimator as it was.

    References
    ----------
    .. [1] Zhou et al., "Learning and Evaluating Human Preferences for
       Conversational Head Generation", ACM MM 2023, arXiv:2307.10636.
    .. [2] Burges et al., "Learning to rank using gradient descent", ICML 2005,
       doi:10.1145/1102351.1102363.
    .. [3] Burges, "From RankNet to LambdaRank to LambdaMART: An overview",
       Microsoft Research MSR-TR-2010-82, 2010.
    .. [4] Cao et al., "Learning to rank: from pairwise approach to listwise
       approach", ICML 2007, doi:10.1145/1273496.1273513.

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
        "loss": [StrOptions({"ranknet", "lambdarank", "listnet"})],
        "k": [Interval(Integral, 1, None, closed="left"), None],
        "gain": [StrOptions({"rank", "linear", "exponential"})],
        "ties": [StrOptions({"auto", "ignore", "half", "davidson"})],
        "order_bias": ["boolean"],
        "group_weight": [StrOptions({"pairs", "sqrt", "equal"})],
        "shortcut": [StrOptions({"additive", "linear"}), None],
        "n_pieces": [Interval(Integral, 1, None, closed="left")],
        "output_activation": [StrOptions({"relu6", "identity"})],
        "batch_norm": ["boolean"],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "input_dropout": [Interval(Real, 0, 1, closed="left")],
        "input_clip": [Interval(Real, 0, None, closed="neither"), None],
        "monotonic_cst": ["array-like", dict, None],
        "n_members": [Interval(Integral, 1, None, closed="left")],
        "leave_out": ["boolean"],
        "max_epochs": [
            Interval(Integral, 1, None, closed="left"),
            StrOptions({"auto"}),
        ],
        "learning_rate_init": [Interval(Real, 0, None, closed="neither")],
        "learning_rate": [StrOptions({"one_cycle", "constant"})],
        "weight_decay": [Interval(Real, 0, None, closed="left")],
        "batch_size": [
            Interval(Integral, 2, None, closed="left"),
            StrOptions({"auto"}),
        ],
        "early_stopping": ["boolean"],
        "scoring": [StrOptions({"loss"}), callable, None],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "warm_start": ["boolean"],
        "callbacks": [list, None],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
        "device": [str],
        "predict_dtype": [StrOptions({"auto", "float64", "float32"})],
    }

    def __init__(
        self,
        hidden_layer_sizes=(32, 32),
        *,
        loss="ranknet",
        k=None,
        gain="rank",
        ties="auto",
        order_bias=False,
        group_weight="sqrt",
        shortcut="additive",
        n_pieces=10,
        output_activation="identity",
        batch_norm=False,
        dropout=0.1,
        input_dropout=0.0,
        input_clip=4.0,
        monotonic_cst=None,
        n_members=5,
        leave_out=True,
        max_epochs="auto",
        learning_rate_init=0.01,
        learning_rate="one_cycle",
        weight_decay=0.1,
        batch_size="auto",
        early_stopping=False,
        scoring="loss",
        validation_fraction=0.2,
        n_iter_no_change=20,
        warm_start=False,
        callbacks=None,
        random_state=None,
        verbose=0,
        device="cpu",
        predict_dtype="auto",
    ):
        self.hidden_layer_sizes = hidden_layer_sizes
        self.loss = loss
        self.k = k
        self.gain = gain
        self.ties = ties
        self.order_bias = order_bias
        self.group_weight = group_weight
        self.shortcut = shortcut
        self.n_pieces = n_pieces
        self.output_activation = output_activation
        self.batch_norm = batch_norm
        self.dropout = dropout
        self.input_dropout = input_dropout
        self.input_clip = input_clip
        self.monotonic_cst = monotonic_cst
        self.n_members = n_members
        self.leave_out = leave_out
        self.max_epochs = max_epochs
        self.learning_rate_init = learning_rate_init
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.batch_size = batch_size
        self.early_stopping = early_stopping
        self.scoring = scoring
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.warm_start = warm_start
        self.callbacks = callbacks
        self.random_state = random_state
        self.verbose = verbose
        self.device = device
        self.predict_dtype = predict_dtype

    @explained_call
    def fit(self, X, y, *, X_val=None, y_val=None):
        """Learn to order the items of every group.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Metrics, NaN where one is missing. A C-ordered array of float32 or
            float64 is not copied. A sparse matrix gives the scores of the dense array,
            and is never made dense as a whole, see ``docs/sparse.md``.
        y : structured ndarray of shape (n_samples,) or array-like
            Target of :class:`Groups`, or preferences of one single group.
        X_val : array-like or sparse matrix of shape (n_val, n_features), default=None
            Metrics of a validation set, which is not trained on. With
            `early_stopping` it decides when to stop, and nothing is held out of
            `X`. Without, the fit is the same as without it, and `history_` shows
            its loss and score. In a Pipeline see ``docs/validation.md``.
        y_val : structured ndarray of shape (n_val,) or array-like, default=None
            Target of the rows of `X_val`: a plain one only if `y` is plain.

        Returns
        -------
        self : PairwisePreferenceRanker
            The same object, fitted.

        Raises
        ------
        ValueError
            If there is no comparable pair, a value cannot be used, the scores
            become non-finite during training, or one of `X_val` and `y_val` is
            passed without the other.
        TypeError
            If `y` or `y_val` is neither of the two.

        Warns
        -----
        UserWarning
            If groups of `y` or `y_val` are cut, the scores are nearly constant,
            or `X_val` lies far outside of `X`: more than half of the values of a
            metric are farther outside of its range in `X` than this is wide. An
            `X` of less than 20 rows is not looked at.
        """
        # Callbacks of scikit-learn end inside, before the state is restored.
        with restored_on_error(self):
            return self._fit(X, y, X_val, y_val)

    @with_callbacks
    def _fit(self, X, y, X_val, y_val):
        from sklearn_pscore._rankers.training import fit_net, largest_gap
        from sklearn_pscore._torch.importances import importances_of

        caller = "PairwisePreferenceRanker.fit"
        goes_on = self.warm_start and hasattr(self, "net_")
        validates = self.early_stopping or X_val is not None
        items = self._check(X, y, caller, goes_on, validates)
        validation = self._check_validation(X_val, y_val, items.table, y, caller)
        rng = check_random_state(self.random_state)
        if self.early_stopping and validation is None:
            items, held_out = hold_out(items, self.validation_fraction, rng, caller)
            validation = Validation.of(held_out, self.scoring)
        parameters, net = self._parameters_and_net(len(items), goes_on, items.votes)
        context = self._init_callback_context(max_subtasks=parameters.max_epochs)
        keep = partial(
            type(self)._keep,
            parameters=parameters,
            goes_on=goes_on,
            drops_steps=not self.warm_start,
        )
        tasks = EpochTasks(context, self, X, y, keep)
        tasks.begin_fit()
        net, packed = fit_net(parameters, items, validation, rng, net, tasks)
        keep(self, net, n_groups=packed.n_groups, n_pairs=packed.n_pairs)
        self._importances = importances_of(net, packed)
        self._no_importances = "fit was to a sparse X of which little is stored"
        tasks.end_fit()
        leaves_out = packed.fold is not None
        warn_if_constant(largest_gap(net, packed), leaves_out, parameters)
        return self

    @property
    def feature_importances_(self):
        """Share of the score's variation inside groups that each feature takes part in."""
        check_is_fitted(self)
        if self._importances is None:
            raise AttributeError(
                f"{type(self).__name__} has no feature_importances_, for "
                f"{self._no_importances}; expected a fit, and not partial_fit, fit_parquet "
                "or fit_dask, to a dense X. Call fit on a dense sample of the rows, or "
                "sklearn_pscore.inspection.group_permutation_importance(ranker, X, groups) "
                "of this ranker."
            )
        return self._importances

    @explained_call
    def partial_fit(self, X, y):
        """Go through some groups once, from where training stopped.

        The first call decides how metrics are scaled. The shortcut starts at zero
        and is trained like the layers. No group is left out, and none is held
        out: `early_stopping` is not used.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Metrics, NaN where one is missing.
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
        from sklearn_pscore._rankers.training import fit_net_once
        from sklearn_pscore._torch.epochs import told_epoch

        caller = "PairwisePreferenceRanker.partial_fit"
        goes_on = hasattr(self, "net_")
        with restored_on_error(self):
            items = self._check(X, y, caller, goes_on)
            rng = check_random_state(self.random_state)
            parameters, net = self._parameters_and_net(len(items), goes_on, items.votes)
            net, packed = fit_net_once(parameters, items, rng, net)
            self._keep(net, parameters, packed.n_groups, packed.n_pairs, goes_on)
        if self.verbose:
            epoch = len(self.history_["epoch"])
            say(f"[{type(self).__name__}] epoch {epoch}, {told_epoch(net)}")
        return self

    @explained_call
    def predict(self, X, return_std=False):
        """Score items; larger is preferred.

        The fitted net is read and never changed, so several threads may predict
        at once.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Metrics, NaN where one is missing.
        return_std : bool, default=False
            Whether to return how uncertain each score is, too.

        Returns
        -------
        y_score : ndarray of shape (n_samples,), float64
            One score per row, the mean over members. It depends on no other
            row, and on how many there are by rounding alone, see `predict_dtype`.
            Memory beside `X` is bounded, since rows are scored in chunks.
        y_std : ndarray of shape (n_samples,), float64
            Only if `return_std`. Standard error of the score, larger is less
            certain: about how far the score, less that of an average item, would
            move if it were learnt from other groups of the same kind. It does not
            say how much people disagree.

            Each member has left out a fold of the groups, so the k members are a
            delete-a-fold jackknife: their standard deviation, the scores of each
            centred by those of its training items, is scaled by (k - 1) / sqrt(k),
            or less, by what is chance in a member's own weights and not in the
            data. ``docs/agreement.md`` compares it with fresh data; with few items
            in all, it is too small.

            Where no member left out groups it is their plain standard deviation,
            which shows the chance in their weights only, and is far less than the
            standard error: with ``leave_out=False``, `early_stopping`, "relu6", or
            fewer than 10 groups; and after `partial_fit`, or a training that went
            on from another by `warm_start`. 0 with one member.

        Raises
        ------
        TypeError
            If `return_std` is no bool: groups are no argument here.
        """
        if not isinstance(return_std, (bool, np.bool_)):
            raise TypeError(
                f"return_std is of type {type(return_std).__name__}; expected a bool. A "
                "row's score depends on no other row: call predict(X), or rank(X, groups) "
                "for the order inside groups."
            )
        from sklearn_pscore._torch.scoring import mean_scores, member_scores

        check_is_fitted(self)
        check_parameters(self, "predict_dtype")
        X, look = self._check_X(X, looks_later=True)
        mean = mean_scores(self.net_, X, self.predict_dtype, look)
        if not return_std:
            return mean
        return mean, self._spread(member_scores(self.net_, X, self.predict_dtype))

    def preference_proba(self, X_a, X_b):
        """Return the probability that people prefer a to b, Eq. 1 of the paper.

        With the default `ties` it is the probability given that they prefer one of
        the two; with "half", that plus half of the probability of a tie.

        Parameters
        ----------
        X_a, X_b : array-like or sparse matrix of shape (n_pairs, n_features)
            Metrics of the two items of each pair, NaN where one is missing.

        Returns
        -------
        proba : ndarray of shape (n_pairs,)
            In [0, 1], the mean over members; 0.5 where the scores are equal.

        Raises
        ------
        ValueError
            If the numbers of rows differ.
        """
        scores = self._member_scores(X_a), self._member_scores(X_b)
        return expit(log_odds(*scores)).mean(axis=0)

    def _spread(self, values):
        """Return the spread of values that are linear in the scores of each member."""
        from sklearn_pscore._torch.scoring import spread_of_members

        return spread_of_members(self.net_, values)

    def _member_scores(self, X):
        """Return the scores of each member, shape (n_members, n_samples)."""
        from sklearn_pscore._torch.scoring import member_scores

        check_is_fitted(self)
        check_parameters(self, "predict_dtype")
        return member_scores(self.net_, self._check_X(X), self.predict_dtype)

    def _additive_part(self):
        """Return the part that is a sum of functions of the metrics, None without one."""
        from sklearn_pscore._torch.additive import additive_part_of

        return additive_part_of(self.net_)

    def _members_of_scores(self):
        """Return how many members left out a fold, and the factor of their spread."""
        return self.net_.n_folds, self.net_.std_factor

    def _check(self, X, y, caller, goes_on, validates=False):
        """Check everything before any work is done; return the training items."""
        # First, so that no other error is joined by a warning of lost items.
        items = take_attached_items(X, y)
        check_training_parameters(self, caller, validates)
        X = self._check_X(X, reset=not goes_on, ensure_min_samples=2)
        target = check_groups(y, n_rows=X.shape[0], caller=caller)
        if items is None:
            items = TrainingItems.from_target(X, target)
        check_votes(items, target, caller, self.loss, self.ties, self.order_bias)
        items = self._comparable(items, target, caller)
        check_ties(items)
        if self.ties == "half" or not len(items):
            check_comparable(target, caller, for_votes=True)
        self._note_cut_groups(y, target, caller)
        warn_of_many_pairs(self, items)
        return items

    def _check_validation(self, X_val, y_val, X, y, caller):
        """Check the validation set that was passed; return it with its items, or None."""
        passed = check_validation_set(
            X_val, y_val, X, y, check_X=self._check_X, caller=caller
        )
        if passed is None:
            return None
        with errors_about("X_val and y_val cannot be validated on"):
            items = TrainingItems.from_target(passed.X, passed.target)
            check_same_kind(items, is_structured(y) and "votes" in y.dtype.names)
            check_votes(
                items, passed.target, caller, self.loss, self.ties, self.order_bias
            )
            items = self._comparable(items, passed.target, caller)
            check_ties(items)
        return Validation.of(items, self.scoring, passed.X, passed.groups)

    def _check_X(self, X, reset=False, **kwargs):
        dtypes = [np.float64, np.float32]
        return checked_table(
            self,
            X,
            reset=reset,
            dtype=dtypes,
            accept_sparse="csr",
            **kwargs,
        )

    def _comparable(self, items, target, caller):
        """Return the items that are in a pair, their values checked."""
        if self.loss == "lambdarank":
            check_gainable(target, self.gain, caller)
        ties = resolve_ties(self.ties, items.votes)
        position = None
        if self.order_bias and items.votes is None:
            position = items.position
        items = replace(items, ties=ties, position=position).comparable()
        check_positions(items)
        check_float32(extremes(items.table), getattr(self, "feature_names_in_", None))
        check_weights(items.weight)
        return items

    def _parameters_and_net(self, n_rows, goes_on, votes=None):
        """Return resolved parameters, and a copy of the net to go on with or None."""
        from sklearn_pscore._torch.net import resumed_net

        parameters = resolve_parameters(self, n_rows, votes)
        if not goes_on:
            return parameters, None
        check_same_network(self, parameters, self._network_)
        is_auto = self.ties == "auto" and votes is not None
        if is_auto and self.net_.criterion_.ties == "davidson":
            # After votes with ties, votes without one say that ties are rare.
            parameters.ties = "davidson"
        return parameters, resumed_net(self.net_, parameters)

    def _keep(self, net, parameters, n_groups, n_pairs, goes_on, drops_steps=False):
        """Set the fitted attributes; those of X are set already."""
        from sklearn_pscore._torch.history import columns_of

        if drops_steps:
            net.forget_steps()
        before = self.history_ if goes_on else {}
        n_before = len(before.get("epoch", ()))
        self.history_ = columns_of(net.history[n_before:], _HISTORY_KEYS, before)
        self._net, self._state = net, None
        self._network_ = network_of(parameters)
        # In place of that of a training before.
        self._importances = None
        self._no_importances = "its last training was no fit"
        self.n_groups_ = n_groups
        self.n_pairs_ = n_pairs

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.allow_nan = True
        return tags
