"""A name, a checkpoint or a module becomes a ``VisionModel``."""
