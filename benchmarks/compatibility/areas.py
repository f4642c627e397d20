"""All checks, by area. A module of checks imports its tool where it is used."""

from benchmarks.compatibility import (
    boosting,
    composition,
    dask_backend,
    ensembles,
    explanations,
    imbalanced,
    inspection,
    mlxtend_selection,
    model_selection,
    plain_targets,
    retrieval,
    saving,
    skrub_tables,
    tuning,
    votes,
)

LIGHT = (
    composition.CHECKS,
    model_selection.CHECKS,
    inspection.CHECKS,
    ensembles.CHECKS,
    plain_targets.CHECKS,
    votes.CHECKS,
)
"""What needs nothing but the packages that come with this one: it is among the tests."""

TOOLS = (
    boosting.LIGHTGBM,
    boosting.XGBOOST,
    boosting.CATBOOST,
    imbalanced.CHECKS,
    tuning.CHECKS,
    explanations.CHECKS,
    skrub_tables.CHECKS,
    plain_targets.ENCODERS,
    mlxtend_selection.CHECKS,
    retrieval.RANX,
    retrieval.IR_MEASURES,
    votes.STRENGTHS,
    saving.SKOPS,
    saving.MLFLOW,
    saving.ONNX,
    dask_backend.CHECKS,
)
AREAS = (composition.CONTRACT, model_selection.PROCESSES, *LIGHT, *TOOLS)
