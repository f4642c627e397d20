"""Linear fits against scipy, fitted shortcuts, and parts weighed by left-out folds."""

from math import comb
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import minimize
from scipy.special import expit, logsumexp, softmax
from threadpoolctl import threadpool_info, threadpool_limits

from sklearn_pscore._items.training_items import TrainingItems
from sklearn_pscore._torch import shortcut_fit
from sklearn_pscore._torch.inputs import Bends, InputScaling
from sklearn_pscore._torch.linear import fit_linear
from sklearn_pscore._torch.losses.listnet import TopOneLoss
from sklearn_pscore._torch.losses.ranknet import PairwiseLogisticLoss
from sklearn_pscore._torch.network import ScoreNetwork, Shortcut
from sklearn_pscore._torch.packing import PackedGroups, PackedTarget
from sklearn_pscore._torch.shortcut_fit import (
    _CANDIDATES,
    fit_members,
    fit_shortcut,
    shortcut_scores,
)
from sklearn_pscore._torch.stacking import ScaledSample, std_factor, weigh_and_center

N_GROUPS, SIZE = 30, 5
TRUTH = np.array([1.5, -1.0, 0.0])
LOSSES = {"ranknet": PairwiseLogisticLoss(), "listnet": TopOneLoss()}


def make_target(level, **kwargs):
    n_groups = level.size // SIZE
    fields = {
        "level": torch.from_numpy(level.ravel()),
        "weight": torch.ones(level.size),
        "sizes": torch.full((n_groups,), SIZE),
        "gain": torch.from_numpy(level.ravel()).float(),
    }
    return PackedTarget(**(fields | kwargs))


