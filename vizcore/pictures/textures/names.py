"""The twenty textures by name. One more is one function and one line here; its place is part of its seeds."""

from __future__ import annotations

from .bands import banded, chequered, grid, spiralled, zigzagged
from .cellular import crystalline, honeycombed, polka_dotted, scaly
from .lumps import bubbly, bumpy, sprinkled
from .stains import blotchy, cracked, marbled
from .threads import braided, cobwebbed, crosshatched, fibrous, woven

TEXTURES = {
    "banded": banded,
    "blotchy": blotchy,
    "braided": braided,
    "bubbly": bubbly,
    "bumpy": bumpy,
    "chequered": chequered,
    "cobwebbed": cobwebbed,
    "cracked": cracked,
    "crosshatched": crosshatched,
    "crystalline": crystalline,
    "fibrous": fibrous,
    "grid": grid,
    "honeycombed": honeycombed,
    "marbled": marbled,
    "polka-dotted": polka_dotted,
    "scaly": scaly,
    "spiralled": spiralled,
    "sprinkled": sprinkled,
    "woven": woven,
    "zigzagged": zigzagged,
}
LABELS = tuple(TEXTURES)
NOUNS = {  # what is seen of each in a picture
    "banded": "bands",
    "blotchy": "blotches",
    "braided": "braids",
    "bubbly": "bubbles",
    "bumpy": "bumps",
    "chequered": "chequers",
    "cobwebbed": "cobwebs",
    "cracked": "cracks",
    "crosshatched": "hatching",
    "crystalline": "crystals",
    "fibrous": "fibres",
    "grid": "grid",
    "honeycombed": "honeycomb",
    "marbled": "marbling",
    "polka-dotted": "polka dots",
    "scaly": "scales",
    "spiralled": "spiral",
    "sprinkled": "sprinkles",
    "woven": "weave",
    "zigzagged": "zigzags",
}
