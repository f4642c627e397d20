"""Names of the roles of columns, which options are known by before any table is."""

FIELDS = (
    "group",
    "preference",
    "winner",
    "item",
    "block",
    "weight",
    "raters",
    "spread",
)
"""Roles of a single column."""
