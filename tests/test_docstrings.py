"""Public docstrings are complete, and their defaults are those of the signature."""

import inspect
import re

import pytest
from numpydoc.docscrape import NumpyDocString
from numpydoc.validate import validate

import sklearn_pscore
from sklearn_pscore import datasets, inspection, metrics, model_selection, plotting

MODULES = [sklearn_pscore, datasets, inspection, metrics, model_selection, plotting]
# Checks of numpydoc: the sections and their order, a summary of one line, all
# parameters in the order of the signature with type and description, and what is
# returned.
CODES = {
    *["GL03", "GL05", "GL06", "GL07", "GL08"],
    *["SS01", "SS02", "SS03", "SS04", "SS06"],
    *["PR01", "PR02", "PR03", "PR04", "PR07", "PR10", "RT01", "RT03"],
}
# Methods that scikit-learn makes, docstring included.
FOREIGN = re.compile(r"set_\w+_request|set_output|get_metadata_routing|get_params")


def public_objects():
    """Yield path and object of each public class, method and function."""
    for module in MODULES:
        for name in module.__all__:
            public = getattr(module, name)
            if not inspect.isclass(public) and not inspect.isfunction(public):
                continue
            path = f"{module.__name__}.{name}"
            yield path, public
            if not inspect.isclass(public):
                continue
            for method, function in vars(public).items():
                if method.startswith("_") or FOREIGN.fullmatch(method):
                    continue
                function = inspect.unwrap(getattr(function, "__func__", function))
                if inspect.isfunction(function):
                    yield f"{path}.{method}", function


OBJECTS = dict(public_objects())


@pytest.mark.parametrize("path", OBJECTS)
def test_numpydoc_is_complete(path):
    # The constructor of Groups only raises; its parameters are not documented.
    codes = CODES - {"PR01"} if path == "sklearn_pscore.Groups" else CODES
    errors = [
        f"{code}: {text}" for code, text in validate(path)["errors"] if code in codes
    ]
    assert errors == []


@pytest.mark.parametrize("path", OBJECTS)
def test_defaults_are_those_of_the_signature(path):
    public = OBJECTS[path]
    signature = inspect.signature(
        public.__init__ if inspect.isclass(public) else public
    )
    documented = {
        name.strip(): parameter.type
        for parameter in NumpyDocString(inspect.getdoc(public))["Parameters"]
        for name in parameter.name.split(",")
    }
    for name, parameter in signature.parameters.items():
        if parameter.default is inspect.Parameter.empty or name not in documented:
            continue
        match = re.search(r"default=(.+)$", documented[name])
        assert match, f"{name} has no default in the docstring"
        default, written = parameter.default, match[1].strip()
        quoted = repr(default).replace("'", '"')
        assert written in {repr(default), str(default), quoted}, (
            f"{name}: default={written} in the docstring but {default!r}"
        )


@pytest.mark.parametrize(
    "path",
    [
        path
        for path in OBJECTS
        # All metrics and scorers, and the classes of the package root.
        if path.startswith("sklearn_pscore.metrics.") or path.count(".") == 1
    ],
)
def test_conventions_are_linked(path):
    assert "docs/conventions.md" in inspect.getdoc(OBJECTS[path])


def test_objects_of_every_module_are_checked():
    modules = {path.split(".")[1] for path in OBJECTS}
    assert {"Groups", "datasets", "metrics", "model_selection", "plotting"} <= modules
