"""Who votes as the others do, as a score says, or for what is shown first."""

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from sklearn_pscore._target.ballots import LEFT, RIGHT, TIE, read_ballots
from sklearn_pscore._target.labels import number_labels
from sklearn_pscore.metrics._checks import check_level, check_scores


def annotator_report(
    votes,
    items,
    y_score=None,
    *,
    annotator="annotator",
    level=0.95,
    **columns,
):
    """Say how each annotator has voted: ties, agreement, and bias to the left.

    Parameters
    ----------
    votes, items : DataFrame or dict of str to array-like
        Tables of votes and of items, as in ``Groups.from_votes``.
    y_score : array-like of shape (n_items,), dict of str to array-like, or None, \
default=None
        Scores of the rows of `items`, larger is preferred. To learn from no vote that
        is then judged, pass a dict: for each annotator, scores of a model that was
        fitted without her votes.
    annotator : str, default="annotator"
        Column of `votes` that names who voted.
    level : float, default=0.95
        Level of the intervals, Wilson's [1]_, which take votes for independent.
    **columns
        The other arguments of ``Groups.from_votes``: `on`, `item`, `left`, `right`,
        `winner`, `weight`, `outcomes`, `missing`.

    Returns
    -------
    report : DataFrame of shape (n_annotators, 14)
        One row per annotator, in the order of their names:

        - `annotator`, and `n_votes`, how often she voted;
        - `tie_share`: the share of votes for neither;
        - `majority_agreement`, with `majority_low`, `majority_high` and `n_majority`: of
          the decided votes on pairs for which most of the *other* annotators' votes are
          for one side, the share that is for that side;
        - `score_agreement`, `score_low`, `score_high`, `n_score`: of the decided
          votes, the share that is for the item with the larger score. NaN without
          `y_score`;
        - `left_share`, `left_low`, `left_high`: of the decided votes, the share for the
          left item. Far from one half it is a bias, where sides were drawn.

    Raises
    ------
    ValueError
        If a table or column cannot be used, a score is missing, or `level` is out of
        range.
    TypeError
        If an argument is of the wrong type.

    Notes
    -----
    Weights of the votes leave out those of weight 0, and else play no part. To weigh
    annotators by how reliable they are, see ``docs/votes.md``.

    References
    ----------
    .. [1] Wilson, "Probable inference, the law of succession, and statistical
       inference", JASA 22, 1927.

    Examples
    --------
    >>> from sklearn_pscore.datasets import make_arena
    >>> from sklearn_pscore.inspection import annotator_report
    >>> arena = make_arena(n_annotators=10, random_state=0)
    >>> report = annotator_report(arena.votes, arena.answers, arena.score)
    >>> arena.careless
    ['annotator 0']
    >>> report.sort_values("score_agreement")["annotator"].iloc[0]
    'annotator 0'
    """
    caller = "annotator_report"
    check_level(level, caller)
    if not isinstance(annotator, str):
        raise TypeError(
            f"annotator is {annotator!r}; expected the name of the column of votes that "
            'says who voted. Pass annotator="annotator".'
        )
    ballots = read_ballots(votes, items, caller, annotator=annotator, **columns)
    names, person = number_labels(ballots.annotator)
    scores = _checked_scores(y_score, names, ballots.rows.n_rows, caller)
    is_decided = ballots.value != TIE
    majority = _majority_of_others(ballots, person)
    rows = []
    for number, name in enumerate(names.tolist()):
        own = person == number
        decided = own & is_decided
        value = ballots.value[decided]
        row = {
            "annotator": name,
            "n_votes": int(own.sum()),
            "tie_share": 1.0 - decided.sum() / own.sum(),
        }
        row |= _share("majority", value, majority[decided], level)
        gap = np.zeros(len(value))
        if scores is not None:
            score = scores[name] if isinstance(scores, dict) else scores
            gap = score[ballots.first[decided]] - score[ballots.second[decided]]
        row |= _share("score", value, gap, level)
        left = _share("left", value, np.ones(len(value)), level)
        left["left_share"] = left.pop("left_agreement")
        del left["n_left"]
        rows.append(row | left)
    columns = [
        *("annotator", "n_votes", "tie_share"),
        *("majority_agreement", "majority_low", "majority_high", "n_majority"),
        *("score_agreement", "score_low", "score_high", "n_score"),
        *("left_share", "left_low", "left_high"),
    ]
    return pd.DataFrame(rows)[columns]


def _majority_of_others(ballots, person):
    """Return for each vote how much the others favour the left item of its pair."""
    lower = np.minimum(ballots.first, ballots.second)
    upper = np.maximum(ballots.first, ballots.second)
    pair = number_labels(lower * ballots.rows.n_rows + upper)[1]
    turned = ballots.first > ballots.second
    # 1 for the lower row, -1 for the upper one.
    favour = (2 * ballots.value - 1) * np.where(turned, -1.0, 1.0)
    of_pair = np.bincount(pair, favour)
    own = number_labels(pair * (int(person.max()) + 1) + person)[1]
    others = of_pair[pair] - np.bincount(own, favour)[own]
    return others * np.where(turned, -1.0, 1.0)


def _share(name, value, favour, level):
    """Return how often votes are for the favoured side, where there is one."""
    counts = favour != 0
    n = int(counts.sum())
    right = np.where(favour[counts] > 0, LEFT, RIGHT) == value[counts]
    share = low = high = np.nan
    if n:
        result = binomtest(int(right.sum()), n)
        share = right.sum() / n
        low, high = result.proportion_ci(level, method="wilson")
    return {
        f"{name}_agreement": share,
        f"{name}_low": low,
        f"{name}_high": high,
        f"n_{name}": n,
    }


def _checked_scores(y_score, names, n_rows, caller):
    """Return the scores of the rows, by annotator if there are several; or None."""
    if y_score is None:
        return None
    if not isinstance(y_score, dict):
        return check_scores(y_score, n_rows, caller)
    lacking = [name for name in names.tolist() if name not in y_score]
    if lacking:
        raise ValueError(
            f"y_score has no scores for {len(lacking)} annotators, such as {lacking[:3]}; "
            "expected scores of a model that was fitted without their votes. Add them, or "
            "pass one array for all."
        )
    return {
        name: check_scores(y_score[name], n_rows, caller) for name in names.tolist()
    }
