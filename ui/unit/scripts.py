"""The lines of ``vizcore`` that make what is on a card again."""

from __future__ import annotations

from .. import code

CARD = """\
from PIL import Image
{imports}
model = {model}
pictures = {pictures}
own = heads(model)
group = {group!r}
*_, last = extremes(model, pictures, [group], heads=own)
figure = card(model, pictures, group, {unit!r}, last.found[group], own)
"""
UNIT = """\
from itertools import islice
import numpy as np
from PIL import Image
{imports}
model = {model}
*_, last = islice(maximise(model, [{wanted}], RECIPES[{recipe!r}], [{seed!r}]), {done!r})
figure = (last.best[0] * 255).round().byte().permute(1, 2, 0).cpu().numpy()
"""


def card(asked, pictures: str) -> str:
    """Of the pictures on a unit's card, a ``which_unit.Asked``; ``pictures`` makes the set."""
    body = CARD.format(
        imports="{imports}",
        model=code.model_of(asked.side.choice),
        pictures=pictures,
        group=asked.group,
        unit=asked.unit,
    )
    return body.replace("{imports}", code.needed(body), 1) + code.SAVED


def unit_imagined(choice, wanted: str, recipe: str, seed: int, done: int) -> str:
    """Of what a unit imagines, an objective ``wanted``, after ``done`` steps."""
    told = {"wanted": wanted, "recipe": recipe, "seed": seed, "done": done}
    body = UNIT.format(imports="{imports}", model=code.model_of(choice), **told)
    return body.replace("{imports}", code.needed(body), 1) + code.SAVED
