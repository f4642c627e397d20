"""Odd validation sets: X_val of every form, passed to a fit."""

import numpy as np
from sklearn.base import clone

from benchmarks.reliability import matrices
from benchmarks.reliability.case import Case, Meaningless
from benchmarks.reliability.ranker_cases import (
    RANKERS,
    RTOL,
    fitted,
    plain_table,
    predictions_of,
)
from benchmarks.reliability.structures import plain_target
from sklearn_pscore import Groups
from sklearn_pscore.metrics import pairwise_accuracy_scorer

_NAME = "PairwisePreferenceRanker"
_SETTINGS = (
    {},
    {"early_stopping": True},
    {"early_stopping": True, "scoring": pairwise_accuracy_scorer},
)


def _validated(settings, X_val, y_val):
    """Return a function that fits a ranker and returns what the set has done."""
    y = Groups.from_arrays(**plain_target(np.random.default_rng(1)))

    def called(ranker):
        ranker.set_params(**settings)
        ranker.fit(plain_table(), y, X_val=X_val, y_val=y_val)
        scores = ranker.predict(plain_table(5, seed=2))
        return np.concatenate([ranker.history_["valid_loss"], scores])

    return called


def table_case(rng):
    """Draw a fit with X_val in an odd form."""
    settings = _SETTINGS[rng.integers(len(_SETTINGS))]
    form = matrices.FORMS[rng.integers(len(matrices.FORMS))]
    X_val, y_val = plain_table(seed=3), Groups.from_arrays(**plain_target(rng))
    passed, ranker = form.make(X_val), fitted(_NAME)
    meant = None if form.meaning is None else form.meaning(X_val)
    if form.kind == "missing":
        # Nothing is missing in what is trained on.
        meant = np.where(np.isnan(meant), np.median(plain_table(), axis=0), meant)

    def right():
        if meant is None:
            raise Meaningless(form.name)
        try:
            return _validated(settings, meant, y_val)(clone(RANKERS[_NAME]))
        except Exception as error:
            raise Meaningless(str(error)) from error

    return Case(
        surface=f"{_NAME}.fit",
        kind=form.kind,
        oddity=f"X_val: {form.name}",
        call=lambda: _validated(settings, passed, y_val)(ranker),
        reference=right,
        names=("X_val",),
        passed=(passed,),
        must_handle=form.must_handle,
        state=predictions_of(ranker),
        rtol=RTOL,
    )


CASES = (table_case,)
