"""The skorch net of the ranker: how it is built, resumed and trained."""

from collections.abc import Mapping
from copy import deepcopy

import numpy as np
import torch
from skorch import NeuralNet
from skorch.history import History

from sklearn_pscore._torch.batches import GroupBatches
from sklearn_pscore._torch.folded import Folding
from sklearn_pscore._torch.inputs import Bends, InputScaling
from sklearn_pscore._torch.losses.lambdarank import LambdaRankLoss
from sklearn_pscore._torch.losses.listnet import TopOneLoss
from sklearn_pscore._torch.losses.positions import PositionedLoss, PositionTerms
from sklearn_pscore._torch.losses.ranknet import PairwiseLogisticLoss
from sklearn_pscore._torch.losses.votes import VoteLoss, VoteTerms
from sklearn_pscore._torch.network import ScoreNetwork
from sklearn_pscore._torch.scoring import (
    chunks,
    features_of,
    mean_scores,
    members_dtype,
    scoring_copy,
)
from sklearn_pscore._torch.stacking import ScaledSample
from sklearn_pscore._torch.thin import ThinRows, as_table, is_thin

# Values that the shortcut is fitted to, 16 MB of float32, and the least rows.
_SAMPLE_VALUES, _SAMPLE_ROWS = 2**22, 2**12
# What a row of a thin table counts for at least: it takes memory in the layers, too.
_FEWEST_STORED = 32
# Memory of the columns that an additive shortcut may be fitted to. A fit holds them
# twice. Not measured by a benchmark.
_MOST_COLUMN_BYTES = 2**32


