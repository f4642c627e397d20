"""Tables of files: read, with the role of each column, and written."""
