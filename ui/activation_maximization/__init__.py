"""The activation maximisation page's own."""
