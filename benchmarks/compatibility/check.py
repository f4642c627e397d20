"""One call of another tool with our rankers: what becomes of it, and how that is seen."""

import warnings
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass

WORKS = "works"
GUIDED = "refused with guidance"
OWN_WORDS = "refused in its own words"
NOT_REFUSED = "not refused"
OUTCOMES = (WORKS, GUIDED, OWN_WORDS, NOT_REFUSED)


@dataclass(frozen=True)
class Check:
    """A call, and what the table says of it.

    Attributes
    ----------
    area : str
        What the call belongs to, such as a tool or a part of scikit-learn.
    call : str
        The call as a user writes it.
    outcome : {"works", "refused with guidance", "refused in its own words", \
"not refused"}
        Right to the value; refused by an error or warning of this package that
        names the way out; or by one of the tool, and the note names it; or it goes
        through and means nothing, as the note says.
    note : str
        One line.
    run : callable
        Makes the call, and raises AssertionError unless the outcome is as stated.
    """

    area: str
    call: str
    outcome: str
    note: str
    run: Callable


class Checks(list):
    """The checks of one area.

    Parameters
    ----------
    area : str
    needs : tuple of str
        Packages besides those that come with this one.
    """

    def __init__(self, area, needs=()):
        super().__init__()
        self.area, self.needs = area, needs

    def works(self, call, note=""):
        return self._add(call, WORKS, note)

    def guided(self, call, note):
        return self._add(call, GUIDED, note)

    def own_words(self, call, note):
        return self._add(call, OWN_WORDS, note)

    def not_refused(self, call, note):
        return self._add(call, NOT_REFUSED, note)

    def _add(self, call, outcome, note):
        def add(run):
            self.append(Check(self.area, call, outcome, note, run))
            return run

        return add


@contextmanager
def refusal(kind, *parts):
    """Assert that an error of exactly this type is raised, whose text has all parts."""
    try:
        yield
    except Exception as error:
        if type(error) is not kind:
            raise
        _assert_says(str(error), parts)
    else:
        raise AssertionError(f"no {kind.__name__} was raised")


@contextmanager
def warning(*parts):
    """Assert that a warning is given whose text has all parts."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    texts = [str(one.message) for one in caught]
    assert texts, "no warning was given"
    _assert_says(next((t for t in texts if parts[0] in t), texts[0]), parts)


def _assert_says(text, parts):
    for part in parts:
        assert part in text, f"{part!r} is not in {text!r}"