class GroupNet(NeuralNet):
    """A skorch net that is given a training and a validation set of groups.

    skorch would split and collate single rows; here the sets are
    :class:`PackedGroups` that are split already, and a batch is a slice of
    whole groups.

    Attributes
    ----------
    max_batch_bytes : int
        Memory that a batch may take in the layers. A group that needs more, and
        has more than `batch_size` rows, is split.
    n_folds : int
        The first `n_folds` members each left out a fold of the groups in the last
        training. 0 if none did.
    std_factor : float
        Ratio of the standard error to the standard deviation over these members.
    generator_ : torch.Generator or None
        Draws the dropout while the net is trained. It belongs to the call that
        trains, so copies and pickles of the net have None.
    """

    max_batch_bytes = 2**31
    n_folds = 0
    std_factor = 1.0
    generator_ = None
    # Made of the network when scores are asked for; copies and pickles make their own.
    _folding = None

    def __deepcopy__(self, memo):
        """Copy all attributes; skorch would go through files of pickles instead."""
        memo[id(self)] = copied = type(self).__new__(type(self))
        attributes = {**vars(self), "generator_": None, "_folding": None}
        vars(copied).update(deepcopy(attributes, memo))
        return copied

    def __getstate__(self):
        """Return the state that is pickled."""
        state = {**super().__getstate__(), "generator_": None}
        state.pop("_folding", None)
        return state

    def get_default_callbacks(self):
        """Return those of skorch without its table of epochs, which has colours."""
        return [
            (name, callback)
            for name, callback in super().get_default_callbacks()
            if name != "print_log"
        ]

    def get_split_datasets(self, X, y=None, **fit_params):
        """Return the two sets as they came."""
        return X

    def get_iterator(self, dataset, training=False):
        """Return an iterator over batches of whole groups."""
        return GroupBatches(
            dataset,
            self.batch_size,
            max_rows=self.max_batch_bytes // _bytes_per_row(self.module_, dataset),
            shuffle=training,
        )

    def forward_iter(self, X, training=False, device="cpu"):
        """Yield the scores of some rows after the others, (n_rows, n_members).

        Without `training` the net stays as it is, so callbacks may ask for scores at
        any time. With it, as in skorch, they have gradients and dropout, which torch's
        own generator draws; a batch norm takes note of the rows.

        Parameters
        ----------
        X : array-like, tensor or PackedGroups, of shape (n_rows, n_features)
            Or a batch's features.
        training : bool, default=False
        device : str, default="cpu"
            Where the scores go.
        """
        X = features_of(X, len(self.module_.scaling.shift))
        module = self.module_
        if not training:
            dtype = self.module__parameters.predict_dtype
            module = scoring_copy(module, members_dtype(dtype))
        for _, chunk in chunks(X, self.device):
            was_training = module.training
            with torch.set_grad_enabled(training):
                scores = module.train(training)(chunk).T
            module.train(was_training)
            yield scores.to(device)

    def predict(self, X):
        """Return the mean of the members' scores, (n_rows,), as the ranker does.

        Parameters
        ----------
        X : array-like, tensor or PackedGroups, of shape (n_rows, n_features)
        """
        X = features_of(X, len(self.module_.scaling.shift))
        dtype = self.module__parameters.predict_dtype
        return mean_scores(self, X, dtype)

    def folded(self, dtype):
        """Return the network as :class:`FoldedNetwork` of a type, None if there is none."""
        folding = self._folding
        if folding is None or not folding.is_of(self.module_):
            folding = self._folding = Folding(self.module_)
        return folding.of_type(dtype)

    @property
    def waits_for_losses(self):
        """Whether the loss of each batch is a number at once: a GPU would be waited for."""
        return torch.device(self.device).type == "cpu"

    def run_single_epoch(self, iterator, training, prefix, step_fn, **fit_params):
        """Go through all batches, as skorch does; losses on a GPU are read once."""
        if iterator is None or self.waits_for_losses:
            super().run_single_epoch(iterator, training, prefix, step_fn, **fit_params)
            return
        losses = []
        for batch in iterator:
            self.notify("on_batch_begin", batch=batch, training=training)
            step = step_fn(batch, **fit_params)
            losses.append(step["loss"].detach())
            # A number that callbacks may ask for, which waits for it then.
            self.history.record_batch(f"{prefix}_loss", losses[-1])
            self.history.record_batch(f"{prefix}_batch_size", len(batch[1].level))
            self.notify("on_batch_end", batch=batch, training=training, **step)
        self.history.record(f"{prefix}_batch_count", len(losses))
        values = torch.stack(losses).tolist() if losses else []
        batches = self.history[-1]["batches"]
        own = [row for row in batches if f"{prefix}_loss" in row]
        for row, value in zip(own, values, strict=True):
            row[f"{prefix}_loss"] = value

    def infer(self, x, **fit_params):
        """Return the scores of a batch, with the dropout of this training."""
        parts = x if isinstance(x, Mapping) else {"X": x}
        if isinstance(parts["X"], ThinRows):
            # skorch moves tensors only.
            moved = {name: part.to(self.device) for name, part in parts.items()}
            return self.module_(**moved, **fit_params, generator=self.generator_)
        return super().infer(x, generator=self.generator_, **fit_params)

    def get_loss(self, y_pred, y_true, X=None, training=False):
        """Return the loss; a member gets no gradient from the groups it leaves out."""
        y_true = y_true.to(y_pred.device)
        if training and y_true.fold is not None:
            members = torch.arange(len(y_pred), device=y_pred.device)[:, None]
            y_pred = torch.where(y_true.fold == members, y_pred.detach(), y_pred)
        return self.criterion_(y_pred, y_true)

    def get_params_for_optimizer(self, prefix, named_parameters):
        """Return two groups of parameters: without weight decay, and with it.

        No weight decay for biases, norms and the shortcut, which has its own
        ridge. Two groups only: each adds time to a step.
        """
        _, kwargs = super().get_params_for_optimizer(prefix, [])
        free, decayed = [], []
        # A loss of votes has terms of the network, too.
        for name, parameter in self.module_.named_parameters():
            is_free = name.endswith(("bias", "norm.weight", "log_nu"))
            is_free |= "shortcut." in name
            (free if is_free else decayed).append(parameter)
        groups = [{"params": free, "weight_decay": 0.0}, {"params": decayed}]
        return (groups,), kwargs

    def show_all_inputs(self):
        """Show the layers all features from here on, where only some were shown."""
        self.module_.show_all_inputs()
        # What it has of these weights is of another shape.
        self.optimizer_.state.pop(self.module_.first_linear.weight, None)

    def load_params(self, *args, **kwargs):
        """Load what was saved, as in skorch.

        Of the first layer, the optimiser's state is that of the features that the layers
        saw when it was saved: if these were others, it starts anew. What cannot be
        loaded changes nothing.
        """
        parts = self.module_, self.criterion_, self.optimizer_
        before = deepcopy([part.state_dict() for part in parts]), self.history
        try:
            super().load_params(*args, **kwargs)
        except Exception:
            # Of weights of other shapes, torch has taken over those before.
            states, self.history = before
            for part, state in zip(parts, states, strict=True):
                part.load_state_dict(state)
            raise
        weight = self.module_.first_linear.weight
        moments = self.optimizer_.state.get(weight, {})
        if any(each.ndim and each.shape != weight.shape for each in moments.values()):
            self.optimizer_.state.pop(weight)

    def forget_steps(self):
        """Drop the optimiser's state, so that going on from here starts it anew."""
        self.optimizer_.state.clear()

    def train_step(self, batch, **fit_params):
        """Take a step, and keep the constraints."""
        step = super().train_step(batch, **fit_params)
        self.module_.project()
        return step


