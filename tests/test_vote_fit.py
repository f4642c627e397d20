"""What is learnt from votes: each vote counts once, ties and who was first apart."""

import pickle
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import expit
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_pscore import (
    Groups,
    LinearPreferenceRanker,
    PairAugmenter,
    PairwisePreferenceRanker,
    StackedRanker,
)
from sklearn_pscore._target.check import check_groups
from sklearn_pscore._torch.losses.terms import fit_terms
from sklearn_pscore._torch.losses.votes import PackedVotes, VoteLoss, VoteTerms
from sklearn_pscore.model_selection import PreferenceGroupKFold

WEIGHTS = np.array([1.5, -1.0, 0.5, 0.0])
N_PROMPTS, N_SYSTEMS = 60, 6


def make_arena(n_votes=3000, nu=1.0, first_bias=0.0, seed=0, **options):
    """Return metrics, votes by Davidson's model, and the true scores."""
    rng = np.random.RandomState(seed)
    X = rng.normal(size=(N_PROMPTS * N_SYSTEMS, 4))
    score = X @ WEIGHTS
    prompt = rng.randint(N_PROMPTS, size=n_votes)
    left = rng.randint(N_SYSTEMS, size=n_votes)
    right = (left + rng.randint(1, N_SYSTEMS, size=n_votes)) % N_SYSTEMS
    d = score[prompt * N_SYSTEMS + left] - score[prompt * N_SYSTEMS + right]
    d += first_bias
    total = np.exp(d / 2) + np.exp(-d / 2) + nu
    u = rng.uniform(size=n_votes) * total
    worth = np.where(u < np.exp(d / 2), 1.0, np.where(u < np.exp(d / 2) + nu, 0.5, 0.0))
    votes = {"prompt": prompt, "left": left, "right": right, "winner": worth}
    items = {
        "prompt": np.repeat(np.arange(N_PROMPTS), N_SYSTEMS),
        "system": np.tile(np.arange(N_SYSTEMS), N_PROMPTS) + 10,
    }
    votes["left"], votes["right"] = left + 10, right + 10
    return X, Groups.from_votes(votes, items, **options), score


X, GROUPS, SCORE = make_arena()
QUICK = {"n_members": 2, "max_epochs": 15, "random_state": 0}


def slope(found):
    return np.polyfit(SCORE, found, 1)[0]


class TestLoss:
    def votes(self):
        number = {"dtype": torch.float64}
        return PackedVotes(
            torch.tensor([0, 1, 2, 4]),
            torch.tensor([1, 2, 0, 3]),
            torch.tensor([3.0, 1.0, 0.0, 2.0], **number),
            torch.tensor([1.0, 2.0, 2.0, 0.0], **number),
            torch.tensor([1.0, 0.0, 2.0, 3.0], **number),
            torch.tensor([1.0, -1.0, 1.0, 1.0], **number),
        )

    @pytest.mark.parametrize("order_bias", [False, True])
    @pytest.mark.parametrize("ties", ["davidson", "half", "ignore"])
    def test_value_and_gradient(self, ties, order_bias):
        torch.manual_seed(0)
        terms = VoteTerms(order_bias).double()
        terms.log_nu.data.fill_(0.3)
        bias = 0.0
        if order_bias:
            bias = 0.4
            terms.first_bias.data.fill_(bias)
        votes = self.votes()
        scores = torch.randn(2, 5, dtype=torch.float64, requires_grad=True)
        loss = VoteLoss(ties, terms)
        used = [terms.log_nu] if ties == "davidson" else []
        used += [terms.first_bias] if order_bias else []
        assert torch.autograd.gradcheck(
            lambda scores, *_: loss(scores, SimpleNamespace(votes=votes)),
            (scores, *used),
        )
        value = 0.0
        for row in scores.detach().numpy():
            total = 0.0
            for a, b, win, lose, tie, side in zip(
                *(each.tolist() for each in votes), strict=True
            ):
                d = row[a] - row[b] + bias * side
                if ties == "davidson":
                    parts = np.array([np.exp(d / 2), np.exp(-d / 2), np.exp(0.3)])
                    chance = parts / parts.sum()
                    value -= np.log(chance) @ [win, lose, tie]
                    total += win + lose + tie
                else:
                    half = tie / 2 if ties == "half" else 0.0
                    value -= (win + half) * np.log(expit(d))
                    value -= (lose + half) * np.log(expit(-d))
                    total += win + lose + 2 * half
        expected = value / total
        assert_allclose(
            float(loss(scores, SimpleNamespace(votes=votes)).detach()), expected
        )

    def test_large_differences(self):
        votes = self.votes()
        terms = VoteTerms().double()
        scores = torch.tensor(
            [[1e5, -1e5, 0.0, 3e4, 5.0]], dtype=torch.float64, requires_grad=True
        )
        for ties in ("davidson", "half", "ignore"):
            loss = VoteLoss(ties, terms)(scores, SimpleNamespace(votes=votes))
            loss.backward()
            assert torch.isfinite(loss)
            assert torch.isfinite(scores.grad).all()


