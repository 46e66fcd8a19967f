"""All that draws, under the one name that pages and the code that they show have for it."""

from .colours import (
    CLIPPED,
    CNN_COLOUR,
    COLOUR_MAPS,
    VIT_COLOUR,
    blend,
    centred,
    colourise,
    diverging,
    end_of_scale,
    from_black,
    legend,
    normalise,
    to_array,
)
from .encoding import jpeg, png
from .laying import KINDS, contour, lay, outline, overlay, tint
from .sheets import captioned, mosaic, sheet, tiles
from .slide import Panel, slide

__all__ = [
    "CLIPPED", "CNN_COLOUR", "COLOUR_MAPS", "KINDS", "VIT_COLOUR", "Panel", "blend", "captioned",
    "centred", "colourise", "contour", "diverging", "end_of_scale", "from_black", "jpeg", "lay",
    "legend", "mosaic", "normalise", "outline", "overlay", "png", "sheet", "slide", "tiles", "tint",
    "to_array",
]  # fmt: skip
