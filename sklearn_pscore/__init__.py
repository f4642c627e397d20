"""Learn human preference from metrics, as a scikit-learn citizen.

Names are loaded when they are first used, so that importing the package, its
metrics or its data sets never imports torch.
"""

from importlib import import_module

__version__ = "0.1.0"

_HOMES = {
    "Groups": "_target.groups",
    "LevelClassifierRanker": "_rankers.level_classifier",
    "PairAugmenter": "_items.augmenter",
    "PairwisePreferenceRanker": "_rankers.pairwise",
    "RankSumRanker": "_rankers.handcrafted",
    "TopCountRanker": "_rankers.handcrafted",
}

__all__ = [*_HOMES, "__version__"]


_SUBMODULES = ("datasets", "metrics", "model_selection", "plotting")


def __getattr__(name):
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    if name in _SUBMODULES:
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return sorted([*__all__, *_SUBMODULES])
