"""Maps of many methods for several classes of one picture, with the passes that they share made once.

The same maps as one by one: a study of hundreds of pictures takes a third of the time.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from ..model import VisionModel
from ..objectives import Target
from ..shapes import full, one_picture
from . import cam, fine_cam, gradients
from .method import PARTS, strongest, summed
from .table import METHODS

GUIDED = "guided backpropagation"
_OF_GRADIENT = {  # (K, 3, H, W) of the gradient, (1, 3, H, W) of the picture -> (K, H, W)
    "gradient": lambda pixels, _: strongest(pixels),
    "gradient × input": lambda pixels, images: summed(pixels * images),
    **{f"{part} saliency": lambda pixels, _, one=one: one(pixels) for part, one in PARTS.items()},
}


def parted(name: str) -> tuple[str, str | None]:
    """A method and the layer that it is told: "LayerCAM at blocks.4"; None where nothing is said of one."""
    kind, _, layer = name.partition(" at ")
    return kind, layer or None


def together(
    model: VisionModel, images: Tensor, targets: Sequence[Target], methods: Iterable[str]
) -> dict[str, Tensor]:
    """Each method's map for each of the targets; at the layer that it takes by itself where it is told one.

    Args:
        images: one picture, (1, 3, H, W). targets: K.
        methods: of ``METHODS``, that can be asked of the model; see ``parted`` for layers.

    Returns:
        By method, (K, h, w); of one that knows no class, K times the same.

    Raises:
        ValueError: as the methods do.
    """
    one_picture(images)
    methods = list(methods)
    shared: dict[str, Tensor] = {}
    for layer in dict.fromkeys(parted(name)[1] for name in methods):
        weighed = {parted(name)[0]: name for name in methods if parted(name)[1] == layer}
        kinds = [kind for kind in weighed if kind in cam.CAMS and METHODS[kind].knows_class]
        found = cam.several(model, images, targets, kinds, layer) if kinds else {}
        shared |= {weighed[kind]: maps[:, 0] for kind, maps in found.items()}
    if any(name in _OF_GRADIENT for name in methods):
        pixels, seen = gradients.gradients(model, images, targets), full(images)
        shared |= {name: make(pixels, seen) for name, make in _OF_GRADIENT.items() if name in methods}
    if fine_cam.NAME in methods:
        coarse = shared["Grad-CAM"][:, None] if "Grad-CAM" in shared else None
        shared[fine_cam.NAME] = fine_cam.fine_cams(model, images, targets, coarse)[:, 0]
    if GUIDED in methods:
        shared[GUIDED] = strongest(gradients.gradients(model, images, targets, guided=True))
    return {
        name: shared[name] if name in shared else _alone(model, images, targets, name) for name in methods
    }


def _alone(model: VisionModel, images: Tensor, targets: Sequence[Target], name: str) -> Tensor:
    kind, layer = parted(name)
    method, told = METHODS[kind], {"layer": layer} if layer else {}
    if method.knows_class:
        return torch.stack([method.make(model, images, target, **told) for target in targets])
    return method.make(model, images, **told)[None].expand(len(targets), -1, -1)
