"""Learning from files, whole groups at a time."""

from sklearn.utils import check_random_state
from sklearn.utils.validation import validate_data

from sklearn_pscore._estimators.restore import restored_on_error
from sklearn_pscore._items.training_items import TrainingItems
from sklearn_pscore._progress import progress_of
from sklearn_pscore._rankers.item_checks import (
    check_votes,
    count_choices,
    refuse_awards,
    warn_of_choices,
    warn_of_many_pairs,
)
from sklearn_pscore._rankers.parameters import check_training_parameters
from sklearn_pscore._rankers.parquet_groups import ParquetGroups
from sklearn_pscore._target.arguments import HOW_TO_LEARN_FROM_VOTES, explained_call
from sklearn_pscore._target.check import check_groups
from sklearn_pscore._target.groups import Groups

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

        The files are read `max_epochs` times, and each stretch of rows, of whole
        groups, is trained on as by ``partial_fit``: groups are shuffled only
        inside a stretch. So the rows of a group must follow one another, and the
        groups should be in a random order. A stretch and the largest group are
        the only rows in memory.

        The first stretch decides how metrics are scaled, and for which of them it
        learns what a missing value is worth. There is no validation
        set, so `early_stopping` must be False, and no group is left out by a
        member: data that fits in memory is better given to ``fit``. So are votes, or to
        ``partial_fit``: files hold preferences.

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
            Further columns of the target. Nothing is held out here, so that blocks
            change nothing, but their column is no metric; nor is that of the positions,
            which `order_bias` learns from.
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
        if self.ties == "half":
            refuse_awards(stretches.lowest_preferences)
        goes_on = self.warm_start and hasattr(self, "net_")
        rng = check_random_state(self.random_state)
        with restored_on_error(self):
            # Names and number of the features; the values are checked as they come.
            no_rows = pd.DataFrame(columns=stretches.features)
            validate_data(self, no_rows, reset=not goes_on, skip_check_array=True)
            self._cut_target = None
            parameters, net = self._parameters_and_net(stretches.n_rows, goes_on)
            n_all = stretches.n_rows * parameters.max_epochs
            with progress_of(type(self).__name__, "row", n_all, self.verbose) as told:
                net, n_groups, n_pairs = self._train_on(
                    path, stretches, parameters, net, rng, told
                )
            drops_steps = not self.warm_start
            self._keep(net, parameters, n_groups, n_pairs, goes_on, drops_steps)
        return self

    def _train_on(self, path, stretches, parameters, net, rng, progress):
        """Go through the files as often as there are epochs.

        Returns
        -------
        net : GroupNet
        n_groups, n_pairs : int
            Of a whole pass.
        """
        from sklearn_pscore._rankers.training import fit_net_once
        from sklearn_pscore._torch.epochs import told_epoch

        caller, n_rows = _CALLER, stretches.n_rows
        n_epochs = parameters.max_epochs
        n_all, n_read = n_rows * n_epochs, 0
        has_warned, choices = False, 0
        for epoch in range(1, n_epochs + 1):
            n_groups = n_pairs = 0
            for items, n_new in self._items_of_stretches(stretches, caller):
                before, n_read = n_read, n_read + n_new
                if len(items):
                    has_warned |= not has_warned and warn_of_many_pairs(self, items)
                    if self.ties == "half" and epoch == 1:
                        choices += count_choices(items)
                    share = before / n_all, n_read / n_all
                    net, packed = fit_net_once(parameters, items, rng, net, share)
                    n_groups += packed.n_groups
                    n_pairs += packed.n_pairs
                text = f"epoch {epoch} of {n_epochs}"
                if net is not None:
                    text = f"{text}, {told_epoch(net)}"
                ends_epoch = n_read == epoch * n_rows and self.verbose > 1
                progress.update(n_new, text, is_milestone=ends_epoch)
            if not n_pairs:
                raise ValueError(
                    f"No comparable pairs in {path}: within each group all items "
                    f"have one preference. {caller} compares items of one group with "
                    "different preference; check the group column."
                )
            if self.ties == "half" and epoch == 1:
                # Of all stretches: one alone may look like that by chance.
                warn_of_choices(choices)
        return net, n_groups, n_pairs

    def _items_of_stretches(self, stretches, caller):
        """Yield the training items of each stretch of rows, and its number of rows."""
        first_row = 0
        for frame in stretches:
            try:
                X = self._check_X(frame[stretches.features])
                y = Groups.from_frame(frame, **stretches.fields)
                target = check_groups(y, n_rows=len(X), caller=caller)
                items = TrainingItems.from_target(X, target)
                check_votes(
                    items, target, caller, self.loss, self.ties, self.order_bias
                )
                items = self._comparable(items, target, caller)
            except (TypeError, ValueError) as error:
                raise stretches.located(error, frame, first_row) from error
            yield items, len(frame)
            first_row += len(frame)
