"""Everything that imports torch and skorch; nothing else in the package does."""