def make_data(seed=0, n_groups=N_GROUPS, noise=1.0, truth=TRUTH):
    """Groups of five, sorted by level, with a noisy linear preference."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_groups, SIZE, len(truth)))
    judged = X @ truth + noise * rng.gumbel(size=(n_groups, SIZE))
    order = np.argsort(judged, axis=1)
    X = np.take_along_axis(X, order[..., None], axis=1).reshape(-1, len(truth))
    level = np.tile(np.arange(SIZE), (n_groups, 1))
    return torch.from_numpy(X).float(), make_target(level)


def make_sample(X, target, n_folds=0, judged=None):
    if n_folds:
        target = target._replace(fold=(torch.arange(len(X)) // SIZE) % n_folds)
    if judged is None:
        judged = torch.ones(len(X), dtype=torch.bool)
    return ScaledSample(X, target, judged)


def _is_blas(pool):
    return pool["user_api"] == "blas"


def mean_loss(loss, weights, X):
    """The losses of groups of five in order of level, from their definitions."""
    scores = (X.numpy().astype(float) @ weights).reshape(-1, SIZE)
    if loss == "listnet":
        return (logsumexp(scores, axis=1) - scores[:, -1]).mean()
    worse, better = np.triu_indices(SIZE, 1)
    return np.logaddexp(0, scores[:, worse] - scores[:, better]).mean()


class TestFitLinear:
    @pytest.mark.parametrize("loss", LOSSES)
    @pytest.mark.parametrize("center", [None, np.array([0.3, 0.3, -1.0])])
    @pytest.mark.parametrize("penalty", [1e-3, 0.1, 10.0])
    def test_is_the_minimum(self, loss, center, penalty):
        X, target = make_data()
        weights = fit_linear(X, target, LOSSES[loss], penalty=penalty, center=center)
        middle = np.zeros(3) if center is None else center

        def whole(weights):
            away = weights - middle
            return mean_loss(loss, weights, X) + penalty / 2 * away @ away

        expected = minimize(whole, np.zeros(3), method="BFGS", options={"gtol": 1e-8}).x
        assert_allclose(weights, expected, atol=2e-3 * max(1, np.abs(expected).max()))
        assert weights.dtype == np.float64

    def test_without_a_penalty_is_the_conditional_logit(self):
        """Which finds the truth that winners were drawn from, given enough of them."""
        X, target = make_data(n_groups=4000)
        weights = fit_linear(X, target, TopOneLoss(), penalty=1e-9)
        assert_allclose(weights, TRUTH, atol=0.1)

    def test_signs_are_kept_and_the_rest_is_best(self):
        X, target = make_data()
        signs = np.array([-1, 0, 1])
        weights = fit_linear(X, target, LOSSES["ranknet"], penalty=1e-3, signs=signs)
        assert weights[0] == 0.0
        assert weights[2] >= 0
        alone = fit_linear(X[:, 1:], target, LOSSES["ranknet"], penalty=1e-3)
        if alone[1] >= 0:
            assert_allclose(weights[1:], alone, atol=1e-2)
        signs = np.array([1, -1, 0])
        free = fit_linear(X, target, LOSSES["ranknet"], penalty=1e-3)
        bound = fit_linear(X, target, LOSSES["ranknet"], penalty=1e-3, signs=signs)
        assert_allclose(bound, free, atol=1e-2)

    def test_start_changes_nothing_but_the_way(self):
        X, target = make_data()
        how = {"penalty": 0.01}
        one = fit_linear(X, target, LOSSES["ranknet"], **how)
        start = np.array([-3.0, 3.0, 1.0])
        other = fit_linear(X, target, LOSSES["ranknet"], start=start, **how)
        assert_allclose(one, other, atol=1e-2)

    def test_threads_of_blas_are_out_of_the_way_and_then_back(self):
        def threads():
            pools = threadpool_info()
            return {p["filepath"]: p["num_threads"] for p in pools if _is_blas(p)}

        class Watched(PairwiseLogisticLoss):
            def forward(self, scores, target):
                seen.append(threads())
                return super().forward(scores, target)

        X, target = make_data()
        seen = []
        with threadpool_limits(2, user_api="blas"):
            before = threads()
            fit_linear(X, target, Watched(), penalty=1e-3)
            assert threads() == before
        assert seen
        for threads_seen in seen:
            assert set(threads_seen.values()) == {1}

    @pytest.mark.parametrize("loss", LOSSES)
    def test_weights_are_as_good_as_repeated_groups(self, loss):
        """A pair's weight is a product: 2 for each item is 4 times the group."""
        X, target = make_data()
        heavy = torch.arange(len(X)) // SIZE < 7
        weighted = target._replace(weight=torch.where(heavy, 2.0, 1.0))
        times = {"ranknet": 4, "listnet": 2}[loss]
        rows = torch.cat([torch.arange(len(X))] + [torch.where(heavy)[0]] * (times - 1))
        repeated = make_target(target.level[rows].numpy().reshape(-1, SIZE))
        how = {"criterion": LOSSES[loss], "penalty": 0.01}
        one = fit_linear(X, weighted, **how)
        if loss == "listnet":
            # Twice the item in the group adds log 2 to its logarithm only.
            assert_allclose(one, fit_linear(X[rows], repeated, **how), atol=2e-2)
        else:
            assert_allclose(one, fit_linear(X[rows], repeated, **how), atol=2e-3)


class TestScaledSample:
    def test_groups_from_sizes(self):
        X, target = make_data(n_groups=3)
        sample = make_sample(X, target)
        assert sample.group.tolist() == [0] * 5 + [1] * 5 + [2] * 5
        assert not sample.is_left_out
        assert make_sample(X, target, n_folds=2).is_left_out

    @pytest.mark.parametrize(
        ("fold", "n_tied", "expected"),
        [([0, 1, 1], 0, True), ([1, 1, 1], 0, False), ([0, 1, 1], 1, False)],
    )
    def test_is_left_out_only_if_every_member_has_pairs(self, fold, n_tied, expected):
        X, target = make_data(n_groups=3)
        target.level[: n_tied * SIZE] = 0
        fold = torch.tensor(fold).repeat_interleave(SIZE)
        sample = make_sample(X, target._replace(fold=fold))
        assert sample.is_left_out == expected

    def test_without_a_member(self):
        X, target = make_data(n_groups=5)
        sample = make_sample(X, target, n_folds=2)
        kept, without = sample.without(1)
        assert_array_equal(kept, np.repeat([True, False, True, False, True], SIZE))
        assert without.sizes.tolist() == [SIZE] * 3
        for name in ("level", "weight", "gain"):
            assert_array_equal(getattr(without, name), getattr(target, name)[kept])


