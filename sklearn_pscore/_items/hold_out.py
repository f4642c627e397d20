"""Items held out of training, to validate on."""

import numpy as np

# Random splits to try until both sides have pairs. Not measured.
_N_TRIES = 100


def hold_out(items, fraction, rng, caller):
    """Split items into a training and a validation set that share no parent.

    Holds out whole blocks, or groups without blocks, or judged items if there is one
    group only. An item with parents on both sides is in neither set.

    Parameters
    ----------
    items : TrainingItems
        Those of :meth:`TrainingItems.comparable`.
    fraction : float
        Share of the blocks, of the groups or of the judged items, to hold out.
    rng : RandomState
    caller : str
        Name of the method that asks, for the message.

    Returns
    -------
    training, validation : TrainingItems
        Each with at least one comparable pair.

    Raises
    ------
    ValueError
        If no such split was drawn.
    """
    if items.n_groups > 1:
        return _hold_out_groups(items, fraction, rng, caller)
    return _hold_out_items(items, fraction, rng, caller)


def _hold_out_groups(items, fraction, rng, caller):
    unit = items.unit
    units = np.unique(unit)
    n_held_out = min(max(1, round(fraction * len(units))), len(units) - 1)
    for _ in range(_N_TRIES):
        is_held_out = np.isin(unit, rng.permutation(units)[:n_held_out])
        parents = _parents_of_judged(items.take(is_held_out))
        has_parent, has_no_other = _made_of(items, parents)
        training = items.take(~is_held_out & ~has_parent).comparable()
        # Validate on judged pairs; on synthetic ones only if there are no others.
        validation = items.take(is_held_out & items.judged).comparable()
        if not len(validation):
            validation = items.take(is_held_out & has_no_other).comparable()
        if len(training) and len(validation):
            return training, validation
    name = "groups" if unit is items.group else "blocks"
    raise ValueError(
        f"early_stopping=True cannot hold out {n_held_out} of the {len(units)} {name} so "
        f"that both sides keep comparable pairs; {caller} needs groups with different "
        "preferences on either side. Give it more of them, or set early_stopping=False."
    )


def _hold_out_items(items, fraction, rng, caller):
    judged = _parents_of_judged(items)
    n_held_out = max(2, round(fraction * len(judged)))
    if n_held_out < len(judged) - 1:
        for _ in range(_N_TRIES):
            parents = rng.permutation(judged)[:n_held_out]
            has_parent, has_no_other = _made_of(items, parents)
            training = items.take(~has_parent).comparable()
            validation = items.take(has_parent & has_no_other).comparable()
            if len(training) and len(validation):
                return training, validation
    raise ValueError(
        f"early_stopping=True cannot hold out {n_held_out} of the {len(judged)} items of "
        f"the only group so that both sides keep comparable pairs; {caller} needs items "
        "of different preference on either side. Give it more items or groups, or set "
        "early_stopping=False."
    )


def _made_of(items, parents):
    """Return which items have one of `parents`, and which have no other parent."""
    is_one = np.isin(items.parents, parents)
    is_padding = items.parents < 0
    return is_one.any(axis=1), (is_one | is_padding).all(axis=1)


def _parents_of_judged(items):
    """Return the codes of the judged items, without the padding."""
    parents = np.unique(items.parents[items.judged])
    return parents[parents >= 0]
