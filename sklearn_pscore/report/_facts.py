"""Facts of a table, and what a reader has to be warned of."""

import numpy as np
import pandas as pd

# With fewer, an interval says little. Not measured.
FEW_BLOCKS = 20
# Names that are written out in a warning.
_MANY_NAMES = 5
# How close to the learnt score the names of the systems come where that is told, in
# pairwise accuracy. Not measured.
_CLOSE = 0.05


def facts_of(table):
    """Return what the table holds, as texts by their names.

    Parameters
    ----------
    table : ReportTable

    Returns
    -------
    facts : dict of str to str
    """
    target, X = table.target, table.X
    judged = int(np.count_nonzero(target.is_counted))
    rows = int(np.count_nonzero(~target.donor))
    facts = {
        "rows": _count(rows),
        "judged rows": f"{_count(judged)} ({percent(judged / rows)})",
        "groups": _count(len(np.unique(target.group[target.is_counted]))),
    }
    if table.has_blocks:
        facts["blocks"] = _count(len(np.unique(table.block[target.is_counted])))
    sizes = np.bincount(target.items.group)
    sizes = sizes[sizes > 0]
    low, high = int(sizes.min()), int(sizes.max())
    facts["items of a group"] = str(low) if low == high else f"{low} to {high}"
    if table.system is not None:
        facts["systems"] = _count(len(table.systems))
    facts["metrics"] = _count(X.shape[1])
    missing = float(np.mean(X.isna().to_numpy()))
    facts["missing values of metrics"] = percent(missing) if missing else "none"
    facts["preference"] = _describe_preference(target)
    if np.any(target.donor):
        facts["rows for injection only"] = _count(np.count_nonzero(target.donor))
    if table.is_sample:
        facts["rows learnt from"] = (
            f"{_count(len(table.learnt))}, whole groups by chance"
        )
    return facts


def notes_of_table(table):
    """Return what to be careful about by the table alone: a topic and a sentence each.

    Parameters
    ----------
    table : ReportTable

    Returns
    -------
    notes : list of str
    """
    return [
        *_about_groups(table),
        *_about_judgements(table),
        *_about_metrics(table),
        *_about_systems(table),
    ]


def note_of_names(by_name, learnt):
    """Return a warning if the systems' names alone are about as good as the score.

    Parameters
    ----------
    by_name, learnt : float
        Pairwise accuracy of both on rows held out.

    Returns
    -------
    notes : list of str
    """
    if by_name < learnt - _CLOSE:
        return []
    return [
        "Names of systems: the name alone, with no metric, orders "
        f"{percent(by_name, 1)} of the pairs of a group as people do, the learnt score "
        f"{percent(learnt, 1)}. A score that is not clearly better may know the systems "
        "rather than what makes a result good: judge it on systems that it has not seen, "
        "before it is used on new ones."
    ]


def percent(share, decimals=None):
    """Return a share as a text in percent; with more digits where it is small."""
    value = 100 * share
    if decimals is not None:
        return f"{value:.{decimals}f} %"
    if 0 < value < 0.1:
        return "below 0.1 %"
    is_fine = 0 < value < 10 or 99.5 <= value < 100
    return f"{value:.1f} %" if is_fine else f"{value:.0f} %"


def listed(names, most=_MANY_NAMES):
    """Return names as a text, the first ones if there are many."""
    names = [str(name) for name in names]
    if len(names) > most:
        return f"{', '.join(names[:most])} and {len(names) - most} more"
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _count(number):
    return f"{int(number):,}"


def _describe_preference(target):
    """Return the range of the preferences, or that there are only winners."""
    values = target.preference[target.is_counted]
    distinct = np.unique(values)
    low, high = distinct[0], distinct[-1]
    if _are_winners(target):
        return f"one winner of each group ({high:g}, others {low:g})"
    return f"{low:.3g} to {high:.3g}, {_count(len(distinct))} different values"


def _are_winners(target):
    """Tell whether there are two values, the larger once in each group."""
    items = target.items
    distinct = np.unique(items.preference)
    if len(distinct) != 2:
        return False
    winners = np.bincount(items.group[items.preference == distinct[1]])
    return bool(np.all(winners <= 1)) and np.bincount(items.group).max() > 2


