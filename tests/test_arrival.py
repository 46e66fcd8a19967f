"""What hides a page until it is there: it goes into pages only, whole, and has ways to show them anyway."""

import asyncio

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from ui import arrival

PAGE = "<html><head><title>é</title></head><body>A page</body></html>"
BROWSER = {"accept": "text/html,*/*", "if-none-match": "x", "range": "bytes=0-3"}


def streamed(request):
    async def parts():
        for at in range(0, len(PAGE), 7):
            yield PAGE[at : at + 7]
            await asyncio.sleep(0)

    kept = [name for name in ("if-none-match", "range") if name in request.headers]
    headers = {"etag": "x", "x-kept": ",".join(kept)}
    return StreamingResponse(parts(), media_type="text/html", headers=headers)


@pytest.fixture
def client():
    routes = [Route("/", streamed), Route("/words", lambda _: PlainTextResponse(PAGE))]
    return TestClient(Starlette(routes=routes, middleware=[arrival.MIDDLEWARE]))


def test_a_page_has_it_in_its_head_and_is_else_as_it_was(client):
    answer = client.get("/", headers=BROWSER)
    assert answer.content == PAGE.encode().replace(b"</head>", arrival.HEAD + b"</head>")
    assert int(answer.headers["content-length"]) == len(answer.content)
    assert "etag" not in answer.headers, "it is of other bytes"
    assert answer.headers["x-kept"] == "", "a part of a page, or none, has no head"


@pytest.mark.parametrize(("path", "accept"), [("/words", "text/html"), ("/", "*/*")])
def test_what_no_browser_shows_as_a_page_is_left_alone(client, path, accept):
    assert client.get(path, headers={"accept": accept}).text == PAGE


def test_nothing_is_hidden_without_the_script():
    *looks, code = arrival.HEAD.decode().split("</style>")
    assert code.index("const show") > 0 and 'classList.add("arriving")' in code
    lines = "".join(looks).splitlines()
    selectors = [line.split("{")[0] for line in lines if "visibility: hidden" in line]
    assert selectors and all(one.startswith(".arriving ") for own in selectors for one in own.split(", "))
