"""What each value of each metric is worth to a fitted model."""

import numpy as np
import pandas as pd

from sklearn_pscore._estimators.random_state import generator_of
from sklearn_pscore._rankers.any_model import check_predicts_scores
from sklearn_pscore._target.check import check_groups
from sklearn_pscore.inspection._accumulated_effects import Draws, accumulated_effects
from sklearn_pscore.inspection._additive_curves import additive_curves
from sklearn_pscore.inspection._arguments import check_count
from sklearn_pscore.inspection._column_map import ColumnMap, handed_on, innermost
from sklearn_pscore.inspection._curve_parts import InGroups
from sklearn_pscore.inspection._curve_shape import Shape, shape_of
from sklearn_pscore.inspection._curves_result import MetricCurves
from sklearn_pscore.inspection._metric_table import MetricTable
from sklearn_pscore.metrics._checks import check_choice, check_scores

_METHODS = ("auto", "additive", "accumulated")


def metric_curves(
    estimator,
    X,
    groups=None,
    *,
    method="auto",
    n_points=50,
    n_boot=50,
    max_rows=10_000,
    random_state=None,
):
    r"""Tell what each value of each metric is worth to a fitted model.

    A curve has for every value of a metric what it adds to the score, in the units of
    `X`, whatever steps of a Pipeline come before the ranker. From the curve come the
    direction of the metric and the share that it has in the score differences inside
    groups. Whether it is right is another question: a curve shows what the model does.

    Direction, ties and missing metrics are as in ``docs/conventions.md``; the page
    ``docs/curves.md`` shows the curves of THQA.

    Parameters
    ----------
    estimator : estimator
        A fitted model that scores rows: a ranker, a regressor, a Pipeline that ends in
        one, or a fitted search.
    X : array-like of shape (n_samples, n_features)
        Metrics, as the estimator takes them, NaN where one is missing. The curves are
        centred over these rows, and shares are of them: take the training data, or
        those that the model is used on.
    groups : structured ndarray of shape (n_samples,), array-like or None, default=None
        Target of :class:`Groups`; preferences are not needed. A plain target, or None,
        is one single group. Donors and rows of weight 0 are left out, other weights are
        not read.
    method : {"auto", "additive", "accumulated"}, default="auto"
        "additive" reads the part of the model that is a sum over the metrics, exactly:
        the shortcut of :class:`PairwisePreferenceRanker`, or all of its score where it
        has no hidden layer, and all of :class:`LinearPreferenceRanker`. The steps before
        must keep columns apart, as scalers and imputers of single columns do.
        "accumulated" are accumulated local effects [1]_, for any model. "auto" takes
        the first where it can.
    n_points : int, default=50
        Values of each metric, at its quantiles; fewer where it has fewer, and of
        accumulated effects one for every 20 rows. Kinks of the additive part come on
        top.
    n_boot : int, default=50
        Draws for the standard errors of accumulated effects, two or more; see Notes.
    max_rows : int or None, default=10000
        Rows at most; of more, whole groups are drawn. None takes all.
    random_state : int, RandomState instance or None, default=None
        Draws rows if there are more, and the bootstrap.

    Returns
    -------
    curves : MetricCurves
        `table` has a row per metric, `curves` the curve of each, and
        `interaction_share` is the part that no sum of curves explains.

    Raises
    ------
    TypeError
        If `X` is sparse or holds no numbers, or the estimator does not score rows, as
        classifiers do not.
    ValueError
        If no group has two rows, or there is no additive part where it is asked for.
    NotFittedError
        If `estimator` is not fitted.

    See Also
    --------
    compare_agreement : Which metric agrees best with people, without a model.

    Notes
    -----
    **Direction.** It is that of the metric while the others stay as they are, which may
    be another than that of the metric alone. Between the 5 % and the 95 % quantile of
    the metric: "there is a best value" if one inside stands above both ends by more
    than chance, the lower side being at least a quarter of the higher one; "there is a
    worst value" likewise; else "larger is preferred" or "smaller is preferred" if the
    ends differ by more than chance; else, or if the curve is below 2 % of the largest in
    size, "no clear direction". Chance is Student's t (95 %, two-sided) times the
    standard error of the difference: 2.8 of these with the five members of the default,
    2.3 with ``n_members=10``. Where there are no standard errors, the size alone decides.

    `rise` is the worth at the upper of these two quantiles less that at the lower one,
    as large as a difference of scores: by Eq. 1 of the paper, the log odds that people
    prefer the upper one, all else being equal.

    **Size.** With s_j the standard deviation, inside groups, of the worths of metric j,

    .. math:: share_j = (1 - interaction) \, s_j / \sum_k s_k,

    so that shares and `interaction_share` sum to 1. The latter is the variance, inside
    groups, of the score less the sum of all curves, divided by that of the score, and
    at most 1. Metrics that say the same share one effect among them, by chance of the
    fit: look at them together.

    **Standard errors.** Where each member of a :class:`PairwisePreferenceRanker` has
    left out a fold of the groups, they are those of the delete-a-fold jackknife, as in
    ``predict(X, return_std=True)``: what other groups would have taught. Without, the
    additive part has none, all NaN, and accumulated effects have those of a bootstrap
    of the blocks, of the groups without blocks, or of the rows of fewer than ten: how
    sure the mean effect of this very model is, and not what another fit would say.

    **Missing values.** `missing` in the table is what it is worth that a metric is
    missing, beside the curve.

    References
    ----------
    .. [1] Apley, Zhu, "Visualizing the effects of predictor variables in black box
       supervised learning models", JRSS B 82, 2020, doi:10.1111/rssb.12377.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_pscore import Groups, LinearPreferenceRanker
    >>> from sklearn_pscore.inspection import metric_curves
    >>> X = np.random.default_rng(0).normal(size=(40, 2))
    >>> groups = Groups.from_arrays(group=np.arange(40) // 4, preference=-X[:, 0])
    >>> ranker = LinearPreferenceRanker(C=1.0).fit(X, groups)
    >>> curves = metric_curves(ranker, X, groups)
    >>> curves.table.loc[0, ["metric", "direction"]].tolist()
    ['x0', 'smaller is preferred']
    >>> curves.interaction_share < 1e-9
    True
    """
    caller = "metric_curves"
    check_choice(method, _METHODS, "method", caller)
    check_count(n_points, "n_points", caller, least=2)
    check_count(n_boot, "n_boot", caller, least=2)
    if max_rows is not None:
        check_count(max_rows, "max_rows", caller, least=2)
    rng = generator_of(random_state, caller)
    check_predicts_scores(estimator)
    table = MetricTable.of(X, caller)
    table, inside, clusters = _rows(table, groups, max_rows, rng, caller)
    score = _scores(estimator, table, table.values, caller)
    found = None if method == "accumulated" else _additive(estimator, table)
    if found is None and method == "additive":
        raise ValueError(
            f"{estimator!r:.200} has no additive part that belongs to single columns of "
            "X; expected a PairwisePreferenceRanker with a shortcut and the identity as "
            "output, or a LinearPreferenceRanker, after steps that keep columns apart. "
            'Pass method="accumulated".'
        )
    if found is not None:
        parts = additive_curves(*found, inside, n_points)
    else:
        predict, draws = _predictions(estimator, table, clusters, n_boot, rng, caller)
        parts = accumulated_effects(predict, table.values, inside, n_points, draws)
    return _result(table, parts, score, inside)


