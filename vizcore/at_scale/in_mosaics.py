"""Known answers in a study: does a map for a picture's class find the picture in a mosaic of four?

Böhle et al. (CVPR 2021). The other three are of other classes; which ones depends on the picture's number and
on the list alone. A map that doesn't care what it is asked for is right in one of four.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from .. import truth
from ..pictures.frame import to_frame
from ..pictures.images import PictureError
from ..pictures.known.mosaics import cells_whole, mosaic
from ..pictures.textures.scenes import Scene
from .measures import How, Network, Picture, Row, asked_for, controls, plain
from .sources import Item

CELLS = 4
TRIED = 64  # pictures that are drawn at most, to find three of other classes that can be read


def around(number: int, image: Image.Image, items: Sequence[Item]) -> Scene | None:
    """A picture and three of other classes, none of one class; None where there are no such three."""
    kinds, found = {items[number].kind}, {items[number].name: image}
    for other in np.random.default_rng(number).integers(len(items), size=TRIED):
        item = items[other]
        if not item.kind or plain(item.kind) in map(plain, kinds):
            continue
        try:
            found[item.name] = item.read()
        except (PictureError, OSError):
            continue
        kinds.add(item.kind)
        if len(found) == CELLS:
            return mosaic(found, seed=number)
    return None


def known_answers(network: Network, picture: Picture, how: How) -> dict[str, Row]:
    """By method and control, whether a map for the folder's class lies in the picture's own cell.

    Nothing where the network has no such class, or doesn't see the cells whole.
    """
    wanted, scene = network.kinds.get(plain(picture.kind)), picture.mosaic
    if wanted is None or scene is None:
        return {}
    image = Image.fromarray(scene.picture)
    box = network.model.preprocess.box(image.size)
    if not cells_whole(box, image.width):
        return {}
    names = [name for name in how.methods if name not in network.left_out]
    found, _ = asked_for(network.model, network.model.preprocess(image), [wanted], names)
    heats = {name: maps[0] for name, maps in found.items()} | controls(network.model, picture.number)
    cell = torch.from_numpy(scene.masks[picture.name])
    return {
        name: marks(to_frame(heat, box, image.size), cell)
        for name, heat in heats.items()
        if heat.isfinite().all()
    }


def marks(framed: Tensor, cell: Tensor) -> Row:
    """Of one map (H, W); one that says nothing scores what chance does."""
    silent = not (framed.max() > 0 and framed.max() > framed.min())
    hit = float(cell.double().mean()) if silent else float(truth.pointing(framed, cell))
    return {"in_cell": hit, "cell_energy": truth.energy(framed, cell)}
