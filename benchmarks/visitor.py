"""A visitor without a browser: speaks to a Streamlit server as a page does, and sees what it would show."""

import contextlib
import hashlib
import io
import json
import os
import random
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import parse_qsl, urlencode

import numpy as np
import requests
from PIL import Image
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.sync.client import connect

ROOT = Path(__file__).parent.parent
PATIENCE = 180  # seconds after which an answer counts as none
OFFLINE = ("texture_resnet", "texture_vit", "efficientnet_lite0", "photo_vit")
PICTURES = "sightlines.viewer", "sightlines.tiles", "sightlines.sheet"
LEFT_ALONE = ("Seed", "Weights", "Play", "Model A", "Model B", "Picture")


@contextlib.contextmanager
def server(*options: str, script: Path = ROOT / "streamlit_app.py", **environment: str):
    """A server of its own, on a free port; gives its address and its process."""
    port = free_port()
    command = [sys.executable, "-m", "streamlit", "run", script.name, "--server.headless", "true"]
    process = subprocess.Popen(
        [*command, "--server.port", str(port), *options],
        cwd=script.parent,
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
    )
    try:
        wait_for(port)
        yield f"localhost:{port}", process
    finally:
        process.kill()
        process.wait()


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def wait_for(port: int, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while True:
        try:
            return socket.create_connection(("localhost", port), timeout=1).close()
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)


