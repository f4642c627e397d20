"""A network made for scoring: the mean score of all members by few products."""

import math
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache

import numpy as np
import torch
from torch import nn

from sklearn_pscore._rows import dense_rows, rows_at_a_time
from sklearn_pscore._torch.folded_curves import Bent, MeanCurves, Steep
from sklearn_pscore._torch.network import ByteDropout, MemberBatchNorm, MemberLinear
from sklearn_pscore._torch.threads import one_torch_thread

# Rows to score at a time, fewer of many columns. No benchmark varies it.
_ROWS_AT_A_TIME = 2**10
# Rows are filled up to a multiple of this, and units to one of that: a product then adds
# up a row in one order, however many rows there are.
_ROWS_MULTIPLE, _UNITS_MULTIPLE = 16, 8
# Chunks for each thread: with fewer, it takes longer to start one. Not measured by a
# benchmark.
_FEWEST_CHUNKS = 4
# Of each type: the scales, times the clip, whose squares it holds, and what counts as the
# farthest from the shift.
_SCALES = {torch.float32: (1e-12, 1e12), torch.float64: (1e-100, 1e100)}
_FARTHEST = {torch.float32: 1e18, torch.float64: 1e150}
# As in the scaling: the largest distance in scales where nothing is bent in.
_FARTHEST_UNBENT = 1e15


