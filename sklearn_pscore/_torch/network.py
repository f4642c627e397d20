"""The network that maps an item's features to its score, for all members at once."""

import math
from copy import copy

import torch
from torch import nn

from sklearn_pscore._torch.thin import ThinRows, of_features

# The middle of ReLU6's range: with batch-normalised scores of unit variance,
# nearly all items start where its gradient is not zero.
_RELU6_MIDDLE = 3.0
# Beside a shortcut the layers start with scores this much smaller, since they
# only correct it. No benchmark varies it.
_SMALL_START = 0.1
# Rows that inputs are made of at a time, for the memory of what comes between. No
# benchmark varies it.
_ROWS_OF_INPUTS = 2**16
# Values of a byte: dropout is decided by one byte for each unit.
_BYTE_VALUES = 256


class ScoreNetwork(nn.Module):
    """Score items from their features by an ensemble of networks of one shape.

    A hidden layer is [Linear, ReLU, Dropout], or [Linear, BatchNorm, ReLU,
    Dropout]; a shortcut past all of them may be added to their output. The
    members are computed together and share nothing but the inputs.

    Parameters
    ----------
    scaling : InputScaling
        Applied to the features first.
    bends : Bends or None
        Columns of the shortcut beside the scaled features.
    parameters : namespace
        Resolved parameters of the ranker. "relu6" puts a BatchNorm and ReLU6
        behind the last Linear, section 4.2 of the paper. For the constraints
        `monotonic_cst` see :meth:`project`.
    generator : torch.Generator or None, default=None
        Draws the first weights; not kept. None is torch's own.
    missing_features : sequence of int, default=()
        Features whose missing values have a worth of their own, in the shortcut.
    vote_terms : VoteTerms or None, default=None
        What votes depend on beside the scores. None if there are no votes.
    position_terms : PositionTerms or None, default=None
        What positions add to the scores. None if they do not count.
    """

    def __init__(
        self,
        scaling,
        bends,
        parameters,
        generator=None,
        missing_features=(),
        vote_terms=None,
        position_terms=None,
    ):
        super().__init__()
        self.n_members = parameters.n_members
        self.is_constrained = parameters.monotonic_cst is not None
        self.drops_inputs = parameters.input_dropout > 0
        self.scaling = scaling
        # Numbers of the features that the layers see; None: all. See `select_inputs`.
        self.inputs = self._signs_of_all = None
        n_features = len(scaling.shift)
        signs = None
        if self.is_constrained:
            signs = torch.tensor(parameters.monotonic_cst, dtype=torch.float32)
        self.shortcut = None
        if parameters.shortcut is not None:
            self.shortcut = Shortcut(
                self.n_members, n_features, bends, signs, missing_features
            )
        self.hidden, n_units, signs = _hidden_layers(
            n_features, signs, parameters, generator
        )
        up = None if signs is None else torch.ones(1)
        self.output = MemberLinear(self.n_members, n_units, 1, signs, up, generator)
        if self.shortcut is not None:
            self.scale_parts(layers=_SMALL_START)
        self.vote_terms = vote_terms
        self.position_terms = position_terms
        self.bounded = None
        if parameters.output_activation == "relu6":
            norm = MemberBatchNorm(self.n_members, 1)
            # An item outside of ReLU6's range would get no gradient.
            nn.init.constant_(norm.bias, _RELU6_MIDDLE)
            self.bounded = nn.Sequential(norm, nn.ReLU6())

    def forward(self, X, shortcut_scores=None, inputs=None, generator=None):
        """Return the scores of items.

        Parameters
        ----------
        X : tensor of shape (n_items, n_features)
            NaN is a missing value. ThinRows of a thin table.
        shortcut_scores : tensor of shape (n_items, n_members), or None
            Scores of the shortcut if they are known already.
        inputs : tensor of shape (n_items, n_inputs), or None
            What the layers read, of :meth:`layer_inputs`, if it is known already. With
            it, X is not read.
        generator : torch.Generator or None
            Draws the dropout in training. None is torch's own.

        Returns
        -------
        scores : tensor of shape (n_members, n_items)
        """
        is_training = self.training
        if inputs is None and shortcut_scores is not None and self.inputs is not None:
            # Nothing else reads the other features.
            inputs = self.layer_inputs(X, is_training)
        if inputs is not None:
            scores = self._scores_of_inputs(inputs, generator)
        else:
            missing = self.missing(X) if shortcut_scores is None else None
            X = self._scaled(self.scaling, X, is_training)
            scores = self.layer_scores(X, generator)
        if shortcut_scores is not None:
            scores = scores + shortcut_scores.T[..., None]
        elif self.shortcut is not None:
            scores = scores + self.shortcut(X, missing)
        if self.bounded is not None:
            scores = self.bounded(scores)
        return scores.squeeze(2)

    def layer_inputs(self, X, is_training):
        """Return what the layers read of items, scaled, (n_items, n_inputs).

        Parameters
        ----------
        X : tensor of shape (n_items, n_features)
        is_training : bool
            Whether it is read in training.
        """
        if self.inputs is None:
            return self._scaled(self.scaling, X, is_training)
        inputs = self.inputs.to(X.device)
        scaling = of_features(self.scaling, inputs)
        return self._scaled(scaling, X.index_select(1, inputs), is_training)

    def _scaled(self, scaling, X, is_training):
        """Return scaled features in the type of the weights."""
        dtype = self.output.weight.dtype
        # In float32 what is bent is not quite in order, which breaks constraints.
        in_order = self.is_constrained and not is_training
        return scaling(X, dtype=torch.float64 if in_order else dtype).to(dtype)

    @property
    def terms(self):
        """What the loss depends on beside the scores; None if there is nothing."""
        return self.position_terms if self.vote_terms is None else self.vote_terms

    def train(self, mode=True):
        """Go into training or evaluation mode, all parts alike.

        skorch calls train() before every step: skip the walk over submodules if
        the mode is set already.
        """
        return self if self.training == mode else super().train(mode)

    def missing(self, X):
        """Return which values the shortcut values as missing, None if it values none.

        Parameters
        ----------
        X : tensor of shape (n_items, n_features)
            Not scaled.

        Returns
        -------
        missing : tensor of shape (n_items, n_missing_features), or None
            1 for NaN and 0 for a number, in the type of the weights. Thin if X is.
        """
        if self.shortcut is None or self.shortcut.missing_weight is None:
            return None
        features = self.shortcut.missing_features.to(X.device)
        is_thin = isinstance(X, ThinRows)
        missing = X.missing(features) if is_thin else X[:, features].isnan()
        return missing.to(self.output.weight.dtype)

    def layer_scores(self, X, generator=None):
        """Return the scores of the layers, of scaled features, (n_members, n_items, 1)."""
        if self.inputs is not None:
            X = X.index_select(1, self.inputs.to(X.device))
        return self._scores_of_inputs(X, generator)

    def _scores_of_inputs(self, X, generator):
        """Return the scores of the layers, of what they are shown."""
        if isinstance(X, ThinRows) and self.training and self.drops_inputs:
            X = X.to_dense()
        if not isinstance(X, ThinRows):
            # The axis of members comes first, so that each has its own dropout.
            X = X.expand(self.n_members, *X.shape)
        for layer in self.hidden:
            X = layer(X, generator) if isinstance(layer, ByteDropout) else layer(X)
        return self.output(X)

    @property
    def first_linear(self):
        """The MemberLinear that reads the features."""
        return next(
            (each for each in self.hidden if isinstance(each, MemberLinear)),
            self.output,
        )

    @torch.no_grad()
    def select_inputs(self, features):
        """Show the layers only some features, until all are shown again.

        The weights of these become larger, as they would start with fewer inputs.

        Parameters
        ----------
        features : ndarray of shape (n_kept,), int
        """
        first = self.first_linear
        n_features = first.weight.shape[1]
        growth = math.sqrt(n_features / len(features))
        self.inputs = torch.from_numpy(features)
        first.weight.data = first.weight[:, self.inputs].mul_(growth)
        if hasattr(first, "weight_signs"):
            self._signs_of_all = first.weight_signs
            first.weight_signs = first.weight_signs[self.inputs]

    @torch.no_grad()
    def show_all_inputs(self):
        """Show the layers all features: those that were not shown count for nothing."""
        first = self.first_linear
        first.weight.data = self.of_all_features(first.weight)
        if hasattr(first, "weight_signs"):
            # Not zeros: a training that goes on keeps the constraints of all features.
            first.weight_signs = self._signs_of_all.to(first.weight.device)
        self.inputs = self._signs_of_all = None

    def state_dict(self, *, destination=None, prefix="", keep_vars=False):
        """Return the weights by name: those of the first layer for all features.

        So what is saved in training, while the layers see only some, can be loaded when
        they see all again, and the other way round.
        """
        kwargs = {"destination": destination, "prefix": prefix, "keep_vars": keep_vars}
        state = super().state_dict(**kwargs)
        name = f"{prefix}{self._name_of_first}"
        state[name] = self.of_all_features(state[name])
        return state

    def load_state_dict(self, state_dict, *args, **kwargs):
        """Take over weights as :meth:`state_dict` has them."""
        if self.inputs is not None:
            state_dict, name = copy(state_dict), self._name_of_first
            inputs = self.inputs.to(state_dict[name].device)
            state_dict[name] = state_dict[name].index_select(1, inputs)
        return super().load_state_dict(state_dict, *args, **kwargs)

    @property
    def _name_of_first(self):
        """The name of the weights that read the features."""
        first = self.first_linear.weight
        return next(name for name, each in self.named_parameters() if each is first)

    def of_all_features(self, weight):
        """Return weights of the layers' inputs as those of all features, or 0.

        Parameters
        ----------
        weight : tensor of shape (..., n_inputs, n_units)
        """
        if self.inputs is None:
            return weight
        n_features = len(self.scaling.shift)
        full = weight.new_zeros(*weight.shape[:-2], n_features, weight.shape[-1])
        full[..., self.inputs.to(weight.device), :] = weight
        return full

    @torch.no_grad()
    def scale_parts(self, layers, shortcut=1.0):
        """Multiply the contributions of the layers and the shortcut to the score."""
        if self.shortcut is not None:
            for weight in self.shortcut.parameters():
                weight.mul_(shortcut)
        self.output.weight.mul_(layers)
        self.output.bias.mul_(layers)

    @torch.no_grad()
    def project(self):
        """Move the weights to the nearest ones that keep the constraints.

        With signs of 1 for inputs and units that raise the score and -1 for those
        that lower it, a weight between two of them has the sign of their product,
        or is zero. Activations grow with their inputs, so every path from a
        constrained feature to the score has the sign of its constraint.
        """
        if not self.is_constrained:
            return
        for module in self.modules():
            if isinstance(module, (MemberLinear, Shortcut)):
                wrong = module.weight * module.weight_signs < 0
                module.weight.masked_fill_(wrong, 0.0)
            elif isinstance(module, MemberBatchNorm):
                module.norm.weight.clamp_(min=0.0)


