"""Groups and weights that are passed beside the target instead of in it.

Other libraries take them as arguments of ``fit``: `group`, `qid`, `sample_weight`.
Here they are fields of the target, which scikit-learn slices together with X.
"""

import inspect
import sys
from functools import wraps

from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline

# The field of the target, by the names that other libraries have for it.
_FIELDS = {
    **dict.fromkeys(["group", "groups", "group_id", "qid", "query_id"], "group"),
    **dict.fromkeys(["sample_weight", "weight", "weights"], "weight"),
}

# The same for other fields, where a target is made.
_OTHER_NAMES = {
    **_FIELDS,
    **dict.fromkeys(
        ["y", "label", "labels", "relevance", "grade", "rating"], "preference"
    ),
    **dict.fromkeys(["items", "system", "model", "method"], "item"),
}

HOW_TO_LEARN_FROM_VOTES = (
    "Call fit(X, Groups.from_votes(votes, items)), or partial_fit with each part of the "
    "rows in turn, of whole groups, and the votes on it."
)
"""The way for who has votes, where a method takes preferences alone."""

# Of NumPy's errors where a target of Groups is taken for numbers or for classes.
_SIGNS_OF_RECORDS = ("dtype([('group'", "void-scalar", "numpy.void")
_HINT_OF_RECORDS = (
    "An estimator that wants a plain target got the records of Groups: wrap it, as in "
    "PlainTarget(Ridge())."
)


def explained_call(method):
    """Decorate a method: a call that does not fit its signature says what to do.

    The signature stays what it is, for ``inspect.signature`` and for scikit-learn's
    metadata routing.

    Parameters
    ----------
    method : function
        A method whose parameters name what it takes: the target as `y` or `groups`,
        or columns of files as `group` and `weight`, or no target.

    Returns
    -------
    method : function
        Raises TypeError, as Python does, but with the call that was meant.
    """
    signature = inspect.signature(method)

    @wraps(method)
    def explained(self, *args, **kwargs):
        try:
            signature.bind(self, *args, **kwargs)
        except TypeError as error:
            caller = f"{type(self).__name__}.{method.__name__}"
            remedy = _remedy(method.__name__, signature.parameters, kwargs)
            raise TypeError(f"{caller}: {error}; {remedy}") from None
        return method(self, *args, **kwargs)

    return explained


def explained_fields(make):
    """Decorate a function that makes a target of fields, which it takes by name.

    Parameters
    ----------
    make : function

    Returns
    -------
    make : function
        Raises TypeError, as Python does, but with the fields that were meant.
    """
    signature = inspect.signature(make)

    @wraps(make)
    def explained(*args, **kwargs):
        try:
            signature.bind(*args, **kwargs)
        except TypeError as error:
            known = [
                name
                for name, parameter in signature.parameters.items()
                if parameter.kind is inspect.Parameter.KEYWORD_ONLY
            ]
            meant = [
                f"{name} as {_OTHER_NAMES[name]}="
                for name in kwargs
                if name not in known and name in _OTHER_NAMES
            ]
            remedy = f"Pass {', '.join(meant)}." if meant else "Pass each by its name."
            raise TypeError(
                f"Groups.{make.__name__}: {error}; expected fields by their names: "
                f"{', '.join(known)}. {remedy}"
            ) from None
        return make(*args, **kwargs)

    return explained


def _remedy(name, parameters, passed):
    """Return what was expected, and the call that was meant, for a message."""
    first = list(parameters)[1]
    if "preference" in parameters and "votes" in passed:
        return (
            f"expected preferences, for files hold no votes. {HOW_TO_LEARN_FROM_VOTES}"
        )
    if "preference" in parameters:
        columns = {"group": "...", "preference": "..."}
        for key, value in passed.items():
            if (field := _FIELDS.get(key, key)) in {*columns, "weight"}:
                columns[field] = value if isinstance(value, str) else "..."
        named = ", ".join(f'{field}="{column}"' for field, column in columns.items())
        return f"expected names of columns. Call {name}({first}, {named})."
    if not parameters.keys() & {"y", "groups"}:
        return (
            f"expected X alone, for a row's score depends on no other row. Call {name}(X), "
            "or rank(X, groups) for the order inside groups."
        )
    fields = [_FIELDS.get(key) for key in passed]
    weight = ", weight=..." if "weight" in fields else ""
    remedy = (
        f"expected {first} and the target, which holds groups and weights. Call "
        f"{name}({first}, Groups.from_arrays(group=..., preference=...{weight}))."
    )
    if "group" in passed:
        remedy += (
            " Group sizes (LightGBM style) become labels by "
            "group=np.repeat(np.arange(len(sizes)), sizes)."
        )
    return remedy


