"""Learning from files, whole groups at a time."""

from sklearn.utils import check_random_state
from sklearn.utils.validation import validate_data

from sklearn_pscore._estimators.restore import restored_on_error
from sklearn_pscore._progress import progress_of
from sklearn_pscore._rankers.item_checks import warn_if_constant
from sklearn_pscore._rankers.parameters import (
    check_training_parameters,
    resolve_parameters,
)
from sklearn_pscore._rankers.parquet_groups import ParquetGroups
from sklearn_pscore._rankers.parts import (
    N_SEEDS,
    GrowingShare,
    Part,
    Plan,
    SampleSize,
    start_of,
)
from sklearn_pscore._target.arguments import HOW_TO_LEARN_FROM_VOTES, explained_call

_CALLER = "PairwisePreferenceRanker.fit_parquet"


class ParquetMixin:
    """The fit to Parquet files of PairwisePreferenceRanker."""

    @explained_call
    def fit_parquet(
        self,
        path,
        *,
        group,
        preference,
        features=None,
        item=None,
        weight=None,
        donor=None,
        block=None,
        position=None,
        rows_at_a_time=65536,
    ):
        """Learn from Parquet files that need not fit in memory.

        The files are read once to check all rows and to draw a sample of the groups, which
        decides how metrics are scaled and has the shortcut fitted to it, as in ``fit``.
        Then they are read `max_epochs` times, and each stretch of rows, of whole groups,
        is trained on: groups are shuffled only inside a stretch. So the rows of a group
        must follow one another, and the groups should be in a random order. The sample, two
        stretches and the largest group are the only rows in memory.

        Each member leaves out a fold of the groups, or of the blocks if there are any: by
        a hash of their labels. There is no validation set, so `early_stopping` must be
        False. Files hold preferences: votes go to ``fit``, or ``partial_fit``.

        Parameters
        ----------
        path : str, path or list of paths
            One file, several files in the order of their rows, or a folder,
            whose ``*.parquet`` files are taken in the order of their names.
        group, preference : str
            Columns of the target, see :meth:`Groups.from_frame`.
        features : list-like of str or None, default=None
            Columns of the metrics, which must be numeric: a list, a tuple, an
            array, or ``df.columns[:5]``. None takes every other column, ids
            included: name the metrics if there are any. An index that pandas
            wrote counts as a column if it has a name. No column of the target
            can be a metric.
        item, weight, donor, block, position : str or None, default=None
            Further columns of the target. `order_bias` learns from the positions.
        rows_at_a_time : int, default=65536
            Rows to read at a time, at least 1.

        Returns
        -------
        self : PairwisePreferenceRanker
            The same object, fitted. `history_` has an entry per stretch of rows
            read, and `n_groups_` and `n_pairs_` count a whole pass.

        Raises
        ------
        ValueError
            If a file cannot be read, lacks a column or has two of its name, has a
            metric that is not numeric or a group in two places, if `features`
            names a column twice or one of the target, and as for :meth:`fit`.
        TypeError
            If the name of a column is no str, `features` no list of them, `path`
            no path, or `rows_at_a_time` no integer.
        ImportError
            If pyarrow is not installed.
        """
        import pandas as pd

        caller = _CALLER
        check_training_parameters(self, caller)
        if self.early_stopping:
            raise ValueError(
                f"early_stopping=True, but {caller} has no validation set; expected "
                "False. Set early_stopping=False, or use fit on data in memory."
            )
        if self.ties == "davidson":
            raise ValueError(
                f'ties="davidson", which is for votes, and {caller} learns from '
                'preferences; expected "auto", "ignore" or "half". '
                f"{HOW_TO_LEARN_FROM_VOTES}"
            )
        if self.order_bias and position is None:
            raise ValueError(
                f"order_bias=True, and {caller} does not know what was shown first; "
                "expected the column of the positions. Pass position=, or set "
                "order_bias=False."
            )
        named = {"item": item, "weight": weight, "donor": donor, "block": block}
        named["position"] = position
        fields = {"group": group, "preference": preference}
        fields |= {field: name for field, name in named.items() if name is not None}
        stretches = ParquetGroups(
            path, fields=fields, features=features, rows_at_a_time=rows_at_a_time
        )
        goes_on = self.warm_start and hasattr(self, "net_")
        rng = check_random_state(self.random_state)
        with restored_on_error(self):
            # Names and number of the features; the values are checked as they come.
            no_rows = pd.DataFrame(columns=stretches.features)
            validate_data(self, no_rows, reset=not goes_on, skip_check_array=True)
            self._cut_target = None
            plan, share = self._plan_of(path, stretches, rng.randint(N_SEEDS))
            parameters, net = self._parameters_and_net(plan.extent.n_items, goes_on)
            sample = None
            if goes_on:
                plan = plan._replace(parameters=parameters, n_folds=0)
            else:
                net, sample = start_of(plan, share)
            gap = self._train_on(stretches, plan, net, sample, rng)
            extent = plan.extent
            counts = extent.n_groups, extent.n_pairs
            drops_steps = not self.warm_start
            self._keep(net, parameters, *counts, goes_on, drops_steps)
        warn_if_constant(gap, plan.n_folds > 0, parameters)
        return self

    def _plan_of(self, path, stretches, seed):
        """Check all rows; return the plan of the training, and the items to start from.

        Returns
        -------
        plan : Plan
        share : Share
        """
        parameters = resolve_parameters(self, stretches.n_rows)
        # No group has more items that count than rows.
        size = SampleSize.of_sizes(stretches.sizes, self.n_features_in_, parameters)
        facts, share = [], GrowingShare(size, self.loss)
        for part, _ in self._parts(stretches):
            if part.packed is None:
                continue
            # Whole groups follow one another: no label comes twice.
            facts.append(part.facts()._replace(hashes=None))
            share.add(part)
        if not facts:
            raise ValueError(
                f"No comparable pairs in {path}: {stretches.n_rows:,} rows in "
                f"{len(stretches.sizes):,} groups, none of which has two rows of different "
                f"preference and of a weight above 0. {_CALLER} compares such rows; check "
                "the columns of the group and the preference."
            )
        return Plan.of(self, facts, seed, size), share.whole()

    def _train_on(self, stretches, plan, net, sample, rng):
        """Go through the files as often as there are epochs.

        Parameters
        ----------
        stretches : ParquetGroups
        plan : Plan
        net : GroupNet
            Changed in place.
        sample : ScaledSample or None
            To weigh the parts of the net on; None in a training that goes on.
        rng : RandomState

        Returns
        -------
        gap : float
            Largest difference of two scores in a group of the stretch with most pairs.
        """
        from sklearn_pscore._rankers.training import fit_net_to_part, largest_gap
        from sklearn_pscore._torch.epochs import check_finite, told_epoch
        from sklearn_pscore._torch.stacking import weigh_and_center

        n_rows, n_epochs = stretches.n_rows, plan.parameters.max_epochs
        n_all, n_read = n_rows * n_epochs, 0
        progress = progress_of(type(self).__name__, "row", n_all, self.verbose)
        packed = widest = None
        with progress:
            for epoch in range(1, n_epochs + 1):
                for part, n_new in self._parts(stretches):
                    before, n_read = n_read, n_read + n_new
                    if part.packed is not None:
                        share = before / n_all, n_read / n_all
                        packed = fit_net_to_part(net, part, plan, rng, share)
                        if widest is None or packed.n_pairs > widest.n_pairs:
                            widest = packed
                    text = f"epoch {epoch} of {n_epochs}"
                    if packed is not None:
                        text = f"{text}, {told_epoch(net)}"
                    ends_epoch = n_read == epoch * n_rows and self.verbose > 1
                    progress.update(n_new, text, is_milestone=ends_epoch)
        net.n_folds = plan.n_folds
        if sample is not None:
            weigh_and_center(net, sample)
            check_finite(net, plan.parameters)
        return largest_gap(net, widest)

    def _parts(self, stretches):
        """Yield each stretch of rows as a :class:`Part`, and its number of rows."""
        first_row = 0
        for frame in stretches:
            try:
                part = Part.of_frame(
                    self, frame, stretches.fields, stretches.features, caller=_CALLER
                )
            except (TypeError, ValueError) as error:
                raise stretches.located(error, frame, first_row) from error
            yield part, len(frame)
            first_row += len(frame)