def _rows(table, groups, max_rows, rng, caller):
    """Return the rows that count, drawn if they are many.

    Returns
    -------
    table : MetricTable
    inside : InGroups
    clusters : tuple (ndarray of shape (n_rows,), str)
        Number of the block of each row, of the group without blocks; what they are.
    """
    n_rows = len(table.values)
    group, kept = np.zeros(n_rows, dtype=int), np.arange(n_rows)
    cluster, what = group, "groups"
    if groups is not None:
        target = check_groups(
            groups, n_rows=n_rows, require_preference=False, caller=caller
        )
        group, kept = target.group, np.flatnonzero(target.is_counted)
        cluster, what = target.unit, "groups" if target.block is None else "blocks"
    if max_rows is not None and len(kept) > max_rows:
        place = rng.permutation(group.max() + 1)[group[kept]]
        # Whole groups, and at random within the last one.
        order = np.lexsort((rng.random_sample(len(kept)), place))
        kept = np.sort(kept[order[:max_rows]])
    group, cluster = (
        np.unique(codes[kept], return_inverse=True)[1] for codes in (group, cluster)
    )
    if not len(kept) or group.max() + 1 == len(kept):
        raise ValueError(
            f"{caller} got {len(kept)} rows that count in {len(np.unique(group))} groups; "
            "expected a group of two rows or more, since shares are of score differences "
            "inside groups. Pass groups=None to take all rows as one group."
        )
    return table.take(kept), InGroups(group), (cluster, what)


