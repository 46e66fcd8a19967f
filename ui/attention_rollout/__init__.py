"""The attention rollout page's own."""
