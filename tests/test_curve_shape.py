"""The direction of a curve, and what it is read from."""

import numpy as np
from numpy.testing import assert_allclose

from sklearn_pscore.inspection._curve_parts import InGroups, Spread, points_of
from sklearn_pscore.inspection._curve_shape import shape_of


class TestShape:
    points = np.linspace(0, 1, 101)

    def direction(self, worth, error=0.0, size=1.0):
        draws = worth + error * np.outer([-1, 1, 1, -1, 0], self.points)
        spread = Spread(1.0, 5, "")
        return shape_of(self.points, worth, draws, self.points, spread, size)[:2]

    def test_monotone(self):
        assert self.direction(self.points) == ("larger is preferred", 1.0)
        assert self.direction(-self.points) == ("smaller is preferred", 0.0)

    def test_inside(self):
        hump = -((self.points - 0.4) ** 2)
        assert self.direction(hump) == ("there is a best value", 0.4)
        assert self.direction(-hump) == ("there is a worst value", 1.0)

    def test_low_side_of_less_than_a_quarter_is_a_direction(self):
        for bend, name in (
            (0.85, "larger is preferred"),
            (0.65, "there is a best value"),
        ):
            worth = -np.abs(self.points - bend)
            assert self.direction(worth)[0] == name

    def test_what_may_be_chance(self):
        # The standard deviation of the draws is 1, Student's t with 4 degrees 2.776.
        for rise, name in ((2.7, "no clear direction"), (2.85, "larger is preferred")):
            direction, best = self.direction(rise * self.points, error=1.0)
            assert direction == name
            assert np.isnan(best) == (name == "no clear direction")

    def test_rise_is_that_of_the_central_range(self):
        draws = np.outer([-1, 1, 1, -1, 0], self.points)
        spread = Spread(2.0, 5, "")
        worth = self.points**2
        shape = shape_of(self.points, worth, draws, self.points, spread, 1.0)
        assert_allclose(shape.rise, 0.95**2 - 0.05**2)
        assert_allclose(shape.rise_std, 2 * 0.9)

    def test_outliers_do_not_count(self):
        # The last 4 % fall back.
        worth = np.where(self.points > 0.96, -5.0, self.points)
        assert self.direction(worth)[0] == "larger is preferred"

    def test_small_ones_have_none(self):
        assert self.direction(self.points, size=0.01)[0] == "no clear direction"

    def test_mostly_one_value(self):
        present = np.r_[np.zeros(99), 1]
        points, worth = np.array([0.0, 1.0]), np.array([0.0, 1.0])
        spread = Spread(np.nan, 0, "")
        found = shape_of(points, worth, np.empty((0, 2)), present, spread, 1.0)
        assert found[:3] == ("larger is preferred", 1.0, 1.0)

    def test_points(self):
        values = np.array([3.0, 1, np.nan, 2, 2])
        assert points_of(values, 5, np.array([2.5, 3 - 1e-15])).tolist() == [
            1,
            2,
            2.5,
            3,
        ]
        assert len(points_of(np.arange(100.0), 4, np.empty(0))) == 6
        assert points_of(np.array([np.nan]), 5, np.empty(0)).tolist() == []
        assert points_of(np.array([7.0, 7.0]), 5, np.empty(0)).tolist() == [7]

    def test_deviations_inside_groups(self):
        inside = InGroups(np.array([1, 0, 1, 0, 0]))
        values = np.array([4.0, 1, 6, 2, 3])
        assert_allclose(inside.deviation(values), [-1, -1, 1, 0, 1])
        assert_allclose(inside.size(values), np.sqrt(4 / 3))
        assert inside.size(np.full((5, 1), 0.1)).tolist() == [0]

    def test_error_and_limit(self):
        draws = np.array([[1.0, 2.0], [3.0, 2.0]])
        spread = Spread(2.0, 2, "")
        assert_allclose(spread.error(draws), [2 * np.sqrt(2), 0])
        # Student's t with one degree of freedom.
        assert_allclose(spread.limit(draws[:, 0]), 12.706 * 2 * np.sqrt(2), rtol=1e-4)
        assert np.isnan(Spread(np.nan, 0, "").error(np.empty((0, 2)))).all()
