"""Tables of votes that cannot be: what is told, with the table, the row and the value."""

import re

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

from sklearn_pscore import Groups, LinearPreferenceRanker

ITEMS = pd.DataFrame({"prompt": list("pppqq"), "system": list("abcab")})
VOTES = pd.DataFrame(
    {
        "prompt": list("ppqq"),
        "left": list("abab"),
        "right": list("bcba"),
        "winner": ["a", "tie", "left", "b"],
        "who": list("xyxy"),
        "amount": [1.0, 2.0, 1.0, 1.0],
    }
)


def changed(frame, row, column, value):
    """Return a table with one other entry."""
    values = frame[column].astype(object)
    values[row] = value
    return frame.assign(**{column: values})


@pytest.mark.parametrize(
    ("votes", "options", "message"),
    [
        (
            changed(VOTES, 2, "right", "new"),
            {},
            "1 of 4 votes are of an item that items does not have, the first at row 2: "
            "prompt q, item new; expected a row of items, with metrics in X, for each",
        ),
        (
            changed(VOTES, 1, "right", "b"),
            {},
            "votes has the same item on both sides in 1 rows, the first at row 1: prompt "
            "p, item b",
        ),
        (
            changed(VOTES, 1, "winner", "fine"),
            {},
            "winner is 'fine' at row 1 of votes, and in 1 rows it is unknown; expected "
            "'b', 'c', or one of",
        ),
        (
            changed(VOTES, 1, "winner", 0.5),
            {},
            "winner is '0.5' at row 1 of votes, and in 1 rows it is unknown",
        ),
        (
            VOTES.assign(winner=[1, 0, 0.5, 2]),
            {},
            "winner is 2.0 at row 3 of votes, and in 1 rows it is unknown",
        ),
        (changed(VOTES, 1, "winner", None), {}, "In votes: winner is None at row 1;"),
        (changed(VOTES, 1, "winner", np.nan), {}, "In votes: winner is nan at row 1;"),
        (VOTES[:0], {}, "votes is empty; expected one row per vote"),
        (changed(VOTES, 3, "prompt", None), {}, "In votes: prompt is None at row 3;"),
        (changed(VOTES, 3, "left", None), {}, "In votes: left is None at row 3;"),
        (
            changed(VOTES, 1, "who", None),
            {"annotator": "who"},
            "In votes: who is None at row 1; expected a label for every row",
        ),
        (
            changed(VOTES, 1, "amount", -1),
            {"weight": "amount"},
            "In votes: amount is -1.0 at row 1; expected finite numbers >= 0",
        ),
        (
            changed(VOTES, 1, "amount", None),
            {"weight": "amount"},
            "In votes: amount is nan at row 1; expected finite numbers >= 0",
        ),
        (VOTES, {"left": "lft"}, "left='lft' is not a column of the votes;"),
        (VOTES, {"right": "rgt"}, "right='rgt' is not a column of the votes;"),
    ],
)
def test_votes_that_cannot_be(votes, options, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        Groups.from_votes(votes, ITEMS, **options)


@pytest.mark.parametrize(
    ("items", "message"),
    [
        (
            pd.concat([ITEMS, ITEMS[1:2]]),
            "items has prompt p, item b at row 1 and at row 5; expected each item",
        ),
        (changed(ITEMS, 4, "prompt", None), "In items: prompt is None at row 4;"),
        (changed(ITEMS, 4, "system", None), "In items: system is None at row 4;"),
        (ITEMS[:0], "items is empty; expected one row per row of X"),
    ],
)
def test_items_that_cannot_be(items, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        Groups.from_votes(VOTES, items)


def test_votes_without_an_item_are_dropped_on_request():
    votes = changed(VOTES, 2, "right", "new")
    message = "leaves out votes: 1 of 4 votes are of an item that items does not have"
    with pytest.warns(UserWarning, match=message):
        dropped = Groups.from_votes(votes, ITEMS, missing="drop")
    assert_array_equal(dropped, Groups.from_votes(VOTES.drop(index=2), ITEMS))


def test_joined_targets():
    """Groups.concat numbers rows anew, np.concatenate is refused where votes clash."""
    first = Groups.from_votes(VOTES, ITEMS)
    other = VOTES.assign(winner=["b", "b", "right", "tie"])
    second = Groups.from_votes(other, ITEMS)
    X = np.random.default_rng(0).normal(size=(10, 2))
    joined = Groups.concat({"one": first, "other": second})
    assert joined["row"].tolist() == list(range(10))
    assert joined["votes"].sum() == 8
    LinearPreferenceRanker().fit(X, joined)
    message = "row number 0 of two targets of votes, the second at row 5, group p"
    with pytest.raises(ValueError, match=re.escape(message)):
        LinearPreferenceRanker().fit(X, np.concatenate([first, second]))
