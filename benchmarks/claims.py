"""Two claims, measured: a ViT looks globally from the first block; CNNs go for textures and ViTs for shapes.

    python -m benchmarks claims                     both, for both pairs; writes vizcore/weights/claims.json
                                                    and the pictures of what places depend on beside it
    python -m benchmarks claims --only textures     one pair, the rest of the file stays as it is
    python -m benchmarks claims --only photographs  asks for Debian's tuxpaint-stamps-default
    python -m benchmarks claims --claim looks       one of the claims: looks, knows

The pair of textures is shown drawn textures, whose names are known. The networks that know photographs are
shown Debian's photographic stamps: mosaics of four for how far they look, and for what they know a thing by
each stamp alone on a plain ground, as it is and mirrored, on three shades of grey; those that both networks
name with over 50 %, each by its own name, at most ``EACH`` of one stamp, the surest.
"""

from __future__ import annotations

import argparse
import time
from itertools import product

import numpy as np
import torch
from PIL import Image, ImageOps

from benchmarks.photographs import STAMPS, on_plain, stamps
from vizcore.experiments.altered import filling
from vizcore.model import VisionModel
from vizcore.networks.load import load_model
from vizcore.pictures import known, textures
from vizcore.pictures.sets import drawn
from vizcore.scores import probabilities
from vizcore.studies import claims_on_file as file
from vizcore.studies import knowing, reaches
from vizcore.studies.knowing import Item

LOOKED, DRAWN = 50, 200  # pictures for how far networks look; textures for what they know them by
GREYS, SIZE = (200, 255, 110), 0.85
SURE, EACH = 0.5, 3
SIDE = 256


def mosaics() -> list[Image.Image]:
    alone = {name: on_plain(thing) for name, thing in stamps().items()}
    return [Image.fromarray(scene.picture) for scene in known.mosaics(alone, LOOKED)]


def looks(name: str, pictures) -> dict:
    """How far a network looks, as it is and as it began."""
    found = {}
    for weights in ("trained", "random"):
        model = load_model(name, weights, device="cpu")
        start = time.perf_counter()
        *_, last = reaches.reaches(model, pictures)
        found[weights] = summary = reaches.summed_up(model, last)
        file.store_fields(name, weights, summary.cells)
        print(f"{model.title}, {weights}: {summary.pictures} pictures, {time.perf_counter() - start:.0f} s")
        for block, (own, heads) in enumerate(zip(summary.blocks, summary.heads, strict=True), 1):
            each = ", ".join(f"{one:.0f}" for one in heads)
            print(f"  block {block}: {own.value:.1f} ± {own.high - own.value:.1f} px of "
                  f"{summary.even_distance:.1f} if it looked everywhere alike; heads {each}")  # fmt: skip
        for layer, (half, most) in summary.fields.items():
            print(f"  {layer:28} half within {half.value:.1f}, 90 % within {most.value:.1f} "
                  f"({most.low:.1f} to {most.high:.1f}) of {summary.even_radius[1]:.1f} px")  # fmt: skip
    return {weights: reaches.as_data(one) for weights, one in found.items()}


