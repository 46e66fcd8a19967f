"""The similarity page's own."""
