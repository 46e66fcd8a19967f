"""The ways to look at one layer of one model. Each draws its controls and returns a map to lay on top."""

from __future__ import annotations

from typing import Any, NamedTuple

import streamlit as st

from .. import cards, code, small_maps
from ..address import forget, forget_each
from ..answers import block_attention, layer_maps

TILES, TILE_COLUMNS = 48, 8  # channels on one sheet
POINT, NONE_FAR = "the point", "Here none is far beyond the rest."
PLACES = 1024  # of which the maps of all may be sent, 1 MB
state = st.session_state


class Looked(NamedTuple):
    """One layer of one model, about to be looked at."""

    slot: str
    choice: Any
    model: Any
    picture: Any
    colour: tuple[int, int, int]
    layer: str
    maps: Any  # (C, rows, columns)

    def cell(self, grid: tuple[int, int]) -> tuple[int, int]:
        """The row and column of the point, in a grid over what the model sees."""
        from vizcore.pictures.frame import cell_at

        size = self.picture.size
        return cell_at((state["x"] / 100, state["y"] / 100), self.model.preprocess.box(size), size, grid)


class Heat(NamedTuple):
    map: Any  # (rows, columns)
    words: str  # what it is, for a caption
    signed: bool = False  # -1 to 1, to be shown in two colours
    colours: Any = None  # (3, rows, columns), 0 to 1, to be shown instead of the map
    code: str = ""  # that gives the map, see ``code.HEATS``
    matrix: Any = None  # (places, places): the map of each place, where all are few enough to be sent
    marked: Any = None  # (rows, columns) bool: places that get a line around them; None where there are none

    @property
    def kind(self) -> str:
        """As ``figures.laid`` has it."""
        return "colours" if self.colours is not None else "signed" if self.signed else "heat"


