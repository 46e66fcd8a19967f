"""Do maps point to where the answer is known to be in photographs? Mosaics of a folder; cut-outs on grounds.

    python -m benchmarks truth --photographs                Debian's tuxpaint-stamps-default, if installed
    python -m benchmarks truth --photographs FOLDER --models efficientnet_lite0
    python -m benchmarks truth --photographs --scenes 200 --methods Grad-CAM HiResCAM --kinds cut-outs

A picture's class is what the network itself calls it alone, with over 50 %: nobody's labels are needed, and
a network that can't name a picture isn't asked about it. In a mosaic each of four pictures is asked for in
turn. Cut-outs are two things on one ground, upright, apart, the longer side 0.35 to 0.5 of the frame; a
thing's class is what the network calls it alone at the same place on the same ground, with over 50 % again
where it gives the bare ground under 10 %: where it sees nothing, there is no evidence to point to. The cells
of a mosaic partition the frame, so a map that is blind to the class points right in exactly a quarter; of two
things chance is the share of the frame that they cover. Intervals are of other arrangements of these things.

What differs from published figures: pointing has no tolerance (Zhang et al. allow 15 pixels).
"""

from __future__ import annotations

import json
import sys
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

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
TRIES = 20  # grounds for each scene, before it is given up
BARE = 0.1  # the probability from which on a class is the ground's, not the thing's
SHOWN = ("mosaics", "mosaics, cell by cell", "cut-outs")
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


def one_a_class(names: dict[str, int]) -> dict[str, int]:
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


Answer = Callable[[Iterable[np.ndarray]], torch.Tensor]  # B pictures (H, W, 3) -> (B, classes) probabilities


class Laid(NamedTuple):
    """A thing that a network names alone at a place on a ground."""

    name: str
    thing: Image.Image
    seed: int  # of its size and place
    index: int  # of the class
    mask: np.ndarray


