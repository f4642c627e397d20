"""One odd input: what is called, what it means, and how its error must read."""

from collections.abc import Callable
from dataclasses import dataclass


class Meaningless(Exception):
    """Raised by a reference: no result is right for this input."""


@dataclass(frozen=True)
class Case:
    """A call with an odd input, and the slow way to its result.

    Attributes
    ----------
    surface : str
        Public function or method that is called.
    kind : str
        What is odd, in one word: the rows of the table in docs/reliability.md.
    oddity : str
        What is odd, exactly.
    call : callable
        Makes the call and returns its result.
    reference : callable
        Returns the right result, or raises Meaningless if there is none: then
        the input must be refused, or be warned of.
    names : tuple of str
        Arguments of which an error must name one.
    passed : tuple
        The odd values. An error shows one of them, its type, dtype, shape or
        length, and the call must leave them as they are.
    shown : tuple of str
        Further texts of which an error may show one.
    must_handle : bool
        Whether an error is wrong where there is a right result.
    rtol : float
        Closeness of the result to the reference; 0 asks for the same bits.
    state : callable or None
        Returns what a refusal must leave as it was, such as the predictions of
        a fitted estimator.
    """

    surface: str
    kind: str
    oddity: str
    call: Callable
    reference: Callable
    names: tuple
    passed: tuple = ()
    shown: tuple = ()
    must_handle: bool = False
    rtol: float = 0.0
    state: Callable | None = None


@dataclass(frozen=True)
class Verdict:
    """What became of a case.

    Attributes
    ----------
    outcome : {"refused", "handled", "warned"}
        An error; the result of the reference; or no right result, and a warning
        that says so.
    fault : str
        What is wrong with it, empty if nothing is.
    message : str
        Text of the error or warning.
    """

    outcome: str
    fault: str = ""
    message: str = ""
