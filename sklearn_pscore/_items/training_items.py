"""The training items: what a ranker learns from, whatever made it."""

from dataclasses import dataclass

import numpy as np

from sklearn_pscore._segments import Segments

# Random splits to try before giving up on one with pairs on both sides.
_N_TRIES = 100


@dataclass(frozen=True)
class TrainingItems:
    """Items to learn from, with where they come from.

    The metrics stay where they are: what is taken of the items are positions
    in a table that all of them share.

    Attributes
    ----------
    table : ndarray of shape (n_rows, n_features), float
    row : ndarray of shape (n_items,), int
        Where in `table` each item's metrics are.
    group : ndarray of shape (n_items,), int
        Code of each item's group.
    preference, weight : ndarray of shape (n_items,), float
    parents : ndarray of shape (n_items, n_parents), int
        Codes of the judged items that an item is made of, -1 where there are
        fewer. An item that was judged itself is its own and only parent.
    judged : ndarray of shape (n_items,), bool
        False for synthetic items.
    """

    table: np.ndarray
    row: np.ndarray
    group: np.ndarray
    preference: np.ndarray
    weight: np.ndarray
    parents: np.ndarray
    judged: np.ndarray

    @classmethod
    def of(cls, X, **fields):
        """Take all rows of a table."""
        return cls(table=X, row=np.arange(len(X)), **fields)

    @classmethod
    def from_target(cls, X, target):
        """Take every row that is not a donor as it is."""
        kept = np.flatnonzero(~target.donor)
        return cls(
            table=X,
            row=kept,
            group=target.group[kept],
            preference=target.preference[kept],
            weight=target.weight[kept],
            parents=target.items.row_item[kept][:, None],
            judged=np.ones(len(kept), dtype=bool),
        )

    def __len__(self):
        return len(self.group)

    @property
    def X(self):
        """Metrics of the items, a copy of shape (n_items, n_features)."""
        return self.table[self.row]

    def take(self, rows):
        """Return some of the items, by mask or position."""
        fields = [field for field in self.__dataclass_fields__ if field != "table"]
        taken = {field: getattr(self, field)[rows] for field in fields}
        return TrainingItems(table=self.table, **taken)

    def comparable(self):
        """Drop what is in no pair: weight zero, and groups of one preference."""
        items = self.take(self.weight > 0)
        n_groups = int(items.group.max()) + 1 if len(items) else 0
        lowest = np.full(n_groups, np.inf)
        highest = np.full(n_groups, -np.inf)
        np.minimum.at(lowest, items.group, items.preference)
        np.maximum.at(highest, items.group, items.preference)
        return items.take((lowest < highest)[items.group])

    @property
    def n_groups(self):
        return len(np.unique(self.group))

    @property
    def n_pairs(self):
        """Number of pairs inside groups whose preferences differ."""
        by_group = np.unique(self.group, return_counts=True)[1]
        order = np.lexsort((self.preference, self.group))
        tied = Segments.of_equal(self.group[order], self.preference[order]).size
        return int(_n_pairs_of(by_group).sum() - _n_pairs_of(tied).sum())


def hold_out(items, fraction, rng, caller):
    """Split items into a training and a validation set that share no parent.

    Whole groups are held out where there are several, and judged items where
    there is one. An item made of both sides is used by neither.

    Parameters
    ----------
    items : TrainingItems
        Comparable items.
    fraction : float
        Share of the groups, or of the judged items, to hold out.
    rng : RandomState
    caller : str
        Who asks, for the message.

    Returns
    -------
    training, validation : TrainingItems
        Both with comparable pairs.

    Raises
    ------
    ValueError
        If there is no such split.
    """
    if items.n_groups > 1:
        return _hold_out_groups(items, fraction, rng, caller)
    return _hold_out_items(items, fraction, rng, caller)


def _hold_out_groups(items, fraction, rng, caller):
    groups = np.unique(items.group)
    n_held_out = min(max(1, round(fraction * len(groups))), len(groups) - 1)
    for _ in range(_N_TRIES):
        held_out = rng.permutation(groups)[:n_held_out]
        is_held_out = np.isin(items.group, held_out)
        own_parents = _parents_of_judged(items.take(is_held_out))
        touched, inside = _touched_and_inside(items, own_parents)
        training = items.take(~is_held_out & ~touched).comparable()
        # People judged the validation pairs: synthetic ones would dilute them.
        validation = items.take(is_held_out & items.judged).comparable()
        if not len(validation):
            validation = items.take(is_held_out & inside).comparable()
        if len(training) and len(validation):
            return training, validation
    raise ValueError(
        f"early_stopping=True cannot hold out {n_held_out} of the {len(groups)} groups so "
        f"that both sides keep comparable pairs; {caller} needs groups with different "
        "preferences on either side. Give it more of them, or set early_stopping=False."
    )


def _hold_out_items(items, fraction, rng, caller):
    judged = _parents_of_judged(items)
    n_held_out = max(2, round(fraction * len(judged)))
    if n_held_out < len(judged) - 1:
        for _ in range(_N_TRIES):
            held_out = rng.permutation(judged)[:n_held_out]
            touched, inside = _touched_and_inside(items, held_out)
            training = items.take(~touched).comparable()
            validation = items.take(touched & inside).comparable()
            if len(training) and len(validation):
                return training, validation
    raise ValueError(
        f"early_stopping=True cannot hold out {n_held_out} of the {len(judged)} items of "
        f"the only group so that both sides keep comparable pairs; {caller} needs items "
        "of different preference on either side. Give it more items or groups, or set "
        "early_stopping=False."
    )


def _touched_and_inside(items, held_out):
    """Tell which items have a held-out parent, and which have no other parent."""
    from_held_out = np.isin(items.parents, held_out)
    return (
        from_held_out.any(axis=1),
        (from_held_out | (items.parents < 0)).all(axis=1),
    )


def _parents_of_judged(items):
    """Return the codes of the judged items; -1 only fills up rows of parents."""
    parents = np.unique(items.parents[items.judged])
    return parents[parents >= 0]


def _n_pairs_of(sizes):
    sizes = sizes.astype(np.int64)
    return sizes * (sizes - 1) // 2
