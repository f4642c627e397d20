"""scikit-learn and category_encoders: estimators of one number per row."""

import warnings

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal

from benchmarks.compatibility.check import Checks, refusal
from benchmarks.compatibility.data import (
    FOLDS,
    GROUPS,
    LABEL,
    PREFERENCE,
    X,
    accuracy,
    accuracy_of_folds,
    ranker,
)

CHECKS = Checks("scikit-learn: estimators of a plain target")
ENCODERS = Checks("category_encoders", needs=("category_encoders",))
CENTRED = PREFERENCE - np.array([PREFERENCE[label == LABEL].mean() for label in LABEL])
"""Preference less the mean of its group: what PlainTarget fits on."""

TABLE = X.assign(kind=np.array(["a", "b", "c"])[np.argsort(np.argsort(X["FID"])) % 3])


def _pipe(step):
    from sklearn.pipeline import make_pipeline

    return make_pipeline(step, ranker())


@CHECKS.works(
    "PlainTarget(Ridge()), of PLSRegression, SVR, KNeighborsRegressor, "
    "DecisionTreeRegressor, HistGradientBoostingRegressor, GaussianProcessRegressor, ...",
    "fitted on the preference less the mean of its group",
)
def regressors():
    from sklearn.cross_decomposition import PLSRegression
    from sklearn.ensemble import HistGradientBoostingRegressor
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.linear_model import Ridge
    from sklearn.neighbors import KNeighborsRegressor
    from sklearn.svm import SVR
    from sklearn.tree import DecisionTreeRegressor

    from sklearn_pscore import PlainTarget, rank
    from sklearn_pscore.metrics import rank_items

    for model in (
        Ridge(),
        PLSRegression(1),
        SVR(),
        KNeighborsRegressor(),
        DecisionTreeRegressor(max_depth=2, random_state=0),
        HistGradientBoostingRegressor(max_iter=5, early_stopping=False),
        GaussianProcessRegressor(alpha=0.1),
    ):
        fitted = PlainTarget(model).fit(X, GROUPS)
        by_hand = model.fit(X, CENTRED).predict(X)
        assert_allclose(fitted.predict(X), by_hand, rtol=1e-6)
        assert_allclose(fitted.score(X, GROUPS), accuracy(GROUPS, by_hand))
        assert_array_equal(rank(fitted, X, GROUPS), rank_items(GROUPS, by_hand))


@CHECKS.works("GridSearchCV(PlainTarget(Ridge()), {'estimator__alpha': ...})")
def search():
    from sklearn.linear_model import Ridge
    from sklearn.model_selection import GridSearchCV

    from sklearn_pscore import PlainTarget
    from sklearn_pscore.metrics import pairwise_accuracy_scorer

    found = GridSearchCV(
        PlainTarget(Ridge()),
        {"estimator__alpha": [0.1, 1e4]},
        scoring=pairwise_accuracy_scorer,
        cv=FOLDS,
    ).fit(X, GROUPS)
    expected = [
        np.mean(accuracy_of_folds(PlainTarget(Ridge(alpha=alpha))))
        for alpha in (0.1, 1e4)
    ]
    assert_allclose(found.cv_results_["mean_test_score"], expected)


@CHECKS.works(
    "PlainTarget(LogisticRegression()), PlainTarget(RandomForestClassifier())",
    "the chance to be the winner of a group",
)
def classifiers():
    from sklearn.linear_model import LogisticRegression

    from sklearn_pscore import PlainTarget

    is_winner = np.array(
        [PREFERENCE[row] == PREFERENCE[LABEL[row] == LABEL].max() for row in range(60)]
    )
    by_hand = LogisticRegression().fit(X, is_winner).predict_proba(X)[:, 1]
    scores = PlainTarget(LogisticRegression()).fit(X, GROUPS).predict(X)
    # On which scale the chance is does not matter for an order.
    assert_array_equal(np.argsort(scores), np.argsort(by_hand))


@CHECKS.works(
    "PlainTarget(SelectKBest(f_regression)), of mutual_info_regression, "
    "SelectFromModel(Lasso()), RFE(Ridge()), PLSRegression in a pipeline",
    "selectors by the same target, before a ranker",
)
def selectors():
    from sklearn.feature_selection import (
        RFE,
        SelectFromModel,
        SelectKBest,
        f_regression,
    )
    from sklearn.linear_model import Lasso, Ridge

    from sklearn_pscore import PlainTarget

    for selector in (
        SelectKBest(f_regression, k=2),
        SelectFromModel(Lasso(alpha=0.1), threshold=-np.inf, max_features=2),
        RFE(Ridge(), n_features_to_select=2),
    ):
        model = _pipe(PlainTarget(selector)).fit(X, GROUPS)
        columns = selector.fit(X, CENTRED).transform(X)
        by_hand = ranker().fit(columns, GROUPS)
        assert_allclose(model.predict(X), by_hand.predict(columns), rtol=1e-6)


