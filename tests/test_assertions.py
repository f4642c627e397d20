"""Every test checks something."""

import ast
import re
from pathlib import Path

import pytest

CHECKS = re.compile(r"assert_\w+|_?check\w*|raises|warns|fail")
TESTS = {
    f"{path.name}::{node.name}": node
    for path in sorted(Path(__file__).parent.glob("test_*.py"))
    for node in ast.walk(ast.parse(path.read_text()))
    if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
}


def name_of_call(node):
    return node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id


def is_check(node):
    if isinstance(node, ast.Call):
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        return CHECKS.fullmatch(name) is not None
    return isinstance(node, ast.Assert)


@pytest.mark.parametrize("name", TESTS)
def test_every_test_asserts(name):
    assert any(map(is_check, ast.walk(TESTS[name])))
