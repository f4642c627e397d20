"""Learning from files, whole groups at a time."""

from sklearn.utils import check_random_state

from sklearn_pscore._rankers.parameters import resolve_batch_size, resolve_epochs
from sklearn_pscore._rankers.parquet_groups import ParquetGroups
from sklearn_pscore._rankers.training import Training
from sklearn_pscore._restore import restored_on_error
from sklearn_pscore._target.groups import Groups


class ParquetMixin:
    """What fits a ranker to Parquet files; see PairwisePreferenceRanker."""

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
        rows_at_a_time=65536,
    ):
        """Learn from Parquet files that need not fit in memory.

        The files are gone through `max_epochs` times, whole groups at a time,
        as by ``partial_fit``: groups are shuffled among those read together. So
        the rows of a group must follow one another, and the groups had better be
        in a random order. Only as many rows as are read at a time, and the
        largest group, are in memory.

        The first stretch of rows decides how metrics are scaled. There is no
        validation set, so `early_stopping` must be False, and no group is left
        out by a member: what fits in memory is better given to ``fit``.

        Parameters
        ----------
        path : str, path or list of paths
            One file, several files in the order of their rows, or a folder,
            whose ``*.parquet`` files are taken in the order of their names.
        group, preference : str
            Columns of the target, see :meth:`Groups.from_frame`.
        features : list of str or None, default=None
            Columns of the metrics, which must be numeric. None takes every other
            column, ids included: name the metrics where there are any. An index
            that pandas wrote counts as a column if it has a name.
        item, weight, donor : str or None, default=None
            Further columns of the target.
        rows_at_a_time : int, default=65536
            Rows to read at a time.

        Returns
        -------
        self : PairwisePreferenceRanker
            The same object, fitted. `history_` has an entry per stretch of rows
            read, and `n_groups_` and `n_pairs_` count a whole pass.

        Raises
        ------
        ValueError
            If a file cannot be read, lacks a column, has a metric that is not
            numeric or a group in two places, and as for :meth:`fit`.
        TypeError
            If `features` is a str.
        ImportError
            If pyarrow is not installed.
        """
        caller = "PairwisePreferenceRanker.fit_parquet"
        self._check_settings()
        if self.early_stopping:
            raise ValueError(
                f"early_stopping=True, but {caller} has no validation set; expected "
                "False. Set early_stopping=False, or use fit on data in memory."
            )
        named = {"item": item, "weight": weight, "donor": donor}
        fields = {"group": group, "preference": preference}
        fields |= {field: name for field, name in named.items() if name is not None}
        stretches = ParquetGroups(
            path, fields=fields, features=features, rows_at_a_time=rows_at_a_time
        )
        n_rows = stretches.n_rows
        batch_size = resolve_batch_size(self.batch_size, n_rows)
        n_epochs = resolve_epochs(self.max_epochs, n_rows, batch_size)
        goes_on = self.warm_start and hasattr(self, "net_")
        rng = check_random_state(self.random_state)
        training = Training(self, rng, goes_on)
        n_read = 0
        with restored_on_error(self):
            for _ in range(n_epochs):
                n_groups = n_pairs = 0
                for frame in stretches:
                    try:
                        y = Groups.from_frame(frame, **fields)
                        X = frame[stretches.features]
                        items, _ = self._check(
                            X, y, caller, training.goes_on, comparable=False
                        )
                    except ValueError as error:
                        raise stretches.located(
                            error, frame, n_read % n_rows
                        ) from error
                    before, n_read = n_read, n_read + len(frame)
                    if not len(items):
                        continue
                    done = before / (n_rows * n_epochs), n_read / (n_rows * n_epochs)
                    training.go_through(items, n_rows=n_rows, done=done)
                    n_groups += self.n_groups_
                    n_pairs += self.n_pairs_
                if not n_pairs:
                    raise ValueError(
                        f"No comparable pairs in {path}: within each group all items have "
                        f"one preference. {caller} compares items of one group with "
                        "different preference; check the group column."
                    )
                self.n_groups_, self.n_pairs_ = n_groups, n_pairs
        return self
