"""Of the page Studies: which one is opened, and its table."""
