"""A heatmap becomes a picture."""
