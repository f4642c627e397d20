"""Checks of the arguments that the functions of this folder share."""

from numbers import Integral

import numpy as np

from sklearn_pscore.metrics._checks import check_level

__all__ = ["check_count", "check_level"]


def check_count(value, name, caller, least=1):
    """Raise unless a number of draws is an integer of at least `least`."""
    is_int = isinstance(value, Integral) and not isinstance(value, (bool, np.bool_))
    if not is_int or value < least:
        raise (ValueError if is_int else TypeError)(
            f"The {name!r} parameter of {caller} must be an int in the range [{least}, "
            f"inf). Got {value!r} instead."
        )
