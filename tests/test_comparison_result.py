"""The result of a comparison: its tables and paired differences."""

import re
from dataclasses import FrozenInstanceError

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from pandas.testing import assert_frame_equal

from sklearn_pscore.model_selection import RankerComparison

# Two methods in two folds: one with two seeds, one without.
ROWS = pd.DataFrame(
    {
        "method": ["GT"] * 2 + ["PS"] * 4 + ["RS"] * 2,
        "seed": pd.array([None, None, 5, 5, 7, 7, None, None], dtype="Int64"),
        "fold": [0, 1] * 4,
        "DCG": [9.0, 9.0, 1.0, 2.0, 3.0, 8.0, 1.0, 3.0],
        "fit_seconds": 0.0,
    }
)
COMPARISON = RankerComparison(ROWS, ("DCG",), "GT", "fold")

TABLES = {
    # PS by seed: (1 + 2) / 2, (3 + 8) / 2; by fold: (1 + 3) / 2, (2 + 8) / 2.
    "seed": {"GT": (9, 0), "PS": (3.5, (5.5 - 1.5) / 2), "RS": (2, 0)},
    "fold": {"GT": (9, 0), "PS": (3.5, (5.0 - 2.0) / 2), "RS": (2, 1)},
}


@pytest.mark.parametrize("over", TABLES)
def test_table_takes_the_spread_over_seeds_or_folds(over):
    table = COMPARISON.table(over=over)
    assert list(table.index) == list(TABLES[over])
    assert list(table.columns) == [("DCG", "mean"), ("DCG", "std")]
    assert_allclose(table.to_numpy(), list(TABLES[over].values()))


def test_table_takes_the_default_of_the_comparison():
    assert_frame_equal(COMPARISON.table(), COMPARISON.table(over="fold"))
    by_seed = RankerComparison(ROWS, ("DCG",), "GT", "seed")
    assert_frame_equal(by_seed.table(), COMPARISON.table(over="seed"))


T1 = 12.706204736432095
"""Student's t of one degree of freedom, for 95 %."""

PAIRS = {
    # Folds: 2 - 1 and 5 - 3. Two folds train on as many rows as they hold out.
    ("PS", "RS", "fold"): (1.5, np.std([1, 2], ddof=1) * np.sqrt(1 / 2 + 1), 2),
    ("RS", "PS", "fold"): (-1.5, np.std([1, 2], ddof=1) * np.sqrt(1 / 2 + 1), 2),
    # Seeds: 1.5 - 2 and 5.5 - 2, the method without a seed against both.
    ("PS", "RS", "seed"): (1.5, np.std([-0.5, 3.5], ddof=1) / np.sqrt(2), 2),
    ("GT", "RS", "seed"): (7.0, np.nan, 1),
}


@pytest.mark.parametrize(("names", "expected"), PAIRS.items(), ids=str)
def test_paired_difference(names, expected):
    method, other, over = names
    difference = COMPARISON.paired(method, other, "DCG", over=over)
    assert_allclose(difference[:3], expected)
    mean, error, n_runs = expected
    assert (difference.mean, difference.n_runs) == (mean, n_runs)
    assert_allclose(difference[3:5], [mean - T1 * error, mean + T1 * error])
    words = {"fold": "training and test rows", "seed": "seeds on these rows"}
    assert difference.interval_of == words[over]


def test_a_missing_score_is_not_hidden():
    rows = ROWS.assign(DCG=ROWS["DCG"].where(ROWS.index != 3))
    comparison = RankerComparison(rows, ("DCG",), "GT", "fold")
    assert_array_equal(comparison.table()["DCG", "mean"].isna(), [False, True, False])
    assert np.isnan(comparison.paired("PS", "RS", "DCG").mean)
    cells = comparison.formatted()["DCG"]
    assert cells.tolist() == ["9.000 ± 0.000", "nan (1 of 4 missing)", "2.000 ± 1.000"]
    assert "| PS | nan (1 of 4 missing) |" in comparison.to_markdown()


