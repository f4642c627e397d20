"""How the learning rate goes, as a share of its largest value."""

import math

# The share of training until the largest rate, and the rate it starts from:
# those of torch's OneCycleLR, whose own step count cannot go on from a fit.
_PEAK = 0.25
_START = 0.04


class OneCycle:
    """A rise and a fall of half a cosine each, to nothing at the end.

    Smith and Topin, "Super-convergence", 2018, arXiv:1708.07120.

    Parameters
    ----------
    first, last : float
        Share of the whole training that is done at the first step, and after
        the last one.
    n_steps : int
        Steps in between.
    """

    def __init__(self, first, last, n_steps):
        self.first = first
        self.last = last
        self.n_steps = n_steps

    def __call__(self, step):
        """Return the share of the largest rate at a step."""
        done = self.first + (self.last - self.first) * step / self.n_steps
        if done < _PEAK:
            return _START + (1 - _START) * (1 - math.cos(math.pi * done / _PEAK)) / 2
        # The pieces of a split group may take a few steps more than were counted.
        left = max(0.0, 1 - done) / (1 - _PEAK)
        return (1 - math.cos(math.pi * left)) / 2
