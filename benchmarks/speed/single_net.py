"""The package's ranker as the speed benchmarks run it."""

import time

import numpy as np
from sklearn.preprocessing import StandardScaler

from benchmarks.speed.curves import Snapshots
from sklearn_pscore import Groups, PairwisePreferenceRanker

# One configuration for every script, so that none is tuned to its own question.
LAYERS = (64, 32)
ONE_MEMBER = {
    "hidden_layer_sizes": LAYERS,
    "loss": "ranknet",
    "shortcut": None,
    "output_activation": "identity",
    "batch_norm": True,
    "dropout": 0.0,
    "input_dropout": 0.0,
    "input_clip": 4.0,
    "n_members": 1,
    "learning_rate_init": 0.01,
    "learning_rate": "one_cycle",
    "weight_decay": 0.01,
    "early_stopping": False,
    "random_state": 0,
}


def one_member(**params):
    """Return a ranker of one net, with all parameters that matter named."""
    return PairwisePreferenceRanker(**ONE_MEMBER | params)


def n_flops_per_row(n_features, layers=LAYERS):
    """Return operations of a training step per row, those of Linear layers alone.

    Each weight takes part in a product and a sum in the forward pass, as much
    for its own gradient, and, beyond the first layer, for that of its input.
    """
    sizes = [n_features, *layers, 1]
    n_weights = [a * b for a, b in zip(sizes[:-1], sizes[1:], strict=True)]
    return 6 * sum(n_weights) - 2 * n_weights[0]


def curve_of(X, preference, group, judge, *, seed=0, every_n_batches=None, **params):
    """Fit; return the curve of a judged score over the seconds.

    `judge` takes a function that scores rows, as for the peers. The ranker scales
    metrics itself, as a part of its fit. It is judged after every epoch, and inside
    of one if `every_n_batches` says so.
    """
    snapshots = Snapshots(every_n_batches)
    ranker = one_member(callbacks=[snapshots], random_state=seed, **params)
    groups = Groups.from_arrays(group=group, preference=preference)
    start = time.perf_counter()
    net = ranker.fit(X, groups).net_
    curve = Snapshots.of(net).curve(net, start, lambda: judge(ranker.predict))
    return curve


def warm_up():
    """Import everything and run each kind of step once, off the clock."""
    X = np.random.default_rng(0).normal(size=(400, 4)).astype(np.float32)
    groups = Groups.from_arrays(group=np.arange(400) // 10, preference=X[:, 0])
    for shortcut in (None, "additive"):
        ranker = one_member(max_epochs=2, batch_size=100, shortcut=shortcut)
        ranker.fit(StandardScaler().fit_transform(X), groups).predict(X)