def test_formatted_and_markdown():
    rows = ROWS.assign(MRR=0.5)
    comparison = RankerComparison(rows, ("DCG", "MRR"), "GT", "fold")
    cells = comparison.formatted(over="seed", decimals=2)
    assert cells.loc["PS"].tolist() == ["3.50 ± 2.00", "0.50 ± 0.00"]
    assert comparison.formatted().loc["PS", "DCG"] == "3.500 ± 1.500"
    assert comparison.to_markdown(decimals=1) == (
        "| method | DCG | MRR |\n"
        "| --- | ---: | ---: |\n"
        "| GT | 9.0 ± 0.0 | 0.5 ± 0.0 |\n"
        "| PS | 3.5 ± 1.5 | 0.5 ± 0.0 |\n"
        "| RS | 2.0 ± 1.0 | 0.5 ± 0.0 |"
    )


def test_the_result_is_frozen_and_prints_short():
    with pytest.raises(FrozenInstanceError):
        COMPARISON.truth = None
    assert repr(COMPARISON) == (
        "RankerComparison(metrics=('DCG',), truth='GT', over='fold')"
    )


BAD_NAMES = {
    "metric": (("PS", "RS", "MRR"), "metric is 'MRR'; expected one of ['DCG']"),
    "method": (
        ("DT", "RS", "DCG"),
        "method is 'DT'; expected one of ['GT', 'PS', 'RS']",
    ),
    "other": (("PS", "DT", "DCG"), "other is 'DT'; expected one of ['GT', 'PS', 'RS']"),
}


@pytest.mark.parametrize(("names", "message"), BAD_NAMES.values(), ids=BAD_NAMES)
def test_unknown_names_in_paired(names, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        COMPARISON.paired(*names)


def test_unknown_spread():
    message = "over is 'run'; expected one of ['seed', 'fold']"
    with pytest.raises(ValueError, match=re.escape(message)):
        COMPARISON.table(over="run")


def test_a_single_run_shows_no_spread_and_prints_its_table():
    rows = ROWS.assign(MRR=0.5)
    comparison = RankerComparison(rows, ("DCG", "MRR"), "GT", "seed")
    assert comparison.n_runs().to_dict() == {"GT": 1, "PS": 2, "RS": 1}
    assert comparison.formatted(decimals=1).loc["GT"].tolist() == ["9.0", "0.5"]
    assert str(comparison) == comparison.formatted().to_string()


def test_html_of_a_notebook():
    long = (
        "a name of more than fifty letters, of which none is to be cut off by anyone "
        * 2
    )
    names = {"PS": "<b>PS</b> & 'ours'", "RS": long}
    rows = ROWS.replace({"method": names}).rename(columns={"DCG": "<i>DCG</i>"})
    comparison = RankerComparison(rows, ("<i>DCG</i>",), "GT", "fold")
    html = comparison._repr_html_()
    for tag in ("<b>", "<i>"):
        assert tag not in html
    for text in ("&lt;b&gt;PS&lt;/b&gt; &amp;", "&lt;i&gt;DCG&lt;/i&gt;", long.strip()):
        assert text in html
    assert "3.500 ± 1.500" in html
    assert "<th>method</th>" in html
    first, *_, last = html.splitlines()
    assert first == (
        "<p>Comparison of 3 methods on the rows held out; mean ± standard deviation over "
        "2 folds</p>"
    )
    assert last.startswith("<p>Larger is better. ")


def test_html_of_single_runs_and_bounds():
    rows = ROWS[ROWS["fold"] == 0]
    comparison = RankerComparison(rows, ("DCG",), "GT", "fold", chance={"DCG": 0.25})
    html = comparison._repr_html_()
    assert html.startswith("<p>Comparison of 3 methods on the rows held out</p>")
    assert "chance" in html
    assert "0.250" in html
