"""The lines of ``vizcore`` that make a figure again. What a person chose or named enters by ``repr`` only."""

from __future__ import annotations

from collections.abc import Mapping

from .brought import Brought, all_brought, is_brought

HEAD = """\
import numpy as np
from PIL import Image
{imports}
image = {image}
model = {model}
images = model.preprocess(image)  # (1, 3, H, W)
"""
HEATS = {  # each gives ``heat``, (h, w), over what the model sees
    "method": "heat = METHODS[{method!r}].make(model, images, {target}{told})  # for {name!r}\n",
    "pixels": """\
*_, last = METHODS[{method!r}].steps(model, images, {target}{told})  # for {name!r}
pixels = {part}  # (C, h, w)
""",
    "features": """\
features = capture(model.net, images, [{layer!r}]).layers[{layer!r}]
maps = as_maps(features, model.layouts[{layer!r}])  # (C, h, w)
heat = {heat}
""",
    "attention": """\
tokens = model.num_prefix_tokens + model.grid[0] * model.grid[1]
blocks = attention(model.net, images, [{module!r}], tokens)
heat, elsewhere = attended(fuse(blocks[0][0], {head!r}), {cell!r}, model.grid, model.num_prefix_tokens)
""",
    "rollout": """\
start = {start}
blocks = attention(model.net, images, model.attention)
rows = rollout(blocks, start, prefix=model.num_prefix_tokens, **{settings!r})
heat = on_patches(rows[{block!r}, 0, 0], model.grid, model.num_prefix_tokens)
""",
    "raw": """\
start = {start}
block = attention(model.net, images, model.attention)[{block!r}][0]  # (heads, N, N)
row = (start @ block)[:, 0]{fuse}  # (N,)
heat = on_patches(row, model.grid, model.num_prefix_tokens)
""",
    "relevance": """\
start = readout(model.net, model.grid, model.num_prefix_tokens)
_, blocks = class_attention(model.net, images, model.attention, [{index!r}])  # {name!r}
rows = {rows}
heat = on_patches(rows[{block!r}, 0, 0, 0], model.grid, model.num_prefix_tokens)
""",
    "off": """\
off = {off}
own = heads(model)
means = {means}
changed = switched_off(model, off, own, means)
heat = METHODS["Grad-CAM"].make(changed, images, {index!r}, layer={layer!r})  # for {name!r}
""",
    "patched": """\
other = {other}
changed = patched(model, model.preprocess(other), {where!r}, {places!r}, first={first!r})
heat = METHODS["Grad-CAM"].make(changed, images, {index!r}, layer={layer!r})  # for {name!r}
""",
    "field": """\
field = fields(model, images, [{layer!r}], {at!r}, draws={draws!r})[{layer!r}]  # (1, H, W)
heat = on_cells(field.energy)[0]
""",
    "concepts": """\
pictures = [model.preprocess(one) for one in {pictures}]
*_, found = concepts(model, pictures, {layer!r}, {count!r})
heat = {heat}
""",
    "lens": """\
said = list(lens(model, images))[{block!r}]  # after {layer!r}
heat = {heat}
""",
}
PAIR = """\
from PIL import Image
from vizcore.pictures import sets
from vizcore.studies import cka as similarity
from vizcore.drawing.matrix import matrix_picture
{imports}
a, b = {a}, {b}
shown = {shown}
steps = similarity.compare(a, b, shown, {layers}, similarity.{how!r})
last = next(step for step in steps if step.done == {done!r})
cka = last.cka[{estimator!r}]  # (layers of A, layers of B)
figure = matrix_picture(cka, {layers}, {title!r}, {sides!r})
"""
FIELDS = """\
from PIL import Image
{imports}
model = {model}
pictures = {pictures}
layers = {layers!r}
*_, last = reaches(model, pictures, layers)
rows = {{"as it is": last.cells}}
{beside}figure = fields_sheet(rows, layers)
"""
BEGAN = """\
began = {began}
*_, last = reaches(began, pictures, layers)
rows["random weights"] = last.cells
"""
RUN = """\
from itertools import islice
import numpy as np
from PIL import Image
from vizcore import objectives
from vizcore.imagine.maximise import Recipe, maximise
from vizcore.imagine.augment import Augment
{imports}
model = {model}
wanted = [{wanted}]  # {names}
recipe = {recipe}
*_, last = islice(maximise(model, wanted, recipe, {seeds!r}), {done!r})
best = (last.best * 255).round().byte().permute(0, 2, 3, 1).cpu().numpy()  # (n, H, W, 3)
figure = np.concatenate(list(best), 1)
"""
SAVED = 'Image.fromarray(figure).save("figure.png")\n'
FRAMED = """\
framed = render.to_array(in_frame(model, image, heat))  # in the picture's own pixels
visible = seen(model.preprocess.box(image.size), image.size).numpy()
"""
FIGURES = {
    "altered": """\
given = Given({seed!r}, {mask}, {other})
figure = CHANGES[{name!r}].make(np.asarray(image), {level!r}, given)
scores = model.net(model.preprocess(Image.fromarray(figure)))
print(model.labels[int(scores.argmax())], float(probabilities(model.net, scores).max()))
""",
    "concepts": """\
pictures = {pictures}
*_, found = concepts(model, [model.preprocess(one) for one in pictures], {layer!r}, {count!r})
figure = concept_sheet(model, pictures, found)
""",
    "heads": """\
own = heads(model)
means = {means}
*_, last = each_head(model, images, {index!r}, own, means)
names = [str(k) for k in range(last.falls.shape[1])], [str(k + 1) for k in range(last.falls.shape[0])]
figure = signed_table(100 * last.falls.T, *names, {title!r}, ("head", "block"))
""",
    "map": "figure = render.lay(np.asarray(image), framed, visible, {opacity!r}{how})\n",
    "pixels": """\
framed = render.to_array(in_frame(model, image, pixels))
visible = seen(model.preprocess.box(image.size), image.size).numpy()
figure = render.outline(render.{scale}(framed, render.end_of_scale(render.to_array(pixels))), visible)
""",
    "region": """\
region = {region}
figure = render.contour(figure, region)
""",
}
IMPORTS = {  # what a line has that needs it
    " attention(": "from vizcore.methods.attention import attention",
    "attended(": "from vizcore.methods.attention import attended",
    "fuse(": "from vizcore.methods.attention import fuse",
    " rollout(": "from vizcore.methods.rollout import rollout",
    "weighted_rollout(": "from vizcore.methods.rollout import weighted_rollout",
    "class_attention(": "from vizcore.methods.rollout import class_attention",
    " relevance(": "from vizcore.methods.rollout import relevance",
    "on_patches(": "from vizcore.methods.tokens import on_patches",
    "readout(": "from vizcore.methods.tokens import readout",
    " patch(": "from vizcore.methods.tokens import patch",
    "METHODS[": "from vizcore.methods.table import METHODS",
    "in_frame(": "from vizcore.methods.table import in_frame",
    "strongest(": "from vizcore.methods.method import strongest",
    "logit(": "from vizcore.objectives import logit",
    "render.": "from vizcore.drawing import render",
    "capture(": "from vizcore.capture import capture",
    "as_maps(": "from vizcore.methods.features import as_maps",
    "Off(": "from vizcore.inside.switched_off import Off",
    "switched_off(": "from vizcore.inside.switched_off import switched_off",
    "means_over(": "from vizcore.inside.switched_off import means_over",
    "each_head(": "from vizcore.inside.heads_in_turn import each_head",
    "signed_table(": "from vizcore.drawing.signed_table import signed_table",
    " heads(": "from vizcore.inside.projections import heads",
    " patched(": "from vizcore.inside.patching import patched",
    "Group(": "from vizcore.inside.unit_groups import Group",
    "extremes(": "from vizcore.inside.extremes import extremes",
    " card(": "from vizcore.inside.crops import card",
    "some_of(": "from vizcore.pictures.samples_of import some_of",
    "[channel(": "from vizcore.objectives import channel",
    "RECIPES[": "from vizcore.imagine.maximise import RECIPES, maximise",
    "with_quarters(": "from vizcore.pictures.quarters import with_quarters",
    "stored_set(": "from vizcore.inside.stored_units import stored_set",
    "sets.": "from vizcore.pictures import sets",
    " fields(": "from vizcore.inside.reach import fields",
    "on_cells(": "from vizcore.inside.reach import on_cells",
    "CHANGES[": "from vizcore.experiments.altered import CHANGES",
    "Given(": "from vizcore.experiments.altered import Given",
    "ground(": "from vizcore.experiments.cover_up import ground",
    "probabilities(": "from vizcore.scores import probabilities",
    "(lens(": "from vizcore.inside.lens import lens",
    " chances(": "from vizcore.inside.lens import chances",
    " named(": "from vizcore.inside.lens import named",
    "pca_colours(": "from vizcore.methods.features import pca_colours",
    "similarity(": "from vizcore.methods.features import similarity",
    " concepts(": "from vizcore.inside.concepts import concepts",
    "in_colours(": "from vizcore.inside.concepts import in_colours",
    "concept_sheet(": "from vizcore.inside.concept_sheet import concept_sheet",
    "in_parts(": "from vizcore.pictures.quarters import in_parts",
    "reaches(": "from vizcore.studies.reaches import reaches",
    "fields_sheet(": "from vizcore.drawing.fields import fields_sheet",
    "randomised(": "from vizcore.truth.randomised import randomised",
    "mosaics()": "from benchmarks.claims import mosaics",
    "outliers(": "from vizcore.methods.features import outliers",
    "on_pixels(": "from vizcore.pictures.frame import on_pixels",
    "norms(": "from vizcore.methods.features import norms",
    "strength(": "from vizcore.methods.features import strength",
    "seen(": "from vizcore.pictures.frame import seen",
    "read_picture(": "from vizcore.pictures.images import read_picture",
    "load_model(": "from vizcore.models import load_model",
    "from_huggingface(": "from vizcore.networks.huggingface import from_huggingface",
    "with_preprocessing(": ("from vizcore.networks.preprocessing import Preprocessing, with_preprocessing"),
    "probe_files.": "from vizcore.studies import probe_files",
    "two(": "from vizcore.pictures.textures import two",
    "known.": "from vizcore.pictures import known",
}


