"""What an analysis was made with: the settings of the call, and versions."""

import platform
from importlib.metadata import PackageNotFoundError, version

from sklearn_pscore._version import __version__

_PACKAGES = (
    "scikit-learn",
    "torch",
    "skorch",
    "numpy",
    "scipy",
    "pandas",
    "matplotlib",
)


def settings_of(table, rankers, **numbers):
    """Return the settings of an analysis, and versions, as texts by their names.

    Parameters
    ----------
    table : ReportTable
    rankers : dict of str to estimator
    **numbers : dict of str to object
        Arguments of the call.

    Returns
    -------
    settings : dict of str to str
    """
    what = "block" if table.has_blocks else "group"
    settings = {
        "held out": f"{len(table.folds)} folds, no {what} in two of them",
        "drawn by the bootstrap": f"{what}s",
    }
    for name, ranker in rankers.items():
        settings[f"method {name}"] = " ".join(repr(ranker).split())
    settings |= {name: str(value) for name, value in numbers.items()}
    settings["sklearn_pscore"] = __version__
    settings["Python"] = platform.python_version()
    for package in _PACKAGES:
        try:
            settings[package] = version(package)
        except PackageNotFoundError:
            continue
    return settings
