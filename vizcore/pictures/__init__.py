"""Untrusted bytes become pictures, every map comes back to their pixels; sets of them, and drawn ones."""
