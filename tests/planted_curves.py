"""Groups of metrics with planted curves, and quick rankers, for the tests of curves."""

import numpy as np
import pandas as pd

from sklearn_pscore import Groups, PairwisePreferenceRanker

NAMES = ["up", "down", "hump", "valley", "step", "noise"]


def planted(n_groups=100, size=6, noise=0.5, seed=0):
    """Make groups whose metrics rise, fall, have a best or worst value, or say nothing."""
    rng = np.random.default_rng(seed)
    X = pd.DataFrame(rng.normal(size=(n_groups * size, 6)), columns=NAMES)
    X["up"] = 50 + 10 * X["up"]
    score = (
        (X["up"] - 50) / 10
        - X["down"]
        - X["hump"] ** 2
        + X["valley"] ** 2
        + 2 * (X["step"] > 0)
        + noise * rng.normal(size=len(X))
    )
    group = np.repeat(np.arange(n_groups), size)
    return X, Groups.from_arrays(group=group, preference=score)


X, GROUPS = planted()


def quick_ranker(**parameters):
    return PairwisePreferenceRanker(
        **{"max_epochs": 2, "random_state": 0, **parameters}
    )


def additive_ranker(**parameters):
    """Return a ranker without hidden layers: its score is a sum over the metrics."""
    return quick_ranker(
        hidden_layer_sizes=(), n_members=2, leave_out=False, **parameters
    )


def value_at(curve, value):
    return np.interp(value, curve["value"], curve["worth"])


def predicted_at_points(curves, model):
    """Return the sums of worths of rows made of the curves' points, and their scores."""
    longest = max(len(curve) for curve in curves.curves.values())
    rows = np.arange(longest)
    points = {n: c["value"].to_numpy()[rows % len(c)] for n, c in curves.curves.items()}
    worth = sum(c["worth"].to_numpy()[rows % len(c)] for c in curves.curves.values())
    frame = pd.DataFrame(points)[list(X.columns)]
    return worth, model.predict(frame)
