"""The package's ranker as the speed benchmarks run it: a single net, one member."""

import time

import numpy as np
from sklearn.preprocessing import StandardScaler

from benchmarks.speed.callbacks import Snapshots, callback_of
from sklearn_pscore import Groups, PairwisePreferenceRanker

# One configuration for every script, so that none is tuned to its own question.
LAYERS = (64, 32)
SINGLE_NET = {
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


def single_net_ranker(**params):
    """Return a ranker of one net, with all parameters that matter for time named."""
    return PairwisePreferenceRanker(**SINGLE_NET | params)


def n_flops_per_row(n_features, layers=LAYERS):
    """Return the operations of a training step per row, in the Linear layers alone.

    Each weight takes part in a product and a sum in the forward pass, as much
    for its own gradient, and, beyond the first layer, for that of its input.
    """
    sizes = [n_features, *layers, 1]
    n_weights = [a * b for a, b in zip(sizes[:-1], sizes[1:], strict=True)]
    return 6 * sum(n_weights) - 2 * n_weights[0]


def fitted_curve(
    X, preference, group, judge, *, seed=0, every_n_batches=None, **params
):
    """Fit; return the curve of a judged score over the seconds.

    `judge` takes a function that scores rows, as for the peers. The ranker scales
    the features itself, as a part of its fit. It is judged after every epoch, and
    inside of one if `every_n_batches` says so.
    """
    ranker = single_net_ranker(
        callbacks=[Snapshots(every_n_batches)], random_state=seed, **params
    )
    groups = Groups.from_arrays(group=group, preference=preference)
    start = time.perf_counter()
    net = ranker.fit(X, groups).net_
    snapshots = callback_of(net, Snapshots)
    return snapshots.curve(net, start, lambda: judge(ranker.predict))


def warm_up():
    """Import everything and run each kind of step once, off the clock."""
    X = np.random.default_rng(0).normal(size=(400, 4)).astype(np.float32)
    groups = Groups.from_arrays(group=np.arange(400) // 10, preference=X[:, 0])
    for shortcut in (None, "additive"):
        ranker = single_net_ranker(max_epochs=2, batch_size=100, shortcut=shortcut)
        ranker.fit(StandardScaler().fit_transform(X), groups).predict(X)
