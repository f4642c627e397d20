"""Undo what a failed method did to its estimator."""

from contextlib import contextmanager


@contextmanager
def restored_on_error(estimator):
    """Give `estimator` its attributes back if the block raises.

    The attributes are kept by reference: one that the block mutates in place,
    instead of assigning a new object, is not restored. Ctrl-C is an error too.

    Parameters
    ----------
    estimator : object
        Anything with a ``__dict__``.

    Yields
    ------
    None

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> from sklearn_pscore._restore import restored_on_error
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
