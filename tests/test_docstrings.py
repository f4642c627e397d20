"""Public docstrings: numpydoc, with the defaults that the signatures have."""

import inspect
import re

import pytest
from numpydoc.docscrape import NumpyDocString
from numpydoc.validate import validate

import sklearn_pscore
from sklearn_pscore import datasets, metrics, model_selection, plotting

MODULES = [sklearn_pscore, datasets, metrics, model_selection, plotting]
# What a reader would miss: a summary of one line, parameters in full and in
# order, what is returned and raised, no stray section.
CODES = {
    *["GL03", "GL05", "GL06", "GL07", "GL08"],
    *["SS01", "SS02", "SS03", "SS04", "SS06"],
    *["PR01", "PR02", "PR03", "PR04", "PR07", "PR10", "RT01", "RT03"],
}
# scikit-learn makes these, and their docstrings.
FOREIGN = re.compile(r"set_\w+_request|set_output|get_metadata_routing|get_params")


def public_objects():
    for module in MODULES:
        for name in module.__all__:
            thing = getattr(module, name)
            if not callable(thing) or not (
                inspect.isclass(thing) or inspect.isfunction(thing)
            ):
                continue
            path = f"{module.__name__}.{name}"
            yield path, thing
            if not inspect.isclass(thing):
                continue
            for method, function in vars(thing).items():
                if method.startswith("_") or FOREIGN.fullmatch(method):
                    continue
                function = inspect.unwrap(getattr(function, "__func__", function))
                if inspect.isfunction(function):
                    yield f"{path}.{method}", function


OBJECTS = dict(public_objects())


@pytest.mark.parametrize("path", OBJECTS)
def test_numpydoc_is_complete(path):
    # Groups has no instances: all that its constructor does is to say so.
    codes = CODES - {"PR01"} if path == "sklearn_pscore.Groups" else CODES
    found = validate(path)["errors"]
    errors = [f"{code}: {text}" for code, text in found if code in codes]
    assert errors == []


@pytest.mark.parametrize("path", OBJECTS)
def test_defaults_are_those_of_the_signature(path):
    thing = OBJECTS[path]
    signature = inspect.signature(thing.__init__ if inspect.isclass(thing) else thing)
    documented = {
        name.strip(): parameter.type
        for parameter in NumpyDocString(inspect.getdoc(thing))["Parameters"]
        for name in parameter.name.split(",")
    }
    for name, parameter in signature.parameters.items():
        if parameter.default is inspect.Parameter.empty or name not in documented:
            continue
        found = re.search(r"default=(.+)$", documented[name])
        assert found, f"{name} has no default in the docstring"
        shown = found[1].strip()
        assert shown in {repr(parameter.default), str(parameter.default)} or (
            isinstance(parameter.default, str) and shown == f'"{parameter.default}"'
        ), f"{name}: default={shown} but {parameter.default!r}"


@pytest.mark.parametrize(
    "path",
    [
        path
        for path in OBJECTS
        if path.startswith("sklearn_pscore.metrics.") or path.count(".") == 1
    ],
)
def test_conventions_are_named(path):
    assert "docs/conventions.md" in inspect.getdoc(OBJECTS[path])


def test_every_part_has_public_objects():
    modules = {path.split(".")[1] for path in OBJECTS}
    assert {"Groups", "datasets", "metrics", "model_selection", "plotting"} <= modules
