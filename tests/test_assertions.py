"""Every test asserts something."""

import ast
import re
from pathlib import Path

import pytest

# Calls that can fail a test, beside `assert` itself.
CHECK = re.compile(r"(assert|check)\w*|raises|warns")


def asserts(function):
    """Tell whether an assertion stands anywhere in the syntax tree of a function."""
    for node in ast.walk(function):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if CHECK.fullmatch(name):
                return True
        elif isinstance(node, ast.Assert):
            return True
    return False


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("assert fit() == 1", True),
        ("assert_allclose(fit(), 1)", True),
        ("with pytest.raises(ValueError): fit()", True),
        ("for _ in range(3): check_batch(fit())", True),
        ("fit()", False),
        ("fit().raised = 'assert'", False),
    ],
)
def test_assertions_are_told_from_other_code(code, expected):
    assert asserts(ast.parse(code)) is expected


@pytest.mark.parametrize(
    "path", sorted(Path(__file__).parent.glob("test_*.py")), ids=lambda path: path.stem
)
def test_every_test_asserts(path):
    tests = [
        node
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    ]
    assert [test.name for test in tests if not asserts(test)] == []
