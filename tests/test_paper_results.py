"""The figures of the paper, and the remarks that are made about them."""

import itertools

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sklearn_pscore.datasets import load_paper_results


def orders_dcg(n_items):
    """Return the DCG of every order of N items, keyed by the order of their gains."""
    discounts = 1 / np.log2(np.arange(2, n_items + 2))
    return {
        order: np.dot(order, discounts)
        for order in itertools.permutations(range(1, n_items + 1))
    }


def test_paper_tables_have_one_row_per_printed_figure():
    paper = load_paper_results()
    assert list(paper.table_2.columns) == ["method", "track", "metric", "mean", "std"]
    assert not paper.table_2.duplicated(["method", "track", "metric"]).any()
    assert len(paper.table_2) == 6 * 2 * 2
    assert not paper.table_3.duplicated(["track", "item", "method"]).any()
    assert len(paper.table_3) == (3 + 4) * 5
    for table in (paper.table_2, paper.table_3):
        assert table["mean"].dtype == table["std"].dtype == np.float64
        assert table["mean"].notna().all()
        repeated = table["method"].isin(["DT", "CB", "PS"])
        assert_array_equal(table["std"].notna(), repeated)
    assert paper.table_3["award"].dtype == bool
    winners = paper.table_3[paper.table_3["award"]].groupby("track")["item"].unique()
    assert winners["talking"].tolist() == ["ilearn"]
    assert winners["listening"].tolist() == ["Lyalunov"]


def test_paper_figures_are_the_printed_ones():
    paper = load_paper_results()
    wide = paper.table_2.pivot_table(
        index="method", columns=["track", "metric"], values=["mean", "std"], sort=False
    )
    assert wide["mean", "talking", "DCG"].to_dict() == {
        "GT": 10.27,
        "#Top1": 9.65,
        "RS": 9.75,
        "DT": 8.815,
        "CB": 9.925,
        "PS": 10.075,
    }
    assert wide["std", "listening", "MRR"].dropna().to_dict() == {
        "DT": 0.287,
        "CB": 0.256,
        "PS": 0.186,
    }
    lyalunov = paper.table_3.query("item == 'Lyalunov'").set_index("method")
    assert lyalunov["mean"].to_dict() == {
        "#Top1": 0,
        "RS": 36,
        "DT": 1.6,
        "CB": 1,
        "PS": 6,
    }
    assert paper.importance.to_dict("list") == {
        "track": ["talking", "listening"],
        "feature": ["AVConf", "PoseFD"],
        "dcg": [10.20, 13.02],
        "dcg_permuted": [8.05, 11.91],
    }


def test_paper_ground_truth_is_a_perfect_order_of_five_and_of_six():
    table = load_paper_results().table_2.query("method == 'GT' and metric == 'DCG'")
    printed = table.set_index("track")["mean"].to_dict()
    best = {n_items: max(orders_dcg(n_items).values()) for n_items in (5, 6)}
    assert printed == {"talking": round(best[5], 2), "listening": round(best[6], 2)}


def test_paper_remark_that_the_rank_sums_pair_is_impossible():
    orders = [o for o, dcg in orders_dcg(5).items() if abs(dcg - 9.75) <= 0.005]
    assert len(orders) == 1
    assert orders[0][0] == 4
    assert "second best item first" in " ".join(load_paper_results().DESCR.split())


@pytest.mark.parametrize(
    ("n_items", "printed", "n_runs"),
    [(5, (0.929, 0.175), 7), (6, (0.917, 0.186), 6)],
)
def test_paper_remark_that_five_runs_do_not_give_the_mrr(n_items, printed, n_runs):
    possible = set()
    for runs in range(2, 9):
        for ranks in itertools.combinations_with_replacement(
            range(1, n_items + 1), runs
        ):
            values = 1 / np.array(ranks)
            stds = values.std(), values.std(ddof=1)
            if any(np.allclose((values.mean(), s), printed, atol=5e-4) for s in stds):
                possible.add(ranks)
    assert possible == {(1,) * (n_runs - 1) + (2,)}
    assert f"{n_runs - 1} of {n_runs} runs" in load_paper_results().DESCR


def test_paper_levels_are_means_of_five_integers():
    table = load_paper_results().table_3.query("method in ['DT', 'CB']")
    for mean, std in zip(table["mean"], table["std"], strict=True):
        fits = any(
            np.allclose((np.mean(levels), np.std(levels)), (mean, std), atol=5e-3)
            for levels in itertools.combinations_with_replacement(range(7), 5)
        )
        assert fits, (mean, std)


def test_paper_results_are_fresh_on_every_call():
    table = load_paper_results().table_2
    table["mean"] = 0.0
    assert load_paper_results().table_2["mean"].min() > 0
