"""Pictures whose answer is known, made in the sidebar of samples and of a visitor's own photographs."""

from __future__ import annotations

import numpy as np
import streamlit as st
from PIL import Image

from vizcore.pictures import known, textures
from vizcore.pictures.images import PictureError
from vizcore.pictures.known.mosaics import SIDE

from .address import forget, forget_each
from .limits import UPLOAD_MB
from .picture_picker import PHOTOGRAPHS, SAMPLES, Picture, Source, of_scene, put_together, sample_source
from .plain import plain
from .regions import region
from .uploads import PICTURES, uploader

state = st.session_state
KINDS = {
    "mosaic": "A mosaic: four photographs, or nine",
    "cut-outs": "Cut-outs on a ground",
    "region": "A region of one picture",
}
MOST = 16  # photographs of a visitor's
NOISE, TEXTURE = "noise", "a texture"
GROUNDS = (NOISE, TEXTURE)


def make() -> Picture:
    """The widgets, and the picture that they come to. What can't be is said, and a first one is shown."""
    kind = st.segmented_control("Kind", list(KINDS), default="mosaic", required=True, key="p_kind", wrap=True)
    st.caption(KINDS[kind] + ".")
    sources = _sources()
    try:
        made = {"mosaic": _mosaic, "cut-outs": _cutouts, "region": region}[kind](sources)
        return made._replace(only_here=made.only_here + _sent(kind))
    except (PictureError, ValueError) as error:
        st.error(plain(str(error)))
        return put_together("A mosaic", _default(sources), 0)


def _sent(kind: str) -> tuple[str, ...]:
    """The visitor's own photographs, where a picture is made of some."""
    held = {"mosaic": ("p_cells",), "cut-outs": ("p_things", "p_ground"), "region": ("p_one",)}[kind]
    named = [state.get(key, ()) for key in held]
    names = [name for one in named for name in ([one] if isinstance(one, str) else one)]
    return ("the photographs that you uploaded",) if any(name.startswith("Yours, ") for name in names) else ()


def _sources() -> dict[str, Source]:
    """What there is to make one of, by title: the samples, then the visitor's own."""
    files = uploader(
        "Photographs of yours, or cut-outs with a transparent surround",
        PICTURES,
        "image/*",
        key="p_files",
        accept_multiple_files=True,
        max_upload_size=UPLOAD_MB,
        help="They stay in this session's memory: a link to a picture that is made of them leads others to "
        "the samples instead.",
    )
    found = {name: sample_source(name) for name in PHOTOGRAPHS}
    kept, before = {}, state.get("p_decoded", {})
    for number, file in enumerate(files[:MOST], 1):
        kept[file.file_id] = before.get(file.file_id) or _decoded(file)
        if isinstance(kept[file.file_id], str):
            st.error(kept[file.file_id])
        else:
            title = f"Yours, {number}"
            found[title] = Source(title, kept[file.file_id], "", file.name)
    state["p_decoded"] = kept
    return found


def _decoded(file) -> Image.Image | str:
    try:
        return known.read_cutout(file.getvalue())
    except PictureError as error:
        return plain(f"{file.name[:60]}: {error}")


def _default(sources: dict[str, Source]) -> list[Source]:
    """Four of the visitor's own, if there are as many, else the samples."""
    own = [source for source in sources.values() if source.title not in PHOTOGRAPHS]
    return own[:4] if len(own) >= 4 else [sources[name] for name in list(SAMPLES)[:4]]


def _seed() -> int:
    return int(
        st.number_input("Arrangement", 0, 9999, 0, key="p_seed", help="Another number, another picture")
    )


# ---------------------------------------------------------------- mosaics


def _mosaic(sources: dict[str, Source]) -> Picture:
    forget_each("p_cells", list(sources), [source.title for source in _default(sources)])
    chosen = st.multiselect("Its photographs, four or nine", list(sources), key="p_cells", max_selections=9)
    return put_together("A mosaic", [sources[title] for title in chosen], _seed())


# ---------------------------------------------------------------- cut-outs


def _cutouts(sources: dict[str, Source]) -> Picture:
    forget_each("p_things", list(sources), list(sources)[:2])
    chosen = st.multiselect("Things", list(sources), key="p_things", max_selections=4)
    if not chosen:
        raise PictureError("Choose one thing or more.")
    grounds = [*GROUNDS, *(title for title in sources if title not in chosen)]  # else it is there twice
    forget("p_ground", grounds, grounds[0])
    ground = st.selectbox("Ground", grounds, key="p_ground")
    st.caption("What has no transparent surround is cut out round.")
    seed = _seed()
    cuts, codes = {}, []
    for title in chosen:
        image, free = sources[title].image, "cut"
        if not _stands_free(image):
            free = "round_cut"
        cuts[title] = getattr(known, free)(image)
        codes.append(f"{title!r}: known.{free}({sources[title].code})")
    below, below_code = _ground(ground, sources, seed)
    code = ""
    if below_code and all(sources[title].code for title in chosen):
        code = f"known.place({below_code}, {{{', '.join(codes)}}}, {seed})"
    scene = known.place(below, cuts, seed)
    alone = {title: Image.fromarray(known.place(below, cuts, seed, shown=[title]).picture) for title in cuts}
    return of_scene("Cut-outs", scene, alone, code)


def _stands_free(image: Image.Image) -> bool:
    return image.mode == "RGBA" and not np.asarray(image)[..., 3].all()


def _ground(name: str, sources: dict[str, Source], seed: int) -> tuple[np.ndarray, str]:
    """(H, W, 3), and the code that makes it."""
    side = SIDE
    if name == NOISE:
        return known.noise(side, seed), f"known.noise({side}, {seed})"
    if name == TEXTURE:
        label = textures.LABELS[seed % len(textures.LABELS)]
        return textures.single(label, seed, side).picture, f"single({label!r}, {seed}, {side}).picture"
    source = sources[name]
    code = source.code and f"np.asarray(known.square({source.code}, {side}))"
    return np.asarray(known.square(source.image, side)), code
