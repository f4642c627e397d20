"""Accumulated local effects: a slow way to the same curves, and other models."""

import numpy as np
import pandas as pd
import pytest
from cases import default_of
from numpy.testing import assert_allclose
from planted_curves import GROUPS, NAMES, X, quick_ranker, value_at
from sklearn.ensemble import ExtraTreesRegressor, HistGradientBoostingRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

from sklearn_pscore import (
    Groups,
    GroupwiseRanker,
    LinearPreferenceRanker,
    PlainTarget,
    RankSumRanker,
    SingleMetricRanker,
    StackedRanker,
    TopCountRanker,
)
from sklearn_pscore.inspection import metric_curves

TREES = ExtraTreesRegressor(10, max_depth=4, random_state=0).fit(
    X, GROUPS["preference"]
)


def slow_curve(predict, table, name, points):
    """Return the curve as its definition has it, row by row."""
    column = table[name].to_numpy()
    steps = []
    for low, high in zip(points[:-1], points[1:], strict=True):
        effects = []
        for row in range(len(table)):
            value = column[row]
            if low < value <= high or (value == points[0] and low == points[0]):
                ends = pd.concat([table.iloc[[row]]] * 2)
                ends[name] = [low, high]
                effects.append(np.subtract(*predict(ends)[::-1]))
        steps.append(np.mean(effects))
    curve = np.concatenate([[0.0], np.cumsum(steps)])
    return curve - np.interp(column, points, curve).mean()