def megabytes(pid: int, field: str = "VmHWM") -> int:
    """A process's resident memory, or its peak, from Linux."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1]) // 1024
    return 0


class Visitor:
    """One session: what it sees, by place on the page, and what it has set."""

    def __init__(self, address: str, link: str = "", page: str = ""):
        self.address = address
        self.shown: dict[tuple, tuple[str, object, str]] = {}  # place -> kind, element, fragment
        self.set: dict[str, WidgetState] = {}
        self.link = dict(parse_qsl(link))
        self.pages: dict[str, str] = {}  # the address of each -> its hash
        self.pictures: dict[str, str] = {}  # address -> digest of what lies there
        self.page, self.session_id = page, ""
        self.settings = None  # those of the server that a page is told of
        self.http = requests.Session()
        self.connected = contextlib.ExitStack()
        self.connect()

    def connect(self) -> None:
        """As a browser: first it asks whether somebody is there, who may give it a cookie."""
        self.http.get(f"http://{self.address}/_stcore/health", timeout=PATIENCE).raise_for_status()
        held = "; ".join(f"{name}={value}" for name, value in self.http.cookies.items())
        how = {"subprotocols": ["streamlit"], "max_size": None, "open_timeout": PATIENCE}
        how["additional_headers"] = {"Cookie": held}
        opened = connect(f"ws://{self.address}/_stcore/stream", **how)
        self.socket = self.connected.enter_context(opened)
        for told in opened.response.headers.get_all("Set-Cookie") if opened.response else ():
            name, _, value = told.partition(";")[0].partition("=")
            self.http.cookies.set(name, value)

    def close(self) -> None:
        self.connected.close()
        self.http.close()

    def open(self) -> float:
        return self._ask(page_name=self.page)

    def visit(self, page: str) -> float:
        """A click on another page; answers in seconds, as all of these."""
        self.page = page
        return self._ask()

    def change(self, element, value, fragment: str = "") -> float:
        """Set a widget, as ``options`` offers it."""
        state = WidgetState(id=element.id)
        kind = type(element).__name__
        if kind in ("Selectbox", "Radio"):
            state.string_value = value
        elif kind in ("Slider", "NumberInput", "Checkbox"):
            if kind == "Checkbox":
                state.bool_value = value
            elif kind == "NumberInput":
                state.double_value = value
            elif element.options:
                state.string_array_value.data.append(value)
            else:
                state.double_array_value.data.append(value)
        elif kind in ("ButtonGroup", "MultiSelect"):
            state.string_array_value.data.extend(value if isinstance(value, list) else [value])
        elif kind == "BidiComponent":
            state.id = f"$$STREAMLIT_INTERNAL_KEY_{element.id}__events"
            event, said = value
            state.json_trigger_value = json.dumps([{"event": event, "value": said}])
            return self._ask(state, fragment=fragment)
        elif kind == "Button":
            state.trigger_value = True
            return self._ask(state, fragment=fragment)
        self.set[element.id] = state
        return self._ask(fragment=fragment)

    def put(self, name: str, data: bytes):
        """Send a file to the upload address, claimed by no widget: where it lies, and the server's answer."""
        message = BackMsg()
        message.file_urls_request.request_id = "upload"
        message.file_urls_request.file_names.append(name)
        message.file_urls_request.session_id = self.session_id
        self.socket.send(message.SerializeToString())
        urls = next(self._messages("file_urls_response")).file_urls_response.file_urls[0]
        self.http.get(f"http://{self.address}/_stcore/health")  # brings the cookie
        token = self.http.cookies.get("_streamlit_xsrf", "")
        answer = self.http.put(
            f"http://{self.address}{urls.upload_url}",
            files={"file": (name, data)},
            headers={"X-Xsrftoken": token},
        )
        return urls, answer

    def upload(self, name: str, data: bytes) -> float:
        """Bring a picture of one's own."""
        uploader = next(element for kind, element, _ in self.shown.values() if kind == "file_uploader")
        urls, answer = self.put(name, data)
        answer.raise_for_status()
        state = WidgetState(id=uploader.id)
        info = state.file_uploader_state_value.uploaded_file_info.add(
            name=name, size=len(data), file_id=urls.file_id
        )
        info.file_urls.CopyFrom(urls)
        self.set[uploader.id] = state
        return self._ask()

    def _messages(self, kind: str = ""):
        end = time.monotonic() + PATIENCE
        while True:
            message = ForwardMsg.FromString(self.socket.recv(timeout=end - time.monotonic()))
            if not kind or message.WhichOneof("type") == kind:
                yield message

    def _ask(self, *triggers: WidgetState, fragment: str = "", page_name: str = "") -> float:
        """Send what was set, and take in all that comes until the page is complete."""
        ask = BackMsg()
        ask.rerun_script.widget_states.widgets.extend([*self.set.values(), *triggers])
        ask.rerun_script.query_string = urlencode(self.link)
        ask.rerun_script.fragment_id = fragment
        ask.rerun_script.page_script_hash = self.pages.get(self.page, "")
        ask.rerun_script.page_name = page_name
        start = time.monotonic()
        self.socket.send(ask.SerializeToString())
        fresh = self.shown
        for message in self._messages():
            kind = message.WhichOneof("type")
            if kind == "new_session":
                self.session_id = message.new_session.initialize.session_id or self.session_id
                self.settings = message.new_session.config
                fresh = dict(self.shown) if message.metadata.run.fragment_ids else {}
            elif kind == "navigation":
                self.pages = {p.url_pathname: p.page_script_hash for p in message.navigation.app_pages}
            elif kind == "page_info_changed":
                self.link = dict(parse_qsl(message.page_info_changed.query_string.lstrip("?")))
            elif kind == "delta":
                self._take(fresh, message)
            elif kind == "script_finished" and message.script_finished in (
                ForwardMsg.FINISHED_SUCCESSFULLY,
                ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY,
                ForwardMsg.FINISHED_WITH_COMPILE_ERROR,
            ):
                self.shown = fresh
                self._fetch()
                return time.monotonic() - start
        raise TimeoutError

    @staticmethod
    def _take(fresh: dict, message: ForwardMsg) -> None:
        place, delta = tuple(message.metadata.delta_path), message.delta
        kind = delta.WhichOneof("type")
        if kind == "new_transient":
            return
        for below in [other for other in fresh if other[: len(place)] == place]:
            del fresh[below]
        if kind == "new_element":
            name = delta.new_element.WhichOneof("type")
            fresh[place] = name, getattr(delta.new_element, name), delta.fragment_id
        else:
            fresh[place] = "block", delta.add_block, delta.fragment_id

    def _fetch(self) -> None:
        """Get the pictures, as a browser does."""
        for kind, element, _ in self.shown.values():
            for image in element.imgs if kind == "imgs" else ():
                if image.url not in self.pictures:
                    answer = self.http.get(f"http://{self.address}{image.url}")
                    answer.raise_for_status()
                    self.pictures[image.url] = hashlib.sha256(answer.content).hexdigest()

    def forget_all(self) -> None:
        """Empty the server's caches, so that the next answers are computed anew."""
        self.socket.send(BackMsg(clear_cache=True).SerializeToString())
        time.sleep(0.5)

    # ------------------------------------------------------------ what it sees

    def elements(self, *kinds: str) -> list:
        return [element for kind, element, _ in self.shown.values() if kind in kinds]

    def errors(self) -> list[str]:
        found = [f"{e.type}: {e.message}" for e in self.elements("exception")]
        return found + [e.body for e in self.elements("alert") if e.format == e.Format.ERROR]

    def seen(self) -> dict[tuple, str]:
        """All that is on the page, by place: pictures by their content, everything else as it was sent."""
        result = {}
        for place, (kind, element, _) in self.shown.items():
            if kind == "imgs":
                words = [(self.pictures[image.url], image.caption) for image in element.imgs]
                result[place] = f"imgs {words}"
            elif kind == "html" and element.body.startswith("<style>"):
                continue  # room for parts that were drawn on the way, as many as there was time for
            elif kind not in ("progress", "empty", "block", "spinner") and not _of_the_tab(element):
                if kind == "download_button":
                    element.ClearField("deferred_file_id")  # a new one at each run
                content = element.SerializeToString(deterministic=True)
                result[place] = f"{kind} {hashlib.sha256(content).hexdigest()}"
        return result

    def view(self) -> dict:
        """What somebody sees and has chosen, whatever widgets were told on the way."""
        shown = {
            place: told
            for place, told in self.seen().items()
            if told.split()[0] in ("imgs", "markdown")
            or getattr(self.shown[place][1], "component_name", "") in PICTURES
        }
        return {"page": self.page, "link": self.link, "shown": shown}

    def options(self) -> list[tuple[object, list, str]]:
        """Widgets that can be changed, with values to choose from."""
        result = []
        for kind, element, fragment in self.shown.values():
            if getattr(element, "disabled", False) or getattr(element, "label", "") in LEFT_ALONE:
                continue
            values = []
            if kind == "selectbox":
                values = list(element.options)[:40]
            elif kind == "slider" and element.options:
                values = list(element.options)
            elif kind in ("slider", "number_input"):
                values = _steps(element)
            elif kind == "checkbox":
                values = [True, False]
            elif kind == "button_group" and element.click_mode == element.SINGLE_SELECT:
                values = [option.content for option in element.options]
            elif kind == "bidi_component":
                values = _said(element)
            if len(values) > 1:
                result.append((element, values, fragment))
        return sorted(result, key=lambda option: option[0].id)

    def widget(self, label: str):
        return next(
            (e for _, e, _ in self.shown.values() if getattr(e, "label", None) == label),
            None,
        )


