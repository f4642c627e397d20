"""Names of columns in messages: similar ones, many, and as they are shown."""

import difflib


def nearest(name, names):
    """Return the most similar of some names, None if none is similar."""
    lower = {each.lower(): each for each in names}
    found = difflib.get_close_matches(name.lower(), lower, 1)
    return lower[found[0]] if found else None


def listed(names, most=12):
    """Return names as text, the first of very many."""
    text = ", ".join(repr(name) for name in list(names)[:most])
    return f"{text} and {len(names) - most} more" if len(names) > most else text


def shown(name):
    """Return a name as one line of text that a terminal shows as it is."""
    text = str(name)
    if not text.strip():
        return "(no name)"
    return text if text.isprintable() else repr(text)[1:-1]
