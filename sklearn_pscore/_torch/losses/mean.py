"""A mean over a batch that can be put together from those of its parts."""

from abc import abstractmethod

from torch import nn


class MeanLoss(nn.Module):
    """Base of the losses that are a ratio of two sums over a batch of whole groups."""

    def forward(self, scores, target):
        """Return the mean loss of a batch of whole groups, summed over members.

        Parameters
        ----------
        scores : tensor of shape (n_members, n_items) or (n_items,)
        target : PackedTarget
            Items are sorted by group, and by level inside a group.

        Returns
        -------
        loss : tensor of shape (), float64
            0 if nothing that it is a mean over has any weight.
        """
        return self.mean_and_sums(scores, target)[0]

    @abstractmethod
    def mean_and_sums(self, scores, target):
        """Return the mean loss, and the sums that it is the ratio of.

        Means over parts of a batch do not average to the mean over all of it; their
        sums add up.

        Returns
        -------
        loss : tensor of shape (), float64
            As :meth:`forward` returns it.
        sums : tensor of shape (2, 1) or (2, n_members), float64
            Loss and weight, summed over members where these weigh alike. Without
            gradients.
        """
