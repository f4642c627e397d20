"""The network of all members: what it computes, and what it never does."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from torch import nn
from torch.nn.functional import linear

from sklearn_pscore._torch.inputs import Bends, InputScaling, unit_inside
from sklearn_pscore._torch.network import (
    ByteDropout,
    MemberBatchNorm,
    MemberLinear,
    ScoreNetwork,
    Shortcut,
)

N_MEMBERS = 3


def features(seed=0, n_rows=60, n_features=4):
    """Normal columns, one of them heavy-tailed, in groups of six."""
    rng = np.random.default_rng(seed)
    X = rng.normal(3, 2, size=(n_rows, n_features))
    X[:, 1] = np.exp(3 * X[:, 1])
    return X, np.arange(n_rows) // 6


def make_network(seed=0, n_features=4, bends=True, clip=4.0, **kwargs):
    X, group = features(seed, n_features=n_features)
    scaling = InputScaling.fitted(X, group, clip)
    bends = Bends.fitted(scaling(torch.tensor(X)).numpy(), 5) if bends else None
    parameters = {
        "n_members": N_MEMBERS,
        "hidden_layer_sizes": (8, 4),
        "shortcut": "additive",
        "batch_norm": False,
        "dropout": 0.3,
        "input_dropout": 0.2,
        "output_activation": "identity",
        "monotonic_cst": None,
    }
    torch.manual_seed(seed)
    return ScoreNetwork(scaling, bends, SimpleNamespace(**parameters | kwargs))


@torch.no_grad()
def shake(network, seed=0):
    """Draw every weight anew, as no training would, and every running mean."""
    torch.manual_seed(seed)
    for weight in network.parameters():
        weight.copy_(torch.randn_like(weight))
    for name, values in network.named_buffers():
        if "running_mean" in name:
            values.copy_(torch.randn_like(values))
        elif "running_var" in name:
            values.copy_(torch.rand_like(values) + 0.1)
    network.project()
    return network


class TestMembers:
    @pytest.mark.parametrize(
        "settings",
        [
            {},
            {"hidden_layer_sizes": ()},
            {"shortcut": None},
            {"bends": False, "clip": None},
            {"batch_norm": True, "output_activation": "relu6"},
        ],
        ids=["default", "no layer", "no shortcut", "linear", "norms"],
    )
    def test_each_is_a_network_of_its_own(self, settings):
        """Plain torch layers, one member after the other, give the same scores."""
        network = shake(make_network(**settings)).double().eval()
        X = torch.tensor(features(1)[0])
        scaled = network.scaling(X)
        together = network(X).detach()
        assert together.shape == (N_MEMBERS, 60)
        for member in range(N_MEMBERS):
            scores = scaled
            for layer in [*network.hidden, network.output]:
                scores = self.of_member(layer, member, scores)
            scores = scores[:, 0]
            if network.shortcut is not None:
                weight = network.shortcut.weight[member]
                columns = [scaled]
                if network.shortcut.bends is not None:
                    columns += network.shortcut.bends.columns(scaled)
                parts = zip(columns, weight, strict=True)
                scores = scores + sum(column @ of_piece for column, of_piece in parts)
            if network.bounded is not None:
                scores = self.of_member(network.bounded[0], member, scores[:, None])
                scores = scores[:, 0].clamp(0, 6)
            assert_allclose(together[member], scores.detach(), rtol=1e-9, atol=1e-9)

    @staticmethod
    def of_member(layer, member, X):
        if isinstance(layer, MemberLinear):
            return linear(X, layer.weight[member].T, layer.bias[member, 0])
        if isinstance(layer, MemberBatchNorm):
            norm = layer.norm
            n_units = X.shape[1]
            units = slice(member * n_units, (member + 1) * n_units)
            spread = torch.sqrt(norm.running_var[units] + norm.eps)
            X = (X - norm.running_mean[units]) / spread
            return X * norm.weight[units] + norm.bias[units]
        return layer(X)

    def test_start_apart(self):
        weight = make_network().hidden[1].weight
        assert not torch.equal(weight[0], weight[1])

    def test_layers_start_as_in_torch(self):
        torch.manual_seed(0)
        layer = MemberLinear(50, 16, 32, None, None)
        for values in (layer.weight, layer.bias):
            assert values.abs().max() <= 1 / 4
            assert_allclose(values.std().item(), 1 / 4 / 3**0.5, rtol=0.05)

    def test_batch_norm_normalises_every_unit_of_every_member(self):
        X = torch.randn(3, 200, 5) * 7 + 4
        normed = MemberBatchNorm(3, 5)(X)
        assert_allclose(normed.mean(dim=1).detach(), 0, atol=1e-5)
        assert_allclose(normed.std(dim=1, correction=0).detach(), 1, rtol=1e-4)

    def test_have_their_own_dropout(self):
        network = make_network(dropout=0.5, input_dropout=0.5, shortcut=None)
        with torch.no_grad():
            for values in network.parameters():
                values.copy_(values[:1].expand_as(values))
        X = torch.tensor(features()[0])
        scores = network.train()(X)
        assert not torch.equal(scores[0], scores[1])
        scores = network.eval()(X)
        assert torch.equal(scores[0], scores[1])

    def test_shortcut_sees_features_that_layers_do_not(self):
        network = shake(make_network(input_dropout=0.9)).train()
        network.scale_parts(layers=0.0, shortcut=1.0)
        X = torch.tensor(features()[0])
        assert torch.equal(network(X), network(X))

    def test_batch_norm_before_relu6_starts_in_its_middle(self):
        network = make_network(output_activation="relu6").train()
        scores = network(torch.tensor(features(n_rows=600)[0])).detach()
        assert_allclose(scores.mean(dim=1), 3.0, atol=0.2)
        assert ((scores > 0) & (scores < 6)).float().mean() > 0.95

    @pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
    def test_type_of_the_features_is_that_of_the_weights_for_any(self, dtype):
        X = torch.tensor(features()[0]).to(dtype)
        assert make_network()(X).dtype == torch.float32
        assert make_network().double()(X).dtype == torch.float64

    def test_mode_is_that_of_all_parts(self):
        network = make_network(batch_norm=True)
        for mode in (False, False, True, True, False):
            assert network.train(mode) is network
            assert {part.training for part in network.modules()} == {mode}

    def test_shortcut_that_is_known_is_taken(self):
        network = shake(make_network()).eval()
        X = torch.tensor(features()[0])
        scaled = network.scaling(X, dtype=torch.float32)
        known = network.shortcut(scaled)[..., 0].T
        assert_array_equal(network(X, known).detach(), network(X).detach())
        assert not np.allclose(network(X, 2 * known).detach(), network(X).detach())

    def test_scale_parts(self):
        network = shake(make_network(dropout=0.0)).double().eval()
        X = torch.tensor(features()[0])
        scaled = network.scaling(X)
        layers = network.layer_scores(scaled)[..., 0].detach()
        shortcut = network.shortcut(scaled)[..., 0].detach()
        network.scale_parts(layers=3.0, shortcut=0.5)
        assert_allclose(network(X).detach(), 0.5 * shortcut + 3 * layers, atol=1e-9)


class TestDropout:
    @pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
    def test_leaves_out_its_share_and_keeps_the_mean(self, share):
        torch.manual_seed(0)
        X = torch.full((3, 100, 1001), 2.0)
        dropped = ByteDropout(share)(X)
        assert dropped.shape == X.shape
        values, counts = dropped.unique(return_counts=True)
        # The share is rounded to 1/256, and drawn 300,300 times.
        assert_allclose(counts[0] / X.numel(), share, atol=0.005)
        assert_allclose(values, [0.0, 2.0 / (1 - share)], rtol=0.05)
        assert_allclose(dropped.mean(), 2.0, rtol=0.03)

    def test_draws_values_apart_from_their_neighbours(self):
        torch.manual_seed(0)
        kept = (ByteDropout(0.5)(torch.ones(40_000)) > 0).float()
        for step in (1, 2, 4, 7, 8):
            pairs = torch.stack([kept[step:], kept[:-step]])
            assert abs(torch.corrcoef(pairs)[0, 1]) < 0.02

    def test_does_nothing_in_evaluation(self):
        X = torch.ones(10)
        assert torch.equal(ByteDropout(0.5).eval()(X), X)


CONSTRAINTS = (1, -1, 0, 1)
SHAPES = [
    {"hidden_layer_sizes": sizes, "shortcut": shortcut, "bends": bends}
    for sizes in [(), (8,), (8, 4)]
    for shortcut, bends in [(None, False), ("linear", False), ("additive", True)]
]
ENDS = [
    {},
    {"batch_norm": True},
    {"batch_norm": True, "output_activation": "relu6"},
    {"clip": None},
]


def assert_monotonic(score, X, constraints, seed=0):
    """Check scores of (n_members, n_rows) as one feature moves, by steps of any size.

    Returns
    -------
    moved : ndarray of shape (n_features, 2)
        The largest fall and rise of each, as it grows.
    """
    rng = np.random.default_rng(seed)
    before = score(X)
    size = np.abs(before).max()
    moved = np.zeros((X.shape[1], 2))
    for feature, sign in enumerate(constraints):
        for scale in (1e-3, 1.0, 100.0):
            further = X.copy()
            further[:, feature] += scale * rng.exponential(size=len(X))
            change = score(further) - before
            # Rounding of sums of terms as large as the scores.
            slack = 1e-12 * max(size, np.abs(before + change).max())
            if sign:
                assert (sign * change).min() >= -slack, (feature, scale)
            moved[feature] = (
                min(moved[feature, 0], change.min()),
                max(moved[feature, 1], change.max()),
            )
    return moved


def anywhere(X, n_rows, seed):
    """Rows in the range of X, far outside of it, and mixtures of both."""
    rng = np.random.default_rng(seed)
    far = X.std(axis=0) * 30.0 ** rng.uniform(-1, 2, size=(n_rows, X.shape[1]))
    inside = X[rng.integers(len(X), size=n_rows)]
    return inside + far * rng.normal(size=far.shape) * rng.integers(2, size=far.shape)


class TestMonotonicConstraints:
    @pytest.mark.parametrize("end", ENDS, ids=str)
    @pytest.mark.parametrize("shape", SHAPES, ids=str)
    def test_hold_for_any_weights_after_a_projection(self, shape, end):
        settings = shape | end
        for seed in range(3):
            network = make_network(monotonic_cst=CONSTRAINTS, seed=seed, **settings)
            network = shake(network, seed).double().eval()
            X = anywhere(features(seed)[0], 2000, seed)

            @torch.no_grad()
            def score(X, network=network):
                return network(torch.from_numpy(X)).numpy()

            assert_monotonic(score, X, CONSTRAINTS, seed)

    def test_hold_at_the_start(self):
        for seed in range(5):
            network = make_network(monotonic_cst=CONSTRAINTS, seed=seed).double().eval()
            X = anywhere(features(seed)[0], 500, seed)

            @torch.no_grad()
            def score(X, network=network):
                return network(torch.from_numpy(X)).numpy()

            moved = assert_monotonic(score, X, CONSTRAINTS, seed)
            # A feature without a constraint goes both ways, and others do move.
            assert moved[2, 0] < 0 < moved[2, 1]
            assert moved[0, 1] > 0 > moved[1, 0]

    @pytest.mark.parametrize("weights", ["free", "constrained"])
    def test_projection_is_the_nearest(self, weights):
        constraints = None if weights == "free" else CONSTRAINTS
        network = make_network(monotonic_cst=constraints, batch_norm=True)
        torch.manual_seed(1)
        with torch.no_grad():
            for values in network.parameters():
                values.copy_(torch.randn_like(values))
        before = {name: w.detach().clone() for name, w in network.named_parameters()}
        network.project()
        zeros = 0
        for name, weight in network.named_parameters():
            kept = weight == before[name]
            zeros += int((~kept).sum())
            assert (kept | (weight == 0)).all()
        assert (zeros > 0) == (constraints is not None)
        assert torch.equal(
            network.shortcut.weight[..., 2], before["shortcut.weight"][..., 2]
        )

    def test_signs_are_not_saved(self):
        """So that a state can go from a network to one of its shape."""
        free = make_network().state_dict().keys()
        assert make_network(monotonic_cst=CONSTRAINTS).state_dict().keys() == free


class TestScaling:
    def test_by_its_formula(self):
        X, group = features()
        scaled = InputScaling.fitted(X, group, 4.0)(torch.tensor(X)).numpy()
        lower, middle, upper = np.quantile(X, [0.25, 0.5, 0.75], axis=0)
        z = (X - middle) / ((upper - lower) / 1.349)
        bent = z / np.sqrt(1 + (z / 4) ** 2)
        means = np.array([bent[group == label].mean(axis=0) for label in group])
        spread = np.sqrt(((bent - means) ** 2).sum(axis=0) / (60 - 10))
        assert_allclose(scaled, bent / spread)

    @pytest.mark.parametrize("clip", [4.0, None])
    def test_affine_maps_change_nothing(self, clip):
        X, group = features()
        shift, scale = np.array([1e3, -5.0, 0.0, 1e-4]), np.array([1e-6, 1e4, 3.0, 1.0])
        moved = X * scale + shift
        scaled = InputScaling.fitted(X, group, clip)(torch.tensor(X))
        again = InputScaling.fitted(moved, group, clip)(torch.tensor(moved))
        assert_allclose(again, scaled, rtol=1e-5, atol=1e-5)

    def test_one_outlier_is_bounded_and_moves_the_others_little(self):
        X, group = features(n_rows=600)
        clean = InputScaling.fitted(X, group, 4.0)(torch.tensor(X)).numpy()
        X[7, 0] = 1e12
        scaling = InputScaling.fitted(X, group, 4.0)
        scaled = scaling(torch.tensor(X)).numpy()
        others = np.arange(600) != 7
        assert_allclose(scaled[others, 0], clean[others, 0], rtol=0.05, atol=0.01)
        assert_allclose(scaled[7, 0], 4 * scaling.unit[0])

    @pytest.mark.parametrize("clip", [0.5, 4.0])
    def test_order_is_kept_up_to_the_bend(self, clip):
        x = np.linspace(-300, 300, 10_001)[:, None]
        scaling = InputScaling([0.0], [1.0], [1.0], clip)
        bent = scaling(torch.tensor(x)).numpy()[:, 0]
        assert (np.diff(bent) > 0).all()
        assert np.abs(bent).max() < clip
        assert_allclose(bent, -bent[::-1])

    @pytest.mark.parametrize("value", [1e160, 1e300])
    def test_no_value_is_too_large(self, value):
        scaling = InputScaling([0.0], [1.0], [1.0], 4.0)
        bent = scaling(torch.tensor([[-value], [value]], dtype=torch.float64))
        assert_allclose(bent[:, 0], [-4.0, 4.0])

    def test_quartiles_next_to_zero(self):
        """Likelihoods, say: the quartiles are nothing beside the largest."""
        x = 10.0 ** np.linspace(-200, 0, 60)[:, None]
        scaling = InputScaling.fitted(x, np.zeros(60, int), 4.0)
        bent = scaling(torch.tensor(x), dtype=torch.float32)
        assert torch.isfinite(bent).all()
        assert (torch.diff(bent[:, 0]) >= 0).all()

    def test_constant_columns_become_zero(self):
        X, group = features()
        X[:, 2] = 0.3
        X[:, 3] = group / 7
        scaling = InputScaling.fitted(X, group, 4.0)
        assert scaling.unit[2:].tolist() == [0.0, 0.0]
        assert (scaling.unit[:2] > 0).all()
        assert_array_equal(scaling(torch.tensor(X))[:, 2:], np.zeros((60, 2)))

    def test_constant_columns_are_no_matter_in_float32(self):
        X, group = features()
        X[:, 2] = 0.3
        X[:, 3] = 1e6 + group / 7
        X = X.astype(np.float32)
        scaled = InputScaling.fitted(X, group, 4.0)(torch.tensor(X))
        assert scaled.dtype == torch.float32
        assert_array_equal(scaled[:, 2:], np.zeros((60, 2)))

    def test_column_that_is_mostly_one_value(self):
        X, group = features()
        X[:, 0] = np.arange(60) % 10 == 3
        scaled = InputScaling.fitted(X, group, 4.0)(torch.tensor(X)).numpy()[:, 0]
        assert np.isfinite(scaled).all()
        assert len(np.unique(scaled)) == 2

    def test_spike_beside_a_spread(self):
        """Most of the values are one: the scale is that of the distinct ones."""
        X, group = features(n_rows=600)
        x = np.where(np.arange(600) % 10 < 8, 0.0, X[:, 0])[:, None]
        scaling = InputScaling.fitted(x, group, 4.0)
        lower, upper = np.quantile(np.unique(x), [0.25, 0.75])
        assert_allclose(scaling.scale, (upper - lower) / 1.349)
        assert scaling.shift.tolist() == [0.0]

    def test_feature_far_from_zero_keeps_its_digits(self):
        X, group = features()
        scaled = InputScaling.fitted(X, group, 4.0)(torch.tensor(X)).numpy()
        far = X + 1e8
        moved = InputScaling.fitted(far, group, 4.0)(torch.tensor(far), torch.float32)
        assert_allclose(moved[:, 0], scaled[:, 0], atol=1e-5)

    def test_input_is_left_alone(self):
        X, group = features()
        before = X.copy()
        InputScaling.fitted(X, group, 4.0)(torch.from_numpy(X))
        assert_array_equal(X, before)


class TestUnitInside:
    def test_is_one_over_the_pooled_deviation(self):
        X, group = features()
        inside = np.concatenate(
            [X[group == n] - X[group == n].mean(axis=0) for n in range(10)]
        )
        assert_allclose(unit_inside(X, group), 1 / np.sqrt((inside**2).sum(0) / 50))

    def test_groups_of_one_do_not_count(self):
        X, group = features()
        more = np.vstack([X, 1e3 + X[:5]])
        alone = np.r_[group, 10 + np.arange(5)]
        assert_allclose(unit_inside(more, alone), unit_inside(X, group))

    @pytest.mark.parametrize(
        "column",
        [np.zeros(60), np.arange(60) // 6 / 3.0],
        ids=["constant", "constant inside"],
    )
    def test_nothing_inside_is_zero(self, column):
        group = np.arange(60) // 6
        assert unit_inside(column[:, None], group).tolist() == [0.0]


class TestBends:
    def test_sum_is_the_piecewise_linear_function(self):
        edges = np.array([[-2.0], [-1.0], [0.5], [3.0]])
        heights = np.array([0.7, -2.0, 1.5])
        x = np.linspace(-5, 5, 501)
        columns = Bends(edges).columns(torch.tensor(x[:, None]))
        summed = sum(h * c.numpy()[:, 0] for h, c in zip(heights, columns, strict=True))
        knots = np.cumsum(np.r_[0, heights])
        assert_allclose(summed, np.interp(x, edges[:, 0], knots), atol=1e-12)

    def test_edges_at_one_place_add_nothing(self):
        edges = np.array([[0.0], [0.0], [1.0], [1.0]])
        columns = list(Bends(edges).columns(torch.tensor([[-1.0], [0.5], [2.0]])))
        assert [c[:, 0].tolist() for c in columns] == [
            [0.0, 0.0, 0.0],
            [0.0, 0.5, 1.0],
            [0.0, 0.0, 0.0],
        ]

    def test_edges_are_quantiles_of_distinct_values(self):
        x = np.r_[np.zeros(50), 1:9.0][:, None]
        X = np.hstack([x, np.full_like(x, 3.0)])
        bends = Bends.fitted(X, 4)
        assert_allclose(bends.start[:, 0], [0, 2, 4, 6])
        assert_allclose(bends.inverse_width[:, 0], 1 / 2)
        assert_array_equal(bends.inverse_width[:, 1], np.zeros(4))

    def test_shortcut_starts_at_zero(self):
        shortcut = Shortcut(2, 3, Bends(np.zeros((5, 3))), None)
        assert shortcut.weight.shape == (2, 5, 3)
        assert not shortcut.weight.any()
        assert isinstance(shortcut.weight, nn.Parameter)
