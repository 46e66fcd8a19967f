"""How long a Grad-CAM takes on a server while somebody else's activation maximisation runs there.

    python -m benchmarks isolation

Two sessions on one server. One asks for Grad-CAMs of a new class each, by turns with a run of the other going
on and without; an answer is complete when both maps and all that is below them have been fetched.
"""

import statistics
import sys
import threading
import time

from benchmarks.visitor import Visitor, server
from vizcore.pictures.textures import LABELS

LINK = "m_part=Make+your+own&m_steps=512&m_views=4&m_class=grid"
ROUNDS, QUESTIONS = 3, 3


def main(argv):
    taken = {"alone": [], "beside a run": []}
    with server() as (address, _process):
        asking = Visitor(address, "picture=A+spiral+on+bands", "grad_cam")
        asking.open()
        classes = asking.widget("Class asked for")
        asking.change(classes, LABELS[-1])
        names = iter(LABELS)
        for _ in range(ROUNDS):
            for words in taken:
                stop = begin_run(address) if words == "beside a run" else lambda: None
                for _ in range(QUESTIONS):
                    taken[words].append(asking.change(classes, next(names)))
                stop()
        asking.close()
    for words, seconds in taken.items():
        print(f"Grad-CAM {words:14}{statistics.median(seconds):6.2f} s, at most {max(seconds):.2f} s")
    alone, beside = (statistics.median(seconds) for seconds in taken.values())
    print(f"ratio                  {beside / alone:6.2f}")
    return 0


def begin_run(address):
    """A run in a session of its own, once it has begun; how to end it."""
    running = Visitor(address, LINK, "activation_maximization")
    running.open()

    def run() -> None:
        try:
            running.change(running.widget("Imagine"), True)
        except Exception as error:  # the tab is closed
            assert running.closing, error

    running.closing = False
    thread = threading.Thread(target=run)
    thread.start()
    time.sleep(2)

    def stop() -> None:
        running.closing = True
        running.close()
        thread.join()
        time.sleep(2)

    return stop


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
