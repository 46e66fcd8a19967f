"""The address of a view: every widget that it holds, read at the start of a run and written at its end.

What a visitor has chosen is kept in the session, by the widgets' keys, for all pages; the address names what
differs from the defaults. Where the address isn't what was last written (a link, Back, Forward), it wins:
what it doesn't name returns to its default. It is written at most once for an action: Back undoes that one.

``keys`` has the table, of ``kinds`` of values; ``words`` turns values into an address and back; ``held`` is
what a session knows; ``follow`` reads and writes; ``widgets`` is for those who draw what is in the table.
"""

from .follow import again, in_step, left, lesson, link, page, reset, stop, write
from .widgets import complaints, drop, forget, forget_each, offer
from .words import LESSON, in_words

__all__ = [
    "LESSON",
    "again",
    "complaints",
    "drop",
    "forget",
    "forget_each",
    "in_step",
    "in_words",
    "left",
    "lesson",
    "link",
    "offer",
    "page",
    "reset",
    "stop",
    "write",
]
