"""Picture of a training: loss and validation score of each epoch."""

import numpy as np
from sklearn.utils.validation import check_is_fitted

from sklearn_pscore._target.columns import kind_of
from sklearn_pscore.plotting._axes import SOFT, bare, new_axes, set_plain, text_color
from sklearn_pscore.plotting._colors import BLUE, ORANGE
from sklearn_pscore.plotting._models import innermost, name_of_score


class LossCurveDisplay:
    """Loss of each epoch of a fit, and the validation score, with the best epoch marked.

    Build it with :meth:`from_estimator`. All parameters are stored as attributes.

    Parameters
    ----------
    epoch : array-like of shape (n_epochs,)
        Numbers of the epochs.

    train_loss : array-like of shape (n_epochs,)
        Loss on the training set.

    valid_loss : array-like of shape (n_epochs,) or None, default=None
        Loss on the validation set, NaN in epochs without one.

    valid_score : array-like of shape (n_epochs,) or None, default=None
        Score on the validation set, larger is better; on an axis of its own.

    score_name : str or None, default=None
        Name of that score; None is "Validation score".

    Attributes
    ----------
    best_epoch_ : int or None
        Epoch with the largest validation score, else with the smallest validation
        loss. None if there is neither.
    ax_ : matplotlib Axes
        Axes of the losses.
    score_ax_ : matplotlib Axes or None
        Axes of the score, on the right.
    figure_ : matplotlib Figure
        Figure of these axes.
    train_line_, valid_line_, score_line_ : matplotlib Line2D or None
        The curves.
    best_line_ : matplotlib Line2D or None
        Vertical line at the best epoch.

    Raises
    ------
    ValueError
        If lengths differ.

    See Also
    --------
    RankingLearningCurveDisplay : Whether more groups would help.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> from sklearn_pscore.plotting import LossCurveDisplay
    >>> display = LossCurveDisplay(
    ...     epoch=[1, 2, 3], train_loss=[0.7, 0.5, 0.4], valid_loss=[0.7, 0.6, 0.65]
    ... )
    >>> display.plot().best_epoch_
    2
    """

    def __init__(
        self, *, epoch, train_loss, valid_loss=None, valid_score=None, score_name=None
    ):
        self.epoch = epoch
        self.train_loss = train_loss
        self.valid_loss = valid_loss
        self.valid_score = valid_score
        self.score_name = score_name

    @classmethod
    def from_estimator(cls, estimator, *, ax=None, **kwargs):
        """Draw the history of a fitted ranker.

        Parameters
        ----------
        estimator : PairwisePreferenceRanker
            Fitted; or a pipeline or search that ends in one.
        ax : matplotlib Axes or None, default=None
            Axes to draw into; None makes a figure.
        **kwargs : dict
            Passed to :meth:`matplotlib.axes.Axes.plot` of all curves.

        Returns
        -------
        display : LossCurveDisplay
            Drawn, with its artists.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If the estimator is not fitted.
        TypeError
            If it is not trained by epochs.
        """
        if isinstance(estimator, type) or not hasattr(estimator, "fit"):
            raise TypeError(
                f"estimator is {kind_of(estimator)}; expected a fitted "
                "PairwisePreferenceRanker, or a pipeline or search of one. Pass the object "
                "that fit returned."
            )
        check_is_fitted(estimator)
        ranker = innermost(estimator)
        history = getattr(ranker, "history_", None)
        if not isinstance(history, dict):
            raise TypeError(
                f"{type(ranker).__name__} has no history_; expected a fitted "
                "PairwisePreferenceRanker, alone or as the last step of a pipeline or in a "
                "search. Other rankers are not trained by epochs."
            )
        scoring = getattr(ranker, "scoring", None)
        name = "pairwise accuracy" if scoring is None else name_of_score(scoring)
        display = cls(
            epoch=history["epoch"],
            train_loss=history["train_loss"],
            valid_loss=history.get("valid_loss"),
            valid_score=history.get("valid_score"),
            score_name=f"Validation {name}" if "valid_score" in history else None,
        )
        return display.plot(ax, **kwargs)

    def plot(self, ax=None, **kwargs):
        """Draw the curves.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Axes to draw into; None makes a figure.
        **kwargs : dict
            Passed to :meth:`matplotlib.axes.Axes.plot` of all curves.

        Returns
        -------
        self : LossCurveDisplay
            The same object, with its artists.
        """
        epoch, train_loss, valid_loss, valid_score = self._checked()
        caller = f"{type(self).__name__}.plot"
        self.ax_ = new_axes(caller, figsize=(5.4, 3.6)) if ax is None else ax
        bare(self.ax_)
        self.figure_ = self.ax_.figure
        self.valid_line_ = self.score_line_ = self.score_ax_ = self.best_line_ = None
        # One epoch is no line.
        marker = "o" if len(epoch) < 3 else ""
        style = {"color": BLUE, "marker": marker, **kwargs}
        (self.train_line_,) = self.ax_.plot(
            epoch, train_loss, **{"label": "training loss", **style}
        )
        lines = [self.train_line_]
        if valid_loss is not None:
            style = {"color": BLUE, "ls": "--", "marker": marker, **kwargs}
            (self.valid_line_,) = self.ax_.plot(
                epoch, valid_loss, **{"label": "validation loss", **style}
            )
            lines.append(self.valid_line_)
        if valid_score is not None:
            self.score_ax_ = self.ax_.twinx()
            bare(self.score_ax_, grid="", sides=("right",))
            word = self.score_name or "Validation score"
            style = {"color": ORANGE, "ls": "-.", "marker": marker, **kwargs}
            (self.score_line_,) = self.score_ax_.plot(
                epoch, valid_score, **{"label": word, **style}
            )
            set_plain(self.score_ax_.set_ylabel(word))
            lines.append(self.score_line_)
        self.best_epoch_ = _best_epoch(epoch, valid_loss, valid_score)
        if self.best_epoch_ is not None:
            self.best_line_ = self.ax_.axvline(
                self.best_epoch_,
                color=text_color(),
                alpha=SOFT,
                lw=0.9,
                ls=":",
                label=f"best epoch, {self.best_epoch_}",
            )
            lines.append(self.best_line_)
        self.ax_.set(xlabel="Epoch", ylabel="Loss")
        self.ax_.xaxis.get_major_locator().set_params(integer=True)
        if len(epoch) == 1:
            self.ax_.set_xticks(epoch)
        # Above the axes: nothing is then hidden, whichever way curves go.
        legend = self.ax_.legend(
            handles=lines,
            loc="lower center",
            bbox_to_anchor=(0.5, 1.0),
            ncols=2,
            frameon=False,
            fontsize="small",
        )
        for text in legend.get_texts():
            set_plain(text)
        return self

    def _checked(self):
        """Return the columns as arrays of one length; those of NaN only are None."""
        epoch = np.asarray(self.epoch)
        columns = []
        for name in ("train_loss", "valid_loss", "valid_score"):
            values = getattr(self, name)
            if values is not None:
                values = np.asarray(values, dtype=float)
                if values.shape != epoch.shape or not values.size:
                    raise ValueError(
                        f"{name} has shape {values.shape} but epoch has {epoch.shape}; "
                        "expected one value per epoch, and one epoch at least. Pass the "
                        "columns of one history_."
                    )
                values = None if np.isnan(values).all() else values
            columns.append(values)
        return epoch, *columns


def _best_epoch(epoch, valid_loss, valid_score):
    """Return the epoch with the largest score, else with the smallest loss, or None."""
    if valid_score is not None:
        return int(epoch[np.nanargmax(valid_score)])
    if valid_loss is not None:
        return int(epoch[np.nanargmin(valid_loss)])
    return None
