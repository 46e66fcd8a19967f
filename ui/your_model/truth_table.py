"""The table of truth for one's own networks and photographs: what is asked, and what came out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import streamlit as st
from PIL import Image

from vizcore import judgements
from vizcore.pictures import sets
from vizcore.pictures.images import PictureError

from .. import saving
from ..address import forget
from ..brought import is_brought
from ..jobs import job
from ..network_picker import Choice, uploads
from ..picture_picker import SAMPLES, sample
from ..plain import plain
from ..shared_networks import load, network
from ..uploads import PICTURES, uploader
from .asking import CONTROLS, Network, answers, unasked

state = st.session_state
LEAST, MOST = 4, 64  # photographs
UPLOAD_MB = 100
NOTHING, RESNET = "nothing", "ResNet-50, random weights"


def truth_table(choices: Sequence[Choice]) -> None:
    """The whole section: pictures, networks, the run, the table, the files."""
    st.header("Do the maps point to what is there?", anchor=False)
    st.markdown(
        "Photographs are put together four at a time, and each network is asked for each cell: by what it "
        "calls that photograph alone. Where the answer is, is then known. Every method is measured beside "
        "three maps that know nothing of the network: random, the centre, and the picture's edges."
    )
    found = _photographs()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        count = st.selectbox("Mosaics", [12, 24, 50, 100], key="t_n", width=120)
        seed = st.number_input("Seed", 0, 999, 0, key="t_seed", width=120)
        third = _third(choices)
        slow = st.toggle("Slow methods too", key="t_slow", help="Dozens of passes each: this takes long.")
    if found is None:
        return
    key, pictures = found
    networks = _networks(choices, third)
    if not networks:
        return
    methods = _methods(slow)
    question = (key, count, seed, slow, tuple(one.key for one in networks))
    steps = job(
        "t_run",
        question,
        lambda: answers(networks, pictures, int(count), int(seed), methods),
        lambda steps: _draw(networks, steps[-1]),
        "Measure",
        keep_all=False,
    )
    if steps and steps[-1].networks:
        _files(networks, steps[-1], len(pictures))


def _photographs() -> tuple[Any, dict[str, Image.Image]] | None:
    """A key that is the same for the same pictures, and these by name."""
    files = uploader(
        f"Photographs of yours: at least {LEAST}, or a zip of them",
        [*PICTURES, "zip"],
        "image/*",
        accept_multiple_files=True,
        key="t_files",
        max_upload_size=UPLOAD_MB,
        help=f"Up to {MOST}. They stay in this session's memory. Without any, the samples are taken.",
    )
    if not files:
        state.pop("t_read", None)
        st.caption("Without photographs of yours, the samples are taken.")
        return "samples", {name: sample(name).image for name in SAMPLES}
    key = tuple(file.file_id for file in files)
    if state.get("t_read", ("",))[0] != key:
        try:
            state["t_read"] = key, sets.read_files([(file.name, file.getvalue()) for file in files])
        except PictureError as error:
            st.error(plain(str(error)))
            return None
    read, left_out = state["t_read"][1]
    for words in left_out[:3]:
        st.warning(plain(words))
    if len(read) < LEAST:
        st.info(f"A mosaic takes four photographs; there {'is' if len(read) == 1 else 'are'} {len(read)}.")
        return None
    return key, {f"photograph {number}": image for number, image in enumerate(read[:MOST], 1)}


def _third(choices: Sequence[Choice]) -> str:
    own = [
        f"Model {choice.slot.upper()} with random weights"
        for choice in choices
        if not is_brought(choice.name)  # it has no initialisation of its own here
    ]
    options = [NOTHING, *own, RESNET]
    forget("t_third", options, NOTHING)
    return st.selectbox(
        "And as a control", options, key="t_third", help="A network that learnt nothing, asked the same."
    )


def _networks(choices: Sequence[Choice], third: str) -> list[Network]:
    """The two chosen networks, and one with random weights where that is asked for."""
    wanted = list(choices)
    for choice in choices:
        if third.startswith(f"Model {choice.slot.upper()} "):
            wanted.append(Choice("", choice.name, "random"))
    if third == RESNET:
        wanted.append(Choice("", "resnet50", "random"))
    found: list[Network] = []
    for choice in wanted:
        model = load(choice) if choice.slot else network(choice, uploads(choice))
        title = model.title + (", random" if choice.weights == "random" else "") if model else ""
        title += f" ({choice.slot.upper()})" if any(one.title == title for one in found) else ""
        if model:
            found.append(Network(choice._replace(slot=""), title, model))
    return list({one.key: one for one in found}.values())


def _methods(slow: bool) -> list[str]:
    from vizcore.methods.method import ENDLESS
    from vizcore.methods.table import METHODS, QUICK

    return [name for name, method in METHODS.items() if method.passes < ENDLESS] if slow else QUICK


# ---------------------------------------------------------------- what came out


def _draw(networks: Sequence[Network], found) -> None:
    """A sentence for each network, the table, and who was asked what."""
    for one in networks:
        of = found.networks.get(one.title)
        if of is not None:
            st.markdown(_sentence(one, of))
            for words in unasked(one, found):
                st.caption(words)
    rows = _rows(networks, found)
    if rows:
        st.dataframe(rows, hide_index=True, width="stretch", height=38 + 35 * len(rows))
        st.caption(
            "Points right: how often the map's largest value lies in the right cell. Heat: how much of the "
            "map lies there. In brackets 95 % intervals: of these photographs in other arrangements, not of "
            "other photographs."
        )


def _sentence(one: Network, of) -> str:
    scores = {name: judgements.Measured(name, *score.pointing) for name, score in of.scores.items()}
    methods = [score for name, score in scores.items() if name not in CONTROLS]
    controls = [scores[name] for name in CONTROLS if name in scores]
    return judgements.known(plain(one.title), of.questions, of.chance, methods, controls)


def _rows(networks: Sequence[Network], found) -> list[dict[str, str]]:
    """A row a method and control, two columns a network."""
    asked = [one for one in networks if one.title in found.networks and found.networks[one.title].questions]
    names = dict.fromkeys(name for one in asked for name in found.networks[one.title].scores)
    ordered = [name for name in names if name not in CONTROLS] + [name for name in CONTROLS if name in names]
    rows = []
    for name in ordered:
        row = {"Map": f"{name} (control)" if name in CONTROLS else name}
        for one in asked:
            score = found.networks[one.title].scores.get(name)
            row[f"{one.title}: points right"] = _figure(score.pointing) if score else "–"
            row[f"{one.title}: heat"] = _figure(score.energy) if score else "–"
        rows.append(row)
    return rows


def _figure(interval) -> str:
    return f"{interval.value:.0%} ({max(interval.low, 0):.0%} to {min(interval.high, 1):.0%})"


def _files(networks: Sequence[Network], found, photographs: int) -> None:
    """The same figures to take away."""
    rows = [
        {
            "network": one.title,
            "weights": one.model.source,
            "map": name,
            "control": name in CONTROLS,
            "questions": of.questions,
            "mosaics": of.scenes,
            "photographs": photographs,
            "chance": of.chance,
            **{f"pointing {part}": value for part, value in score.pointing._asdict().items()},
            **{f"heat {part}": value for part, value in score.energy._asdict().items()},
            "without evidence": score.silent,
        }
        for one in networks
        if (of := found.networks.get(one.title)) is not None
        for name, score in of.scores.items()
    ]
    if not rows:
        return
    with st.container(horizontal=True):
        for kind, data in (("CSV", saving.table_file(rows)), ("JSON", json.dumps(rows, indent=1).encode())):
            st.download_button(
                f"The table ({kind})",
                data,
                f"sightlines-truth.{kind.lower()}",
                on_click="ignore",
                icon=":material/download:",
                key=f"t_save_{kind}",
            )
