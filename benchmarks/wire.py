"""What a page sends to a browser, in messages and kilobytes: when it is opened, and for another class."""

import contextlib

from benchmarks.rows import Sent
from benchmarks.visitor import Visitor, server

FEW = "", "grad_cam", "saliency"  # with --quick; "" is home


class Counted(Visitor):
    """A visitor who counts what comes, over the socket and as pictures."""

    def connect(self) -> None:
        super().connect()
        self.messages = self.bytes = 0
        receive = self.socket.recv

        def counted(*args, **kwargs):
            data = receive(*args, **kwargs)
            self.messages, self.bytes = self.messages + 1, self.bytes + len(data)
            return data

        self.socket.recv = counted
        self.http.hooks["response"].append(self._fetched)

    def _fetched(self, answer, **_):
        self.bytes += len(answer.content)

    def since(self, messages: int = 0, size: int = 0) -> tuple[int, float]:
        """Messages and kilobytes since there were so many of each."""
        return self.messages - messages, (self.bytes - size) / 1000


def rows(quick):
    with server() as (address, _process):
        with contextlib.closing(Visitor(address)) as first:
            first.open()
            pages = [page for page in first.pages if not quick or page in FEW]
        for page in pages:
            with contextlib.closing(Counted(address, page=page)) as visitor:
                visitor.open()
                opened, another = visitor.since(), None
                if (picker := classes(visitor)) is not None:
                    before = visitor.messages, visitor.bytes
                    visitor.change(*picker)
                    another = visitor.since(*before)
                yield Sent(page or "home", opened, another)


def classes(visitor: Visitor):
    """What chooses a class, another one than is shown, and where it stands; None where a page has none."""
    for element, values, fragment in visitor.options():
        if getattr(element, "component_name", "") == "sightlines.picker":
            return element, values[-1], fragment
    return None
