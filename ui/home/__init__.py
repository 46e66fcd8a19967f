"""The home page's own."""
