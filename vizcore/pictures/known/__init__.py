"""Pictures whose answer is known, of four kinds and one shape: a picture, and by name where each thing is.

Mosaics of photographs, cut-outs on a ground, pictures with a mask (a file of its own, or COCO's), and the
drawn textures next door. The same seed gives the same picture.
"""

from ..textures.scenes import Scene
from .coco import matched, read_coco
from .cutouts import cut, noise, place, read_cutout, round_cut
from .masks import check_masks, fitted, of_grid, read_mask, read_pairs, rectangle
from .mosaics import MARGIN, cells_whole, mosaic, mosaics, square

__all__ = [
    "MARGIN",
    "Scene",
    "cells_whole",
    "check_masks",
    "cut",
    "fitted",
    "matched",
    "mosaic",
    "mosaics",
    "noise",
    "of_grid",
    "place",
    "read_coco",
    "read_cutout",
    "read_mask",
    "read_pairs",
    "rectangle",
    "round_cut",
    "square",
]
