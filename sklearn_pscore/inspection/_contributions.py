"""Which metrics decide a pair: Shapley values of what two items differ in."""

from numbers import Integral

import numpy as np

from sklearn_pscore._estimators.random_state import generator_of
from sklearn_pscore._rankers.any_model import check_predicts_scores
from sklearn_pscore._rows import rows_at_a_time
from sklearn_pscore.inspection._arguments import check_count
from sklearn_pscore.inspection._coalitions import AllCoalitions, DrawnOrders
from sklearn_pscore.inspection._contributions_result import PairContributions
from sklearn_pscore.inspection._feature_groups import feature_names
from sklearn_pscore.inspection._feature_table import FeatureTable, stacked
from sklearn_pscore.metrics._checks import check_scores
from sklearn_pscore.metrics._models import inner_estimator, transformed

# Rows of one prediction. Not measured.
_ROWS = 200_000
# A million rows for a pair.
_MOST_EXACT = 20


def pairwise_contributions(
    estimator, X_a, X_b, *, max_exact=12, n_permutations=50, random_state=None
):
    """Tell how much each metric adds to the difference of two items' scores.

    The item b is turned into a, metric by metric. What a metric adds is the change of
    the score when its value becomes that of a, averaged over all orders in which the
    metrics may be changed: the Shapley values [1]_ of a game whose players are the
    metrics in which the items differ, with the one item as the baseline of the other
    [2]_. They sum to the difference of the scores, and change their sign if a and b
    are swapped. A metric in which both are equal adds 0.

    Parameters
    ----------
    estimator : object
        A fitted estimator with ``predict``: a ranker, a pipeline or a fitted search.
        It is asked for scores of rows alone, without groups.
    X_a, X_b : array-like, sparse matrix or DataFrame of shape (n_pairs, n_features)
        The two items of each pair, as the estimator takes them, both of one kind.
    max_exact : int, default=12
        Pairs that differ in so many metrics or fewer are explained exactly, from all
        ``2 ** n`` mixtures of the two. At most 20.
    n_permutations : int, default=50
        Number of orders, of at least 2, that are drawn for pairs that differ in more.
        Each is taken forward and backward, so that the values are exact, too, where
        the score has an additive part and terms of two metrics. Only what three or
        more do together is sampled.
    random_state : int, RandomState instance or None, default=None
        Source of the orders, which all pairs share. An integer gives the same result
        in every call, whatever other pairs there are.

    Returns
    -------
    contributions : PairContributions
        `values` of shape (n_pairs, n_features), what each metric adds to the score of
        a over that of b, positive if it speaks for a; their sum, the `difference`;
        and how sure they are.

    Raises
    ------
    ValueError
        If the tables differ in rows or columns, or a score is not finite.
    TypeError
        If an argument is of the wrong type, or the estimator predicts labels.
    sklearn.exceptions.NotFittedError
        If the estimator is not fitted.

    See Also
    --------
    group_permutation_importance : Which metrics matter over all pairs.
    sklearn_pscore.preference_proba : How likely people prefer a to b.

    Notes
    -----
    Correlated metrics share what they add together: the mixtures hold values that no
    item has. ``shap.explainers.Exact(estimator.predict, shap.maskers.Independent(b))``
    gives the same for one pair, with `b` a table of the one row.

    References
    ----------
    .. [1] Shapley, "A Value for n-Person Games", Contributions to the Theory of Games
       II, 1953.
    .. [2] Sundararajan, Najmi, "The Many Shapley Values for Model Explanation", ICML
       2020, arXiv:1908.08474.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LinearRegression
    >>> from sklearn_pscore.inspection import pairwise_contributions
    >>> X = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    >>> model = LinearRegression().fit(X, [0.0, 2.0, -1.0])
    >>> result = pairwise_contributions(model, [[3.0, 1.0]], [[1.0, 2.0]])
    >>> result.values.round(6).tolist(), result.difference.round(6).tolist()
    ([[4.0, 1.0]], [5.0])
    """
    caller = "pairwise_contributions"
    _check_max_exact(max_exact, caller)
    check_count(n_permutations, "n_permutations", caller, least=2)
    rng = generator_of(random_state, caller)
    check_predicts_scores(estimator)
    table_a, table_b = FeatureTable(X_a, "X_a"), FeatureTable(X_b, "X_b")
    n_pairs = table_a.n_rows
    if table_b.n_rows != n_pairs:
        raise ValueError(
            f"X_a has {n_pairs} rows and X_b {table_b.n_rows}; expected one row per pair "
            "in each. Repeat the rows of an item that is in several pairs."
        )
    table = stacked(table_a, table_b, ("X_a", "X_b"), caller)
    names = feature_names(table, estimator)
    differs = _differences(table, n_pairs)
    games = _games(differs, max_exact, n_permutations, rng)
    spread = _spread_of(estimator)
    result = PairContributions(
        values=np.zeros(differs.shape),
        difference=np.zeros(n_pairs),
        std_error=np.zeros(differs.shape),
        is_exact=np.array([isinstance(game, AllCoalitions) for game in games]),
        feature_names=np.array(names, dtype=object),
        std=None if spread is None else np.zeros(differs.shape),
        difference_std=None if spread is None else np.zeros(n_pairs),
    )
    for pair, worth in enumerate(_worths(estimator, table, differs, games)):
        _fill(result, pair, differs[pair], games[pair], worth, spread)
    return result


