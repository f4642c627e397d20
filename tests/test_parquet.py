"""Learning from Parquet files that are read a stretch at a time."""

import re
import sys

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from cases import quick
from numpy.testing import assert_array_equal
from pandas.testing import assert_frame_equal
from skorch.callbacks import Callback

from sklearn_pscore import Groups, PairwisePreferenceRanker
from sklearn_pscore._rankers import parts
from sklearn_pscore._rankers.parquet_groups import ParquetGroups
from sklearn_pscore._torch import net
from sklearn_pscore._torch.packing import PackedGroups

NAMES = {"group": "query", "preference": "opinion"}
FEATURES = ["SSIM", "FID"]


def make_table(n_groups=60, seed=0):
    """Groups of 1 to 9 rows, in a random order, that the first metric orders."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, 10, n_groups)
    X = rng.normal(size=(sizes.sum(), 2))
    table = pd.DataFrame(X, columns=FEATURES)
    labels = [f"q{label:03d}" for label in rng.permutation(n_groups)]
    table.insert(0, "query", np.repeat(labels, sizes))
    table["opinion"] = X[:, 0] + 0.1 * rng.normal(size=len(table))
    return table


def write(table, path, **kwargs):
    table.to_parquet(path, index=False, **kwargs)
    return path


def stretches(path, rows_at_a_time=20):
    return ParquetGroups(
        path, fields=NAMES, features=None, rows_at_a_time=rows_at_a_time
    )


class Rates(Callback):
    """Note the learning rate of every step, in the net's history."""

    def on_batch_end(self, net, training, **kwargs):
        rate = net.optimizer_.param_groups[0]["lr"]
        net.history.record_batch("rate", rate)

    @staticmethod
    def seen(ranker):
        """Return the rates, that of the step that the callback follows each."""
        epochs = ranker.net_.history[:, "batches", :, "rate"]
        return np.array([rate for epoch in epochs for rate in epoch])


class Count(Callback):
    """Count epochs from the start that it is given."""

    def __init__(self, n_epochs=0):
        self.n_epochs = n_epochs

    def on_epoch_end(self, net, **kwargs):
        self.n_epochs += 1


