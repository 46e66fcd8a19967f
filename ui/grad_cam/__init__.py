"""The Grad-CAM page's own."""
