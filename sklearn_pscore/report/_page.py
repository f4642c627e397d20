"""What stands on a page, section by section."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from sklearn_pscore.report._analysis import QUESTIONS
from sklearn_pscore.report._answers import ACCURACY, direction_of
from sklearn_pscore.report._cite import PACKAGE, PAPER
from sklearn_pscore.report._facts import percent
from sklearn_pscore.report._pictures import (
    comparison_picture,
    curves_picture,
    importance_picture,
    leaderboard_picture,
    reliability_picture,
    scores_picture,
    win_picture,
)
from sklearn_pscore.report._tables import interval, number, page_table

# A picture of more rows is no picture.
_MOST_METHODS = 30


@dataclass(frozen=True)
class Section:
    """A section of a page."""

    id: str
    label: str
    title: str
    texts: tuple = ()
    notes: tuple = ()
    facts: dict = field(default_factory=dict)
    pictures: tuple = ()
    tables: tuple = ()
    codes: tuple = ()


def sections_of(analysis, X, max_rows):
    """Return the sections of a page in their order.

    Parameters
    ----------
    analysis : Analysis
    X : DataFrame of shape (n_rows, n_metrics)
        The metrics that were analysed.
    max_rows : int
        Rows of the table of items.

    Returns
    -------
    sections : list of Section
    """
    return [
        _facts(analysis),
        _leaderboard(analysis),
        _comparison(analysis),
        _curves(analysis, X),
        _importance(analysis),
        *_wins(analysis),
        _calibration(analysis),
        _items(analysis, max_rows),
        _settings(analysis),
        _citation(),
    ]


@dataclass(frozen=True)
class Answer:
    """An answer: what is set off, up to the first colon and space, and the rest."""

    lead: str
    rest: str


def answers_of(analysis):
    """Return pairs of question and answer."""
    # A name may hold a colon.
    parts = [text.partition(": ") for text in analysis.answers]
    answers = [
        Answer(lead + colon.rstrip(), colon[1:] + rest) for lead, colon, rest in parts
    ]
    return list(zip(QUESTIONS, answers, strict=True))


def _facts(analysis):
    return Section(
        "data",
        "Data",
        "Data, and what to be careful about",
        facts=analysis.facts,
        notes=analysis.notes,
        texts=() if analysis.notes else ("There is nothing to warn of.",),
    )


def _leaderboard(analysis):
    title = "Which system is best?"
    board, learnt = analysis.leaderboard, analysis.learnt_leaderboard
    if board is None:
        return Section(
            "leaderboard", "Leaderboard", title, texts=(analysis.answers[0],)
        )
    frame = board.systems
    is_of_votes = board.of == "strength"
    columns = {
        "rank": frame["rank"].tolist(),
        "system": frame["item"].map(str).tolist(),
        "strength" if is_of_votes else f"mean {board.of}": frame["mean"].tolist(),
        _percent(board.level): list(map(interval, frame["low"], frame["high"])),
        "true rank": _ranks(frame),
        "class": frame["class"].tolist(),
        "P(beats next)": [number(value, 2) for value in frame["beats_next"]],
    }
    if is_of_votes:
        columns["votes"] = [number(value, 0) for value in frame["n_votes"]]
    else:
        columns |= {
            "groups more": [_groups(v) for v in frame["more_groups"]],
            "in groups": frame["n_groups"].tolist(),
        }
    what = "strengths" if is_of_votes else "means"
    texts = [_text_of_people(board, is_of_votes)]
    pictures = [
        leaderboard_picture(
            "people",
            f"People: {what} with intervals of {_percent(board.level)}.",
            board,
        )
    ]
    if learnt is not None:
        training = ", not that of the training"
        if analysis.n_refits:
            training = f" and, by {analysis.n_refits} refits, that of the training"
        columns |= _learnt_columns(frame, learnt)
        texts.append(
            "The learnt score ranks the systems on rows that it was not fitted on. Its "
            f"intervals hold the uncertainty of the items{training}."
        )
        pictures.append(
            leaderboard_picture(
                "learnt",
                f"Learnt score: means with intervals of {_percent(learnt.level)}.",
                learnt,
            )
        )
    return Section(
        "leaderboard",
        "Leaderboard",
        title,
        texts=tuple(texts),
        pictures=tuple(pictures),
        tables=(page_table("Systems, the best first", columns),),
    )


def _text_of_people(board, is_of_votes):
    """Return what the columns of people's leaderboard are."""
    first = f"Mean {board.of} of each system, adjusted for the groups that it was in."
    last = (
        '; "groups more" is how many groups like these, on top of those that are there, it '
        "would take to tell the two apart."
    )
    if is_of_votes:
        first = (
            "Strength of each system by all votes, of Bradley and Terry, with ties by the "
            "model of Davidson: the log odds to be preferred to a system of strength 0."
        )
        last = "."
    return (
        f"{first} With a confidence of {_percent(board.level)} the true ranks of all "
        "systems are within those of the table. Systems of one class are not told apart. "
        '"P(beats next)" is how sure it is that a system is better than the one below it'
        f"{last}"
    )