def of_textures(_models: list[VisionModel]) -> list[list[Item]]:
    """Drawn textures, each with another one as its rival; the same for both networks."""
    pictures = [np.asarray(one) for one in drawn(DRAWN, size=SIDE)]
    count, items = len(textures.LABELS), []
    for k, picture in enumerate(pictures):
        step = 1 + (k // count) % (count - 1)  # all other textures in turn
        rival = (k + step) % count
        other = pictures[k // count * count + rival]
        items.append(Item(str(k), picture, k % count, None, other, None, rival))
    return [items] * len(_models)


def laid(thing: Image.Image, grey: int) -> tuple[np.ndarray, np.ndarray]:
    """A thing alone in the middle of a plain ground, and where it is."""
    scale = SIZE * SIDE / max(thing.size)
    small = thing.resize([max(1, round(scale * side)) for side in thing.size], Image.Resampling.LANCZOS)
    at = ((SIDE - small.width) // 2, (SIDE - small.height) // 2)
    whole, mask = Image.new("RGB", (SIDE, SIDE), (grey,) * 3), Image.new("L", (SIDE, SIDE))
    whole.paste(small, at, small)
    mask.paste(small.getchannel("A"), at)
    return np.asarray(whole), np.asarray(mask) >= 128


def answers(model: VisionModel, picture: np.ndarray) -> tuple[int, float]:
    with torch.no_grad():
        found = probabilities(model.net, model.net(model.preprocess(Image.fromarray(picture))))[0]
    return int(found.argmax()), float(found.max())


def of_stamps(models: list[VisionModel]) -> list[list[Item]]:
    """Things that both networks name, each by its own name; for each of the networks."""
    kept = []  # (name, thing, picture, mask, answers)
    for name, thing in stamps().items():
        own = []
        for mirrored, grey in product((False, True), GREYS):
            turned = ImageOps.mirror(thing) if mirrored else thing
            picture, mask = laid(turned, grey)
            said: list[tuple[int, float]] = []
            for model in reversed(models):  # the one that names fewer first
                said.insert(0, answers(model, picture))
                if said[0][1] <= SURE:
                    break
            else:
                least = min(sure for _, sure in said)
                own.append((least, name, turned, picture, mask, [index for index, _ in said]))
        kept += [one[1:] for one in sorted(own, key=lambda one: -one[0])[:EACH]]
    print(f"both name {len(kept)} pictures of {len({one[0] for one in kept})} stamps")
    found: list[list[Item]] = []
    for k in range(len(models)):
        items = []
        for number, (name, _, picture, mask, said) in enumerate(kept):
            order = np.random.default_rng(number).permutation(len(kept))
            rivals = (
                kept[one] for one in order if all(a != b for a, b in zip(kept[one][-1], said, strict=True))
            )
            _, other, strange, _, named = next(rivals)
            made = filling(other, (SIDE, SIDE))
            items.append(Item(name, picture, said[k], mask, strange, made, named[k]))
        found.append(items)
    return found


def knows(names: tuple[str, ...], items_of) -> dict:
    """What two networks still know the same pictures by."""
    models = [load_model(name, device="cpu") for name in names]
    both = items_of(models)
    found = []
    for model, items in zip(models, both, strict=True):
        start = time.perf_counter()
        *_, last = knowing.knows(model, items)
        found.append(last)
        print(f"{model.title}: {len(items)} pictures, {time.perf_counter() - start:.0f} s")
        for name, curve in knowing.curves(last).items():
            shares = ", ".join(f"{one.value:.2f} ({one.low:.2f}–{one.high:.2f})" for one in curve.right)
            print(f"  {name:22} {shares}")
            if curve.before:
                print(f"  {'':22} its own before the other's {curve.before}, {curve.either} one of the two")
    differences = knowing.beside(*found)
    return {
        "pictures": len(both[0]),
        "things": len({item.of for item in both[0]}),
        "networks": {
            name: knowing.as_data(knowing.curves(one)) for name, one in zip(names, found, strict=True)
        },
        "difference": knowing.rounded(differences),
        "sides": knowing.rounded(knowing.beside_rivals(*found)),
    }


KINDS = {"textures": (lambda: drawn(LOOKED, size=SIDE), of_textures), "photographs": (mosaics, of_stamps)}


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks claims", description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=list(KINDS), help="one of the pairs")
    parser.add_argument("--claim", choices=["looks", "knows"], help="one of the claims")
    args = parser.parse_args(argv)
    for kind in [args.only] if args.only else list(KINDS):
        if kind == "photographs" and not STAMPS.is_dir():
            print(f"There are no stamps at {STAMPS}: apt-get install tuxpaint-stamps-default.")
            return 1
        pictures, items_of = KINDS[kind]
        names, made = file.PAIRS[kind], {}
        if args.claim != "knows":
            shown = pictures()
            made["looks"] = {name: looks(name, shown) for name in names}
            file.store(kind, made)
        if args.claim != "looks":
            made["knows"] = knows(names, items_of)
            file.store(kind, made)
    print(f"wrote {file.FILE}")
    return 0
