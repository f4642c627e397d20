"""Pictures of results, after scikit-learn's Display objects.

A display holds the numbers that it draws. ``plot`` draws them and keeps the
artists, so that everything about the picture can be changed afterwards.
matplotlib is imported when something is drawn, not before.
"""

from sklearn_pscore.plotting._importance import ImportanceDisplay
from sklearn_pscore.plotting._leaderboard import LeaderboardDisplay

__all__ = ["ImportanceDisplay", "LeaderboardDisplay"]
