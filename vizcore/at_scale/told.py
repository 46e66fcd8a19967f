"""What a study of maps comes to: by network, method and class, beside the controls on the same pictures."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from .. import truth
from . import plans, tables
from .contact_sheets import SHEET, contact_sheet
from .measures import COLUMNS, CONTROLS
from .shards import written
from .sources import Source

SHARES = ("right", "pointing", "in_cell", "silent")  # yes or no: Wilson's interval
MEANS = (
    "deletion",
    "insertion",
    "energy",
    "cell_energy",
    "maps_alike",
    "class_alike",
    "probability",
    "answers_alike",
)
BETTER = {
    "deletion": -1,
    "insertion": 1,
    "pointing": 1,
    "energy": 1,
    "in_cell": 1,
    "cell_energy": 1,
}  # which side of a control is better
MOST_DIFFERENT = 20
SUMMARY, WORDS = "summary.json", "summary.md"


class Columns(NamedTuple):
    """A table's columns as arrays, a place a row; nan where nothing is known."""

    number: np.ndarray
    codes: dict[str, np.ndarray]  # of names: places in ``names``
    names: dict[str, list[str]]
    values: dict[str, np.ndarray]  # float64


def columns(path: Path) -> Columns:
    """Read a table; numbers as they are and names as places, so that thousands take little memory."""
    _, parquet = tables.arrow()
    words, numbers = ("picture", "kind", "network", "method", "answer"), (*SHARES, *MEANS)
    table = parquet.read_table(path, columns=["number", *words, *numbers], use_threads=False)
    codes, names = {}, {}
    for name in words:
        coded = table.column(name).combine_chunks().dictionary_encode()
        codes[name] = coded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
        names[name] = coded.dictionary.to_pylist()
    values = {
        name: table.column(name)
        .cast("int8" if COLUMNS[name] == "bool" else "float64")
        .cast("float64")
        .to_numpy()
        for name in numbers
    }
    return Columns(table.column("number").to_numpy(), codes, names, values)


# ---------------------------------------------------------------- the summary


def summary(found: Columns) -> list[dict[str, Any]]:
    """A row for each network, method or control, and class, and for all classes together (kind "").

    A figure is [value, low, high], the 95 % interval of the mean over pictures; "... beyond CONTROL" is the
    paired difference on the same pictures, above 0 where the method is better.
    """
    rows = []
    kinds = [*found.names["kind"]]
    for n, net in enumerate(found.names["network"]):
        of_net = found.codes["network"] == n
        for m, method in enumerate(found.names["method"]):
            own = np.flatnonzero(of_net & (found.codes["method"] == m))
            if not len(own):
                continue
            others = {
                control: np.flatnonzero(
                    of_net & (found.codes["method"] == found.names["method"].index(control))
                )
                for control in CONTROLS
                if control in found.names["method"] and method not in CONTROLS
            }
            rows.append({"network": net, "method": method, "kind": "", **_figures(found, own, others)})
            for k, kind in enumerate(kinds):
                inside = own[found.codes["kind"][own] == k]
                if kind and len(inside) and len(kinds) > 1:
                    rows.append(
                        {"network": net, "method": method, "kind": kind, **_figures(found, inside, others)}
                    )
    return rows