class TestStretches:
    @pytest.mark.parametrize("rows_at_a_time", [1, 7, 20, 10_000])
    def test_all_rows_come_once_and_groups_whole(self, tmp_path, rows_at_a_time):
        table = make_table()
        path = write(table, tmp_path / "a.parquet", row_group_size=13)
        parts = list(stretches(path, rows_at_a_time))
        together = pd.concat(parts, ignore_index=True)
        assert_frame_equal(together[table.columns], table)
        groups = [set(part["query"]) for part in parts]
        assert sum(map(len, groups)) == len(set.union(*groups)) == 60

    def test_a_stretch_is_bounded(self, tmp_path):
        path = write(make_table(), tmp_path / "a.parquet")
        sizes = [len(part) for part in stretches(path, 20)]
        assert len(sizes) > 10
        assert max(sizes) <= 20 + 20 // 2 + 9

    def test_empty_row_groups_and_files_are_passed_over(self, tmp_path):
        table = make_table()
        write(table[:0], tmp_path / "0.parquet")
        rows = pa.Table.from_pandas(table, preserve_index=False)
        with pq.ParquetWriter(tmp_path / "1.parquet", rows.schema) as file:
            for batch in (rows[:0], rows, rows[:0]):
                file.write_table(batch)
        together = pd.concat(stretches(tmp_path), ignore_index=True)
        assert_frame_equal(together[table.columns], table)

    @pytest.mark.parametrize("form", ["list", "folder"])
    def test_several_files_and_a_group_across_two(self, tmp_path, form):
        table = make_table()
        size = table.groupby("query")["query"].transform("size").to_numpy()
        cut = 1 + int(np.flatnonzero(size[50:] > 1)[0]) + 50
        cut -= table["query"][cut - 1] != table["query"][cut]
        paths = [
            write(table[:cut], tmp_path / "part-0.parquet"),
            write(table[cut:], tmp_path / "part-1.parquet"),
        ]
        parts = list(stretches(paths if form == "list" else tmp_path))
        together = pd.concat(parts, ignore_index=True)
        assert_frame_equal(together[table.columns], table)
        assert sum(part["query"].nunique() for part in parts) == 60

    def test_features_are_what_the_target_leaves(self, tmp_path):
        path = write(make_table(), tmp_path / "a.parquet")
        assert stretches(path).features == FEATURES

    def test_an_index_without_a_name_is_no_feature(self, tmp_path):
        table = make_table().sort_values(["query", "opinion"])
        table.to_parquet(tmp_path / "a.parquet")
        read = stretches(tmp_path)
        assert read.features == FEATURES
        together = pd.concat(read, ignore_index=True)
        assert_frame_equal(together[table.columns], table.reset_index(drop=True))

    @pytest.mark.parametrize(
        "features",
        [
            pd.Index(FEATURES[::-1]),
            np.array(FEATURES[::-1]),
            tuple(FEATURES[::-1]),
            pd.Series(FEATURES[::-1], index=[4, 7]),
            reversed(FEATURES),
        ],
        ids=["index", "array", "tuple", "series", "iterator"],
    )
    def test_features_by_any_list_of_names_in_its_order(self, tmp_path, features):
        path = write(make_table(), tmp_path / "a.parquet")
        read = ParquetGroups(path, fields=NAMES, features=features, rows_at_a_time=9)
        assert read.features == ["FID", "SSIM"]
        assert all(type(name) is str for name in read.features)
        together = pd.concat(read, ignore_index=True)
        assert_frame_equal(together[FEATURES], make_table()[FEATURES])

    @pytest.mark.parametrize("rows_at_a_time", [np.int64(70), 2**63, 10**30])
    def test_any_number_of_rows_can_be_asked_for(self, tmp_path, rows_at_a_time):
        table = make_table()
        path = write(table, tmp_path / "a.parquet")
        parts = list(stretches(path, rows_at_a_time))
        assert_frame_equal(pd.concat(parts, ignore_index=True)[table.columns], table)
        assert (len(parts) == 1) == (rows_at_a_time > len(table))

    @pytest.mark.parametrize("index", ["query", ["SSIM", "opinion"], "FID"])
    def test_an_index_with_a_name_is_a_column(self, tmp_path, index):
        table = make_table()
        table.set_index(index).to_parquet(tmp_path / "a.parquet")
        read = stretches(tmp_path)
        assert sorted(read.features) == sorted(FEATURES)
        together = pd.concat(read, ignore_index=True)
        assert_frame_equal(together[table.columns], table)

    def test_numbers_of_any_kind_are_features(self, tmp_path):
        table = make_table().astype({"SSIM": "float32"})
        table["FID"] = (table["FID"] > 0).astype("Int8").astype("category")
        table["better"] = table["SSIM"] > 0
        path = write(table, tmp_path / "a.parquet")
        ranker = quick(max_epochs=1).fit_parquet(path, **NAMES)
        assert ranker.feature_names_in_.tolist() == [*FEATURES, "better"]