def refuse_sample_weight(sample_weight, caller):
    """Raise TypeError if weights are passed beside the target.

    Parameters
    ----------
    sample_weight : object
        What scikit-learn passes in routing; only None is taken.
    caller : str
        Name of the method, for the message.
    """
    if sample_weight is not None:
        raise TypeError(
            f"{caller} got sample_weight of type {type(sample_weight).__name__}; expected "
            "None, since weights are the field `weight` of the target. Pass "
            "Groups.from_arrays(group=..., preference=..., weight=sample_weight)."
        )


def group_argument(estimator):
    """Return the argument by which the ``fit`` of another library's ranker takes groups.

    Returns
    -------
    argument : {"qid", "group_id", "group"} or None
        None if ``fit`` takes none of these, or there is no ``fit``.
    """
    try:
        parameters = inspect.signature(estimator.fit).parameters
    except (AttributeError, TypeError, ValueError):
        # There is no fit, or it is written in C and has no signature.
        return None
    # XGBoost takes `group`, too, and pairs of LightGBM's sizes would be in order.
    names = (name for name in ("qid", "group_id", "group") if name in parameters)
    return next(names, None)


def library_of(estimator):
    """Return "lightgbm", "xgboost" or "catboost" for an estimator of it, or else None."""
    modules = {kind.__module__.partition(".")[0] for kind in type(estimator).__mro__}
    known = sorted(modules & {"lightgbm", "xgboost", "catboost"})
    return known[0] if known else None


def refuse_bare_ranker(estimator, name):
    """Raise TypeError if another library's ranker is to be fitted as it is.

    Parameters
    ----------
    estimator : object
        Or a pipeline or search of scikit-learn that hands it the target.
    name : str
        What is said to be one, for the message.
    """
    said = name
    while estimator is not None:
        argument = group_argument(estimator)
        if argument is not None and library_of(estimator) is not None:
            kind = type(estimator).__name__
            raise TypeError(
                f"{said} is {kind}, whose fit wants the groups as {argument}=, beside the "
                "target; expected an estimator whose fit takes a target of Groups. Pass "
                f"GroupwiseRanker({kind}(...))."
            )
        estimator, said = _fitted_inside(estimator), f"the model inside of {name}"


def refuse_bare_ranker_of_caller():
    """Raise TypeError if scikit-learn asks for folds to fit a bare ranker on.

    Its ``fit`` would fail in the library's own words, before any scorer is called, and a
    splitter is not told of the estimator: so it is looked for where the function of
    scikit-learn that asks for the folds has it.
    """
    frame = sys._getframe(1)
    while frame is not None:
        module = f"{frame.f_globals.get('__name__')}."
        if module.startswith("sklearn.model_selection."):
            # An argument of a function, or the attribute of a search.
            search = frame.f_locals.get("self")
            estimator = frame.f_locals.get("estimator")
            estimator = getattr(search, "estimator", estimator)
            if estimator is not None:
                refuse_bare_ranker(estimator, "estimator")
                return
        elif not module.startswith(("sklearn.", "sklearn_pscore.")):
            return
        frame = frame.f_back


def _fitted_inside(estimator):
    """Return what is handed the target by an estimator of scikit-learn, or None."""
    if isinstance(estimator, Pipeline):
        return estimator.steps[-1][1] if estimator.steps else None
    is_of_scikit_learn = type(estimator).__module__.startswith("sklearn.")
    # What is frozen is not fitted again.
    if not is_of_scikit_learn or isinstance(estimator, FrozenEstimator):
        return None
    return getattr(estimator, "estimator", None)


def hint_of_records(error):
    """Return what may be meant by an error of an estimator that knows no records, or ""."""
    text = str(error)
    if not isinstance(error, (TypeError, ValueError)) or _HINT_OF_RECORDS in text:
        return ""
    return _HINT_OF_RECORDS if any(sign in text for sign in _SIGNS_OF_RECORDS) else ""
