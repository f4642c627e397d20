"""The figures that the paper prints, as data."""

from importlib.resources import files

import pandas as pd
from sklearn.utils import Bunch


def load_paper_results():
    """Load Tables 2 and 3 of the Preference Score paper as data.

    They are the printed figures of [1]_, for comparison. The metric values
    behind them are not public, so they cannot be computed again. `DESCR` names
    two places in which the figures do not fit the text or each other.

    Returns
    -------
    paper : Bunch
        With the attributes

        table_2 : DataFrame of shape (24, 5)
            Agreement with the human order: method (``"GT"``, ``"#Top1"``,
            ``"RS"``, ``"DT"``, ``"CB"``, ``"PS"``), track (``"talking"``,
            ``"listening"``), metric (``"MRR"``, ``"DCG"``; larger is better),
            mean, std. std is NaN where a single number is printed.
        table_3 : DataFrame of shape (35, 6)
            What the methods give to single solutions: track, item, award (True
            for the winner), method, mean, std. For ``"RS"`` smaller is better.
        importance : DataFrame of shape (2, 4)
            DCG before and after a feature is permuted: track, feature, dcg,
            dcg_permuted.
        DESCR : str
            Source, columns and remarks.

    See Also
    --------
    make_head_challenge : Data on which the same comparison can be run.

    References
    ----------
    .. [1] Zhou et al., "Learning and Evaluating Human Preferences for
       Conversational Head Generation", ACM MM 2023, arXiv:2307.10636.

    Examples
    --------
    >>> from sklearn_pscore.datasets import load_paper_results
    >>> table = load_paper_results().table_2
    >>> ps = table.query("method == 'PS' and track == 'talking' and metric == 'DCG'")
    >>> ps["mean"].item(), ps["std"].item()
    (10.075, 0.151)
    """
    folder = files(__package__)
    frames = {}
    for name in ("table_2", "table_3", "importance"):
        with folder.joinpath(f"paper_{name}.csv").open(encoding="utf-8") as stream:
            frames[name] = pd.read_csv(stream)
    DESCR = folder.joinpath("paper_results.rst").read_text(encoding="utf-8")
    return Bunch(**frames, DESCR=DESCR)
