"""Groups and check_groups: what is accepted, how it is stored, what is refused."""

import re

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_pscore._target.check import are_comparable, check_comparable, check_groups
from sklearn_pscore._target.groups import Groups
from sklearn_pscore.metrics import ndcg_score

NUMBERS = [7, -3, 7]
NAMES = ["b", "longer", "b"]


@pytest.mark.parametrize("field", ["group", "item"])
@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (NUMBERS, NUMBERS),
        (np.array(NUMBERS, dtype="float"), NUMBERS),
        (np.array(NUMBERS, dtype=object), NUMBERS),
        (pd.Series(NUMBERS, dtype="Int64"), NUMBERS),
        (pl.Series(NUMBERS), NUMBERS),
        ([True, False, True], [1, 0, 1]),
        (NAMES, NAMES),
        (np.array(NAMES, dtype=object), NAMES),
        (np.array(NAMES, dtype=np.dtypes.StringDType()), NAMES),
        (pd.Series(NAMES), NAMES),
        (pd.Series(NAMES, dtype="string"), NAMES),
        (pd.Series(NAMES, dtype="category"), NAMES),
        (pl.Series(NAMES), NAMES),
        (pl.Series(NAMES, dtype=pl.Categorical), NAMES),
    ],
)
def test_labels_are_stored_as_int64_or_fixed_width(field, labels, expected):
    groups = Groups.from_arrays(**({"group": [0, 0, 0]} | {field: labels}))
    assert groups[field].tolist() == expected
    stored = "<U6" if isinstance(expected[0], str) else "int64"
    assert groups.dtype[field] == np.dtype(stored)


@pytest.mark.parametrize(
    ("field", "values", "expected"),
    [
        ("preference", [1, -2, 0], [1.0, -2.0, 0.0]),
        ("preference", [1.5, None, np.nan], [1.5, np.nan, np.nan]),
        ("preference", pd.Series([1, None, 3], dtype="Int64"), [1.0, np.nan, 3.0]),
        ("preference", pd.Series([1, pd.NA, 3], dtype=object), [1.0, np.nan, 3.0]),
        ("preference", pl.Series([1, None, 3]), [1.0, np.nan, 3.0]),
        ("weight", [0, 1, 2.5], [0.0, 1.0, 2.5]),
        ("clip", [2.0, 0.0, 1.0], [2, 0, 1]),
        ("clip", pd.Series([2, 0, 1], dtype="Int64"), [2, 0, 1]),
        ("clip", np.array([2, 0, 1], dtype=object), [2, 0, 1]),
        ("donor", [0, 1, 0.0], [False, True, False]),
        ("donor", pd.Series([False, True, False], dtype="boolean"), [0, 1, 0]),
        ("donor", np.array([False, True, False], dtype=object), [0, 1, 0]),
        ("donor", pl.Series([False, True, False]), [0, 1, 0]),
    ],
)
def test_other_fields_are_stored_in_their_type(field, values, expected):
    groups = Groups.from_arrays(**{"group": NUMBERS, field: values})
    stored = {"preference": "f8", "weight": "f8", "clip": "i8", "donor": "?"}
    assert groups.dtype[field] == np.dtype(stored[field])
    assert_array_equal(groups[field], expected)


def test_fields_come_in_one_order_and_only_if_given():
    groups = Groups.from_arrays(donor=[0, 1], item=["x", "y"], group=[1, 2])
    assert groups.dtype.names == ("group", "preference", "item", "donor", "group_size")
    assert_array_equal(groups["preference"], [np.nan, np.nan])


@pytest.mark.parametrize("library", [pd, pl])
def test_from_frame_equals_from_arrays(library):
    fields = {
        "group": ["t", "l", "t"],
        "preference": [1.0, 2.0, 3.0],
        "item": ["a", "b", "c"],
        "clip": [0, 0, 1],
        "weight": [1, 2, 3],
        "donor": [False, True, False],
    }
    frame = library.DataFrame({f"my {field}": fields[field] for field in fields})
    groups = Groups.from_frame(frame, **{field: f"my {field}" for field in fields})
    expected = Groups.from_arrays(**fields)
    assert groups.dtype == expected.dtype
    assert groups.tolist() == expected.tolist()


def test_from_winners_compares_lengths():
    with pytest.raises(ValueError, match="group has 2 entries but winner has 3"):
        Groups.from_winners(group=["a", "b"], winner=[True, False, True])


@pytest.mark.parametrize("winner", [[False, True, True], [0, 1, 1.0]])
def test_from_winners_gives_ten_and_zero(winner):
    groups = Groups.from_winners(group=["a", "a", "b"], winner=winner, clip=[0, 1, 2])
    assert groups["preference"].tolist() == [0.0, 10.0, 10.0]
    assert groups.dtype.names == ("group", "preference", "clip", "group_size")


