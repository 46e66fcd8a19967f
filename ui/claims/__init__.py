"""The page of two claims: what was measured beforehand, and the same on the picture at hand."""
