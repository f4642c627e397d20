"""What a ranker learns from: judged and synthetic items."""
