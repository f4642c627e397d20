"""Tables of results as HTML, for notebooks."""

from html import escape


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
    return f"{above}\n{frame.to_html(index=False, escape=True)}\n{below}"
