"""Losses over groups of packed items."""