def _scores(estimator, table, values, caller):
    """Return the scores of values, put into a table as the estimator takes it."""
    scores = estimator.predict(table.like(values))
    try:
        return check_scores(scores, len(values), caller)
    except (TypeError, ValueError) as error:
        raise type(error)(
            f"predict of {type(estimator).__name__} gave no scores that {caller} can use: "
            f"{error}"
        ) from None


def _additive(estimator, table):
    """Return the additive part and the map of its columns, None if there is none."""
    ranker = innermost(estimator)
    part = ranker._additive_part() if hasattr(ranker, "_additive_part") else None
    columns = None if part is None else ColumnMap.found(estimator, table)
    return None if columns is None else (part, columns)


def _predictions(estimator, table, clusters, n_boot, rng, caller):
    """Return the function from values to the scores of members, and what is drawn."""
    ranker = innermost(estimator)
    if hasattr(ranker, "_members_of_scores"):
        n_folds, factor = ranker._members_of_scores()
        if n_folds > 1:

            def predict(values):
                return ranker._member_scores(handed_on(estimator, table.like(values)))

            n_members = len(predict(table.values[:1]))
            n_rows = len(table.values)
            return predict, Draws.of_members(n_members, n_folds, factor, n_rows)

    def predict(values):
        return _scores(estimator, table, values, caller)[None]

    return predict, Draws.bootstrap(*clusters, n_boot, rng)


def _result(table, parts, score, inside):
    """Return directions, shares and curves as tables."""
    rest = inside.size(score - parts.at_rows.sum(axis=1))
    whole = inside.size(score)
    interaction = float(min(1.0, (rest / whole) ** 2)) if whole > 0 else 0.0
    spread, size = parts.spread, inside.size(parts.at_rows)
    share = (1 - interaction) * _shares(size[None])[0]
    draws_of_share = (1 - interaction) * _shares(parts.size_draws)
    largest = size.max() or 1.0
    shapes, curves = [], {}
    for metric, name in enumerate(table.names):
        points, worth = parts.points[metric], parts.worth[metric]
        draws, column = parts.draws[metric], table.values[:, metric]
        curves[name] = pd.DataFrame(
            {"value": points, "worth": worth, "std": spread.error(draws)}
        )
        present = column[~np.isnan(column)]
        relative_size = size[metric] / largest
        shapes.append(shape_of(points, worth, draws, present, spread, relative_size))
    is_missing = ~np.isnan(parts.missing)
    frame = pd.DataFrame(
        {
            "metric": table.names,
            **pd.DataFrame(shapes, columns=Shape._fields),
            "share": share,
            "share_std": spread.error(draws_of_share),
            "missing": parts.missing,
            "missing_std": np.where(
                is_missing, spread.error(parts.missing_draws), np.nan
            ),
        }
    )
    # Equal shares in the order of the names, not of the columns.
    frame = frame.sort_values(
        ["share", "metric"], ascending=[False, True], ignore_index=True
    )
    return MetricCurves(
        table=frame,
        curves={name: curves[name] for name in frame["metric"]},
        interaction_share=interaction,
        method=parts.method,
        spread_of=spread.of,
        n_rows=len(score),
        n_groups=int(inside.group.max()) + 1,
    )


def _shares(size):
    """Return sizes as shares of their sum over the last axis, 0 if all are 0."""
    total = size.sum(axis=-1, keepdims=True)
    return size / np.where(total > 0, total, 1.0)
