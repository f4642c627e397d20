"""The augmenter: synthetic training items, made inside a Pipeline."""

from copy import copy
from numbers import Integral, Real

import numpy as np
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from sklearn_pscore._estimators.callback_support import SavedWithoutCallbacksMixin
from sklearn_pscore._estimators.parameters import check_parameters
from sklearn_pscore._estimators.pickling import VersionedPickleMixin
from sklearn_pscore._estimators.restore import restored_on_error
from sklearn_pscore._items.attached import AttachedItems, attach_items
from sklearn_pscore._items.item_names import name_items
from sklearn_pscore._items.stitching import make_training_items
from sklearn_pscore._means import LARGEST_SUMMABLE
from sklearn_pscore._target.arguments import explained_call
from sklearn_pscore._target.check import check_groups, check_judged
from sklearn_pscore._target.cut_groups import warn_about_cut_groups
from sklearn_pscore._target.groups import Groups
from sklearn_pscore._target.tables import checked_table
from sklearn_pscore._warn import warn_user

# Values of "auto" where it makes items: the numbers of parts of section 4.3 of the
# paper, and a number of injected items that was not chosen by measurement.
_AUTO_STITCH_SIZES = (2, 3, 4)
_AUTO_N_INJECTED = 10


class PairAugmenter(
    SavedWithoutCallbacksMixin,
    VersionedPickleMixin,
    OneToOneFeatureMixin,
    TransformerMixin,
    BaseEstimator,
):
    """Add stitched and injected items to what a ranker learns from.

    Section 4.3 of the paper [1]_ enlarges a small set of judged items in two
    ways. A *stitched* item consists of parts of k different items of one
    group; its preference is that of its best part, less a penalty for the
    seams. An *injected* item comes from another group (another track); its
    preference is made far lower than that of any item of the group.

    In a Pipeline this goes right before a :class:`PairwisePreferenceRanker`.
    ``fit_transform`` returns the rows of ``X`` unchanged, so that they still
    match the target, with the new items attached for the ranker that follows.
    Another model trains without them, and a warning says so.

    It can help in the paper's case: a single judged group or few, clips that
    were measured separately (field `clip`), and donors from another task (field
    `donor`). A stitched item then has metrics that no judged item has, and a
    donor differs in ways that a metric sees. Without clips, a stitched item is
    a mean of rows: no metric can see its seams, yet its preference is lower
    than that of its parts. Without donors, injected items come from groups of
    the same kind and are as good as the items that they are put among. Both
    teach the ranker something false, so the defaults stitch only where there
    are clips and inject only where there are donors. The figures are in
    ``docs/augmentation.md``; compare with and without before you trust it.

    Direction, ties, weights and gains are as in ``docs/conventions.md``.

    Parameters
    ----------
    stitch_sizes : "auto" or sequence of int, default="auto"
        Numbers of parts, k, of the stitched items. Empty makes none; "auto"
        is (2, 3, 4) where the target has the field `clip`, else none.

    max_stitched : int or None, default=500
        Stitched items per group and size, drawn without replacement. None
        makes all there are.

    stitch_penalty : float, default=1.0
        A stitched item of k parts has the largest preference of its parts less
        `stitch_penalty` times k.

    stitched_preference : {"max", "mean"}, default="max"
        "mean" takes the mean preference of the parts instead of the largest;
        without a penalty that is mix-up inside a group.

    n_injected : "auto", int or None, default="auto"
        Injected items per group, drawn without replacement. None injects all;
        "auto" is 10 where the target marks a row as `donor`, else 0.

    injected_penalty : float, default=100.0
        An injected item has its own preference less this.

    random_state : int, RandomState instance or None, default=None
        Draws the items where there are more than asked for.

    Attributes
    ----------
    n_features_in_ : int
        Number of features seen in ``fit``.

    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the features, if ``X`` had names.

    See Also
    --------
    PairwisePreferenceRanker : Learns from the items that are made here.

    Notes
    -----
    With the field `clip`, the distinct clips of a group are cut into k runs in
    order of time, and part c of a stitched item is run c of its c-th item. The
    item's metrics are means over clips, and different orders of the same items
    are different stitched items. Without `clip`, the means of the k items are
    averaged, and each combination of items counts once.

    Rows that share a (group, item) are replaced by their mean. NaN is a metric that
    is missing: a mean is over the rows, or parts, that have it, and NaN if none has.
    Donors are the
    rows with `donor`; if no row is marked and `n_injected` is given, the items
    of every group are injected into the others. Groups of one `block` get none of each
    other.

    The setting of the paper, to be passed where "auto" makes no items::

        PairAugmenter(
            stitch_sizes=(2, 3, 4),
            max_stitched=500,
            stitch_penalty=1.0,
            stitched_preference="max",
            n_injected=10,
            injected_penalty=100.0,
        )

    References
    ----------
    .. [1] Zhou et al., "Learning and Evaluating Human Preferences for
       Conversational Head Generation", ACM MM 2023, arXiv:2307.10636.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_pscore import Groups, PairAugmenter
    >>> X = np.array([[0.0], [1.0], [5.0]])
    >>> groups = Groups.from_winners(group=[0, 0, 0], winner=[True, False, False])
    >>> X_more, more = PairAugmenter(stitch_sizes=(2,)).augment(X, groups)
    >>> X_more.ravel().tolist()
    [0.0, 1.0, 5.0, 0.5, 2.5, 3.0]
    >>> more["preference"].tolist()
    [10.0, 0.0, 0.0, 8.0, 8.0, -2.0]
    """

    _parameter_constraints = {
        "stitch_sizes": ["array-like", StrOptions({"auto"})],
        "max_stitched": [Interval(Integral, 0, None, closed="left"), None],
        "stitch_penalty": [Interval(Real, None, None, closed="neither")],
        "stitched_preference": [StrOptions({"max", "mean"})],
        "n_injected": [
            Interval(Integral, 0, None, closed="left"),
            StrOptions({"auto"}),
            None,
        ],
        "injected_penalty": [Interval(Real, None, None, closed="neither")],
        "random_state": ["random_state"],
    }

    # Of the last fit_transform, which may be due; clones have none.
    _notice = None

    def __init__(
        self,
        stitch_sizes="auto",
        *,
        max_stitched=500,
        stitch_penalty=1.0,
        stitched_preference="max",
        n_injected="auto",
        injected_penalty=100.0,
        random_state=None,
    ):
        self.stitch_sizes = stitch_sizes
        self.max_stitched = max_stitched
        self.stitch_penalty = stitch_penalty
        self.stitched_preference = stitched_preference
        self.n_injected = n_injected
        self.injected_penalty = injected_penalty
        self.random_state = random_state

    @explained_call
    def fit(self, X, y):
        """Check the data; there is nothing to learn.

        Only ``fit_transform``, which a Pipeline calls in its ``fit``, makes
        synthetic items and attaches them to X.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Metrics, NaN where one is missing.
        y : structured ndarray of shape (n_samples,) or array-like
            Target of :class:`Groups`, or preferences of one group.

        Returns
        -------
        self : PairAugmenter
            The same object.
        """
        with restored_on_error(self):
            return self._fit_as_one_task(self._fit, X, y)

    def _fit(self, X, y):
        self._notice = None
        self._check(X, y, "PairAugmenter.fit")
        return self

    def transform(self, X):
        """Return `X` as it is.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Metrics, NaN where one is missing.

        Returns
        -------
        X : ndarray or DataFrame of shape (n_samples, n_features)
            The same values; a DataFrame stays one.

        Warns
        -----
        UserWarning
            If nobody picked up the items of the last ``fit_transform``, and that
            could not be said before: where warnings are errors.
        """
        check_is_fitted(self)
        if self._notice is not None:
            self._notice.give_if_due()
        checked = checked_table(self, X, reset=False, dtype="numeric")
        is_frame = hasattr(X, "columns") and hasattr(X, "to_numpy")
        return X if is_frame else checked

    @explained_call
    def fit_transform(self, X, y):
        """Return `X` as it is, with the synthetic items attached.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Metrics, NaN where one is missing.
        y : structured ndarray of shape (n_samples,) or array-like
            Target of :class:`Groups`, or preferences of one group.

        Returns
        -------
        X : ndarray or DataFrame of shape (n_samples, n_features)
            The same rows and values.

        Raises
        ------
        ValueError
            If a row, donors included, has no preference.

        Warns
        -----
        UserWarning
            If "auto" finds no clips and no donors, so that nothing is made.
        """
        with restored_on_error(self):
            return self._fit_as_one_task(self._fit_transform, X, y)

    def _fit_transform(self, X, y):
        self._notice = None
        X_weighted, target = self._check(X, y, "PairAugmenter.fit_transform")
        items, _ = self._make_items(X_weighted, target)
        X = self.transform(X)
        attached_items = AttachedItems.of(items, X, y)
        self._notice = attached_items.notice
        return attach_items(X, attached_items)

    @explained_call
    def augment(self, X, groups):
        """Return the enlarged data as plain arrays.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Metrics, NaN where one is missing.
        groups : structured ndarray of shape (n_samples,)
            Target of :class:`Groups`.

        Returns
        -------
        X : ndarray of shape (n_items, n_features)
            Means of the items, then stitched, then injected items.
        groups : structured ndarray of shape (n_items,)
            Their target, with `group`, `preference`, and `item`, `weight` and `block`
            if `groups` has them. Stitched items are named after their parts,
            injected ones after the group they come from; where names are
            integers, the new ones count on from the largest. Donor rows and
            rows of weight zero are left out.

        Raises
        ------
        ValueError
            If a row, donors included, has no preference.

        Warns
        -----
        UserWarning
            If "auto" finds no clips and no donors, so that nothing is made, or if
            several groups are cut.
        """
        # Checking X sets n_features_in_, which must stay as fit has set it.
        augmenter = copy(self)
        caller = "PairAugmenter.augment"
        X, target = augmenter._check(X, groups, caller, plain=False)
        # The new target counts its rows anew. In a Pipeline the ranker warns.
        warn_about_cut_groups(target, caller, allowed=1)
        items, sources = augmenter._make_items(X, target)
        fields = {
            "group": target.labels[items.group],
            "preference": items.preference,
        }
        if "item" in groups.dtype.names:
            item = groups["item"]
            if "weight" in groups.dtype.names:
                item = item[groups["weight"] > 0]
            fields["item"] = name_items(item, target.labels, items, sources)
        if "weight" in groups.dtype.names:
            fields["weight"] = items.weight
        if target.block is not None:
            fields["block"] = target.block_labels[items.block]
        return items.X, Groups.from_arrays(**fields)

    def _check(self, X, y, caller, plain=True):
        """Check everything; return X and the target of the rows that have a weight."""
        check_parameters(self)
        _check_stitch_sizes(self.stitch_sizes)
        X = checked_table(self, X, dtype="numeric")
        target = check_groups(
            y,
            n_rows=len(X),
            allow_plain=plain,
            require_preference=False,
            caller=caller,
        )
        has_weight = target.weight > 0
        check_judged(target, np.flatnonzero(has_weight), caller)
        _check_summable(X, "X", "X")
        _check_summable(target.preference[has_weight], "preference", "the preferences")
        _check_summable(target.weight, "weight", "all weights")
        # Nothing is made of a row of weight zero, which is as if it were not there.
        return X[has_weight], target.take(has_weight)

    def _make_items(self, X, target):
        stitch_sizes, n_injected = _resolve_auto(
            self.stitch_sizes, self.n_injected, target
        )
        return make_training_items(
            X.astype(np.float64),
            target,
            stitch_sizes=stitch_sizes,
            max_stitched=self.max_stitched,
            # A float16 penalty would make float16 of all.
            stitch_penalty=float(self.stitch_penalty),
            stitched_preference=self.stitched_preference,
            n_injected=n_injected,
            injected_penalty=float(self.injected_penalty),
            rng=check_random_state(self.random_state),
        )

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.input_tags.allow_nan = True
        return tags