def script(choice, picture, *parts: str) -> str:
    """A whole script: what it needs, the picture, the model, and the parts that make ``figure``."""
    body = HEAD + "".join(parts)
    image, model = picture.code, model_of(choice)
    return (
        body.replace("{imports}", needed(body + image + model) + "\n", 1)
        .replace("{image}", image, 1)
        .replace("{model}", model, 1)
        + SAVED
    )


def needed(body: str) -> str:
    """The imports that some lines need."""
    return "\n".join(line for sign, line in IMPORTS.items() if sign in body)


def model_of(choice) -> str:
    """A chosen network, as an expression."""
    if is_brought(choice.name):
        one = all_brought().get(choice.name)
        return _brought(one) if one else "load_model(...)"
    if choice.weights == "checkpoint":
        return f'load_model({choice.name!r}, checkpoint=open("your checkpoint.safetensors", "rb").read())'
    random = f', "random", seed={choice.seed!r}' if choice.weights == "random" else ""
    return f"load_model({choice.name!r}{random})"


def _brought(one: Brought) -> str:
    if one.kind in ("folder", "local"):
        made = 'from_huggingface("your folder")'
    elif one.kind == "probe":
        file = 'probe_files.from_file(open("your probe.safetensors", "rb").read())'
        made = f"probe_files.on({model_of(one.base)}, {file})"
    else:
        labels = f", labels={list(one.labels)!r}" if one.labels else ""
        file = 'open("your checkpoint.safetensors", "rb").read()'
        made = f"load_model({one.name!r}, checkpoint={file}{labels})"
    return f"with_preprocessing({made}, {one.preprocessing!r})" if one.preprocessing else made


