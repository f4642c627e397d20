"""The runs of a comparison: a fit and its scores, or what failed of them."""

from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter

from sklearn.exceptions import FitFailedWarning

from sklearn_pscore._target.arguments import hint_of_records
from sklearn_pscore._warn import warn_user
from sklearn_pscore.model_selection._seeds import seeded_clone


@dataclass(frozen=True)
class Failure:
    """An error of a fit or of a scorer.

    Attributes
    ----------
    method : str
    seed : int or None
    fold : int
    scorer : str or None
        Name of the scorer; None is the fit.
    error : str
        Type and text of the error.
    """

    method: str
    seed: int | None
    fold: int
    scorer: str | None
    error: str


class GivenScores:
    """A fitted ranker that predicts the scores it was given."""

    def __init__(self, y_score):
        self.y_score = y_score

    def predict(self, X):
        return self.y_score


def score_truth(name, fold, scoring):
    """Return the row of the truth in a fold; an error of a scorer goes through."""
    X, reference, preference = fold.held_out_part()
    scores = {}
    for metric, scorer in scoring.items():
        with _noted_on_error(
            f"while scoring {name!r}, the reference, by {metric!r} in fold "
            f"{fold.number}; a scorer that needs a fitted ranker needs truth=None"
        ):
            scores[metric] = float(
                fold.judged_by(scorer)(GivenScores(preference), X, reference)
            )
    return _row(name, None, fold, scores, 0.0)


def fit_and_score(name, ranker, seed, fold, scoring, error_score):
    """Fit a ranker to a fold and score it.

    Parameters
    ----------
    name : str
    ranker : estimator
    seed : int or None
    fold : Fold
    scoring : dict of str to callable
    error_score : float or "raise"
        Score where the fit, or the scorer, fails.

    Returns
    -------
    row : dict
        Of the table of the comparison.
    failures : list of Failure
    """
    X_train, groups_train = fold.training_part()
    X_test, reference, _ = fold.held_out_part()
    run, failures = (name, seed, fold.number), []
    start = perf_counter()
    with _caught(run, None, error_score, failures):
        ranker = seeded_clone(ranker, seed)
        ranker.fit(X_train, groups_train)
    seconds = perf_counter() - start
    scores = dict.fromkeys(scoring, error_score)
    # Without a fit no scorer is asked: each would fail for the same reason.
    for metric, scorer in () if failures else scoring.items():
        with _caught(run, metric, error_score, failures):
            scores[metric] = float(fold.judged_by(scorer)(ranker, X_test, reference))
    return _row(name, seed, fold, scores, seconds), failures


def report(failures, n_runs, error_score):
    """Warn once of all that failed.

    Parameters
    ----------
    failures : list of Failure
    n_runs : int
    error_score : float or "raise"

    Raises
    ------
    ValueError
        If every fit failed.
    """
    if not failures:
        return
    n_fits = sum(failure.scorer is None for failure in failures)
    lines = "\n".join(_lines(failures))
    if n_fits == n_runs:
        raise ValueError(
            f"All {n_runs} fits failed; expected at least one that does not. Check the "
            'rankers and the data; error_score="raise" stops at the first with its '
            f"traceback.\n{lines}"
        )
    n_scores = len(failures) - n_fits
    warn_user(
        f"{n_fits} of {n_runs} fits and {n_scores} scorings failed. Their scores are "
        f'{error_score}; error_score="raise" stops at the first with its traceback.\n'
        f"{lines}",
        FitFailedWarning,
    )


def _lines(failures):
    """Yield a line for each method, scorer and error, with its seeds and folds."""
    alike = {}
    for failure in failures:
        key = failure.method, failure.scorer, failure.error
        alike.setdefault(key, []).append(f"seed {failure.seed}, fold {failure.fold}")
    for (method, scorer, error), runs in alike.items():
        yield f"{_where(scorer)} ranker {method!r} ({'; '.join(runs)}): {error}"


def _where(scorer):
    return "fit of" if scorer is None else f"scorer {scorer!r} on"


def _row(name, seed, fold, scores, seconds):
    run = {"method": name, "seed": seed, "fold": fold.number}
    return {**run, **scores, "fit_seconds": seconds}


@contextmanager
def _caught(run, scorer, error_score, failures):
    """Keep an error in the block as a failure, or raise it with a note.

    Ctrl-C is no Exception, so it goes through.
    """
    name, seed, fold = run
    try:
        note = f"in {_where(scorer)} ranker {name!r}, seed {seed}, fold {fold}"
        with _noted_on_error(note):
            yield
    except Exception as error:
        hint = hint_of_records(error)
        if error_score == "raise":
            if hint:
                error.add_note(hint)
            raise
        text = f"{type(error).__name__}: {error}" + (f" ({hint})" if hint else "")
        failures.append(Failure(*run, scorer, text))


@contextmanager
def _noted_on_error(run):
    """Add the run to an error that is raised in the block."""
    try:
        yield
    except Exception as error:
        error.add_note(f"compare_rankers: {run}")
        raise
