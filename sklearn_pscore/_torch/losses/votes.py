"""The loss of votes: of each pair, how often the first has won, lost and tied."""

from typing import NamedTuple

import torch
from torch import nn
from torch.nn.functional import softplus


class PackedVotes(NamedTuple):
    """Votes of the pairs of a batch, each pair once.

    Attributes
    ----------
    first, second : tensor of shape (n_pairs,), int64
        Positions of the two items in the batch.
    wins, losses, ties : tensor of shape (n_pairs,), float32
        Votes for the first, for the second, and for neither, times the weights of
        both items.
    side : tensor of shape (n_pairs,), float32, or None, default=None
        1 where the first was shown first, -1 where the second was.
    """

    first: torch.Tensor
    second: torch.Tensor
    wins: torch.Tensor
    losses: torch.Tensor
    ties: torch.Tensor
    side: torch.Tensor | None = None

    def take(self, items):
        """Return the votes between some items, a mask, which are numbered anew."""
        kept = items[self.first] & items[self.second]
        number = items.cumsum(0) - 1
        taken = [None if each is None else each[kept] for each in self]
        return PackedVotes(number[taken[0]], number[taken[1]], *taken[2:])

    def of_items(self, is_counted):
        """Return the votes between the items of a mask; the others have none."""
        factor = (is_counted[self.first] & is_counted[self.second]).to(self.wins)
        counts = {name: getattr(self, name) * factor for name in _COUNTS}
        return self._replace(**counts)

    def to(self, device):
        """Return the votes on a device."""
        return PackedVotes(*(None if v is None else v.to(device) for v in self))


_COUNTS = ("wins", "losses", "ties")


class VoteTerms(nn.Module):
    """What votes depend on beside the scores.

    Parameters
    ----------
    order_bias : bool, default=False

    Attributes
    ----------
    log_nu : tensor of shape (1,)
        Logarithm of how common ties are, by "davidson".
    first_bias : tensor of shape (1,), or None
        What it adds to the difference of the scores to be shown first.
    first_bias_std : tensor of shape (1,)
        Its standard error, NaN until a whole fit has told it.
    """

    def __init__(self, order_bias=False):
        super().__init__()
        self.log_nu = nn.Parameter(torch.zeros(1))
        self.first_bias = nn.Parameter(torch.zeros(1)) if order_bias else None
        if order_bias:
            self.register_buffer("first_bias_std", torch.full((1,), torch.nan))


class VoteLoss(nn.Module):
    r"""Mean negative log likelihood of votes.

    With d the difference of the scores of a pair, a win costs softplus(-d) and a loss
    softplus(d). A tie counts not at all, as half of both, or by Davidson's model [1]_:
    win, loss and tie in proportion to exp(d / 2), exp(-d / 2) and nu.

    Parameters
    ----------
    ties : {"davidson", "half", "ignore"}
    terms : VoteTerms
        Of the network, which learns them.

    References
    ----------
    .. [1] Davidson, "On extending the Bradley-Terry model to accommodate ties in
       paired comparison experiments", JASA 65, 1970, doi:10.2307/2283595.
    """

    def __init__(self, ties, terms):
        super().__init__()
        self.ties = ties
        self.terms = terms

    def forward(self, scores, target):
        """Return the mean loss of a batch of whole groups, summed over members.

        Parameters
        ----------
        scores : tensor of shape (n_members, n_items) or (n_items,)
        target : PackedTarget
            `votes` is used.

        Returns
        -------
        loss : tensor of shape (), float64
            0 if there is no vote.
        """
        return _MeanOverVotes.apply(
            scores,
            self.terms.log_nu if self.ties == "davidson" else None,
            self.terms.first_bias,
            self.ties,
            target.votes,
        )

    def free_terms(self):
        """Return the terms that are fitted beside the scores."""
        terms = [self.terms.log_nu] if self.ties == "davidson" else []
        if self.terms.first_bias is not None:
            terms.append(self.terms.first_bias)
        return terms

    def note_errors(self, scores, sample):
        """Take note of the standard error of the bias, groups or blocks independent.

        It is the sandwich estimate, the scores taken for given. A single group cannot
        tell how much others would differ: the pairs are taken for independent then.

        Parameters
        ----------
        scores : tensor of shape (n_items,)
        sample : ScaledSample
        """
        if self.terms.first_bias is not None:
            error = _error_of_bias(self, scores, sample.target, sample.share)
            self.terms.first_bias_std.fill_(error)


