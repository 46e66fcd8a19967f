"""What a first visit asks, asked before anybody comes: in a process that takes over from one that died.

All the people of that one come at once, and the networks are there by then, with the answers that pages begin
with.
"""

from __future__ import annotations

import importlib
import pkgutil


def ask() -> None:
    """Import what any page imports, and ask both pairs in the box about the pictures that are met first."""
    import ui

    from . import answers, over_picture, picture_picker
    from .shared_networks import in_the_box
    from .thing_names import named

    for one in pkgutil.walk_packages(ui.__path__, "ui."):
        importlib.import_module(one.name)
    for title in (picture_picker.OPENING, next(iter(picture_picker.SCENES))):
        picture = picture_picker.sample(title)
        choices, models = in_the_box(picture.drawn)
        if picture.things:
            picture, _ = named(picture, [(choice, models[choice.slot]) for choice in choices])
        sides = answers.sides(picture, choices, models)
        for side in sides:
            over_picture.cams(side, picture, list(picture.masks))
