"""Your own model: folders of pictures, and a linear probe that learns them from a network's features."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import streamlit as st
from PIL import Image

from vizcore.pictures import textures
from vizcore.pictures.folders import MOST, MOST_CLASSES, Folders, few, folders, pictures
from vizcore.pictures.images import PictureError

from ..brought import Brought
from ..jobs import job
from ..limits import CHECKPOINT_MB
from ..network_picker import Choice, title, uploads
from ..plain import plain
from ..shared_networks import load
from ..uploads import uploader
from .sent import STAYS, sample_asked

state = st.session_state
KINDS = "blotchy", "cracked", "marbled", "sprinkled"  # of the sample
EACH = 10  # pictures


class Told(NamedTuple):
    """How far a probe is, or why it can't be had."""

    done: int
    total: int
    result: Any = None
    why: str = ""
    left_out: tuple[str, ...] = ()


def learn(choices: Sequence[Choice]) -> Brought | None:
    """The pictures, whose features, the run and what came out; None before there is a probe."""
    file = uploader(
        f"A zip with a folder of pictures for each class: 2 to {MOST_CLASSES} folders",
        ["zip"],
        "application/zip",
        key="y_pictures",
        max_upload_size=CHECKPOINT_MB,
        help=f"Named as the classes are; up to {MOST} pictures in all, of each class at least two.",
        width=420,
    )
    st.caption(STAYS)
    if file is None and not sample_asked("y_draw", "Try it with drawn textures"):
        return None
    key = file.file_id if file else "drawn"
    if state.get("y_found", ("",))[0] != key:
        state["y_found"] = key, _found(file.getvalue() if file else drawn())
    found = state["y_found"][1]
    if isinstance(found, str):
        st.error(plain(found))
        return None
    names = ", ".join(plain(label) for label in found.labels)
    st.markdown(f"{len(found.answers)} pictures of {len(found.labels)} classes: {names}.")
    for words in found.left_out:
        st.warning(plain(words))
    options = {choice.slot: f"{choice.slot.upper()}: {title(choice.name)}" for choice in choices}
    slot = st.segmented_control(
        "From the features of",
        list(options),
        default="a",
        required=True,
        format_func=lambda slot: options[slot],
        key="y_base",
    )
    choice = next(choice for choice in choices if choice.slot == slot)
    model = load(choice)
    return _learnt(model, choice, key, file, found) if model else None


def _found(data: bytes) -> Folders | str:
    try:
        return folders(data)
    except PictureError as error:
        return str(error)


def _learnt(model, choice: Choice, key: str, file, found: Folders) -> Brought | None:
    """The run, what came out, its file."""
    base = choice._replace(slot="")
    steps = job(
        "y_probe",
        (key, base),
        lambda: _steps(model, file.getvalue() if file else drawn(), found),
        lambda steps: _draw(steps[-1]),
        "Learn these classes",
        keep_all=False,
    )
    if not steps or steps[-1].result is None:
        return None
    if state.get("y_file", ("",))[0] != (key, base):
        from vizcore.studies.probe_files import to_file

        state["y_file"] = (key, base), to_file(model, steps[-1].result)
    data = state["y_file"][1]
    st.download_button(
        "The probe (safetensors)",
        data,
        "sightlines-probe.safetensors",
        on_click="ignore",
        icon=":material/download:",
        key="y_save",
        help="With the classes' names; bring it back as a checkpoint, where the same network can be had.",
    )
    called = f"{model.title}, {len(found.labels)} classes of yours"
    return Brought("probe", called, data, base=base, base_files=uploads(choice))


def _steps(model, data: bytes, found: Folders) -> Iterator[Told]:
    """The steps of ``probe``, with sentences where there are any."""
    from vizcore.studies.probe import probe

    left: list[str] = []

    def read() -> Iterator[tuple[int, Image.Image | None]]:
        for one in pictures(data, found):
            if one.picture is None:
                left.append(one.why)
            yield one.answer, one.picture

    def check(counts: Sequence[int]) -> None:
        for label, count in zip(found.labels, counts, strict=True):
            few(label, count)

    try:
        for step in probe(model, read(), found.labels, len(found.answers), check):
            yield Told(step.done, step.total, step.result, "", tuple(left))
    except PictureError as error:
        yield Told(1, 1, None, str(error), tuple(left))


def _draw(told: Told) -> None:
    """How good it is about pictures that it wasn't fitted on."""
    for words in told.left_out[:3]:
        st.warning(plain(words))
    if len(told.left_out) > 3:
        st.caption(f"{len(told.left_out) - 3} more were left out.")
    if told.why:
        st.error(plain(told.why))
    if told.result is None:
        return
    result, guessing = told.result, max(told.result.answers.bincount().tolist()) / len(told.result.answers)
    share = result.accuracy
    interval = f"95 % interval {share.low:.0%} to {share.high:.0%}; {result.folds} folds"
    st.markdown(
        f"Of {len(result.answers)} pictures, each asked of a probe that was fitted without it, "
        f"**{share.value:.0%}** are named right ({interval}). Always saying the most frequent class would be "
        f"right in {guessing:.0%}."
    )
    if share.low <= guessing:
        st.warning("That is not clearly better than guessing: what it says of a picture means little.")
    rows = []
    for index, label in enumerate(result.labels):
        right, count = result.of_class(index)
        rows.append({"Class": label, "Pictures": count, "Named right": right})
    st.dataframe(rows, hide_index=True, width="content", height=38 + 35 * len(rows))
    st.caption(
        "Pictures that are much alike, such as frames of one film, make this figure too good. Whether its "
        "maps point to what is there, the table below measures on photographs of yours."
    )


@st.cache_data(show_spinner=False)
def drawn() -> bytes:
    """A zip of drawn textures, a folder for each kind."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for kind in KINDS:
            for number in range(EACH):
                picture = io.BytesIO()
                scene = textures.single(kind, 3_000_000 + number, 128)
                Image.fromarray(scene.picture).save(picture, "PNG")
                archive.writestr(f"{kind}/{number}.png", picture.getvalue())
    return buffer.getvalue()
