"""What fit_dask refuses, and how it says so. The workers are threads of this process."""

import asyncio
import re
import subprocess
import sys

import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
from cases import SEED, quick
from dask_cases import (
    COLUMNS,
    TIMEOUT,
    cluster_of_threads,
    judged_table,
    local_cluster,
    parts_of,
    split,
)
from distributed import Client, LocalCluster
from numpy.testing import assert_array_equal
from sklearn.base import clone

import sklearn_pscore
from sklearn_pscore import Groups, RankSumRanker
from sklearn_pscore._dask.cluster import check_versions


@pytest.fixture(scope="module")
def client():
    with cluster_of_threads() as client:
        yield client


@pytest.fixture
def frame():
    return judged_table(n_groups=20)


@pytest.fixture
def ddf(frame):
    return split(frame, [60, 60])


def fit(ddf, ranker=None, **kwargs):
    ranker = quick(random_state=SEED) if ranker is None else ranker
    return ranker.fit_dask(ddf, **{**COLUMNS, "timeout": TIMEOUT, **kwargs})


def assert_refused(kind, message, ddf, **kwargs):
    """Check that a fit is refused in these words, and the ranker stays unfitted."""
    ranker = kwargs.pop("ranker", quick(random_state=SEED))
    before = dict(vars(ranker))
    with pytest.raises(kind, match=re.escape(message)):
        fit(ddf, ranker, **kwargs)
    assert vars(ranker) == before


@pytest.mark.parametrize("kind", ["DataFrame", "Array"])
def test_other_methods_take_no_table_of_dask(kind, frame, ddf):
    """They would take it into memory, which may be too small for it."""
    names = [name for name in frame if name.startswith("metric")]
    groups = Groups.from_frame(frame, group="prompt", preference="opinion")
    ranker = quick(max_epochs=1).fit(frame[names], groups)
    table = ddf[names]
    if kind == "Array":
        table = table.to_dask_array(lengths=True)
    expected = f"X is a dask {kind}; expected a table of numbers in memory"
    for learner in (clone(ranker), RankSumRanker(directions="larger")):
        with pytest.raises(TypeError, match=expected):
            learner.fit(table, groups)
    for call in (ranker.score, ranker.rank):
        with pytest.raises(TypeError, match=expected):
            call(table, groups)
    with pytest.raises(TypeError, match=re.escape("Pass what its compute() returns; ")):
        ranker.predict(table)


def test_no_client_and_no_cluster(ddf):
    expected = (
        "found no client of a Dask cluster; expected one. Make it by client = Client("
    )
    assert_refused(ValueError, expected, ddf)


def test_a_cluster_without_workers(ddf):
    with local_cluster(n_workers=0, processes=False, protocol="tcp://") as empty:
        expected = "has had no worker for 0.5 s"
        assert_refused(ValueError, expected, ddf, timeout=0.5, client=empty)


@pytest.mark.parametrize(
    ("timeout", "kind", "message"),
    [
        (0, ValueError, "timeout is 0; expected seconds above 0"),
        (-1.5, ValueError, "timeout is -1.5; expected seconds above 0"),
        (np.inf, ValueError, "timeout is inf; expected seconds above 0"),
        (np.nan, ValueError, "timeout is nan; expected seconds above 0"),
        (None, TypeError, "timeout is None, of type NoneType; expected seconds"),
        ("300", TypeError, "timeout is '300', of type str; expected seconds"),
        (True, TypeError, "timeout is True, of type bool; expected seconds"),
    ],
)
def test_timeouts_that_are_none(ddf, timeout, kind, message):
    assert_refused(kind, message, ddf, timeout=timeout)


def test_clients_that_are_none(client, ddf):
    cluster = client.cluster
    expected = "client is of type LocalCluster; expected a dask.distributed.Client"
    assert_refused(TypeError, expected, ddf, client=cluster)
    other = Client(cluster, set_as_default=False)
    other.close()
    expected = "client is closed; expected one that is connected to a cluster"
    assert_refused(ValueError, expected, ddf, client=other)


def test_an_asynchronous_client(frame):
    async def call():
        async with (
            LocalCluster(
                n_workers=1,
                processes=False,
                asynchronous=True,
                dashboard_address="127.0.0.1:0",
                host="127.0.0.1",
                protocol="tcp://",
            ) as cluster,
            Client(cluster, asynchronous=True, set_as_default=False) as other,
        ):
            fit(split(frame, [120]), client=other)

    with pytest.raises(TypeError, match="client is asynchronous"):
        asyncio.run(call())


