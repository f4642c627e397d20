"""Displays that are drawn from a leaderboard of systems."""


class BoardDisplay:
    """Base of displays that have ``from_leaderboard``: other ways to one."""

    @classmethod
    def from_estimator(
        cls,
        estimator,
        X,
        groups,
        *,
        item="item",
        cluster=None,
        random_state=None,
        ax=None,
        **kwargs,
    ):
        """Draw from the scores that a fitted ranker gives to rows.

        Parameters
        ----------
        estimator : object
            A fitted ranker, pipeline or search.
        X : array-like of shape (n_samples, n_features)
            Metrics of rows that it was not fitted on.
        groups : structured ndarray of shape (n_samples,)
            Target of these rows.
        item : str or array-like of shape (n_samples,), default="item"
            The system of each row: a field of the target, or a label per row.
        cluster : str, array-like of shape (n_samples,) or None, default=None
            What the bootstrap draws; None is as in
            :func:`~sklearn_pscore.inspection.bootstrap_leaderboard`, whose other
            options are for a call of its own and ``from_leaderboard``.
        random_state : int, RandomState instance or None, default=None
            Source of the draws.
        ax : matplotlib Axes or None, default=None
            Axes to draw into; None makes a figure.
        **kwargs : dict
            Passed to ``from_leaderboard``.

        Returns
        -------
        display : Display
            Drawn, with its artists.
        """
        from sklearn_pscore.metrics._models import predict_scores

        y_score = predict_scores(estimator, X, groups)
        return cls.from_predictions(
            groups,
            y_score,
            item=item,
            cluster=cluster,
            random_state=random_state,
            ax=ax,
            **kwargs,
        )

    @classmethod
    def from_predictions(
        cls,
        groups,
        y_score=None,
        *,
        item="item",
        cluster=None,
        random_state=None,
        ax=None,
        **kwargs,
    ):
        """Draw from a score of each row, or from the preferences.

        Parameters
        ----------
        groups : structured ndarray of shape (n_samples,)
            Target built by :class:`~sklearn_pscore.Groups`.
        y_score : array-like of shape (n_samples,) or None, default=None
            Score of each row; None takes the preferences.
        item : str or array-like of shape (n_samples,), default="item"
            The system of each row: a field of the target, or a label per row.
        cluster : str, array-like of shape (n_samples,) or None, default=None
            What the bootstrap draws; None is as in
            :func:`~sklearn_pscore.inspection.bootstrap_leaderboard`, whose other
            options are for a call of its own and ``from_leaderboard``.
        random_state : int, RandomState instance or None, default=None
            Source of the draws.
        ax : matplotlib Axes or None, default=None
            Axes to draw into; None makes a figure.
        **kwargs : dict
            Passed to ``from_leaderboard``.

        Returns
        -------
        display : Display
            Drawn, with its artists.
        """
        from sklearn_pscore.inspection import bootstrap_leaderboard

        drawn_by = {} if cluster is None else {"cluster": cluster}
        board = bootstrap_leaderboard(
            groups, y_score, item=item, random_state=random_state, **drawn_by
        )
        return cls.from_leaderboard(board, ax=ax, **kwargs)


def check_board(board, caller):
    """Raise TypeError unless `board` is a leaderboard."""
    if not hasattr(board, "systems") or not hasattr(board, "win_probability"):
        raise TypeError(
            f"board is of type {type(board).__name__}; expected a leaderboard for "
            f"{caller}. Pass bootstrap_leaderboard(groups)."
        )
