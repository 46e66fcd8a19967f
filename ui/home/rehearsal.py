"""What the first view of home asks of the server, done while the first browser still fetches the code."""

from __future__ import annotations

from .. import cards, choices, door, first_answers, going_on, saving, viewer  # noqa: F401  to be imported
from ..picture_picker import OPENING, sample
from . import doors, who_is_right  # noqa: F401


def rehearse() -> None:
    """Takes a third of a second, which the first visitor need not wait for."""
    first_answers.ready()
    sample(OPENING)
