"""A report: one file of HTML that needs no other."""

import base64
import hashlib
import os
from importlib.resources import files
from pathlib import Path

from markupsafe import Markup

from sklearn_pscore._folders import check_writable, whole_files
from sklearn_pscore._target.rows import count_rows
from sklearn_pscore._version import __version__
from sklearn_pscore.inspection._arguments import check_count
from sklearn_pscore.report._analyse import analyse
from sklearn_pscore.report._analysis import Analysis
from sklearn_pscore.report._page import answers_of, sections_of
from sklearn_pscore.report._table import checked_frame

_SUFFIXES = (".html", ".htm")


def write_report(
    path,
    X,
    groups,
    *,
    analysis=None,
    max_rows=1000,
    overwrite=False,
    **kwargs,
):
    """Write a report on a table of metrics and opinions: one file of HTML.

    It begins with the answers of :func:`analyse`, goes on with what they are drawn from,
    in tables and pictures, and ends with the settings and how to cite. The file holds
    all that it shows: a browser asks nobody for anything, and the page forbids it to. It
    has no date, so that the same table, settings and versions make the same bytes.

    Parameters
    ----------
    path : str or path-like
        File to write, ending in ".html". Its folder is made if it is not there.
    X : array-like or DataFrame of shape (n_samples, n_metrics)
        See :func:`analyse`.
    groups : structured ndarray of shape (n_samples,)
        See :func:`analyse`.
    analysis : Analysis or None, default=None
        Result of :func:`analyse` on the same rows; None makes it.
    max_rows : int, default=1000
        Rows of the table of items, the best of each group first.
    overwrite : bool, default=False
        Whether to replace a file that is there.
    **kwargs : dict
        Passed to :func:`analyse`, `title` and `random_state` for example; only without
        `analysis`.

    Returns
    -------
    path : Path
        The file, which is written as a whole or not at all.

    Raises
    ------
    FileExistsError
        If the file is there, and `overwrite` is False.
    OSError
        If nothing can be written to its folder.
    ValueError
        If the path does not end in ".html", or :func:`analyse` raises it. All before
        anything is fitted.

    See Also
    --------
    analyse : The answers without a page.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from sklearn_pscore import Groups, LinearPreferenceRanker
    >>> from sklearn_pscore.report import write_report
    >>> X = np.random.default_rng(0).normal(size=(120, 2))
    >>> groups = Groups.from_arrays(group=np.arange(120) // 4, preference=X[:, 0])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = write_report(
    ...         Path(folder, "report.html"),
    ...         X,
    ...         groups,
    ...         rankers={"linear": LinearPreferenceRanker()},
    ...     )
    ...     path.read_text(encoding="utf-8").splitlines()[0]
    '<!DOCTYPE html>'
    """
    check_count(max_rows, "max_rows", "write_report")
    path = check_report_path(path, overwrite=overwrite)
    if analysis is None:
        analysis = analyse(X, groups, **kwargs)
    else:
        _check_analysis(analysis, X, kwargs)
    page = render(analysis, X, max_rows)
    with whole_files(path.parent) as part:
        Path(part, path.name).write_text(page, encoding="utf-8", newline="\n")
    return path


def check_report_path(path, *, overwrite=False):
    """Return the path of a report; raise before any work if it cannot be written.

    Parameters
    ----------
    path : str or path-like
    overwrite : bool, default=False

    Returns
    -------
    path : Path
    """
    if not isinstance(path, (str, os.PathLike)):
        raise TypeError(
            f"path is {type(path).__name__}; expected the name of a file. Pass for example "
            'path="report.html".'
        )
    path = Path(path)
    if path.suffix.lower() not in _SUFFIXES:
        raise ValueError(
            f"path is {str(path)!r}; expected a file that ends in .html, which browsers "
            f"open. Pass {str(path.with_suffix('.html'))!r}."
        )
    if path.is_dir():
        raise IsADirectoryError(
            f"path {str(path)!r} is a folder; expected a file to write. Pass "
            f"{str(path / 'report.html')!r}."
        )
    if path.exists() and not overwrite:
        raise FileExistsError(
            f"path {str(path)!r} is there; expected a new file. Pass another path, or "
            "overwrite=True."
        )
    for folder in path.parents:
        if folder.exists() and not folder.is_dir():
            raise NotADirectoryError(
                f"path {str(path)!r} is in {str(folder)!r}, which is a file; expected a "
                "folder. Pass another path."
            )
    check_writable(path.parent)
    return path


def render(analysis, X, max_rows):
    """Return the text of the page of an analysis.

    Parameters
    ----------
    analysis : Analysis
    X : array-like or DataFrame of shape (n_rows, n_metrics)
    max_rows : int
        Rows of the table of items.

    Returns
    -------
    html : str
    """
    jinja2 = _jinja2()

    environment = jinja2.Environment(
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
    )
    # No line break between a number and its sign.
    environment.filters["whole"] = lambda text: text.replace(" %", "\u00a0%")
    script = _text_of("page.js")
    # Columns without a value are not in the analysis.
    names = list(analysis.curves.curves)
    return environment.from_string(_text_of("page.html.jinja")).render(
        title=analysis.title,
        summary=_summary(analysis.facts),
        answers=answers_of(analysis),
        sections=sections_of(analysis, checked_frame(X)[names], max_rows),
        version=__version__,
        policy=_policy(script),
        css=Markup(_text_of("page.css")),
        script=Markup(script),
    )


def _policy(script):
    """Return the page's policy: nothing is loaded, and this script alone may run.

    Styles may stand in the page, for those of SVG stand at its elements.
    """
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
        f"script-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )


def _summary(facts):
    kinds = [name for name in ("rows", "groups", "systems", "metrics") if name in facts]
    return ", ".join(f"{facts[name]} {name}" for name in kinds)


def _text_of(name):
    return files("sklearn_pscore.report").joinpath(name).read_text(encoding="utf-8")


def _check_analysis(analysis, X, kwargs):
    """Raise unless an analysis goes with the rows, and was not asked for anew."""
    if not isinstance(analysis, Analysis):
        raise TypeError(
            f"analysis is {type(analysis).__name__}; expected the result of analyse. Pass "
            "analyse(X, groups), or leave it out."
        )
    if kwargs:
        raise TypeError(
            f"write_report got an analysis and {sorted(kwargs)}, which are for a new one; "
            "expected one of the two. Leave them out, or the analysis."
        )
    n_rows = count_rows(X, "X")
    if len(analysis.y_score) != n_rows:
        raise ValueError(
            f"analysis is of {len(analysis.y_score)} rows but X has {n_rows}; expected one "
            "of the same rows. Pass the X and groups that analyse got."
        )


def _jinja2():
    try:
        import jinja2
    except ImportError as error:
        raise ImportError(
            "write_report needs jinja2, which is not installed. Install it with: pip "
            "install jinja2."
        ) from error
    return jinja2
