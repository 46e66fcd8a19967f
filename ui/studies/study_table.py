"""A study's table: each row with a link to the live view of its picture, network and method."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import streamlit as st

from vizcore.at_scale.contact_sheets import SHEET
from vizcore.at_scale.own_folder import RANDOM
from vizcore.at_scale.plans import read_plan
from vizcore.at_scale.shards import StudyError
from vizcore.at_scale.tables import TABLE, arrow
from vizcore.methods.table import METHODS

from ..plain import plain
from ..study_pictures import name_of

MOST = 50_000  # rows that a browser is sent
LINK = "view"
HIDDEN = "number", "answer_index", "width", "height", "left", "top", "right_edge", "bottom", "array"
HEADS = {  # of a study's pictures, and the words below
    "maps": ("Where the networks differ most", "The pictures on which the networks differ most, and maps"),
    "judge": ("Who names right what was made for whom", "The share of random views that are named right"),
    "imagine": ("What classes of the networks like", "A row a class, with and without random views"),
    "similarity": ("Layers beside layers", "CKA of all layers of a pair of networks"),
}
SHOWN = 12  # matrices
PREFIX = {"grad_cam": "g", "saliency": "s"}


def show(name: str, folder: Path) -> None:
    """What the study was, its table, and its contact sheet."""
    try:
        plan = read_plan(folder)
        path = folder / TABLE
        if not path.is_file():
            st.info("This study isn't complete: the same command goes on with it.")
            return
        table, count = _table(str(path), path.stat().st_mtime_ns, name, plan)
    except StudyError as error:
        st.error(plain(str(error)))
        return
    st.markdown(_what(plan))
    if count > MOST:
        st.caption(f"The first {MOST:,} of {count:,} rows; the file {TABLE} has all.")
    columns: dict[str, Any] = {LINK: st.column_config.LinkColumn("view", display_text="open", width="small")}
    st.dataframe(table, hide_index=True, column_config=columns, height=560)
    st.caption("A click on a column's head sorts by it; “open” shows the live view of the row's picture.")
    _pictures(folder, str(plan.get("study", "")))


def _pictures(folder: Path, study: str) -> None:
    """What the study has drawn."""
    paths = [folder / SHEET] if (folder / SHEET).is_file() else sorted(folder.glob("cka-*.png"))[:SHOWN]
    if not paths:
        return
    head, caption = HEADS.get(study, ("", ""))
    st.subheader(head or "What it has drawn", anchor=False)
    for path in paths:
        st.image(str(path), caption=caption or None)


def _what(plan: Mapping[str, Any]) -> str:
    networks = ", ".join(plain(str(one.get("name", "")))[:60] for one in plan.get("networks", []))
    things = {"similarity": "pairs"}.get(plan.get("study", ""), "pictures")
    return f"**{plain(str(plan.get('study', '')))[:40]}**, {plan.get('pictures', 0):,} {things}: {networks}."


@st.cache_resource(show_spinner=False, max_entries=4)  # nobody changes it, and a copy takes a while
def _table(path: str, when: int, study: str, plan: Mapping[str, Any]) -> tuple[Any, int]:
    """The rows that are shown, as Arrow has them, and how many there are.

    Args:
        when: the file was written, without which an older one would stay.

    Raises:
        StudyError: the table can't be read.
    """
    pa, parquet = arrow()
    try:
        whole = parquet.read_table(path)
    except (OSError, ValueError, pa.ArrowException) as error:
        raise StudyError(f"{TABLE} can't be read as a study's table.") from error
    found = whole.slice(0, MOST)
    if plan.get("study") == "maps":
        rows = found.select(["number", "network", "method", "answer", "array"]).to_pylist()
        found = found.add_column(0, LINK, pa.array(links(rows, study, plan), "string"))
    shown = [
        name for name in found.column_names if name not in HIDDEN and found[name].null_count < len(found)
    ]
    if "kind" in shown and not any(found["kind"].unique().to_pylist()):  # no folders for classes
        shown.remove("kind")
    return found.select(shown), whole.num_rows


def links(rows: list[dict[str, Any]], study: str, plan: Mapping[str, Any]) -> list[str | None]:
    """The address of each row's live view; None without a map, and of a network that no link can name."""
    names = [str(one.get("name", "")) for one in plan.get("networks", [])]
    known: dict[tuple, tuple[str, str, str] | None] = {}  # of a network and a method: the same in many rows
    found: list[str | None] = []
    for row in rows:
        of = row["method"] or "", str(row["network"])
        if of not in known:
            known[of] = _view(*of, names)
        view = known[of]
        if view is None or not row["array"]:
            found.append(None)
            continue
        page, asked, class_key = view
        words = {"picture": name_of(study, row["number"])}
        words |= {class_key: row["answer"]} if row["answer"] else {}
        found.append(f"{page}?{urlencode(words)}&{asked}")
    return found


def _view(name: str, network: str, networks: list[str]) -> tuple[str, str, str] | None:
    """The page of a method, what asks there for it and for the networks, and what a class is called there."""
    method = METHODS.get(name)
    if method is None or not method.page or not _nameable(network):
        return None
    other = next((one for one in networks if one != network and _nameable(one)), network)
    prefix = PREFIX[method.page]
    words = {**_model("a", network), **_model("b", other), f"{prefix}_method_a": name}
    return method.page, urlencode(words), f"{prefix}_class"


def _nameable(network: str) -> bool:
    """Whether a link can name it: a network in a file of one's own is on no page."""
    return "=" not in network and not network.lower().endswith((".safetensors", ".pt", ".pth"))


def _model(slot: str, network: str) -> dict[str, str]:
    words = {slot: network.removesuffix(RANDOM)}
    return words | ({f"weights_{slot}": "random"} if network.endswith(RANDOM) else {})
