"""Checks of the arguments that the functions of this folder share."""

from numbers import Integral, Real

import numpy as np


def check_count(value, name, caller, least=1):
    """Raise unless a number of draws is an integer of at least `least`."""
    is_int = isinstance(value, Integral) and not isinstance(value, (bool, np.bool_))
    if not is_int or value < least:
        raise (ValueError if is_int else TypeError)(
            f"The {name!r} parameter of {caller} must be an int in the range [{least}, "
            f"inf). Got {value!r} instead."
        )


def check_level(level, caller):
    """Raise unless the level of the intervals is between 0 and 1."""
    is_real = isinstance(level, Real) and not isinstance(level, (bool, np.bool_))
    if not is_real or not 0 < level < 1:
        raise (ValueError if is_real else TypeError)(
            f"The 'level' parameter of {caller} must be a float in the range (0, 1). Got "
            f"{level!r} instead."
        )
