"""The ranking target: its constructor, its fields, and how it is checked."""