def _learnt_columns(frame, learnt):
    """Return the columns of the learnt leaderboard, in the order of the other."""
    other = learnt.systems.set_index("item").reindex(frame["item"])
    known = other["rank"].notna()
    ranks = other.loc[known, ["rank_low", "rank_high"]].astype(int)
    texts = pd.Series("", index=other.index)
    texts[known] = _joined(ranks["rank_low"], ranks["rank_high"])
    return {
        "learnt score": other["mean"].tolist(),
        "rank by score": [number(value, 0) for value in other["rank"]],
        "true rank by score": list(zip(texts, other["rank_low"], strict=True)),
    }


def _comparison(analysis):
    comparison, learnt = analysis.comparison, analysis.learnt_name
    table = comparison.table()
    means = table[ACCURACY]["mean"]
    order = means.sort_values(ascending=False, kind="stable").index
    differences = comparison.differences(learnt, ACCURACY).reindex(order)
    columns = {
        "method": [str(name) for name in order],
        ACCURACY: means[order].tolist(),
        "± over folds": table[ACCURACY]["std"][order].tolist(),
        "learnt score minus this": [number(v) for v in differences["difference"]],
        "95 %": list(map(interval, differences["low"], differences["high"])),
    }
    for metric in comparison.metrics:
        if metric != ACCURACY:
            columns[metric] = table[metric]["mean"][order].tolist()
    kinds = [
        "ours" if name == learnt else "bound" if name == comparison.truth else ""
        for name in order
    ]
    bounds = (("noise ceiling", comparison.ceiling), ("chance", comparison.chance))
    for name, values in bounds:
        if any(value is not None for value in values.values()):
            columns["method"].append(name)
            kinds.append("bound")
            for column in columns:
                if column != "method":
                    columns[column].append(number(values.get(column)))
    best = [name for name in order if name != comparison.truth][:_MOST_METHODS]
    return Section(
        "comparison",
        "Comparison",
        "Is the learnt score better than each metric alone?",
        texts=(
            "Each method learns from some groups and is judged on others. Pairwise "
            "accuracy is the share of the pairs of a group that a method orders as people "
            "do, the mean over groups; MRR is one over the rank that a method gives to "
            "the item that people like best, the mean over groups; DCG is the paper's "
            "measure of a whole order. Larger is better.",
            *_explained(order, analysis),
        ),
        pictures=(
            comparison_picture(
                comparison,
                learnt,
                [comparison.truth, *best, learnt],
                "Share of the pairs of a group in the order of people, on rows held out. "
                "Bars are intervals over folds, wide enough for folds that share "
                "training rows.",
            ),
        ),
        tables=(page_table("Methods, the best first", columns, kinds=kinds),),
    )


def _explained(names, analysis):
    """Return what the methods are that are no metrics, as far as that is known."""
    known = {
        "system's name alone": "the mean preference of the system, and no metric",
        "GT": "the order of people itself, the best that can be reached",
    }
    if analysis.has_default_rankers:
        known |= {
            "PS, defaults": "the package's ranker, a small network with an additive part",
            "linear": "a weighted sum of the metrics",
            "rank sum": "the sum of the ranks in all metrics, each turned as its name "
            "says, or as it agrees",
        }
    told = [f"{name} is {known[name]}" for name in names if name in known]
    return (f"{'; '.join(told)}.",) if told else ()


def _curves(analysis, X):
    curves = analysis.curves
    table = curves.table
    columns = {
        "metric": table["metric"].map(str).tolist(),
        "direction": [direction_of(row) for _, row in table.iterrows()],
        "share of score differences": [
            (percent(value), value) if value == value else number(value)
            for value in table["share"]
        ],
        "standard error": [
            (percent(value), value) if value == value else number(value)
            for value in table["share_std"]
        ],
        "most preferred value": [
            (f"{value:.4g}", value) if value == value else number(value)
            for value in table["best"]
        ],
    }
    return Section(
        "curves",
        "Curves",
        "Which metric do people follow, and which way?",
        texts=(
            "A curve has for every value of a metric what it adds to the learnt score, in "
            "the metric's own units; where it is flat, the value makes no difference. Two "
            "metrics that measure the same share what they are worth.",
            f"By the {curves.method}; {percent(curves.interaction_share)} of the "
            "differences of scores inside groups are no sum of these curves.",
        ),
        pictures=(
            curves_picture(
                curves,
                X,
                "Worth of the values of the metrics with the largest shares; ticks at the "
                "bottom are a tenth of the rows apart.",
            ),
        ),
        tables=(page_table("Metrics, the largest share first", columns),),
    )


