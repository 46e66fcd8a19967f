"""Every method that says where, by name. A technique's file has its row, or rows; here they meet."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from torch import Tensor

from ..model import VisionModel
from ..pictures.frame import to_frame
from . import cam, fine_cam, gradients, integrated, legrad, occlusion, rollout, score_cam, smooth_grad
from .method import PARTS, Method

METHODS: dict[str, Method] = {
    **cam.ROWS,
    **fine_cam.ROWS,
    **score_cam.ROWS,
    **rollout.ROWS,
    **legrad.ROWS,
    **gradients.ROWS,
    **smooth_grad.ROWS,
    **integrated.ROWS,
    **occlusion.ROWS,
    **{  # parts of the gradient, as maps of their own
        f"{part} saliency": gradients.ROWS["gradient"]._replace(
            run=partial(gradients.ROWS["gradient"].run, part=part), page=""
        )
        for part in PARTS
    },
}
QUICK = [name for name, method in METHODS.items() if not method.slow]


def on_page(page: str) -> dict[str, Method]:
    """The methods that a page lists, by name."""
    return {name: method for name, method in METHODS.items() if method.page == page}


def cam_at(layer: str | None, method: str) -> Callable[[VisionModel, Tensor, int], Tensor]:
    """A method that is told a layer, at one: (model, images (1, 3, H, W), target) -> (h, w)."""
    return lambda model, images, target: METHODS[method].make(model, images, target, layer=layer)


def in_frame(model: VisionModel, image, heatmap: Tensor) -> Tensor:
    """A map over what the model sees of a picture, (h, w), in the picture's own pixels, (H, W)."""
    return to_frame(heatmap, model.preprocess.box(image.size), image.size)