def _hidden_layers(n_inputs, signs, parameters, generator):
    """Return the hidden layers, their number of outputs, and the outputs' signs."""
    layers = []
    if parameters.input_dropout:
        layers.append(ByteDropout(parameters.input_dropout))
    for n_units in parameters.hidden_layer_sizes:
        unit_signs = None
        if signs is not None:
            # Each unit of a constrained network raises the score or lowers it.
            unit_signs = 1.0 - 2.0 * (torch.arange(n_units) % 2)
        shape = parameters.n_members, n_inputs, n_units
        layers.append(MemberLinear(*shape, signs, unit_signs, generator))
        if parameters.batch_norm:
            layers.append(MemberBatchNorm(parameters.n_members, n_units))
        layers.append(nn.ReLU(inplace=True))
        if parameters.dropout:
            layers.append(ByteDropout(parameters.dropout))
        n_inputs, signs = n_units, unit_signs
    return nn.Sequential(*layers), n_inputs, signs


class LayerInputs:
    """What the layers of a network read of a table, made a few rows at a time.

    Parameters
    ----------
    network : ScoreNetwork
    is_training : bool
        Whether it is read in training.
    """

    def __init__(self, network, is_training):
        self._network = network
        self._is_training = is_training
        self._weight = network.first_linear.weight

    def n_bytes(self, n_items):
        """Return the memory of the inputs of some items."""
        return n_items * self._weight.shape[1] * self._weight.element_size()

    def of(self, X):
        """Return the inputs of items, (n_items, n_inputs).

        Parameters
        ----------
        X : tensor of shape (n_items, n_features)
        """
        with torch.no_grad():
            parts = [
                self._network.layer_inputs(rows, self._is_training)
                for rows in X.split(_ROWS_OF_INPUTS)
            ]
        return torch.cat(parts)