class TestPairwise:
    @pytest.mark.parametrize(
        ("ties", "low", "high"),
        [("auto", 0.9, 1.1), ("ignore", 0.9, 1.1), ("half", 0.55, 0.75)],
    )
    def test_strengths_are_those_of_the_truth(self, ties, low, high):
        ranker = PairwisePreferenceRanker(random_state=0, n_members=3, ties=ties)
        found = ranker.fit(X, GROUPS).predict(X)
        assert np.corrcoef(found, SCORE)[0, 1] > 0.98
        # With a third of ties, half a win for each shrinks what lies between.
        assert low < slope(found) < high

    def test_probability_of_a_tie(self):
        ranker = PairwisePreferenceRanker(**QUICK).fit(X, GROUPS)
        tie, win = (
            ranker.tie_proba(X[:6], X[6:12]),
            ranker.preference_proba(X[:6], X[6:12]),
        )
        d = SCORE[:6] - SCORE[6:12]
        truth = 1 / (np.exp(d / 2) + np.exp(-d / 2) + 1)
        assert_allclose(tie, truth, atol=0.08)
        assert_allclose(win, expit(d), atol=0.15)
        assert_allclose(tie, ranker.tie_proba(X[6:12], X[:6]))

    def test_no_tie_was_voted(self):
        X, groups, _ = make_arena(500, nu=0.0)
        ranker = PairwisePreferenceRanker(**QUICK).fit(X, groups)
        assert_array_equal(ranker.tie_proba(X[:3], X[3:6]), 0.0)

    def test_order_bias(self):
        X, groups, score = make_arena(first_bias=0.8, order=True)
        ranker = PairwisePreferenceRanker(order_bias=True, **QUICK).fit(X, groups)
        assert abs(ranker.order_bias_ - 0.8) < 3 * ranker.order_bias_std_
        assert 0.02 < ranker.order_bias_std_ < 0.1
        assert np.corrcoef(ranker.predict(X), score)[0, 1] > 0.97
        none = PairwisePreferenceRanker(order_bias=True, **QUICK).fit(
            *make_arena(order=True)[:2]
        )
        assert abs(none.order_bias_) < 3 * none.order_bias_std_

    def test_standard_error_of_the_order_bias_goes_by_blocks(self):
        # Each block has the same votes four times, in four groups.
        rng = np.random.RandomState(0)
        n, n_copies = 600, 4
        prompt, left = rng.randint(40, size=(2, n))
        left %= 4
        right = (left + rng.randint(1, 4, size=n)) % 4
        X = rng.normal(size=(160, 2))
        copy = np.repeat(np.arange(n_copies), n)
        votes = {
            "prompt": np.tile(prompt, n_copies) + 40 * copy,
            "left": np.tile(left, n_copies),
            "right": np.tile(right, n_copies),
            "winner": np.tile(rng.uniform(size=n) < 0.6, n_copies).astype(float),
        }
        items = pd.DataFrame(
            {
                "prompt": np.repeat(np.arange(40 * n_copies), 4),
                "system": np.tile(np.arange(4), 40 * n_copies),
            }
        )
        items["portrait"] = items["prompt"] % 40
        options = {"hidden_layer_sizes": (), "shortcut": "linear", "n_members": 1}
        ranker = PairwisePreferenceRanker(
            order_bias=True, max_epochs=1, random_state=0, **options
        )
        found = [
            clone(ranker)
            .fit(
                np.tile(X, (n_copies, 1)),
                Groups.from_votes(votes, items, block=block, order=True),
            )
            .order_bias_std_
            for block in ("portrait", None)
        ]
        assert_allclose(found[0], 2 * found[1], rtol=0.03)

    def test_standard_error_of_the_order_bias_is_that_of_other_votes(self):
        found, stated = [], []
        for seed in range(12):
            X, groups, _ = make_arena(600, first_bias=0.5, seed=seed, order=True)
            ranker = PairwisePreferenceRanker(
                hidden_layer_sizes=(),
                shortcut="linear",
                order_bias=True,
                n_members=1,
                max_epochs=2,
                random_state=0,
            ).fit(X, groups)
            found.append(ranker.order_bias_)
            stated.append(ranker.order_bias_std_)
        assert 0.6 < np.std(found) / np.mean(stated) < 1.6

    def test_row_order(self):
        mixed = np.random.RandomState(0).permutation(len(X))
        ranker = PairwisePreferenceRanker(**QUICK)
        one = clone(ranker).fit(X, GROUPS).predict(X)
        other = clone(ranker).fit(X[mixed], GROUPS[mixed]).predict(X)
        assert np.corrcoef(one, other)[0, 1] > 0.999

    def test_weights_multiply_votes(self):
        dtype = [*GROUPS.dtype.descr, ("weight", "<f8")]
        weighed = np.empty(len(GROUPS), dtype=dtype)
        for name in GROUPS.dtype.names:
            weighed[name] = GROUPS[name]
        weighed["weight"] = 2.0
        ranker = PairwisePreferenceRanker(**QUICK)
        assert_array_equal(
            clone(ranker).fit(X, weighed).predict(X),
            clone(ranker).fit(X, GROUPS).predict(X),
        )
        without = GROUPS["item"] != 12
        weighed["weight"] = np.where(without, 1.0, 0.0)
        assert_allclose(
            clone(ranker).fit(X, Groups.whole(weighed)).predict(X),
            clone(ranker).fit(X[without], Groups.whole(GROUPS[without])).predict(X),
            atol=1e-4,
        )

    def test_a_vote_weighs_the_product_of_its_two_rows(self):
        weight = np.where(GROUPS["item"] < 13, 3.0, 1.0)
        weighed = np.empty(len(GROUPS), dtype=[*GROUPS.dtype.descr, ("weight", "<f8")])
        for name in GROUPS.dtype.names:
            weighed[name] = GROUPS[name]
        weighed["weight"] = weight
        # The same as votes that count as often.
        votes = check_groups(GROUPS).votes
        factor = weight[votes.first] * weight[votes.second]
        counted = GROUPS.copy()
        pairs = zip(votes.first.tolist(), votes.second.tolist(), strict=True)
        by_pair = dict(zip(pairs, factor.tolist(), strict=True))
        for row, rivals in enumerate(GROUPS["rival"].tolist()):
            for place, rival in enumerate(rivals):
                times = by_pair.get((row, rival), 0.0)
                for name in ("wins", "ties", "votes"):
                    counted[name][row, place] *= times
        ranker = PairwisePreferenceRanker(**QUICK)
        assert_allclose(
            clone(ranker).fit(X, weighed).predict(X),
            clone(ranker).fit(X, counted).predict(X),
            atol=1e-3,
        )

    @pytest.mark.parametrize("bias", [None, 0.7])
    def test_terms_are_the_best_for_the_scores(self, bias):
        rng = np.random.RandomState(0)
        scores = torch.from_numpy(rng.normal(size=6))
        first, second = np.triu_indices(6, 1)
        counts = torch.from_numpy(rng.randint(1, 9, size=(3, len(first))).astype(float))
        side = None if bias is None else torch.from_numpy(rng.choice([-1.0, 1.0], 15))
        ends = torch.from_numpy(first), torch.from_numpy(second)
        target = SimpleNamespace(votes=PackedVotes(*ends, *counts, side))
        terms = VoteTerms(order_bias=bias is not None).double()
        loss = VoteLoss("davidson", terms)
        fit_terms(loss, scores, target)
        best = float(loss(scores, target).detach())
        for term in terms.parameters():
            for step in (-0.01, 0.01):
                term.data += step
                assert float(loss(scores, target).detach()) > best
                term.data -= step

    def test_ties_are_learnt_at_the_start(self):
        # With a single epoch of nothing, only the start tells how common ties are.
        ranker = PairwisePreferenceRanker(
            hidden_layer_sizes=(),
            shortcut="linear",
            max_epochs=1,
            learning_rate_init=1e-12,
            n_members=1,
            random_state=0,
        ).fit(X, GROUPS)
        nu = float(ranker.net_.module_.vote_terms.log_nu.detach().exp())
        assert 0.8 < nu < 1.25
        # The ridge of the start shrinks a little.
        assert 0.8 < slope(ranker.predict(X)) < 1.1

    def test_rows_without_votes_are_as_if_not_there(self):
        X, groups, _ = make_arena(60)
        unjudged = np.isnan(groups["preference"])
        assert unjudged.any()
        ranker = PairwisePreferenceRanker(**QUICK)
        assert_array_equal(
            clone(ranker).fit(X, groups).predict(X),
            clone(ranker).fit(X[~unjudged], groups[~unjudged]).predict(X),
        )

    def test_batches_of_groups(self):
        ranker = PairwisePreferenceRanker(batch_size=30, n_members=2, random_state=0)
        found = ranker.fit(X, GROUPS).predict(X)
        assert np.corrcoef(found, SCORE)[0, 1] > 0.97

    def test_pieces_of_one_group(self):
        rng = np.random.RandomState(0)
        n = 400
        X = rng.normal(size=(n, 3))
        score = X @ [1.0, -1.0, 0.0]
        left, right = rng.randint(n, size=(2, 4000))
        kept = left != right
        left, right = left[kept], right[kept]
        worth = rng.uniform(size=len(left)) < expit(score[left] - score[right])
        votes = {"left": left, "right": right, "winner": worth.astype(float)}
        items = {"system": np.arange(n) + 5}
        votes["left"], votes["right"] = left + 5, right + 5
        groups = Groups.from_votes(votes, items, on=())
        ranker = PairwisePreferenceRanker(batch_size=50, **QUICK)
        from sklearn_pscore._torch.net import GroupNet

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(GroupNet, "max_batch_bytes", 2**18)
            found = ranker.fit(X, groups).predict(X)
        assert np.corrcoef(found, score)[0, 1] > 0.95

    def test_early_stopping_looks_at_votes(self):
        ranker = PairwisePreferenceRanker(
            early_stopping=True, n_members=1, max_epochs=20, random_state=0
        ).fit(X, GROUPS)
        assert len(ranker.history_["valid_loss"]) <= 20
        assert np.isfinite(ranker.history_["valid_loss"]).all()
        X_val, y_val, _ = make_arena(500, seed=1)
        ranker.fit(X, GROUPS, X_val=X_val, y_val=y_val)
        assert ranker.history_["valid_loss"][-1] > 0

    def test_partial_fit_and_warm_start(self):
        ranker = PairwisePreferenceRanker(**QUICK)
        for _ in range(30):
            ranker.partial_fit(X, GROUPS)
        assert np.corrcoef(ranker.predict(X), SCORE)[0, 1] > 0.9
        again = PairwisePreferenceRanker(warm_start=True, **QUICK).fit(X, GROUPS)
        again.fit(X, GROUPS)
        assert len(again.history_["epoch"]) == 30
        plain = Groups.from_arrays(
            group=GROUPS["group"], preference=np.nan_to_num(GROUPS["preference"])
        )
        with pytest.raises(ValueError, match="has preferences, but the fitted network"):
            again.fit(X, plain)

    def test_a_part_without_ties_says_that_they_are_rare(self):
        decided = make_arena(nu=1e-9, seed=1)[1]
        ranker = PairwisePreferenceRanker(**QUICK).partial_fit(X, GROUPS)
        before = ranker.tie_proba(X[:1], X[:1])
        ranker.partial_fit(X, decided)
        assert 0 < ranker.tie_proba(X[:1], X[:1]) < before

    def test_pickles(self):
        ranker = PairwisePreferenceRanker(order_bias=True, **QUICK)
        ranker.fit(*make_arena(order=True)[:2])
        copied = pickle.loads(pickle.dumps(ranker))
        assert_array_equal(copied.predict(X), ranker.predict(X))
        assert_array_equal(copied.tie_proba(X, X[::-1]), ranker.tie_proba(X, X[::-1]))
        assert copied.order_bias_ == ranker.order_bias_
        assert copied.order_bias_std_ == ranker.order_bias_std_

    def test_no_pairs_of_preferences_are_learnt(self):
        # Two items of one strength that met a third alike are no pair.
        votes = {"left": ["a", "b"], "right": ["c", "c"], "winner": [1.0, 1.0]}
        groups = Groups.from_votes(votes, {"system": ["a", "b", "c"]}, on=())
        ranker = PairwisePreferenceRanker(**QUICK).fit([[1.0], [2.0], [0.0]], groups)
        assert ranker.n_pairs_ == 2


