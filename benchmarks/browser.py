"""A real browser, without a window."""

import contextlib
import shutil


def find_chromium() -> str | None:
    """Where Chromium is on this machine; None where there is none."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@contextlib.contextmanager
def chromium(path: str):
    """Chromium as Playwright drives it, closed in the end."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        browser = playwright.chromium.launch(executable_path=path, args=arguments)
        yield browser
        browser.close()


def page_links(page):
    """The sidebar's links to the pages."""
    return page.locator("[data-testid=stSidebar] [data-testid=stPageLink] a")