class TestWeigh:
    """How much of a part is taken: what is told by it on left-out groups."""

    @staticmethod
    def weigh(parts, target, X, center=None, **kwargs):
        parts = [part.expand(2, -1) for part in parts]
        center = np.ones(len(parts)) if center is None else center
        sample = make_sample(X, target, n_folds=2, **kwargs)
        return sample.weigh(parts, LOSSES["ranknet"], center)

    def test_without_folds_the_center_stays(self):
        X, target = make_data()
        center = np.array([0.3, 0.7])
        weights = make_sample(X, target).weigh([X.T, X.T], LOSSES["ranknet"], center)
        assert_array_equal(weights, center)

    def test_useless_part_gets_next_to_nothing(self):
        X, target = make_data(n_groups=1000)
        weights = self.weigh([X[:, 0], X[:, 2]], target, X)
        assert_allclose(weights, [1.2, 0.0], atol=0.2)

    def test_part_that_goes_the_wrong_way_gets_nothing(self):
        X, target = make_data(n_groups=200)
        weights = self.weigh([X[:, 0], -X[:, 0], X[:, 1]], target, X)
        assert weights[0] > 0.5
        assert weights[2] == 0.0

    @pytest.mark.parametrize("seed", range(10))
    def test_no_part_is_ever_negative(self, seed):
        X, target = make_data(seed, n_groups=12)
        rng = np.random.default_rng(seed)
        parts = [torch.tensor(rng.normal(size=len(X))).float() for _ in range(3)]
        assert (self.weigh(parts, target, X) >= 0).all()

    def test_few_groups_stay_near_the_center(self):
        few = make_data(n_groups=4)
        many = make_data(n_groups=400)
        away = [
            np.abs(self.weigh([X[:, 2]], target, X) - 1).max()
            for X, target in (few, many)
        ]
        assert away[0] < away[1]
        assert away[1] > 0.8

    def test_synthetic_items_do_not_count(self):
        X, target = make_data(n_groups=200)
        judged = torch.arange(len(X)) % SIZE < 3
        # What nobody judged says the opposite.
        part = torch.where(judged, X[:, 0], -5 * X[:, 0])
        weights = self.weigh([part, X[:, 2]], target, X, judged=judged)
        assert weights[0] > 0.3

    def test_part_is_judged_by_what_was_left_out(self):
        """A part that tells the groups a member has seen, and no other, is nothing."""
        X, target = make_data(n_groups=400)
        sample = make_sample(X, target, n_folds=2)
        told = torch.stack(
            [
                torch.where(sample.target.fold == member, X[:, 2], 5.0 * target.level)
                for member in range(2)
            ]
        )
        weights = sample.weigh([told], LOSSES["ranknet"], np.ones(1))
        assert weights[0] < 0.15
        weights = sample.weigh([told.flip(0)], LOSSES["ranknet"], np.ones(1))
        assert weights[0] > 0.5


def bends_of(X, n_pieces=4):
    return Bends.fitted(X.double().numpy(), n_pieces)


@torch.no_grad()
def scores_of(shortcut, X):
    return shortcut(X)[..., 0]


def ridge_fit(X, target, penalty):
    """Return the weights of the smallest loss, found in float64 and further."""

    def loss(weights):
        weights = torch.from_numpy(weights).requires_grad_()
        value = LOSSES["ranknet"](X @ weights, target) + penalty / 2 * weights @ weights
        value.backward()
        return value.item(), weights.grad.numpy()

    start = np.zeros(X.shape[1])
    return minimize(loss, start, jac=True, method="BFGS", options={"gtol": 1e-9}).x