def start(cell: tuple[int, int] | None) -> str:
    """The query that attention is traced from: a patch, or where the answer is read."""
    if cell is None:
        return "readout(model.net, model.grid, model.num_prefix_tokens)"
    return f"patch({cell[0]}, {cell[1]}, model.grid, model.num_prefix_tokens)"


def fused(head: str) -> str:
    """Of (heads, N), one head or what is made of all."""
    return {"mean": ".mean(0)", "max": ".amax(0)", "min": ".amin(0)"}.get(head) or f"[{int(head.split()[1])}]"


def relevance(settings: dict | None) -> str:
    if settings is None:
        return "relevance(blocks, start)"
    return f"weighted_rollout(blocks, start, prefix=model.num_prefix_tokens, **{settings!r})"


def laid(opacity: float, **how) -> str:
    """``render.lay`` as it is asked; what it does anyway stays unsaid."""
    usual = {"colour_map": "viridis", "kind": "heat", "low": None, "high": None}
    words = (f", {name}={value!r}" for name, value in how.items() if value != usual[name])
    return FIGURES["map"].format(opacity=opacity, how="".join(words))


def told(settings: dict) -> str:
    """Settings as arguments that follow others."""
    return "".join(f", {name}={value!r}" for name, value in settings.items())


def target(index: int, other: int | None) -> str:
    """A class, or a class and not another."""
    return repr(index) if other is None else f"logit(model, {index!r}) - logit(model, {other!r})"


