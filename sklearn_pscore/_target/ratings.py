"""Raw ratings of several people: their mean and number for each row of X."""

import numpy as np

from sklearn_pscore._means import item_means
from sklearn_pscore._segments import Segments
from sklearn_pscore._target.columns import exact_floats, kind_of
from sklearn_pscore._target.fields import as_labels, as_preference
from sklearn_pscore._target.item_tables import (
    ItemTable,
    check_all_judged,
    check_columns,
    check_option,
    number_both,
)
from sklearn_pscore._target.labels import number_label_pairs, number_labels


def rating_fields(
    ratings, items, *, on, item, rating, annotator, weight, missing, block, position
):
    """Return the fields of a target of ratings, see ``Groups.from_ratings``.

    Returns
    -------
    fields : dict of str to ndarray of shape (n_rows,)
    """
    check_option(weight, "weight", ("count", None))
    check_option(missing, "missing", ("raise", "nan"))
    on = check_columns(on)
    # The columns of a lazy frame are not asked for: polars warns of what it costs.
    is_table = isinstance(ratings, dict) or any(
        hasattr(ratings, name) for name in ("collect_schema", "columns", "column_names")
    )
    rows = ItemTable.of(items, on, item, "items", block=block, position=position)
    if is_table:
        if item is None:
            raise TypeError(
                "item is None, and ratings is a table with one row per rating; expected "
                "the name of the column that names the item, in both tables. Pass item=."
            )
        code, values, row_code = _long_ratings(
            ratings, rows, on, item, rating, annotator
        )
    else:
        if annotator is not None:
            raise TypeError(
                f"annotator is {annotator!r} and ratings an array; expected None, for an "
                "array has one column per annotator. Leave annotator out."
            )
        code, values, row_code = _wide_ratings(ratings, rows)
    mean, count, spread = _summaries(code, values, row_code, rows.group_codes())
    check_all_judged(count > 0, rows, missing, "rating")
    fields = {"group": rows.group_labels(), "preference": mean}
    if rows.item is not None:
        fields["item"] = rows.item
    if weight is not None:
        fields["weight"] = count
    fields.update(n_raters=count, spread=spread)
    # Not given, a column is None there.
    fields.update({name: rows.others[name] for name in ("block", "position")})
    return fields


def _long_ratings(ratings, rows, on, item, rating, annotator):
    """Return the code of each rating's item, the ratings, and the code of each row."""
    if rating is None:
        raise TypeError(
            "rating is None; expected the name of the column of ratings that holds the "
            'numbers. Pass rating="rating".'
        )
    _refuse_wide_frame(ratings, on, item, rating)
    given = ItemTable.of(
        ratings, on, item, "ratings", rating=rating, annotator=annotator
    )
    values = as_preference(given.others["rating"], rating)
    missing = np.flatnonzero(np.isnan(values))
    if len(missing):
        raise ValueError(
            f"{rating} is NaN in {len(missing)} of {len(values)} rows of ratings, the "
            f"first is row {missing[0]}: {given.describe(missing[0])}; expected a number "
            f"in each. Drop them, for example with ratings.dropna(subset={[rating]!r})."
        )
    code, row_code = number_both(given, rows, "ratings")
    if annotator is not None:
        people = as_labels(given.others["annotator"], annotator)
        _check_once(code, people, given, annotator)
    return code, values, row_code


def _refuse_wide_frame(ratings, on, item, rating):
    """Raise ValueError for a DataFrame that has one column per annotator."""
    # A lazy frame has no shape; to ask for its columns costs.
    if not (hasattr(ratings, "shape") and hasattr(ratings, "columns")):
        return
    names = list(getattr(ratings, "column_names", ratings.columns))
    if not any(name in names for name in on):
        raise ValueError(
            f"ratings is {kind_of(ratings)} with the columns {names}, and without {on}, "
            "which names the group; expected one row per rating. If the group is named "
            "by another column, pass its name as on=, or rename it: both tables need it. "
            "If there is one column per annotator, pass an array: ratings.to_numpy()."
        )
    keys = [*on, item]
    if isinstance(rating, str) and rating not in names and set(keys) < set(names):
        raise ValueError(
            f"rating={rating!r} is not a column of the ratings; expected one of {names}. "
            "Name the column that holds the rating. If there is one column per annotator, "
            f"pass one row per rating: ratings.melt({keys}, var_name='annotator', "
            f"value_name={rating!r}).dropna()."
        )


