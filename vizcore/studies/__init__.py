"""Figures over many pictures."""