def test_tables_that_are_none(client, frame):
    expected = (
        "ddf is of type pandas DataFrame; PairwisePreferenceRanker.fit_dask expected a"
    )
    assert_refused(TypeError, expected, frame, client=client)
    for value, name in (
        (frame.to_numpy(), "numpy ndarray"),
        (split(frame, [120])["prompt"], "dask Series"),
        ([frame], "list"),
    ):
        assert_refused(TypeError, f"ddf is of type {name}; ", value, client=client)


@pytest.mark.parametrize(
    ("columns", "kind", "message"),
    [
        (
            {"group": "speech"},
            ValueError,
            "ddf has no column 'speech', which group= names",
        ),
        ({"weight": "w"}, ValueError, "ddf has no column 'w', which weight= names"),
        ({"features": ["x"]}, ValueError, "ddf has no column 'x', which features[0]="),
        ({"features": []}, ValueError, "features is empty"),
        ({"features": "metric1"}, TypeError, "features='metric1' is a str"),
        ({"group": 3}, TypeError, "group is 3, of type int"),
        (
            {"group": "metric0"},
            ValueError,
            "column 'metric0', which group= names, holds f",
        ),
        (
            {"block": "metric0"},
            ValueError,
            "column 'metric0', which block= names, holds f",
        ),
        (
            {"preference": "text"},
            ValueError,
            "column 'text', which preference= names, h",
        ),
        ({}, ValueError, "column 'text' holds"),
    ],
)
def test_columns_that_cannot_be_used(client, frame, columns, kind, message):
    ddf = split(frame.assign(text="words"), [60, 60])
    assert_refused(kind, message, ddf, **columns, client=client)


def test_columns_of_one_name(client, frame):
    double = pd.concat([frame, frame[["metric1"]]], axis=1)
    assert_refused(
        ValueError,
        "2 columns of the name 'metric1'",
        split(double, [120]),
        client=client,
    )


def test_a_table_of_the_target_alone(client, frame):
    ddf = split(frame[[*COLUMNS.values()]], [120])
    assert_refused(
        ValueError, "expected at least one metric to learn from", ddf, client=client
    )


def test_partitions_with_other_columns(client, frame):
    parts = [frame.iloc[:60], frame.iloc[60:].drop(columns="metric2")]
    ddf = dd.from_map(lambda part: part, parts, meta=frame.iloc[:0])
    expected = "A partition of ddf has other columns than ddf says, or could not be"
    assert_refused(ValueError, expected, ddf, client=client)

    double = pd.concat([frame, frame[["metric1"]]], axis=1)[60:]
    ddf = dd.from_map(lambda part: part, [frame[:60], double], meta=frame.iloc[:0])
    expected = "partition 1 of ddf has 2 columns of the name 'metric1'; expected one of"
    assert_refused(ValueError, expected, ddf, client=client)

    ddf = dd.from_map(lambda part: None, [0, 1], meta=frame.iloc[:0])
    expected = (
        "or could not be made: TypeError: 'NoneType' object is not subscriptable;"
    )
    assert_refused(ValueError, expected, ddf, client=client)

    def fail(part):
        raise OSError("no such file")

    ddf = dd.from_map(fail, [0], meta=frame.iloc[:0])
    assert_refused(OSError, "no such file", ddf, client=client)


def test_partitions_of_another_kind(client, frame):
    other = frame.iloc[60:].assign(prompt=frame["prompt"].iloc[60:].astype(float))
    ddf = dd.from_map(lambda part: part, [frame.iloc[:60], other], meta=frame.iloc[:0])
    expected = "partition 1 of ddf: column 'prompt', which group= names, holds float64"
    assert_refused(ValueError, expected, ddf, client=client)


