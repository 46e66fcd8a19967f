"""The saliency page's own."""
