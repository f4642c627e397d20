"""The network that maps an item's metrics to its score, for all members at once."""

import math

import torch
from torch import nn

from sklearn_pscore._torch.dropout import ByteDropout

# The middle of ReLU6's range: with batch-normalised scores of unit variance,
# nearly all items start where its gradient is not zero.
_RELU6_MIDDLE = 3.0
# Beside a shortcut the hidden layers start small: they are to correct it.
_SMALL_START = 0.1


class ScoreNetwork(nn.Module):
    """Score items from their metrics by an ensemble of networks of one shape.

    A hidden layer is [Linear, ReLU, Dropout], or [Linear, BatchNorm, ReLU,
    Dropout]; a shortcut past all of them may be added to what comes out. The
    members are computed together and share nothing but the inputs.

    Parameters
    ----------
    scaling : InputScaling
        What metrics go through first.
    bends : Bends or None
        What the shortcut is a weighted sum of, beside the metrics themselves.
    n_members : int
    hidden_layer_sizes : sequence of int
        Units of each hidden layer, in each member.
    has_shortcut : bool
        Whether a weighted sum of the scaled metrics and their bends is added.
    batch_norm : bool
    dropout, input_dropout : float
        Share of the hidden units, and of the metrics that go into them, that a
        training step leaves out.
    output_activation : {"identity", "relu6"}
        "relu6" puts a BatchNorm and ReLU6 behind the last Linear, section 4.2
        of the paper. The BatchNorm starts in the middle of ReLU6's range, since
        an item that starts outside of it would get no gradient.
    monotonic_cst : sequence of int or None
        1 for a metric that may not lower the score as it grows, -1 for one that
        may not raise it, 0 for no constraint. See :meth:`project`.
    """

    def __init__(
        self,
        scaling,
        bends,
        *,
        n_members,
        hidden_layer_sizes,
        has_shortcut,
        batch_norm,
        dropout,
        input_dropout,
        output_activation,
        monotonic_cst=None,
    ):
        super().__init__()
        self.scaling = scaling
        self.shortcut = None
        n_inputs = len(scaling.shift)
        signs = None
        if monotonic_cst is not None:
            signs = torch.tensor(monotonic_cst, dtype=torch.float32)
        if has_shortcut:
            self.shortcut = Shortcut(n_members, n_inputs, bends, signs)
        layers = [ByteDropout(input_dropout)] if input_dropout else []
        for n_units in hidden_layer_sizes:
            unit_signs = None
            if signs is not None:
                # Each unit of a constrained network raises the score or lowers it.
                unit_signs = 1.0 - 2.0 * (torch.arange(n_units) % 2)
            layers.append(MemberLinear(n_members, n_inputs, n_units, signs, unit_signs))
            if batch_norm:
                layers.append(MemberBatchNorm(n_members, n_units))
            layers.append(nn.ReLU(inplace=True))
            if dropout:
                layers.append(ByteDropout(dropout))
            n_inputs, signs = n_units, unit_signs
        up = None if signs is None else torch.ones(1)
        self.hidden = nn.Sequential(*layers)
        self.output = MemberLinear(n_members, n_inputs, 1, signs, up)
        if has_shortcut:
            self.scale_parts(1.0, _SMALL_START)
        self.bounded = None
        if output_activation == "relu6":
            norm = MemberBatchNorm(n_members, 1)
            nn.init.constant_(norm.bias, _RELU6_MIDDLE)
            self.bounded = nn.Sequential(norm, nn.ReLU6())
        self.n_members = n_members
        self.is_constrained = monotonic_cst is not None

    def forward(self, X, of_shortcut=None):
        """Return scores, shape (n_members, n_items), of `X`, (n_items, n_features).

        `of_shortcut`, shape (n_items, n_members), is what the shortcut gives if that
        is known already.
        """
        X = self.scaling(X, dtype=self.output.weight.dtype)
        scores = self.of_layers(X)
        if of_shortcut is not None:
            scores = scores + of_shortcut.T[..., None]
        elif self.shortcut is not None:
            scores = scores + self.shortcut(X)
        if self.bounded is not None:
            scores = self.bounded(scores)
        return scores.squeeze(2)

    def train(self, mode=True):
        """Go into training or evaluation mode, all parts alike.

        Asked for before every step: to tell each part anew would take a part of it.
        """
        return self if self.training == mode else super().train(mode)

    def of_layers(self, X):
        """Return what the layers make of scaled metrics, (n_members, n_items, 1)."""
        # An axis of members at once, so that each has its own dropout.
        return self.output(self.hidden(X.expand(self.n_members, *X.shape)))

    @torch.no_grad()
    def scale_parts(self, of_shortcut, of_layers):
        """Multiply what the shortcut and the layers contribute to the score."""
        if self.shortcut is not None:
            self.shortcut.weight.mul_(of_shortcut)
        self.output.weight.mul_(of_layers)
        self.output.bias.mul_(of_layers)

    @torch.no_grad()
    def project(self):
        """Move the weights to the nearest ones that keep the constraints.

        A weight from something that may not lower the score to a unit that
        raises it may not be negative, and so on for the other three cases; the
        activations grow with their inputs. Then no path from a constrained
        metric to the score goes the wrong way.
        """
        if not self.is_constrained:
            return
        for module in self.modules():
            if isinstance(module, (MemberLinear, Shortcut)):
                wrong = module.weight * module.weight_signs < 0
                module.weight.masked_fill_(wrong, 0.0)
            elif isinstance(module, MemberBatchNorm):
                module.norm.weight.clamp_(min=0.0)


