"""Pictures of results, as scikit-learn's Display objects.

A display holds the numbers that it draws. ``plot`` draws them and keeps the
artists, so that the picture can be changed afterwards. matplotlib is imported
by ``plot``, not before.
"""

from sklearn_pscore.plotting._importance import ImportanceDisplay
from sklearn_pscore.plotting._leaderboard import LeaderboardDisplay
from sklearn_pscore.plotting._learning_curve import RankingLearningCurveDisplay
from sklearn_pscore.plotting._loss_curve import LossCurveDisplay
from sklearn_pscore.plotting._metric_curves import MetricCurvesDisplay
from sklearn_pscore.plotting._reliability import ReliabilityDisplay
from sklearn_pscore.plotting._score_preference import ScorePreferenceDisplay
from sklearn_pscore.plotting._win_probability import WinProbabilityDisplay

__all__ = [
    "ImportanceDisplay",
    "LeaderboardDisplay",
    "LossCurveDisplay",
    "MetricCurvesDisplay",
    "RankingLearningCurveDisplay",
    "ReliabilityDisplay",
    "ScorePreferenceDisplay",
    "WinProbabilityDisplay",
]
