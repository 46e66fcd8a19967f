"""The page Look inside's own."""
