"""Home as a newcomer sees it: the README's picture, ``docs/home.jpg``.

python -m benchmarks home
"""

import io
import sys
from pathlib import Path

from PIL import Image

from benchmarks.browser import chromium, find_chromium
from benchmarks.shifts import SIZES, opened
from benchmarks.visitor import server

FILE = Path(__file__).parent.parent / "docs" / "home.jpg"
SIZE = (1200, 750)  # of the picture


def main(argv: list[str] | None = None) -> int:
    path = find_chromium()
    if path is None:
        sys.exit("There is no Chromium on this machine: apt-get install chromium.")
    with server() as (address, _process), chromium(path) as browser:
        page = opened(browser, f"http://{address}", "", SIZES["desk"])
        shown = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    shown.resize(SIZE, Image.Resampling.LANCZOS).save(FILE, quality=85, optimize=True)
    print(f"wrote {FILE}")
    return 0
