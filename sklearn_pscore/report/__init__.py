"""Four answers about a table of metrics and opinions, and a page to show them on."""

from sklearn_pscore.report._analyse import analyse
from sklearn_pscore.report._analysis import QUESTIONS, Analysis
from sklearn_pscore.report._write import write_report

__all__ = ["QUESTIONS", "Analysis", "analyse", "write_report"]
