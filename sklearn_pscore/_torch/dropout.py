"""Dropout that draws eight decisions at once."""

import torch
from torch import nn

_STEPS = 256


class ByteDropout(nn.Module):
    """Leave out a random share of the values in training, and scale up the rest.

    As torch's Dropout, Srivastava et al. 2014, in less of its time: a step on a
    small network spends most on random numbers, and here each byte of one
    decides. So the share is rounded to a multiple of 1/256.

    Parameters
    ----------
    share : float
        In [0, 1).
    """

    def __init__(self, share):
        super().__init__()
        self.n_dropped = min(round(share * _STEPS), _STEPS - 1)

    def forward(self, X):
        """Return values of the shape of `X`."""
        if not self.training or not self.n_dropped:
            return X
        n_values = X.numel()
        drawn = torch.empty(-(-n_values // 8), dtype=torch.int64, device=X.device)
        # All 64 bits; without bounds the sign would never be drawn.
        drawn.random_(-(2**63), None)
        byte = drawn.view(torch.uint8)[:n_values].view(X.shape)
        kept = (byte >= self.n_dropped).to(X.dtype)
        return X * kept.mul_(_STEPS / (_STEPS - self.n_dropped))
