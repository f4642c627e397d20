"""Coordinates in which a search for linear weights needs few steps."""

from itertools import combinations

import numpy as np
import pytest
import torch
from cases import SEED, quick
from numpy.testing import assert_allclose
from scipy.optimize import minimize
from scipy.sparse import csr_array

from sklearn_pscore import Groups
from sklearn_pscore._torch import shortcut_fit
from sklearn_pscore._torch.linear import fit_linear
from sklearn_pscore._torch.losses.ranknet import PairwiseLogisticLoss
from sklearn_pscore._torch.packing import PackedTarget
from sklearn_pscore._torch.preconditioning import (
    _MOST_COLUMNS,
    _MOST_COLUMNS_PER_ROW,
    Preconditioner,
    spread_inside,
    variance_inside,
)

PENALTY = 1e-3
LOSS = PairwiseLogisticLoss()


def make_problem(n_groups=60, size=6, n_columns=8):
    """Return columns that vary together and are of many sizes, and their target."""
    rng = np.random.default_rng(SEED)
    n_items = n_groups * size
    X = rng.normal(size=(n_items, n_columns)) + 3 * rng.normal(size=(n_items, 1))
    X = (X * np.logspace(-1, 0.5, n_columns)).astype(np.float32)
    # Inside a group, the last item is preferred.
    level = np.tile(np.arange(size), n_groups)
    X[:, 0] += 0.1 * level
    target = PackedTarget(
        level=torch.from_numpy(level),
        weight=torch.ones(n_items),
        sizes=torch.full((n_groups,), size),
        gain=torch.zeros(n_items),
    )
    return torch.from_numpy(X), target


def group_of(target):
    return torch.repeat_interleave(torch.arange(len(target.sizes)), target.sizes)


def ridge_fit(X, target, signs=None):
    """Return the weights of the smallest loss, found in float64 and further."""

    def loss(weights):
        weights = torch.from_numpy(weights).requires_grad_()
        value = LOSS(X.double() @ weights, target) + PENALTY / 2 * weights @ weights
        value.backward()
        return value.item(), weights.grad.numpy()

    bounds = None
    if signs is not None:
        bounds = [(0, None) if sign > 0 else (None, 0) for sign in signs]
    options = {"ftol": 1e-14, "gtol": 1e-9, "maxiter": 10_000}
    return minimize(
        loss,
        np.zeros(X.shape[1]),
        jac=True,
        method="L-BFGS-B",
        bounds=bounds,
        options=options,
    ).x


class Counted:
    """The loss, which counts its values."""

    def __init__(self):
        self.n_values = 0

    def __call__(self, scores, target):
        self.n_values += 1
        return LOSS(scores, target)


def search(X, target, spread, **kwargs):
    """Return weights, and how often the loss was computed."""
    loss = Counted()
    preconditioner = None if spread is None else Preconditioner(spread, PENALTY)
    weights = fit_linear(
        X, target, loss, penalty=PENALTY, preconditioner=preconditioner, **kwargs
    )
    return weights, loss.n_values


def test_the_minimum_is_the_same_and_found_in_fewer_steps():
    X, target = make_problem()
    group = group_of(target)
    expected = X.double().numpy() @ ridge_fit(X, target)
    n_values = {}
    for name, spread in (
        ("none", None),
        ("variance", variance_inside(X, group)),
        ("spread", spread_inside(X, group)),
    ):
        weights, n_values[name] = search(X, target, spread)
        scores = X.double().numpy() @ weights
        assert np.corrcoef(scores, expected)[0, 1] > 0.99999
        assert_allclose(np.std(scores), np.std(expected), rtol=1e-2)
    assert n_values["spread"] < n_values["none"] / 2
    assert n_values["spread"] < n_values["variance"]


def test_signs_are_kept():
    X, target = make_problem()
    signs = np.array([-1, 1] * 4)
    expected = ridge_fit(X, target, signs)
    assert not np.all(expected)
    weights, _ = search(X, target, variance_inside(X, group_of(target)), signs=signs)
    assert np.all(weights * signs >= 0)
    assert_allclose(weights == 0, expected == 0)
    assert_allclose(weights, expected, atol=1e-3 * np.abs(expected).max())


def test_a_search_begins_at_its_start():
    X, target = make_problem()
    best = ridge_fit(X, target)
    for spread in (
        variance_inside(X, group_of(target)),
        spread_inside(X, group_of(target)),
    ):
        weights, n_values = search(X, target, spread, start=best)
        assert n_values <= 2
        assert_allclose(weights, best, rtol=1e-3)