class TestFitShortcut:
    @pytest.mark.parametrize("n_folds", [0, 2])
    @pytest.mark.parametrize("has_bends", [False, True])
    def test_finds_the_order(self, n_folds, has_bends):
        X, target = make_data(n_groups=200, noise=0.1)
        shortcut = Shortcut(2, 3, bends_of(X) if has_bends else None, None)
        fit_shortcut(shortcut, make_sample(X, target, n_folds), LOSSES["ranknet"])
        for scores in scores_of(shortcut, X):
            by_group = scores.view(-1, SIZE)
            assert (by_group.diff(dim=1) > 0).float().mean() > 0.9

    def test_linear_is_the_ridge_fit(self):
        X, target = make_data()
        X = X * torch.tensor([1.0, 10.0, 0.1])
        shortcut = Shortcut(2, 3, None, None)
        fit_shortcut(shortcut, make_sample(X, target), LOSSES["ranknet"])
        inside = (X.view(-1, SIZE, 3) - X.view(-1, SIZE, 3).mean(1, True)).numpy()
        unit = 1 / np.sqrt((inside**2).sum((0, 1)) / (len(X) - N_GROUPS))
        scaled = X * torch.tensor(unit).float()
        penalty = dict(_CANDIDATES[:1])[False] / len(X)
        expected = ridge_fit(scaled.double(), target, penalty) * unit
        for weight in shortcut.weight.detach()[:, 0]:
            assert_allclose(weight, expected, rtol=1e-3)

    @pytest.mark.parametrize("has_bends", [False, True])
    def test_features_without_weight_need_not_be_computed(self, has_bends):
        X, _ = make_data()
        bends = bends_of(X) if has_bends else None
        shortcut = Shortcut(2, 3, bends, None, missing_features=[1, 2])
        generator = torch.Generator().manual_seed(0)
        kept = torch.tensor([0, 2])
        with torch.no_grad():
            shortcut.weight[..., kept] = torch.randn(
                shortcut.weight[..., kept].shape, generator=generator
            )
            shortcut.missing_weight[:, 1] = 0.7
            missing = (torch.rand(len(X), 2, generator=generator) < 0.3).to(X)
            before = shortcut.weight.clone()
            found = shortcut.of_features(kept)(X[:, kept], missing)
            assert_allclose(found, shortcut(X, missing), atol=1e-5)
            assert_array_equal(shortcut.weight, before)
            assert len(list(shortcut.parameters())) == 2

    def test_members_that_leave_out_nothing_agree(self):
        X, target = make_data()
        shortcut = Shortcut(3, 3, bends_of(X), None)
        fit_shortcut(shortcut, make_sample(X, target), LOSSES["ranknet"])
        assert torch.equal(shortcut.weight[0], shortcut.weight[2])

    def test_member_does_not_see_what_it_leaves_out(self, monkeypatch):
        """Its candidates, that is: all groups tell their shares, and the strengths."""
        ones = np.ones(3)
        monkeypatch.setattr(shortcut_fit, "strengths", lambda *args: (ones, None))
        X, target = make_data(n_groups=200)
        mixed = X.clone()
        left_out = make_sample(X, target, n_folds=4).target.fold == 1
        mixed[left_out] = X[left_out][:, [0, 2, 1]]
        directions = []
        for features in (X, mixed):
            shortcut = Shortcut(4, 3, None, None)
            sample = make_sample(features, target, n_folds=4)
            fit_shortcut(shortcut, sample, LOSSES["ranknet"])
            weight = shortcut.weight.detach()[:, 0]
            directions.append(weight / weight.norm(dim=1, keepdim=True))
        turned = (directions[1] - directions[0]).norm(dim=1)
        assert turned[1] < 0.01
        assert (turned[[0, 2, 3]] > 0.1).all()

    @torch.no_grad()
    def test_candidate_of_a_member_does_not_see_what_it_leaves_out(self):
        X, target = make_data(n_groups=100)
        weights = []
        for turned in (False, True):
            columns = torch.cat([X, *bends_of(X).columns(X)], dim=1)
            sample = make_sample(X, target, n_folds=4)
            if turned:
                columns[sample.target.fold == 1] *= -1
            with torch.enable_grad():
                weights.append(
                    fit_members(sample, columns, LOSSES["ranknet"], 0.1, None, 4)
                )
        moved = (weights[1] - weights[0]).abs().amax(dim=1) / weights[0].abs().max()
        # A fit starts from that of all groups, and ends within a tolerance.
        assert moved[1] < 0.01
        assert (moved[[0, 2, 3]] > 0.1).all()

    def test_curve_needs_bends(self):
        rng = np.random.default_rng(0)
        X = rng.normal(size=(300, SIZE, 1))
        X = np.take_along_axis(X, np.argsort(-(X**2), axis=1), axis=1).reshape(-1, 1)
        X, target = torch.from_numpy(X).float(), make_data(n_groups=300)[1]
        accuracy = {}
        for kind, bends in {"line": None, "bends": bends_of(X, 8)}.items():
            shortcut = Shortcut(2, 1, bends, None)
            fit_shortcut(shortcut, make_sample(X, target, 2), LOSSES["ranknet"])
            steps = scores_of(shortcut, X).view(2, -1, SIZE).diff(dim=2)
            accuracy[kind] = (steps > 0).float().mean()
        assert accuracy["line"] < 0.6
        assert accuracy["bends"] > 0.85

    def test_is_level_beyond_what_was_seen_but_for_its_line(self):
        X, target = make_data()
        shortcut = Shortcut(1, 3, bends_of(X), None)
        fit_shortcut(shortcut, make_sample(X, target), LOSSES["ranknet"])
        far = X.max(dim=0).values + torch.arange(3.0)[:, None]
        steps = scores_of(shortcut, far).diff(dim=1)
        line = shortcut.weight.detach()[0, 0].sum()
        assert_allclose(steps, np.full((1, 2), line), rtol=1e-4)

    @pytest.mark.parametrize("has_bends", [False, True])
    @pytest.mark.parametrize("n_folds", [0, 2])
    def test_constraints_hold(self, has_bends, n_folds):
        X, target = make_data()
        # Against what the data say of the first two.
        signs = torch.tensor([-1.0, 1.0, 0.0])
        shortcut = Shortcut(2, 3, bends_of(X) if has_bends else None, signs)
        fit_shortcut(shortcut, make_sample(X, target, n_folds), LOSSES["ranknet"])
        weight = shortcut.weight.detach()
        assert (weight[..., 0] <= 0).all()
        assert (weight[..., 1] >= 0).all()
        assert (weight[..., 2] != 0).any()

    def test_feature_without_spread_inside_groups_weighs_nothing(self):
        X, target = make_data()
        X[:, 2] = 0.0
        shortcut = Shortcut(1, 3, bends_of(X), None)
        fit_shortcut(shortcut, make_sample(X, target), LOSSES["ranknet"])
        assert not shortcut.weight[..., 2].any()
        assert torch.isfinite(shortcut.weight).all()


