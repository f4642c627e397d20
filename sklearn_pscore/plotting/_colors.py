"""Colour, marker, hatch and line of each method: the same in all pictures.

A name that the package uses has a style of its own, and so have the libraries that it
is compared with. Any other name gets one by its hash, the same in every process.
Colours are of middle lightness, so that they show on white and on dark paper; in grey
and to the colour-blind, marker, hatch and line tell methods apart.
"""

import re
from collections import Counter
from typing import NamedTuple
from zlib import crc32


class MethodStyle(NamedTuple):
    """How a method is drawn.

    Parameters
    ----------
    color : str
        Hexadecimal colour of points, lines and bars.
    marker : str
        Marker of points.
    hatch : str
        Hatch of bars, empty for none.
    linestyle : str or tuple
        Style of lines.
    """

    color: str
    marker: str
    hatch: str
    linestyle: object


BLUE, SKY, VIOLET, ROSE = "#0072b2", "#3f92cf", "#7d5fb2", "#b9578e"
ORANGE, BROWN, OCHRE, OLIVE = "#d55e00", "#a2543c", "#b07d00", "#748522"
GREEN, TEAL, GREY = "#00916a", "#2b8a99", "#767676"

PREFERRED, REJECTED = BLUE, ORANGE
"""Colours of the two ends of a scale: larger and smaller is preferred."""

_DASHES = ("-", "--", "-.", ":", (0, (6, 1)), (0, (4, 1, 1, 1, 1, 1)), (0, (1, 1)))

_STYLES = {
    "PS, defaults": MethodStyle(BLUE, "o", "", "-"),
    "PS": MethodStyle(SKY, "s", "//", "--"),
    "PS, synthetic items": MethodStyle(VIOLET, "D", "xx", "-."),
    "stack": MethodStyle(ROSE, "P", "++", (0, (6, 1))),
    "linear": MethodStyle(GREEN, "v", "\\\\", ":"),
    "CB": MethodStyle(ORANGE, "^", "..", "--"),
    "CatBoost": MethodStyle(OCHRE, "X", "--", "-."),
    "LightGBM": MethodStyle(TEAL, "d", "||", (0, (4, 1, 1, 1, 1, 1))),
    "XGBoost": MethodStyle(OLIVE, "<", "oo", (0, (1, 1))),
    "DT": MethodStyle(BROWN, ">", "///", "-"),
    "RS": MethodStyle(VIOLET, "h", "\\\\\\", "--"),
    "#Top1": MethodStyle(ROSE, "p", "...", "-."),
    "best metric": MethodStyle(OCHRE, "*", "xxx", ":"),
    "system's name alone": MethodStyle(BROWN, "+", "O", ":"),
    "GT": MethodStyle(GREY, "x", "", "--"),
    "chance": MethodStyle(GREY, "|", "", ":"),
    "ceiling": MethodStyle(GREY, "_", "", "-."),
}
"""Styles by name; no two names share a marker."""

_OTHER_NAMES = {
    "sklearn_pscore": "PS, defaults",
    "this package": "PS, defaults",
    "PairwisePreferenceRanker": "PS, defaults",
    "LinearPreferenceRanker": "linear",
    "StackedRanker": "stack",
    "TopCountRanker": "#Top1",
    "RankSumRanker": "RS",
    "rank sum": "RS",
    "LGBMRanker": "LightGBM",
    "XGBRanker": "XGBoost",
    "CatBoostRanker": "CatBoost",
    "best single metric": "best metric",
}

# Those of no name above first, without that of the default ranker.
_COLORS = (ORANGE, GREEN, ROSE, OCHRE, VIOLET, TEAL, BROWN, OLIVE)
# Without those that look like a circle where they are small, and without arrows that
# lie on an error bar.
_MARKERS = ("s", "^", "D", "v", "P", "X", "d")
_HATCHES = ("//", "..", "\\\\", "xx", "--", "++", "||", "oo")


def color_of(name):
    """Return the colour of a method.

    Parameters
    ----------
    name : str
        Name of the method. "LightGBM, small" has the colour of "LightGBM".

    Returns
    -------
    color : str
        Hexadecimal, the same for a name in every call and process.
    """
    return style_of(name).color


def style_of(name):
    """Return colour, marker, hatch and line of a method.

    Parameters
    ----------
    name : str
        Name of the method.

    Returns
    -------
    style : MethodStyle
        The same for a name in every call and process.
    """
    name = str(name)
    known = known_name(name)
    if known == name or name in _OTHER_NAMES:
        return _STYLES[known]
    number = crc32(name.encode())
    by_hash = _numbered(number)
    return by_hash if known is None else by_hash._replace(color=_STYLES[known].color)


def styles_of(names):
    """Return the style of each of several methods in one picture.

    The styles are those of :func:`style_of`, but a method of no known name whose
    colour is taken by another moves on to one that is used least, and variants of one
    method differ by marker, hatch and line. The order of the names does not matter.

    Parameters
    ----------
    names : iterable of str
        Names of the methods.

    Returns
    -------
    styles : dict of str to MethodStyle
        In the order of the names.
    """
    names = list(dict.fromkeys(map(str, names)))
    by_claim = sorted(names, key=lambda name: (_claim(name), name))
    styles, colors = {}, Counter()
    for name in by_claim:
        style = style_of(name)
        if known_name(name) is None:
            first = crc32(name.encode())
            tried = [_numbered(first + step) for step in range(len(_COLORS))]
            # min takes the first of equals: the method's own, if it is free.
            style = min(tried, key=lambda each: colors[each.color])
        if _claim(name):
            style = _told_apart(style, styles.values())
        colors[style.color] += 1
        styles[name] = style
    return {name: styles[name] for name in names}


def _claim(name):
    """Return 0 for a name of the table, 1 for a variant of one, and else 2."""
    known = known_name(name)
    if known is None:
        return 2
    return int(known != name and name not in _OTHER_NAMES)


def _told_apart(style, others):
    """Return a style with marks that others of its color have least."""
    others = [other for other in others if other.color == style.color]
    for field, choices in (
        ("marker", _MARKERS),
        ("hatch", _HATCHES),
        ("linestyle", _DASHES),
    ):
        taken = Counter(getattr(other, field) for other in others)
        own = getattr(style, field)
        least = min((own, *choices), key=lambda choice: taken[choice])
        style = style._replace(**{field: least})
    return style


def is_ours(name):
    """Return whether a method is the Preference Score, as published or as it comes."""
    known = known_name(name)
    return known is not None and known.startswith("PS")


def known_name(name):
    """Return the name in the table that a name is or starts with, or None.

    "CatBoost PairLogit" and "LightGBM, small" start with names of the table; "PSNR"
    does not, for a name ends at a space or a comma.
    """
    name = str(name)
    for known in sorted((*_STYLES, *_OTHER_NAMES), key=len, reverse=True):
        if re.match(re.escape(known) + r"($|[\s,(:])", name):
            return _OTHER_NAMES.get(known, known)
    return None


def _numbered(number):
    """Return the style of a number: colours change fastest."""
    rest = number // len(_COLORS)
    return MethodStyle(
        _COLORS[number % len(_COLORS)],
        _MARKERS[rest % len(_MARKERS)],
        _HATCHES[rest % len(_HATCHES)],
        _DASHES[rest % len(_DASHES)],
    )
