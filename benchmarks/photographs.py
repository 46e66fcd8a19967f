"""Do maps point to where the answer is known to be in photographs? Mosaics of a folder; cut-outs on grounds.

    python -m benchmarks truth --photographs                Debian's tuxpaint-stamps-default, if installed
    python -m benchmarks truth --photographs FOLDER --models efficientnet_lite0
    python -m benchmarks truth --photographs --scenes 200 --methods Grad-CAM HiResCAM

A picture's class is what the network itself calls it alone, with over 50 %: nobody's labels are needed, and
a network that can't name a picture isn't asked about it. In a mosaic each of four pictures is asked for in
turn. Cut-outs are two things on one ground, upright, apart, the longer side 0.35 to 0.5 of the frame; a
scene counts where the network names each of them so, over 50 % again, alone at the same place on the same
ground: where it sees nothing, there is no evidence to point to. The cells of a mosaic partition the frame, so
a map that is blind to the class points right in exactly a quarter; of two things chance is the share of the
frame that they cover.

What differs from published figures: pointing has no tolerance (Zhang et al. allow 15 pixels).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from vizcore.methods.table import METHODS, QUICK
from vizcore.methods.together import parted
from vizcore.model import VisionModel
from vizcore.networks.disconnected import disconnected, in_cells, why_not_disconnected
from vizcore.networks.load import load_model
from vizcore.pictures import known, textures
from vizcore.pictures.images import PictureError, read_picture
from vizcore.pictures.known.mosaics import SIDE
from vizcore.pictures.sets import SUFFIXES
from vizcore.studies.known_answers import Of, known_answers
from vizcore.studies.named import LEAST, classes, named

STAMPS = Path("/usr/share/tuxpaint/stamps")
KINDS = ("animals", "food", "hobbies", "household", "military", "plants", "sports", "vehicles")
COLOURS = 500  # of 32 768, from which on a stamp is taken for a photograph and not for a drawing
GROUNDS = ("noise", "texture", "plain")
FINER = {"efficientnet_lite0": ("blocks.5", "blocks.4")}  # layers before the last, whose CAMs are tried too
TRIES = 50  # pairs that are looked at for each scene, before it is given up
MOST = 400  # pictures of a folder that are looked at


def stamps(folder: Path = STAMPS) -> dict[str, Image.Image]:
    """The photographic stamps with a transparent surround, cut out, by name."""
    found = {}
    for file in sorted(path for kind in KINDS for path in (folder / kind).rglob("*.png")):
        try:
            thing = known.cut(known.read_cutout(file.read_bytes()))
        except PictureError:  # opaque, or nothing to see
            continue
        array = np.asarray(thing)
        colours = len(np.unique(array[array[..., 3] >= 128][:, :3] // 8, axis=0))
        if colours >= COLOURS and min(thing.size) >= 40:
            found[str(file.relative_to(folder).with_suffix(""))] = thing
    return found


def on_plain(thing: Image.Image, side: int = SIDE) -> Image.Image:
    """A thing alone on light grey, as large as it can be."""
    scale = 0.9 * side / max(thing.size)
    small = thing.resize([max(1, round(scale * length)) for length in thing.size], Image.Resampling.LANCZOS)
    whole = Image.new("RGB", (side, side), (200, 200, 200))
    whole.paste(small, ((side - small.width) // 2, (side - small.height) // 2), small)
    return whole


def photographs(folder: Path, seed: int = 0) -> dict[str, Image.Image]:
    """Up to ``MOST`` pictures of a folder and the folders in it, by path, drawn by lot."""
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    order = np.random.default_rng(seed).permutation(len(files))[:MOST]
    found = {}
    for file in (files[k] for k in order):
        try:
            found[str(file.relative_to(folder))] = read_picture(file.read_bytes(), SIDE)
        except PictureError as error:
            print(f"{file.name} is left out: {error}", file=sys.stderr)
    return found


def names_of(model: VisionModel, pictures: Mapping[str, Image.Image]) -> dict[str, int]:
    """The class of each picture that the network names alone with over 50 %."""
    last = None
    for last in named(model, pictures):
        _progress(f"{model.title} names", last.done, last.total)
    return classes(last.names, LEAST) if last else {}


def one_a_class(names: Mapping[str, int]) -> dict[str, int]:
    """The first picture of each class: two pictures of one class in a mosaic would be one region."""
    return {name: index for index, name in {index: name for name, index in reversed(names.items())}.items()}


def ground(number: int) -> np.ndarray:
    """Noise, a texture and a plain colour in turn, (SIDE, SIDE, 3)."""
    kind = GROUNDS[number % len(GROUNDS)]
    if kind == "noise":
        return known.noise(SIDE, number)
    if kind == "texture":
        return textures.single(textures.LABELS[number % len(textures.LABELS)], number, SIDE).picture
    colour = np.random.default_rng(number).integers(40, 216, 3)
    return np.broadcast_to(colour.astype(np.uint8), (SIDE, SIDE, 3)).copy()


def pairs(
    model: VisionModel, things: Mapping[str, Image.Image], names: Mapping[str, int], count: int, seed: int = 0
) -> Iterator[known.Scene]:
    """Scenes of two things of different classes, each named so alone at its place on the ground."""
    draw = np.random.default_rng(seed)
    titles, found, tried = list(names), 0, 0
    while found < count and tried < count * TRIES:
        number, tried = tried, tried + 1
        one, two = (titles[k] for k in draw.choice(len(titles), 2, replace=False))
        if names[one] == names[two]:
            continue
        both, below = {one: things[one], two: things[two]}, ground(number)
        if all(_seen_alone(model, below, both, number, name, names[name]) for name in both):
            yield known.place(below, both, number)
            found += 1
    print(f"{model.title} names both things alone on the ground in {found} of {tried} pairs")


def _seen_alone(
    model: VisionModel, below: np.ndarray, both: Mapping, number: int, name: str, index: int
) -> bool:
    """Whether the network is sure enough of one of two things where the other's place is empty."""
    picture = known.place(below, both, number, shown=[name]).picture
    with torch.no_grad():
        answer = model.net(model.preprocess(Image.fromarray(picture)))[0].float().softmax(0)
    return float(answer[index]) > LEAST


