"""Odd inputs: a small draw of them, and the judge that tells faults."""

import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from benchmarks.reliability import reference, tables
from benchmarks.reliability.case import Case, Meaningless
from benchmarks.reliability.judge import judge, same
from benchmarks.reliability.odd_inputs import faults_of, judged

# Numbers of the cases: a stretch of the 10,000 of seed 0, whose rows are committed.
N_CASES = 300


def refuse(message="k is -3; expected at least 1. Pass k=1.", kind=ValueError):
    raise kind(message)


def meaningless():
    raise Meaningless


HANDLED = Case("f", "value", "k=-3", lambda: 1.0, lambda: 1.0, ("k",), (-3,))
REFUSED = replace(HANDLED, call=refuse, reference=meaningless)


def test_a_stretch_of_odd_inputs_has_no_fault():
    assert faults_of(judged(0, range(N_CASES))) == []


def test_a_case_is_the_same_by_its_number():
    one_by_one = pd.concat([judged(1, [number]) for number in (8, 5)])
    together = judged(1, range(5, 9)).iloc[[3, 0]]
    pd.testing.assert_frame_equal(
        one_by_one.reset_index(drop=True), together.reset_index(drop=True)
    )


def test_a_right_result_and_a_good_error_are_no_faults():
    verdict = judge(HANDLED)
    assert (verdict.outcome, verdict.fault) == ("handled", "")
    verdict = judge(REFUSED)
    assert (verdict.outcome, verdict.fault) == ("refused", "")


@pytest.mark.parametrize(
    ("message", "fault"),
    [
        ("it is -3; expected at least 1. Pass 1.", "the message names no argument"),
        ("k is bad; expected at least 1. Pass k=1.", "the message shows no value"),
        ("k is -3", "the message has no remedy"),
        ("k is -3; expected at least 1." + "." * 1000, "the message is too long"),
    ],
)
def test_a_poor_message_is_a_fault(message, fault):
    assert judge(replace(REFUSED, call=lambda: refuse(message))).fault == fault


@pytest.mark.parametrize("kind", [KeyError, IndexError, OverflowError, RuntimeError])
def test_a_bare_error_is_a_fault(kind):
    verdict = judge(replace(REFUSED, call=lambda: refuse(kind=kind)))
    assert verdict.fault.startswith(f"bare {kind.__name__}")


def test_silence_is_a_fault_and_a_warning_is_not():
    assert judge(replace(HANDLED, call=lambda: 2.0)).fault == "silent: unlike reference"
    accepted = replace(HANDLED, reference=meaningless)
    assert judge(accepted).fault == "silent: it has no meaning"

    def warn():
        warnings.warn("k is -3", UserWarning, stacklevel=1)

    assert judge(replace(accepted, call=warn)).outcome == "warned"
    foreign = replace(HANDLED, call=lambda: np.float64(1.0) / np.float64(0.0))
    assert judge(foreign).fault == "warning of a library: RuntimeWarning"


def test_a_refusal_of_what_must_be_handled_is_a_fault():
    case = replace(HANDLED, call=refuse, must_handle=True)
    assert judge(case).fault == "refused, though it has a meaning"


def test_whatever_a_call_leaves_changed_is_a_fault():
    values, state = np.zeros(3), [1]

    def spoil():
        values[0] = -3
        return 1.0

    case = replace(HANDLED, call=spoil, passed=(values,))
    assert judge(case).fault == "the caller's values were changed"

    def forget():
        state.append(2)
        refuse()

    case = replace(REFUSED, call=forget, state=lambda: list(state))
    assert judge(case).fault == "a refused call changed the estimator"
    spoilt = {
        "numpy's generator": lambda: np.random.seed(3),  # noqa: NPY002
        "torch's generator": lambda: torch.manual_seed(3),
    }
    for name, call in spoilt.items():
        case = replace(HANDLED, call=call, reference=lambda: None)
        assert name in judge(replace(case, reference=call)).fault


@pytest.mark.parametrize(
    ("result", "expected", "is_same"),
    [
        (float("nan"), float("nan"), True),
        (np.array([1.0, np.nan]), np.array([1.0, np.nan]), True),
        (np.array([1.0]), np.array([1.0 + 1e-12]), False),
        ([1, "a"], [1, "a"], True),
        ([2**53], [2**53 + 1], False),
        ({"a": [1.0]}, {"a": [1.0]}, True),
        ({"a": [1.0]}, {"b": [1.0]}, False),
    ],
)
def test_same_is_to_the_last_bit(result, expected, is_same):
    assert same(result, expected) is is_same


def test_the_reference_by_hand():
    target = {"group": ["a", "a", "b", "b", "b"], "preference": [1, 0, 5, 4, 3]}
    scores = [0.9, 0.1, 0.5, 0.5, 0.2]
    value = reference.metric_value("reciprocal_rank_score", target, scores)
    assert value == (1 + (1 + 1 / 2) / 2) / 2
    value = reference.metric_value("pairwise_accuracy_score", target, scores)
    assert value == pytest.approx((1 + 2.5 / 3) / 2)
    assert reference.ranks(target, scores) == [1, 2, 1.5, 1.5, 3]
    nan = float("nan")
    X = [[1, 7], [nan, 7], [3, 7], [5, 9]]
    assert reference.rank_sums(X, [0, 0, 0, 1]) == [1 + 1, 0.5 + 1, 0 + 1, 0]
    assert reference.top_counts(X, [0, 0, 0, 1]) == [1, 1, 2, 2]
    assert reference.rank_sums([[nan], [nan]], [0, 0]) == [0, 0]
    assert reference.top_counts([[nan], [nan]], [0, 0]) == [0, 0]
    with pytest.raises(Meaningless):
        reference.metric_value("dcg_score", {**target, "preference": [1] * 5}, scores)


def test_the_tables_count_every_row_once():
    rows = pd.DataFrame(
        {
            "kind": ["value", "value", "dtype"],
            "surface": ["f", "g", "f"],
            "outcome": ["refused", "handled", "handled"],
            "fault": [None, "silent: unlike reference", None],
        }
    )
    expected = [
        "| kind | cases | refused | handled | warned | fault |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
        "| dtype | 1 | 0 | 1 | 0 | 0 |",
        "| value | 2 | 1 | 0 | 0 | 1 |",
        "| all | 3 | 1 | 1 | 0 | 1 |",
    ]
    assert tables.by_kind(rows).splitlines() == expected
    assert tables.by_surface(rows).splitlines()[-1] == "| all | 3 | 1 | 1 | 0 | 1 |"
