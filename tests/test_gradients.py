"""Gradients of a fitted network's scores with regard to its inputs."""

from copy import deepcopy

import numpy as np
import pytest
import torch
from cases import linear_groups, quick
from numpy.testing import assert_allclose

SHORTCUTS = ["additive", "linear", None]
ENDS = {
    "default": {},
    "no clip": {"input_clip": None},
    "norm": {"batch_norm": True},
    "relu6": {"output_activation": "relu6", "max_epochs": 30},
    "relu6, norm": {"output_activation": "relu6", "batch_norm": True},
    "one member": {"n_members": 1},
    "no layer": {"sizes": ()},
    "constrained": {"monotonic_cst": [1, -1, 0]},
}


def fitted_module(dtype, **settings):
    """Return a fitted network, and rows of which one metric has heavy tails."""
    X, groups = linear_groups()
    X[:, 2] = np.exp(3 * X[:, 2])
    ranker = quick(batch_size=50, **settings).fit(X, groups)
    # Some rows lie where nobody was.
    rows = np.vstack([X[:10], 5 * X[10:14]])
    return ranker.net_.module_.to(dtype), torch.tensor(rows, dtype=dtype)


@pytest.mark.parametrize("shortcut", SHORTCUTS)
@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_are_those_of_finite_differences(shortcut, end):
    module, X = fitted_module(torch.float64, shortcut=shortcut, **end)
    X.requires_grad_()
    before = X.detach().clone()
    assert torch.autograd.gradcheck(module, X, eps=1e-7, atol=1e-5)
    assert torch.equal(X, before)
    scores = module(X).sum()
    (gradient,) = torch.autograd.grad(scores, X)
    assert gradient.abs().max() > 1e-3


@pytest.mark.parametrize("shortcut", SHORTCUTS)
@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
@pytest.mark.parametrize("of_rows", [torch.float32, torch.float64])
def test_of_float32_are_near_those_of_float64(shortcut, end, of_rows):
    module, X = fitted_module(torch.float32, shortcut=shortcut, **end)
    gradients = []
    for network, dtype in ((module, of_rows), (deepcopy(module).double(), None)):
        rows = X.to(dtype or torch.float64).requires_grad_()
        (gradient,) = torch.autograd.grad(network(rows).mean(dim=0).sum(), rows)
        assert gradient.dtype == rows.dtype
        gradients.append(gradient.double())
    assert_allclose(*gradients, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_scores_with_a_gradient_are_those_without(dtype):
    module, X = fitted_module(dtype)
    with torch.no_grad():
        plain = module(X)
    assert torch.equal(module(X.requires_grad_()).detach(), plain)


def test_by_transforms_of_functions():
    """Row by row, as some explainers ask for them."""
    module, X = fitted_module(torch.float64)
    X.requires_grad_()
    (expected,) = torch.autograd.grad(module(X).mean(dim=0).sum(), X)
    X = X.detach()

    def score(row):
        return module(row[None]).mean()

    for transform in (torch.func.grad, torch.func.jacrev):
        one_by_one = torch.stack([transform(score)(row) for row in X])
        assert_allclose(one_by_one.detach(), expected, atol=1e-12)


def test_of_the_weights_stay_as_they_were():
    module, X = fitted_module(torch.float32)
    module(X).sum().backward()
    for weight in module.parameters():
        assert weight.grad is not None
        assert weight.grad.isfinite().all()
