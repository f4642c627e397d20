"""Data sets of the package as tables, with the role of each column."""

from enum import StrEnum


class DataSet(StrEnum):
    """Data sets by name."""

    thqa = "thqa"
    thqa_ntire = "thqa-ntire"
    challenge = "challenge"


def data_table(data, data_home=None):
    """Return a data set as the table that its file would be, and its roles.

    Parameters
    ----------
    data : DataSet
    data_home : Path or None, default=None

    Returns
    -------
    table : Table
    roles : Roles

    Raises
    ------
    ValueError, OSError
        If it is not at hand, as the loaders say.
    """
    import pandas as pd

    import sklearn_pscore.datasets as datasets
    from sklearn_pscore._tables.roles import Roles
    from sklearn_pscore._tables.table import Table

    if data == DataSet.challenge:
        bunch = datasets.make_head_challenge("talking", n_challenges=40, random_state=0)
        groups = bunch.groups_full
        kept = ~groups["donor"]
        names = {"group": "challenge", "item": "team", "preference": "opinion"}
        frame = _columns(groups[kept], names)
        frame["award"] = (bunch.groups["preference"][kept] > 0).astype(int)
        metrics = bunch.data[kept].reset_index(drop=True)
        roles = {"drop": ("award",)}
    elif data == DataSet.thqa_ntire:
        bunch = datasets.fetch_thqa_ntire(data_home=data_home)
        names = {"group": "prompt", "item": "talker", "preference": "mos"}
        frame = _columns(bunch.groups, names).assign(portrait=bunch.portraits)
        metrics, roles = bunch.data, {"block": "portrait"}
    else:
        bunch = datasets.fetch_thqa(data_home=data_home)
        names = {"group": "prompt", "item": "method", "preference": "mos"}
        frame = _columns(bunch.groups, names).assign(portrait=bunch.portraits)
        metrics, roles = bunch.data, {"block": "portrait"}
    frame = pd.concat([frame, metrics], axis=1)
    return Table(frame, f"data set {data.value}"), Roles(**names, **roles)


def arena_tables():
    """Return the items of a synthetic arena with their metrics, and its votes.

    Returns
    -------
    items, votes : DataFrame
        The last system has no vote.
    """
    import pandas as pd

    from sklearn_pscore.datasets import make_arena

    arena = make_arena(n_unseen=1, random_state=0)
    return pd.concat([arena.answers, arena.data], axis=1), arena.votes


def _columns(groups, names):
    import pandas as pd

    return pd.DataFrame({name: groups[field] for field, name in names.items()})
