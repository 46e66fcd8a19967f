"""The model card, written from the metrics, with a contact sheet."""

import json
import sys
import textwrap
from pathlib import Path

import cv2

from training import loop, nets, pool
from vizcore.pictures import textures

CARD = """# Model card: texture_resnet and texture_vit

Two small networks that tell twenty textures apart: a convolutional network and a Vision Transformer,
trained from nothing on the same pictures, for the same time, so that what they look at can be compared.
They are here so that every page of Sightlines works without a download, and so that there are pictures
whose answer is known: the pictures are drawn by code, and the code knows where each texture is.

**They know nothing but textures.** Shown a cat they will name one of twenty textures, with some confidence.
They are for teaching and for testing visualisation methods, and for no decision about anything.

![Ten pictures of each of the twenty classes](textures.jpg)

## How good

{table}

Every figure is from fresh drawings: their seeds lie outside those of training. `python -m benchmarks truth`
measures them again, with confusion matrices and 95 % intervals.

{weakest}
{truth}
How well they do on photographs has not been measured here; expect a good deal less.

## How made

`python -m training` makes both again: it draws {pool} pictures at {side} x {side} pixels, then trains on
crops of them in batches of 64.

{made}

The recipe:

- Half of each batch shows one texture; the other half is mixed by a mask (wavy halves, bands, rings,
  crescents, crosses, patchwork; never the ellipses, blobs and polygons of the test scenes), with a second
  texture or with a background that is none of the twenty.
- Both are supervised twice: the whole picture by the share of each texture in it, and every 16 x 16 cell by
  the share in that cell (token labelling, Jiang et al., 2021). The cells use the classifier's own weights:
  for the ResNet on its last feature map, for the ViT on every patch token, with one more score for
  "background" that is dropped afterwards.
- Muon (Jordan et al., 2024) for the inner weights, AdamW for the rest; the learning rate falls in a
  straight line over the last {cool:.0%} of the steps; crops of 96 pixels first, of 128 later; averaged
  weights.
- The first layer starts from random Gabor wavelets.

## Files

| file | what |
|---|---|
{files}

The networks are timm's:

{built}

Input 128 x 128 RGB, resized bicubically without a crop, mean 0.5, standard deviation 0.5. Labels, in order:

{labels}.

The class names follow the Describable Textures Dataset (Cimpoi et al., 2014); none of its pictures was
used. Licence: MIT, weights and drawings alike.
"""


def _table(metrics):
    lines = [
        "| | parameters | one texture, whole frame | one texture before a distractor |",
        "|---|---|---|---|",
    ]
    for name, m in metrics.items():
        lines.append(
            f"| {name} | {m['parameters'] / 1e6:.2f} M | {m['accuracy']:.1%} of {m['scenes']} "
            f"| {m['accuracy_on_distractor']:.1%} of {m['scenes_on_distractor']} |"
        )
    return "\n".join(lines)


def _weakest(name, m):
    worst = sorted(m["recall"], key=m["recall"].get)[:3]
    return (
        f"{name} is weakest at " + ", ".join(f"{label} ({m['recall'][label]:.0%})" for label in worst) + "."
    )


def _made(name, m):
    return (
        f"- {name}: {m['steps']} batches, seed {m['seed']}, {m['minutes']:.0f} minutes on {m['machine']}, "
        f"one thread. {m.get('note', '')}".rstrip()
    )


def _pointing(measured):
    """The heatmap figures of one model, as rows of a table."""
    for method, score in measured["two"].items():
        figures = (
            f"{v:.2f} ({low:.2f} to {high:.2f})" for v, low, high in (score["pointing"], score["energy"])
        )
        yield f"| {measured['model']} | {method} | " + " | ".join(figures) + " |"


def _truth(path):
    """What `python -m benchmarks truth --json` wrote, if it is there, as a section."""
    if not path.exists():
        return ""
    results = json.loads(path.read_text())["results"]
    scenes = next(iter(results[0]["two"].values()))["scenes"]
    lines = [
        "",
        "Where two textures share the frame, a heatmap is asked for each (one half is what a map",
        f"that doesn't depend on the class gets; {scenes} scenes, 95 % intervals):",
        "",
        "| | heatmap | points at the right one | share of the map there |",
        "|---|---|---|---|",
        *(line for measured in results for line in _pointing(measured)),
        "",
    ]
    return "\n".join(lines)


def write(out):
    """Write out/MODEL_CARD.md and the contact sheet, from metrics.json and, if there is one, truth.json."""
    out = Path(out)
    found = json.loads((out / "metrics.json").read_text())
    names = [f"texture_{name}" for name in nets.ARCHITECTURES]
    metrics = {name: found[name] for name in names if name in found}
    sheet = textures.contact_sheet(size=64, columns=10)[..., ::-1]
    cv2.imwrite(str(out / "textures.jpg"), sheet, [cv2.IMWRITE_JPEG_QUALITY, 82])
    text = CARD.format(
        table=_table(metrics),
        weakest="\n".join(_weakest(*item) for item in metrics.items()),
        truth=_truth(out / "truth.json"),
        pool=" or ".join(sorted({f"{m['pool']:,}" for m in metrics.values()})),
        side=pool.SIDE,
        made="\n".join(_made(*item) for item in metrics.items()),
        cool=loop.COOL_DOWN,
        files="\n".join(f"| {name}.safetensors | fp16 weights, labels in the metadata |" for name in metrics),
        built="\n".join(
            f"- `create_model({name!r}, {', '.join(f'{k}={v}' for k, v in kwargs.items())})`"
            for name, kwargs in nets.ARCHITECTURES.values()
        ),
        labels=textwrap.fill(", ".join(textures.LABELS), 108, break_on_hyphens=False),
    )
    (out / "MODEL_CARD.md").write_text(text)


if __name__ == "__main__":
    write(sys.argv[1] if len(sys.argv) > 1 else "vizcore/weights")