class MemberLinear(nn.Module):
    """A Linear layer for every member.

    Parameters
    ----------
    n_members, n_inputs, n_units : int
    input_signs, unit_signs : tensor of shape (n_inputs,), (n_units,), or None
        1 if an input or a unit may only raise the score, -1 if only lower it,
        0 if both. None for both is no constraint.
    generator : torch.Generator or None, default=None
        Draws the weights. None is torch's own.
    """

    def __init__(
        self, n_members, n_inputs, n_units, input_signs, unit_signs, generator=None
    ):
        super().__init__()
        # nn.Linear starts with these bounds.
        bound = 1 / math.sqrt(n_inputs)
        drawn = {"from": -bound, "to": bound, "generator": generator}
        weight = torch.empty(n_members, n_inputs, n_units).uniform_(**drawn)
        if input_signs is not None:
            signs = input_signs[:, None] * unit_signs
            # A constrained weight keeps its size and takes its sign.
            weight = torch.where(signs == 0, weight, weight.abs() * signs)
            self.register_buffer("weight_signs", signs, persistent=False)
        self.weight = nn.Parameter(weight)
        self.bias = nn.Parameter(torch.empty(n_members, 1, n_units).uniform_(**drawn))

    def forward(self, X):
        """Return (n_members, n_items, n_units) of `X`, (n_members, n_items, n_inputs).

        Thin rows, which all members share, are (n_items, n_inputs).
        """
        if isinstance(X, ThinRows):
            return torch.stack([X @ weight for weight in self.weight]) + self.bias
        return torch.baddbmm(self.bias, X, self.weight)