def channels(looked: Looked) -> Heat:
    """A sheet of channels; those picked are laid over the picture."""
    from vizcore.methods.features import by_strength, strength

    slot, maps, key = looked.slot, looked.maps, f"channels_{looked.slot}"
    with st.container(horizontal=True, vertical_alignment="bottom"):
        orders = ["strongest", "index"]
        order = st.segmented_control("Order", orders, default=orders[0], required=True, key=f"order_{slot}")
        sheets = -(-len(maps) // TILES)
        forget(f"sheet_{slot}", range(1, sheets + 1), 1)
        label = f"Sheet, of {sheets}"
        number = st.number_input(label, 1, sheets, key=f"sheet_{slot}", width=120) if sheets > 1 else 1
    ranked = by_strength(maps) if order == orders[0] else list(range(len(maps)))
    sheet = ranked[(number - 1) * TILES : number * TILES]
    forget_each(key, range(len(maps)), [])  # the channels of a layer shown before

    def toggle(index: int) -> None:
        state[key] = sorted(set(state.get(key, [])) ^ {sheet[index]})

    sheet_place = st.container()
    picked = st.multiselect(
        "Channels over the picture",
        list(range(len(maps))),
        key=key,
        placeholder="all of them",
    )
    with sheet_place:
        marked = [i for i, channel in enumerate(sheet) if channel in picked]
        words = f"{len(sheet)} of {len(maps)} channels; click to lay some over the picture, ↗ for a card"

        def card(index: int) -> None:
            cards.want(cards.of_channel(slot, looked.layer, sheet[index]))

        file = small_maps.file(maps[sheet].numpy(), TILE_COLUMNS, "viridis")
        labels = [str(channel) for channel in sheet]
        small_maps.sheet(f"tiles_{slot}", file, labels, TILE_COLUMNS, words, toggle, marked, on_open=card)
    _links(looked, picked[:4])
    if not picked:
        words = "mean absolute activation over all channels"
        return Heat(strength(maps), words, code=_code(looked, "strength(maps)"))
    above = [maps[c] - maps[c].min() for c in picked]
    heat = sum(m / m.max().clamp(min=1e-12) for m in above) / len(picked)
    stretched = "(m - m.min()) / (m.max() - m.min()).clamp(min=1e-12)"
    own = f"sum({stretched} for m in maps[{picked!r}]) / {len(picked)}"
    words = f"channel{'s' * (len(picked) > 1)} {', '.join(map(str, picked))}"
    return Heat(heat, words, code=_code(looked, own))


def _links(looked: Looked, channels: list[int]) -> None:
    """To the cards of some channels."""
    if channels:
        with st.container(horizontal=True, gap="small"):
            for channel in channels:
                cards.link(f"Card of {channel}", cards.of_channel(looked.slot, looked.layer, channel))


def _code(looked: Looked, heat: str) -> str:
    return code.HEATS["features"].format(layer=looked.layer, heat=heat)


def colours(looked: Looked) -> Heat:
    from vizcore.methods.features import pca_colours, strength

    st.caption(
        "The three directions in which this layer's features vary most over this picture, as red, green and "
        "blue. Places of one colour are alike in these directions; the colours themselves mean nothing."
    )
    return Heat(
        strength(looked.maps),
        "PCA of all channels as colours",
        colours=pca_colours(looked.maps),
        code=_code(looked, "pca_colours(maps)"),
    )


def alike(looked: Looked) -> Heat:
    from vizcore.methods.features import similarities, similarity, standing_out

    few = looked.maps[0].numel() <= PLACES
    st.caption(
        "Which places have features like those at the point: cosine, from −1 (blue) to 1 (orange). "
        + ("Move over a map to ask." if few else "Click a map to ask; a coarser layer answers at once.")
    )
    row, column = looked.cell(looked.maps.shape[1:])
    st.caption("The channels that stand out most at the point, against the rest of the picture:")
    _links(looked, standing_out(looked.maps, row, column).tolist())
    return Heat(
        similarity(looked.maps, row, column),
        "similarity to the point",
        signed=True,
        code=_code(looked, f"similarity(maps, {row}, {column})"),
        matrix=similarities(looked.maps) if few else None,
    )


def lengths(looked: Looked) -> Heat:
    """How long each place's features are, and which are far longer than the rest."""
    from vizcore.methods.features import norms, outliers

    found = norms(looked.maps)
    far = outliers(found)
    places = ", ".join(f"row {row + 1}, column {column + 1}" for row, column in far.nonzero()[:6].tolist())
    more = f" and {int(far.sum()) - 6} more" if far.sum() > 6 else ""
    some = f"Here far beyond the rest, and **outlined** on the map: {places}{more}."
    st.caption(
        "The L2 norm of each place's features. Large Vision Transformers keep what is about the whole "
        f"picture in a few patches of very high norm (Darcet et al., 2024). {some if places else NONE_FAR}"
    )
    made = _code(looked, "norms(maps)")
    return Heat(found, "L2 norm of the features", code=made, marked=far if places else None)


def change(looked: Looked) -> Heat:
    """The strength of this layer against that of the one shown before it, or else of the block before it."""
    import torch

    from vizcore.methods.features import strength

    before = state[f"seen_{looked.slot}"][0]
    if before == looked.layer or before not in looked.model.layouts:  # as after a link
        order = looked.model.blocks if looked.layer in looked.model.blocks else looked.model.layers
        before = order[max(order.index(looked.layer) - 1, 0)]
    if before == looked.layer:
        st.caption("Step to another layer, and what is stronger or weaker there is shown here.")
    else:
        st.caption(
            f"Where the layer responds more (orange) or less (blue) than {before}, each in its own range."
        )
    maps = layer_maps(looked.choice, looked.picture.key, before, looked.model, looked.picture.image)
    was, now = strength(maps), strength(looked.maps)
    was = torch.nn.functional.interpolate(was[None, None], now.shape, mode="bilinear")[0, 0]
    return Heat(_unit(now) - _unit(was), f"change since {before}", signed=True)


def _unit(heat):
    return (heat - heat.min()) / (heat.max() - heat.min()).clamp(min=1e-12)


def attention(looked: Looked) -> Heat:
    """The attention of the block that the layer belongs to, for one query and one head or all."""
    from vizcore.methods.attention import FUSIONS, attended, block_of, fuse

    slot, model = looked.slot, looked.model
    module = block_of(looked.layer, model.attention)
    matrices = block_attention(looked.choice, looked.picture.key, module, model, looked.picture.image)
    heads = [*FUSIONS, *(f"head {i}" for i in range(len(matrices)))]
    everyone = "the class token" if model.num_prefix_tokens else "all patches"
    forget(f"query_{slot}", (everyone, POINT), everyone)
    forget(f"head_{slot}", heads, heads[0])
    with st.container(horizontal=True, vertical_alignment="bottom"):
        query = st.segmented_control(
            "Who looks", [everyone, POINT], default=everyone, required=True, key=f"query_{slot}",
        )  # fmt: skip
        head = st.selectbox("Head", heads, key=f"head_{slot}", width=130)
    where = looked.cell(model.grid) if query == POINT else None

    def one(which):
        return attended(fuse(matrices, which), where, model.grid, model.num_prefix_tokens)

    def choose(index: int) -> None:
        state[f"head_{slot}"] = f"head {index}"

    import torch

    sheet = torch.stack([one(i)[0] for i in range(len(matrices))])
    number = head not in FUSIONS and int(head.split()[1])
    marked = [number] if head not in FUSIONS else []
    labels = [str(i) for i in range(len(sheet))]
    words = "attention of each head; click to choose one, ↗ for its card"

    def card(index: int) -> None:
        cards.want(cards.of_head(slot, module, index))

    file = small_maps.file(sheet.numpy(), len(sheet), "viridis")
    small_maps.sheet(f"heads_{slot}", file, labels, len(sheet), words, choose, marked, on_open=card)
    heat, elsewhere = one(head if head in FUSIONS else number)
    if model.num_prefix_tokens:
        st.caption(
            f"{elsewhere:.0%} of this attention goes to tokens that are no patch, and is not on the map."
        )
    own = {"module": module, "head": head if head in FUSIONS else number, "cell": where}
    made = code.HEATS["attention"].format(**own)
    matrix = None
    if where is not None and heat.numel() <= PLACES:
        prefix = model.num_prefix_tokens
        matrix = fuse(matrices, head if head in FUSIONS else number)[prefix:, prefix:]
    return Heat(heat, f"attention of {query} in {module}, {head}", code=made, matrix=matrix)


VIEWS = {
    "Attention": attention,
    "Channels": channels,
    "PCA colours": colours,
    "Similar places": alike,
    "Norms": lengths,
    "Change": change,
}
