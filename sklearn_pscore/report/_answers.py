"""The four answers of an analysis, in plain sentences with their uncertainty."""

import numpy as np

from sklearn_pscore.report._facts import listed, percent

ACCURACY = "pairwise accuracy"
"""The metric of a comparison that answers are about."""

_NO_DIRECTION = "no clear direction"


def best_system(board, learnt):
    """Say which system is best, and how sure that is.

    Parameters
    ----------
    board, learnt : Leaderboard or None
        Of people, and of the learnt score.

    Returns
    -------
    answer : str
    """
    if board is None:
        return (
            "Not known: the table does not say which system made which row, so that none "
            "can be called best. Pass the names of the systems as the item of each row."
        )
    first = board.systems.iloc[0]
    many = f"{board.n_groups:,} groups"
    if board.n_clusters != board.n_groups:
        many += f" in {board.n_clusters:,} blocks"
    is_first = board.systems[board.systems["rank"] == 1]
    level = is_first["item"].tolist()
    is_alone = len(level) == 1
    of = board.of
    if of == "strength":
        many = f"{board.systems['n_votes'].sum() / 2:,.0f} votes in {many}"
    else:
        of = f"mean {of}"
    mean = (
        f"{'its' if is_alone else 'their'} {of} is {first['mean']:.3g} "
        f"({_level(board.level)} interval {is_first['low'].min():.3g} to "
        f"{is_first['high'].max():.3g}, from {many})"
    )
    could_be = board.systems["item"][board.systems["rank_low"] == 1].tolist()
    rivals = [name for name in could_be if name not in level]
    confidence = f"with a confidence of {_level(board.level)}"
    if not is_alone:
        answer = f"{listed(level)} are level in the first place: {mean}"
        if rivals:
            answer += f", and {confidence} {listed(rivals)} may be as good or better"
    elif not rivals:
        answer = (
            f"{first['item']} is best: {mean}, and it is ahead of every other system "
            f"{confidence}"
        )
    else:
        answer = (
            f"{first['item']} is first, but not for certain: {mean}, and {confidence} "
            f"{listed(rivals)} may be as good or better; its true rank is in 1 to "
            f"{first['rank_high']}"
        )
    return f"{answer}. {_what_the_score_says(level, learnt)}"


def metric_followed(curves, comparison, single):
    """Say which metric people follow, and in which direction.

    Parameters
    ----------
    curves : MetricCurves
    comparison : RankerComparison
    single : dict of str to str
        Name of each metric's own method in the comparison.

    Returns
    -------
    answer : str
    """
    table = curves.table
    first = table.iloc[0]
    if not first["share"] > 0:
        return "None that could be seen: the learnt score is the same for all items."
    alone = comparison.table()[ACCURACY].loc[single[first["metric"]]]
    share = f"{percent(first['share'])}{_plus_minus(first['share_std'])}"
    answer = (
        f"Most of all {first['metric']}: {direction_of(first)}. It makes {share} of the "
        "differences in the learnt score; by itself it orders "
        f"{percent(alone['mean'], 1)}{_plus_minus(alone['std'], ' over folds')} of the "
        "pairs of a group as people do"
    )
    # Two standard errors of the difference, of shares that are taken for independent.
    error = np.hypot(table["share_std"], first["share_std"])
    near = table["share"] + 2 * error >= first["share"]
    near &= (table["share"] > 0) & (table.index != table.index[0])
    rest = table[near] if near.any() else table[table["share"] > 0].iloc[1:3]
    shown = [
        f"{row['metric']} ({percent(row['share'])}, {direction_of(row)})"
        for _, row in rest.iterrows()
    ]
    if near.any():
        answer += f". It is not told apart from {listed(shown, 3)}"
    elif shown:
        answer += f". Then {listed(shown, 3)}"
    n_unclear = int(np.sum(table["direction"] == _NO_DIRECTION))
    if n_unclear:
        have = "has" if n_unclear == 1 else "have"
        answer += f". {n_unclear} of {len(table)} metrics {have} no clear direction"
    return f"{answer}."


def direction_of(row):
    """Return the direction of a metric as text, with its best value if it has one.

    Where it is not clear, it is said which way the curve rises by more than its error.
    """
    best = row["best"]
    if row["direction"] == "there is a best value" and np.isfinite(best):
        return f"there is a best value, near {best:.3g}"
    if row["direction"] == _NO_DIRECTION and abs(row["rise"]) > row["rise_std"]:
        return f"{_NO_DIRECTION}, rather {'larger' if row['rise'] > 0 else 'smaller'}"
    return row["direction"]