@pytest.mark.parametrize(
    ("field", "column"), [("group", "prompt"), ("block", "person")]
)
def test_labels_of_two_kinds(client, frame, field, column):
    frame = frame.assign(person=frame["prompt"] // 2).iloc[np.argsort(frame["prompt"])]
    parts = [frame.iloc[:60], frame.iloc[60:].astype({column: str})]
    ddf = dd.from_map(lambda part: part, parts, meta=frame.iloc[:0])
    assert_refused(
        ValueError,
        f"Column {column!r}, which {field}= names, holds strings on tcp://127.0.0.1:",
        ddf,
        block="person",
        client=client,
    )
    # What it says to do.
    as_text = ddf.assign(**{column: ddf[column].astype(str)})
    assert fit(as_text, block="person", client=client).n_groups_ == 20


@pytest.mark.parametrize("column", ["prompt", "opinion"])
def test_missing_labels_and_preferences(client, frame, column):
    frame = frame.astype({"prompt": str})
    frame.loc[70, column] = None
    field = {name: field for field, name in COLUMNS.items()}[column]
    expected = (
        f"partition 1 of ddf: column {column!r} is missing at row 10; expected a "
    )
    expected += (
        f"{field} in every row. Fill it in, or drop such rows by ddf = "
        f"ddf.dropna(subset=[{column!r}])."
    )
    ddf = split(frame, [60, 60])
    assert_refused(ValueError, expected, ddf, client=client)
    # What it says to do.
    ddf = ddf.dropna(subset=[column])
    assert fit(ddf, client=client).n_groups_ == 20


@pytest.mark.parametrize(
    ("make", "remedy"),
    [
        (lambda labels: labels > 3, "Convert the column by ddf['prompt'].astype(str)."),
        (pd.to_datetime, "Convert the column by ddf['prompt'].astype(str)."),
        (lambda labels: labels / 2, "drop such rows, and convert the column by ddf["),
    ],
    ids=["bool", "dates", "floats"],
)
def test_labels_of_other_kinds(client, frame, make, remedy):
    made = make(frame["prompt"])
    ddf = split(frame.assign(prompt=made), [60, 60])
    holds = (
        f"column 'prompt', which group= names, holds {made.dtype}; expected integers"
    )
    assert_refused(ValueError, holds, ddf, client=client)
    assert_refused(ValueError, remedy, ddf, client=client)


def test_infinite_metrics_and_where_they_are(client, frame):
    frame.loc[70, "metric1"] = np.inf
    expected = (
        "partition 1 of ddf: X contains infinity: inf at row 10, column 'metric1'"
    )
    assert_refused(ValueError, expected, split(frame, [60, 60]), client=client)
    expected = (
        "partitions 2 to 3 of ddf, their rows in a row: X contains infinity: inf at"
    )
    ddf = split(frame, [30, 30, 18, 42])
    assert_refused(ValueError, expected, ddf, client=client)


def test_huge_metrics(client, frame):
    frame.loc[70, "metric1"] = 1e300
    expected = "partition 1 of ddf: X holds 1e+300 in column 'metric1';"
    assert_refused(ValueError, expected, split(frame, [60, 60]), client=client)


def test_weights_that_are_too_far_apart(client, frame):
    # On two workers.
    frame["w"] = np.where(np.arange(120) < 60, 1e-9, 1e9)
    ddf, expected = (
        split(frame, [60, 60]),
        "weight is 1e-09 in one row and 1e+09 in anoth",
    )
    assert_refused(ValueError, expected, ddf, weight="w", client=client)


def test_infinite_opinions(client, frame):
    frame.loc[70, "opinion"] = np.inf
    expected = "partition 1 of ddf: preference is inf at row 10"
    assert_refused(ValueError, expected, split(frame, [60, 60]), client=client)


def test_a_group_on_two_workers_shows_the_remedy(client, frame):
    frame = frame.astype({"prompt": str})
    ddf = split(frame, [63, 57])
    label = frame["prompt"].iloc[61]
    expected = (
        f"Group {label} of column 'prompt' has rows on two workers, tcp://127.0.0.1:"
    )
    assert_refused(ValueError, expected, ddf, client=client)
    assert_refused(
        ValueError, "Call ddf = ddf.shuffle(on='prompt') first.", ddf, client=client
    )
    ranker = fit(ddf.shuffle(on="prompt"), client=client)
    assert ranker.n_groups_ == 20


def test_no_rows_and_no_pairs(client, frame):
    assert_refused(
        ValueError, "2 partitions and no rows", split(frame[:0], [0, 0]), client=client
    )
    for nothing, n_groups in (
        ({"opinion": 1.0}, 20),
        ({"prompt": range(120)}, 120),
        ({"w": 0.0}, 20),
    ):
        expected = (
            f"No comparable pairs in ddf: 120 rows in {n_groups} groups, none of which "
            "has two rows of different preference and of a weight above 0."
        )
        ddf = split(frame.assign(w=1.0).assign(**nothing), [60, 60])
        assert_refused(ValueError, expected, ddf, weight="w", client=client)


def test_parts_without_rows_and_pairs_change_nothing(client, frame):
    X, _ = parts_of(frame)
    alone = fit(split(frame, [120]), client=client)
    beside = fit(split(frame, [0, 120, 0, 0]), client=client)
    assert_array_equal(alone.predict(X), beside.predict(X))
    flat = frame.assign(opinion=0.0, prompt=frame["prompt"] + 1000)
    both = fit(split(pd.concat([frame, flat]), [120, 120]), client=client)
    assert both.n_groups_ == 20
    assert_array_equal(both.predict(X), alone.predict(X))


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("early_stopping", True, "early_stopping=True, but nothing is held out"),
        ("batch_norm", True, "batch_norm=True, but each worker would normalise"),
        ("order_bias", True, "order_bias=True, but it is not known there who or what"),
        ("output_activation", "relu6", "output_activation='relu6', but the BatchNorm"),
        ("callbacks", [("own", object())], "callbacks="),
        ("ties", "davidson", 'ties="davidson", which is for votes, and PairwisePref'),
        ("order_bias", True, "order_bias=True"),
    ],
)
def test_parameters_that_are_refused(client, ddf, name, value, message):
    if name == "callbacks":
        from skorch.callbacks import GradientNormClipping

        value = [GradientNormClipping(1.0)]
    ranker = quick(**{name: value})
    assert_refused(ValueError, message, ddf, ranker=ranker, client=client)