def build_net(packed, parameters, generator):
    """Return an initialised net, and the sample to fit its shortcut on.

    Parameters
    ----------
    packed : PackedGroups
    parameters : namespace
        Resolved parameters of the ranker.
    generator : torch.Generator
        Draws the first weights, on the CPU.

    Returns
    -------
    net : GroupNet
    sample : ScaledSample
    """
    X, target, judged, _ = packed.sample(sample_rows(packed.table, parameters))
    group = np.repeat(np.arange(len(target.sizes)), target.sizes)
    scaling = InputScaling.fitted(as_table(X), group, parameters.input_clip)
    scaled = scaling(X)
    bends = None
    if parameters.shortcut == "additive":
        # In float64, whatever X is: float32 may round off how far a small value is from
        # the median, and the edges of the pieces would not be the same.
        in_float64 = scaling(X.to(torch.float64))
        if not packed.is_thin:
            in_float64 = in_float64.numpy()
        bends = Bends.fitted(in_float64, parameters.n_pieces)
    missing_features = packed.missing_features()
    positions = PositionTerms.of(packed)
    net = new_net(scaling, bends, parameters, generator, missing_features, positions)
    scaled = scaled.to(torch.float32)
    share = len(target.sizes) / packed.n_groups
    return net, ScaledSample(scaled, target, judged, net.module_.missing(X), share)


def new_net(
    scaling, bends, parameters, generator, missing_features, position_terms=None
):
    """Return an initialised net.

    Parameters
    ----------
    scaling : InputScaling
    bends : Bends or None
    parameters : namespace
        Resolved parameters of the ranker.
    generator : torch.Generator
        Draws the first weights, on the CPU.
    missing_features : sequence of int
        Features whose missing values have a worth of their own, in the shortcut.
    position_terms : PositionTerms or None, default=None
    """
    net = GroupNet(
        ScoreNetwork,
        module__scaling=scaling,
        module__bends=bends,
        module__parameters=parameters,
        module__generator=generator,
        module__missing_features=missing_features,
        module__vote_terms=(
            VoteTerms(parameters.order_bias) if parameters.has_votes else None
        ),
        module__position_terms=position_terms,
        criterion=PairwiseLogisticLoss(),
        optimizer=torch.optim.AdamW,
        optimizer__weight_decay=parameters.weight_decay,
        # One kernel for all layers, faster on a small network.
        optimizer__fused=True,
        lr=parameters.learning_rate_init,
        batch_size=parameters.batch_size,
        train_split=None,
        callbacks=parameters.callbacks,
        verbose=_verbose_of(parameters),
        device=parameters.device,
        # Scores of a batch are by member; forward_iter has them by row.
        use_caching=False,
    )
    net.initialize()
    net.criterion = net.criterion_ = _criterion(parameters, net.module_)
    # The weights are drawn; the net would keep the generator in its pickles.
    net.module__generator = net.module__vote_terms = None
    net.module__position_terms = None
    return net


