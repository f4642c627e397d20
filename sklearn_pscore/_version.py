"""The version of the package, for all that needs it and for pickles."""

__version__ = "0.1.0"
