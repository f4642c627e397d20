"""Tables of files: what is read and written, and what is said of other files."""

import json
import sys
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from cli_cases import hand_made
from numpy.testing import assert_array_equal

from sklearn_pscore._tables.endings import ENDINGS
from sklearn_pscore._tables.files import read_table, write_table

FRAME = pd.DataFrame(
    {
        "name": ["a,b", 'say "x"', "two\nlines", "<b>ä</b>", "007"],
        "value": [1.5, np.nan, -2e-300, 1 / 3, 1e22],
        "whole": [1, 2, 3, 4, 5],
        "flag": [True, False, True, True, False],
    }
)


@pytest.mark.parametrize("ending", ENDINGS)
def test_what_is_written_is_read(tmp_path, ending):
    path = tmp_path / f"table{ending.upper()}"
    write_table(FRAME, path)
    table = read_table(path)
    assert table.names == list(FRAME)
    assert table.labels("name", "--group").tolist() == FRAME["name"].tolist()
    for name in ("value", "whole", "flag"):
        assert_array_equal(table.numbers(name), FRAME[name].astype(float))
    assert table.numbers("name") is None
    typed = table.typed()
    assert typed["name"].tolist() == FRAME["name"].tolist()
    assert_array_equal(typed["value"], FRAME["value"])


def test_polars_reads_and_writes_parquet_without_pyarrow(tmp_path, monkeypatch):
    pytest.importorskip("polars")
    path = tmp_path / "table.parquet"
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    write_table(FRAME, path)
    table = read_table(path)
    assert table.labels("name", "--group").tolist() == FRAME["name"].tolist()
    assert_array_equal(table.numbers("value"), FRAME["value"])
    monkeypatch.setitem(sys.modules, "polars", None)
    for work in (lambda: read_table(path), lambda: write_table(FRAME, path)):
        with pytest.raises(
            ImportError, match=r"pip install \"sklearn-pscore\[parquet\]"
        ):
            work()


def test_a_table_that_polars_wrote(tmp_path):
    polars = pytest.importorskip("polars")
    polars.DataFrame(FRAME.to_dict("list")).write_csv(tmp_path / "t.csv")
    polars.DataFrame(FRAME.to_dict("list")).write_ndjson(tmp_path / "t.ndjson")
    for name in ("t.csv", "t.ndjson"):
        table = read_table(tmp_path / name)
        assert_array_equal(table.numbers("value"), FRAME["value"])
        assert_array_equal(table.numbers("flag"), FRAME["flag"].astype(float))


def test_numbers_are_those_of_pandas(tmp_path):
    text = "a,b,c,d\n1,NA,true,x\n 2.5 ,,False,\n1e3,nan,,1\n"
    (tmp_path / "t.csv").write_text(text)
    table, frame = read_table(tmp_path / "t.csv"), pd.read_csv(tmp_path / "t.csv")
    assert_array_equal(table.numbers("a"), frame["a"])
    assert np.isnan(table.numbers("b")).all()
    assert_array_equal(table.numbers("c"), [1, 0, np.nan])
    assert table.numbers("d") is None
    assert_array_equal(table.feature("d").isna(), frame["d"].isna())
    (tmp_path / "odd.csv").write_text("a,b\n1_0,0x1\n")
    odd = read_table(tmp_path / "odd.csv")
    assert odd.numbers("a") is odd.numbers("b") is None


def test_numbers_of_objects(tmp_path):
    records = [{"a": 1, "b": None}, {"a": 2.5, "c": [1], "d": "x"}]
    (tmp_path / "t.jsonl").write_text("\n\n".join(map(json.dumps, records)))
    table = read_table(tmp_path / "t.jsonl")
    assert table.numbers("a").tolist() == [1, 2.5]
    assert np.isnan(table.numbers("b")).all()
    assert table.numbers("c") is table.numbers("d") is None
    frame = pd.DataFrame({"price": [Decimal("1.5"), None]})
    frame["day"] = pd.to_datetime(["2026-01-01", None])
    frame["count"] = pd.array([1, None], dtype="Int64")
    frame.to_parquet(tmp_path / "t.parquet")
    table = read_table(tmp_path / "t.parquet")
    assert_array_equal(table.numbers("price"), [1.5, np.nan])
    assert_array_equal(table.numbers("count"), [1, np.nan])
    assert table.numbers("day") is None
    out = tmp_path / "out.jsonl"
    write_table(table.frame.assign(infinite=np.inf), out)
    first, second = map(json.loads, out.read_text().splitlines())
    assert first["day"].startswith("2026-01-01")
    assert second == {"price": None, "day": None, "count": None, "infinite": None}


