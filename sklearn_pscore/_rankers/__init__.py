"""The estimators, and what only they use."""