def _figures(found: Columns, own: np.ndarray, controls: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """Of one method's rows, beside those of the controls."""
    figures: dict[str, Any] = {"pictures": len(own)}
    for name in (*SHARES, *MEANS):
        values = found.values[name][own]
        values = values[~np.isnan(values)]
        if len(values):
            one = truth.wilson(values.sum(), len(values)) if name in SHARES else truth.normal(values.tolist())
            figures[name] = [one.value, *(None if math.isinf(end) else end for end in one[1:])]
    for control, rows in controls.items():
        _, a, b = np.intersect1d(
            found.number[own], found.number[rows], assume_unique=True, return_indices=True
        )
        for name, sign in BETTER.items():
            apart = sign * (found.values[name][own[a]] - found.values[name][rows[b]])
            apart = apart[~np.isnan(apart)]
            if len(apart):
                ends = truth.paired(apart.tolist()) or (None, None)
                figures[f"{name} beyond {control}"] = [float(apart.mean()), *ends]
    return figures


def most_different(found: Columns, most: int = MOST_DIFFERENT) -> list[int]:
    """The pictures on which the networks differ most, by number, the first one most.

    First those that they name differently, by the probability of the less sure of the networks; then those
    on which maps of the same method are least alike.
    """
    numbers = np.unique(found.number)
    place = np.searchsorted(numbers, found.number)
    unlike = 1 - found.values["answers_alike"]
    apart = np.full(len(numbers), np.nan)
    np.fmax.at(apart, place, unlike)
    sure = np.full(len(numbers), np.inf)
    np.fmin.at(sure, place, found.values["probability"])
    values = found.values["maps_alike"]
    counts = np.bincount(place, ~np.isnan(values), len(numbers))
    with np.errstate(invalid="ignore"):
        alike = np.bincount(place, np.nan_to_num(values), len(numbers)) / counts
    first = np.where(np.nan_to_num(apart) > 0, np.where(np.isinf(sure), 0, sure), 0)
    known = ~np.isnan(apart) | ~np.isnan(alike)
    order = np.lexsort((numbers, np.nan_to_num(alike, nan=1.0), -first))
    return [int(numbers[k]) for k in order if known[k]][:most]


# ---------------------------------------------------------------- files


def tell(folder: Path, source: Source | None = None) -> None:
    """Write the summary, in numbers and in words, and the contact sheet where there are pictures for it."""
    plan, found = plans.read_plan(folder), columns(folder / tables.TABLE)
    rows, apart = summary(found), most_different(found)
    names = found.names["picture"]
    named = {int(n): names[c] for n, c in zip(found.number, found.codes["picture"], strict=True)}
    unread = len(named) - len(np.unique(found.number[found.codes["network"] >= 0]))
    told = {
        "pictures": plan["pictures"],
        "left out": unread,
        "most different": [{"number": one, "picture": named[one]} for one in apart],
        "rows": rows,
    }
    text = json.dumps(told, indent=1, ensure_ascii=False) + "\n"
    written(folder / SUMMARY, lambda file: file.write(text.encode()))
    page = in_words(plan, rows, unread, [named[one] for one in apart])
    written(folder / WORDS, lambda file: file.write(page.encode()))
    sheet = contact_sheet(folder, plan, source, apart or sorted(named)[:MOST_DIFFERENT]) if source else None
    if sheet is not None:
        written(folder / SHEET, lambda file: file.write(sheet))


def in_words(
    plan: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], unread: int, apart: Sequence[str]
) -> str:
    """The summary as a page of Markdown: what was asked, a table, the pictures to look at."""
    whole = [row for row in rows if not row["kind"]]
    shown = [name for name in (*SHARES, *MEANS) if any(name in row for row in whole)]
    beyond = [f"{name} beyond {control}" for name in BETTER for control in CONTROLS]
    beyond = [name for name in beyond if any(name in row for row in whole)]
    lines = [
        f"# {plan['pictures']} pictures, {len(plan['networks'])} networks",
        "",
        f"{unread} could not be read; the table says why." if unread else "All of them could be read.",
        "Means over pictures with 95 % intervals; “beyond” a control is the paired difference on the same "
        "pictures, above 0 where the method is better; ★ where its interval leaves 0 out.",
        "",
        "| network | method | pictures | " + " | ".join([*shown, *beyond]) + " |",
        "|---|---|---|" + "---|" * len([*shown, *beyond]),
    ]
    for row in whole:
        cells = [_cell(row.get(name), name in beyond) for name in (*shown, *beyond)]
        lines.append("| " + " | ".join([row["network"], row["method"], str(row["pictures"]), *cells]) + " |")
    for one in plan["networks"]:
        lines += ["", *(f"{one['name']}, {name}: {why}" for name, why in one["left_out"].items())]
    if apart:
        lines += ["", "The networks differ most on these pictures, the first one most:", ""]
        lines += [f"{k}. `{name.replace('`', '')}`" for k, name in enumerate(apart, 1)]
    return "\n".join(lines) + "\n"


def _cell(figure: Sequence[float | None] | None, tested: bool) -> str:
    if figure is None:
        return ""
    value, low, high = figure
    if value is None or low is None or high is None:
        return f"{value:.3f}"
    star = " ★" if tested and low > 0 else ""
    return f"{value:.3f} ({low:.3f} to {high:.3f}){star}"