def _of_the_tab(element) -> bool:
    """The part of a page that names its session."""
    return getattr(element, "component_name", "") == "sightlines.tab"


def _said(element) -> list[tuple[str, object]]:
    """What a component of the app may tell: a name that is picked, once the flips are over, or a place.

    Opacity, colours, scale, and flips among the maps at hand, tell nothing while they last.
    """
    name = element.component_name.removeprefix("sightlines.")
    places = [[x / 10, y / 10] for x in range(1, 10) for y in range(1, 10)]
    if name == "picker":
        told = json.loads(element.json)
        return [("picked", one) for one, *_ in told["names"]] if told["tells"] else []
    if name == "tiles":
        return [("picked", one) for one in json.loads(element.json)["names"]]
    if name == "sheet":
        return [("picked", index) for index, _ in enumerate(json.loads(element.json)["labels"])]
    if name == "viewer":
        length = int.from_bytes(element.bytes[:4], "little")
        pins = json.loads(element.bytes[4 : 4 + length])["pins"]
        return [("pinned", place) for place in places] if pins else []
    return []


def _steps(element) -> list[float]:
    if getattr(element, "has_min", True) is False or getattr(element, "has_max", True) is False:
        return []
    step = element.step or 1
    count = min(int((element.max - element.min) / step), 100)
    return [element.min + step * i for i in range(count + 1)]


def photograph(seed: int) -> bytes:
    """A JPEG unlike any other's: coloured blobs, of the size in which phones send pictures."""
    draw = np.random.default_rng(seed)
    coarse = Image.fromarray(draw.integers(0, 256, (8, 12, 3), np.uint8)).resize((1200, 800), 3)
    buffer = io.BytesIO()
    coarse.save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def act(visitor: Visitor, choose: random.Random) -> tuple[str, float]:
    """One thing that somebody might do next: what it was, and how long the answer took."""
    dice = choose.random()
    if dice < 0.25:
        page = choose.choice(sorted(visitor.pages))
        return f"page {page}", visitor.visit(page)
    if dice < 0.35 and (picker := visitor.widget("Picture")) is not None:
        value = choose.choice(list(picker.options))
        return f"picture {value}", visitor.change(picker, value)
    if dice < 0.40 and (picker := visitor.widget("Model A")) is not None:
        value = choose.choice(OFFLINE)
        return f"model {value}", visitor.change(picker, value)
    options = visitor.options()
    if not options:
        return "page", visitor.visit(sorted(visitor.pages)[0])
    element, values, fragment = choose.choice(options)
    value = choose.choice(values)
    label = getattr(element, "label", "") or element.id.rsplit("-", 1)[-1]
    return f"{visitor.page}: {label} = {value}", visitor.change(element, value, fragment)
