"""The warnings of the runs of a comparison, said once for all of them."""

import re
import warnings

from sklearn_pscore._warn import warn_user


def recorded(function, *args):
    """Call a function and keep its warnings.

    The filters of the user hold: what they ignore is not kept, and what they make an
    error is one.

    Returns
    -------
    result : object
        Of the function.
    found : list of (type, str)
        Category and text of each warning.
    """
    with warnings.catch_warnings(record=True) as caught:
        result = function(*args)
    return result, [(each.category, str(each.message)) for each in caught]


class RunWarnings:
    """Collects the warnings of runs, and says those that are alike once.

    Texts that differ in their numbers only are alike.
    """

    def __init__(self):
        self._runs = {}
        self._n_runs = 0

    def add(self, method, found):
        """Take note of the warnings of a run.

        Parameters
        ----------
        method : str
        found : list of (type, str)
        """
        self._n_runs += 1
        alike = {}
        for category, text in found:
            alike.setdefault((category, re.sub(r"\d+", "0", text)), text)
        for key, text in alike.items():
            first, methods = self._runs.setdefault(key, (text, []))
            methods.append((method, text == first))

    def warn(self):
        """Warn at the line of the user, once for each kind of warning."""
        for (category, _), (text, runs) in self._runs.items():
            methods = ", ".join(dict.fromkeys(method for method, _ in runs))
            numbers = "" if all(same for _, same in runs) else ", numbers of the first"
            where = f"in {len(runs)} of {self._n_runs} fits{numbers}: {methods}"
            warn_user(*_said(category, f"{text} [{where}]"))


def _said(category, text):
    """Return text and category, of one that can be made from a text alone."""
    try:
        category(text)
    except TypeError:
        return f"{category.__name__}: {text}", UserWarning
    return text, category
