"""What estimators share: checked parameters, pickles, seeds, and their state."""
