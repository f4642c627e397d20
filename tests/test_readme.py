"""The example of the README runs as it is printed."""

import re
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.utils import Bunch

from sklearn_pscore import Groups, PairwisePreferenceRanker, datasets, report

README = Path(__file__).parent.parent / "README.md"


def test_examples_run(monkeypatch, tmp_path, capsys):
    first, code, more, comparison = re.findall(
        r"```python\n(.*?)```", README.read_text(), flags=re.S
    )
    assert len([line for line in code.splitlines() if line.strip()]) == 15
    assert "print(dcg.mean())" in code
    names = {}
    exec(compile(code, str(README), "exec"), names)
    assert names["dcg"].shape == (5,)
    # A random order of 8 has a mean DCG of 4.5 times the sum of the discounts.
    discount = 1 / np.log2(np.arange(2, 10))
    perfect, chance = np.sum(np.arange(8, 0, -1) * discount), 4.5 * discount.sum()
    assert f"{perfect:.2f} is perfect, {chance:.2f} is chance" in code
    assert chance + 2 < names["dcg"].mean() < perfect
    assert names["ranks"].shape == (200,)
    assert names["ranks"].min() == 1.0
    exec(compile(more, str(README), "exec"), names)
    assert names["error"].shape == (200,)
    assert ((names["chances"] > 0) & (names["chances"] < 1)).all()
    worse = names["X"].assign(FID=names["X"]["FID"] + 1)
    assert (names["ranker"].predict(worse) <= names["score"] + 1e-9).all()

    with monkeypatch.context() as small:
        small.setattr(datasets, "fetch_thqa", small_thqa)
        small.chdir(tmp_path)
        exec(
            compile(comparison.replace('"cv": 5', '"cv": 2'), str(README), "exec"),
            names,
        )
        printed = capsys.readouterr().out
        assert [line.split()[0] for line in printed.splitlines()[-7:]] == [
            *names["rankers"],
            "chance",
        ]
        assert not list(tmp_path.iterdir())
        assert len([line for line in first.splitlines() if line.strip()]) <= 10
        one = {"PS": PairwisePreferenceRanker(max_epochs=5, n_members=2)}
        quick = partial(report.analyse, rankers=one, cv=2, n_refits=0)
        small.setattr(report, "analyse", quick)
        first = first.replace("(random_state=0)", "(random_state=0, max_epochs=5)")
        exec(compile(first, str(README), "exec"), {})
    printed = capsys.readouterr().out
    for text in ("P(beats next)", "direction", "PS", "confi"):
        assert text in printed
    assert (tmp_path / "thqa.html").read_text().lower().startswith("<!doctype html>")


# What takes long in the comparison, and what takes its place here.
QUICK = {
    '"cv": 5': '"cv": 2',
    "verbose=0": "verbose=0, iterations=5",
    "StackedRanker(),": 'StackedRanker([(c, LinearPreferenceRanker()) for c in "ab"]),',
}


def small_thqa():
    """Return a table like that of THQA, of six portraits."""
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(48, 2)), columns=["pi", "confi"])
    portraits = np.repeat(np.arange(6), 8)
    groups = Groups.from_arrays(
        group=np.arange(48) // 4,
        preference=X["confi"],
        item=np.arange(48) % 4,
        block=portraits,
    )
    return Bunch(data=X, groups=groups, portraits=portraits)


DOCUMENTS = ["README.md", "CONTRIBUTING.md"] + [
    f"docs/{path.name}" for path in sorted(README.parent.glob("docs/*.md"))
]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_lead_somewhere(document):
    path = README.parent / document
    for target in re.findall(r"\]\(([^)#]+)\)", path.read_text()):
        if not target.startswith("http"):
            assert (path.parent / target).exists(), target
