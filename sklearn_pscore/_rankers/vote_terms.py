"""What a ranker has learnt beside its scores: ties of votes, and who was shown first."""

import numpy as np
from scipy.special import expit
from sklearn.utils.validation import check_is_fitted

from sklearn_pscore._rankers.base import log_odds


class VoteTermsMixin:
    """Mixin of the ranker whose net may have learnt from votes, or from lists."""

    def tie_proba(self, X_a, X_b):
        """Return the probability that people prefer neither a nor b.

        By the model of Davidson [1]_, for votes: with d the difference of the scores,
        ``nu / (exp(d / 2) + exp(-d / 2) + nu)``.

        Parameters
        ----------
        X_a, X_b : array-like or sparse matrix of shape (n_pairs, n_features)
            Metrics of the two items of each pair, NaN where one is missing.

        Returns
        -------
        proba : ndarray of shape (n_pairs,)
            In [0, 1], the mean over members; 0 if the votes had no tie. That a is
            preferred is ``(1 - tie_proba) * preference_proba``.

        Raises
        ------
        ValueError
            If the ranker did not learn ties from votes, by `ties` "auto" or
            "davidson".

        References
        ----------
        .. [1] Davidson, "On extending the Bradley-Terry model to accommodate ties in
           paired comparison experiments", JASA 65, 1970, doi:10.2307/2283595.
        """
        terms = self._vote_terms("tie_proba")
        ties = self.net_.criterion_.ties
        if ties == "half":
            raise ValueError(
                f'{self._caller("tie_proba")} was fitted with ties="half", which learns '
                'no chance of a tie; expected ties="auto" or "davidson". Set one of them '
                "and fit anew."
            )
        difference = log_odds(self._member_scores(X_a), self._member_scores(X_b))
        if ties == "ignore":
            return np.zeros(difference.shape[1])
        decided = np.logaddexp(difference / 2, -difference / 2)
        return expit(float(terms.log_nu.detach()) - decided).mean(axis=0)

    @property
    def order_bias_(self):
        """By how much it raises the log odds to be shown first, with `order_bias`."""
        return float(self._first_bias("order_bias_").detach())

    @property
    def order_bias_std_(self):
        """Standard error of `order_bias_`, with blocks or groups for independent.

        Of a single group, with its pairs; NaN after ``partial_fit``.
        """
        self._first_bias("order_bias_std_")
        return float(self.net_.module_.vote_terms.first_bias_std)

    @property
    def position_bias_(self):
        """What each position of a list adds to the log odds, with `order_bias`.

        A DataFrame with a row per position: `position`; `bias`, against the first
        position there is, whose bias is 0; and `std`, its standard error, with blocks or
        groups for independent. They are NaN for a position that was compared with the
        first neither in a list nor through others, and `std` for a single group and after
        ``partial_fit``. It knows of the metrics as of a weighted sum, and with more than
        100 of them only as of the score.
        """
        import pandas as pd

        check_is_fitted(self)
        terms = self.net_.module_.position_terms
        if terms is None:
            raise AttributeError(
                f"{type(self).__name__} has no position_bias_, which is of a fit to "
                "preferences with order_bias=True; expected such a fit to a target with "
                "the field position. Of votes it is order_bias_."
            )
        position, bias, std = terms.reported()
        return pd.DataFrame({"position": position, "bias": bias, "std": std})

    def _first_bias(self, name):
        terms = self._vote_terms(name)
        if terms.first_bias is None:
            raise AttributeError(
                f"{type(self).__name__} has no {name}, for it was fitted with "
                "order_bias=False."
            )
        return terms.first_bias

    def _vote_terms(self, name):
        """Return what the net has learnt from votes."""
        check_is_fitted(self)
        terms = self.net_.module_.vote_terms
        if terms is None:
            error = AttributeError if name.endswith("_") else ValueError
            raise error(
                f"{type(self).__name__}.{name} is of a fit to votes, and this one was to "
                "preferences; expected a target of Groups.from_votes. Fit it to one."
            )
        return terms
