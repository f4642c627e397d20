"""Tables that reports are written of in tests: names that break pages, many systems."""

import numpy as np
import pandas as pd
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_pscore import Groups, LinearPreferenceRanker

LINEAR = {"linear": make_pipeline(StandardScaler(), LinearPreferenceRanker())}
QUICK = {"rankers": LINEAR, "n_refits": 5, "n_boot": 100}

ATTACK = "<img src=x onerror=alert(1)>"
LONG = "a_name_of_eighty_letters_that_no_browser_may_break_" + "x" * 29
SYSTEMS = (
    "</script><script>alert(1)</script>",
    "the \"best\" & 'only' one",
    "🎭 emoji, 漢字 and العربية",
    LONG,
    "{{ 7 * 7 }} {% if %}",
    "$x_i$ \\ two\nlines",
)
METRICS = (
    "<b>bold</b>",
    "sharp, 'really'",
    "</style>",
    f"{LONG[:-1]}y",
    "&amp; 100 %",
    "PS, defaults",
    "linear",
    "GT",
    "constant",
    "🎯",
)


def nasty_table(seed=0):
    """Return 30 groups of 6 systems and 10 metrics; names break out where they can.

    Some opinions are missing, one metric is constant, and one is missing in a fifth of
    the rows.
    """
    rng = np.random.default_rng(seed)
    n_rows = 30 * len(SYSTEMS)
    system = np.tile(np.arange(len(SYSTEMS)), 30)
    X = pd.DataFrame(rng.normal(size=(n_rows, len(METRICS))), columns=METRICS)
    X["constant"] = 3.0
    X[METRICS[1]] += system
    preference = X[METRICS[1]] - X[METRICS[0]] + 0.5 * rng.normal(size=n_rows)
    preference[rng.random(n_rows) < 0.1] = np.nan
    X.loc[rng.random(n_rows) < 0.2, "🎯"] = np.nan
    groups = Groups.from_arrays(
        group=[f"{ATTACK} {number}" for number in np.repeat(np.arange(30), 6)],
        preference=preference,
        item=np.array(SYSTEMS)[system],
    )
    return X, groups


def many_systems(n_systems=60, n_groups=25, n_metrics=8, seed=0):
    """Return groups of many systems, which have names of some length."""
    rng = np.random.default_rng(seed)
    n_rows = n_systems * n_groups
    system = np.tile(np.arange(n_systems), n_groups)
    names = [f"metric {i} of the table" for i in range(n_metrics)]
    X = pd.DataFrame(rng.normal(size=(n_rows, n_metrics)), columns=names)
    preference = X[names[0]] + 0.1 * system + rng.normal(size=n_rows)
    item = np.array([f"system-{i:02d} of the laboratory" for i in range(n_systems)])
    groups = Groups.from_arrays(
        group=np.repeat(np.arange(n_groups), n_systems),
        preference=preference,
        item=item[system],
    )
    return X, groups
