"""Data sets: one real, one synthetic, and the paper's own result tables."""

from sklearn_pscore.datasets._head_challenge import make_head_challenge
from sklearn_pscore.datasets._paper_results import load_paper_results
from sklearn_pscore.datasets._thqa import fetch_thqa

__all__ = ["fetch_thqa", "load_paper_results", "make_head_challenge"]
