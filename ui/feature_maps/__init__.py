"""The feature maps page's own."""