class FoldedNetwork:
    r"""A :class:`ScoreNetwork` in evaluation mode, for the mean score of its members.

    What comes in is bent once,

    .. math:: b = d / \sqrt{d^2 + (c \cdot scale)^2},\quad d = x - shift,

    the shortcuts of all members are one curve of b for each feature, and their first
    layers one product, into which units and norms are multiplied. Features that no
    member reads are left out.

    Sums of products are of float64, and so are curves that are steep. What else is of
    float32 rounds a score by less than 1e-6 of the range of scores.

    Parameters
    ----------
    network : ScoreNetwork
        Left as it is, and :func:`may_fold` it.
    dtype : torch.dtype
        float32 or float64, of the products.
    """

    @torch.no_grad()
    def __init__(self, network, dtype):
        self._dtype = dtype
        scaling = network.scaling
        self._is_bent_in = scaling.clip is not None
        size = scaling.scale * (scaling.clip if self._is_bent_in else 1.0)
        # Powers of two that bring sizes to where their squares are numbers, without a
        # rounding. None where they are there already.
        self._power = None
        if not _in_range(size, dtype):
            self._power = torch.ldexp(torch.ones_like(size), -size.frexp().exponent)
            size = size * self._power
        unit = scaling.unit * (scaling.clip if self._is_bent_in else 1.0)
        layers, output = _folded_layers(network)
        slope = torch.zeros_like(unit)
        if layers:
            layers[0][1].mul_(unit[:, None])
        else:
            slope += output.mean(dim=0) * unit
        reach = 1.0 if self._is_bent_in else 10.0
        curves = MeanCurves(network.shortcut, unit, slope, reach)
        missing = _worth_of_missing(network)
        # A row without a value of some worth must be noticed.
        is_read = (curves.slope != 0) | curves.is_bent | (missing != 0)
        if layers:
            is_read |= (layers[0][1] != 0).any(dim=2).any(dim=0)
        # oneDNN takes no product of nothing.
        is_read[0] |= not is_read.any()
        is_flat = is_read & ~curves.is_bent
        # Those with pieces come first, so that they are one block.
        kinds = curves.is_bent & ~curves.is_steep, curves.is_steep, is_flat
        features = [kind.nonzero()[:, 0] for kind in kinds]
        self._order = order = torch.cat(features)
        self._reads_all = torch.equal(order, torch.arange(len(unit)))
        self._shift = scaling.shift[order]
        self._shift_in_float32 = self._shift.float()
        # Only then is the difference from a value of float32 the same.
        self._may_subtract = torch.equal(self._shift_in_float32.double(), self._shift)
        self._size = size[order]
        if self._power is not None:
            self._power = self._power[order]
        self._scale = self._size_in(dtype)
        self._slope = curves.slope[order].to(dtype)
        self._missing = missing[order]
        self._bent = Bent(curves, features[0], dtype)
        self._n_bent, n_steep = len(features[0]), len(features[1])
        self._steep = Steep(curves, features[1]) if n_steep else None
        self._steep_ones = slice(self._n_bent, self._n_bent + n_steep)
        self._constant = self._bent.constant + float(
            network.output.bias.double().mean()
        )
        self._layers, self._output = [], None
        if layers:
            self._keep_layers(layers, output, order)
        widest = max(
            self._bent.n_columns, len(order), *(len(b) for b, _ in self._layers), 1
        )
        n_at_a_time = rows_at_a_time(widest, _ROWS_AT_A_TIME)
        self._n_at_a_time = _up_to(n_at_a_time, _ROWS_MULTIPLE)

    def _size_in(self, dtype):
        """Return what bends in, or scales where nothing is bent in."""
        return (self._size.square() if self._is_bent_in else 1 / self._size).to(dtype)

    def _keep_layers(self, layers, output, order):
        """Keep the first layer of all members as one, and the others by member."""
        self._n_members = n_members = len(output)
        (bias, weight), *further = layers
        weight = _padded(weight[:, order], columns=True).permute(1, 0, 2).flatten(1)
        self._layers = [(_padded(bias, columns=True).flatten(), weight)]
        for bias, weight in further:
            weight = _padded(weight, rows=True, columns=True)
            self._layers.append((_padded(bias, columns=True), weight))
        self._layers = [
            (bias.to(self._dtype).contiguous(), weight.to(self._dtype).contiguous())
            for bias, weight in self._layers
        ]
        output = _padded(output[:, None], columns=True)[:, 0] / n_members
        # In two parts at least, for the sum of one in float32 would tie too often.
        parts = output.chunk(2, dim=1) if n_members == 1 else [output]
        self._output = torch.cat(parts).to(self._dtype)
        self._fused = fused_layer() if self._dtype == torch.float32 else None
        if self._fused is not None:
            self._first_weight = self._layers[0][1].T.contiguous()

    def scores(self, X, look=None):
        """Return the mean scores of rows, (n_rows,), float64.

        Parameters
        ----------
        X : ndarray or CSR matrix of shape (n_rows, n_features), float32 or float64
        look : callable or None, default=None
            Called if entries may be infinite, to raise an error.
        """
        n_rows, n_at_a_time = X.shape[0], self._n_at_a_time
        scores = np.empty(n_rows)
        table = None
        # torch warns of arrays that it could not write to, and takes no negative strides.
        if isinstance(X, np.ndarray) and X.flags.c_contiguous and X.flags.writeable:
            table = torch.from_numpy(X)
        firsts = range(0, n_rows, n_at_a_time)
        # Of which each thread takes the next.
        left, doubtful = iter(firsts), []

        def score_chunks():
            with torch.inference_mode(), one_torch_thread():
                for first in left:
                    rows = slice(first, first + n_at_a_time)
                    if table is not None:
                        chunk = table[rows]
                    else:
                        chunk = torch.from_numpy(dense_rows(X, rows))
                    scores[rows] = self._of_chunk(chunk).numpy()
                    # In the cache still: in a pass of its own it would take far longer.
                    if look is not None and not math.isfinite(chunk.sum()):
                        doubtful.append(first)

        n_threads = min(torch.get_num_threads(), len(firsts) // _FEWEST_CHUNKS)
        if n_threads <= 1:
            score_chunks()
        else:
            # Threads of torch would wait for each other after every small product.
            with ThreadPoolExecutor(n_threads) as pool:
                for done in [pool.submit(score_chunks) for _ in range(n_threads)]:
                    done.result()
        if doubtful:
            look()
        return scores

    def _of_chunk(self, X):
        """Return the scores of rows that are a tensor."""
        if not self._reads_all:
            X = X.index_select(1, self._order)
        scores = self._of_rows(X)
        # As one number, for most often there is none.
        if scores.sum().isnan():
            is_nan = scores.isnan()
            X = X[is_nan]
            scores[is_nan] = self._of_rows(X, X.isnan())
        return scores

    def _of_rows(self, X, is_missing=None):
        """Return the scores of rows, (n_rows,); NaN for those with missing values.

        Parameters
        ----------
        X : tensor of shape (n_rows, n_read)
        is_missing : tensor of bool, of the shape of `X`, or None
            Values to take for missing ones. None are none.
        """
        n_rows = len(X)
        bent = torch.empty(
            _up_to(n_rows, _ROWS_MULTIPLE), X.shape[1], dtype=self._dtype
        )
        if len(bent) > n_rows:
            bent[n_rows:] = 0.0
        self._bend_in(X, is_missing, out=bent[:n_rows])
        scores = torch.mv(bent, self._slope).double().add_(self._constant)
        if self._n_bent:
            self._bent.add_to(scores, bent[:, : self._n_bent])
        if self._layers:
            for units, weight in zip(self._hidden(bent), self._output, strict=True):
                scores += torch.mv(units, weight)
        scores = scores[:n_rows]
        if self._steep is not None:
            steep = self._steep_ones
            exact = bent[:n_rows, steep]
            if self._dtype != torch.float64:
                exact = torch.empty(exact.shape, dtype=torch.float64)
                mask = None if is_missing is None else is_missing[:, steep]
                self._bend_in(X[:, steep], mask, out=exact, features=steep)
            scores += self._steep.sums(exact)
        if is_missing is not None:
            scores += torch.where(is_missing, self._missing, 0.0).sum(dim=1)
        return scores

    def _bend_in(self, X, is_missing, out, features=slice(None)):
        """Write what becomes of values in the type of `out`."""
        shift, scale = self._shift, self._scale
        if out.dtype != self._dtype:
            scale = self._size_in(out.dtype)
        elif self._may_subtract and X.dtype == out.dtype == torch.float32:
            shift = self._shift_in_float32
        # In the wider type, then rounded: a feature may be far from 0.
        torch.sub(X, shift[features], out=out)
        if is_missing is not None:
            out.masked_fill_(is_missing, 0.0)
        if self._power is not None:
            out.mul_(self._power[features])
        scale = scale[features]
        if not self._is_bent_in:
            out.mul_(scale).clamp_(-_FARTHEST_UNBENT, _FARTHEST_UNBENT)
            return
        farthest = _FARTHEST[out.dtype]
        out.clamp_(-farthest, farthest)
        out.mul_(torch.addcmul(scale, out, out).rsqrt_())

    def _hidden(self, X):
        """Return the last hidden layers, (n_rows, n_units) for each part of the output."""
        (bias, weight), *further = self._layers
        if self._fused is None:
            units = torch.addmm(bias, X, weight).relu_()
        else:
            units = self._fused(X, self._first_weight, bias, "relu", [], "")
        units = units.view(len(X), self._n_members, -1).transpose(0, 1)
        for bias, weight in further:
            units = torch.baddbmm(bias, units, weight).relu_()
        return units[0].chunk(2, dim=1) if self._n_members == 1 else units


class Folding:
    """What became of a network: its :class:`FoldedNetwork` in each type.

    Parameters
    ----------
    network : ScoreNetwork
    """

    def __init__(self, network):
        self._network = network
        # Copies, for not all that changes values in place counts up their version: torch's
        # fused optimisers do not.
        self._seen = [
            (owner, name, values.detach().clone())
            for module in network.modules()
            for owner in (module._parameters, module._buffers)
            for name, values in owner.items()
            if values is not None
        ]
        self._of_type = {}

    def is_of(self, network):
        """Return whether a network is the one that this was made of, and as it was."""
        if network is not self._network:
            return False
        return all(
            (now := owner.get(name)) is not None
            and now.device == values.device
            and torch.equal(now, values)
            for owner, name, values in self._seen
        )

    def of_type(self, dtype):
        """Return the :class:`FoldedNetwork` of a type, None if there is none."""
        if dtype not in self._of_type:
            folded = None
            if may_fold(self._network, dtype):
                folded = FoldedNetwork(self._network, dtype)
            # Of several threads the last one is kept, and all are alike.
            self._of_type[dtype] = folded
        return self._of_type[dtype]


def may_fold(network, dtype):
    """Return whether a :class:`FoldedNetwork` has the scores of a network.

    float32 does not do for constraints, since what is bent in it is not quite in order,
    for norms, whose factors may be large, and where nothing is bent in.
    """
    scaling = network.scaling
    if network.bounded is not None or network.output.weight.device.type != "cpu":
        return False
    size = (1.0 if scaling.clip is None else scaling.clip) * scaling.scale
    if dtype == torch.float32 and not _in_range(size, dtype):
        return False
    has_norms = any(isinstance(each, MemberBatchNorm) for each in network.hidden)
    is_plain = not (has_norms or network.is_constrained or scaling.clip is None)
    return is_plain or dtype == torch.float64


def _in_range(size, dtype):
    """Return whether a type holds the squares of sizes."""
    smallest, largest = _SCALES[dtype]
    return bool(((size >= smallest) & (size <= largest)).all())


@lru_cache(maxsize=1)
def fused_layer():
    """Return oneDNN's product with bias and ReLU, None where torch does not have it.

    It is what torch.compile calls, no public function, and much faster than MKL's where
    that has no code for the processor.
    """
    ones = torch.ones(2 * _UNITS_MULTIPLE, _UNITS_MULTIPLE)
    try:
        fused = torch.ops.mkldnn._linear_pointwise
        product = fused(ones, -ones, _UNITS_MULTIPLE + ones[:, 0], "relu", [], "")
    except (AttributeError, RuntimeError, TypeError):
        return None
    return fused if torch.equal(product, torch.ones_like(product)) else None


def _folded_layers(network):
    """Return (bias, weight) of each hidden layer, and the weights of the output.

    Of shapes (n_members, 1, n_units), (n_members, n_inputs, n_units) and (n_members,
    n_inputs), in float64, copied.
    """
    layers = []
    for layer in network.hidden:
        if isinstance(layer, MemberLinear):
            weight = layer.weight.double()
            if not layers:
                weight = network.of_all_features(weight)
            layers.append((layer.bias.double(), weight))
        elif isinstance(layer, MemberBatchNorm):
            norm, (bias, weight) = layer.norm, layers[-1]
            factor, mean, add = (
                values.double().view(bias.shape)
                for values in (
                    norm.weight * (norm.running_var.double() + norm.eps).rsqrt(),
                    norm.running_mean,
                    norm.bias,
                )
            )
            layers[-1] = (bias - mean) * factor + add, weight * factor
        elif not isinstance(layer, (nn.ReLU, ByteDropout)):
            raise TypeError(f"{layer} is no layer that can be folded")
    output = network.output.weight.double()
    if not layers:
        output = network.of_all_features(output)
    return layers, output[..., 0]


def _worth_of_missing(network):
    """Return what a missing value of each feature adds, (n_features,), float64."""
    worth = torch.zeros_like(network.scaling.shift)
    shortcut = network.shortcut
    if shortcut is not None and shortcut.missing_weight is not None:
        mean = shortcut.missing_weight.double().mean(dim=0)
        worth[shortcut.missing_features] = mean
    return worth


def _up_to(n, multiple):
    return -(-n // multiple) * multiple


def _padded(values, rows=False, columns=False):
    """Return values of units, (.., n_inputs, n_units), with zeros for more units."""
    n_rows, n_columns = values.shape[-2:]
    more = [
        _up_to(n, _UNITS_MULTIPLE) - n if is_on else 0
        for n, is_on in ((n_columns, columns), (n_rows, rows))
    ]
    return nn.functional.pad(values, (0, more[0], 0, more[1]))
