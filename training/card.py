"""The model card, written from the metrics."""
