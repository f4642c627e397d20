"""Base of all rankers: ``rank`` and ``score``."""

from sklearn.base import RegressorMixin
from sklearn.utils.validation import check_is_fitted

from sklearn_pscore._estimators.pickling import VersionedPickleMixin
from sklearn_pscore._target.arguments import explained_call, refuse_sample_weight
from sklearn_pscore._target.check import check_groups
from sklearn_pscore._target.cut_groups import digest_of, warn_about_cut_groups
from sklearn_pscore._target.rows import count_rows
from sklearn_pscore.metrics import pairwise_accuracy_score, rank_items
from sklearn_pscore.metrics._scorers import check_model_target


class RankerMixin(VersionedPickleMixin, RegressorMixin):
    """Mixin of rankers whose ``predict`` scores each row by itself.

    To scikit-learn a ranker is a regressor, since voting, stacking and partial
    dependence need one; its scores are not on the scale of the preferences.
    """

    @explained_call
    def rank(self, X, groups):
        """Rank the items of each group, 1 is best.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Features of each row.
        groups : structured ndarray of shape (n_samples,)
            Target of :class:`Groups`; preferences are not needed.

        Returns
        -------
        ranks : ndarray of shape (n_samples,), float
            Ties share their average rank, rows of one item share its rank, and
            donor rows have NaN; see :func:`~sklearn_pscore.metrics.rank_items`.

        Raises
        ------
        TypeError
            If `groups` is a plain array, whose labels would be read as preferences.
        ValueError
            If `X` and `groups` differ in length.
        """
        check_is_fitted(self)
        check_groups(
            groups,
            n_rows=count_rows(X, "X"),
            allow_plain=False,
            require_preference=False,
            caller=self._caller("rank"),
        )
        return rank_items(groups, self.predict(X))

    @explained_call
    def score(self, X, y, sample_weight=None):
        """Return the pairwise accuracy: the share of pairs in the order of preference.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Features of each row.
        y : structured ndarray of shape (n_samples,) or array-like
            Target of :class:`Groups`, or preferences of one single group.
        sample_weight : None, default=None
            Only there for scikit-learn's metadata routing: weights are the field
            `weight` of the target.

        Returns
        -------
        score : float
            In [0, 1], mean over groups; 0.5 is chance. See
            :func:`~sklearn_pscore.metrics.pairwise_accuracy_score`.

        Raises
        ------
        TypeError
            If the ranker was fitted on several groups and `y` is plain, or
            `sample_weight` is not None.
        ValueError
            If `X` and `y` differ in length.

        Warns
        -----
        UserWarning
            If groups are cut, and the ranker was not fitted on this very target.
        """
        refuse_sample_weight(sample_weight, self._caller("score"))
        check_is_fitted(self)
        y = check_model_target(self, X, y, "y")
        return pairwise_accuracy_score(y, self._scores_to_judge(X, y))

    def _scores_to_judge(self, X, y):
        """Return the scores that ``score`` compares with the target `y`."""
        return self.predict(X)

    def _note_cut_groups(self, y, target, caller):
        """Warn if several groups are cut in ``fit``; remember the target if one is.

        A single one is allowed: a learning curve cannot help it.
        """
        n_cut = warn_about_cut_groups(target, caller, allowed=1)
        self._cut_target = digest_of(y) if n_cut else None

    def _caller(self, method):
        """Return the name of a method with its class, for messages."""
        return f"{type(self).__name__}.{method}"

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.regressor_tags.poor_score = True
        return tags


def log_odds(score_a, score_b):
    """Return the differences of the scores of pairs of items.

    They are the log odds that people prefer a to b where the scores were learnt by the
    pairwise logistic loss, Eq. 1 of the paper.

    Parameters
    ----------
    score_a, score_b : ndarray of shape (..., n_pairs)

    Raises
    ------
    ValueError
        If the numbers of pairs differ.
    """
    n_a, n_b = score_a.shape[-1], score_b.shape[-1]
    if n_a != n_b:
        raise ValueError(
            f"X_a has {n_a} rows but X_b has {n_b}; expected the two items of each pair "
            "in the same row. To compare one item with many, repeat it with "
            "np.repeat(x[None], len(X_b), axis=0)."
        )
    return score_a - score_b
