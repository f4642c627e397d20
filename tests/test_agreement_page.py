"""docs/agreement_measures.md: its examples run, and its tables have their rows."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.inspection import ceiling, paired, tables

PAGE = (Path(__file__).parents[1] / "docs" / "agreement_measures.md").read_text("utf-8")


def test_the_examples_run(capsys):
    names = {}
    first, second = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    exec(compile(first, "docs/agreement_measures.md", "exec"), names)
    printed = capsys.readouterr().out
    lines = ["GT", "linear", "x0", "x1", "x2", "noise ceiling", "chance"]
    assert all(f"\n{name} " in printed for name in lines)
    assert "noise ceiling of pairwise_accuracy_score: 0." in printed
    comparison = names["comparison"]
    # The score is better than its best metric, and below the ceiling or near it.
    assert comparison.paired("linear", "x0", "accuracy").mean > 0
    reached = comparison.table().loc["linear", ("accuracy", "mean")]
    assert reached < comparison.ceiling["accuracy"] + 0.03
    exec(compile(second, "docs/agreement_measures.md", "exec"), names)


def test_every_measure_of_the_table_is_there():
    from sklearn_pscore import metrics

    named = set(re.findall(r"`(\w+_score|rmse|epsilon_rmse)`", PAGE))
    assert named
    assert named <= set(metrics.__all__)


@pytest.mark.parametrize("ratings", ["normal", "unequal", "grades"])
def test_the_truth_of_a_case_is_the_mean_of_many_raters(ratings):
    case = ceiling.Case("normal", ratings, 3000)
    groups, truth = case.draw(np.random.default_rng(0))
    assert np.max(np.abs(groups["preference"] - truth)) < 0.15
    row = ceiling.measure(ceiling.Case("normal", ratings, 10), 3)
    assert abs(row["difference"]) < 0.05


def test_a_ceiling_that_is_off_is_told():
    row = ceiling.measure(ceiling.CASES[1], 2)
    off = {**row, "difference": 0.05, "difference_error": 0.001}
    assert ceiling.failures_of(pd.DataFrame([row | {"difference": 0.0}])) == []
    assert ceiling.failures_of(pd.DataFrame([off])) == [
        "normal, normal, 5 raters: the ceiling is off by 0.050"
    ]


def test_tables():
    row = ceiling.measure(ceiling.CASES[0], 2)
    text = tables.ceiling(pd.DataFrame([row]))
    assert text.splitlines()[-1].startswith("| normal | normal | 3 | 0.")
    row = paired.measure(paired.Case(5, True), 3)
    text = tables.paired(pd.DataFrame([row]))
    assert text.splitlines()[-1].startswith("| 5 folds | the slope of one score | ")
    runs = pd.DataFrame(
        {
            "left_out": ["a", "a", "b", "b"],
            "method": "linear",
            "blocks": ["portraits", "none"] * 2,
            "accuracy": [0.5, 0.6, 0.7, 0.9],
        }
    )
    assert tables.new_system(runs).splitlines() == [
        "| left out | linear, blocks: portraits | linear, blocks: none |",
        "| --- | ---: | ---: |",
        "| a | 0.500 | 0.600 |",
        "| b | 0.700 | 0.900 |",
        "| mean | 0.600 | 0.750 |",
    ]
