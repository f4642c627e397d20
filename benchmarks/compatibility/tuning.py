"""optuna: a study of one's own, and OptunaSearchCV."""

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal

from benchmarks.compatibility.check import Checks
from benchmarks.compatibility.data import (
    FOLDS,
    GROUPS,
    X,
    accuracy,
    accuracy_of_folds,
    ranker,
)

CHECKS = Checks("optuna", needs=("optuna", "optuna-integration"))


def _quiet():
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna


@CHECKS.works("study.optimize over cross_val_score(ranker, scoring=scorer)")
def study():
    from sklearn.model_selection import cross_val_score

    from sklearn_pscore.metrics import pairwise_accuracy_scorer

    optuna = _quiet()

    def objective(trial):
        model = ranker(dropout=trial.suggest_float("dropout", 0, 0.5))
        options = {"scoring": pairwise_accuracy_scorer, "cv": FOLDS}
        return cross_val_score(model, X, GROUPS, **options).mean()

    sampler = optuna.samplers.TPESampler(seed=0)
    found = optuna.create_study(direction="maximize", sampler=sampler)
    found.optimize(objective, n_trials=3)
    for trial in found.trials:
        expected = np.mean(accuracy_of_folds(ranker(**trial.params)))
        assert_allclose(trial.value, expected)


@CHECKS.works("OptunaSearchCV(ranker, ..., scoring=scorer), also in rank")
def search():
    import warnings

    from optuna_integration import OptunaSearchCV

    from sklearn_pscore import rank
    from sklearn_pscore.metrics import pairwise_accuracy_scorer

    optuna = _quiet()
    with warnings.catch_warnings():
        # "OptunaSearchCV is experimental".
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        found = OptunaSearchCV(
            ranker(),
            {"dropout": optuna.distributions.FloatDistribution(0.0, 0.5)},
            scoring=pairwise_accuracy_scorer,
            cv=FOLDS,
            n_trials=3,
            random_state=0,
        ).fit(X, GROUPS)
    expected = np.mean(accuracy_of_folds(ranker(**found.best_params_)))
    assert_allclose(found.best_score_, expected)
    by_hand = ranker(**found.best_params_).fit(X, GROUPS)
    assert_array_equal(found.predict(X), by_hand.predict(X))
    assert_array_equal(rank(found, X, GROUPS), by_hand.rank(X, GROUPS))
    assert_allclose(found.score(X, GROUPS), accuracy(GROUPS, by_hand.predict(X)))
