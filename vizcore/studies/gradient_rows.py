"""One row a picture: as the network sees it, its coloured gradients, its saliency."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch
from PIL import Image

from ..drawing import render
from ..methods.gradients import gradient
from ..methods.method import strongest
from ..model import VisionModel
from ..modes import in_any_mode
from ..scores import probabilities


@in_any_mode
def rows(
    model: VisionModel, pictures: Iterable[tuple[str, Image.Image]], target: int | None = None
) -> np.ndarray:
    """A row for each picture, as the network sees it: the picture, coloured gradients, greyscale saliency.

    Args:
        pictures: (title, picture).
        target: the class; each picture's most probable one if None.

    Returns:
        (H, W, 3) uint8. Zero is mid-grey in the second column and black in the third; each picture's scale is
        its own.
    """
    made = []
    for title, picture in pictures:
        images = model.preprocess(picture)
        with torch.no_grad():
            chances = probabilities(model.net, model.net(images))[0]
        index = int(chances.argmax()) if target is None else target
        pixels = render.to_array(gradient(model, images, index)[0])
        height, width = (max(1, 224 // min(images.shape[-2:])) * side for side in images.shape[-2:])
        left, top, right, bottom = map(round, model.preprocess.box(picture.size))
        seen = picture.convert("RGB").crop((left, top, right, bottom))
        grey, end = strongest(torch.from_numpy(pixels))[None].numpy(), render.end_of_scale(pixels)
        shown = [render.centred(pixels, end), render.from_black(grey, render.end_of_scale(grey))]
        tiles = [seen.resize((width, height), Image.Resampling.BICUBIC)]
        tiles += [Image.fromarray(one).resize((width, height), Image.Resampling.NEAREST) for one in shown]
        words = f"{title}: {model.label(index)} ({chances[index]:.0%})"
        made.append((words, [np.asarray(tile) for tile in tiles]))
    heads = ["as the network sees it", "gradient (0 is grey)", "saliency, max |gradient|"]
    caption = f"{model.title}, weights: {model.source}. Each row on its own scale."
    return render.sheet(made, heads, caption)