def test_going_on_is_refused(client, ddf, frame):
    ranker = quick(warm_start=True).fit(*parts_of(frame))
    assert_refused(
        ValueError,
        "warm_start=True, and there is a fitted",
        ddf,
        ranker=ranker,
        client=client,
    )
    assert fit(ddf, quick(warm_start=True), client=client).n_groups_ == 20


def test_a_missing_argument_is_explained(ddf):
    with pytest.raises(TypeError, match=r"Call fit_dask\(ddf, group=.* preference="):
        quick().fit_dask(ddf, qid="prompt")


def test_versions_of_workers_are_told():
    here = {"sklearn_pscore": "0.1.0", "torch": "2.13.0"}
    check_versions({"tcp://a": here, "tcp://b": here}, here)
    other = {"sklearn_pscore": "not installed", "torch": "2.13.0"}
    expected = (
        "The worker tcp://b has sklearn_pscore not installed, and this process has 0.1"
    )
    with pytest.raises(ValueError, match=re.escape(expected)):
        check_versions({"tcp://a": here, "tcp://b": other}, here)


def test_another_version_on_a_worker_is_refused(client, ddf, monkeypatch):
    from sklearn_pscore._rankers import dask

    here = dask.probe()()
    assert here["sklearn_pscore"] == sklearn_pscore.__version__
    monkeypatch.setattr(dask, "here", lambda: {**here, "torch": "2.4.0"})
    assert_refused(
        ValueError, f"has torch {here['torch']}, and this process", ddf, client=client
    )


def test_without_dask_the_extra_is_named():
    code = (
        "import sys; sys.modules['distributed'] = None\n"
        "from sklearn_pscore import PairwisePreferenceRanker\n"
        "try:\n"
        "    PairwisePreferenceRanker().fit_dask(None, group='g', preference='p')\n"
        "except ImportError as error:\n"
        "    print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert 'pip install "sklearn-pscore[dask]"' in done.stdout


def test_labels_may_be_categories(client, frame):
    text = frame.astype({"prompt": str})
    X, _ = parts_of(frame)
    sizes = [60, 60]
    scores = fit(split(text, sizes), client=client).predict(X)
    categories = text.astype({"prompt": "category"})
    again = fit(split(categories, sizes), client=client).predict(X)
    assert_array_equal(again, scores)
    of_floats = frame.astype({"prompt": float}).astype({"prompt": "category"})
    expected = "column 'prompt', which group= names, holds float64"
    assert_refused(ValueError, expected, split(of_floats, sizes), client=client)


def test_a_library_that_a_worker_lacks_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    from sklearn_pscore._dask.cluster import here

    assert here()["torch"] == "not installed"
