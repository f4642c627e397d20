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
    "onnx",
    "onnxruntime",
    "skl2onnx",
    "pyarrow",
    "torch",
    "skorch",
    "catboost",
    "matplotlib",
    "polars",
    "lightgbm",
    "xgboost",
    "dask",
    "distributed",
}
# The parts of the package from the top down: each may import those below it that
# it names, and no other. A part is a file or folder of the package root.
ALLOWED = {
    "__init__": {"_version"},
    "__main__": {"_cli", "_interrupt"},
    "_cli": {
        "_experiments",
        "_folders",
        "_interrupt",
        "_onnx",
        "_rankers",
        "_skops_types",
        "_tables",
        "_version",
        "datasets",
        "inspection",
        "metrics",
        "model_selection",
        "plotting",
        "report",
    },
    "_experiments": {
        "_items",
        "_rankers",
        "_target",
        "datasets",
        "metrics",
        "model_selection",
    },
    "report": {
        "_estimators",
        "_folders",
        "_progress",
        "_rankers",
        "_splitters",
        "_target",
        "_version",
        "inspection",
        "metrics",
        "model_selection",
        "plotting",
    },
    "plotting": {
        "_estimators",
        "_rankers",
        "_segments",
        "_splitters",
        "_target",
        "inspection",
        "metrics",
    },
    "inspection": {
        "_estimators",
        "_html",
        "_means",
        "_rankers",
        "_rows",
        "_segments",
        "_splitters",
        "_target",
        "_warn",
        "metrics",
    },
    "model_selection": {
        "_estimators",
        "_html",
        "_progress",
        "_rankers",
        "_splitters",
        "_target",
        "_warn",
        "metrics",
    },
    "datasets": {"_directions", "_estimators", "_folders", "_target"},
    "_onnx": {
        "_folders",
        "_items",
        "_rankers",
        "_target",
        "_version",
        "_warn",
        "metrics",
    },
    "_rankers": {
        "_dask",
        "_directions",
        "_estimators",
        "_items",
        "_means",
        "_progress",
        "_rows",
        "_segments",
        "_splitters",
        "_target",
        "_torch",
        "_version",
        "_warn",
        "metrics",
    },
    "_dask": set(),
    "_splitters": {"_estimators", "_target", "_warn"},
    "_items": {"_estimators", "_means", "_segments", "_target", "_warn"},
    "_estimators": {"_version", "_warn"},
    "metrics": {"_means", "_segments", "_target"},
    "_tables": {"_target"},
    "_target": {"_means", "_rows", "_segments", "_warn"},
    "_directions": set(),
    "_torch": {"_rows", "_segments", "_warn"},
    "_folders": set(),
    "_html": set(),
    "_interrupt": set(),
    "_means": set(),
    "_progress": set(),
    "_rows": set(),
    "_segments": set(),
    "_skops_types": set(),
    "_version": set(),
    "_warn": set(),
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


def test_parts_import_downwards_and_the_table_has_no_stale_row():
    used = {part_of(path): set() for path in FILES}
    for path in FILES:
        for name, _ in imports_of(path):
            if name.startswith("sklearn_pscore."):
                used[part_of(path)].add(name.split(".")[1])
    order = list(ALLOWED)
    assert set(used) == set(order)
    for part, others in used.items():
        assert others - {part} == ALLOWED[part], part
        assert all(order.index(part) < order.index(other) for other in ALLOWED[part])


def test_files_have_no_cycle():
    files = {".".join(path.relative_to(ROOT.parent).parts)[:-3]: path for path in FILES}
    graph = {
        name: {used for used, _ in imports_of(path) if used in files}
        for name, path in files.items()
    }
    assert len(list(TopologicalSorter(graph).static_order())) == len(files)


def test_light_parts_load_no_heavy_library():
    code = (
        "import sys, sklearn_pscore.metrics, sklearn_pscore.datasets, "
        "sklearn_pscore.model_selection, sklearn_pscore.plotting, "
        "sklearn_pscore.inspection\n"
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
