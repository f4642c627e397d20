"""pyproject.toml agrees with the files beside it."""

import contextlib
import re
import tomllib
from importlib import import_module
from pathlib import Path

import pytest

import sklearn_pscore

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
PACKAGE = Path(sklearn_pscore.__file__).parent


def pins(file):
    """Return the version of each package that a constraints file pins."""
    lines = (ROOT / file).read_text().splitlines()
    return dict(line.split("==") for line in lines if not line.startswith("#"))


def test_oldest_constraints_are_the_lower_bounds():
    extras = PROJECT["optional-dependencies"]
    requirements = [*PROJECT["dependencies"], *extras["parquet"], *extras["dev"]]
    expected = dict(requirement.split(">=") for requirement in requirements)
    expected["torch"] = pins("constraints.txt")["torch"]
    oldest = pins("constraints-oldest.txt")
    # No requirements of ours; the file says why they are there.
    del oldest["click"], oldest["pyparsing"]
    assert oldest == expected


def test_constraints_pin_every_requirement():
    requirements = [
        *PROJECT["dependencies"],
        *(
            name
            for extra in PROJECT["optional-dependencies"].values()
            for name in extra
        ),
    ]
    names = {re.split(r"\[|>=", requirement)[0] for requirement in requirements}
    assert names <= pins("constraints.txt").keys()


def test_version_is_the_same_everywhere():
    citation = (ROOT / "CITATION.cff").read_text()
    assert re.findall(r"^version: (.+)$", citation, flags=re.M) == [PROJECT["version"]]
    assert sklearn_pscore.__version__ == PROJECT["version"]
    changes = (ROOT / "CHANGES.md").read_text()
    assert re.search(r"^## (\S+)", changes, flags=re.M)[1] == PROJECT["version"]


def test_contributing_names_the_parts_and_files_that_exist():
    text = (ROOT / "CONTRIBUTING.md").read_text()
    table = re.findall(r"^\| (`.*?) \|", text, flags=re.M)
    named = {name.strip("/") for row in table for name in re.findall(r"`(.+?)`", row)}
    parts = {path.name for path in PACKAGE.iterdir() if not path.name.startswith("__p")}
    assert named == parts - {"__init__.py"}
    for path in re.findall(r"`(\w+/(?:[\w/]+\.py)?)`", text):
        assert (ROOT / path).exists() or (PACKAGE / path).exists(), path


def test_a_built_package_has_all_files():
    setuptools = pytest.importorskip("setuptools")
    built = setuptools.Distribution({"script_name": "setup.py"})
    with contextlib.chdir(ROOT):
        built.parse_config_files(["pyproject.toml"])
        # By the patterns alone: else setuptools asks the list of an earlier build.
        built.include_package_data = False
        command = built.get_command_obj("build_py")
        command.ensure_finalized()
        names = command.get_source_files()
        for _, folder, _, files in command.data_files:
            names += [Path(folder, name) for name in files]
        held = {Path(name).resolve() for name in names}
    there = {
        path
        for path in PACKAGE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert {path.suffix for path in there} >= {".py", ".jinja", ".css", ".js", ".csv"}
    assert there == held


def test_the_program_is_there():
    (target,) = PROJECT["scripts"].values()
    module, name = target.split(":")
    assert callable(getattr(import_module(module), name))
