"""Set-up of all tests: seeds, a plotting backend without a screen, and data."""

import os

import numpy as np
import pytest
import torch
from cases import SEED, linear_groups
from losses_by_definition import DEVICE

from sklearn_pscore import PairwisePreferenceRanker

# Read by matplotlib when it is imported, here and in processes that tests start.
os.environ["MPLBACKEND"] = "Agg"
# Rankers that tests make are trained on the device that test_gpu.py asks for.
PairwisePreferenceRanker.__init__.__kwdefaults__["device"] = DEVICE


@pytest.fixture(autouse=True)
def seed_global_generators():
    """Seed the generators that code without a seed of its own draws from.

    So the outcome of a test does not depend on the tests before it.
    """
    np.random.seed(SEED)  # noqa: NPY002
    torch.manual_seed(SEED)


@pytest.fixture
def data():
    """Return features and groups that a ranker learns in a few epochs."""
    return linear_groups()
