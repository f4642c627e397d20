"""Restore an estimator after a failed method."""

from contextlib import contextmanager


@contextmanager
def restored_on_error(estimator):
    """Restore the attributes of `estimator` if the block raises, Ctrl-C included.

    References to the attributes are kept, not copies: an object that the block
    changes in place, instead of assigning a new one, is not restored.

    Parameters
    ----------
    estimator : object
        Object with a ``__dict__``.

    Yields
    ------
    None

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> from sklearn_pscore._estimators.restore import restored_on_error
    >>> model = SimpleNamespace(coef_=1.0)
    >>> try:
    ...     with restored_on_error(model):
    ...         model.coef_, model.bias_ = 2.0, 3.0
    ...         raise ValueError
    ... except ValueError:
    ...     print(vars(model))
    {'coef_': 1.0}
    """
    before = dict(vars(estimator))
    try:
        yield
    except BaseException:
        vars(estimator).clear()
        vars(estimator).update(before)
        raise