def _about_groups(table):
    target, items = table.target, table.target.items
    notes = []
    says = table.learnt[target.is_counted[table.learnt]]
    what = "blocks" if table.has_blocks else "groups"
    n_blocks = len(np.unique(table.block[says]))
    if n_blocks < FEW_BLOCKS:
        notes.append(
            f"Few {what}: people prefer one item to another in {n_blocks} only. Intervals "
            f"are wide, and those of very few {what} may still be too narrow."
        )
    judged = np.bincount(items.group, minlength=target.n_groups)
    lowest = np.full(target.n_groups, np.inf)
    highest = np.full(target.n_groups, -np.inf)
    np.minimum.at(lowest, items.group, items.preference)
    np.maximum.at(highest, items.group, items.preference)
    n_single, n_tied = np.sum(judged == 1), np.sum((judged > 1) & (lowest == highest))
    if n_single:
        notes.append(
            f"Groups of one: {_count(n_single)} of {_count(np.sum(judged > 0))} groups "
            "have a single judged item, and say nothing of what people prefer."
        )
    if n_tied:
        notes.append(
            f"Groups of ties: in {_count(n_tied)} of {_count(np.sum(judged > 0))} groups "
            "all items are liked alike, which says nothing of what people prefer."
        )
    if table.is_sample:
        notes.append(
            f"A sample: {_count(len(table.learnt))} rows of whole groups, drawn by chance, "
            "were learnt from and judged by. All rows are scored, and the leaderboard of "
            "people is of all."
        )
    return notes


def _about_judgements(table):
    target = table.target
    is_open = ~target.is_counted & ~target.donor
    notes = []
    if np.any(is_open):
        notes.append(
            f"Rows without judgement: {_count(np.sum(is_open))} of "
            f"{_count(np.sum(~target.donor))}, those of weight 0 among them. They are "
            "scored, and nothing is learnt of them."
        )
    if target.votes is not None:
        notes.append(
            "Strengths of votes: the systems are ranked by all votes together, as by "
            "strength_leaderboard and pscore leaderboard. The preference of a single item "
            "is its strength among the items of its group, on another scale, and is "
            "uncertain where votes are few."
        )
    elif _are_winners(target):
        notes.append(
            "Winners only: the others of a group were not compared with one another, and "
            "the rank of a system says how often it won. Its mean preference is "
            f"{np.max(target.items.preference):g} if it always won, and "
            f"{np.min(target.items.preference):g} if it never did."
        )
    rows = np.flatnonzero(target.is_counted)
    values = np.column_stack([target.group[rows], table.X.to_numpy()[rows]])
    n_twice = int(pd.DataFrame(values).duplicated(keep=False).sum())
    if n_twice:
        notes.append(
            f"Identical rows: {_count(n_twice)} rows have a twin in their group with the "
            "same value of every metric, which no score can tell from it."
        )
    return notes


def _about_metrics(table):
    X, notes = table.X, []
    if table.empty:
        notes.append(
            f"Empty metrics: left out, for want of a value: {listed(table.empty)}."
        )
    n_missing = X.isna().sum()
    constant = list(X.columns[X.nunique() == 1])
    if constant:
        notes.append(
            f"Constant metrics: the same value in all rows says nothing: "
            f"{listed(constant)}."
        )
    partly = X.columns[n_missing > 0]
    if len(partly):
        shown = [f"{name} ({percent(n_missing[name] / len(X))})" for name in partly]
        notes.append(
            f"Missing values: {listed(shown)}. Where a metric is missing for a reason, "
            "that it is missing may tell more than its values."
        )
    return notes


def _about_systems(table):
    if table.system is None:
        return []
    target = table.target
    everybody = np.unique(table.system[~target.donor])
    notes = []
    unjudged = np.setdiff1d(everybody, table.systems)
    if len(unjudged):
        notes.append(
            f"Systems without judgement: {listed(unjudged.tolist())}. They are not on the "
            "leaderboard of people."
        )
    rows = np.flatnonzero(target.is_counted)
    pairs = np.unique(
        np.column_stack(
            [np.unique(table.system[rows], return_inverse=True)[1], target.group[rows]]
        ),
        axis=0,
    )
    n_groups = np.bincount(pairs[:, 0])
    single = table.systems[n_groups == 1]
    if len(single):
        notes.append(
            f"Systems in one group only: {listed(single.tolist())}. Their place is that of "
            "one comparison."
        )
    return notes