def _fill(result, pair, columns, game, worth, spread):
    """Put what one pair's metrics add into the result.

    Parameters
    ----------
    result : PairContributions
    pair : int
    columns : ndarray of shape (n_features,), bool
        Metrics in which the two differ.
    game : AllCoalitions or DrawnOrders
    worth : ndarray of shape (n_members, n_coalitions), float
    spread : callable or None
    """
    difference = worth[:, game.everyone] - worth[:, 0]
    estimates = game.shapley(worth)
    result.difference[pair] = difference.mean()
    result.values[pair, columns] = estimates.mean(axis=(0, 1))
    n_orders = estimates.shape[1]
    if n_orders > 1:
        deviation = estimates.mean(axis=0).std(axis=0, ddof=1)
        result.std_error[pair, columns] = deviation / np.sqrt(n_orders)
    if spread is not None:
        result.std[pair, columns] = spread(estimates.mean(axis=1))
        result.difference_std[pair] = spread(difference[:, None])[0]


def _check_max_exact(max_exact, caller):
    """Raise unless a number of metrics is an int from 0 to what memory takes."""
    is_int = isinstance(max_exact, Integral) and not isinstance(max_exact, bool)
    if not is_int or not 0 <= max_exact <= _MOST_EXACT:
        raise (ValueError if is_int else TypeError)(
            f"The 'max_exact' parameter of {caller} must be an int in the range [0, "
            f"{_MOST_EXACT}]. Got {max_exact!r} instead."
        )


def _differences(table, n_pairs):
    """Tell in which columns the rows of each pair differ, (n_pairs, n_features)."""
    differs = np.empty((n_pairs, table.n_features), dtype=bool)
    for j in range(table.n_features):
        codes = table.codes(j)
        differs[:, j] = codes[:n_pairs] != codes[n_pairs:]
    return differs


def _games(differs, max_exact, n_permutations, rng):
    """Return the coalitions of the columns in which each pair differs."""
    n_players = np.count_nonzero(differs, axis=1)
    games = [AllCoalitions(int(n)) for n in n_players]
    # Without a pair that needs them no order is drawn.
    drawn = np.flatnonzero(n_players > max_exact)
    if not len(drawn):
        return games
    n_features = differs.shape[1]
    orders = np.array([rng.permutation(n_features) for _ in range(n_permutations)])
    for pair in drawn:
        # The orders of all columns, without those that are equal.
        kept = orders[differs[pair][orders]].reshape(n_permutations, -1)
        games[pair] = DrawnOrders((np.cumsum(differs[pair]) - 1)[kept])
    return games


def _worths(estimator, table, differs, games):
    """Yield the score of each coalition of each game, (n_members, n_coalitions)."""
    size = rows_at_a_time(table.n_features, _ROWS)
    pairs, held = [], 0
    for pair, game in enumerate(games):
        pairs.append(pair)
        held += game.n_coalitions
        if held >= size or pair + 1 == len(games):
            yield from _worths_of(estimator, table, differs, games, pairs, size)
            pairs, held = [], 0


def _worths_of(estimator, table, differs, games, pairs, size):
    """Yield the scores of some games, predicted together."""
    n_pairs = len(games)
    members = [games[pair].members for pair in pairs]
    n_coalitions = [games[pair].n_coalitions for pair in pairs]
    pair = np.repeat(pairs, n_coalitions)
    is_of_a = np.zeros((len(pair), table.n_features), dtype=bool)
    stops = np.cumsum(n_coalitions)
    for number, part, stop in zip(pairs, members, stops, strict=True):
        is_of_a[stop - len(part) : stop, differs[number]] = part
    scores = []
    for start in range(0, len(pair), size):
        block = slice(start, start + size)
        of_a, of_b = pair[block], n_pairs + pair[block]
        replaced = {
            j: np.where(is_of_a[block, j], of_a, of_b)
            for j in np.flatnonzero(is_of_a[block].any(axis=0)).tolist()
        }
        scores.append(_member_scores(estimator, table.assembled(of_b, replaced)))
    yield from np.split(np.concatenate(scores, axis=1), stops[:-1], axis=1)


def _member_scores(estimator, X):
    """Return the scores of each member of a ranker, or those of an estimator alone."""
    ranker, inputs = estimator, X
    while (inner := inner_estimator(ranker)) is not None:
        ranker, inputs = inner, transformed(ranker, inputs)
    if hasattr(ranker, "_member_scores"):
        return ranker._member_scores(inputs)
    scores = np.asarray(estimator.predict(X))
    n_rows = len(X) if not hasattr(X, "shape") else X.shape[0]
    if scores.shape == (n_rows, 1):
        scores = scores.ravel()
    name = f"predict of {type(estimator).__name__}"
    return check_scores(scores, n_rows, name)[None]


def _spread_of(estimator):
    """Return the function that gives the spread over a ranker's members, or None.

    Members that left out no groups do not say what other groups would have taught.
    """
    ranker = estimator
    while (inner := inner_estimator(ranker)) is not None:
        ranker = inner
    members = getattr(ranker, "_members_of_scores", None)
    return ranker._spread if members is not None and members()[0] > 1 else None
