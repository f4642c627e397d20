"""ranx and ir-measures: their metrics of our groups and scores, equal to ours."""

import warnings

from numpy.testing import assert_allclose

from benchmarks.compatibility.check import Checks
from benchmarks.compatibility.data import GRADE, GROUPS, LABEL, X, ranker

RANX = Checks("ranx", needs=("ranx",))
IR_MEASURES = Checks("ir-measures", needs=("ir-measures", "pytrec_eval-terrier"))
DEPTH = 3


def _ours(scores):
    from sklearn_pscore import Groups
    from sklearn_pscore.metrics import ndcg_score, reciprocal_rank_score

    groups = Groups.from_arrays(group=LABEL, preference=GRADE)
    return {
        "ndcg": ndcg_score(groups, scores, gain="linear"),
        "ndcg@3": ndcg_score(groups, scores, gain="linear", k=DEPTH),
        "mrr": reciprocal_rank_score(groups, scores),
    }


@RANX.works("ranx.evaluate(qrels, run, [...])", "NDCG, also at a depth, and MRR")
def ranx():
    from numba.core.errors import NumbaTypeSafetyWarning
    from ranx import Qrels, Run, evaluate

    # Raised where ranx compiles its own code.
    warnings.simplefilter("ignore", NumbaTypeSafetyWarning)
    scores = ranker().fit(X, GROUPS).predict(X)
    run, graded, best = {}, {}, {}
    for row, label in enumerate(map(str, LABEL)):
        run.setdefault(label, {})[str(row)] = float(scores[row])
        graded.setdefault(label, {})[str(row)] = int(GRADE[row])
        best.setdefault(label, {})[str(row)] = int(GRADE[row] == 4)
    ours = _ours(scores)
    theirs = evaluate(Qrels(graded), Run(run), ["ndcg", f"ndcg@{DEPTH}"])
    for name, value in theirs.items():
        assert_allclose(value, ours[name])
    assert_allclose(evaluate(Qrels(best), Run(run), "mrr"), ours["mrr"])


@IR_MEASURES.works(
    "ir_measures.calc_aggregate([nDCG, nDCG@3, RR(rel=...)], qrels, run)"
)
def ir_measures():
    import ir_measures as ir

    scores = ranker().fit(X, GROUPS).predict(X)
    qrels = [
        ir.Qrel(str(label), str(row), int(GRADE[row]))
        for row, label in enumerate(LABEL)
    ]
    run = [
        ir.ScoredDoc(str(label), str(row), float(scores[row]))
        for row, label in enumerate(LABEL)
    ]
    measures = {"ndcg": ir.nDCG, "ndcg@3": ir.nDCG @ DEPTH, "mrr": ir.RR(rel=4)}
    theirs = ir.calc_aggregate(measures.values(), qrels, run)
    ours = _ours(scores)
    for name, measure in measures.items():
        assert_allclose(theirs[measure], ours[name])
