"""Sightlines' visualisation methods: tensors in, tensors out, and no web framework anywhere."""

__version__ = "0.1.0"
