"""Pictures as SVG that stands inside of a page: the same bytes in every call."""

import io
import re
import warnings
from contextlib import contextmanager

_STYLE = {
    # Text stays text: it can be read out, searched, and has the page's font.
    "svg.fonttype": "none",
    # Identifiers by content, not by chance.
    "svg.hashsalt": "sklearn_pscore",
    # The page's own paper shows, light or dark.
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "legend.framealpha": 0.0,
    # A dollar sign in a name starts no formula.
    "text.parse_math": False,
}
_NO_METADATA = {"Date": None, "Creator": None, "Format": None, "Type": None}


@contextmanager
def picture_style():
    """Draw in matplotlib's own style, whatever the user has set."""
    import matplotlib.style

    with (
        matplotlib.style.context("default", after_reset=True),
        warnings.catch_warnings(),
    ):
        # Letters that matplotlib's font lacks: the browser has them.
        warnings.filterwarnings("ignore", r"(?s)Glyph .* missing from")
        matplotlib.rcParams.update(_STYLE)
        yield


def svg_of(figure, prefix, label):
    """Return a figure as SVG for a page, and close it.

    Parameters
    ----------
    figure : matplotlib Figure
    prefix : str
        Put before each identifier, so that no two pictures of a page share one.
    label : str
        What the picture shows, for who cannot see it. It is escaped.

    Returns
    -------
    svg : str
    """
    import matplotlib.pyplot as plt

    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata=_NO_METADATA)
    plt.close(figure)
    return page_svg(buffer.getvalue(), prefix, label)


def page_svg(text, prefix, label):
    """Return the text of an SVG file as an element of a page.

    Parameters
    ----------
    text : str
        As matplotlib writes it.
    prefix, label : str
        See :func:`svg_of`.

    Returns
    -------
    svg : str
    """
    from markupsafe import escape

    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>\s*", "", text, flags=re.S)
    names = re.findall(r'\bid="([^"]+)"', text)
    # In the attributes of elements alone: text may look like one.
    text = re.sub(r"<[^>]+>", lambda tag: _prefixed(tag[0], prefix, set(names)), text)
    role = f'<svg role="img" aria-label="{escape(label)}"'
    if width := re.match(r'<svg[^>]*\bwidth="([\d.]+pt)"', text):
        # By which the page keeps small text of wide pictures readable.
        role += f' style="--width: {width[1]}"'
    return text.replace("<svg", role, 1).strip()


def _prefixed(tag, prefix, names):
    """Return a tag with its own identifiers, and the page's colour for black."""

    def renamed(match):
        before, name, after = match.groups()
        return f"{before}{prefix}-{name}{after}" if name in names else match[0]

    tag = re.sub(r'(\bid=")([^"]+)(")', renamed, tag)
    tag = re.sub(r'(href="#)([^"]+)(")', renamed, tag)
    tag = re.sub(r"(url\(#)([^)]+)(\))", renamed, tag)
    return tag.replace("#000000", "currentColor")