def heat(method: str, index: int, name: str, other: int | None = None, **settings) -> str:
    """Of a method's map for a class, or for a class and not another."""
    return HEATS["method"].format(method=method, target=target(index, other), name=name, told=told(settings))


def changed(change, index: int, name: str, layer: str) -> str:
    """Of Grad-CAM of a network as a ``without.Change`` makes it."""
    asked = {"index": index, "name": name, "layer": layer}
    if change.nothing:
        return heat("Grad-CAM", index, name, layer=layer)
    if change.source is not None:
        places = {"where": change.layer, "places": list(change.places), "first": change.first}
        return HEATS["patched"].format(other=change.source.code, **places, **asked)
    over = f"[model.preprocess(one) for one in {change.others.code}]" if change.others else ""
    means = f"means_over(model, {over}, off, own)" if change.others else "None"
    return HEATS["off"].format(off=list(change.off), means=means, **asked)


def every_head(one, index: int, title: str, over: str = "") -> str:
    """Of how much a class falls without each head; ``over`` makes the pictures of their means, if it does."""
    off = '[Off("heads", name) for name in own]'
    means = f"means_over(model, (model.preprocess(one) for one in {over}), {off}, own)" if over else "None"
    return script(one.choice, one.picture, FIGURES["heads"].format(means=means, index=index, title=title))


def mean_fields(choice, pictures: str, layers: list[str], anew: str) -> str:
    """Of what places of some layers depend on; beside random weights, "drawn" by name or "randomised"."""
    began = {
        "drawn": model_of(choice._replace(weights="random")),
        "randomised": "list(randomised(model))[-1][1]",
    }
    beside = BEGAN.format(began=began[anew]) if anew else ""
    body = FIELDS.format(
        imports="{imports}", model=model_of(choice), pictures=pictures, layers=layers, beside=beside
    )
    return body.replace("{imports}", needed(body), 1) + SAVED


def concepts(pictures: str, layer: str, count: int, which: int | None) -> str:
    """Of the concepts on the first of some pictures: one of them, or all as colours."""
    of_all = "in_colours(found.maps[0], found.maps.amax((0, 2, 3)))"
    heat = of_all if which is None else f"found.maps[0, {which!r}]"
    return HEATS["concepts"].format(pictures=pictures, layer=layer, count=count, heat=heat)


