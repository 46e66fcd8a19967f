"""Two processes behind the proxy: what it hides and adds, and a page whose process dies under it."""

import contextlib
import gzip
import os
import shutil
import socket
import subprocess
import threading
from pathlib import Path

import pytest
import requests
from playwright.sync_api import expect
from shared import new_tab, settled

from benchmarks.visitor import Visitor, free_port, wait_for
from vizcore.commands import serve

APP = Path(__file__).parent.parent / "streamlit_app.py"
LINK = "saliency?picture=Scales+in+cracks&a=texture_vit&b=texture_resnet&s_view=positive"


class Relay:
    """A port of its own before a server, which dies as a process does: every connection is broken at once."""

    def __init__(self, address: str):
        self.to = address.removeprefix("http://").rpartition(":")[2]
        self.open: list[socket.socket] = []
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port = self.listening.getsockname()[1]
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self.listening.accept()
                far = socket.create_connection(("localhost", int(self.to)))
                self.open += [near, far]
                for one, other in ((near, far), (far, near)):
                    threading.Thread(target=_pass, args=(one, other), daemon=True).start()

    def die(self) -> None:
        for one in [self.listening, *self.open]:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()


def _pass(one: socket.socket, other: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := one.recv(65536):
            other.sendall(data)
    with contextlib.suppress(OSError):
        other.shutdown(socket.SHUT_WR)


@pytest.fixture
def fleet(server, strict_server, tmp_path):
    """The proxy's address, and what is before each of its two processes, by the name in its cookie."""
    haproxy = shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin")
    if haproxy is None and not os.environ.get("CI"):
        pytest.skip("no HAProxy on this machine")
    workers = {f"w{n}": Relay(address) for n, address in enumerate((server, strict_server), 1)}
    lines = [f"    server {name} 127.0.0.1:{one.port} cookie {name}" for name, one in workers.items()]
    port = free_port()
    written = serve.filled(APP, f"bind 127.0.0.1:{port}", lines, "")
    (tmp_path / "haproxy.cfg").write_text(written)
    process = subprocess.Popen([haproxy, "-db", "-f", tmp_path / "haproxy.cfg"], stdout=subprocess.DEVNULL)
    try:
        wait_for(port)
        yield f"http://127.0.0.1:{port}", workers
    finally:
        process.kill()
        process.wait()
        for one in workers.values():
            one.die()


def test_what_the_proxy_hides_adds_and_keeps(fleet):
    address, _ = fleet
    page = requests.get(address, headers={"Accept": "text/html"}, timeout=10)
    assert page.status_code == 200 and page.cookies["worker"] in ("w1", "w2")
    told = page.headers
    assert "default-src 'self'" in told["Content-Security-Policy"]
    scripts = told["Content-Security-Policy"].split("script-src ")[1].split(";")[0]
    assert "unsafe" not in scripts and scripts.count("sha256-") == 2
    assert told["X-Frame-Options"] == "SAMEORIGIN" and "camera=()" in told["Permissions-Policy"]
    assert told["Referrer-Policy"] and told["X-Content-Type-Options"] == "nosniff" and "Server" not in told
    for hidden in ("metrics", "%6detrics", "agent/mcp", "agent/openapi.json", "Agent/interact", "agent"):
        for method in ("GET", "POST"):
            found = requests.request(method, f"{address}/_stcore/{hidden}", timeout=10)
            assert found.status_code == 404 and "set-cookie" not in found.headers, hidden
    assert requests.request("TRACE", address, timeout=10).status_code == 405
    large = requests.put(address, headers={"Content-Length": "300000000"}, timeout=10)
    assert large.status_code == 413
    script = page.text.split('src="./static/')[1].split('"')[0]
    for place in ("worker", "cache"):
        found = requests.get(
            f"{address}/static/{script}", headers={"Accept-Encoding": "gzip"}, timeout=10, stream=True
        )
        assert found.headers["Content-Encoding"] == "gzip" and len(gzip.decompress(found.raw.read())) > 10**5
        assert ("Age" in found.headers) == (place == "cache")


@pytest.fixture
def own_tab(browser):
    context = browser.new_context()
    yield new_tab(context)
    context.close()


def test_a_page_whose_process_dies_goes_on_with_the_other(fleet, own_tab):
    """Also a choice whose answer died with it is answered, and nothing that the page does is forbidden it."""
    address, workers = fleet
    own_tab.goto(f"{address}/{LINK}")
    own_tab.get_by_role("heading", level=1).wait_for()
    settled(own_tab)
    before = own_tab.url

    def held() -> str:
        return next(one["value"] for one in own_tab.context.cookies() if one["name"] == "worker")

    first = held()
    assert not own_tab.problems
    workers[first].die()
    expect(own_tab.locator("[data-testid=stApp]")).to_have_attribute(
        "data-test-connection-state", "CONNECTED"
    )
    settled(own_tab, 1)
    assert held() != first and own_tab.url == before
    assert own_tab.get_by_role("combobox", name="Picture", exact=True).input_value() == "Scales in cracks"
    own_tab.problems.clear()


def test_a_choice_that_the_address_did_not_hold_yet_is_taken_from_the_page(server):
    """As a browser that was handed to another process tells it: its widgets, and the address from before."""
    address = server.removeprefix("http://")
    with contextlib.closing(Visitor(address, "picture=Scales+in+cracks", "saliency")) as one:
        one.open()
        one.change(one.widget("Picture"), "Honeycomb in bands")
        shown, chosen, answered = dict(one.shown), dict(one.set), one.view()
    with contextlib.closing(Visitor(address, "picture=Scales+in+cracks", "saliency")) as other:
        other.shown, other.set = shown, chosen
        other.open()
        assert other.link["picture"] == "Honeycomb in bands" and other.view() == answered | {
            "page": "saliency"
        }


@pytest.mark.long
def test_no_page_needs_what_the_policy_forbids(fleet, own_tab):
    """Curves and matrices, a run's pictures, the brush: whatever a script brings to the page."""
    address, _ = fleet
    own_tab.add_init_script(
        "document.addEventListener('securitypolicyviolation', "
        "(one) => console.error(`policy ${one.blockedURI} ${one.violatedDirective}`))"
    )
    link = "picture=Scales+in+cracks&a=texture_vit&b=texture_resnet"
    presses = {"similarity": "Compare", "grad_cam": "Measure", "activation_maximization": "Imagine"}
    for page in sorted(path.stem for path in (APP.parent / "pages").glob("*.py")):
        more = "&m_part=Make+your+own&m_steps=16" if page.startswith("activation") else ""
        own_tab.goto(f"{address}/{page.removeprefix('home')}?{link}{more}")
        own_tab.get_by_role("heading", level=1).wait_for()
        settled(own_tab)
        if page in presses:
            own_tab.get_by_test_id("stMain").get_by_role("button", name=presses[page], exact=True).click()
            own_tab.wait_for_timeout(500)
            settled(own_tab, 1)
        if page == "similarity":
            expect(own_tab.get_by_test_id("stVegaLiteChart").locator("canvas, svg").first).to_be_visible()
    assert not [words for words in own_tab.problems if "policy" in words.lower()], own_tab.problems
