"""Which metric a score depends on: the metric is permuted, whole groups are kept."""

from numbers import Integral, Real

import numpy as np
from sklearn.utils import Bunch
from sklearn.utils.parallel import Parallel, delayed

from sklearn_pscore._estimators.random_state import generator_of
from sklearn_pscore._rankers.any_model import check_predicts_scores
from sklearn_pscore._rows import rows_at_a_time
from sklearn_pscore._segments import Segments
from sklearn_pscore._target.check import check_comparable, check_groups, is_structured
from sklearn_pscore._target.cut_groups import warn_about_cut_groups
from sklearn_pscore._target.groups import Groups
from sklearn_pscore._target.votes import FIRST_FIELDS, VOTE_FIELDS
from sklearn_pscore.inspection._arguments import check_count
from sklearn_pscore.inspection._feature_groups import checked_features, feature_names
from sklearn_pscore.inspection._feature_table import FeatureTable, with_column
from sklearn_pscore.inspection._scoring import checked_scorer
from sklearn_pscore.metrics._checks import check_choice, check_scores
from sklearn_pscore.metrics._models import predict_scores
from sklearn_pscore.metrics._scorers import check_model_target

_SHUFFLES = ("within", "global")
# Rows of one prediction, or those of one repeat if they are more. Not measured.
_ROWS = 200_000


def group_permutation_importance(
    estimator,
    X,
    groups,
    *,
    scoring=None,
    shuffle="within",
    feature_groups=None,
    n_repeats=10,
    max_groups=None,
    n_jobs=None,
    random_state=None,
):
    """Measure how much worse a score agrees with people if a metric is permuted.

    As scikit-learn's :func:`~sklearn.inspection.permutation_importance` [1]_, but
    groups stay whole: they are drawn as a whole, and values are swapped inside of each
    by default. What is measured is how well the items of a group are put in order, and
    all that a metric can do for that is in its differences inside groups. Values of
    other groups, such as those of a person who talks louder, make a table that nobody
    has seen, and charge a metric for differences that no pair has.

    All metrics are permuted by the same permutations, so that their importances may be
    compared, and do not depend on which other columns there are.

    Parameters
    ----------
    estimator : object
        A fitted estimator with ``predict``: a ranker, a pipeline or a fitted search.
        One whose ``predict`` takes `groups` is given them.
    X : array-like, sparse matrix or DataFrame of shape (n_samples, n_features)
        As the estimator takes it; columns of text, too. Rows that it was not fitted
        on tell what it has learnt, those of the fit what it relies on.
    groups : structured ndarray or array-like of shape (n_samples,)
        Target of :class:`~sklearn_pscore.Groups`, judged. Donor rows and rows of
        weight 0 are left out: no value of theirs is swapped in.
    scoring : callable, str or None, default=None
        A metric of :mod:`sklearn_pscore.metrics`, your own ``metric(groups,
        y_score)``, a scorer of :func:`~sklearn_pscore.metrics.make_ranking_scorer`,
        or a name such as ``"dcg"``. None is pairwise accuracy.
    shuffle : {"within", "global"}, default="within"
        Where the values of a metric are swapped: inside each group, so that a metric
        that is constant in every group has an importance of exactly 0, or among all
        rows.
    feature_groups : dict of str to list of str or int, or None, default=None
        Columns that are permuted together, by the same permutation, as metrics that
        measure the same should be: alone, each is replaced by the others. Columns in
        no group stay alone.
    n_repeats : int, default=10
        Number of permutations.
    max_groups : int, float or None, default=None
        How many groups to draw, all of which are then used in every repeat; a float
        is a share. None takes all. The baseline is that of the groups drawn.
    n_jobs : int or None, default=None
        Number of jobs, one per feature at a time. The result has the same bits.
    random_state : int, RandomState instance or None, default=None
        Source of the draws. An integer gives the same result in every call, whatever
        the order of the rows and the labels of the groups are.

    Returns
    -------
    result : Bunch
        importances_mean : ndarray of shape (n_features,)
            Mean over repeats of the baseline less the value with the feature
            permuted. 0 is a metric that the score does not need.
        importances_std : ndarray of shape (n_features,)
            Standard deviation over the repeats, which is chance of the permutations
            only: not of the groups, nor of the fit.
        importances : ndarray of shape (n_features, n_repeats)
        feature_names : ndarray of shape (n_features,), object
            Names of the groups of columns, in their order, then those of the other
            columns, in the order of `X`.
        baseline : float
            Value with nothing permuted.
        scoring : str
            Name of the metric; "neg_rmse" for an error, so that larger is better.

    Raises
    ------
    ValueError
        If values cannot be used, or a column of `feature_groups` is not there.
    TypeError
        If an argument is of the wrong type, or the estimator predicts labels.
    sklearn.exceptions.NotFittedError
        If the estimator is not fitted.

    Warns
    -----
    UserWarning
        If a group has lost rows since the target was made.

    See Also
    --------
    pairwise_contributions : Which metric decides one pair.
    sklearn.inspection.permutation_importance : Permutes and draws rows, across groups.

    Notes
    -----
    Rows are swapped, not items: where an item has several rows, such as clips, the
    clips of all items of a group are mixed, and the means of items move closer
    together. Average the rows of an item first to swap its means.

    The table of all permutations of a feature is predicted at once, some 200,000 rows
    or 16 million values at a time. Groups in which a permutation changes nothing keep
    their scores.

    References
    ----------
    .. [1] Breiman, "Random Forests", Machine Learning 45, 2001.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_pscore import Groups, LinearPreferenceRanker
    >>> from sklearn_pscore.inspection import group_permutation_importance
    >>> X = np.random.default_rng(0).normal(size=(200, 3))
    >>> groups = Groups.from_arrays(
    ...     group=np.arange(200) // 5, preference=3 * X[:, 0] - X[:, 1]
    ... )
    >>> ranker = LinearPreferenceRanker().fit(X, groups)
    >>> result = group_permutation_importance(ranker, X, groups, random_state=0)
    >>> result.importances_mean.argsort()[::-1].tolist()
    [0, 1, 2]
    """
    caller = "group_permutation_importance"
    check_choice(shuffle, _SHUFFLES, "shuffle", caller)
    check_count(n_repeats, "n_repeats", caller)
    _check_max_groups(max_groups, caller)
    rng = generator_of(random_state, caller)
    scorer = checked_scorer(scoring, caller)
    check_predicts_scores(estimator)
    table = FeatureTable(X)
    groups = check_model_target(estimator, X, groups, "groups")
    target = check_groups(groups, n_rows=table.n_rows, caller=caller)
    warn_about_cut_groups(target, caller)
    names = feature_names(table, estimator)
    features = checked_features(feature_groups, names, caller)
    rows = _sampled_rows(table, target, max_groups, rng, caller)
    permuted = _Permutation(estimator, scorer, table, rows, groups, target)
    sources = permuted.drawn_sources(shuffle, n_repeats, rng)
    values = Parallel(n_jobs=n_jobs)(
        delayed(permuted.values)(columns, sources) for _, columns in features
    )
    baseline = permuted.baseline
    importances = np.reshape(baseline - np.array(values), (len(features), n_repeats))
    return Bunch(
        importances_mean=importances.mean(axis=1),
        importances_std=importances.std(axis=1),
        importances=importances,
        feature_names=np.array([name for name, _ in features], dtype=object),
        baseline=baseline,
        scoring=scorer.__name__,
    )