def asked_of(model: VisionModel, methods: list[str] | None) -> list[str]:
    """The quick methods that can be asked of a network, CAMs of finer layers too, or those that are named."""
    finer = [f"{name} at {layer}" for layer in FINER.get(model.name, ()) for name in ("Grad-CAM", "LayerCAM")]
    return [name for name in methods or [*QUICK, *finer] if METHODS[parted(name)[0]].applies(model)]


def table(
    model: VisionModel, names: Mapping[str, int], scenes, count: int, methods: list[str], what: str
) -> Of:
    last = None
    for last in known_answers({model.title: model}, {model.title: names}, scenes, methods, count=count):
        _progress(f"{model.title}, {what}", last.done, last.total)
    assert last is not None
    return last.networks[model.title]


def cell_by_cell(
    model: VisionModel, names: Mapping[str, int], scenes: list[known.Scene], methods
) -> dict[str, Of]:
    """The control in which cells can't mix. A class has another index in each cell, so names are numbered."""
    if why_not_disconnected(model):
        return {}
    apart = disconnected(model)
    kept = [name for name in methods if name in METHODS and METHODS[name].applies(apart)]
    titled = [
        known.Scene(one.picture, {f"{k} {name}": mask for name, mask in one.masks.items()})
        for k, one in enumerate(scenes)
    ]
    asked = {
        f"{k} {name}": index
        for k, one in enumerate(scenes)
        for name, index in in_cells(one, names, model.num_classes).items()
    }
    return {"mosaics, cell by cell": table(apart, asked, titled, len(titled), kept, "cell by cell")}


def measure(
    name: str, folder: Path | None, scenes: int, methods: list[str] | None, device: str | None = None
) -> dict[str, Of]:
    """All tables of one network, by what is shown."""
    model = load_model(name, device=device)
    found: dict[str, Of] = {}
    own = asked_of(model, methods)
    things = stamps() if folder is None else {}
    pictures = photographs(folder) if folder else {title: on_plain(thing) for title, thing in things.items()}
    names = names_of(model, pictures)
    single = one_a_class(names)
    print(f"{model.title} names {len(names)} of {len(pictures)} pictures alone, {len(single)} classes")
    if len(single) >= 4:
        mosaics = list(known.mosaics({title: pictures[title] for title in single}, scenes))
        found["mosaics"] = table(model, single, mosaics, scenes, own, "mosaics")
        found |= cell_by_cell(model, single, mosaics[: max(4, scenes // 4)], own)
    if things and len(single) >= 2:
        if made := list(pairs(model, things, names, scenes)):
            found["cut-outs"] = table(model, names, made, len(made), own, "cut-outs")
    return found


def show(name: str, found: Mapping[str, Of]) -> None:
    """Print one network's tables."""
    for what, of in found.items():
        print(f"\n{name}, {what}: {of.scenes} scenes, {of.questions} questions, chance {of.chance:.3f}")
        print(f"  {'':24}{'points right':>24}{'share of the heat':>26}{'silent':>8}")
        for method, score in of.scores.items():
            point, heat = (
                f"{one.value:.3f} ({one.low:.3f} to {one.high:.3f})" for one in (score.pointing, score.energy)
            )
            print(f"  {method:24}{point:>24}{heat:>26}{score.silent:>8.0%}")


def as_data(found: Mapping[str, Of]) -> dict:
    return {
        what: of._asdict() | {"scores": {name: score._asdict() for name, score in of.scores.items()}}
        for what, of in found.items()
    }


def run(args) -> int:
    """``python -m benchmarks truth --photographs``."""
    folder = Path(args.photographs) if args.photographs else None
    if folder is None and not STAMPS.is_dir():
        print(f"There are no stamps at {STAMPS}: apt-get install tuxpaint-stamps-default, or name a folder.")
        return 1
    results = {}
    for name in args.models:
        found = measure(name, folder, args.scenes, args.methods, args.device)
        show(name, found)
        results[name] = as_data(found)
    if args.json:
        Path(args.json).write_text(json.dumps(results) + "\n")
    return 0


def _progress(words: str, done: int, total: int) -> None:
    if sys.stderr.isatty():
        print(f"\r{words}: {done} of {total}", end="\n" if done == total else "", file=sys.stderr)