def _importance(analysis):
    importance = analysis.importance
    table = analysis.curves.table
    directions = dict(zip(table["metric"].map(str), table["direction"], strict=True))
    order = np.argsort(-importance.importances_mean, kind="stable")
    columns = {
        "metric": [str(importance.feature_names[i]) for i in order],
        "direction": [directions[str(importance.feature_names[i])] for i in order],
        f"drop of {importance.scoring}": importance.importances_mean[order].tolist(),
        "± over folds": importance.importances_std[order].tolist(),
    }
    return Section(
        "importance",
        "Importance",
        "What does the score lose without a metric?",
        texts=(
            "Each metric is shuffled among the items of a group, on rows held out, and the "
            f"accuracy of {importance.baseline:.3f} falls. What another metric says as "
            "well costs little, so a small drop does not mean that people do not care.",
        ),
        pictures=(
            importance_picture(
                importance,
                analysis.curves,
                analysis.learnt_name,
                f"Drop of {importance.scoring} when a metric is shuffled inside of groups; "
                "lines are the spread over folds.",
            ),
        ),
        tables=(page_table("Metrics, the largest drop first", columns),),
    )


def _wins(analysis):
    board = analysis.leaderboard
    if board is None:
        return []
    caption = (
        "Share of the draws of the bootstrap in which the system of the row is liked "
        "better than that of the column."
    )
    if board.of == "strength":
        caption = (
            "How sure it is, by the standard errors of the strengths, that the system of "
            "the row is better than that of the column."
        )
    return [
        Section(
            "wins",
            "Pairs of systems",
            "How sure is each comparison of two systems?",
            pictures=(win_picture(board, caption),),
        )
    ]


def _calibration(analysis):
    rows, learnt = analysis.held_out, analysis.learnt_name
    groups, y_score = analysis.groups[rows], analysis.y_score[rows]
    pictures = [
        scores_picture(
            groups,
            y_score,
            learnt,
            "Learnt score against preference, on rows held out.",
        )
    ]
    texts = ()
    if analysis.has_probabilities:
        texts = (
            "The learnt score says how probable it is that people prefer one item to "
            "another. On the diagonal it is as probable as stated; a curve that is "
            "flatter is too sure of itself.",
        )
        reliability = reliability_picture(
            groups, y_score, learnt, "Stated probability against the share of pairs."
        )
        pictures.insert(0, reliability)
    return Section(
        "calibration",
        "Calibration",
        "How close is the learnt score to what people say?",
        texts=texts,
        pictures=tuple(pictures),
    )


def _items(analysis, max_rows):
    n_items = len(analysis.items)
    items = analysis.items.head(max_rows)
    columns = {"group": items["group"].map(str).tolist()}
    if "system" in items:
        columns["system"] = items["system"].map(str).tolist()
    columns |= {
        "row": items["row"].tolist(),
        "preference": items["preference"].tolist(),
        "rank of people": list(map(_rank, items["rank of people"])),
        "learnt score": items["score"].tolist(),
        "rank": list(map(_rank, items["rank"])),
    }
    shown = (
        f"All {n_items:,} items"
        if len(items) == n_items
        else f"The first {len(items):,} of {n_items:,} items"
    )
    return Section(
        "items",
        "Items",
        "Items",
        texts=(
            f"{shown}, the best of each group first. Scores are by a model that was not "
            "fitted on the group, where people judged it; they are compared inside of a "
            "group. Rows are counted from 0.",
        ),
        tables=(
            page_table(
                f"{shown}, scored by {analysis.learnt_name}", columns, is_long=True
            ),
        ),
    )


def _settings(analysis):
    return Section(
        "settings", "Settings", "Settings and versions", facts=analysis.settings
    )


def _citation():
    return Section(
        "cite",
        "Citation",
        "How to cite",
        texts=("The paper whose Preference Score this is, and the package:",),
        codes=(PAPER, PACKAGE),
    )


def _ranks(frame):
    return list(
        zip(
            _joined(frame["rank_low"], frame["rank_high"]),
            frame["rank_low"].astype(float),
            strict=True,
        )
    )


def _joined(low, high):
    return [f"{a}" if a == b else f"{a} to {b}" for a, b in zip(low, high, strict=True)]


def _rank(value):
    return ("", np.nan) if np.isnan(value) else (f"{value:g}", float(value))


def _groups(value):
    if np.isinf(value):
        return "no number is enough", np.inf
    return number(value, 0)


def _percent(level):
    return f"{100 * level:g} %"
