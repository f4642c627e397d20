"""Constraints of a fitted ranker: a metric that may not lower, or raise, the score."""

import re

import numpy as np
import pandas as pd
import pytest
from cases import quick
from numpy.testing import assert_array_equal

from sklearn_pscore import Groups


class TestMonotonicConstraints:
    """After a fit to what goes against them; for any weights in test_network."""

    @staticmethod
    def made_against(seed=0):
        """The first metric lowers the preference, the second raises it, both curved."""
        rng = np.random.default_rng(seed)
        X = rng.normal(size=(300, 4))
        bent = np.abs(X[:, 2]) - X[:, 0] ** 3 / 4 + np.abs(X[:, 1] + 1)
        groups = Groups.from_arrays(group=np.arange(300) // 6, preference=bent)
        return X, groups

    @pytest.mark.parametrize(
        "settings",
        [
            {},
            {"sizes": ()},
            {"sizes": (8, 4), "shortcut": "linear"},
            {"shortcut": None, "batch_norm": True, "sizes": (8, 4), "max_epochs": 40},
            {"batch_norm": True, "output_activation": "relu6"},
            {"loss": "listnet"},
            {"loss": "lambdarank"},
            {"early_stopping": True},
            {"input_clip": None},
        ],
        ids=str,
    )
    @pytest.mark.parametrize("kind", ["array", "dict"])
    def test_hold_after_fit(self, settings, kind):
        X, groups = self.made_against()
        names = ["a", "b", "c", "d"]
        constraints = np.array([1, -1, 0, 1])
        cst = constraints
        if kind == "dict":
            cst = {"d": 1, "b": -1, "a": 1}
        ranker = quick(
            monotonic_cst=cst, learning_rate_init=0.05, batch_size=60, **settings
        )
        ranker.fit(pd.DataFrame(X, columns=names) if kind == "dict" else X, groups)

        def score(X):
            return ranker.predict(
                pd.DataFrame(X, columns=names) if kind == "dict" else X
            )

        rng = np.random.default_rng(1)
        here = rng.normal(size=(2000, 4)) * 10 ** rng.uniform(-1, 2, size=(2000, 4))
        before = score(here)
        for feature, sign in enumerate(constraints):
            further = here.copy()
            further[:, feature] += 10 ** rng.uniform(-2, 3, size=2000)
            change = score(further) - before
            if sign:
                assert (sign * change).min() >= -1e-9
        inside = X.copy()
        inside[:, 2] += 1.0
        change = score(inside) - score(X)
        if settings.get("shortcut") != "linear":
            # A few epochs of the layers alone do not bend a line.
            assert change.min() < 0 < change.max()

    def test_partial_fit_keeps_them(self):
        X, groups = self.made_against()
        ranker = quick(monotonic_cst=[1, -1, 0, 1], learning_rate_init=0.1)
        for _ in range(5):
            ranker.partial_fit(X, groups)
        higher = ranker.predict(X + [1.0, 0.0, 0.0, 0.0])
        assert (higher - ranker.predict(X)).min() >= -1e-9

    def test_constraint_that_is_true_costs_nothing(self, data):
        X, groups = data
        ranker = quick(monotonic_cst=[1, -1, 0], max_epochs=20).fit(X, groups)
        assert ranker.score(X, groups) > 0.95

    @pytest.mark.parametrize("shortcut", ["additive", "linear"])
    @pytest.mark.parametrize("loss", ["ranknet", "lambdarank", "listnet"])
    def test_features_that_vary_between_groups_only(self, data, shortcut, loss):
        _, groups = data
        X = np.column_stack([groups["group"] * 1.0, np.ones(150), groups["group"] % 3])
        settings = {"shortcut": shortcut, "loss": loss}
        with pytest.warns(UserWarning, match="No metric may tell the items"):
            free = quick(**settings).fit(X, groups)
        with pytest.warns(UserWarning, match="No metric may tell the items"):
            bound = quick(monotonic_cst=[1, -1, 0], **settings).fit(X, groups)
        assert_array_equal(bound.net_.module_.shortcut.weight.detach(), 0.0)
        assert bound.score(X, groups) == free.score(X, groups) == 0.5

    def test_unconstrained_is_as_none(self, data):
        X, groups = data
        zeros = quick(monotonic_cst=[0, 0, 0]).fit(X, groups)
        assert_array_equal(zeros.predict(X), quick().fit(X, groups).predict(X))

    @pytest.mark.parametrize(
        ("cst", "message"),
        [
            ([1, 0], "monotonic_cst has shape (2,) but X has 3 features"),
            (
                {"SSIM": 1},
                "monotonic_cst is a dict of feature names but X has no names",
            ),
            ([1, 0, 3], "expected -1 (larger never raises the score)"),
        ],
    )
    def test_what_does_not_fit_is_refused(self, data, cst, message):
        ranker = quick().fit(*data)
        before = dict(vars(ranker))
        ranker.set_params(monotonic_cst=cst)
        with pytest.raises(ValueError, match=re.escape(message)):
            ranker.fit(*data)
        assert vars(ranker) == before | {"monotonic_cst": cst}
