"""The argument `random_state` as a generator."""

from sklearn.utils import check_random_state


def generator_of(random_state, caller):
    """Return the generator that an argument `random_state` stands for.

    Estimators check theirs with their other parameters; this is for functions.

    Parameters
    ----------
    random_state : int, RandomState instance or None
    caller : str
        Function that was passed it, for the message.

    Returns
    -------
    rng : RandomState

    Raises
    ------
    ValueError
        If it is anything else.
    """
    try:
        return check_random_state(random_state)
    except ValueError:
        raise ValueError(
            f"The 'random_state' parameter of {caller} must be an int in the range [0, "
            f"4294967295], a RandomState or None. Got {random_state!r:.60} instead."
        ) from None
