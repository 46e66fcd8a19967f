"""How long a newcomer waits: from starting the server to the first photograph and the first feature maps."""

import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parent.parent


def main(argv):
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    options = ["streamlit_app.py", "--server.headless", "true", "--server.port", port]
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        page = playwright.chromium.launch(executable_path=chromium, args=arguments).new_page()
        start = time.monotonic()
        server = subprocess.Popen([sys.executable, "-m", "streamlit", "run", *options], cwd=ROOT)
        try:
            wait_for_port(int(port))
            print(f"server answers          {time.monotonic() - start:5.1f} s")
            page.goto(f"http://localhost:{port}")
            page.locator("[data-testid=stMain] img").first.wait_for()
            print(f"first photograph        {time.monotonic() - start:5.1f} s")
            page.locator(".frame img").nth(1).wait_for()
            print(f"feature maps of a CNN   {time.monotonic() - start:5.1f} s")
            page.locator(".frame img").nth(2).wait_for()
            print(f"both models             {time.monotonic() - start:5.1f} s")
            start = time.monotonic()
            page.reload()
            page.locator(".frame img").nth(2).wait_for()
            print(f"the same for the next visitor {time.monotonic() - start:5.1f} s")
        finally:
            server.terminate()
            server.wait(10)
    return 0


def wait_for_port(port, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            socket.create_connection(("localhost", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError(f"nothing listens on port {port} after {seconds} s")
