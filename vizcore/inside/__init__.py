"""Techniques that look inside: what single places say half-way, what a part is for, how far it looks."""
