"""A lesson on paper: one page to fill in, and its answer key, from the same data."""

from __future__ import annotations

import base64
import html

from vizcore.drawing import render
from vizcore.drawing.poster import qr

from .lessons import Lesson

LOOKS = """
@page { size: A4; margin: 13mm 15mm; }
body { font: 10pt/1.35 system-ui, sans-serif; color: #111; max-width: 180mm; margin: 0 auto; }
header { display: flex; gap: 6mm; align-items: flex-start; justify-content: space-between; }
h1 { font-size: 16pt; margin: 0 0 1mm; } header p { margin: 0; } img { width: 24mm; image-rendering: pixelated; }
ol { padding-left: 6mm; margin: 3mm 0 0; } li { margin-bottom: 3mm; break-inside: avoid; } li p { margin: 0.6mm 0; }
.options span { margin-right: 6mm; white-space: nowrap; }
.line { border-bottom: 0.3mm solid #999; height: 6mm; } .right { font-weight: bold; } .small { color: #444; font-size: 8pt; }
"""  # noqa: E501


def worksheet(lesson: Lesson, link: str, key: bool = False) -> str:
    """A page of HTML, to print.

    Args:
        link: of the lesson's first step; "" where it isn't known. key: with the answers.
    """
    code = ""
    if link:
        picture = base64.b64encode(render.png(qr(link, 200))).decode()
        code = f'<img src="data:image/png;base64,{picture}" alt="A QR code of the lesson’s link">'
    steps = "".join(_step(step, key) for step in lesson.steps)
    title = html.escape(lesson.title) + (": answers" if key else "")
    blank = "" if key else "<p>Name ____________________  Date ____________</p>"
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><style>{LOOKS}</style>'
        f"<header><div><h1>{title}</h1><p>{html.escape(lesson.about)}</p>{blank}"
        f'<p class="small">{html.escape(link)}</p></div>{code}</header><ol>{steps}</ol></html>'
    )


def _step(step, key: bool) -> str:
    marks = [f"{'☑' if key and k == step.right else '☐'} {option}" for k, option in enumerate(step.options)]
    options = "".join(
        f'<span class="{"right" if key and k == step.right else ""}">{html.escape(one)}</span>'
        for k, one in enumerate(marks)
    )
    guess = f'<p class="options">{options}</p>' if options else "<p>(Mark it on the screen.)</p>"
    below = f"<p>{html.escape(step.answer)}</p>" if key else '<p>What did you see?</p><p class="line"></p>'
    asked = f"<p><b>{html.escape(step.question)}</b></p>"
    return f"<li><p>{html.escape(step.do)} Watch {html.escape(step.watch)}</p>{asked}{guess}{below}</li>"
