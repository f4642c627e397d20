"""Learn human preference from metrics, as a scikit-learn citizen.

Names are loaded when they are first used, so that importing the package, its
metrics or its data sets never imports torch.
"""

from importlib import import_module

from sklearn_pscore._version import __version__

# The module of each public name.
_MODULES = {
    "BradleyTerryRanker": "_rankers.bradley_terry",
    "Groups": "_target.groups",
    "GroupwiseRanker": "_rankers.groupwise",
    "LevelClassifierRanker": "_rankers.level_classifier",
    "LinearPreferenceRanker": "_rankers.linear",
    "OnnxRanker": "_onnx.reader",
    "PairAugmenter": "_items.augmenter",
    "PairwisePreferenceRanker": "_rankers.pairwise",
    "PlainTarget": "_rankers.plain_target",
    "RankSumRanker": "_rankers.handcrafted",
    "SKOPS_TYPES": "_skops_types",
    "SingleMetricRanker": "_rankers.single_metric",
    "StackedRanker": "_rankers.stacked",
    "TopCountRanker": "_rankers.handcrafted",
    "preference_proba": "_rankers.any_model",
    "rank": "_rankers.any_model",
    "to_onnx": "_onnx.export",
}

__all__ = [*_MODULES, "__version__"]

_SUBMODULES = (
    "datasets",
    "inspection",
    "metrics",
    "model_selection",
    "plotting",
    "report",
)


def __getattr__(name):
    if name in _MODULES:
        return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    if name in _SUBMODULES:
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return sorted([*__all__, *_SUBMODULES])