def test_a_byte_order_mark_is_no_name(tmp_path):
    (tmp_path / "t.csv").write_text('"a,x",b\n1,2\n', encoding="utf-8-sig")
    table = read_table(tmp_path / "t.csv")
    assert table.names == ["a,x", "b"]
    assert table.numbers("a,x").tolist() == [1]


COMMA = "prompt;mos;fid\np1;3,5;1,0\np2;4,0;2,0\n"
REFUSED = {
    "empty": ("t.csv", b"", "TABLE '{path}' is empty; expected a line with the names"),
    "blank": ("t.tsv", b"\n \n", "is empty; expected a line with the names"),
    "no rows": ("t.csv", b"a,b\n", "TABLE '{path}' has no rows; expected at least one"),
    "empty lines": ("t.jsonl", b"", "is empty; expected one JSON object per line"),
    "semicolons": (
        "t.csv",
        b"prompt;mos;fid\np1;3.5;1\n",
        "has one column, 'prompt;mos;fid', which ';' would part into 3; expected columns "
        "parted by ',' in a .csv file. Write it anew with: python -c 'import pandas; "
        """pandas.read_csv('"'"'{path}'"'"', sep='"'"';'"'"').to_csv(""",
    ),
    "decimal commas": ("t.csv", COMMA.encode(), """decimal='"'"','"'"').to_csv("""),
    "tabs": ("t.csv", b"a\tb\n1\t2\n", "which tabs would part into 2"),
    "commas": ("t.tsv", b"a,b\n1,2\n", "expected columns parted by tabs in a .tsv"),
    "latin": (
        "t.csv",
        "a,b\n1,2\n3,caf\u00e9\n".encode("latin-1"),
        "is not UTF-8: it has the byte 0xe9 in line 3; expected text in UTF-8. If it is "
        "latin-1, write it anew with: python -c 'import pandas; pandas.read_csv(",
    ),
    "utf-16": (
        "t.csv",
        "a,b\n1,2\n".encode("utf-16"),
        "If it is utf-16, write it anew",
    ),
    "utf-16 without a mark": (
        "t.csv",
        "a,b\n1,2\n".encode("utf-16-le"),
        "it has bytes of zero, as UTF-16 has",
    ),
    "a spreadsheet": ("t.csv", b"PK\x03\x04\0\0\xff", "is an archive or a spreadsheet"),
    "a comma too many": (
        "t.csv",
        b"a,b\n1,2\n3,5,7\n",
        "has 3 columns in line 3; expected 2, as in the first line. Put quotes around",
    ),
    "an open quote": ("t.csv", b'a,b\n1,"2\n', "Look for a quote that is not closed"),
    "twice": ("t.csv", b"a,b,a\n1,2,3\n", "has two columns 'a'; expected one of each"),
    "twice in JSON": ("t.jsonl", b'{"a": 1, "a": 2}', "it has two columns 'a'"),
    "a list": ("t.jsonl", b'[{"a": 1}]', "cannot be read in line 1: it is no object"),
    "half a line": (
        "t.jsonl",
        b'{"a": 1}\n{"a"',
        "cannot be read in line 2: Expecting",
    ),
    "latin JSON": ("t.jsonl", b'{"a": "\xe9"}', "is not UTF-8"),
    "no parquet": ("t.parquet", b"a,b\n1,2\n", "TABLE '{path}' cannot be read: "),
    "another ending": ("t.xlsx", b"", "expected a file that ends in one of .csv, .tsv"),
}


