"""From resolved parameters and training items to a trained net."""

from functools import partial

import numpy as np

from sklearn_pscore._progress import progress_of
from sklearn_pscore._rows import rows_at_a_time
from sklearn_pscore._torch.device import Generators
from sklearn_pscore._torch.epochs import check_finite, train
from sklearn_pscore._torch.net import (
    build_net,
    check_columns_fit,
    copied_net,
    sample_rows,
)
from sklearn_pscore._torch.packing import PackedGroups
from sklearn_pscore._torch.scoring import member_scores
from sklearn_pscore._torch.shortcut_fit import freeze_fitted_shortcut, shortcut_scores
from sklearn_pscore._torch.stacking import weigh_and_center
from sklearn_pscore._torch.thin import as_table, is_thin
from sklearn_pscore._torch.threads import threads_for
from sklearn_pscore.metrics._gains import gains_of

# Fewer groups than this are too few to judge the parts by. No benchmark varies it.
_FEWEST_GROUPS = 10
# With fewer blocks than this, members would learn from too little: StackedRanker has as
# many folds. No benchmark varies it.
_FEWEST_BLOCKS = 5
# Rows that tell whether the scores of a fit are constant. No benchmark varies it.
_GAP_ROWS = 2**12


def fit_net(parameters, training, validation, rng, net=None, tasks=None):
    """Train from the start to the end, as ``fit`` does.

    Parameters
    ----------
    parameters : namespace
        Resolved parameters of the ranker.
    training : TrainingItems
    validation : Validation or None
        Its loss and score are recorded, and decide about early stopping.
    rng : RandomState
    net : GroupNet or None, default=None
        Net to go on with, changed in place; None builds one.
    tasks : EpochTasks or None, default=None
        Told of each epoch.

    Returns
    -------
    net : GroupNet
    packed : PackedGroups
        What it was trained on.
    """
    table = training.table
    if net is None and not is_thin(table):
        n_rows = min(len(training), sample_rows(table, parameters))
        check_columns_fit(table.shape[1], n_rows, parameters)
    generators = Generators.drawn(rng, net, parameters.device)
    packed = pack(training, parameters, generators.cpu)
    held_out = score = None
    if validation is not None:
        held_out = pack(validation.items, parameters, generators.cpu)
        score = validation.score
    schedule = parameters, parameters.max_epochs, generators.device
    followed = {"score": score, "tasks": tasks}
    n_before = 0 if net is None else len(net.history)
    progress = progress_of(
        "PairwisePreferenceRanker",
        "epoch",
        n_before + parameters.max_epochs,
        parameters.verbose,
        n_before,
    )
    if net is not None:
        if tasks is not None:
            tasks.follow(packed, partial(_finished_copy, net))
        with threads_of(net, packed), progress:
            train(net, packed, held_out, *schedule, **followed, progress=progress)
        check_finite(net, parameters)
        return net, packed
    if may_leave_out(packed.n_groups, packed.n_units, parameters):
        packed.draw_folds(parameters.n_members)
    net, sample = build_net(packed, parameters, generators.cpu)
    if tasks is not None:
        tasks.follow(packed, partial(_finished_copy, net, sample))
    with threads_of(net, packed):
        freeze_fitted_shortcut(net, sample, packed, held_out)
        with progress:
            train(net, packed, held_out, *schedule, **followed, progress=progress)
        # Scores that are not finite have no mean to center at.
        weigh_and_center(net, sample)
    check_finite(net, parameters)
    return net, packed


def fit_net_once(parameters, items, rng, net=None):
    """Train for one epoch, as ``partial_fit`` does.

    Parameters
    ----------
    parameters, rng, net
        As for :func:`fit_net`.
    items : TrainingItems

    Returns
    -------
    net : GroupNet
    packed : PackedGroups
    """
    generators = Generators.drawn(rng, net, parameters.device)
    packed = pack(items, parameters, generators.cpu)
    if net is None:
        net, _ = build_net(packed, parameters, generators.cpu)
    with threads_of(net, packed):
        train(net, packed, None, parameters, 1, generators.device, share=None)
    check_finite(net, parameters)
    return net, packed


def fit_net_to_part(net, part, plan, rng, share):
    """Train a net for one epoch of a part of the groups.

    Parameters
    ----------
    net : GroupNet
        Changed in place.
    part : Part
        With a pair.
    plan : Plan
        Of all parts.
    rng : RandomState
    share : (float, float)
        How much of the whole training is done before and after.

    Returns
    -------
    packed : PackedGroups
    """
    parameters = plan.parameters
    generators = Generators.drawn(rng, net, parameters.device)
    packed = part.packed_for(plan, generators.cpu)
    shortcut = net.module_.shortcut
    with threads_of(net, packed):
        if shortcut is not None and not shortcut.weight.requires_grad:
            packed.shortcut_scores = shortcut_scores(net.module_, packed, net.device)
        train(net, packed, None, parameters, 1, generators.device, share)
    check_finite(net, parameters)
    return packed


def _finished_copy(net, sample=None):
    """Return a copy of a net in training, as if its training had ended.

    Parameters
    ----------
    net : GroupNet
        Left as it is.
    sample : ScaledSample or None, default=None
        To weigh the parts on; None in a training that went on from another.
    """
    copied = copied_net(net)
    copied.module_.eval()
    if sample is not None:
        weigh_and_center(copied, sample)
    return copied


def largest_gap(net, packed):
    """Return the largest difference of two scores inside a group, of some groups."""
    n_rows = _GAP_ROWS
    if not packed.is_thin:
        n_rows = rows_at_a_time(packed.table.shape[1], n_rows)
    X, target, *_ = packed.sample(n_rows)
    if isinstance(X, dict):
        X = X["X"]
    scores = member_scores(net, as_table(X), "float32").mean(axis=0)
    sizes = target.sizes.numpy()
    starts = np.cumsum(sizes) - sizes
    return np.max(
        np.maximum.reduceat(scores, starts) - np.minimum.reduceat(scores, starts)
    )


def threads_of(net, packed):
    """Return the context to train a net in, by the size of its batches."""
    largest_batch = max(net.batch_size, packed.sizes.max())
    return threads_for(min(len(packed), largest_batch), net.module_)


def pack(items, parameters, generator):
    """Return training items packed as the parameters ask for."""
    return PackedGroups(
        items,
        partial(_gain, parameters.gain),
        generator,
        group_weight=parameters.group_weight,
        ties=parameters.ties,
    )


def may_leave_out(n_groups, n_units, parameters):
    """Return whether each member can leave out a fold of the blocks or groups."""
    return (
        parameters.leave_out
        and not parameters.early_stopping
        and parameters.n_members > 1
        and parameters.output_activation == "identity"
        and n_groups >= _FEWEST_GROUPS
        and n_units >= _FEWEST_BLOCKS
    )


def _gain(kind, group, preference):
    """Return gains of sorted items; synthetic ones below zero gain nothing."""
    return np.maximum(gains_of(kind, group, preference), 0.0)