class MemberBatchNorm(nn.Module):
    """A BatchNorm of every unit of every member."""

    def __init__(self, n_members, n_units):
        super().__init__()
        self.norm = nn.BatchNorm1d(n_members * n_units)

    @property
    def bias(self):
        return self.norm.bias

    def forward(self, X):
        """Normalise X of shape (n_members, n_items, n_units) over its items."""
        n_members, n_items, n_units = X.shape
        by_item = X.transpose(0, 1).reshape(n_items, n_members * n_units)
        normed = self.norm(by_item)
        return normed.view(n_items, n_members, n_units).transpose(0, 1)


class Shortcut(nn.Module):
    """A weighted sum of features and their bends for every member, past the layers.

    Parameters
    ----------
    n_members, n_features : int
    bends : Bends or None
    signs : tensor of shape (n_features,) or None
        The monotonic constraints. They hold between values that are there.
    missing_features : sequence of int, default=()
        Features whose missing values have a weight. That of others is 0.

    Attributes
    ----------
    weight : tensor of shape (n_members, n_pieces + 1, n_features)
        Weights of the features first, then of each piece; they start at 0.
    missing_features : tensor of shape (n_missing_features,), int64
    missing_weight : tensor of shape (n_members, n_missing_features), or None
        What a missing value adds to the score; it starts at 0. None if there are no
        such features.
    """

    def __init__(self, n_members, n_features, bends, signs, missing_features=()):
        super().__init__()
        self.bends = bends
        self.missing_weight = None
        if len(missing_features):
            features = torch.as_tensor(missing_features, dtype=torch.int64)
            self.register_buffer("missing_features", features)
            weight = torch.zeros(n_members, len(features))
            self.missing_weight = nn.Parameter(weight)
        n_parts = 1 if bends is None else 1 + len(bends.start)
        self.weight = nn.Parameter(torch.zeros(n_members, n_parts, n_features))
        if signs is not None:
            self.register_buffer("weight_signs", signs, persistent=False)

    def forward(self, X, missing=None):
        """Return the scores, (n_members, n_items, 1).

        Parameters
        ----------
        X : tensor of shape (n_items, n_features)
            Scaled features.
        missing : tensor of shape (n_items, n_missing_features), or None
            See :meth:`ScoreNetwork.missing`.
        """
        scores = X @ self.weight[:, 0].T
        if self.missing_weight is not None:
            scores = scores + missing @ self.missing_weight.T
        if self.bends is not None:
            for piece, columns in enumerate(self.bends.columns(X), start=1):
                scores = scores + columns @ self.weight[:, piece].T
        return scores.T[..., None]

    def of_features(self, features):
        """Return a copy to compute with that takes some features alone.

        Parameters
        ----------
        features : tensor of shape (n_kept,), int64
            All that have a weight.
        """
        copied = copy(self)
        weight = self.weight[..., features]
        vars(copied)["_parameters"] = {**self._parameters, "weight": weight}
        if self.bends is not None:
            bends = of_features(self.bends, features)
            vars(copied)["_modules"] = {**self._modules, "bends": bends}
        return copied


class ByteDropout(nn.Module):
    """Leave out a random share of the values in training, and scale up the rest.

    As torch's Dropout, Srivastava et al. 2014, in less time: random numbers take
    most of a step on a small network, and here one byte decides about a value.
    So the share is rounded to a multiple of 1/256.

    Parameters
    ----------
    share : float
        In [0, 1).
    """

    def __init__(self, share):
        super().__init__()
        self.n_dropped = min(round(share * _BYTE_VALUES), _BYTE_VALUES - 1)

    def forward(self, X, generator=None):
        """Return values of the shape of `X`; `generator` is on its device."""
        if not self.training or not self.n_dropped:
            return X
        n_values = X.numel()
        words = torch.empty(-(-n_values // 8), dtype=torch.int64, device=X.device)
        # All 64 bits; without bounds the sign would never be drawn.
        words.random_(-(2**63), None, generator=generator)
        byte = words.view(torch.uint8)[:n_values].view(X.shape)
        kept = (byte >= self.n_dropped).to(X.dtype)
        return X * kept.mul_(_BYTE_VALUES / (_BYTE_VALUES - self.n_dropped))