def laid(
    answer: Answer, below: np.ndarray, things: Mapping[str, Image.Image], seed: int
) -> Iterator[Laid | None]:
    """Things in turn, by lot, each alone on a ground; None for one that it doesn't name."""
    bare = answer([below])[0]
    titles = list(things)
    for some in np.array_split(np.random.default_rng(seed).permutation(len(titles)), len(titles) // 8 + 1):
        places = [seed * len(titles) + int(k) for k in some]
        alone = [
            known.place(below, {titles[k]: things[titles[k]]}, place)
            for k, place in zip(some, places, strict=True)
        ]
        answers = answer([one.picture for one in alone])
        for k, place, one, sure in zip(some, places, alone, answers, strict=True):
            name, index = titles[k], int(sure.argmax())
            named_so = sure[index] > LEAST and bare[index] < BARE
            yield Laid(name, things[name], place, index, one.masks[name]) if named_so else None


def pairs(
    model: VisionModel, things: Mapping[str, Image.Image], count: int, seed: int = 0
) -> Iterator[tuple[known.Scene, dict[str, int]]]:
    """Scenes of two things that the network names alone, each at its place on this ground, and these classes.

    On each ground things are tried until two of different classes lie apart: at most one scene a ground.
    """
    found = tried = 0
    answer = _quickly(model)
    for number in range(seed, seed + count * TRIES):
        if found == count:
            break
        below, before = ground(number), list[Laid]()
        for one in laid(answer, below, things, number):
            tried += 1
            if one is None:
                continue
            fits = (other for other in before if _apart(one, other))
            if other := next(fits, None):
                under = known.place(below, {other.name: other.thing}, other.seed)
                both = known.place(under.picture, {one.name: one.thing}, one.seed)
                scene = known.Scene(both.picture, {**under.masks, **both.masks})
                yield scene, {other.name: other.index, one.name: one.index}
                found += 1
                _progress(f"{model.title}, scenes of two things", found, count)
                break
            before.append(one)
    print(f"{model.title}: {found} scenes of two things; {tried} were tried, each alone at its place")


def _apart(one: Laid, other: Laid) -> bool:
    return one.index != other.index and not (one.mask & other.mask).any()


def _quickly(model: VisionModel) -> Answer:
    """Pictures to probabilities by a copy without its batch norms: hundreds are tried for each scene."""
    first = model.preprocess(Image.fromarray(ground(0))).expand(2, -1, -1, -1)
    with torch.no_grad(), warnings.catch_warnings(action="ignore"):
        net = torch.jit.freeze(torch.jit.trace(model.net, first, check_trace=False))

    def answer(pictures: Iterable[np.ndarray]) -> torch.Tensor:
        with torch.no_grad():
            images = torch.cat([model.preprocess(Image.fromarray(one)) for one in pictures])
            return net(images).float().softmax(1)

    return answer


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


def one_by_one(
    scenes: Iterable[known.Scene], asked: Iterable[Mapping[str, int]]
) -> tuple[list[known.Scene], dict[str, int]]:
    """Scenes whose things have a class of their own in each: names are numbered, and all classes in one."""
    titled, classes_of = [], {}
    for k, (one, own) in enumerate(zip(scenes, asked, strict=True)):
        titled.append(known.Scene(one.picture, {f"{k} {name}": mask for name, mask in one.masks.items()}))
        classes_of |= {f"{k} {name}": index for name, index in own.items()}
    return titled, classes_of


def cell_by_cell(
    model: VisionModel, names: Mapping[str, int], scenes: list[known.Scene], methods
) -> dict[str, Of]:
    """The control in which cells can't mix. A class has another index in each cell."""
    if why_not_disconnected(model):
        return {}
    apart = disconnected(model)
    kept = [name for name in methods if name in METHODS and METHODS[name].applies(apart)]
    titled, asked = one_by_one(scenes, (in_cells(one, names, model.num_classes) for one in scenes))
    return {"mosaics, cell by cell": table(apart, asked, titled, len(titled), kept, "cell by cell")}


def cut_outs(
    model: VisionModel, things: Mapping[str, Image.Image], count: int, methods: list[str]
) -> dict[str, Of]:
    made = list(pairs(model, things, count))
    if not made:
        return {}
    often = Counter(name for _, own in made for name in own)
    share = often.most_common(1)[0][1] / len(made)
    print(f"  {len(often)} different things, the commonest in {share:.0%} of the scenes")
    titled, asked = one_by_one(*zip(*made, strict=True))
    return {"cut-outs": table(model, asked, titled, len(titled), methods, "cut-outs")}


def measure(
    name: str,
    folder: Path | None,
    scenes: int,
    methods: list[str] | None,
    device: str | None = None,
    kinds: Iterable[str] = SHOWN,
) -> Iterator[dict[str, Of]]:
    """The tables of one network, by what is shown (of ``SHOWN``), each as soon as it is there."""
    model = load_model(name, device=device)
    own = asked_of(model, methods)
    things = stamps() if folder is None else {}
    pictures = photographs(folder) if folder else {title: on_plain(thing) for title, thing in things.items()}
    names = names_of(model, pictures)
    single = one_a_class(names)
    print(f"{model.title} names {len(names)} of {len(pictures)} pictures alone, {len(single)} classes")
    whole, apart, laid_out = (kind in kinds for kind in SHOWN)
    if len(single) >= 4 and (whole or apart):
        mosaics = list(known.mosaics({title: pictures[title] for title in single}, scenes))
        if whole:
            yield {"mosaics": table(model, single, mosaics, scenes, own, "mosaics")}
        if apart:
            yield cell_by_cell(model, single, mosaics, own)
    if len(things) >= 2 and laid_out:
        yield cut_outs(model, things, scenes, own)


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
        for found in measure(name, folder, args.scenes, args.methods, args.device, args.kinds):
            show(name, found)
            results[name] = results.get(name, {}) | as_data(found)
            if args.json:  # each table as it comes: a run may be broken off
                Path(args.json).write_text(json.dumps(results) + "\n")
    return 0


def _progress(words: str, done: int, total: int) -> None:
    if sys.stderr.isatty():
        print(f"\r{words}: {done} of {total}", end="\n" if done == total else "", file=sys.stderr)