class TestOrderBiasError:
    def test_of_a_single_group_goes_by_pairs(self):
        rng = np.random.RandomState(0)
        X = rng.normal(size=(30, 2))
        left = rng.randint(30, size=600)
        right = (left + rng.randint(1, 30, size=600)) % 30
        chance = expit(X[left, 0] - X[right, 0] + 0.5)
        winner = (rng.uniform(size=600) < chance).astype(float)
        votes = {"left": left + 7, "right": right + 7, "winner": winner}
        items = {"system": np.arange(30) + 7}
        groups = Groups.from_votes(votes, items, on=(), order=True)
        ranker = PairwisePreferenceRanker(order_bias=True, **QUICK).fit(X, groups)
        # Of 600 votes whose variance is p (1 - p), some 0.2.
        assert_allclose(ranker.order_bias_std_, (600 * 0.2) ** -0.5, rtol=0.25)

    def test_is_not_known_after_a_part_of_a_fit(self):
        groups = make_arena(order=True)[1]
        ranker = PairwisePreferenceRanker(order_bias=True, **QUICK)
        assert np.isnan(ranker.partial_fit(X, groups).order_bias_std_)
        assert ranker.fit(X, groups).order_bias_std_ > 0


class TestErrors:
    def test_losses_of_orders(self):
        for loss in ("lambdarank", "listnet"):
            with pytest.raises(
                ValueError, match=f"loss='{loss}' with a target of votes"
            ):
                PairwisePreferenceRanker(loss=loss, **QUICK).fit(X, GROUPS)

    def test_davidson_without_votes(self):
        with pytest.raises(ValueError, match='ties="davidson", and the target has no'):
            PairwisePreferenceRanker(ties="davidson", **QUICK).fit(
                X[:3], [1.0, 2.0, 3.0]
            )

    def test_order_is_not_known(self):
        with pytest.raises(ValueError, match="does not know who was shown first"):
            PairwisePreferenceRanker(order_bias=True, **QUICK).fit(X, GROUPS)

    def test_synthetic_items(self):
        model = make_pipeline(
            PairAugmenter(stitch_sizes=(2,), max_stitched=2),
            PairwisePreferenceRanker(**QUICK),
        )
        with pytest.raises(ValueError, match=r"for which nobody voted"):
            model.fit(X, GROUPS)

    def test_nothing_was_decided(self):
        votes = {"left": ["a"], "right": ["b"], "winner": ["tie"]}
        groups = Groups.from_votes(votes, {"system": ["a", "b"]}, on=())
        for ties in ("auto", "ignore"):
            with pytest.raises(ValueError, match="of which none was decided"):
                PairwisePreferenceRanker(ties=ties, **QUICK).fit([[0.0], [1.0]], groups)

    def test_chance_of_a_tie_after_preferences(self):
        ranker = PairwisePreferenceRanker(**QUICK).fit(X[:3], [1.0, 2.0, 3.0])
        with pytest.raises(ValueError, match="tie_proba is of a fit to votes"):
            ranker.tie_proba(X[:1], X[1:2])
        with pytest.raises(AttributeError, match="order_bias_ is of a fit to votes"):
            _ = ranker.order_bias_
        half = PairwisePreferenceRanker(ties="half", **QUICK).fit(X, GROUPS)
        with pytest.raises(ValueError, match="learns no chance of a tie"):
            half.tie_proba(X[:1], X[1:2])
        with pytest.raises(AttributeError, match="fitted with order_bias=False"):
            _ = half.order_bias_


