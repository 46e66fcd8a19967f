"""What home says first, asked of the networks and written into the box: python -m benchmarks first.

``ui/home/first_answers.npz`` holds it, with what it was made of: the picture, the weights, the libraries.
"""

import sys

import streamlit as st

from benchmarks.whole_app import whole_app
from ui import first_answers


def main(argv: list[str] | None = None) -> int:
    recorded = asked()
    print(f"wrote {first_answers.FILE}: {len(recorded)} answers, {first_answers.write() / 1e3:.0f} kB")
    first_answers.stop()
    return 0


def asked() -> dict:
    """Every answer that the first view of home needs, computed anew, by its question."""
    recorded = first_answers.record()
    st.cache_data.clear()
    with whole_app() as visit:
        at = visit("home", {})
    assert not at.exception, at.exception
    return recorded


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