@pytest.mark.parametrize(("name", "content", "message"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_table_is_told(tmp_path, name, content, message):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ValueError, match="expected") as caught:
        read_table(path)
    assert message.format(path=path) in str(caught.value)


def test_the_command_that_is_told_mends_the_table(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for content in (COMMA.encode(), "prompt,mos,fid\np\u00e9,3,1\n".encode("latin-1")):
        (tmp_path / "it's.csv").write_bytes(content)
        with pytest.raises(ValueError, match="anew with") as caught:
            read_table(tmp_path / "it's.csv")
        import shlex

        _, code = shlex.split(str(caught.value).rpartition("anew with: python ")[2])
        exec(code)
        table = read_table(tmp_path / "mended-it's.csv")
        assert table.names == ["prompt", "mos", "fid"]
        assert table.numbers("mos")[0] in (3.5, 3)


def test_a_hand_made_table_in_all_kinds(tmp_path):
    frame = hand_made()
    for ending in ENDINGS:
        write_table(frame, tmp_path / f"t{ending}")
        table = read_table(tmp_path / f"t{ending}")
        assert table.labels("team", "--item").tolist() == frame["team"].tolist()
        assert_array_equal(table.numbers("fid"), frame["fid"])


class TestFolder:
    """A folder of Parquet files, as Dask and Spark write them, is one table."""

    @pytest.fixture
    def folder(self, tmp_path):
        folder = tmp_path / "judged.parquet"
        folder.mkdir()
        (folder / "_SUCCESS").touch()
        return folder

    @staticmethod
    def write(folder, *frames):
        for number, frame in enumerate(frames):
            frame.to_parquet(folder / f"part-{number:05}.parquet")

    def test_its_rows_are_those_of_the_files_in_order(self, folder):
        shuffled = FRAME[3:][list(FRAME)[::-1]]
        self.write(folder, FRAME[:2], FRAME[:0], FRAME[2:3], shuffled)
        table = read_table(folder)
        assert table.names == list(FRAME)
        assert table.name == f"TABLE {str(folder)!r}"
        pd.testing.assert_frame_equal(table.frame, FRAME, check_dtype=False)

    @pytest.mark.parametrize(
        ("column", "first", "second", "expected"),
        [
            ("value", [1, 2], [0.5, np.nan], [1.0, 2.0, 0.5, np.nan]),
            ("value", np.array([1, 2], "i1"), [300, 4], [1, 2, 300, 4]),
            ("value", [None, None], [0.5, 1.5], [np.nan, np.nan, 0.5, 1.5]),
            ("value", [True, False], [0.5, 1.5], [1.0, 0.0, 0.5, 1.5]),
            ("value", [None, None], [np.nan, np.nan], [np.nan] * 4),
        ],
    )
    def test_numbers_of_two_kinds(self, folder, column, first, second, expected):
        parts = [pd.DataFrame({column: values}) for values in (first, second)]
        self.write(folder, *parts)
        assert_array_equal(read_table(folder).numbers(column), expected)

    def test_labels_of_two_kinds(self, folder):
        text = pd.DataFrame({"name": ["a", "b"], "whole": np.array([1, 2], "i1")})
        other = pd.DataFrame({"name": pd.Categorical(["c", "a"]), "whole": [3, 2**40]})
        none = pd.DataFrame({"name": [None], "whole": [4]})
        self.write(folder, text, other)
        table = read_table(folder)
        assert table.labels("name", "--group").tolist() == ["a", "b", "c", "a"]
        assert table.labels("whole", "--group").tolist() == [1, 2, 3, 2**40]
        self.write(folder, text, other, none)
        with pytest.raises(ValueError, match="empty in 1 of the 5 rows of TABLE"):
            read_table(folder).labels("name", "--group")

    def test_what_is_no_table(self, folder):
        with pytest.raises(
            ValueError, match=r"a folder without a \*.parquet file; exp"
        ):
            read_table(folder, "--votes")
        self.write(folder, FRAME[:0], FRAME[:0])
        with pytest.raises(ValueError, match=r"judged.parquet' has no rows; expected"):
            read_table(folder)
        self.write(folder, FRAME, FRAME.drop(columns="flag"))
        message = (
            r"part-00001.parquet has no column 'flag', which part-00000.parquet has; "
            "expected the columns of one table in each file"
        )
        with pytest.raises(ValueError, match=message):
            read_table(folder)
        self.write(folder, FRAME, FRAME.assign(more=1))
        message = "part-00000.parquet has no column 'more', which part-00001.parquet"
        with pytest.raises(ValueError, match=message):
            read_table(folder)
        self.write(folder, FRAME, FRAME.assign(value="text"))
        message = (
            "column 'value' holds text in part-00001.parquet and numbers in part-00000"
        )
        with pytest.raises(ValueError, match=message):
            read_table(folder)
        (folder / "part-00001.parquet").write_bytes(b"no table")
        with pytest.raises(
            ValueError, match=r"TABLE .*part-00001.parquet' cannot be re"
        ):
            read_table(folder)