class _MeanOverVotes(torch.autograd.Function):
    """Mean loss over votes; the gradient is computed together with it.

    Autograd's own would gather the slopes of the pairs by a slower kernel.
    """

    @staticmethod
    def forward(ctx, scores, log_nu, first_bias, ties, votes):
        loss, slopes, slope_of_nu, total = sum_over_votes(
            scores if scores.dim() == 2 else scores[None],
            votes,
            ties,
            None if log_nu is None else log_nu.to(scores),
            None if first_bias is None else first_bias.to(scores),
        )
        total = total.masked_fill(total == 0, torch.inf)
        gradient = gradient_of_bias = gradient_of_nu = None
        if ctx.needs_input_grad[0]:
            shape = len(slopes), scores.shape[-1]
            gradient = scores.new_zeros(shape).index_add_(1, votes.first, slopes)
            gradient.index_add_(1, votes.second, slopes, alpha=-1.0)
            gradient = gradient.div_(total).view(scores.shape)
        if ctx.needs_input_grad[1]:
            gradient_of_nu = (slope_of_nu / total).to(log_nu.dtype).reshape(1)
        if ctx.needs_input_grad[2]:
            of_side = (slopes * votes.side).sum(dtype=torch.float64)
            gradient_of_bias = (of_side / total).to(first_bias.dtype).reshape(1)
        ctx.save_for_backward(gradient, gradient_of_nu, gradient_of_bias)
        return loss / total

    @staticmethod
    def backward(ctx, grad_loss):
        gradients = [None if g is None else g * grad_loss for g in ctx.saved_tensors]
        # A tensor without dimensions does not promote the gradient's type.
        return *gradients, None, None


def _error_of_bias(criterion, scores, target, share):
    """Return the standard error of the bias, see :meth:`VoteLoss.note_errors`."""
    terms, votes = criterion.terms, target.votes
    step = 1e-3

    def slopes(bias):
        with torch.no_grad():
            row = scores.detach().double()[None]
            log_nu = terms.log_nu.double()
            bias = terms.first_bias.double() + bias
            slope = sum_over_votes(row, votes, criterion.ties, log_nu, bias)[1][0]
            return slope * votes.side.double()

    curvature = (slopes(step) - slopes(-step)).sum() / (2 * step)
    of_unit = slopes(0.0)
    if target.unit is not None:
        known, unit = target.unit[votes.first].unique(return_inverse=True)
        of_unit = of_unit.new_zeros(len(known)).index_add_(0, unit, of_unit)
    n = len(of_unit)
    spread = of_unit.square().sum() * n / max(n - 1, 1)
    return float(spread.sqrt() / curvature.clamp(min=1e-300) * share**0.5)


def sum_over_votes(scores, votes, ties, log_nu=None, first_bias=None):
    """Return the loss summed over members and votes, and its slopes.

    Parameters
    ----------
    scores : tensor of shape (n_members, n_items)
    votes : PackedVotes
    ties : {"davidson", "half", "ignore"}
    log_nu, first_bias : tensor of shape (1,) or None, default=None
        Of the type of the scores.

    Returns
    -------
    loss : tensor of shape (), float64
    slopes : tensor of shape (n_members, n_pairs)
        By the difference of the scores of each pair.
    slope_of_nu : tensor of shape (), float64, or None
        By `log_nu`, summed over members.
    total : tensor of shape (), float64
        Votes of one member that count.
    """
    # In the order of the items: rows are picked faster than columns.
    margin = scores.index_select(1, votes.first) - scores.index_select(1, votes.second)
    if first_bias is not None:
        margin += first_bias * votes.side.to(margin)
    wins, losses, tied = (getattr(votes, name).to(margin) for name in _COUNTS)
    if ties == "davidson":
        return _davidson(margin, wins, losses, tied, log_nu)
    if ties == "half":
        wins, losses = wins + tied / 2, losses + tied / 2
    n_votes = wins + losses
    # n softplus(d) - w d is w softplus(-d) + l softplus(d).
    cost = n_votes * softplus(margin, 1.0, 30.0) - wins * margin
    slopes = n_votes * margin.sigmoid() - wins
    total = n_votes.sum(dtype=torch.float64)
    return cost.sum(dtype=torch.float64), slopes, None, total


def _davidson(margin, wins, losses, ties, log_nu):
    """Return the sums of :func:`sum_over_votes` by Davidson's model."""
    half = margin / 2
    n_votes = wins + losses + ties
    # log(exp(d / 2) + exp(-d / 2) + nu), from the largest of the three on.
    longest = torch.maximum(half.abs(), log_nu)
    up, down = (half - longest).exp(), (-half - longest).exp()
    tie = (log_nu - longest).exp()
    sum_of_three = up + down + tie
    cost = n_votes * (sum_of_three.log() + longest)
    cost -= (wins - losses) * half
    cost -= ties * log_nu
    slopes = n_votes * (up - down) / (2 * sum_of_three) - (wins - losses) / 2
    slope_of_nu = (n_votes * (tie / sum_of_three) - ties).sum(dtype=torch.float64)
    total = n_votes.sum(dtype=torch.float64)
    return cost.sum(dtype=torch.float64), slopes, slope_of_nu, total