@pytest.mark.parametrize("field", ["group", "item"])
@pytest.mark.parametrize(
    "labels",
    [
        [1, None],
        [1, np.nan],
        ["a", None],
        ["a", np.nan],
        pd.Series(["a", None]),
        pd.Series(["a", pd.NA], dtype="string"),
        pd.Series(["a", None], dtype="category"),
        pd.Series([1, pd.NA], dtype="Int64"),
        pl.Series([1, None]),
        pl.Series(["a", None]),
    ],
)
def test_missing_labels_are_refused(field, labels):
    message = rf"{field} is (nan|None|<NA>) at row 1; expected a label for every row"
    with pytest.raises(ValueError, match=message):
        Groups.from_arrays(**({"group": [0, 0]} | {field: labels}))


DAYS = np.array(["2020-01-01"] * 2, dtype="M8[ns]")
TUPLES = pd.Series([(1, 2), (3, 4)])


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"group": None}, "pass group=np.zeros(n_samples, dtype=int)"),
        ({"group": [0.5, 1]}, "group is 0.5 at row 0; expected integers or strings"),
        ({"group": [1, np.inf]}, "group is inf at row 1; expected integers or strings"),
        ({"group": ["a", 1]}, "holds ['int', 'str']; expected all integers or all"),
        (
            {"group": [b"a", b"b"]},
            "group has dtype |S1, b'a' at row 0; expected integers",
        ),
        ({"group": DAYS}, "group has dtype datetime64[ns]; expected integers or"),
        ({"item": TUPLES}, "item mixes or holds ['tuple']; expected all integers"),
        (
            {"preference": ["1", "2"]},
            "preference has dtype <U1, '1' at row 0; expected",
        ),
        (
            {"preference": [1, "2"]},
            "preference has dtype object, '2' at row 1; expected",
        ),
        (
            {"weight": [1.0, {}]},
            "weight has dtype object, {} at row 1; expected numbers",
        ),
        ({"weight": [1.0, 2j]}, "weight has dtype complex128, 2j at row 1; expected"),
        ({"preference": DAYS}, "preference has dtype datetime64[ns]; expected numbers"),
        ({"weight": DAYS - DAYS}, "weight has dtype timedelta64[ns]; expected numbers"),
        ({"clip": [0, 0.5]}, "clip is 0.5 at row 1; expected integers in time order"),
        (
            {"clip": ["x", "y"]},
            "clip has dtype <U1, 'x' at row 0; expected integers in",
        ),
        ({"donor": ["no", "yes"]}, "donor has dtype <U3, 'no' at row 0; expected"),
        ({"donor": [True, "yes"]}, "donor has dtype object, 'yes' at row 1; expected"),
    ],
)
def test_types_that_cannot_be_used(fields, message):
    with pytest.raises(TypeError, match=re.escape(message)):
        Groups.from_arrays(**({"group": [0, 0]} | fields))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"group": [1, 2e19]}, "group is 2e+19 at row 1; expected integers of 64 bits"),
        ({"item": np.array([1, 2**63], "u8")}, "item is 9223372036854775808 at row 1"),
        ({"group": [[0], [1]]}, "group has shape (2, 1); expected one value per row"),
        ({"group": 3}, "group has shape (); expected one value per row of X"),
        ({"preference": [1, -np.inf]}, "preference is -inf at row 1; expected finite"),
        ({"weight": [1, -2]}, "weight is -2.0 at row 1; expected finite numbers >= 0"),
        ({"weight": [1, np.inf]}, "weight is inf at row 1; expected finite numbers"),
        ({"weight": [np.nan, 1]}, "weight is nan at row 0; expected finite numbers"),
        ({"clip": [0, np.nan]}, "clip is nan at row 1"),
        ({"donor": [0, 2]}, "donor is 2 at row 1; expected True or False"),
        ({"donor": [True, None]}, "donor is nan at row 1; expected True or False"),
        ({"preference": [1]}, "group has 2 entries but preference has 1; expected one"),
        (
            {"item": ["x", "x"], "preference": [1, 2]},
            "item x of group 0 has preference 2.0 at row 1 but 1.0 at row 0",
        ),
        (
            {"item": [4, 4], "preference": [np.nan, 2]},
            "item 4 of group 0 has preference 2.0 at row 1 but nan at row 0",
        ),
    ],
)
def test_values_that_cannot_be_used(fields, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        Groups.from_arrays(**({"group": [0, 0]} | fields))


def test_other_constructors_refuse():
    with pytest.raises(TypeError, match="Use Groups.from_arrays, Groups.from_frame or"):
        Groups()
    with pytest.raises(ValueError, match="winner is 10 at row 1; expected True or"):
        Groups.from_winners(group=[0, 0], winner=[1, 10])
    with pytest.raises(TypeError, match="frame is dict; expected a pandas or polars"):
        Groups.from_frame({"a": [1]}, group="a")
    message = re.escape(
        "weight='w' is not a column of the frame; expected one of ['a']"
    )
    with pytest.raises(ValueError, match=message):
        Groups.from_frame(pd.DataFrame({"a": [1]}), group="a", weight="w")


def test_the_gate_codes_groups_and_items():
    groups = Groups.from_arrays(
        group=["b", "a", "b", "b"],
        preference=[1, 2, 1, 3],
        item=["x", "x", "x", "y"],
        weight=[1, 2, 4, 8],
        donor=[0, 0, 0, 1],
    )
    target = check_groups(groups, n_rows=4)
    assert (target.n_rows, target.n_groups, target.is_plain) == (4, 2, False)
    assert target.labels[target.group].tolist() == ["b", "a", "b", "b"]
    assert target.items.row_item.tolist() == [1, 0, 1, -1]
    assert target.items.group.tolist() == [0, 1]
    assert target.items.preference.tolist() == [2.0, 1.0]
    assert target.items.weight.tolist() == [2.0, (1 + 4) / 2]


@pytest.mark.parametrize("unread", [np.nan, 9.0])
@pytest.mark.parametrize("zero", [0, 1])
def test_a_row_of_weight_zero_need_not_agree_with_its_item(unread, zero):
    preference, weight = np.array([2.0, 2, 1]), np.ones(3)
    preference[zero], weight[zero] = unread, 0
    given = {"group": [7, 7, 7], "item": [5, 5, 6]}
    groups = Groups.from_arrays(preference=preference, weight=weight, **given)
    items = check_groups(groups).items
    assert items.preference.tolist() == [2.0, 1.0]
    kept = groups[weight > 0]
    scores = np.array([1.0, 1, 2])
    assert ndcg_score(groups, scores) == ndcg_score(kept, scores[weight > 0])
    # One that counts must agree, whatever rows of weight zero are between.
    preference, weight = np.array([9.0, 2, 1]), np.array([0.0, 1, 1])
    given["item"] = [5, 5, 5]
    message = "item 5 of group 7 has preference 1.0 at row 2 but 2.0 at row 1;"
    with pytest.raises(ValueError, match=message):
        Groups.from_arrays(preference=preference, weight=weight, **given)


def test_item_weights_do_not_depend_on_row_order():
    rng = np.random.default_rng(0)
    item, weight = rng.integers(3, size=30), rng.uniform(size=30)
    groups = Groups.from_arrays(
        group=np.zeros(30, int), preference=np.zeros(30), item=item, weight=weight
    )
    means = check_groups(groups).items.weight
    assert_allclose(means, [weight[item == code].mean() for code in range(3)])
    shuffled = check_groups(groups[rng.permutation(30)]).items.weight
    assert_array_equal(shuffled, means)


@pytest.mark.parametrize("container", [list, np.array, pd.Series, pl.Series])
def test_a_plain_target_is_one_group(container):
    target = check_groups(container([3, 1, 2]), n_rows=3)
    assert target.is_plain
    assert target.n_groups == 1
    assert target.preference.tolist() == [3.0, 1.0, 2.0]
    assert target.items.row_item.tolist() == [0, 1, 2]


def test_probable_group_ids_warn():
    ids = np.arange(16) // 2
    message = re.escape("y holds 8 distinct integers over 16 rows and no groups")
    with pytest.warns(UserWarning, match=message):
        check_groups(ids)
    # Floats, seven distinct values, and one that comes only once.
    for preferences in (ids.astype(float), ids[:14], np.r_[ids, 99]):
        assert check_groups(preferences).n_rows == len(preferences)


TARGET = Groups.from_arrays(group=[0, 0, 1], preference=[1, np.nan, np.nan])
EXTRA = np.zeros(2, dtype=[("group", "i8"), ("preference", "f8"), ("qid", "i8")])


@pytest.mark.parametrize(
    ("groups", "kwargs", "error", "message"),
    [
        (None, {}, ValueError, "fit requires y to be passed, but the target y is None"),
        ([(0, 1.0)] * 2, {}, TypeError, "groups is list of 2 tuple values; expected"),
        ([[0, 1.0]] * 2, {}, TypeError, "groups is list of 2 list values; expected"),
        (np.ones((3, 2)), {}, TypeError, "groups is ndarray of shape (3, 2); expected"),
        (pd.DataFrame(np.ones((3, 2))), {}, TypeError, "is DataFrame of shape (3, 2)"),
        (
            ["a", "b"],
            {},
            TypeError,
            "groups is a plain array of dtype <U1, 'a' at row 0",
        ),
        (["1", "2"], {}, TypeError, "groups is a plain array of dtype <U1"),
        (
            np.array(["1", 2.0], dtype=object),
            {},
            TypeError,
            "groups is a plain array of dtype object, '1' at row 0;",
        ),
        (Groups, {}, TypeError, "groups is a type; expected one record or preference"),
        ({1.0, 2.0}, {}, TypeError, "groups is a set; expected one record or"),
        (
            [1.0, np.nan],
            {},
            ValueError,
            "Input groups contains NaN in 1 of 2 entries, the first at row 1; expected",
        ),
        ([1.0, np.inf], {}, ValueError, "Input y contains infinity"),
        ([1.0, 2.0], {"n_rows": 3}, ValueError, "2 entries but X has 3 rows"),
        (TARGET, {"n_rows": 5}, ValueError, "groups has 3 entries but X has 5 rows"),
        (TARGET, {}, ValueError, "(NaN) in 2 of 3 rows, the first at row 1; fit needs"),
        ([1.0], {"allow_plain": False}, TypeError, "fit takes groups as a structured"),
        (
            7.0,
            {"allow_plain": False},
            TypeError,
            "structured array of Groups, got float:",
        ),
        (TARGET[["group"]], {}, TypeError, "the fields ['group']; expected 'group'"),
        (EXTRA, {}, TypeError, "the fields ['group', 'preference', 'qid']; expected"),
        (TARGET[:, None], {}, ValueError, "groups has shape (3, 1); expected one"),
        (TARGET[0], {}, ValueError, "groups has shape (); expected one record per row"),
    ],
)
def test_the_gate_refuses(groups, kwargs, error, message):
    with pytest.raises(error, match=re.escape(message)):
        check_groups(groups, caller="fit", **kwargs)


def test_the_gate_checks_what_was_made_by_hand():
    groups = np.zeros(2, dtype=[("group", "i8"), ("preference", "f4")])
    assert check_groups(groups).preference.dtype == np.float64
    groups["preference"][1] = np.inf
    with pytest.raises(ValueError, match="preference is inf at row 1"):
        check_groups(groups)


def test_unjudged_rows_pass_where_nobody_needs_them():
    assert check_groups(TARGET, require_preference=False).n_rows == 3
    donors = Groups.from_arrays(group=[0, 1], preference=[1, np.nan], donor=[0, 1])
    assert check_groups(donors).donor.tolist() == [False, True]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"group": [0, 1]}, "2 items in 2 groups, every group has a single item"),
        ({"donor": [0, 1]}, "1 items in 1 groups, every group has a single item"),
        ({"preference": [3, 3]}, "preferences are equal within each of the 1 groups"),
        ({"weight": [0, 0]}, "the weight of all 2 rows is zero"),
        ({"weight": [0, 1]}, "1 items in 1 groups, every group has a single item"),
    ],
)
def test_no_comparable_pair(fields, message):
    default = {"group": [0, 0], "preference": [1, 2]}
    target = check_groups(Groups.from_arrays(**(default | fields)))
    with pytest.raises(ValueError, match=re.escape(message)):
        check_comparable(target, "fit")


@pytest.mark.parametrize(
    "winner", [["no", "yes"], np.array(["no", "yes"], dtype=object)]
)
def test_winner_in_words_asks_for_a_condition(winner):
    with pytest.raises(TypeError, match="expected booleans. Pass a condition"):
        Groups.from_winners(group=[0, 0], winner=winner)


def test_from_frame_takes_names_only():
    frame = pd.DataFrame({"track": [1, 1]})
    with pytest.raises(
        TypeError, match="group is Series; expected the name of a column"
    ):
        Groups.from_frame(frame, group=frame["track"])


@pytest.mark.parametrize("seed", range(10))
def test_comparable_items_are_those_in_a_pair(seed):
    rng = np.random.default_rng(seed)
    group, preference = rng.integers(0, 9, 20), rng.integers(0, 3, 20) - 1.0
    weight = rng.integers(0, 3, 20) / 2
    is_pair = (group[:, None] == group) & (preference[:, None] != preference)
    is_pair &= weight[:, None] * weight > 0
    expected = is_pair.any(axis=1)
    assert_array_equal(are_comparable(group, preference, weight), expected)


def test_no_items_are_comparable():
    nothing = np.zeros(0)
    assert len(are_comparable(nothing.astype(int), nothing, nothing)) == 0