@CHECKS.works(
    "PlainTarget(TargetEncoder()) in a ColumnTransformer",
    "the mean of the preference less that of its group",
)
def target_encoder():
    from sklearn.compose import ColumnTransformer
    from sklearn.model_selection import KFold
    from sklearn.preprocessing import TargetEncoder

    from sklearn_pscore import PlainTarget

    encoder = TargetEncoder(cv=KFold(2), smooth=1e-9)
    step = ColumnTransformer(
        [("kind", PlainTarget(encoder), ["kind"])], remainder="passthrough"
    )
    model = _pipe(step).fit(TABLE, GROUPS)
    encoded = model[:-1].transform(TABLE)[:, 0]
    for kind in "abc":
        rows = (TABLE["kind"] == kind).to_numpy()
        assert_allclose(encoded[rows], CENTRED[rows].mean(), atol=1e-6)


_REFUSED = (
    "fit Ridge().fit(X, groups['preference']) as a model of its own, or wrap it: "
    "PlainTarget(estimator)"
)


@CHECKS.own_words(
    "Ridge().fit(X, groups), of HistGradientBoostingRegressor, RandomForestRegressor, "
    "PLSRegression, IsotonicRegression, ...",
    _REFUSED,
)
def bare_regressors():
    from sklearn.cross_decomposition import PLSRegression
    from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor
    from sklearn.linear_model import Ridge

    for model in (
        Ridge(),
        HistGradientBoostingRegressor(),
        RandomForestRegressor(),
        PLSRegression(1),
    ):
        with refusal(TypeError, "Cannot cast array data from dtype([('group'"):
            model.fit(X, GROUPS)


@CHECKS.own_words(
    "LogisticRegression().fit(X, groups), TargetEncoder, in a pipeline, too",
    "LevelClassifierRanker(classifier), PlainTarget(classifier), "
    "PlainTarget(TargetEncoder())",
)
def bare_classifiers():
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import TargetEncoder

    for model in (LogisticRegression(), TargetEncoder()):
        with warnings.catch_warnings():
            # "The number of unique classes is greater than 50% ..." comes first.
            warnings.simplefilter("ignore")
            with refusal(TypeError, "unhashable type: 'writeable void-scalar'"):
                model.fit(X, GROUPS)


@CHECKS.own_words(
    "SelectKBest(f_regression), SelectKBest(mutual_info_regression) in a pipeline",
    "PlainTarget(SelectKBest(f_regression))",
)
def bare_selectors():
    from numpy._core._exceptions import _UFuncNoLoopError
    from sklearn.feature_selection import (
        SelectKBest,
        f_regression,
        mutual_info_regression,
    )

    with refusal(_UFuncNoLoopError, "ufunc 'add' did not contain a loop"):
        _pipe(SelectKBest(f_regression, k=2)).fit(X, GROUPS)
    with refusal(TypeError, "Cannot cast array data from dtype([('group'"):
        _pipe(SelectKBest(mutual_info_regression, k=2)).fit(X, GROUPS)


@CHECKS.not_refused(
    "SelectKBest() with its default f_classif",
    "each record is a class of its own: F is NaN, NumPy warns of an invalid value, and "
    "the columns kept are arbitrary. Use PlainTarget(SelectKBest(f_regression))",
)
def anova():
    from sklearn.feature_selection import SelectKBest

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        selector = SelectKBest(k=2).fit(X, GROUPS)
    assert np.isnan(selector.scores_).all()
    assert any("invalid value" in str(one.message) for one in caught)


@ENCODERS.works(
    "PlainTarget(TargetEncoder(cols=...)) and PlainTarget(OneHotEncoder(cols=...)), "
    "of every encoder"
)
def wrapped_encoders():
    import category_encoders
    import pandas as pd

    from sklearn_pscore import PlainTarget

    for encoder in (
        category_encoders.TargetEncoder(cols=["kind"]),
        category_encoders.OneHotEncoder(cols=["kind"]),
        category_encoders.LeaveOneOutEncoder(cols=["kind"]),
    ):
        model = _pipe(PlainTarget(encoder)).fit(TABLE, GROUPS)
        by_hand = encoder.fit(TABLE, pd.Series(CENTRED)).transform(TABLE)
        assert_allclose(np.asarray(model[:-1].transform(TABLE)), by_hand, atol=1e-12)
        assert np.isfinite(model.predict(TABLE)).all()


@ENCODERS.own_words(
    "an encoder before a ranker, unwrapped, those that need no target, too",
    "they make a Series of the target: PlainTarget(encoder)",
)
def bare_encoders():
    import category_encoders

    for encoder in (
        category_encoders.TargetEncoder(cols=["kind"]),
        category_encoders.OneHotEncoder(cols=["kind"]),
    ):
        with refusal(ValueError, "Cannot construct a Series from an ndarray"):
            _pipe(encoder).fit(TABLE, GROUPS)
