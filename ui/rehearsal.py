"""What the first view of home asks of the server, done while the first browser still fetches the code."""

from __future__ import annotations

from . import (  # noqa: F401  only so that they are imported
    cards,
    choices,
    door,
    figures,
    first_answers,
    going_on,
    guide,
    header,
    over_picture,
    saving,
    viewer,
)
from .picture_picker import OPENING, sample


def rehearse() -> None:
    """Takes a third of a second, which the first visitor need not wait for."""
    first_answers.ready()
    sample(OPENING)
