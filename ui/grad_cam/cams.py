"""One network's half of the Grad-CAM page: its method, its maps, and what those can't show."""

from __future__ import annotations

import streamlit as st

from vizcore import judgements

from .. import alike, as_seen, cant_show, figures, over_picture, settings, viewer
from ..address import forget
from ..answers import Side
from ..classes import NOTHING, class_names, several
from ..jobs import running
from ..layer_names import with_depth
from ..mapped import Mapped, found, judged

LINES = 4  # of words below a map
CAM_LIMITS = (
    "Can't show detail, one value for each of {rows} × {columns} cells, nor what speaks against the class."
)


def pick_method(model, slot: str) -> tuple[str, str | None]:
    """A method that applies to the model, and a layer where the method is told one."""
    from vizcore.methods.cam import default_layer
    from vizcore.methods.table import METHODS, on_page

    methods = [name for name, method in on_page("grad_cam").items() if method.applies(model)]
    forget(f"g_method_{slot}", methods, methods[0])
    alone = not METHODS[st.session_state[f"g_method_{slot}"]].layer
    first, second = st.columns([19, 1] if alone else 2, gap="small")  # long names are read whole
    method = first.selectbox("Method", methods, key=f"g_method_{slot}")
    if not METHODS[method].layer:
        return method, None
    layers = model.layers
    forget(f"g_layer_{slot}", layers, default_layer(model))
    return method, second.selectbox("Layer", layers, key=f"g_layer_{slot}", format_func=with_depth(layers))


def panel(
    side: Side, picture, index: int | None, name: str, names: list[str], look: dict
) -> dict[str, Mapped]:
    """One model's maps by the classes that are asked for, with its controls; empty where there is none.

    Args:
        index: of the class ``name`` in the model, or None. names: of all that may be flipped through.
    """
    model = side.model
    figures.name(model, side.colour)
    figures.remark(model)
    if not model.num_classes:
        alike.show(side, picture, f"g_{side.slot}", "Grad-CAM")
        return {}
    method, layer = pick_method(model, side.slot)
    place = st.container()  # also where it is empty, so that the viewer keeps its place
    own = side.top[0][0] if index is None else index
    other, note = _against(side, own, look["against"])
    asked = Mapped(side.choice, model, picture, side.colour, own, class_names(model)[own], method, layer)
    asked = asked._replace(settings=settings.of(asked.how, look["settings"]))
    if asked.how.knows_class:
        asked, look = asked._replace(other=other), look | {"note": note}
    try:
        if flips(asked):
            found = over_picture.cams(side, picture, names, method, layer)
            show(f"g_{side.slot}", found, name, look)
            figures.origin(model)
            return found
        return _asked(asked, names if not asked.how.knows_class else [name], name, look)
    except ValueError as error:  # no gradient reaches its places
        place.warning(str(error))
        return {}


def _against(side: Side, index: int, asked: tuple[str, dict]) -> tuple[int | None, str]:
    """The class that one is asked against, in this network, and what to know of it, in a sentence."""
    name, indices = asked
    other = indices[side.slot]
    if name != NOTHING and other is None:
        lacks = judgements.lacks(side.model.title, name, several(side.model, name))
        return None, f"{lacks}, so nothing is taken away."
    if other == index:
        return None, "A class is not asked against itself."
    return other, ""


def flips(one: Mapped) -> bool:
    """Whether one pass gives a method's maps for several classes."""
    from vizcore.methods.cam import CAMS

    return one.method in CAMS and one.how.knows_class and not one.settings and one.other is None


def _asked(asked: Mapped, names: list[str], name: str, look: dict) -> dict[str, Mapped]:
    """The map of a method that is run for one class, or that knows none: the same for each of ``names``."""
    passes = asked.model.layouts[asked.layer].channels if asked.layer else asked.how.passes
    run = f"g_run_{asked.choice.slot}"

    def draw(step) -> None:
        one, moving = _first(asked, step), f"-{step.done}" if running(run) else ""
        show(f"g_{one.choice.slot}", dict.fromkeys(names, one), name, look, step, moving)

    step = found(asked, run, draw, f"Run the network {passes} times", passes)
    return dict.fromkeys(names, _first(asked, step)) if step else {}


def _first(asked: Mapped, step) -> Mapped:
    """With the map that is tested: the first, where a method gives several."""
    return asked._replace(map=step.maps[0].cpu())


def show(key: str, found: dict[str, Mapped], name: str, look: dict, step=None, moving: str = "") -> None:
    """A map for each class that is asked for, over the picture, and what such maps can't show.

    Args:
        key: of the viewer. found: the maps by the classes. name: of the class with which it begins.
        step: of a method that may give several maps for one class, which are shown below, in small.
        moving: of the key, while the map grows.
    """
    one, masks = found[name], look["masks"]
    shown = over_picture.picture(one.picture)
    maps = [
        over_picture.over(each, masks, *_said(each, asked, masks), asked) for asked, each in found.items()
    ]
    as_seen.show(key, shown, maps, name, moving, lines=LINES)
    as_seen.keep_method(one, next(own for own in maps if own.name == name), look, slide=bool(name))
    key += moving
    if step is not None and len(step.maps) > 1:
        for k, (heat, column) in enumerate(
            zip(step.maps, viewer.row(f"{key}-each", 4) * len(step.maps), strict=False)
        ):
            words = step.names[k] if k < len(step.names) else f"{k + 1} of {len(step.maps)}"
            with column:
                each = over_picture.over(one._replace(map=heat.cpu()), masks, words)
                as_seen.show(f"{key}-each-{k}", shown, [each], lines=1)
    rows, columns = one.map.shape
    if one.layer:
        cant_show.say(one.model.title, CAM_LIMITS.format(rows=rows, columns=columns))
    cant_show.say(one.method, one.how.limits)
    if note := look.get("note"):
        st.caption(note)
    if step and step.note:
        st.caption(step.note)


def _said(one: Mapped, asked: str, masks: dict) -> tuple[str, str]:
    """What a map is, and what is known of it. asked: the class; "" where it is not one of several to flip."""
    if not one.how.knows_class:
        words = f"{one.method} of {one.model.title}, class-agnostic"
    else:
        words = f"{one.model.title} for “{one.name}”"
    if one.other is not None:
        words += f", not “{class_names(one.model)[one.other]}”"
    mask, facts = masks.get(one.name.casefold()), []
    if asked and one.name.casefold() != asked.casefold() and one.how.knows_class:
        facts.append(judgements.instead(one.model.title, asked, one.name, several(one.model, asked)))
    if mask is not None:
        facts.append(judged(one, mask)[1])
    elif nowhere := judgements.empty(*one.ends):
        facts.append(f":red[{nowhere}]")
    return words, " ".join(facts)
