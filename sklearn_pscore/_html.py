"""Tables of results as HTML, for notebooks."""

from html import escape

import pandas as pd


def html_table(captions, frame):
    """Return a table between two lines, with all text escaped.

    Parameters
    ----------
    captions : tuple of str
        The lines above and below.
    frame : DataFrame

    Returns
    -------
    html : str
    """
    above, below = (f"<p>{escape(text)}</p>" for text in captions)
    # pandas would cut names of more than 50 letters.
    with pd.option_context("display.max_colwidth", None):
        table = frame.to_html(index=False, escape=True)
    return f"{above}\n{table}\n{below}"
