"""What networks of the box still know pictures by, measured beforehand, and what the claim comes to."""

from __future__ import annotations

import streamlit as st

from vizcore.experiments.altered import CHANGES

from .. import saving
from . import beforehand_claims, level_curves

NOTES = {
    "textures": "These two have learnt textures alone, so there is no thing's shape that they could prefer: "
    "phases stand for where edges are.",
    "photographs": "The Photo ViT's stem is five stages of EfficientNet-Lite0, so these two see alike at "
    "first; and each is asked for its own name of a thing.",
}


def show(sides: list, name: str) -> None:
    """What was measured beforehand of the pair that these networks are, or of either."""
    kinds = {side.slot: beforehand_claims.kind_of(side) for side in sides}
    for kind in dict.fromkeys(filter(None, kinds.values())):
        found = beforehand_claims.measured().get(kind)
        if found and found.knows:
            _of_pair([side for side in sides if kinds[side.slot] == kind], sides, kind, found.knows, name)
    for side in sides:
        if side.model and not kinds[side.slot]:
            st.caption(f"{side.model.title} wasn't measured beforehand: its curve for this picture is above.")


def _of_pair(own: list, sides: list, kind: str, known, name: str) -> None:
    from vizcore.studies import claims_in_words as words
    from vizcore.studies.claims_on_file import PAIRS

    both = {side.choice.name: side.model.title for side in own}
    curves = {title: known.networks[of][name] for of, title in both.items() if name in known.networks[of]}
    of = f"{known.pictures} of {known.things} things" if known.things < known.pictures else known.pictures
    if not curves:
        st.caption(f"“{name}” wasn't measured on {beforehand_claims.NAMED[kind]}.")
    else:
        change = CHANGES[name]
        levels = [change.named(level) for level in change.levels]
        st.markdown(words.stops(name, levels, curves))
        rows = [
            {"level": level, "network": level_curves.title(sides, side), **one._asdict()}
            for side in own
            for level, one in zip(levels, known.networks[side.choice.name][name].right, strict=True)
        ]
        level_curves.show(rows, sides, "pictures that it still names")
        saving.keep_table(f"Measured, {kind}, {name}", rows)
    st.caption(f"n = {of}: {beforehand_claims.NAMED[kind]}; bands are 95 % intervals.")
    cnn, vit = PAIRS[kind]
    if len(both) == 2:
        _verdicts(known, both[cnn], both[vit], (cnn, vit))
    st.caption(NOTES[kind])
    beforehand_claims.command(kind)


def _verdicts(known, cnn: str, vit: str, names: tuple[str, str]) -> None:
    """Whether the claim is true of these two, by each of the pictures in which a shape meets a texture."""
    from vizcore.studies import claims_in_words as words

    for name in words.SHAPE:
        if name in known.sides:
            curves = {title: known.networks[of][name] for of, title in zip(names, (cnn, vit), strict=True)}
            said = words.verdict(known.sides[name], cnn, vit)
            st.markdown(f"{words.keeps_to(name, curves)} {said}")
