"""Your own model: the table of truth."""
