"""The device that a net is on, and the random numbers that are drawn there."""

from typing import NamedTuple

import torch

# Seeds that numpy and torch both take.
_N_SEEDS = 2**31 - 1


class Generators(NamedTuple):
    """The generators of one call; torch's own, which threads share, stay untouched.

    Attributes
    ----------
    cpu : torch.Generator
        For folds, first weights and the order of groups.
    device : torch.Generator
        For dropout; the same one if the network is on the CPU.
    """

    cpu: torch.Generator
    device: torch.Generator

    @classmethod
    def drawn(cls, rng, net, device):
        """Return generators with a seed drawn from `rng`.

        Parameters
        ----------
        rng : RandomState
        net : GroupNet or None
            Net that training goes on with: its next epoch is not shuffled as
            those before, although `rng` may be the same.
        device : str
        """
        n_past_epochs = 0 if net is None else len(net.history)
        seed = (rng.randint(_N_SEEDS) + n_past_epochs) % _N_SEEDS
        cpu = torch.Generator().manual_seed(seed)
        if torch.device(device).type == "cpu":
            return cls(cpu, cpu)
        return cls(cpu, torch.Generator(device).manual_seed(seed))


def check_device(device):
    """Raise ValueError unless torch can use the device."""
    try:
        # There and back: a device of no memory, such as "meta", only takes values.
        torch.empty(0, device=torch.device(device)).cpu()
    except (RuntimeError, TypeError, AssertionError) as error:
        raise ValueError(
            f"device={device!r} cannot be used: {str(error).splitlines()[0]}; expected a "
            "torch device that this machine has. device='cpu' works everywhere."
        ) from error
