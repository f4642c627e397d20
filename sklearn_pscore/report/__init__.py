"""Four answers about a table of metrics and opinions, and a page to show them on."""

from sklearn_pscore.report._analyse import analyse
from sklearn_pscore.report._analysis import QUESTIONS, Analysis

__all__ = ["QUESTIONS", "Analysis", "analyse"]
