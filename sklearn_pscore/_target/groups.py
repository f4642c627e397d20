"""Constructor of the ranking target."""

from sklearn_pscore._target.arguments import explained_fields
from sklearn_pscore._target.ballots import vote_fields
from sklearn_pscore._target.build import build_target, check_group_given
from sklearn_pscore._target.check import check_groups, is_structured
from sklearn_pscore._target.columns import frame_columns
from sklearn_pscore._target.fields import CONVERTERS, as_flag
from sklearn_pscore._target.rankings import ranking_fields
from sklearn_pscore._target.ratings import rating_fields
from sklearn_pscore._target.sources import check_sources, joined_fields

AWARD_PREFERENCE = 10.0
"""Preference of the winner of an award; all others have 0 (section 4.3 of the paper)."""


class Groups:
    """Build the structured target that carries the groups.

    The target is a NumPy structured array with one record per row of ``X``.
    Everything in scikit-learn slices it together with ``X``, so the groups
    reach every estimator, scorer and splitter.

    ============  ==============  ==================================================
    field         type            meaning
    ============  ==============  ==================================================
    `group`       int or str      Rows with the same label are ranked together; rows
                                  need no sorting.
    `preference`  float           Larger is preferred. NaN means not judged: good for
                                  ``predict`` and ``rank``, refused by ``fit`` of the
                                  models that learn and by metrics.
    `item`        int or str      The contender (team, method, system). Rows of one
                                  (group, item) share one preference; metrics average
                                  their scores first.
    `clip`        int             Segment of the item that a row measures, in time
                                  order.
    `weight`      float >= 0      A pair weighs the product of its rows. In MRR, DCG
                                  and NDCG a group weighs the mean of its items.
                                  A row of weight 0 is as if it were not there.
    `donor`       bool            True: material for injection into other groups only.
                                  It makes no pair and counts in no metric.
    `block`       int or str      What must stay on one side of a split, where that is
                                  more than a group: a portrait or a prompt that several
                                  groups share. Splitters, the parts that fits hold out
                                  and bootstraps go by it.
    `n_raters`    int >= 0        People who judged the row; 0: not known.
    `spread`      float >= 0      Standard deviation of their ratings of the row; NaN:
                                  not known. Both are for the noise ceiling.
    `position`    int >= 0        Where in a list the row was shown, 1 for the first;
                                  0: not known. For `order_bias` of
                                  :class:`PairwisePreferenceRanker`.
    `group_size`  int             Judged rows that counted in the row's group when the
                                  target was made. It is set by the constructors.
    `row`,        int             Votes between the rows, see :meth:`from_votes`.
    `rival`, ..
    ============  ==============  ==================================================

    The first two and the last are in every target, the others if they are given.
    Their use is described in ``docs/conventions.md``.

    A group that has lost some of its rows since, in a split by rows for example, is
    cut: metrics, scorers and ``fit`` warn, see :meth:`whole`. Rows without a
    preference, donors and rows of weight 0 do not count.

    See Also
    --------
    PairwisePreferenceRanker : Learns from this target.
    PairAugmenter : Uses `item`, `clip` and `donor`.

    Examples
    --------
    >>> from sklearn_pscore import Groups
    >>> groups = Groups.from_arrays(group=["a", "a", "b"], preference=[2.0, 1.0, 5.0])
    >>> groups["group"].tolist()
    ['a', 'a', 'b']
    >>> groups["preference"][groups["group"] == "a"].tolist()
    [2.0, 1.0]
    """

    def __new__(cls, *args, **kwargs):
        raise TypeError(
            "Groups has no instances: the target is a structured array. Use "
            "Groups.from_arrays, Groups.from_frame or Groups.from_winners; or, for what "
            "several people said, Groups.from_ratings, Groups.from_ranking or "
            "Groups.from_votes."
        )

    @staticmethod
    @explained_fields
    def from_arrays(
        *,
        group,
        preference=None,
        item=None,
        clip=None,
        weight=None,
        donor=None,
        block=None,
        n_raters=None,
        spread=None,
        position=None,
        group_size=None,
    ):
        """Build the target from one array per field.

        Parameters
        ----------
        group : array-like of shape (n_samples,)
            Label of the group of each row; integers or strings.
        preference : array-like of shape (n_samples,) or None, default=None
            Preference of each row, larger is preferred. None stores NaN.
        item : array-like of shape (n_samples,) or None, default=None
            Label of the item that each row measures; integers or strings.
        clip : array-like of shape (n_samples,) or None, default=None
            Segment of the item that each row measures; integers in time order.
        weight : array-like of shape (n_samples,) or None, default=None
            Weight of each row, >= 0. None weighs all rows alike. 0 is a row that
            is not there: no fit and no metric depends on it.
        donor : array-like of shape (n_samples,) or None, default=None
            Whether a row is only material for injection into other groups.
        block : array-like of shape (n_samples,) or None, default=None
            Label of what must stay on one side of a split, the same for all rows of a
            group; integers or strings. None splits by group.
        n_raters : array-like of shape (n_samples,) or None, default=None
            Number of people who judged each row; integers. 0 or a missing value is
            not known. Rows of one (group, item) share it, and `spread`.
        spread : array-like of shape (n_samples,) or None, default=None
            Standard deviation of their ratings of the row (ddof=1), >= 0. NaN is not
            known, as of a single rating.
        position : array-like of shape (n_samples,) or None, default=None
            Where each row was shown in the list that people saw, 1 for the first;
            integers. 0 or a missing value is not known. Rows of one (group, item)
            share it.
        group_size : array-like of shape (n_samples,) or None, default=None
            That of the target whose fields these are. None counts the rows.

        Returns
        -------
        groups : structured ndarray of shape (n_samples,)
            The fields that were given, `preference` and `group_size`. Strings
            are stored as fixed-width NumPy strings.

        Raises
        ------
        ValueError
            If lengths differ, a label is missing, a preference is infinite, a
            weight is negative, rows of one (group, item) disagree, or a group is in
            two blocks.
        TypeError
            If a field is of a type that cannot be converted.

        Examples
        --------
        >>> from sklearn_pscore import Groups
        >>> Groups.from_arrays(group=[7, 7], preference=[1, 0]).dtype.names
        ('group', 'preference', 'group_size')
        """
        given = {
            "group": group,
            "preference": preference,
            "item": item,
            "clip": clip,
            "weight": weight,
            "donor": donor,
            "block": block,
            "n_raters": n_raters,
            "spread": spread,
            "position": position,
            "group_size": group_size,
        }
        return build_target(given)

    @staticmethod
    @explained_fields
    def from_frame(
        frame,
        *,
        group,
        preference=None,
        item=None,
        clip=None,
        weight=None,
        donor=None,
        block=None,
        n_raters=None,
        spread=None,
        position=None,
    ):
        """Build the target from columns of a DataFrame.

        Parameters
        ----------
        frame : DataFrame of shape (n_samples, n_columns)
            A pandas or polars DataFrame, a polars LazyFrame, of which only the
            columns named are collected, or an Arrow table.
        group : str
            Name of the column with the group labels.
        preference, item, clip, weight, donor, block, n_raters, spread, position : str \
or None, default=None
            Names of the other columns, see :meth:`from_arrays`.

        Returns
        -------
        groups : structured ndarray of shape (n_samples,)
            As :meth:`from_arrays` returns it.

        Raises
        ------
        ValueError
            If a column is not there, or its values cannot be used.
        TypeError
            If `frame` is not a DataFrame.

        Examples
        --------
        >>> import pandas as pd
        >>> from sklearn_pscore import Groups
        >>> frame = pd.DataFrame({"track": ["a", "a"], "opinion": [4.5, 3.0]})
        >>> groups = Groups.from_frame(frame, group="track", preference="opinion")
        >>> groups["preference"].tolist()
        [4.5, 3.0]
        """
        names = {
            "group": group,
            "preference": preference,
            "item": item,
            "clip": clip,
            "weight": weight,
            "donor": donor,
            "block": block,
            "n_raters": n_raters,
            "spread": spread,
            "position": position,
        }
        columns = frame_columns(frame, names)
        return Groups.from_arrays(**{"group": None, **columns})

    @staticmethod
    def from_winners(
        *,
        group,
        winner,
        item=None,
        clip=None,
        weight=None,
        donor=None,
        block=None,
        position=None,
    ):
        """Build the target where only the best item of each group is known.

        The winner gets preference 10 and every other item 0, as for the
        People's Selection Award in section 4.3 of the paper [1]_.

        Parameters
        ----------
        group : array-like of shape (n_samples,)
            Label of the group of each row; integers or strings.
        winner : array-like of shape (n_samples,)
            Whether the row's item won; booleans, or 0 and 1.
        item, clip, weight, donor, block, position : array-like of shape (n_samples,) \
or None, default=None
            See :meth:`from_arrays`.

        Returns
        -------
        groups : structured ndarray of shape (n_samples,)
            As :meth:`from_arrays` returns it.

        References
        ----------
        .. [1] Zhou et al., "Learning and Evaluating Human Preferences for
           Conversational Head Generation", ACM MM 2023, arXiv:2307.10636.

        Examples
        --------
        >>> from sklearn_pscore import Groups
        >>> groups = Groups.from_winners(group=["a", "a"], winner=[False, True])
        >>> groups["preference"].tolist()
        [0.0, 10.0]
        """
        check_group_given(group)
        group = CONVERTERS["group"](group)
        is_winner = as_flag(winner, "winner")
        if len(is_winner) != len(group):
            raise ValueError(
                f"group has {len(group)} entries but winner has {len(is_winner)}; expected "
                "one True or False per row. If you have the winner's name of each group, "
                "compare: winner=(item == winner_of_the_row)."
            )
        return Groups.from_arrays(
            group=group,
            preference=AWARD_PREFERENCE * is_winner,
            item=item,
            clip=clip,
            weight=weight,
            donor=donor,
            block=block,
            position=position,
        )

    @staticmethod
    def from_ratings(
        ratings,
        items,
        *,
        on=("prompt",),
        item="system",
        rating="rating",
        annotator=None,
        weight="count",
        missing="raise",
        block=None,
        position=None,
    ):
        """Build the target from raw ratings, several of each item.

        A row's preference is the mean of its item's ratings, on one scale for all
        annotators, and its weight is their number: a pair weighs the product. The
        number is also `n_raters`, and their standard deviation `spread`.

        Parameters
        ----------
        ratings : DataFrame, dict of str to array-like, or array-like of shape \
(n_samples, n_annotators)
            A table of pandas, polars or Arrow, or a dict of columns, with one row
            per rating, in any order; or an array with one row per row of `items`
            and one column per annotator, NaN where there is no rating.
        items : DataFrame or dict of str to array-like
            Table with one row per row of ``X``, in its order.
        on : str or tuple of str, default=("prompt",)
            Columns that name the group, in both tables. Labels of several are
            joined by ":".
        item : str or None, default="system"
            Column that names the item, in both tables. None, for an array of
            ratings, takes every row for an item of its own.
        rating : str, default="rating"
            Column of `ratings` that holds the numbers, larger is better.
        annotator : str or None, default=None
            Column of `ratings` that names who rated. Someone who rated one item
            twice is then an error; None does not look.
        weight : {"count", None}, default="count"
            None weighs all rows alike.
        missing : {"raise", "nan"}, default="raise"
            What becomes of a row without a rating: an error, or not judged. With
            "count" it then weighs 0 and ``fit`` leaves it out; without weights
            ``fit`` refuses it.
        block : str or None, default=None
            Column of `items` that names the block of each row.
        position : str or None, default=None
            Column of `items` that says where in its list each row was shown, 1 for the
            first.

        Returns
        -------
        groups : structured ndarray of shape (n_samples,)
            One record per row of `items`, as :meth:`from_arrays` returns it. The
            preference depends on no order of the ratings.

        Raises
        ------
        ValueError
            If a rating is missing or infinite, or is of an item that `items` does
            not have, or lengths differ.
        TypeError
            If a table is none, or a column holds integers in one table and strings
            in the other.

        See Also
        --------
        from_ranking : Where people gave an order instead of numbers.

        Examples
        --------
        >>> import pandas as pd
        >>> from sklearn_pscore import Groups
        >>> items = pd.DataFrame({"prompt": [1, 1], "system": ["a", "b"]})
        >>> ratings = pd.DataFrame({
        ...     "prompt": 1, "system": ["b", "a", "b", "a", "b"],
        ...     "annotator": ["Ann", "Ann", "Bo", "Bo", "Cy"],
        ...     "rating": [4.0, 3.0, 5.0, 1.0, 3.0],
        ... })
        >>> groups = Groups.from_ratings(ratings, items, annotator="annotator")
        >>> groups["preference"].tolist(), groups["weight"].tolist()
        ([2.0, 4.0], [2.0, 3.0])

        Annotators who use the scale in their own way are first brought to one, each
        by the mean and standard deviation of her ratings; who gave a single number,
        or all alike, says nothing then, and is left out.

        >>> by_annotator = ratings.groupby("annotator")["rating"]
        >>> z = (ratings["rating"] - by_annotator.transform("mean")) / (
        ...     by_annotator.transform("std")
        ... )
        >>> z_scores = ratings.assign(rating=z).dropna(subset=["rating"])
        >>> groups = Groups.from_ratings(z_scores, items, annotator="annotator")
        >>> groups["preference"].round(3).tolist(), groups["weight"].tolist()
        ([-0.707, 0.707], [2.0, 2.0])

        The same as an array, one column per annotator:

        >>> table = [[3.0, 1.0, float("nan")], [4.0, 5.0, 3.0]]
        >>> Groups.from_ratings(table, items)["preference"].tolist()
        [2.0, 4.0]
        """
        return Groups.from_arrays(
            **rating_fields(
                ratings,
                items,
                on=on,
                item=item,
                rating=rating,
                annotator=annotator,
                weight=weight,
                missing=missing,
                block=block,
                position=position,
            )
        )

    @staticmethod
    def from_ranking(
        rankings,
        items,
        *,
        on=("prompt",),
        item="system",
        missing="raise",
        block=None,
        position=None,
    ):
        """Build the target where people put the items of a group in order.

        A row's preference is the number of items of its order that are below its
        own, tied ones counted half. The last has 0.

        Parameters
        ----------
        rankings : dict of label to list
            The order of each group, best first, as a list of items. A tuple inside
            of it is a tie: ``["b", ("a", "c")]``. A list of such lists holds the
            orders of several people, over the same items, and the mean is taken.
            With several columns `on`, the keys are tuples of their labels.
        items : DataFrame or dict of str to array-like
            Table with one row per row of ``X``, in its order.
        on : str or tuple of str, default=("prompt",)
            Columns that name the group. Labels of several are joined by ":".
        item : str, default="system"
            Column that names the item.
        missing : {"raise", "nan"}, default="raise"
            What becomes of a row that is in no order: an error, or not judged, which
            ``fit`` and the metrics refuse.
        block : str or None, default=None
            Column of `items` that names the block of each row.
        position : str or None, default=None
            Column of `items` that says where in its list each row was shown, 1 for the
            first.

        Returns
        -------
        groups : structured ndarray of shape (n_samples,)
            One record per row of `items`, as :meth:`from_arrays` returns it.

        Raises
        ------
        ValueError
            If an order holds an item twice, or one that its group does not have in
            `items`, or `items` has no such group.
        TypeError
            If `rankings` is no dict of lists.

        See Also
        --------
        from_ratings : Where people gave numbers.
        from_winners : Where they only chose the best.

        Examples
        --------
        >>> from sklearn_pscore import Groups
        >>> items = {"prompt": [1, 1, 1, 2, 2], "system": ["a", "b", "c", "a", "b"]}
        >>> groups = Groups.from_ranking({1: ["b", ("a", "c")], 2: ["a", "b"]}, items)
        >>> groups["preference"].tolist()
        [0.5, 2.0, 0.5, 1.0, 0.0]
        """
        return Groups.from_arrays(
            **ranking_fields(
                rankings,
                items,
                on=on,
                item=item,
                missing=missing,
                block=block,
                position=position,
            )
        )

    @staticmethod
    def from_votes(
        votes,
        items,
        *,
        on=("prompt",),
        item="system",
        left="left",
        right="right",
        winner="winner",
        annotator=None,
        weight=None,
        outcomes=None,
        missing="raise",
        block=None,
        order=False,
    ):
        """Build the target where people compared two items at a time.

        The target keeps the votes: :class:`PairwisePreferenceRanker` and
        :class:`LinearPreferenceRanker` learn from each of them, and the metrics of
        votes judge by them. For all else, `preference` is the strength of the item among
        those of its group by its votes, by the model of Bradley and Terry [1]_ with a
        weak prior, a tie as half a win for each.

        Parameters
        ----------
        votes : DataFrame or dict of str to array-like
            Table with one row per vote, in any order: the columns `on`, and the two
            items that were compared.
        items : DataFrame or dict of str to array-like
            Table with one row per row of ``X``, in its order, each item of a group
            once.
        on : str or tuple of str, default=("prompt",)
            Columns that name the group, in both tables. Labels of several are joined
            by ":". ``()`` is a single group.
        item : str, default="system"
            Column of `items` that names the item.
        left : str, default="left"
            Column of `votes` that names the item on the left, or the first of the two.
        right : str, default="right"
            Column of `votes` that names the other one.
        winner : str, default="winner"
            Column of `votes` that says who was preferred: the name of the item, or one of
            "left", "right", "tie", "model_a", "model_b", "tie (bothbad)", 1 for left, 0
            for right, .5 for neither. Names that are numbers may be text.
        annotator : str or None, default=None
            Column of `votes` that names who voted, to be looked at for missing names.
        weight : str or None, default=None
            Column of `votes` with the weight of each, 0 or from 1e-9 to 1e9. None weighs
            all alike.
        outcomes : dict or None, default=None
            What the values of `winner` mean, if they are others: "left", "right", "tie",
            or None for a vote that does not count. A key of None or NaN stands for missing
            values.
        missing : {"raise", "drop"}, default="raise"
            What becomes of a vote for an item that `items` does not have: an error, or
            it is left out, with a warning.
        block : str or None, default=None
            Column of `items` that names the block of each row.
        order : bool, default=False
            Whether to keep in which votes a row was on the left, for `order_bias` of
            :class:`PairwisePreferenceRanker`.

        Returns
        -------
        groups : structured ndarray of shape (n_samples,)
            One record per row of `items`. Beside `group`, `preference` (NaN for an item
            without votes) and `item` it has `row`, the number of the row, and `rival`,
            `wins`, `ties` and `votes` of shape (K,): the rows that it met, -1 where there
            are fewer than K, and how often it has won, tied, and met it. Each pair is
            in one of its two records. A row takes 40 bytes and 32 more for each of the K:
            about half of the most rivals that an item has met.

        Raises
        ------
        ValueError
            If an item is compared with itself, or twice in one group of `items`, or an
            outcome is unknown, or the target would be larger than 2 GB.
        TypeError
            If a table is none, or a column holds integers in one table and strings in
            the other.

        See Also
        --------
        from_ranking : Where people ordered several items.

        Notes
        -----
        After slicing, a pair counts where both of its rows are there. A row that is
        there twice, as in a bootstrap, has its votes twice.

        References
        ----------
        .. [1] Bradley, Terry, "Rank analysis of incomplete block designs", Biometrika
           39, 1952, doi:10.2307/2334029.

        Examples
        --------
        >>> import pandas as pd
        >>> from sklearn_pscore import Groups
        >>> items = pd.DataFrame({"prompt": ["p", "p", "p"], "system": ["a", "b", "c"]})
        >>> votes = pd.DataFrame({
        ...     "prompt": "p", "left": ["a", "b", "a", "c"], "right": ["b", "a", "c", "b"],
        ...     "winner": ["a", "tie", "left", "b"],
        ... })
        >>> groups = Groups.from_votes(votes, items)
        >>> groups["preference"].round(2).tolist()
        [1.28, 0.38, -1.66]
        """
        return build_target(
            vote_fields(
                votes,
                items,
                on=on,
                item=item,
                left=left,
                right=right,
                winner=winner,
                annotator=annotator,
                weight=weight,
                outcomes=outcomes,
                missing=missing,
                block=block,
                order=order,
            )
        )

    @staticmethod
    def concat(targets, names=None):
        """Join targets of different judgements, whose groups stay apart.

        Judges of two sources, an opinion score and an award for example, use
        different scales, so their preferences are never compared: group 3 of the
        source "mos" becomes the group "mos:3", even where another source has a
        group 3, or "3". Concatenate the rows of ``X`` in the same order.

        Parameters
        ----------
        targets : list of structured ndarray, or dict of str to structured ndarray
            Targets of :class:`Groups`, in a dict by the names of their sources.
        names : list of str or None, default=None
            Name of each target in a list, without ":". None numbers the targets
            from "0".

        Returns
        -------
        groups : structured ndarray of shape (n_samples,)
            The rows of all targets, one after the other. It has each optional
            field that one of the targets has. Where a target lacks it, `weight`
            is 1, `clip` 0, `donor` False, `n_raters` 0, `spread` NaN, `position` 0, and
            each row is an `item` of its own, named after the source and the row, or
            numbered on from the largest item. An item of one name in two sources is one
            contender. A block of one name is one block, and a group of a target
            without blocks is a block of its own.

        Raises
        ------
        ValueError
            If there is no target, names repeat, or a target cannot be used.
        TypeError
            If a target is a plain array, or items or blocks are integers in one target
            and strings in another.

        Examples
        --------
        >>> from sklearn_pscore import Groups
        >>> mos = Groups.from_arrays(group=[1, 1], preference=[4.5, 3.0])
        >>> award = Groups.from_winners(group=["1", "1"], winner=[False, True])
        >>> groups = Groups.concat({"mos": mos, "award": award})
        >>> groups["group"].tolist()
        ['mos:1', 'mos:1', 'award:1', 'award:1']
        """
        return build_target(joined_fields(check_sources(targets, names)))

    @staticmethod
    def whole(groups):
        """Say that rows were left out on purpose: take groups as they are for whole.

        Parameters
        ----------
        groups : structured ndarray of shape (n_samples,)
            Target of :class:`Groups` of which rows were left out.

        Returns
        -------
        groups : structured ndarray of shape (n_samples,)
            A copy, whose `group_size` counts the rows that are there.

        Raises
        ------
        TypeError
            If `groups` is a plain array.
        ValueError
            If its values cannot be used.

        Examples
        --------
        The item of a disqualified team is left out of its group.

        >>> from sklearn_pscore import Groups
        >>> groups = Groups.from_arrays(group=[3, 3, 3], preference=[2, 1, 0])
        >>> groups[1:]["group_size"].tolist()
        [3, 3]
        >>> Groups.whole(groups[1:])["group_size"].tolist()
        [2, 2]
        """
        if is_structured(groups):
            kept = [field for field in groups.dtype.names if field != "group_size"]
            groups = groups[kept]
        check_groups(
            groups,
            allow_plain=False,
            require_preference=False,
            caller="Groups.whole",
        )
        return build_target({field: groups[field] for field in groups.dtype.names})