class _Permutation:
    """The rows that are permuted, in their order, and what scores and judges them.

    Attributes
    ----------
    rows : ndarray of shape (n,), int
        Rows of the table, sorted by group.
    records : structured ndarray of shape (n,)
        Their target, without the sizes of the groups when it was made.
    groups : Segments
        Groups of `rows`.
    scores : ndarray of shape (n,)
        With nothing permuted.
    baseline : float
    """

    def __init__(self, estimator, scorer, table, rows, groups, target):
        self.estimator, self.scorer = estimator, scorer
        self.table, self.rows = table, rows
        self.groups = Segments.of_equal(target.group[rows])
        if is_structured(groups):
            fields = [name for name in groups.dtype.names if name != "group_size"]
            self.records = groups[rows][fields]
        else:
            self.records = Groups.from_arrays(
                group=target.group[rows], preference=target.preference[rows]
            )
        place = np.arange(len(rows))
        self.scores = self._predicted(place, np.zeros_like(place), {})
        self.baseline = self._value(self.scores)

    def drawn_sources(self, shuffle, n_repeats, rng):
        """Return the place that each value comes from, shape (n_repeats, n)."""
        n, sources = len(self.rows), []
        for _ in range(n_repeats):
            if shuffle == "global":
                sources.append(rng.permutation(n))
            else:
                sources.append(np.lexsort((rng.random_sample(n), self.groups.index)))
        return np.array(sources)

    def values(self, columns, sources):
        """Return the metric for each permutation of some columns, as a list."""
        is_changed = np.zeros(sources.shape, dtype=bool)
        for j in columns:
            codes = self.table.codes(j)[self.rows]
            is_changed |= codes[sources] != codes
        # The rest of a changed group is predicted, too: a predict that takes groups
        # may read it.
        changed = np.logical_or.reduceat(is_changed, self.groups.start, axis=1)
        is_changed = changed[:, self.groups.index]
        n_at_once = rows_at_a_time(self.table.n_features, _ROWS)
        step = max(1, n_at_once // len(self.rows))
        values = []
        for start in range(0, len(sources), step):
            part = slice(start, start + step)
            repeat, place = np.nonzero(is_changed[part])
            scores = np.tile(self.scores, (len(sources[part]), 1))
            if len(place):
                source = self.rows[sources[part][repeat, place]]
                scores[repeat, place] = self._predicted(
                    place, repeat, dict.fromkeys(columns, source)
                )
            values.extend(map(self._value, scores))
        return values

    def _predicted(self, place, repeat, replaced):
        """Return the scores of copies of the rows, each repeat with its own groups."""
        n_groups = len(self.groups.size)
        X = self.table.assembled(self.rows[place], replaced)
        labels = repeat * n_groups + self.groups.index[place]
        groups = _relabelled(_without_votes(self.records)[place], labels)
        scores = np.asarray(predict_scores(self.estimator, X, groups))
        if scores.shape == (len(place), 1):
            scores = scores.ravel()
        name = f"predict of {type(self.estimator).__name__}"
        return check_scores(scores, len(place), name)

    def _value(self, scores):
        scorer = self.scorer
        value = scorer.metric(self.records, scores, **scorer.options)
        if np.ndim(value):
            raise ValueError(
                f"scoring is {scorer.__name__}, which returned shape {np.shape(value)}; "
                "expected one number for all groups. Pass a metric that is a mean."
            )
        return float(value) if scorer.greater_is_better else -float(value)


def _without_votes(records):
    """Return a target without votes, which number rows: no copies of them may be made.

    Nothing that predicts reads what people said.
    """
    left_out = (*VOTE_FIELDS, *FIRST_FIELDS)
    return records[[name for name in records.dtype.names if name not in left_out]]


def _relabelled(records, labels):
    """Return a structured target whose groups have other labels."""
    fields = records.dtype.fields
    kinds = [(name, fields[name][0]) for name in records.dtype.names]
    kinds = [(name, labels.dtype if name == "group" else kind) for name, kind in kinds]
    copied = np.empty(len(records), dtype=kinds)
    for name in records.dtype.names:
        copied[name] = labels if name == "group" else records[name]
    return copied


def _sampled_rows(table, target, max_groups, rng, caller):
    """Return the rows that count, those of some whole groups, sorted by group.

    Their order, and that of the groups, is one of values: where the rows stood before,
    and how groups are named, does not show.
    """
    rows = np.flatnonzero(target.is_counted)
    if not len(rows):
        check_comparable(target, caller)
    keys = table.row_keys()
    for values in (target.preference, target.weight):
        keys = with_column(keys, values)
    keys, group = keys[rows], target.group[rows]
    group_key = np.zeros(target.n_groups, dtype=np.uint64)
    np.add.at(group_key, group, keys)
    item = np.zeros_like(rows) if target.item is None else target.item[rows]
    order = np.lexsort((item, keys, group, group_key[group]))
    rows, groups = rows[order], Segments.of_equal(group[order])
    if max_groups is None:
        return rows
    n_groups = len(groups.size)
    if isinstance(max_groups, Integral):
        n_drawn = min(int(max_groups), n_groups)
    else:
        n_drawn = max(1, round(float(max_groups) * n_groups))
    drawn = rng.permutation(n_groups)[:n_drawn]
    return rows[np.isin(groups.index, drawn)]


def _check_max_groups(max_groups, caller):
    """Raise unless a number of groups is a count, a share or None."""
    if max_groups is None:
        return
    is_bool = isinstance(max_groups, (bool, np.bool_))
    is_count = isinstance(max_groups, Integral) and not is_bool
    is_share = isinstance(max_groups, Real) and not is_bool and not is_count
    if not (is_count and max_groups >= 1 or is_share and 0 < max_groups <= 1):
        raise (ValueError if is_count or is_share else TypeError)(
            f"The 'max_groups' parameter of {caller} must be an int in the range [1, inf), "
            f"a float in the range (0, 1] or None. Got {max_groups!r} instead."
        )
