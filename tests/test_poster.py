"""Posters: files that open, and a code that leads to the link."""

import io
import re
import shutil
import subprocess

import cv2
import numpy as np
import pytest
from PIL import Image

from ui import loops, posters
from vizcore.drawing import loop, poster, render

LINK = "http://127.0.0.1:8501/experiments?e_cover=9ac5f9." + "A" * 171 + "&v=3"


def read(array: np.ndarray) -> str:
    """What a code says, looked at from some distances: OpenCV doesn't read each at each size."""
    array = np.pad(array, ((40, 40), (40, 40), (0, 0)), constant_values=255)
    sizes = (array.repeat(times, 0).repeat(times, 1) for times in (1, 2, 3))
    return next(filter(None, (cv2.QRCodeDetector().detectAndDecode(one)[0] for one in sizes)), "")


@pytest.mark.parametrize("link", ["http://a.b/?x=1", LINK, LINK + "&e_guess=" + bytes(range(64, 124)).hex()])
def test_a_code_says_its_link_and_has_a_margin(link):
    code = poster.qr(link, 400)
    assert max(code.shape[:2]) <= 400 and code.shape[0] == code.shape[1] and read(code) == link
    module = np.flatnonzero((code[..., 0] < 128).any(1))[0] / 4  # four of them around it
    assert module >= 1 and (code[: int(4 * module)] == 255).all()


def test_what_a_code_has_no_room_for_is_refused():
    with pytest.raises(ValueError, match="1201 characters is too long"):
        poster.qr("x" * 1201, 400)
    with pytest.raises(ValueError, match="too few for a code"):
        poster.qr(LINK, 20)


@pytest.fixture(scope="module")
def page() -> np.ndarray:
    def draw(times):
        return np.full((300 * times, 451 * times, 3), 90, np.uint8)

    panels = [render.Panel(name, ["It says: cat 61%."], draw) for name in ("A cat", "X", "Y")]
    return poster.poster(panels, "Where?", ["Both maps point to where “cat” is. " * 4], LINK, "Sightlines")


def test_a_poster_is_a_page_whose_code_leads_to_the_view(page):
    assert page.shape == (poster.HEIGHT, poster.WIDTH, 3)
    assert read(page[-poster.STRIP - poster.MARGIN :, poster.WIDTH // 2 :]) == LINK
    assert (page[:60] == 255).all() and (page[:, :60] == 255).all() and (page[:, -60:] == 255).all()


def test_its_files_open(page, tmp_path):
    made = poster.files(page, "Where?", "A cat, and where “cat” is.")
    image = Image.open(io.BytesIO(made["png"]))
    assert image.format == "PNG" and (np.asarray(image) == page).all()
    assert image.info["dpi"] == pytest.approx((150, 150), abs=0.1)
    assert image.info["Description"] == "A cat, and where “cat” is."
    assert made["pdf"].startswith(b"%PDF") and made["pdf"].rstrip().endswith(b"%%EOF")
    if shutil.which("pdfinfo"):
        path = tmp_path / "poster.pdf"
        path.write_bytes(made["pdf"])
        said = subprocess.check_output(["pdfinfo", path], text=True)
        width, height = map(float, re.search(r"Page size: +([\d.]+) x ([\d.]+)", said).groups())
        assert re.search(r"Title: +Where\?\nSubject: +A cat, and where “cat” is\.", said)
        assert "Pages:           1" in said and (width, height) == pytest.approx((1190, 842), abs=2)


def test_the_page_s_poster_says_what_it_comes_to_and_holds_its_link(app, monkeypatch):
    made = []
    real = poster.poster

    def noted(panels, heading, words, link, note):
        made.append((len(panels), heading, words, link))
        return real(panels, heading, words, link, note)

    monkeypatch.setattr(poster, "poster", noted)
    monkeypatch.setattr(posters, "link", lambda: LINK)
    at = app("pages/home.py", picture="A spiral on bands", a="texture_resnet", b="texture_vit")
    assert not at.exception
    panels = dict(at.session_state["panels"])
    data = posters.file(panels, "Both **maps**.", LINK, "", "pdf")
    described = Image.open(io.BytesIO(posters.file(panels, "Both **maps**.", LINK, "", "png"))).info[
        "Description"
    ]
    assert all(
        one in described
        for one in ("A spiral on bands.", "Texture ResNet", "Texture ViT", "Both maps.", LINK)
    )
    del made[1:]
    assert data.startswith(b"%PDF") and made == [(3, made[0][1], ["Both maps."], LINK)]
    assert "evidence for" in made[0][1]
    films, offered = dict(at.session_state["films"]), []
    assert len(films) == 2
    loops.given(films, at.session_state["flips"], "home", lambda *button: offered.append(button))
    ((_, made_file, name, kind),) = offered
    film = Image.open(io.BytesIO(made_file()))
    assert (film.format, name, kind) == ("WEBP", "sightlines-home-loop.webp", "image/webp")
    flips = max(map(len, at.session_state["flips"]))
    assert film.n_frames == flips > 1 and film.width == 2 * 384 + loop.GAP
    said = film.getexif()[loop.DESCRIPTION]
    assert "Texture ResNet" in said and "Texture ViT" in said and "A spiral on bands" in said


def test_a_loop_plays_for_four_seconds_and_says_what_it_shows():
    frames = [np.full((60, 90, 3), 80 * k, np.uint8) for k in range(3)]
    film = Image.open(io.BytesIO(loop.loop(frames, ["one", "two " * 30, "three"], "What it is.")))
    assert film.n_frames == 3 and film.info["loop"] == 0 and film.getexif()[loop.DESCRIPTION] == "What it is."
    total = 0
    for k in range(3):
        film.seek(k)
        film.load()
        total += film.info["duration"]
        seen = np.asarray(film.convert("RGB"), int)
        assert abs(seen[:60].mean() - 80 * k) < 4 and seen[60:].max() > 200, "words on white below"
    assert 3000 <= total <= 5000
    with pytest.raises(ValueError, match="two frames or more"):
        loop.loop(frames[:1], ["one"], "")
