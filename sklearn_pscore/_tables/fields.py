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
    "position",
)
"""Roles of a single column."""
