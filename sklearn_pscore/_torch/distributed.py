"""Training one net in several processes, each with groups of its own: the ranks.

Every rank holds the same weights and takes the same steps. A step's gradient is that of
the mean over the pairs of all ranks: each sends its own gradient times the weight of its
pairs, and that weight, in one message for all members of the ensemble.
"""

from copy import deepcopy
from datetime import timedelta
from hashlib import sha256

import torch
from torch import distributed, nn

from sklearn_pscore._torch.batches import RankBatches
from sklearn_pscore._torch.net import GroupNet


class PeerLostError(RuntimeError):
    """Raised in a rank that another one does not answer any more.

    It follows from what happened in the other, which is what users want to know.
    """


def open_store(host, timeout):
    """Return where ranks meet: a server on a port that the system chooses.

    Parameters
    ----------
    host : str
        Name or address of this machine that the ranks can reach.
    timeout : float
        Seconds that a rank waits for another.

    Returns
    -------
    store : torch.distributed.TCPStore
        Its `port` is that of the server, which ends with the object.
    """
    return distributed.TCPStore(
        host, 0, is_master=True, wait_for_workers=False, timeout=_seconds(timeout)
    )


class Ranks:
    """The ranks of one fit, as one of them sees the others.

    A group of gloo of its own: torch's default one is of a whole process, in which
    there may be other fits.

    Parameters
    ----------
    number, n_ranks : int
    address : (str, int) or None
        Host and port of the store; None for a single rank.
    host : str
        Name or address of this machine that the other ranks can reach.
    timeout : float
        Seconds to wait for another rank.

    Raises
    ------
    PeerLostError
        If another rank does not come.
    """

    def __init__(self, number, n_ranks, address, host, timeout):
        self.number = number
        self.n_ranks = n_ranks
        self._group = self._store = None
        if n_ranks == 1:
            return
        try:
            self._store = distributed.TCPStore(
                *address,
                is_master=False,
                wait_for_workers=False,
                timeout=_seconds(timeout),
            )
            if self._store.add(f"rank-{number}", 1) > 1:
                raise PeerLostError(f"rank {number} was started twice")
            options = distributed.ProcessGroupGloo._Options()
            options._timeout = _seconds(timeout)
            # Without a host torch asks for the name of the machine, which may lead to
            # another interface or to none.
            device = distributed.ProcessGroupGloo.create_device(hostname=host)
            options._devices = [device]
            self._group = distributed.ProcessGroupGloo(
                self._store, number, n_ranks, options
            )
        except RuntimeError as error:
            self.close()
            raise PeerLostError(_first_line(error)) from None

    def add_up(self, values):
        """Replace a tensor on the CPU by its sum over the ranks.

        Raises
        ------
        PeerLostError
            If another rank does not send its own in time.
        """
        if self._group is None:
            return
        try:
            self._group.allreduce([values]).wait()
        except RuntimeError as error:
            self.close()
            # Without what gloo says of it, which would keep the connections.
            raise PeerLostError(_first_line(error)) from None

    def close(self):
        """Close the connections: ranks that wait for this one then raise."""
        self._group = self._store = None


