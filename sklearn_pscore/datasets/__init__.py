"""Data sets: real ones, synthetic ones, and the paper's own result tables."""

from sklearn_pscore.datasets._arena import make_arena
from sklearn_pscore.datasets._head_challenge import make_head_challenge
from sklearn_pscore.datasets._paper_results import load_paper_results
from sklearn_pscore.datasets._rail_votes import fetch_rail_votes
from sklearn_pscore.datasets._thqa import fetch_thqa
from sklearn_pscore.datasets._thqa_ntire import fetch_thqa_ntire

__all__ = [
    "fetch_rail_votes",
    "fetch_thqa",
    "fetch_thqa_ntire",
    "load_paper_results",
    "make_arena",
    "make_head_challenge",
]
