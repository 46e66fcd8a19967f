"""What a set holds for a unit: stored, known from before, or looked for now."""

from __future__ import annotations

import streamlit as st

from .. import answers
from ..jobs import job
from .sets_of import BOTH, STORED, Source
from .which_unit import Asked

AT_ONCE = 40  # pictures that are looked through without a press


@st.cache_resource(show_spinner=False, max_entries=4)
def _stored(name: str, _model):
    from vizcore.inside.stored_units import load_units
    from vizcore.studies.probe_files import weights_digest

    found = load_units(name)
    return found.step if found.weights == weights_digest(_model) else None


def look_through(asked: Asked, source: Source):
    """An ``extremes.Step`` that holds the unit's group; None before there is one, with a button to begin."""
    group, model = asked.group, asked.model
    if source.kind in (STORED, BOTH) and (step := _stored(asked.choice.name, model)) and group in step.found:
        return step
    from vizcore.inside.extremes import extremes
    from vizcore.inside.stored_units import groups_of

    groups = groups_of(model, asked.heads)
    groups = groups if group in groups else [group]  # all of a network's blocks come from one pass
    question = "units", asked.choice, source.key, tuple(groups)
    if (known := answers.finished(question)) is not None:
        return known

    def steps():
        yield from answers.to_the_end(
            question, extremes(model, source.pictures, groups, source.labels, asked.heads)
        )

    count = len(source.pictures)
    if count <= AT_ONCE:
        with st.spinner(f"Looking through {count} pictures …"):
            *_, last = steps()
        return last
    found = job(
        "u_look", question, steps, lambda some: _so_far(some[-1]), f"Look through {count} pictures",
        keep_all=False,
    )  # fmt: skip
    return found[-1] if found else None


def _so_far(step) -> None:
    st.caption(f"{step.done} of {step.total} pictures, for every unit of every block at once.")
