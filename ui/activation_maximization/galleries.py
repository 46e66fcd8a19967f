"""Which of the stored galleries is shown: that of the networks chosen, or whose it is is said."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from vizcore.imagine.gallery import Gallery, load_gallery, stored

from ..network_picker import Choice, title


@st.cache_resource(show_spinner=False)
def galleries() -> list[Gallery]:
    """All that there are."""
    return [load_gallery(of) for of in stored()]


def origins_of(found: Gallery) -> list[str]:
    """The networks whose pictures a gallery has."""
    return list(dict.fromkeys(origin for origin, _ in found.pictures))


def whose(choices: Sequence[Choice], galleries: Sequence[Sequence[str]]) -> tuple[int, list[str], str]:
    """Which gallery is shown, those of its networks that are chosen, and what to say of others.

    The gallery of the network that was chosen first, or the first one and all of it where none has pictures.
    """
    named = {
        title(one.name) if one.weights == "trained" else f"{title(one.name)} with other weights": None
        for one in choices
    }
    places = {name: k for name in named for k, origins in enumerate(galleries) if name in origins}
    shown = next(iter(places.values()), 0)
    chosen = [name for name, k in places.items() if k == shown]
    elsewhere = [name for name, k in places.items() if k != shown]
    words = [
        f"What {name} imagines are other classes: choose it as Model A to see them." for name in elsewhere
    ]
    others = [name for name in named if name not in places]
    if others:
        of = "of it" if len(others) == 1 else "of them"
        words.append(f"Nothing was imagined beforehand for {' and '.join(others)}.")
        if not chosen:
            words.append(f"These are pictures of {' and '.join(galleries[shown])}, which come with the app.")
        words.append(f"Pictures {of} are made in a minute.")
    return shown, chosen or list(galleries[shown]), " ".join(words)