def make_network(shortcut):
    """A network of two members, linear in three features."""
    parameters = SimpleNamespace(
        n_members=2,
        hidden_layer_sizes=(),
        shortcut=shortcut,
        batch_norm=False,
        dropout=0.0,
        input_dropout=0.0,
        output_activation="identity",
        monotonic_cst=None,
    )
    scaling = InputScaling(np.zeros(3), np.ones(3), np.ones(3), None)
    torch.manual_seed(0)
    return ScoreNetwork(scaling, None, parameters)


def net_of(network, n_folds=2):
    return SimpleNamespace(
        module_=network,
        criterion_=PairwiseLogisticLoss(),
        device="cpu",
        n_folds=n_folds,
    )


class TestShortcutScores:
    @torch.no_grad()
    @pytest.mark.parametrize("rows_at_a_time", [7, 150, 1000])
    def test_are_those_of_the_network(self, rows_at_a_time):
        rng = np.random.default_rng(0)
        X = rng.normal(size=(150, 3))
        items = TrainingItems.of(
            X,
            # Rows apart from their items' order, and chunks that cut groups.
            group=rng.permutation(np.arange(150) // 5),
            preference=rng.normal(size=150),
            weight=np.ones(150),
            parents=np.arange(150)[:, None],
            judged=np.ones(150, bool),
        )
        packed = PackedGroups(items, lambda group, preference: preference)
        network = make_network("linear")
        network.shortcut.weight.normal_()
        scores = shortcut_scores(network, packed, "cpu", rows_at_a_time)
        scaled = torch.from_numpy(X[packed.row]).float()
        assert_allclose(scores.T, network.shortcut(scaled)[..., 0], rtol=1e-5)
        without, target = packed.batch(np.arange(4, 9))
        packed.shortcut_scores = scores
        known, _ = packed.batch(np.arange(4, 9))
        assert len(target.level) == 25
        assert_allclose(network(**known), network(without), rtol=1e-4, atol=1e-5)


class TestWeighAndCenter:
    @pytest.mark.parametrize("useful", ["layers", "shortcut"])
    def test_parts_get_what_they_are_worth(self, useful):
        X, target = make_data(n_groups=400)
        network = make_network("linear")
        good, bad = torch.tensor(TRUTH).float(), torch.tensor([0.0, 0.0, 1.0])
        with torch.no_grad():
            of_layers = good if useful == "layers" else bad
            of_shortcut = bad if useful == "layers" else good
            network.output.weight[:] = of_layers[:, None]
            network.shortcut.weight[:] = of_shortcut
        weigh_and_center(net_of(network), make_sample(X, target, 2))
        layers = network.output.weight.detach()[..., 0]
        shortcut = network.shortcut.weight.detach()[:, 0]
        kept, dropped = layers, shortcut
        if useful == "shortcut":
            kept, dropped = shortcut, layers
        assert_allclose(kept, np.tile(TRUTH, (2, 1)), atol=0.3)
        assert_allclose(dropped, 0, atol=0.15)

    def test_only_the_offset_changes_where_nothing_is_left_out(self):
        X, target = make_data()
        network = make_network("linear")
        before = {name: w.clone() for name, w in network.state_dict().items()}
        net = net_of(network, n_folds=0)
        weigh_and_center(net, make_sample(X + 3, target))
        assert net.std_factor == 1.0
        for name, weight in network.state_dict().items():
            assert torch.equal(weight, before[name]) == (name != "output.bias")
        scores = network(X + 3).detach()
        assert_allclose(scores.mean(dim=1), 0, atol=1e-6)

    def test_layers_alone_are_scaled(self):
        X, target = make_data(n_groups=400)
        network = make_network(None)
        with torch.no_grad():
            network.output.weight[:] = 10 * torch.tensor(TRUTH).float()[:, None]
        weigh_and_center(net_of(network), make_sample(X, target, 2))
        assert_allclose(network.output.weight.detach()[0, :, 0], TRUTH, atol=0.4)


def gradient_by_definition(scores, loss):
    """Of one member, its groups sorted by level; judged pairs count alike."""
    by_group = scores.reshape(-1, SIZE)
    gradient = np.zeros_like(by_group)
    if loss == "listnet":
        gradient += softmax(by_group, axis=1)
        gradient[:, -1] -= 1
        return gradient.ravel() / len(by_group)
    for worse, better in zip(*np.triu_indices(SIZE, 1), strict=True):
        lost = expit(by_group[:, worse] - by_group[:, better])
        gradient[:, worse] += lost
        gradient[:, better] -= lost
    return gradient.ravel() / len(by_group) / comb(SIZE, 2)


def factor_by_definition(scores, fold, loss):
    """The two estimates of the variance, each over the variance over members."""
    k, mean = len(scores), scores.mean(axis=0)
    gradient = gradient_by_definition(mean, loss)
    from_data = spread = 0.0
    for member, score in enumerate(scores):
        others = np.delete(scores, member, axis=0).mean(axis=0)
        own = fold == member
        from_data += gradient[own] @ (score - others)[own] * (k - 1) / k
        steeper = gradient_by_definition(score, loss) - gradient
        spread += steeper @ (score - mean) / (k - 1)
    return from_data / spread, (k - 1) ** 2 / k


class TestStdFactor:
    def members(self, n_folds, chance=0.0, n_groups=200, penalty=0.001, loss="ranknet"):
        """Linear members that left out a fold, and chance in the weights of each."""
        X, target = make_data(n_groups=n_groups)
        sample = make_sample(X, target, n_folds)
        weights = fit_members(sample, X, LOSSES[loss], penalty, None, n_folds)
        rng = np.random.default_rng(0)
        weights += chance * torch.from_numpy(rng.normal(size=weights.shape)).float()
        return weights @ X.T, sample

    @pytest.mark.parametrize("loss", LOSSES)
    @pytest.mark.parametrize("n_folds", [5, 10])
    @pytest.mark.parametrize(
        ("chance", "penalty", "expected"),
        [(0.0, 0.3, "jackknife"), (0.05, 0.001, "from data"), (3.0, 0.001, "least")],
    )
    def test_is_the_smaller_of_the_two(self, loss, n_folds, chance, penalty, expected):
        scores, sample = self.members(n_folds, chance, penalty=penalty, loss=loss)
        from_data, jackknife = factor_by_definition(
            scores.double().numpy(), sample.target.fold.numpy(), loss
        )
        known = {"jackknife": jackknife, "from data": from_data, "least": 1 / n_folds}
        assert sorted(known.values())[1] == known[expected]
        factor = std_factor(scores, sample, LOSSES[loss])
        assert factor**2 == pytest.approx(known[expected], rel=2e-3)

    @pytest.mark.parametrize("loss", LOSSES)
    @pytest.mark.parametrize("n_folds", [2, 5, 10])
    def test_both_agree_without_a_penalty_and_chance(self, loss, n_folds):
        scores, sample = self.members(n_folds, loss=loss)
        factor = std_factor(scores, sample, LOSSES[loss])
        assert factor == pytest.approx((n_folds - 1) / np.sqrt(n_folds), rel=0.03)

    @pytest.mark.parametrize("loss", LOSSES)
    def test_chance_in_the_weights_is_no_part_of_the_error(self, loss):
        error, spread = [], []
        for chance in (0.0, 0.05):
            scores, sample = self.members(10, chance, loss=loss)
            spread.append(float(scores.std(dim=0).mean()))
            error.append(std_factor(scores, sample, LOSSES[loss]) * spread[-1])
        assert spread[1] > 1.3 * spread[0]
        assert error[1] == pytest.approx(error[0], rel=0.15)

    def test_is_the_error_over_fresh_data(self):
        """Of the weights, which differ between members by what they leave out."""
        fits, stated = [], []
        for seed in range(60):
            X, target = make_data(seed)
            sample = make_sample(X, target, 5)
            weights = fit_members(sample, X, LOSSES["ranknet"], 0.001, None, 5)
            factor = std_factor(weights @ X.T, sample, LOSSES["ranknet"])
            fits.append(weights.mean(dim=0).numpy())
            stated.append(factor * weights.std(dim=0).numpy())
        error = np.sqrt(np.mean(np.square(stated), axis=0))
        assert_allclose(np.std(fits, axis=0, ddof=1), error, rtol=0.3)

    def test_synthetic_items_do_not_count(self):
        scores, sample = self.members(5, 0.05)
        expected = std_factor(scores, sample, LOSSES["ranknet"])
        # People judged the lower three of each group, so the level is no other.
        judged = torch.arange(scores.shape[1]) % SIZE < 3
        level = torch.where(judged, sample.target.level, 3)
        both = [
            ScaledSample(sample.X, sample.target._replace(**change), judged)
            for change in ({}, {"level": level, "weight": 2.0 * judged})
        ]
        factors = [std_factor(scores, each, LOSSES["ranknet"]) for each in both]
        assert factors[0] == pytest.approx(factors[1], rel=1e-5)
        assert factors[0] != pytest.approx(expected, rel=1e-3)

    def test_without_folds_nothing_is_scaled(self):
        X, target = make_data()
        scores = torch.randn(5, len(X))[:0]
        assert std_factor(scores, make_sample(X, target), LOSSES["ranknet"]) == 1.0

    @pytest.mark.parametrize("sample", ["of one fold", "of equal scores"])
    def test_without_a_second_estimate_the_jackknife_stands(self, sample):
        X, target = make_data()
        scores = torch.zeros(5, len(X))
        drawn = make_sample(X, target, 5)
        if sample == "of one fold":
            scores = torch.randn(5, len(X))
            drawn = make_sample(X, target, 1)
        factor = std_factor(scores, drawn, LOSSES["ranknet"])
        assert factor == pytest.approx(4 / np.sqrt(5))