class MemberLinear(nn.Module):
    """A Linear layer for every member.

    Parameters
    ----------
    n_members, n_inputs, n_units : int
    input_signs, unit_signs : tensor of shape (n_inputs,), (n_units,), or None
        Whether an input and a unit raise (1) or lower (-1) the score; 0 is
        either. None for all is no constraint.
    """

    def __init__(self, n_members, n_inputs, n_units, input_signs, unit_signs):
        super().__init__()
        # As nn.Linear starts.
        bound = 1 / math.sqrt(n_inputs)
        weight = torch.empty(n_members, n_inputs, n_units).uniform_(-bound, bound)
        if input_signs is not None:
            signs = input_signs[:, None] * unit_signs
            # Unconstrained ones keep what they drew, the others its size.
            weight = torch.where(signs == 0, weight, weight.abs() * signs)
            self.register_buffer("weight_signs", signs, persistent=False)
        self.weight = nn.Parameter(weight)
        self.bias = nn.Parameter(
            torch.empty(n_members, 1, n_units).uniform_(-bound, bound)
        )

    def forward(self, X):
        """Return (n_members, n_items, n_units) of `X`, (n_members, n_items, n_inputs)."""
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
    """A weighted sum of metrics and their bends for every member, past the layers.

    Parameters
    ----------
    n_members, n_features : int
    bends : Bends or None
    signs : tensor of shape (n_features,) or None
        Of the constraints.

    Attributes
    ----------
    weight : tensor of shape (n_members, n_pieces + 1, n_features)
        Of the metrics first; starts at 0.
    """

    def __init__(self, n_members, n_features, bends, signs):
        super().__init__()
        self.bends = bends
        n_parts = 1 if bends is None else 1 + len(bends.start)
        self.weight = nn.Parameter(torch.zeros(n_members, n_parts, n_features))
        if signs is not None:
            self.register_buffer("weight_signs", signs, persistent=False)

    def forward(self, X):
        """Return (n_members, n_items, 1) of scaled metrics, (n_items, n_features)."""
        scores = X @ self.weight[:, 0].T
        if self.bends is not None:
            for part, columns in enumerate(self.bends.columns(X), start=1):
                scores = scores + columns @ self.weight[:, part].T
        return scores.T[..., None]
