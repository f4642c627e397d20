"""Calls of scikit-learn, each as docs/compatibility.md says it is, to the value."""

import pandas as pd
import pytest

from benchmarks.compatibility import tables
from benchmarks.compatibility.areas import AREAS, LIGHT
from benchmarks.compatibility.check import (
    GUIDED,
    OUTCOMES,
    WORKS,
    Checks,
    refusal,
    warning,
)
from benchmarks.compatibility.run import judged
from benchmarks.shared import results


@pytest.mark.parametrize(
    "check",
    [check for checks in LIGHT for check in checks],
    ids=lambda check: check.run.__name__,
)
def test_the_call_does_what_the_table_says(check):
    assert judged(check) == ""


def test_every_call_has_one_line():
    checks = [check for checks in AREAS for check in checks]
    for check in checks:
        assert check.outcome in OUTCOMES
        assert "|" not in check.call + check.note
        assert "\n" not in check.call + check.note
    assert len({(check.area, check.call) for check in checks}) == len(checks)


class TestJudge:
    @pytest.fixture
    def checks(self):
        return Checks("an area")

    def test_a_check_that_holds(self, checks):
        checks.works("f()", "a note")(lambda: None)
        assert checks[0].call == "f()"
        assert judged(checks[0]) == ""

    def test_a_value_that_differs(self, checks):
        def run():
            assert 1 + 1 == 3, "two is not three"

        checks.works("f()")(run)
        assert judged(checks[0]).startswith("AssertionError: two is not three")

    def test_a_warning_of_scikit_learn_is_a_fault(self):
        import warnings

        checks = Checks("scikit-learn: an area")
        checks.works("f()")(lambda: warnings.warn("old", FutureWarning, stacklevel=1))
        assert judged(checks[0]) == "FutureWarning: old"

    def test_refusals(self):
        with refusal(ValueError, "wrong", "do this"):
            raise ValueError("it is wrong; do this")
        with (
            pytest.raises(AssertionError, match="no ValueError was raised"),
            refusal(ValueError, "wrong"),
        ):
            pass
        with (
            pytest.raises(AssertionError, match="'do that' is not in"),
            refusal(ValueError, "wrong", "do that"),
        ):
            raise ValueError("it is wrong; do this")
        with pytest.raises(KeyError), refusal(ValueError, "wrong"):
            raise KeyError("wrong")

    def test_warnings(self):
        import warnings

        with warning("cut", "do this"):
            warnings.warn("another", stacklevel=1)
            warnings.warn("it is cut; do this", stacklevel=1)
        with (
            pytest.raises(AssertionError, match="no warning was given"),
            warning("cut"),
        ):
            pass


def test_tables_of_rows():
    rows = pd.DataFrame(
        [
            ["scikit-learn: a part", "f(x)", WORKS, "a note", None, None],
            ["scikit-learn: a part", "g(x)", GUIDED, "say so", "ValueError: 3", None],
            ["a tool", "h(x)", WORKS, None, None, "a-tool 1.2"],
        ],
        columns=["area", "call", "outcome", "note", "fault", "tool"],
    )
    counted = tables.counts(rows).splitlines()
    assert counted[2] == "| scikit-learn: a part | 2 | 1 | 0 | 0 | 0 | 1 |"
    assert counted[-1] == "| all | 3 | 2 | 0 | 0 | 0 | 1 |"
    text = tables.scikit_learn(rows)
    assert "### A part" in text
    assert "| `f(x)` | works | a note |" in text
    assert "| `g(x)` | **fault**: ValueError: 3 | say so |" in text
    assert "h(x)" not in text
    assert "### a tool\n\na-tool 1.2\n" in tables.tools(rows)


def test_the_page_has_a_line_for_every_call():
    rows = pd.read_csv(results.RESULTS / "compatibility.csv")
    checks = [check for checks in AREAS for check in checks]
    expected = {(c.area, c.call, c.outcome, c.note) for c in checks}
    columns = (rows["area"], rows["call"], rows["outcome"], rows["note"].fillna(""))
    assert set(zip(*columns, strict=True)) == expected
    assert rows["fault"].isna().all()