class TestFit:
    def test_starts_from_the_same_sample_whatever_the_stretches(
        self, tmp_path, monkeypatch
    ):
        monkeypatch.setattr(net, "_SAMPLE_VALUES", 1)
        monkeypatch.setattr(net, "_SAMPLE_ROWS", 100)
        monkeypatch.setattr(parts, "_SAMPLE_VALUES", 2 * 150)
        table = make_table(200).assign(FID=np.nan)
        # A metric that is known in one group only, and a group too large for the sample.
        table.loc[table["query"] == "q003", "FID"] = 1.0
        table.loc[300:799, "query"] = "q999"
        starts = []
        for rows_at_a_time in (1, 40, 300, 10**6):
            path = write(table, tmp_path / "a.parquet")
            ranker = quick(n_members=3, shortcut="additive", max_epochs=1)
            ranker.fit_parquet(path, **NAMES, rows_at_a_time=rows_at_a_time)
            network = ranker.net_.module_
            starts.append((network.scaling.shift, network.shortcut.bends.start))
            assert ranker.net_.n_folds == 3
            assert network.shortcut.missing_features.tolist() == [1]
        for start in starts[1:]:
            for own, its in zip(starts[0], start, strict=True):
                assert_array_equal(own, its)

    def test_members_leave_out_the_same_groups_in_each_stretch(
        self, tmp_path, monkeypatch
    ):
        folds = {}

        def note(groups, fold_of_group):
            set_folds(groups, fold_of_group)
            # No two groups have an item with the same metrics.
            first = groups.X[groups.starts, 0].tolist()
            for value, fold in zip(first, fold_of_group.tolist(), strict=True):
                folds.setdefault(value, []).append(fold)

        set_folds = PackedGroups.set_folds
        monkeypatch.setattr(PackedGroups, "set_folds", note)
        table = make_table()
        path = write(table, tmp_path / "a.parquet")
        ranker = quick(n_members=3, max_epochs=2)
        ranker.fit_parquet(path, **NAMES, rows_at_a_time=40)
        assert {len(each) for each in folds.values()} == {1 + 2}
        assert all(len(set(each)) == 1 for each in folds.values())
        assert {each[0] for each in folds.values()} == {0, 1, 2}

    def test_the_start_weighs_rows_of_all_stretches(self, tmp_path):
        """A last stretch of light rows, which say the opposite, does not decide."""
        rng = np.random.default_rng(0)
        table = pd.DataFrame({"query": np.arange(2000) // 5, "SSIM": rng.random(2000)})
        is_first = table["query"] < 200
        table["opinion"] = np.where(is_first, table["SSIM"], -table["SSIM"])
        table["heavy"] = np.where(is_first, 1.0, 1e-4)
        path = write(table, tmp_path / "a.parquet")
        ranker = quick(max_epochs=3)
        ranker.fit_parquet(path, **NAMES, weight="heavy", rows_at_a_time=1000)
        score = ranker.predict(table[["SSIM"]])
        assert np.corrcoef(score, table["SSIM"])[0, 1] > 0.9

    @pytest.mark.parametrize("loss", ["ranknet", "listnet"])
    def test_agrees_as_fit_does(self, tmp_path, loss):
        table = make_table(1000)
        path = write(table, tmp_path / "a.parquet")
        settings = {"loss": loss, "shortcut": "additive", "n_members": 3}
        whole = quick(**settings).fit(
            table[FEATURES], Groups.from_frame(table, **NAMES)
        )
        streamed = quick(**settings).fit_parquet(path, **NAMES, rows_at_a_time=500)
        X = make_table(200, seed=1)[FEATURES]
        scores = np.array([whole.predict(X), streamed.predict(X)])
        assert np.corrcoef(scores)[0, 1] > 0.99

    def test_a_last_group_that_nothing_tells_apart_is_no_constant_fit(self, tmp_path):
        table = make_table()
        last = table["query"] == table["query"].iloc[-1]
        assert last.sum() > 1
        table.loc[last, FEATURES] = 0.5
        # A warning is an error. The last stretch is the last group alone.
        quick().fit_parquet(
            write(table, tmp_path / "a.parquet"), **NAMES, rows_at_a_time=len(table)
        )

    def test_going_on_leaves_nothing_out_and_keeps_the_scaling(self, tmp_path):
        path = write(make_table(), tmp_path / "a.parquet")
        ranker = quick(n_members=3, warm_start=True, max_epochs=1)
        ranker.fit_parquet(path, **NAMES)
        assert ranker.net_.n_folds == 3
        shift = ranker.net_.module_.scaling.shift.clone()
        other = make_table(seed=1).assign(SSIM=lambda rows: rows["SSIM"] + 1)
        ranker.fit_parquet(write(other, path), **NAMES, rows_at_a_time=50)
        assert ranker.net_.n_folds == 0
        assert_array_equal(ranker.net_.module_.scaling.shift, shift)
        assert len(ranker.history_["epoch"]) == 1 + len(list(stretches(path, 50)))

    def test_learning_rate_rises_and_falls_once_in_all_passes(self, tmp_path):
        path = write(make_table(), tmp_path / "a.parquet")
        rates = Rates()
        ranker = quick(max_epochs=4, batch_size=20, callbacks=[rates])
        ranker.fit_parquet(path, **NAMES, rows_at_a_time=50)
        rate = rates.seen(ranker)
        assert len(rate) > 4 * 10
        peak = int(np.argmax(rate))
        assert 0.2 < peak / len(rate) < 0.3
        assert rate[peak] <= 0.05
        assert (np.diff(rate[: peak + 1]) > 0).all()
        assert (np.diff(rate[peak:]) < 0).all()
        assert rate[-1] < 0.001

    def test_callbacks_are_copied_once(self, tmp_path):
        path = write(make_table(), tmp_path / "a.parquet")
        count = Count()
        ranker = quick(callbacks=[count])
        for _ in range(2):
            ranker.fit_parquet(path, **NAMES, rows_at_a_time=60)
            assert len(ranker.history_["epoch"]) > 10
            seen = dict(ranker.net_.callbacks_)["Count"].n_epochs
            assert seen == len(ranker.history_["epoch"])
        assert count.n_epochs == 0

    def test_auto_batches_are_counted_from_all_rows_in_a_pair(self, tmp_path):
        table = make_table(5000)
        size = table.groupby("query")["query"].transform("size")
        path = write(table, tmp_path / "a.parquet")
        ranker = quick(max_epochs=1).fit_parquet(path, **NAMES, rows_at_a_time=20_000)
        assert ranker.net_.batch_size == (size > 1).sum() // 100 > 200

    def test_counts_and_accuracy_are_those_in_memory(self, tmp_path):
        table = make_table(300)
        path = write(table, tmp_path / "a.parquet")
        groups = Groups.from_frame(table, **NAMES)
        whole = quick(max_epochs=10).fit(table[FEATURES], groups)
        streamed = quick(max_epochs=10).fit_parquet(path, **NAMES, rows_at_a_time=400)
        assert streamed.n_pairs_ == whole.n_pairs_
        assert streamed.n_groups_ == whole.n_groups_
        assert streamed.feature_names_in_.tolist() == FEATURES
        other = make_table(100, seed=1)
        judged = Groups.from_frame(other, **NAMES)
        assert streamed.score(other[FEATURES], judged) > 0.9
        assert whole.score(other[FEATURES], judged) > 0.9

    def test_stretches_without_a_pair_are_passed_over(self, tmp_path):
        table = make_table(20)
        alone = pd.DataFrame(
            {"query": ["a", "b"], "SSIM": 0.0, "FID": 0.0, "opinion": [1.0, 2.0]}
        )
        path = write(pd.concat([alone, table]), tmp_path / "a.parquet")
        ranker = quick(max_epochs=1).fit_parquet(path, **NAMES, rows_at_a_time=2)
        assert (
            ranker.n_pairs_
            == quick(max_epochs=1)
            .fit(table[FEATURES], Groups.from_frame(table, **NAMES))
            .n_pairs_
        )

    def test_weights_and_donors_are_read(self, tmp_path):
        table = make_table()
        marked = table.assign(heavy=1.0, outside=np.arange(len(table)) < 30)
        path = write(marked, tmp_path / "a.parquet")
        ranker = quick().fit_parquet(path, **NAMES, weight="heavy", donor="outside")
        assert ranker.feature_names_in_.tolist() == FEATURES
        kept = table[30:]
        assert (
            ranker.n_pairs_
            == quick().fit(kept[FEATURES], Groups.from_frame(kept, **NAMES)).n_pairs_
        )


def truncated(tmp_path):
    path = write(make_table(), tmp_path / "bad.parquet")
    path.write_bytes(path.read_bytes()[:-40])
    return path


def damaged(tmp_path):
    path = write(make_table(), tmp_path / "bad.parquet")
    content = path.read_bytes()
    path.write_bytes(content[:4] + bytes(200) + content[204:])
    return path


def of_another_kind(tmp_path):
    (tmp_path / "bad.parquet").write_text("query,opinion\n")
    return tmp_path / "bad.parquet"


def unsorted(tmp_path):
    table = make_table()
    return write(pd.concat([table, table[:1]]), tmp_path / "bad.parquet")


def without_preference(tmp_path):
    return write(make_table().drop(columns="opinion"), tmp_path / "bad.parquet")


def without_features(tmp_path):
    return write(make_table()[["query", "opinion"]], tmp_path / "bad.parquet")


def without_rows(tmp_path):
    return write(make_table()[:0], tmp_path / "bad.parquet")


def all_tied(tmp_path):
    return write(make_table().assign(opinion=1.0), tmp_path / "bad.parquet")


def with_a_missing_opinion(tmp_path):
    table = make_table()
    table.loc[200, "opinion"] = np.nan
    return write(table, tmp_path / "bad.parquet")


def with_text(tmp_path):
    return write(make_table().assign(clip="a"), tmp_path / "bad.parquet")


def with_text_in_categories(tmp_path):
    clip = pd.Categorical(["a"] * len(make_table()))
    return write(make_table().assign(clip=clip), tmp_path / "bad.parquet")


def with_value(column, value):
    def make(tmp_path):
        table = make_table()
        table.loc[200, column] = value
        return write(table, tmp_path / "bad.parquet")

    return make


def empty_folder(tmp_path):
    (tmp_path / "empty").mkdir()
    return tmp_path / "empty"


class TestBadFiles:
    @pytest.mark.parametrize(
        ("make", "error", "message"),
        [
            (truncated, ValueError, "cannot be read as Parquet"),
            (damaged, ValueError, "cannot be read as Parquet"),
            (of_another_kind, ValueError, "cannot be read as Parquet"),
            (unsorted, ValueError, "comes back in column 'query'"),
            (without_preference, ValueError, "no column 'opinion', which preference="),
            (without_features, ValueError, "no column beside ['query', 'opinion']"),
            (without_rows, ValueError, "no rows"),
            (all_tied, ValueError, "No comparable pairs in"),
            (
                with_a_missing_opinion,
                ValueError,
                "column 'opinion' is missing at row 200",
            ),
            (with_text, ValueError, "bad.parquet: column 'clip' holds"),
            (
                with_text_in_categories,
                ValueError,
                "or say what the column is with item=",
            ),
            (
                with_value("SSIM", -np.inf),
                ValueError,
                "X contains infinity: -inf at row 1, column 'SSIM'; expected",
            ),
            (with_value("opinion", np.inf), ValueError, "bad.parquet, rows "),
            (empty_folder, ValueError, "holds no *.parquet file"),
            (lambda p: p / "no.parquet", FileNotFoundError, "which is not a file"),
        ],
    )
    def test_are_named_and_leave_the_estimator_as_it_was(
        self, tmp_path, make, error, message
    ):
        good = write(make_table(), tmp_path / "good.parquet")
        ranker = quick().fit_parquet(good, **NAMES)
        before = dict(vars(ranker))
        bad = make(tmp_path)
        with pytest.raises(error, match=re.escape(message)) as caught:
            ranker.fit_parquet(bad, **NAMES, rows_at_a_time=50)
        assert vars(ranker).keys() == before.keys()
        assert all(vars(ranker)[name] is value for name, value in before.items())
        assert bad.name in str(caught.value)

    def test_the_group_that_comes_back_is_named(self, tmp_path):
        path = unsorted(tmp_path)
        label = make_table()["query"][0]
        with pytest.raises(ValueError, match=f"group {label} comes back"):
            quick().fit_parquet(path, **NAMES)
        n_rows = len(make_table())
        with pytest.raises(ValueError, match=f"column 'query' at row {n_rows} after"):
            quick().fit_parquet(path, **NAMES, rows_at_a_time=7)

    def test_rows_are_counted_in_the_stretch_of_the_files(self, tmp_path):
        table = make_table(1).assign(query="a", heavy=1.0)
        after = make_table().assign(heavy=1.0)
        after.loc[:1, "query"] = "a"
        after.loc[1, "heavy"] = -2.0
        paths = [write(table, tmp_path / "0.parquet"), tmp_path / "1.parquet"]
        write(after, paths[1])
        n_rows = len(table) + int((after["query"] == "a").sum())
        first, second = (re.escape(str(path)) for path in paths)
        message = (
            f"^{first}, rows 0 to {len(table) - 1} and {second}, rows 0 to 1 "
            rf"\(any row below is counted from 0 in these\): .*-2.0.*{n_rows - 1}"
        )
        with pytest.raises(ValueError, match=message):
            quick().fit_parquet(paths, **NAMES, weight="heavy", rows_at_a_time=1)

    def test_settings_are_not_blamed_on_a_file(self, tmp_path):
        path = write(make_table(), tmp_path / "a.parquet")
        ranker = PairwisePreferenceRanker((0,))
        with pytest.raises(ValueError, match="^hidden_layer_sizes holds 0"):
            ranker.fit_parquet(path, **NAMES)

    def test_message_where_pyarrow_is_missing(self, tmp_path, monkeypatch):
        path = write(make_table(), tmp_path / "a.parquet")
        # None in sys.modules makes the import statement raise ImportError.
        monkeypatch.setitem(sys.modules, "pyarrow", None)
        with pytest.raises(ImportError, match=r"pip install \"sklearn-pscore\[parquet"):
            quick().fit_parquet(path, **NAMES)

    @pytest.mark.parametrize("argument", ["group", "preference", "weight", "donor"])
    def test_no_column_of_the_target_is_a_feature(self, tmp_path, argument):
        table = make_table().assign(heavy=1.0, outside=False)
        path = write(table, tmp_path / "a.parquet")
        names = {**NAMES, "weight": "heavy", "donor": "outside"}
        message = (
            f"features[1] is {names[argument]!r}, which is the column of {argument}="
        )
        with pytest.raises(ValueError, match=re.escape(message)):
            quick().fit_parquet(path, **names, features=["SSIM", names[argument]])

    @pytest.mark.parametrize(
        ("arguments", "error", "message"),
        [
            (
                {"features": ["SSIM", "FID", "SSIM"]},
                ValueError,
                "'SSIM' at 0 and again",
            ),
            ({"features": []}, ValueError, "features is empty; expected at least one"),
            ({"features": ["SSIM", 3]}, TypeError, "features[1] is 3, of type int"),
            ({"features": {"SSIM"}}, TypeError, "features is {'SSIM'}, of type set"),
            ({"features": 3}, TypeError, "features is 3, of type int; expected a list"),
            ({"features": b"FID"}, TypeError, "features=b'FID' is a bytes; expected"),
            ({"group": None}, TypeError, "group is None, of type NoneType; expected"),
            ({"preference": 3}, TypeError, "Pass a str, for example preference='3'"),
            (
                {"weight": ["FID"]},
                TypeError,
                "weight is ['FID'], of type list; expected",
            ),
            (
                {"rows_at_a_time": 0},
                ValueError,
                "rows_at_a_time is 0; expected at least",
            ),
            ({"rows_at_a_time": -1}, ValueError, "rows_at_a_time is -1; expected at"),
            (
                {"rows_at_a_time": None},
                TypeError,
                "rows_at_a_time is None, of type None",
            ),
            (
                {"rows_at_a_time": 2.5},
                TypeError,
                "rows_at_a_time is 2.5, of type float",
            ),
            (
                {"rows_at_a_time": True},
                TypeError,
                "rows_at_a_time is True, of type bool",
            ),
            ({"path": None}, TypeError, "path is None, of type NoneType; expected the"),
            ({"path": [3]}, TypeError, "path[0] is 3, of type int; expected the path"),
            ({"path": []}, ValueError, "path='[]' holds no *.parquet file"),
        ],
    )
    def test_arguments_are_refused_by_name(self, tmp_path, arguments, error, message):
        path = write(make_table(), tmp_path / "a.parquet")
        with pytest.raises(error, match=re.escape(message)):
            quick().fit_parquet(**{"path": path, **NAMES, **arguments})

    def test_a_file_that_is_named_twice_is_refused(self, tmp_path):
        path = write(make_table(), tmp_path / "a.parquet")
        again = tmp_path / ".." / tmp_path.name / "a.parquet"
        with pytest.raises(ValueError, match="names .* at 0 and again at 1; expected"):
            quick().fit_parquet([path, again], **NAMES)

    @pytest.mark.parametrize("column", ["SSIM", "query"])
    def test_two_columns_of_one_name_are_refused(self, tmp_path, column):
        rows = pa.Table.from_pandas(make_table(), preserve_index=False)
        rows = rows.append_column(column, rows[column])
        pq.write_table(rows, tmp_path / "bad.parquet")
        message = rf"bad.parquet has 2 columns of the name '{column}', which "
        with pytest.raises(ValueError, match=message):
            quick().fit_parquet(tmp_path, **NAMES)
        if column == "SSIM":
            quick(max_epochs=1).fit_parquet(tmp_path, **NAMES, features=["FID"])

    @pytest.mark.parametrize(
        ("column", "values", "message"),
        [
            ("opinion", "4.5", "'opinion', which preference= names, holds .*string"),
            ("heavy", "1", "'heavy', which weight= names, holds .*string"),
            ("query", b"a", "'query', which group= names, holds binary; expected int"),
            ("query", 7, "'query', which group= names, holds int64, but in .*0.parq"),
            ("query", 7.5, "'query', which group= names, holds double, but in .*0.p"),
            ("FID", "1", "'FID' holds .*string; expected numbers in every metric"),
        ],
    )
    def test_the_second_file_is_named(self, tmp_path, column, values, message):
        table = make_table().assign(heavy=1.0)
        write(table, tmp_path / "0.parquet")
        after = table[:1].drop(columns=column).assign(**{column: values})
        write(after, tmp_path / "1.parquet")
        with pytest.raises(ValueError, match=f"1.parquet: column {message}"):
            quick().fit_parquet(tmp_path, **NAMES, weight="heavy")

    def test_a_type_error_in_the_rows_names_the_file(self, tmp_path):
        table = make_table().assign(query=np.repeat(0.5, len(make_table())))
        path = write(table, tmp_path / "a.parquet")
        message = "a.parquet, rows 0 to .* group is 0.5 at row 0; expected integers or"
        with pytest.raises(TypeError, match=message):
            quick().fit_parquet(path, **NAMES)

    def test_one_name_for_features_is_refused(self, tmp_path):
        path = write(make_table(), tmp_path / "a.parquet")
        with pytest.raises(TypeError, match=r"Pass features=\['SSIM'\]"):
            quick().fit_parquet(path, **NAMES, features="SSIM")

    def test_early_stopping_is_refused(self, tmp_path):
        path = write(make_table(), tmp_path / "a.parquet")
        with pytest.raises(ValueError, match="has no validation set"):
            quick(early_stopping=True).fit_parquet(path, **NAMES)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
@pytest.mark.parametrize("largest", [2**53, 2**40])
def test_integers_of_one_file_are_not_rounded_by_floats_of_another(
    order, largest, tmp_path
):
    rng, files = np.random.default_rng(0), []
    for number, preference in enumerate([rng.normal(size=60), np.arange(60) + largest]):
        table = {"a": rng.normal(size=60), "p": preference}
        table["g"] = 10 * number + np.arange(60) // 6
        files.append(tmp_path / f"{number}.parquet")
        pq.write_table(pa.table(table), files[number])
    paths = [files[number] for number in order]
    ranker = quick(max_epochs=1)
    fit = lambda: ranker.fit_parquet(paths, group="g", preference="p")  # noqa: E731
    if largest == 2**40:
        assert fit().n_groups_ == 20
        return
    with pytest.raises(ValueError, match=f"preference is {2**53 + 1} at row"):
        fit()


class TestTies:
    """What ties are is a matter of all rows, not of those of a stretch."""

    def fitted(self, preference, path, sizes=5, **params):
        group = np.repeat(np.arange(40), sizes)
        X = np.random.default_rng(0).normal(size=(len(group), 1))
        table = pd.DataFrame({"query": group, "opinion": preference, "SSIM": X[:, 0]})
        ranker = quick(ties="half", **params)
        return ranker.fit_parquet(write(table, path), **NAMES, rows_at_a_time=20)

    def test_a_stretch_of_single_items_has_none(self, tmp_path):
        sizes = np.repeat([1, 4], 20)
        preference = np.arange(100) % 3
        ranker = self.fitted(preference, tmp_path / "a.parquet", sizes)
        assert ranker.n_pairs_ == 20 * 6

    def test_a_stretch_that_looks_like_winners(self, tmp_path):
        preference = 10.0 * (np.arange(200) % 5 == 1)
        preference[190:] = np.arange(10)
        with pytest.warns(UserWarning, match="In 38 of 40 groups one item has the"):
            ranker = self.fitted(preference, tmp_path / "a.parquet")
        assert ranker.n_pairs_ == 400

    def test_winners_everywhere_are_refused(self, tmp_path):
        preference = 10.0 * (np.arange(200) % 5 == 1)
        with pytest.raises(ValueError, match="every preference is 10 or 0"):
            self.fitted(preference, tmp_path / "a.parquet")

    def test_choices_warn_once(self, tmp_path):
        preference = 1.0 * (np.arange(200) % 5 == 1)
        with pytest.warns(UserWarning, match="one item is above all others") as caught:
            self.fitted(preference, tmp_path / "a.parquet", max_epochs=3)
        assert len(caught) == 1


def test_a_column_of_nothing_but_nulls_is_a_missing_metric(tmp_path):
    """Arrow and pandas write it without a type of number."""
    table = make_table()
    arrow = pa.Table.from_pandas(table)
    nulls = arrow.set_column(2, "FID", pa.nulls(len(table)))
    pq.write_table(nulls, tmp_path / "nulls.parquet")
    write(table.assign(FID=np.nan), tmp_path / "nan.parquet")
    fitted = [
        quick().fit_parquet(tmp_path / name, rows_at_a_time=20, **NAMES)
        for name in ("nulls.parquet", "nan.parquet")
    ]
    assert_array_equal(*(ranker.predict(table[FEATURES]) for ranker in fitted))


def test_a_metric_that_one_file_has_nothing_of(tmp_path):
    table = make_table()
    half = table["query"] < "q030"
    write(table[half].assign(FID=None), tmp_path / "0.parquet")
    write(table[~half], tmp_path / "1.parquet")
    ranker = quick().fit_parquet(tmp_path, rows_at_a_time=20, **NAMES)
    assert np.isfinite(ranker.predict(table[FEATURES])).all()


class TestVotes:
    def test_the_way_is_named(self, tmp_path):
        path = write(make_table(), tmp_path / "a.parquet")
        way = (
            "Call fit(X, Groups.from_votes(votes, items)), or partial_fit with each part "
            "of the rows in turn, of whole groups, and the votes on it."
        )
        message = re.escape(f"expected preferences, for files hold no votes. {way}")
        with pytest.raises(TypeError, match=message):
            quick().fit_parquet(path, group="query", votes=make_table())
        message = re.escape(f'expected "auto", "ignore" or "half". {way}')
        with pytest.raises(ValueError, match=message):
            quick(ties="davidson").fit_parquet(path, **NAMES)

    def test_the_way_works(self):
        table = make_table()
        items = table.rename(columns={"query": "prompt"})
        items["system"] = items.groupby("prompt").cumcount()
        votes = items.merge(items, on="prompt", suffixes=("_a", "_b"))
        votes = votes[votes["system_a"] < votes["system_b"]]
        votes = votes.rename(columns={"system_a": "left", "system_b": "right"})
        votes["winner"] = 1.0 * (votes["opinion_a"] > votes["opinion_b"])
        ranker = quick()
        prompts = np.array_split(items["prompt"].unique(), 3)
        for _ in range(20):
            for part in prompts:
                rows = items[items["prompt"].isin(part)]
                its = votes[votes["prompt"].isin(part)]
                groups = Groups.from_votes(its, rows)
                ranker.partial_fit(rows[FEATURES], groups)
        assert ranker.score(items[FEATURES], Groups.from_votes(votes, items)) > 0.9