class TestDefinition:
    @pytest.mark.parametrize("name", ["up", "hump"])
    def test_slow_way(self, name):
        table, groups = X[:120], GROUPS[:120]
        curves = metric_curves(
            TREES, table, groups, n_points=7, n_boot=2, random_state=0
        )
        curve = curves.curves[name]
        points = curve["value"].to_numpy()
        # One interval for 20 rows.
        levels = [*np.linspace(0, 1, 7), 0.05, 0.95]
        ends = np.quantile(table[name], levels, method="inverted_cdf")
        assert points.tolist() == sorted(set(ends.tolist()))
        assert_allclose(curve["worth"], slow_curve(TREES.predict, table, name, points))

    def test_interaction_share(self):
        curves = metric_curves(TREES, X, GROUPS, random_state=0)
        total = sum(value_at(curves.curves[name], X[name]) for name in NAMES)
        score = TREES.predict(X)
        parts = []
        for values in (score - total, score):
            by_group = pd.Series(values).groupby(GROUPS["group"])
            parts.append(np.sum((values - by_group.transform("mean")) ** 2))
        assert curves.interaction_share == pytest.approx(parts[0] / parts[1])
        size = [
            pd.Series(value_at(curves.curves[name], X[name]))
            .pipe(
                lambda worth: worth - worth.groupby(GROUPS["group"]).transform("mean")
            )
            .std()
            for name in curves.table["metric"]
        ]
        share = (1 - curves.interaction_share) * np.array(size) / sum(size)
        assert_allclose(curves.table["share"], share)

    def test_bootstrap_of_groups(self):
        # The effects of a linear model are the same in all rows: no draw moves them.
        linear = LinearRegression().fit(X, GROUPS["preference"])
        curves = metric_curves(linear, X, GROUPS, random_state=0)
        assert curves.curves["up"]["std"].max() < 1e-10
        assert curves.spread_of == "a bootstrap of the groups for the same model"
        slope = np.polyfit(*curves.curves["up"][["value", "worth"]].to_numpy().T, 1)[0]
        assert slope == pytest.approx(linear.coef_[0])
        curves = metric_curves(TREES, X, GROUPS, n_boot=200, random_state=0)
        few = metric_curves(TREES, X[:54], GROUPS[:54], random_state=0)
        assert few.spread_of == "a bootstrap of the rows for the same model"
        assert 0 < curves.table["share_std"][0] < few.table["share_std"][0]

    def test_bootstrap_of_blocks(self):
        fields = {name: GROUPS[name] for name in ("group", "preference")}
        blocks = Groups.from_arrays(**fields, block=GROUPS["group"] // 5)
        curves = metric_curves(TREES, X, blocks, n_boot=20, random_state=0)
        assert curves.spread_of == "a bootstrap of the blocks for the same model"
        same = Groups.from_arrays(group=blocks["block"])
        of_groups = metric_curves(TREES, X, same, n_boot=20, random_state=0)
        assert_allclose(curves.curves["up"]["std"], of_groups.curves["up"]["std"])

    def test_error_is_that_of_drawn_groups(self):
        # Two values of a metric: the rise is a mean over all rows.
        table = X.assign(up=(X["up"] > 50).astype(float))
        model = make_pipeline(PolynomialFeatures(2), LinearRegression())
        model.fit(table, GROUPS["preference"] + table["up"] * table["down"])
        curves = metric_curves(model, table, GROUPS, n_boot=2000, random_state=0)
        effect = model.predict(table.assign(up=1.0)) - model.predict(
            table.assign(up=0.0)
        )
        means = effect.reshape(100, 6).mean(axis=1)
        curve = curves.curves["up"]
        assert np.ptp(curve["worth"]) == pytest.approx(effect.mean())
        errors = curve["std"] / [table["up"].mean(), 1 - table["up"].mean()]
        assert_allclose(errors, means.std() / 10, rtol=0.05)

    def test_members_of_a_ranker(self):
        ranker = quick_ranker(max_epochs=20).fit(X, GROUPS)
        curves = metric_curves(ranker, X, GROUPS, method="accumulated")
        assert curves.spread_of == "members that each left out a fold of the groups"
        alone = metric_curves(Alone(ranker), X, GROUPS, random_state=0)
        for name in NAMES:
            columns = ["value", "worth"]
            pd.testing.assert_frame_equal(
                curves.curves[name][columns], alone.curves[name][columns]
            )
        member = metric_curves(Alone(ranker, member=2), X, GROUPS, random_state=0)
        others = [
            metric_curves(Alone(ranker, member=m), X, GROUPS, random_state=0).curves[
                "up"
            ]
            for m in range(5)
        ]
        std = np.std([each["worth"] for each in others], axis=0, ddof=1)
        assert_allclose(curves.curves["up"]["std"], ranker.net_.std_factor * std)
        assert member.interaction_share > 0

    def test_planted_directions(self):
        ranker = quick_ranker(shortcut=None, max_epochs=60).fit(X, GROUPS)
        curves = metric_curves(ranker, X, GROUPS, random_state=0)
        direction = curves.table.set_index("metric")["direction"]
        assert direction[["up", "down", "hump", "valley", "step"]].tolist() == [
            "larger is preferred",
            "smaller is preferred",
            "there is a best value",
            "there is a worst value",
            "larger is preferred",
        ]
        assert curves.table["metric"].iloc[-1] == "noise"


class Alone:
    """The predictions of a ranker, or of a member of it, and nothing else."""

    def __init__(self, ranker, member=None):
        self.ranker, self.member = ranker, member

    def predict(self, X):
        scores = self.ranker._member_scores(X)
        return scores.mean(axis=0) if self.member is None else scores[self.member]


WAYS = ["larger", "smaller", "larger", "larger", "larger", "larger"]


class TestOtherModels:
    @pytest.mark.parametrize(
        "model",
        [
            RankSumRanker(directions=WAYS),
            TopCountRanker(directions=WAYS),
            SingleMetricRanker("down", direction="smaller"),
            PlainTarget(LinearRegression()),
            StackedRanker([("a", LinearPreferenceRanker()), ("b", quick_ranker())]),
        ],
        ids=lambda model: type(model).__name__,
    )
    def test_directions(self, model):
        model = make_pipeline(StandardScaler().set_output(transform="pandas"), model)
        model.fit(X, GROUPS)
        curves = metric_curves(model, X, GROUPS, n_boot=10, random_state=0)
        assert curves.method == "accumulated local effects"
        direction = curves.table.set_index("metric")["direction"]
        assert direction["down"] == "smaller is preferred"

    def test_groupwise_ranker(self):
        model = default_of(GroupwiseRanker).fit(X, GROUPS)
        curves = metric_curves(model, X, GROUPS, random_state=0)
        assert curves.table["metric"].iloc[0] in (
            "hump",
            "valley",
            "up",
            "step",
            "down",
        )

    def test_trees_take_missing_values(self):
        gaps = X.mask(np.random.default_rng(0).random(X.shape) < 0.1)
        value = gaps["up"].fillna(80.0) + 0.01 * X["down"]
        model = HistGradientBoostingRegressor(max_iter=30).fit(gaps, value)
        curves = metric_curves(model, gaps, GROUPS, n_boot=5, random_state=0)
        table = curves.table.set_index("metric")
        assert table["share"].index[0] == "up"
        assert table["missing"]["up"] == pytest.approx(
            80 - value.mean(), abs=0.15 * (80 - value.mean())
        )
        assert table["missing"].notna().all()

    def test_single_metric_is_all_of_the_score(self):
        model = SingleMetricRanker("up", direction="larger").fit(X, GROUPS)
        curves = metric_curves(model, X, GROUPS, random_state=0)
        assert curves.table["share"].tolist() == [1, 0, 0, 0, 0, 0]
        assert curves.interaction_share < 1e-12
        assert curves.table["direction"].tolist()[1:] == ["no clear direction"] * 5

    @pytest.mark.parametrize("labels", [["bad", "good"], [False, True], [0, 1]])
    def test_labels_are_refused(self, labels):
        model = LogisticRegression().fit(X, np.where(X["up"] > 50, *labels))
        part = (
            "LogisticRegression, which .* is a classifier, whose predict gives labels"
        )
        with pytest.raises(TypeError, match=part):
            metric_curves(make_pipeline(StandardScaler(), model), X, GROUPS)

    def test_two_scores_of_a_row_are_refused(self):
        model = LinearRegression().fit(X, X[["up", "down"]])
        with pytest.raises(ValueError, match="predict of LinearRegression gave no"):
            metric_curves(model, X, GROUPS)