class RankNet(GroupNet):
    """A net in training on the groups of one rank.

    Attributes
    ----------
    ranks_ : Ranks
    n_steps_ : int
        Steps of an epoch, as many in each rank.
    on_step_ : callable
        Called before each step.
    """

    @classmethod
    def of(cls, net, ranks, n_steps, on_step):
        """Return a copy of a net to train as one of several ranks."""
        rank_net = cls.__new__(cls)
        vars(rank_net).update(vars(deepcopy(net)))
        attributes = {
            "ranks_": ranks,
            "n_steps_": n_steps,
            "on_step_": on_step,
            "criterion_": _LossWithSums(net.criterion_),
        }
        vars(rank_net).update(attributes)
        return rank_net

    def plain(self):
        """Return the net as it is on one machine; it shares the weights."""
        net = GroupNet.__new__(GroupNet)
        attributes = dict(vars(self))
        for name in ("ranks_", "n_steps_", "on_step_"):
            del attributes[name]
        attributes["criterion_"] = self.criterion_.criterion
        vars(net).update(attributes)
        return net

    @property
    def waits_for_losses(self):
        """True: in each step the loss comes from the other ranks, through the CPU."""
        return True

    def get_iterator(self, dataset, training=False):
        """Return an iterator over as many batches as each other rank has."""
        largest = super().get_iterator(dataset, training).max_rows
        return RankBatches(dataset, self.n_steps_, largest)

    def train_step_single(self, batch, **fit_params):
        """Return the loss of a step over all ranks, and set its gradient."""
        self.on_step_()
        X, target = batch
        n_rows = 0 if target is None else len(target.level)
        if n_rows:
            step = super().train_step_single(batch, **fit_params)
            sums = self.criterion_.sums
        else:
            self._set_training(True)
            step, sums = {"y_pred": None}, torch.zeros(2, 1, dtype=torch.float64)
        loss, n_rows = self._agree(sums, n_rows)
        vars(self)["n_rows_of_step_"] = n_rows
        return {**step, "loss": loss}

    def on_batch_end(self, net, batch=None, training=False, **kwargs):
        """Take note of the rows of all ranks, by which the loss is averaged."""
        super().on_batch_end(net, batch=batch, training=training, **kwargs)
        if training:
            self.history.record_batch("train_batch_size", self.n_rows_of_step_)

    @torch.no_grad()
    def _agree(self, sums, n_rows):
        """Set the gradients to those of the mean over all ranks.

        Parameters
        ----------
        sums : tensor of shape (2, 1) or (2, n_members)
            Loss and weight of this rank's pairs.
        n_rows : int
            Rows of this rank.

        Returns
        -------
        loss : tensor of shape ()
            Mean over the pairs of all ranks, summed over members.
        n_rows : int
            Rows of all ranks.
        """
        module = self.module_
        weights = [p for p in module.parameters() if p.requires_grad]
        for weight in weights:
            if weight.grad is None:
                weight.grad = torch.zeros_like(weight)
        gradient = torch.cat([weight.grad.flatten(1) for weight in weights], dim=1)
        # Every rank sends the same number of values, an empty batch too.
        sums = sums.to(gradient).expand(2, module.n_members)
        rows = sums.new_full((1,), n_rows)
        message = torch.cat(
            [(gradient * sums[1, :, None]).view(-1), sums.flatten(), rows]
        )
        # What comes back stays on the CPU but for the gradient: a GPU would be waited for.
        device, sizes = gradient.device, (gradient.numel(), sums.numel(), 1)
        message = message.cpu()
        self.ranks_.add_up(message)
        gradient, sums, rows = message.split(sizes)
        loss, weight = sums.view(2, -1)
        weight = weight.masked_fill(weight == 0, torch.inf)
        gradient = gradient.view(module.n_members, -1).div_(weight[:, None])
        gradient = gradient.to(device)
        widths = [w[0].numel() for w in weights]
        for w, part in zip(weights, gradient.split(widths, dim=1), strict=True):
            w.grad.copy_(part.view_as(w))
        is_one_sum = self.criterion_.is_summed_over_members
        mean = loss / weight
        return mean[0] if is_one_sum else mean.sum(), int(rows)


class _LossWithSums(nn.Module):
    """A loss that keeps the sums of its last batch."""

    def __init__(self, criterion):
        super().__init__()
        self.criterion = criterion
        self.sums = None
        self.is_summed_over_members = True

    def forward(self, scores, target):
        loss, self.sums = self.criterion.mean_and_sums(scores, target)
        self.is_summed_over_members = self.sums.shape[1] == 1
        return loss


def digest_of(net):
    """Return a digest of the weights of a net: equal for equal bits."""
    digest = sha256()
    for weights in net.module_.state_dict().values():
        digest.update(weights.cpu().numpy().tobytes())
    return digest.hexdigest()


def _seconds(timeout):
    return timedelta(seconds=timeout)


def _first_line(error):
    return str(error).strip().splitlines()[0]