def learnt_or_single(comparison, learnt, single, ceiling, level=0.95):
    """Say whether the learnt score is better than each metric by itself.

    It is if every one of the differences is above zero by its own interval: all of them
    together need no wider ones, since the claim fails if a single one does.

    Parameters
    ----------
    comparison : RankerComparison
    learnt : str
        Name of the learnt score.
    single : dict of str to str
        Name of each metric's own method in the comparison.
    ceiling : float or None
        The best that a score could reach.
    level : float

    Returns
    -------
    answer : str
    """
    accuracy = comparison.table()[ACCURACY]["mean"]
    best = max(single, key=lambda name: accuracy[single[name]])
    pairs = {
        name: comparison.paired(learnt, method, ACCURACY, level=level)
        for name, method in single.items()
    }
    # The best first.
    order = sorted(single, key=lambda name: -accuracy[single[name]])
    better = [name for name in order if pairs[name].high < 0]
    behind = [name for name in order if not pairs[name].low > 0]
    ahead = len(pairs) - len(behind)
    if not behind:
        verdict = f"Yes, than each of the {len(pairs)} metrics"
        if len(pairs) == 1:
            verdict = "Yes"
    elif better:
        is_are = "is" if len(better) == 1 else "are"
        verdict = f"No, {listed(better)} alone {is_are} better"
    else:
        verdict = f"Not for certain: it is not told apart from {listed(behind)}"
        if ahead:
            verdict = (
                f"Not for certain: it is better than {ahead} of {len(pairs)} metrics, but "
                f"not told apart from {listed(behind)}"
            )
    # The figures are those of the metric that decides.
    shown = (better or behind or order)[0]
    pair = pairs[shown]
    held = f"on {'folds' if pair.n_runs > 1 else 'rows'} held out"
    whose = f"the best metric alone, {shown}," if shown == best else f"{shown} alone"
    values = (
        f"{held}, the learnt score ({learnt}) orders {percent(accuracy[learnt], 1)} of the "
        f"pairs of a group as people do, and {whose} "
        f"{percent(accuracy[single[shown]], 1)}: a difference of {_points(pair.mean)} "
        f"points ({_level(level)} interval {_points(pair.low)} to "
        f"{_points(pair.high)}, {pair.n_runs} folds)"
    )
    bounds = f"{_what_is_ahead(comparison, learnt, single, level)}Chance is 50 %"
    if ceiling is not None:
        bounds += f", and a perfect score would reach {percent(ceiling, 1)}"
    return f"{verdict}: {values}. {bounds}."


def _what_is_ahead(comparison, learnt, single, level):
    """Return that another method orders more pairs than the learnt score, or nothing."""
    others = [*single.values(), comparison.truth]
    accuracy = comparison.table()[ACCURACY]["mean"].drop(others, errors="ignore")
    name = accuracy.idxmax()
    if not accuracy[name] > accuracy[learnt]:
        return ""
    is_ahead = comparison.paired(learnt, name, ACCURACY, level=level).high < 0
    how = "ahead of the learnt score" if is_ahead else "the two are not told apart"
    return f"The method {name} orders {percent(accuracy[name], 1)}: {how}. "


def how_to_share(notes):
    """Say how to show the result to a colleague, and what to be careful about.

    Parameters
    ----------
    notes : list of str
        Each begins with a topic and a colon.
    """
    answer = (
        "Send the report: it is one file that needs no network, and says which data, "
        "settings and versions it was made with, and how to cite. Quote each figure with "
        "its interval and the number of groups"
    )
    if not notes:
        return f"{answer}."
    topics = [note.partition(":")[0] for note in notes]
    topics = [topic[:1].lower() + topic[1:] for topic in topics]
    return f"{answer}, and be careful about {listed(topics, len(topics))}."


def _what_the_score_says(level, learnt):
    """Return where the score puts the system that is first, or those level there."""
    if learnt is None:
        return "There is no leaderboard of the learnt score."
    systems = learnt.systems
    first = systems["item"][systems["rank"] == 1].tolist()
    if len(level) > 1 or not set(level) & set(systems["item"]):
        return f"The learnt score puts {listed(first)} first."
    (name,) = level
    if name in first:
        others = [other for other in first if other != name]
        as_well = f", level with {listed(others)}" if others else ""
        return f"The learnt score puts it first as well{as_well}."
    row = systems[systems["item"] == name].iloc[0]
    return (
        f"The learnt score puts {listed(first)} first, and {name} on rank {row['rank']} "
        f"({row['rank_low']} to {row['rank_high']})."
    )


def _plus_minus(error, over=""):
    """Return a standard error as text, nothing if there is none."""
    return f" (± {percent(error)}{over})" if error == error else ""


def _points(difference):
    """Return a difference of shares in points; none is beyond 100 or minus nothing."""
    return f"{np.clip(100 * difference, -100, 100):z.1f}"


def _level(level):
    return f"{100 * level:g} %"