def _resolve_auto(stitch_sizes, n_injected, target):
    """Return the sizes and the number that "auto" stands for with this target.

    Warns if no item will be made because of an "auto".
    """
    lacking, remedies = [], []
    if isinstance(stitch_sizes, str):
        stitch_sizes = () if target.clip is None else _AUTO_STITCH_SIZES
        lacking.append("no field clip")
        remedies.append(f"stitch_sizes={_AUTO_STITCH_SIZES}")
    if n_injected == "auto":
        n_injected = _AUTO_N_INJECTED if target.donor.any() else 0
        lacking.append("no donor")
        remedies.append(f"n_injected={_AUTO_N_INJECTED}")
    # A plain target can have neither; scikit-learn's checks pass one.
    if lacking and not len(stitch_sizes) and n_injected == 0 and not target.is_plain:
        warn_user(
            f"PairAugmenter made no items: the target has {' and '.join(lacking)}; "
            '"auto" stitches where there are clips and injects where there are donors. '
            f"Leave PairAugmenter out, or pass {' or '.join(remedies)} to make them "
            "anyway, which often lowers agreement (docs/augmentation.md)."
        )
    return stitch_sizes, n_injected


def _check_summable(values, name, what):
    """Raise ValueError if sums of the values could be infinite."""
    # As Python floats: float32 cannot hold the limit, nor int8 the size of -128.
    # They skip NaN.
    ends = (end.reduce(values, axis=None, initial=0) for end in (np.fmax, np.fmin))
    farthest = max(map(float, ends), key=abs)
    if abs(farthest) > LARGEST_SUMMABLE:
        raise ValueError(
            f"{name} holds {farthest:.3g}; expected at most {LARGEST_SUMMABLE:.1e} in "
            f"size, so that sums over rows are finite. Scale {what} down."
        )


def _check_stitch_sizes(sizes):
    if isinstance(sizes, str):
        return
    for size in sizes:
        if isinstance(size, bool) or not isinstance(size, Integral) or size < 2:
            raise ValueError(
                f"stitch_sizes holds {size!r}; expected integers >= 2, the number of parts "
                "of a stitched item. Use stitch_sizes=() to stitch nothing."
            )
    if len(set(sizes)) != len(sizes):
        raise ValueError(
            f"stitch_sizes={sizes!r} names a size twice; expected different sizes. Raise "
            "max_stitched for more items of one size."
        )
