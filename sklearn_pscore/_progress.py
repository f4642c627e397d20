"""Progress of long work: a bar where someone watches, and plain lines elsewhere."""

import sys
import warnings
from time import perf_counter

# Lines of a work without a bar, beside the first and those of milestones.
_N_LINES = 10


def progress_of(name, unit, total, verbose, n_done=0):
    """Return what tells how far some work is.

    It is a context manager; its ``update(n, text, is_milestone=False)`` is called when
    `n` steps more are done, and its ``end(text, short)`` where the work ends early, or
    there is something to say at the end.

    Parameters
    ----------
    name : str
        Who works, for plain lines.
    unit : str
        What a step is.
    total : int
        Number of steps.
    verbose : int
        0 is silent. 1 is a bar on a terminal and in a notebook, and else a plain line
        at the start, at about each tenth and at milestones. From 2 on it is a plain line
        at each milestone.
    n_done : int, default=0
        Steps that were done before.

    Returns
    -------
    progress : object
        It writes to the standard error; never a control character, but for a bar.
    """
    if verbose <= 0:
        return _Silence()
    if verbose == 1 and _is_watched():
        return _Bar(unit, total, n_done)
    return _Lines(name, unit, total, n_done, _N_LINES if verbose == 1 else 0)


def say(text):
    """Write a line to the standard error, above the bars that there are."""
    from tqdm import tqdm

    # A program without a console has none.
    if sys.stderr is not None:
        tqdm.write(text, file=sys.stderr)


class _Silence:
    """Says nothing."""

    def __enter__(self):
        return self

    def __exit__(self, *error):
        return None

    def update(self, n, text, is_milestone=False):
        """Say nothing."""

    def end(self, text, short):
        """Say nothing."""


class _Bar:
    """One line that is written over and over.

    Parameters
    ----------
    unit : str
    total, n_done : int
    """

    def __init__(self, unit, total, n_done):
        self._bar = _tqdm()(
            total=total,
            initial=n_done,
            desc=unit,
            unit=unit,
            file=sys.stderr,
            disable=False,
            dynamic_ncols=True,
            bar_format="{desc} {n_fmt}/{total_fmt} |{bar}| {remaining} left{postfix}",
        )
        self._text = ""

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._bar.close()

    def update(self, n, text, is_milestone=False):
        """Move the bar on, with a text beside."""
        self._text = text
        self._bar.set_postfix_str(text, refresh=False)
        self._bar.update(n)

    def end(self, text, short):
        """Fill the bar, and write the short text beside."""
        self._bar.total = self._bar.n
        self._bar.set_postfix_str(f"{self._text}, {short}")


class _Lines:
    """Plain lines.

    Parameters
    ----------
    name, unit : str
    total, n_done : int
    n_lines : int
        Lines beside milestones; 0 leaves only these.
    """

    def __init__(self, name, unit, total, n_done, n_lines):
        self._name = name
        self._unit = unit
        self._total = total
        self._n_lines = n_lines
        self._n_before = self._n_done = n_done

    def __enter__(self):
        self._start = perf_counter()
        return self

    def __exit__(self, *error):
        return None

    def update(self, n, text, is_milestone=False):
        """Write a line if it is time for one."""
        before, self._n_done = self._n_done, self._n_done + n
        first, last = (n * self._n_lines // self._total for n in (before, self._n_done))
        is_first = before == self._n_before and self._n_lines > 0
        if is_milestone or is_first or first < last:
            place = f"{self._unit} {self._n_done:,} of {self._total:,}"
            say(f"[{self._name}] {place}, {text}, {self._left()}")

    def end(self, text, short):
        """Write a line."""
        say(f"[{self._name}] {text}")

    def _left(self):
        """Return how long it takes still, at the speed so far, as text."""
        seconds = perf_counter() - self._start
        n_left = max(self._total - self._n_done, 0)
        left = round(seconds * n_left / (self._n_done - self._n_before))
        minutes, seconds = divmod(left, 60)
        hours, minutes = divmod(minutes, 60)
        if hours:
            return f"{hours}:{minutes:02d}:{seconds:02d} left"
        return f"{minutes}:{seconds:02d} left"


def _is_watched():
    """Tell whether a line may be written over: on a terminal, or in a notebook."""
    try:
        return sys.stderr.isatty() or _in_notebook()
    except (AttributeError, ValueError):
        # There is no standard error, or it is closed.
        return False


def _in_notebook():
    """Tell whether this is the kernel of a notebook."""
    get_ipython = getattr(sys.modules.get("IPython"), "get_ipython", None)
    return get_ipython is not None and hasattr(get_ipython(), "kernel")


def _tqdm():
    """Return the bar of the place: of a notebook where ipywidgets is, else of text."""
    with warnings.catch_warnings():
        # That ipywidgets is not installed, or too old.
        warnings.simplefilter("ignore")
        from tqdm.auto import tqdm
    return tqdm
