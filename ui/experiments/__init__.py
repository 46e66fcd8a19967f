"""The experiments page's own: what people do to a picture with their own hands."""