@pytest.mark.parametrize("is_matrix", [False, True])
def test_coordinates_are_of_weights_and_gradients_follow(is_matrix):
    rng = np.random.default_rng(SEED)
    root = rng.normal(size=(5, 5))
    spread = root @ root.T if is_matrix else rng.uniform(0.1, 9, size=5)
    preconditioner = Preconditioner(spread, PENALTY)
    weights, slope = rng.normal(size=(2, 5))
    coordinates = preconditioner.to_coordinates(weights)
    assert_allclose(preconditioner.to_weights(coordinates), weights)
    # A step along a coordinate changes a linear function by that of its gradient.
    by_steps = [
        slope @ (preconditioner.to_weights(coordinates + step) - weights)
        for step in np.eye(5)
    ]
    assert_allclose(preconditioner.gradient(slope), by_steps)


@pytest.mark.parametrize("sizes", [[4, 3, 5], [1, 6, 1, 2], [1], [5000, 3]], ids=str)
def test_spread_is_the_mean_over_pairs(sizes):
    rng = np.random.default_rng(SEED)
    group = np.repeat(np.arange(len(sizes)), sizes)
    X = (rng.normal(size=(len(group), 3)) + 10 * group[:, None]).astype(np.float32)
    if max(sizes) > 1000:
        # Rows of a group in turns, so that a group is not in one part of the rows.
        order = rng.permutation(len(group))
        group, X = group[order], X[order]
    total, n_pairs = np.zeros((3, 3)), 0
    for number in range(len(sizes)):
        rows = X[group == number].astype(float)
        n_pairs += len(rows) * (len(rows) - 1) // 2
        if len(rows) > 1000:
            inside = rows - rows.mean(axis=0)
            total += len(rows) * inside.T @ inside
            continue
        for one, other in combinations(rows, 2):
            total += np.outer(one - other, one - other)
    expected = total / max(n_pairs, 1)
    X, group = torch.from_numpy(X), torch.from_numpy(group)
    assert_allclose(variance_inside(X, group), np.diag(expected), rtol=1e-4)
    if spread_inside(X, group) is None:
        assert len(X) * _MOST_COLUMNS_PER_ROW < 3
    else:
        assert_allclose(spread_inside(X, group), expected, rtol=1e-4, atol=1e-4)


def test_spread_of_many_columns(monkeypatch):
    rng = np.random.default_rng(SEED)
    X = torch.from_numpy(rng.normal(size=(90, 20)).astype(np.float32))
    group = torch.arange(90) // 9
    whole = spread_inside(X, group)
    monkeypatch.setattr("sklearn_pscore._torch.preconditioning._COLUMNS_AT_A_TIME", 7)
    assert_allclose(spread_inside(X, group), whole, rtol=1e-5, atol=1e-6)


def test_there_is_no_spread_where_it_is_not_worth_it():
    most = int(20 * _MOST_COLUMNS_PER_ROW)
    group = torch.zeros(20, dtype=torch.int64)
    assert spread_inside(torch.zeros(20, most), group) is not None
    for X in (
        csr_array(np.eye(20)),
        torch.zeros(20, most + 1),
        torch.zeros(20, 0),
    ):
        assert spread_inside(X, group) is None
    n_rows = int(_MOST_COLUMNS / _MOST_COLUMNS_PER_ROW) + 2
    # One value, as often as there are places for it.
    many = torch.zeros(1, 1).expand(n_rows, _MOST_COLUMNS + 1)
    assert spread_inside(many, torch.zeros(n_rows, dtype=torch.int64)) is None


def test_with_more_columns_than_rows_none_vary_together(monkeypatch):
    rng = np.random.default_rng(SEED)
    X = rng.normal(size=(60, 20))
    groups = Groups.from_arrays(group=np.repeat(np.arange(12), 5), preference=X[:, 0])
    shapes = []

    def noted(X, group):
        found = spread_inside(X, group)
        shapes.append((X.shape[1], found is not None))
        return found

    monkeypatch.setattr(shortcut_fit, "spread_inside", noted)
    quick(max_epochs=1).fit(X, groups)
    # Slopes alone, and with a column for each piece.
    assert shapes == [(20, True), (220, False)]


def test_variance_of_sparse_columns_is_by_their_values():
    rng = np.random.default_rng(SEED)
    dense = rng.normal(size=(2000, 4)) * (rng.random((2000, 4)) < 0.1)
    # The last column has no value.
    dense[:, 3] = 0
    group = torch.from_numpy(np.repeat(np.arange(100), 20))
    expected = variance_inside(torch.from_numpy(dense).float(), group)
    found = variance_inside(csr_array(dense), group)
    assert_allclose(found, expected, rtol=0.1)
    assert found[3] == 0


def test_constant_columns_are_no_obstacle():
    X, target = make_problem()
    X[:, 2] = 1.0
    X[:, 3] = X[:, 4]
    weights, _ = search(X, target, spread_inside(X, group_of(target)))
    assert abs(weights[2]) < 1e-4 * abs(weights[3])
    assert_allclose(weights[3], weights[4], rtol=1e-4)
