"""A run that nobody watches any more ends. Skipped where there is no Chromium, never in CI."""

import re
import time
from pathlib import Path

import pytest
from playwright.sync_api import expect
from shared import new_tab

LINK = "m_part=Make+your+own&m_steps=512&m_views=4&m_who=A&m_class=grid"
pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")


def process_of(address: str) -> Path:
    """The server's folder in /proc, found by its port."""
    port = address.rpartition(":")[2].encode()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if b"--server.port" in words and port in words:
            return folder
    raise LookupError(f"no process serves {address}")


def busy(process: Path) -> float:
    """Share of a core that it takes, over half a second."""

    def ticks() -> int:
        fields = (process / "stat").read_text().rpartition(")")[2].split()
        return int(fields[11]) + int(fields[12])  # user and system time, 100 a second

    before = ticks()
    time.sleep(0.5)
    return (ticks() - before) / 50


def falls_idle(process: Path, seconds: float = 8) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if busy(process) < 0.05:
            return True
    return False


def start(page, server):
    page.goto(f"{server}/activation_maximization?{LINK}")
    page.get_by_role("button", name="Imagine").click()
    page.get_by_alt_text(re.compile("imagines for grid")).first.wait_for()
    expect(page.get_by_text(re.compile(r"^[1-9]\d?%$"))).to_be_visible(timeout=60_000)


@pytest.mark.long
def test_closing_the_tab_or_leaving_the_page_ends_the_run(tab, server):
    process = process_of(server)
    page = new_tab(tab.context)
    start(page, server)
    assert busy(process) > 0.05
    page.close()
    assert falls_idle(process)

    page = new_tab(tab.context)
    start(page, server)
    assert busy(process) > 0.05
    page.get_by_role("link", name="Your own model").click()
    page.get_by_role("heading", name="Your own model").wait_for()
    assert falls_idle(process)
    page.close()
