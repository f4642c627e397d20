"""How far a command is: a bar on a terminal, plain lines elsewhere."""

import sys

from sklearn_pscore._cli.output import say


def shown_progress(steps, what):
    """Yield the steps of some work, and show how many are done.

    Parameters
    ----------
    steps : sequence
        Nothing is shown of a single one.
    what : str
        What is made.
    """
    from tqdm import tqdm

    if len(steps) < 2:
        yield from steps
    elif sys.stderr.isatty():
        yield from tqdm(steps, desc=what, leave=False)
    else:
        every = -(-len(steps) // 10)
        for number, step in enumerate(steps, 1):
            yield step
            if number % every == 0 or number == len(steps):
                say(f"{what}: {number} of {len(steps)} parts")
