"""The only reader of the real tables: features and target of each, all rows.

Tables are read from the data home, the folder that the environment variable
``SKLEARN_PSCORE_DATA`` names. Features come as they are, NaN where a metric is
missing. A target holds its blocks where these are coarser than groups, so that folds,
and all that a ranker holds out inside of them, go by them.
"""

import json
import os
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.datasets import load_svmlight_file

from sklearn_pscore import Groups
from sklearn_pscore.datasets._remote_file import DATA_HOME_VARIABLE

TABLES = {
    "HANNA, stories": "hanna",
    "FRANK, summaries": "frank",
    "simplifications": "simplicity_da",
    "CoNaLa, code": "conala_code",
    "speech codecs": "speech_codec",
    "HDR video": "avt_hdr",
    "TREC News, entities": "trec_news_2018",
    "car choice": "car_choice",
}
"""Tables of the folder ``agreement/`` by the name of their set."""

_CHOICE = "choice"
# Columns that tables have without a word in their description.
_ALSO_READ = {"item", "n_raters"}


def path_of(file):
    """Return the path of a file in the data home."""
    return Path(os.environ[DATA_HOME_VARIABLE]) / file


def is_there(file):
    """Return whether the data home is set and has a file."""
    return DATA_HOME_VARIABLE in os.environ and path_of(file).exists()


def read_realsumm():
    """Return the metrics of summaries, and their target: articles are groups."""
    table = pd.read_csv(path_of("realsumm/realsumm.csv"))
    groups = Groups.from_frame(
        table, group="group", preference="litepyramid_recall", item="item"
    )
    return table.drop(columns=["group", "item", "litepyramid_recall"]), groups


def read_swissmetro():
    """Return one row per way to travel, and the target: choices are groups.

    Features are time, cost, headway, seats, and which way it is; a person is a block.
    """
    table = pd.read_csv(path_of("swissmetro/swissmetro.csv"))
    constants = pd.get_dummies(table["item"], dtype=float)[["SM", "TRAIN"]]
    X = pd.concat([table[["tt", "co", "he", "seats"]].astype(float), constants], axis=1)
    groups = Groups.from_winners(
        group=table["group"], winner=table["chosen"], block=table["person"]
    )
    return X, groups


def read_queries(part):
    """Return documents and their target, of a part of LightGBM's example.

    Parameters
    ----------
    part : {"train", "test"}
    """
    folder = path_of("lightgbm_lambdarank")
    X, relevance = load_svmlight_file(str(folder / f"rank.{part}"), n_features=301)
    sizes = np.loadtxt(folder / f"rank.{part}.query", dtype=int)
    frame = pd.DataFrame(X.toarray()).add_prefix("x")
    group = np.repeat(np.arange(len(sizes)), sizes)
    return frame, Groups.from_arrays(group=group, preference=relevance)


def descriptions():
    """Return what ``agreement/sets.json`` says of each table, by its file's name."""
    return json.loads(path_of("agreement/sets.json").read_text("utf-8"))


def read_table(name):
    """Return features and target of a table that ``agreement/sets.json`` describes.

    Parameters
    ----------
    name : str
        Of the file, without its ending.

    Raises
    ------
    ValueError
        If the table is not what its description says: nothing is left out of it.
    """
    about = descriptions()[name]
    table = pd.read_csv(path_of(f"agreement/{name}.csv"))
    _check(name, table, about)
    known = {"group": table["group"], "item": table["item"]}
    if table.groupby(about["block"])["group"].nunique().max() > 1:
        known["block"] = table[about["block"]]
    if about["label"] == _CHOICE:
        groups = Groups.from_winners(winner=table[_CHOICE] > 0, **known)
    else:
        if "n_raters" in table:
            known["n_raters"] = table["n_raters"]
        groups = Groups.from_arrays(preference=table[about["label"]], **known)
    return table[about["metrics"]].astype(float), groups


def _check(name, table, about):
    """Refuse a table that is not what its description says."""
    named = {"group", about["block"], about["label"], *about["metrics"]}
    for what, odd in {
        "lacks": named - {*table.columns},
        "also holds": {*table.columns} - named - _ALSO_READ,
    }.items():
        if odd:
            raise ValueError(f"{name}.csv {what} the columns {sorted(odd)}.")
    sizes = {"rows": len(table), "groups": table["group"].nunique()}
    for what, found in sizes.items():
        if found != about[what]:
            raise ValueError(
                f"{name}.csv has {found} {what}; expected {about[what]}, as sets.json "
                "says."
            )
    n_blocks = table.groupby("group")[about["block"]].nunique(dropna=False)
    if n_blocks.max() > 1:
        raise ValueError(
            f"{name}.csv: group {n_blocks.idxmax()} is in {n_blocks.max()} blocks of "
            f"{about['block']!r}; expected all rows of a group in one block."
        )
    if table[about["label"]].isna().any():
        row = int(table[about["label"]].isna().argmax())
        raise ValueError(f"{name}.csv has no {about['label']!r} in row {row}.")
