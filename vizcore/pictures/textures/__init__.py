"""Twenty textures drawn by code, in scenes that know where each texture is.

Every class is one short function that takes a ``Sketch`` (a random generator and the coordinates of the
frame) and returns a float picture. Lengths are in frames, not in pixels: a dot of radius 0.1 is a tenth of
the frame wide at any size. The names follow the Describable Textures Dataset (Cimpoi et al., CVPR 2014);
no photograph is used.

    scene = two("woven", "scaly", seed=3, size=128)
    scene.picture        # (128, 128, 3) uint8 RGB
    scene.masks["scaly"] # (128, 128) bool; the two masks partition the frame

`python -m vizcore.pictures.textures sheet.png` draws a contact sheet, one row a class.
"""

from .bands import banded, chequered, grid, spiralled, stripes, zigzagged
from .cellular import crystalline, honeycombed, polka_dotted, scaly
from .contact import contact_sheet
from .lattices import cells, hexagons, squares
from .lumps import bubbly, bumpy, sprinkled
from .mixing import edge, gradient, mix, times
from .names import LABELS, NOUNS, TEXTURES
from .scenes import Scene, distractor, on_distractor, photograph, region, single, two
from .sketch import KEYS, LUMA, TAU, F, Sketch
from .stains import blotchy, cracked, marbled
from .surfaces import lit, worn
from .threads import braided, cobwebbed, crosshatched, fibrous, woven

__all__ = [
    "F", "KEYS", "LABELS", "LUMA", "NOUNS", "TAU", "TEXTURES", "Scene", "Sketch", "banded", "blotchy",
    "braided", "bubbly", "bumpy", "cells", "chequered", "cobwebbed", "contact_sheet", "cracked",
    "crosshatched", "crystalline", "distractor", "edge", "fibrous", "gradient", "grid", "hexagons",
    "honeycombed", "lit", "marbled", "mix", "on_distractor", "photograph", "polka_dotted", "region",
    "scaly", "single", "spiralled", "sprinkled", "squares", "stripes", "times", "two", "worn", "woven",
    "zigzagged",
]  # fmt: skip
