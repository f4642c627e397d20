"""Who may import whom, read from the source, and what an import costs."""

import ast
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import sklearn_pscore

ROOT = Path(sklearn_pscore.__file__).parent
HEAVY = {
    "pyarrow",
    "torch",
    "skorch",
    "catboost",
    "matplotlib",
    "polars",
    "lightgbm",
    "xgboost",
}
ESTIMATORS = {"_ranker", "_augmenter", "_baselines", "_levels"}
# What each part may import of the package; a part is a top-level file or folder.
ALLOWED = {
    "__init__": set(),
    "__main__": {"_experiments", "plotting"},
    "_augmenter": {"_carrier", "_groups", "_state", "_synthetic", "_target"},
    "_baselines": {"_placing", "_state"},
    "_carrier": set(),
    "_directions": set(),
    "_experiments": {
        *ESTIMATORS,
        "_groups",
        "datasets",
        "metrics",
        "model_selection",
    },
    "_fields": set(),
    "_gains": set(),
    "_groups": {"_fields", "_target"},
    "_items": set(),
    "_levels": {"_mixin", "_state", "_target"},
    "_mixin": {"_target", "metrics"},
    "_parquet": set(),
    "_placing": {"_directions", "_mixin", "_target", "metrics"},
    "_ranker": {
        "_carrier",
        "_items",
        "_mixin",
        "_settings",
        "_state",
        "_streaming",
        "_target",
        "_torch",
        "_training",
        "metrics",
    },
    "_settings": set(),
    "_state": set(),
    "_streaming": {"_groups", "_parquet", "_settings", "_state", "_training"},
    "_synthetic": {"_items"},
    "_target": {"_fields"},
    "_torch": set(),
    "_training": {"_gains", "_settings", "_torch"},
    "datasets": {"_directions", "_groups"},
    "metrics": {"_groups", "_target"},
    "model_selection": {"_fields", "_target", "metrics"},
    "plotting": set(),
}


def part_of(path):
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imports_of(path):
    """Return (imported module, whether at the top of the file) pairs."""
    tree = ast.parse(path.read_text())
    top = {id(node) for node in tree.body}
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} has a relative import"
            names = [node.module]
        else:
            continue
        found += [(name, id(node) in top) for name in names]
    return found


FILES = sorted(ROOT.rglob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_are_in_the_table(path):
    part = part_of(path)
    for name, is_top in imports_of(path):
        head, *rest = name.split(".")
        if head == "sklearn_pscore":
            assert rest, f"{path} imports the package root"
            assert rest[0] in ALLOWED[part] | {part}, f"{path} imports {name}"
        if head in {"torch", "skorch"}:
            assert part == "_torch", f"{path} imports {name}"
        elif head in HEAVY:
            assert not is_top, f"{path} imports {name} at the top"


def test_parts_have_no_cycle_and_the_table_no_stale_row():
    used = {part_of(path): set() for path in FILES}
    for path in FILES:
        for name, _ in imports_of(path):
            if name.startswith("sklearn_pscore."):
                used[part_of(path)].add(name.split(".")[1])
    for part, others in used.items():
        assert others - {part} == ALLOWED[part], part
    order = list(TopologicalSorter(ALLOWED).static_order())
    assert order.index("_ranker") < order.index("_experiments")


def test_light_parts_load_no_heavy_library():
    code = (
        "import sys, sklearn_pscore.metrics, sklearn_pscore.datasets, "
        "sklearn_pscore.model_selection, sklearn_pscore.plotting\n"
        "from sklearn_pscore import Groups\n"
        # pandas loads pyarrow by itself.
        f"print(sorted(sys.modules.keys() & {HEAVY - {'pyarrow'}!r}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_public_names_load():
    for name in sklearn_pscore.__all__:
        assert getattr(sklearn_pscore, name) is not None
    assert set(sklearn_pscore.__all__) <= set(dir(sklearn_pscore))
    with pytest.raises(AttributeError, match="no attribute 'Ranker'"):
        sklearn_pscore.Ranker  # noqa: B018