def sample_rows(table, parameters):
    """Return how many rows of a table the shortcut may be fitted to."""
    n_rows, n_features = table.shape
    if not is_thin(table):
        return dense_sample_rows(n_features, parameters)
    n_pieces = parameters.n_pieces if parameters.shortcut == "additive" else 0
    # Each stored value has a place, too.
    n_stored = 2 * table.nnz * (1 + n_pieces) // n_rows
    return max(_SAMPLE_ROWS, _SAMPLE_VALUES // max(n_stored, _FEWEST_STORED))


def dense_sample_rows(n_features, parameters):
    """Return how many rows of a table that is not thin the shortcut may be fitted to."""
    n_columns = n_features * (1 + parameters.n_pieces)
    return max(_SAMPLE_ROWS, _SAMPLE_VALUES // n_columns)


def check_columns_fit(n_features, n_rows, parameters):
    """Raise ValueError if an additive shortcut would be fitted to too many columns.

    Parameters
    ----------
    n_features : int
        Of a table that is not thin.
    n_rows : int
        Rows that the shortcut would be fitted to.
    parameters : namespace
        Resolved parameters of the ranker.
    """
    if parameters.shortcut != "additive":
        return
    bytes_per_feature = 4 * n_rows * (1 + parameters.n_pieces)
    n_most = _MOST_COLUMN_BYTES // bytes_per_feature
    if n_features > n_most:
        raise ValueError(
            f'X has {n_features:,} features, and shortcut="additive" makes '
            f"{1 + parameters.n_pieces} columns of each, "
            f"{bytes_per_feature * n_features / 2**30:.1f} GB for {n_rows:,} rows; "
            f'expected at most {n_most:,} features. Set shortcut="linear", or fewer '
            "n_pieces. A sparse X of which at most 2 % is stored may have any number."
        )


def resumed_net(net, parameters):
    """Return a copy of a trained net that goes on with other parameters.

    The epochs of its history are shared with the net, since nothing changes an
    epoch that is over; so a copy takes no longer after many epochs.

    Parameters
    ----------
    net : GroupNet
        Left as it is.
    parameters : namespace
        Resolved parameters of the ranker, of the same network.
    """
    replaced = {
        id(net.history_): History(net.history_),
        id(net.callbacks_): [],
        id(net.callbacks): parameters.callbacks,
        id(net.module__parameters): parameters,
    }
    device = net.device
    net = deepcopy(net, replaced)
    net.set_params(
        lr=parameters.learning_rate_init,
        batch_size=parameters.batch_size,
        verbose=_verbose_of(parameters),
        device=parameters.device,
    )
    for group in net.optimizer_.param_groups:
        # A schedule starts from this; torch would keep that of the first.
        group["initial_lr"] = parameters.learning_rate_init
    # Not by set_params, which would give weight decay to all weights.
    net.optimizer_.param_groups[-1]["weight_decay"] = parameters.weight_decay
    # Not by set_params, which would start the optimiser anew.
    net.criterion = net.criterion_ = _criterion(parameters, net.module_)
    net.initialize_callbacks()
    if parameters.device != device:
        net.module_.to(parameters.device)
        # Moves the optimiser's state to where the weights are.
        net.optimizer_.load_state_dict(net.optimizer_.state_dict())
    return net


def copied_net(net):
    """Return a copy of a net without its callbacks; epochs that are over are shared."""
    shared = {
        id(net.history_): History(net.history_),
        id(net.callbacks_): [],
        id(net.callbacks): [],
        id(net.module__parameters): net.module__parameters,
    }
    return deepcopy(net, shared)


def _verbose_of(parameters):
    """Return whether callbacks may print: not into a bar."""
    return int(parameters.verbose > 1)


def _criterion(parameters, module):
    if module.vote_terms is not None:
        return VoteLoss(parameters.ties, module.vote_terms)
    if parameters.loss == "lambdarank":
        return LambdaRankLoss(parameters.k)
    listnet = parameters.loss == "listnet"
    loss = TopOneLoss() if listnet else PairwiseLogisticLoss(parameters.ties)
    if module.position_terms is not None:
        return PositionedLoss(loss, module.position_terms)
    return loss


def _bytes_per_row(network, packed):
    """Estimate the memory of one row in a training step, over all members."""
    n_features = n_held = len(network.scaling.shift)
    if packed.is_thin:
        n_held = -(-packed.table.nnz // packed.table.shape[0])
    n_values = 4 * n_held
    for module in network.modules():
        weight = getattr(module, "weight", None)
        if weight is not None and weight.dim() == 3:
            n_in, n_out = (n_held if n == n_features else n for n in weight.shape[1:])
            # Of each layer: its input, output, activation and gradient.
            n_values += network.n_members * (n_in + 3 * n_out)
    return 4 * n_values
