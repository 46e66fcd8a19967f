"""Streamlit's own files: as Streamlit gives them, whole, and nothing else by the same way."""

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient
from streamlit.web.server.starlette.starlette_static_routes import create_streamlit_static_assets_routes

from ui import arrival
from ui.arrival import static_files

OWN = sorted((static_files.FOLDER / "static" / "js").glob("index.*.js"))[0].name
STYLE = sorted((static_files.FOLDER / "static" / "css").glob("*.css"))[0].name


@pytest.fixture
def client():
    def other(request):
        return PlainTextResponse("left alone")

    every = [Route("/{path:path}", other, methods=["GET", "HEAD", "POST"])]
    return TestClient(Starlette(routes=every, middleware=[static_files.MIDDLEWARE]))


@pytest.mark.parametrize("path", [f"/static/js/{OWN}", f"/static/css/{STYLE}"])
def test_a_file_is_as_streamlit_gives_it(client, path):
    told = TestClient(Starlette(routes=create_streamlit_static_assets_routes(None))).get(path)
    found = client.get(path)
    assert found.status_code == told.status_code == 200 and found.content == told.content
    for name in ("content-length", "cache-control"):
        assert found.headers[name] == told.headers[name]
    kinds = {one.headers["content-type"].partition(";")[0].partition("/")[2] for one in (found, told)}
    assert len(kinds) == 1, "a browser takes scripts of this kind alone"


@pytest.mark.parametrize(
    "path",
    [
        "/static/js/none.js",
        "/static/js/%2e%2e/%2e%2e/index.html",
        "/static/js/..%2f..%2findex.html",
        f"/static/js//{OWN}",
        f"/elsewhere/static/js/{OWN}",
        "/static/index.html",
        "/",
    ],
)
def test_all_else_is_left_alone(client, path):
    assert client.get(path).text == "left alone"


def test_what_is_asked_otherwise_is_left_alone(client):
    path = f"/static/js/{OWN}"
    assert client.post(path).text == "left alone"
    for name in ("range", "if-none-match", "if-modified-since"):
        assert client.get(path, headers={name: "x"}).text == "left alone"


def test_below_an_address_of_its_own(client, monkeypatch):
    monkeypatch.setattr(static_files.st, "get_option", lambda name: "/deep/down/")
    assert client.get(f"/deep/down/static/js/{OWN}").content != b"left alone"
    assert client.get(f"/static/js/{OWN}").text == "left alone"


@pytest.mark.parametrize(("meta", "names"), [("parts", static_files.PARTS), ("later", static_files.LATER)])
def test_the_parts_of_pages_are_streamlits_own_and_not_in_its_page(tmp_path, monkeypatch, meta, names):
    monkeypatch.setenv("SIGHTLINES_STUDIES", "here")
    page = (static_files.FOLDER / "index.html").read_text("utf-8")
    found = static_files.parts(names=names)
    scripts = static_files.FOLDER / "static" / "js"
    assert all((scripts / name).is_file() and name not in page for name in found)
    assert {name.partition(".")[0] for name in found} >= set(names)
    needed = {
        one for name in found for one in static_files._FROM.findall((scripts / name).read_text("utf-8"))
    }
    assert {name for name in needed if name not in page} <= set(found)
    assert f'<meta name="{meta}" content="{" ".join(found)}">' in arrival._parts()
    monkeypatch.delenv("SIGHTLINES_STUDIES")
    assert "later" not in arrival._parts() and arrival._parts().encode() in arrival.HEAD
    assert static_files.parts(tmp_path) == []