def _wide_ratings(ratings, rows):
    """Return the same for an array with a row per row of X, a column per annotator."""
    if isinstance(ratings, np.ma.MaskedArray):
        ratings = ratings.astype(np.float64).filled(np.nan)
    if not isinstance(ratings, (np.ndarray, list, tuple)):
        raise TypeError(
            f"ratings is {kind_of(ratings)}; expected a table with one row per rating, or "
            "an array of shape (n_rows, n_annotators). Pass a DataFrame, a dict of "
            "columns or an array."
        )
    try:
        array = np.asarray(ratings)
    except ValueError:
        raise ValueError(
            f"ratings is {kind_of(ratings)} whose rows have different lengths; expected "
            "one column per annotator. Fill up the shorter ones with NaN, or pass a table "
            "with one row per rating."
        ) from None
    if array.ndim != 2:
        raise ValueError(
            f"ratings is {kind_of(ratings)} of shape {array.shape}; expected one row per "
            "row of items and one column per annotator, NaN where there is no rating. "
            "For one number per row call Groups.from_arrays(preference=...)."
        )
    if len(array) != rows.n_rows:
        raise ValueError(
            f"ratings has {len(array)} rows but items has {rows.n_rows}; expected one row "
            "of ratings per row of items. If it has one row per annotator, pass its .T."
        )
    array = exact_floats(array, "ratings")
    infinite = np.argwhere(np.isinf(array))
    if len(infinite):
        row, column = infinite[0]
        raise ValueError(
            f"ratings is {array[row, column]} at row {row}, column {column}; expected "
            "finite numbers, or NaN where there is no rating. Replace it."
        )
    code, column = np.nonzero(~np.isnan(array))
    return code, array[code, column], np.arange(rows.n_rows)


def _check_once(code, people, given, annotator):
    """Raise ValueError if one annotator rated an item twice."""
    first, pair = number_label_pairs(code, number_labels(people)[1])
    again = np.flatnonzero(first[pair] != np.arange(len(pair)))
    if len(again):
        row = again[0]
        raise ValueError(
            f"{annotator} {people[row]!s} rated {given.describe(row)} at row "
            f"{first[pair[row]]} and at row {row} of ratings; expected one rating of each "
            "item by each annotator. Average them first, or leave annotator out to count "
            "them as ratings of two."
        )


def _summaries(code, values, row_code, row_group):
    """Return mean, number and standard deviation of the ratings of each row.

    Parameters
    ----------
    code : ndarray of shape (n_ratings,), int
        Item of each rating.
    values : ndarray of shape (n_ratings,), float
    row_code, row_group : ndarray of shape (n_rows,), int
        Item and group of each row.

    Returns
    -------
    mean : ndarray of shape (n_rows,), float
        NaN without a rating. It depends on no order of the ratings, and means that
        only rounding tells apart are equal.
    count : ndarray of shape (n_rows,), float
    spread : ndarray of shape (n_rows,), float
        NaN with less than two ratings.
    """
    n_codes = int(row_code.max(initial=-1)) + 1
    group_of = np.zeros(n_codes, dtype=np.int64)
    group_of[row_code] = row_group
    order = np.lexsort((values, code))
    code, values = code[order], values[order]
    rated = Segments.of_equal(code)
    codes = code[rated.start]
    mean, count = np.full(n_codes, np.nan), np.zeros(n_codes)
    if len(codes):
        mean[codes] = item_means(rated, values, group_of[codes])
    count[codes] = rated.size
    spread = np.full(n_codes, np.nan)
    spread[codes] = _deviations(rated, values)
    return mean[row_code], count[row_code], spread[row_code]


def _deviations(rated, values):
    """Return the standard deviation of the sorted values of each segment, or NaN."""
    # Scaled by a power of two, which rounds nothing, no sum of squares overflows; and of
    # differences to the lowest value, equal ratings have a deviation of exactly 0.
    largest = np.maximum(
        *np.abs([values[rated.start], values[rated.start + rated.size - 1]])
    )
    exponent = np.frexp(largest)[1]
    above = np.ldexp(values, -rated.spread(exponent))
    above = above - rated.spread(above[rated.start])
    mean = rated.sum(above) / rated.size
    squares = rated.sum((above - rated.spread(mean)) ** 2)
    several = rated.size > 1
    spread = np.full(len(exponent), np.nan)
    spread[several] = np.sqrt(squares[several] / (rated.size[several] - 1))
    return np.ldexp(spread, exponent)
