"""What a unit is about: how it is spread over the classes of a set, and which classes it speaks for."""

from __future__ import annotations

import html

import numpy as np
import streamlit as st

from vizcore.inside import unit_sayings

from .. import figures, saving
from ..cards import link, of_channel
from ..classes import class_names
from .sets_of import Source
from .which_unit import Asked

AT = 4  # of the most exciting pictures, at which the gradient is taken
MOST = 10  # bars at each end


def spread(asked: Asked, source: Source, step) -> str:
    """Bars of the mean by class; returns the class whose mean is highest, "" where there are none."""
    st.subheader("Spread over classes", anchor=False)
    found = step.found[asked.group].spread
    if found is None:
        many = len(set(source.names)) > 1
        st.caption("Too many classes to be shown." if many else "The pictures of this set are of no classes.")
        return ""
    means, counts, names = found.means[asked.unit].numpy(), found.counts.numpy(), source.classes
    rows = [
        {"class": name, "mean": float(mean), "pictures": int(count)}
        for name, mean, count in zip(names, means, counts, strict=False)
        if count
    ]
    rows.sort(key=lambda row: -row["mean"])
    saving.keep_table("Spread over classes", rows)
    whole = int(counts.sum())
    said = unit_sayings.tied(
        float(found.explained[asked.unit]), len(rows), whole, rows[0]["class"], rows[-1]["class"]
    )
    st.markdown(said)
    _bars([(row["class"], row["mean"]) for row in _ends(rows)], asked)
    st.caption("The mean, over the pictures of a class, of the highest value in a picture.")
    return rows[0]["class"]


def _ends(rows: list) -> list:
    return rows if len(rows) <= 2 * MOST else [*rows[:MOST], *rows[-MOST:]]


def _bars(rows: list[tuple[str, float]], asked: Asked) -> None:
    """Names and values, each above a bar from 0, to the left where it is below."""
    low, high = min(0.0, *(value for _, value in rows)), max(0.0, *(value for _, value in rows))
    size, colour = (high - low) or 1.0, figures.web_colour(asked.side.colour)
    zero, lines = -low / size, []
    for name, value in rows:
        left, width = min(zero, (value - low) / size), abs(value) / size
        bar = f"margin-left:{left:.2%};width:{width:.2%};background:{colour}" + ";opacity:0.45" * (value < 0)
        lines.append(
            f'<li title="{value:.4g}"><span>{html.escape(name)}</span><span>{value:.3g}</span>'
            f'<i style="{bar}"></i></li>'
        )
    st.html(f'<ol class="answers">{"".join(lines)}</ol>')


@st.cache_data(show_spinner="Which classes it speaks for …")
def _spoken(
    choice, source_key: tuple, group, unit: int, numbers: tuple[int, ...], _asked: Asked, _source: Source
):
    """``speaks_for``, or of a class the channels of the last layer that speak for it."""
    import torch

    from vizcore.inside.speaks_for import speaks_for, spoken_for

    model = _asked.model
    images = torch.cat([model.preprocess(_source.pictures[number]) for number in numbers])
    if group.kind == "classes":
        return spoken_for(model, unit, _last(model), images)
    return speaks_for(model, group, unit, images, _asked.heads)


def _last(model) -> str:
    """The layer whose channels are told of a class: the last block."""
    return (model.blocks or model.layers)[-1]


def speaks(asked: Asked, source: Source, step, liked: str) -> None:
    """Bars of how each class's score changes with it; of a class, the channels that speak for it."""
    model, of_class = asked.model, asked.group.kind == "classes"
    st.subheader("Channels that speak for it" if of_class else "Classes it speaks for", anchor=False)
    if not model.num_classes:
        st.caption(f"{model.title} has no classes.")
        return
    numbers = tuple(step.found[asked.group].most.pictures[asked.unit, :AT].tolist())
    try:
        found = _spoken(asked.choice, source.key, asked.group, asked.unit, numbers, asked, source)
    except ValueError as error:
        st.warning(str(error))
        return
    changes = found.mean.cpu().numpy()
    if of_class:
        _channels(asked, changes, found.exact)
        return
    names = class_names(model)
    order = np.argsort(-changes, kind="stable")
    rows = [
        {"class": names[k], "change": float(changes[k]), "apart": float(found.apart[k])}
        for k in order.tolist()
    ]
    saving.keep_table("Classes it speaks for", rows)
    st.markdown(unit_sayings.speaks(names, changes.tolist(), found.exact))
    if liked and liked.casefold() in {name.casefold() for name in names} and np.abs(changes).max() > 0:
        st.markdown(unit_sayings.agrees(liked, rows[0]["class"]))
    _bars([(row["class"], row["change"]) for row in _ends(rows)], asked)
    what = "it wrote twice as much" if asked.group.kind == "heads" else "it rose by 1 at every place"
    st.caption(f"By how much the class's score would change if {what}.")


def _channels(asked: Asked, changes: np.ndarray, exact: bool) -> None:
    layer = _last(asked.model)
    order = np.argsort(-changes, kind="stable").tolist()
    saving.keep_table(
        "Channels that speak for it", [{"channel": k, "change": float(changes[k])} for k in order]
    )
    st.markdown(
        f"By how much its score changes as a channel of `{layer}` rises by 1 at every place. "
        + (unit_sayings.EXACT if exact else unit_sayings.LOCAL)
    )
    _bars([(f"channel {k}", float(changes[k])) for k in order[:MOST]], asked)
    with st.container(horizontal=True, gap="small"):
        for k in order[:3]:
            link(f"Channel {k}", of_channel(asked.side.slot, layer, k))