class TestOthers:
    def test_linear_ranker_is_a_logistic_regression_of_votes(self):
        votes = check_groups(GROUPS).votes
        rows = np.unique(np.concatenate([votes.first, votes.second]))
        scale = X[rows].std(axis=0)
        D = (X[votes.first] - X[votes.second]) / scale
        regression = LogisticRegression(
            fit_intercept=False, C=0.01, tol=1e-12, max_iter=10_000
        ).fit(
            np.concatenate([D, D]),
            np.repeat([1, 0], len(D)),
            sample_weight=np.concatenate([votes.wins, votes.losses]),
        )
        ranker = LinearPreferenceRanker(C=0.01).fit(X, GROUPS)
        assert_allclose(ranker.coef_ * scale, regression.coef_[0], atol=1e-6)

    def test_pairwise_without_layers_is_a_logistic_regression(self):
        ranker = PairwisePreferenceRanker(
            hidden_layer_sizes=(),
            shortcut="linear",
            ties="ignore",
            n_members=1,
            input_clip=None,
            weight_decay=0.0,
            max_epochs=400,
            batch_size=10_000,
            random_state=0,
        ).fit(X, GROUPS)
        found = np.linalg.lstsq(
            np.column_stack([X, np.ones(len(X))]), ranker.predict(X), rcond=None
        )[0][:-1]
        regression = LinearPreferenceRanker(C=1e6).fit(X, GROUPS)
        assert_allclose(found, regression.coef_, atol=0.02)

    def test_stack(self):
        members = [
            ("linear", LinearPreferenceRanker()),
            ("net", PairwisePreferenceRanker(**QUICK)),
        ]
        stack = StackedRanker(members, cv=2).fit(X, GROUPS)
        assert 0.85 < slope(stack.predict(X)) < 1.15

    def test_searches_and_folds(self):
        folds = PreferenceGroupKFold(3)
        search = GridSearchCV(
            make_pipeline(StandardScaler(), LinearPreferenceRanker()),
            {"linearpreferenceranker__C": [1e-6, 0.01]},
            cv=folds,
        ).fit(X, GROUPS)
        assert search.best_score_ > 0.8
        accuracy = cross_val_score(
            PairwisePreferenceRanker(**QUICK), X, GROUPS, cv=folds
        )
        assert (accuracy > 0.75).all()

    def test_a_table_of_names(self):
        frame = pd.DataFrame(X, columns=list("abcd"))
        ranker = LinearPreferenceRanker().fit(frame, GROUPS)
        votes = check_groups(GROUPS).votes
        assert ranker.n_pairs_ == np.sum(votes.wins + votes.losses > 0)
