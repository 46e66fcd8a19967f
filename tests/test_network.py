"""The network goes away in the middle: a sentence, nothing broken left behind, and the next try works."""

import hashlib
import http.server
import threading
import time
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import save

from vizcore.networks import checkpoints
from vizcore.networks.catalog import CATALOG, Entry
from vizcore.networks.checkpoints import ModelError, torchvision_file, torchvision_state
from vizcore.networks.load import load_model
from vizcore.networks.torchvision_ops import timm

STATE = {"weight": torch.arange(50_000.0)}


class Hub(http.server.BaseHTTPRequestHandler):
    """Serves ``server.body``: whole, only its first half, or a proxy's page of HTML."""

    def do_HEAD(self):
        self.answer(False)

    def do_GET(self):
        self.answer(True)

    def answer(self, with_body: bool):
        body, mood = self.server.body, self.server.mood
        if mood == "html":
            body = b"<html><script>login()</script></html>"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", f'"{hashlib.sha256(self.server.body).hexdigest()}"')
        self.send_header("X-Repo-Commit", "0" * 40)
        self.send_header("Content-Type", "text/html" if mood == "html" else "application/octet-stream")
        self.end_headers()
        if with_body:
            self.wfile.write(body[: len(body) // 2] if mood == "stops" else body)
        self.close_connection = True

    def log_message(self, *_args):
        pass


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """A hub on this machine, and empty caches."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    server.body, server.mood = b"", "whole"
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setattr(torch.hub, "_hub_dir", str(tmp_path / "torch"))
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", address)
    template = address + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr("huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE", template)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hf"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_XET", True)
    # it waits for a second before each of its five tries
    at_once = SimpleNamespace(**vars(time) | {"sleep": lambda _seconds: None})
    monkeypatch.setattr("huggingface_hub.file_download.time", at_once)
    yield SimpleNamespace(server=server, address=address, cache=tmp_path)
    server.shutdown()
    server.server_close()


def says(error) -> str:
    text = str(error.value)
    assert text.endswith(".") and "\n" not in text and "<" not in text and "Error" not in text
    assert "/tmp" not in text and "random weights" in text
    return text


def whole_files(folder) -> list:
    return [path for path in folder.rglob("*") if path.is_file() and path.stat().st_size > 10_000]


@pytest.mark.parametrize("mood", ["stops", "html"])
def test_a_download_from_torchvision_that_goes_wrong(hub, mood, tmp_path):
    path = tmp_path / "weights.pth"
    torch.save(STATE, path)
    hub.server.body, hub.server.mood = path.read_bytes(), mood
    url = f"{hub.address}/net-{hashlib.sha256(hub.server.body).hexdigest()[:8]}.pth"
    with pytest.raises(ModelError, match="could not be downloaded from 127.0.0.1") as error:
        torchvision_state(url, "AlexNet")
    assert says(error) and not torchvision_file(url).exists()
    hub.server.mood = "whole"
    assert torch.equal(torchvision_state(url, "AlexNet")["weight"], STATE["weight"])


@pytest.mark.parametrize("content", [b"", b"<html>", b"half"])
def test_a_half_written_file_in_torchvisions_cache(hub, content, tmp_path):
    path = tmp_path / "weights.pth"
    torch.save(STATE, path)
    hub.server.body = path.read_bytes()
    url = f"{hub.address}/net-{hashlib.sha256(hub.server.body).hexdigest()[:8]}.pth"
    torchvision_file(url).parent.mkdir(parents=True)
    torchvision_file(url).write_bytes(hub.server.body[:9000] if content == b"half" else content)
    hub.server.mood = "stops"
    with pytest.raises(ModelError, match="could not be downloaded") as error:
        torchvision_state(url, "AlexNet")
    assert says(error) and not torchvision_file(url).exists()
    hub.server.mood = "whole"
    assert torch.equal(torchvision_state(url, "AlexNet")["weight"], STATE["weight"])


@pytest.fixture
def tiny(monkeypatch):
    """A timm network of a megabyte whose weights are on the hub."""
    monkeypatch.setitem(CATALOG, "test_vit", Entry("Tiny ViT"))
    config = timm.get_pretrained_cfg("test_vit")
    assert config.hf_hub_id
    return timm.create_model("test_vit").state_dict()


@pytest.mark.parametrize("mood", ["stops", "html"])
def test_a_download_from_the_hub_that_goes_wrong(hub, tiny, mood):
    hub.server.body, hub.server.mood = save(tiny), mood
    with pytest.raises(ModelError) as error:
        load_model("test_vit", device="cpu")
    assert says(error) and not [path for path in whole_files(hub.cache) if path.suffix != ".incomplete"]
    hub.server.mood = "whole"
    model = load_model("test_vit", device="cpu")
    assert model.weights == "trained" and torch.equal(model.net.head.weight, tiny["head.weight"])


@pytest.mark.parametrize(
    "content", ["half", *(pytest.param(one, marks=pytest.mark.long) for one in ("html", "empty"))]
)
def test_a_broken_file_in_the_hubs_cache(hub, tiny, content):
    hub.server.body = save(tiny)
    load_model("test_vit", device="cpu")
    path = whole_files(hub.cache)[0].resolve()
    broken = {"half": hub.server.body[: len(hub.server.body) // 2], "html": b"<html>" * 9999, "empty": b""}
    path.write_bytes(broken[content])
    hub.server.mood = "html"
    with pytest.raises(ModelError) as error:
        load_model("test_vit", device="cpu")
    assert says(error)
    hub.server.mood = "whole"
    model = load_model("test_vit", device="cpu")
    assert torch.equal(model.net.head.weight, tiny["head.weight"])


def test_nobody_waits_for_a_hub_that_stops_answering(hub, monkeypatch):
    monkeypatch.setattr(checkpoints, "PROBE_SECONDS", 1)
    silent = http.server.socketserver.TCPServer(("127.0.0.1", 0), None, bind_and_activate=True)
    with silent, pytest.raises(ModelError, match="can't be reached") as error:
        torchvision_state(f"http://127.0.0.1:{silent.server_address[1]}/net-00000000.pth", "AlexNet")
    assert says(error)