def concept_sheet(one, pictures: str, layer: str, count: int) -> str:
    """Of the concepts on all of some pictures."""
    return script(
        one.choice, one.picture, FIGURES["concepts"].format(pictures=pictures, layer=layer, count=count)
    )


def lens(block: int, layer: str, index: int, name: str, classes: list[int] | None) -> str:
    """Of what places say after a block: a class's probability, or the names of ``classes`` as colours."""
    of_class = f"chances(model, said)[{index!r}]  # for {name!r}"
    of_names = f"named(said.places.argmax(0), {classes!r})"
    return HEATS["lens"].format(block=block, layer=layer, heat=of_class if classes is None else of_names)


def over(one, heat: str, shown, look: Mapping, ends: tuple, opacity: str = "opacity") -> str:
    """Of a map over the picture, a ``viewer.Map`` of the ``heat`` that those lines make.

    Args:
        one: has its ``choice`` and ``picture``. look: as the viewer has it; ``opacity`` is which of its own.
        ends: of its colours; None each for its own.
    """
    how = {"kind": shown.kind, "low": ends[0], "high": ends[1]}
    colours = {"colour_map": look["colours"]} if shown.kind == "heat" else {}
    figure = laid(look[opacity] / 100, **colours, **how)
    if shown.region and look["region"]:
        figure += contour(one.picture, shown.region)
    return script(one.choice, one.picture, heat, FRAMED, figure)


def contour(picture, name: str) -> str:
    """Around the true region of a thing, where it can be made again."""
    region = picture.regions.get(name)
    return FIGURES["region"].format(region=region) if region else ""


def pixels(one, view: str, region: bool) -> str:
    """Of a map on the saliency page, a ``Mapped``; empty for a view over the picture."""
    parts = {
        "colours": "last.pixels",
        "greyscale": "strongest(last.pixels)[None]",
        "positive": "last.pixels",
        "negative": "-last.pixels",
    }
    if view not in parts:
        return ""
    asked = target(one.index, one.other)
    made = HEATS["pixels"].format(
        method=one.method, target=asked, told=told(one.told), name=one.name, part=parts[view]
    )
    figure = FIGURES["pixels"].format(scale="centred" if view == "colours" else "from_black")
    return script(
        one.choice, one.picture, made, figure, contour(one.picture, one.name.casefold()) if region else ""
    )


def similarity(asked, done: int, title: str, sides: tuple[str, str]) -> str:
    """Of the matrix on the similarity page, a ``similarity.Asked`` after ``done`` pictures."""
    a, b = (model_of(choice) for choice in asked.choices)
    layers = [
        f"{side}.blocks" if own == model.blocks else f"{side}.layers"
        for side, own, model in zip("ab", asked.layers, asked.models, strict=True)
    ]
    return (
        PAIR.format(
            imports=needed(a + b),
            a=a,
            b=b,
            shown=asked.source.code,
            layers=", ".join(layers),
            how=asked.how,
            done=done,
            estimator=asked.estimator,
            title=title,
            sides=sides,
        )
        + SAVED
    )


def imagined(one, recipe, seed: int, done: int) -> str:
    """Of the pictures that a network imagines, an ``actmax.Asked`` after ``done`` steps."""
    wanted = [
        f"objectives.CLASS_OBJECTIVES[{rest[0]!r}](model, {rest[1]!r})"
        if kind == "class"
        else f"objectives.channel(model, {', '.join(map(repr, rest))})"
        for kind, *rest in one.targets
    ]
    model = model_of(one.choice)
    return (
        RUN.format(
            imports=needed(model),
            model=model,
            wanted=", ".join(wanted),
            names=", ".join(map(repr, one.names)),
            recipe=recipe,
            seeds=[seed] * len(wanted),
            done=done,
        )
        + SAVED
    )
