"""Pictures whose answer is known, and the table of truth: masks to the pixel, blind maps at chance."""

import io
import json
import zipfile
from itertools import product

import numpy as np
import pytest
import torch
from PIL import Image
from shared import shared_model

from benchmarks import __main__ as command
from benchmarks import photographs
from vizcore import truth
from vizcore.methods.table import METHODS, QUICK
from vizcore.methods.together import together
from vizcore.networks.disconnected import disconnected, in_cells, why_not_disconnected
from vizcore.pictures import known, textures
from vizcore.pictures.images import PictureError, read_picture
from vizcore.pictures.known import coco
from vizcore.studies.known_answers import known_answers
from vizcore.studies.named import borrowed, classes, named

COLOURS = ["red", "lime", "blue", "white", "black", "yellow", "cyan", "magenta", "gray"]


def flat(count=4, size=(90, 60)):
    return {name: Image.new("RGB", size, name) for name in COLOURS[:count]}


def drawn(count=4, side=200):
    labels = textures.LABELS[:count]
    return {name: Image.fromarray(textures.single(name, 9, side).picture) for name in labels}


def png(array, **options):
    file = io.BytesIO()
    Image.fromarray(array).save(file, "PNG", **options)
    return file.getvalue()


def thing(colour=(255, 0, 0), size=(120, 60)):
    """An ellipse that stands free, on a surround of another colour that can't be seen."""
    y, x = np.mgrid[-1 : 1 : size[1] * 1j, -1 : 1 : size[0] * 1j]
    inside = x**2 + y**2 <= 1
    return Image.fromarray(
        np.dstack([np.where(inside[..., None], colour, (0, 255, 0)), 255 * inside]).astype(np.uint8)
    )


# ---------------------------------------------------------------- mosaics


@pytest.mark.parametrize("count, side", list(product([4, 9], [384, 301])))
def test_the_cells_of_a_mosaic_hold_their_picture_and_nothing_else(count, side):
    scene = known.mosaic(flat(count), side)
    assert scene.picture.shape == (side, side, 3)
    assert (sum(mask.astype(int) for mask in scene.masks.values()) == 1).all()
    for name, mask in scene.masks.items():
        assert set(map(tuple, scene.picture[mask])) == {Image.new("RGB", (1, 1), name).getpixel((0, 0))}
        assert mask.mean() == pytest.approx(1 / count, rel=0.02 if count == 4 else 0.3)  # with its margin


def test_the_same_seed_gives_the_same_mosaic_and_another_another():
    first, again, other = (known.mosaic(flat(), seed=seed) for seed in (1, 1, 2))
    assert (first.picture == again.picture).all() and (first.picture != other.picture).any()
    many = list(known.mosaics(flat(9), 9, seed=3))
    used = [name for scene in many for name in scene.masks]
    assert all(used.count(name) == 4 for name in COLOURS) and all(len(scene.masks) == 4 for scene in many)
    later = list(known.mosaics(flat(9), 9, seed=3))[5]
    assert (many[5].picture == later.picture).all()


def test_a_network_that_crops_sees_all_cells_whole():
    for name in ("texture_vit", "efficientnet_lite0"):
        assert known.cells_whole(shared_model(name).preprocess.box((384, 384)))
    assert not known.cells_whole((40, 40, 344, 344))
    scene, box = known.mosaic(flat()), shared_model("efficientnet_lite0").preprocess.box((384, 384))
    left, top, right, bottom = map(round, box)
    seen = [mask[top:bottom, left:right].sum() for mask in scene.masks.values()]
    assert set(seen) == {168**2}


@pytest.mark.parametrize("count", [1, 3, 5])
def test_no_square_no_mosaic(count):
    with pytest.raises(ValueError, match=f"4 or 9 pictures, not {count}"):
        known.mosaic(flat(count))


# ---------------------------------------------------------------- cut-outs


def test_a_cut_out_is_where_its_mask_says():
    ground = np.full((300, 400, 3), 90, np.uint8)
    things = {"one": known.cut(thing()), "two": known.cut(thing((0, 0, 255), (50, 100)))}
    for seed in range(5):
        scene = known.place(ground, things, seed, turn=30)
        changed = (scene.picture != 90).any(-1)
        assert not (scene.masks["one"] & scene.masks["two"]).any()
        soft = changed & ~scene.masks["one"] & ~scene.masks["two"]
        assert soft.sum() < 0.2 * changed.sum()  # the edge of what is half transparent
        red, green, blue = scene.picture[scene.masks["one"]].mean(0)
        assert red > 220 and green < 30 and blue < 30, "the colour of what can't be seen shows"
        for name, share in (("one", 1), ("two", 1)):
            rows, columns = np.nonzero(scene.masks[name])
            longer = max(np.ptp(rows), np.ptp(columns)) + share
            assert 0.3 * 300 <= longer <= 0.5 * 300 + 2
            assert rows.min() >= 300 / 16 - 1 and columns.max() <= 400 * 15 / 16 + 1
    alone = known.place(ground, things, 4, turn=30, shown=["one"])
    assert (alone.masks["one"] == scene.masks["one"]).all()
    assert (alone.picture[scene.masks["one"]] == scene.picture[scene.masks["one"]]).all()
    assert (alone.picture[scene.masks["two"]] == 90).all(), "its place is empty"
    again = known.place(ground, things, 4, turn=30)
    assert (again.picture == scene.picture).all()


def test_things_cover_each_other_no_more_than_asked():
    ground, large = known.noise(200, 1), {name: known.cut(thing(size=(100, 100))) for name in "abc"}
    scene = known.place(ground, large, 0, size=(0.5, 0.5), overlap=0.6)
    whole = max(mask.sum() for mask in scene.masks.values())
    assert all(mask.sum() >= 0.35 * whole for mask in scene.masks.values())
    with pytest.raises(ValueError, match="no room for 3"):
        known.place(ground, large, 0, size=(0.6, 0.6))


@pytest.mark.parametrize("alpha, words", [(255, "opaque"), (0, "transparent everywhere")])
def test_what_isn_t_cut_out_is_refused(alpha, words):
    image = Image.new("RGBA", (20, 20), (9, 9, 9, alpha))
    with pytest.raises(PictureError, match=words):
        known.cut(image)
    with pytest.raises(PictureError, match="no transparent surround"):
        known.cut(image.convert("RGB"))


# ---------------------------------------------------------------- masks


def test_drawn_masks_as_files_are_the_masks():
    scene = textures.two("spiralled", "banded", 3, 128)
    for mask in scene.masks.values():
        inside = mask.astype(np.uint8)
        clear = np.dstack([np.full((128, 128, 3), 200, np.uint8), 255 * inside])
        for data in (png(255 * inside), png(inside), png(inside * 90), png(clear)):
            assert (known.read_mask(data, (128, 128)) == mask).all()
    large = np.kron(mask.astype(np.uint8), np.ones((2, 2), np.uint8))
    assert (known.read_mask(png(large * 255), (128, 128)) == mask).all()


def test_a_mask_that_can_t_be_is_refused_in_words():
    with pytest.raises(PictureError, match="is empty"):
        known.read_mask(png(np.zeros((40, 40), np.uint8)), (40, 40))
    with pytest.raises(PictureError, match="proportions differ"):
        known.read_mask(png(np.full((40, 60), 255, np.uint8)), (40, 40))
    with pytest.raises(PictureError, match="rectangle is empty"):
        known.rectangle((100, 50), 0.5, 0, 0.5, 1)
    assert known.rectangle((100, 50), 0.5, 0, 1, 1).mean() == 0.5


def test_a_full_mask_holds_all_energy_and_an_empty_one_is_refused():
    heat, full = torch.rand(6, 8), np.ones((6, 8), bool)
    assert truth.energy(heat, full) == pytest.approx(1) and truth.pointing(heat, full)
    for judge in (truth.energy, truth.pointing):
        with pytest.raises(ValueError, match="mask is empty"):
            judge(heat, ~full)


def zipped(**files):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "/") + ".png", content)
    return data.getvalue()


def test_a_zip_of_pictures_and_masks():
    picture, mask = np.full((40, 40, 3), 80, np.uint8), np.zeros((40, 40), np.uint8)
    mask[:10] = 255
    found = known.read_pairs(
        zipped(cats__a=png(picture), cats__a_mask=png(mask), b=png(picture), b_mask_dog=png(mask.T.copy()))
    )
    assert {name: list(scene.masks) for name, scene in found.items()} == {"cats/a": ["cats"], "b": ["dog"]}
    assert found["cats/a"].masks["cats"].mean() == 0.25 and found["b"].masks["dog"][:, :10].all()
    with pytest.raises(PictureError, match="no mask for b"):
        known.read_pairs(zipped(b=png(picture)))
    with pytest.raises(PictureError, match="no picture for b"):
        known.read_pairs(zipped(b_mask=png(mask)))


def test_a_zip_in_which_a_mask_may_be_of_two_pictures_is_refused():
    picture, mask = np.full((40, 40, 3), 80, np.uint8), np.zeros((40, 40), np.uint8)
    mask[:10] = 255
    for other, words in (("dog.bmp", "two pictures called dog"), ("dog_mask.bmp", "two masks of the region")):
        data = io.BytesIO(zipped(dog=png(picture), dog_mask=png(mask)))
        with zipfile.ZipFile(data, "a") as archive:
            archive.writestr(other, png(picture))
        with pytest.raises(PictureError, match=words):
            known.read_pairs(data.getvalue())


@pytest.mark.parametrize("low, high, dtype", [(0, 1, np.uint16), (300, 60000, np.uint16), (0, 1, np.int32)])
def test_a_mask_of_sixteen_bits_is_read_by_its_own_values(low, high, dtype):
    inside = np.zeros((40, 60), bool)
    inside[5:20, 10:30] = True
    file = io.BytesIO()
    Image.fromarray(np.where(inside, high, low).astype(dtype)).save(file, "TIFF")
    assert (known.read_mask(file.getvalue(), (60, 40)) == inside).all()


@pytest.mark.parametrize("turned", [3, 6, 8])
def test_masks_and_cut_outs_are_turned_as_their_pictures_are(turned):
    mask = np.zeros((40, 60), np.uint8)
    mask[:10, :30] = 255
    exif = Image.Exif()
    exif[0x112] = turned
    grey, free = png(mask, exif=exif), png(np.dstack([mask] * 4), exif=exif)
    seen = np.asarray(read_picture(grey))[..., 0] > 127
    assert seen.shape == ((40, 60) if turned == 3 else (60, 40)) and not seen[:10, :30].all()
    for data in (grey, free):
        assert (known.read_mask(data, seen.shape[::-1]) == seen).all()
    assert (np.asarray(known.read_cutout(free))[..., 3] > 127).tolist() == seen.tolist()


# ---------------------------------------------------------------- COCO


@pytest.mark.parametrize(
    "pictures, files, found",
    [
        (["a.jpg", "b.png"], ["a.png", "c.png"], {"a.jpg": "a.png"}),
        (["a/1.jpg", "b/1.jpg"], ["a/1.jpg", "b/1.jpg"], {"a/1.jpg": "a/1.jpg", "b/1.jpg": "b/1.jpg"}),
        (["a/1.jpg", "b/1.jpg"], ["train/b/1.jpg"], {"b/1.jpg": "train/b/1.jpg"}),
        (["1.jpg", "1.png"], ["1.png"], {"1.png": "1.png"}),
        (["mine/a/1.jpg"], ["a\\1.jpg", "b\\1.jpg"], {"mine/a/1.jpg": "a\\1.jpg"}),
        (["a/1.jpg", "b/1.jpg"], ["1.jpg"], None),
        (["1.jpg"], ["train/1.jpg", "val/1.jpg"], None),
    ],
)
def test_a_json_s_picture_is_the_one_of_its_name_and_folder(pictures, files, found):
    asked = {path: path for path in pictures}
    if found is None:
        with pytest.raises(PictureError, match="several of that name"):
            known.matched(asked, files)
    else:
        assert known.matched(asked, files) == found


def test_pictures_of_one_name_in_two_folders_keep_their_own_masks():
    box = [[0, 0, 20, 0, 20, 40, 0, 40]]
    said = annotations(
        images=[{"id": k, "file_name": f"{k}/a.png", "height": 40, "width": 40} for k in (1, 2)],
        categories=[{"id": k, "name": name} for k, name in ((1, "cat"), (2, "dog"))],
        annotations=[{"image_id": k, "category_id": k, "segmentation": box} for k in (1, 2)],
    )
    picture = png(np.full((40, 40, 3), 80, np.uint8))
    data = io.BytesIO(zipped(**{"1__a": picture, "2__a": picture}))
    with zipfile.ZipFile(data, "a") as archive:
        archive.writestr("said.json", said)
    found = known.read_pairs(data.getvalue())
    assert {name: list(scene.masks) for name, scene in found.items()} == {"1/a": ["cat"], "2/a": ["dog"]}


def test_polygons_and_run_lengths():
    square = coco.region([[10, 20, 30, 20, 30, 50, 10, 50]], 60, 80)
    assert square[20:50, 10:30].all() and square.sum() == 30 * 20
    hole = coco.region({"counts": [60 * 10, 60, 60 * 69], "size": [60, 80]}, 60, 80)
    assert hole[:, 10].all() and hole.sum() == 60
    assert coco.unpacked(r"hb0l1\Q4") == [600, 60, 4140]
    y, x = np.mgrid[:200, :300] + 0.5  # a circle, and its polygon of many corners
    around = np.linspace(0, 2 * np.pi, 200, endpoint=False)
    circle = coco.region(
        [np.stack([150 + 70 * np.cos(around), 90 + 70 * np.sin(around)], 1).ravel()], 200, 300
    )
    disc = np.hypot(x - 150, y - 90) <= 70
    assert (circle & disc).sum() / (circle | disc).sum() > 0.99


def test_polygons_are_as_coco_s_own_reader_has_them():
    reader = pytest.importorskip("pycocotools.mask")
    draw = np.random.default_rng(0)
    for _ in range(200):
        count = draw.integers(3, 30)
        angles = np.sort(draw.uniform(0, 2 * np.pi, count))
        radii, middle = draw.uniform(10, 120, count), draw.uniform(0, 260, 2)
        corners = (middle + radii[:, None] * np.stack([np.cos(angles), np.sin(angles)], 1)).ravel().tolist()
        theirs = reader.decode(reader.merge(reader.frPyObjects([corners], 240, 320))).astype(bool)
        ours = coco.region([corners], 240, 320)
        if theirs.sum() > 1000:
            assert (ours & theirs).sum() / (ours | theirs).sum() > 0.99
        packed = reader.encode(np.asfortranarray(theirs.astype(np.uint8)))["counts"].decode()
        assert (coco.region({"counts": packed}, 240, 320) == theirs).all()


def annotations(**changes):
    return json.dumps(
        {
            "images": [{"id": 1, "file_name": "a.jpg", "height": 40, "width": 40}],
            "categories": [{"id": 7, "name": "cat"}],
            "annotations": [
                {"image_id": 1, "category_id": 7, "segmentation": [[0, 0, 20, 0, 20, 40, 0, 40]]},
                {"image_id": 1, "category_id": 7, "segmentation": {"counts": [1200, 400], "size": [40, 40]}},
            ],
        }
        | changes
    ).encode()


def test_an_annotation_file():
    found = known.read_coco(annotations())
    assert found["a.jpg"]["cat"].mean() == 0.75, "two objects of a class are one region"
    for data in (b"{", b"[]", annotations(categories=[]), annotations(images=[])):
        with pytest.raises(PictureError, match="no COCO annotation file"):
            known.read_coco(data)
    broken = [{"image_id": 1, "category_id": 7, "segmentation": {"counts": [3, 4]}}]
    with pytest.raises(PictureError, match="don't fill"):
        known.read_coco(annotations(annotations=broken))


# ---------------------------------------------------------------- the control of edges


def test_edges_are_where_the_picture_changes():
    images = torch.zeros(1, 3, 64, 64)
    images[..., 40:] = 1
    found = truth.edges(images, 8, 8)
    assert found.argmax(1).tolist() == [4] * 8 or found.argmax(1).tolist() == [5] * 8
    assert found[:, :4].sum() == 0 and truth.edges(images * 0, 8, 8).max() == 0


# ---------------------------------------------------------------- many methods at once, and the table


@pytest.mark.parametrize("name", ["texture_resnet", pytest.param("texture_vit", marks=pytest.mark.long)])
def test_together_and_one_by_one_are_the_same_maps(name):
    model = shared_model(name)
    images = model.preprocess(Image.fromarray(known.mosaic(drawn()).picture))
    methods = [method for method in QUICK if METHODS[method].applies(model)]
    layer = model.layers[len(model.layers) // 2]
    found = together(model, images, [3, 7], [*methods, f"LayerCAM at {layer}"])
    assert list(found) == [*methods, f"LayerCAM at {layer}"] and len(methods) > 8
    earlier = METHODS["LayerCAM"].make(model, images, 3, layer=layer)
    assert torch.allclose(found.pop(f"LayerCAM at {layer}")[0], earlier, rtol=1e-3, atol=1e-6)
    for method, maps in found.items():
        for target, heat in zip((3, 7), maps, strict=True):
            alone = METHODS[method].make(model, images, target)
            assert torch.allclose(heat, alone, rtol=1e-3, atol=1e-5 * float(alone.abs().max())), method


def table(models, asked, scenes, methods, **options):
    *_, last = known_answers(models, asked, scenes, methods, **options)
    return last


@pytest.fixture(scope="module")
def textured():
    scenes = list(known.mosaics(drawn(6), 8, seed=1, side=256))
    return scenes, {name: textures.LABELS.index(name) for name in drawn(6)}


def test_class_blind_maps_point_right_in_exactly_a_quarter(textured):
    scenes, index = textured
    model = shared_model("texture_vit")
    found = table({"vit": model}, {"vit": index}, scenes, ["Grad-CAM", "rollout"]).networks["vit"]
    assert (found.questions, found.scenes, found.chance) == (32, 8, 0.25)
    for blind in ("rollout", "random", "centre", "edges"):
        assert found.scores[blind].pointing.value == 0.25, blind
        assert found.scores[blind].energy.value == pytest.approx(0.25)
    best = found.scores["Grad-CAM"]
    assert best.pointing.low > 0.4 and best.energy.low > 0.4 and best.silent < 0.2


def test_a_network_is_asked_only_for_what_stands_for_its_classes(textured):
    scenes, index = textured
    resnet = shared_model("texture_resnet")
    some = {name: index[name] for name in list(index)[:1]}
    steps = list(
        known_answers({"a": resnet, "b": resnet, "c": resnet}, {"a": index, "b": some}, scenes, ["rollout"])
    )
    assert [step.done for step in steps] == list(range(1, 25)) and steps[-1].total == 24
    networks = steps[-1].networks
    assert networks["b"].questions < networks["b"].scenes * 2 and networks["b"].chance == 0.25
    assert networks["c"].questions == 0 and networks["c"].scores == {}
    assert "rollout" in networks["a"].left_out and set(networks["a"].scores) == {"random", "centre", "edges"}
    one = {name: 3 for name in index}  # all are the same class to it: the region is the frame
    same = table({"a": resnet}, {"a": one}, scenes[:2], ["Grad-CAM"]).networks["a"]
    assert same.questions == 2 and same.chance == 1 and same.scores["Grad-CAM"].energy.value == 1


def test_what_a_network_names_alone_and_what_it_borrows():
    model, pictures = shared_model("texture_resnet"), drawn(5)
    *_, last = named(model, pictures)
    right = {name: textures.LABELS.index(name) for name in pictures}
    assert classes(last.names, 0.5).items() <= right.items() and len(classes(last.names)) >= 4
    assert classes(last.names, 1.0) == {}
    assert borrowed(model, {"x": "Banded", "y": "no such"}) == {"x": textures.LABELS.index("banded")}


def test_cells_seen_one_by_one_can_t_mix():
    model = shared_model("texture_resnet")
    banded = Image.fromarray(textures.single("banded", 10, 200).picture)
    apart, scene = disconnected(model), known.mosaic({"first": banded} | drawn(3))
    asked = in_cells(scene, {name: textures.LABELS.index(name) for name in drawn(3)}, model.num_classes)
    assert len(set(asked.values())) == 3
    images = apart.preprocess(Image.fromarray(scene.picture))
    second = asked[list(scene.masks)[1]]  # at the top right
    elsewhere = torch.ones(16, 16, dtype=torch.bool)
    elsewhere[:8, 8:] = False
    for method, spills in (("HiResCAM", False), ("Grad-CAM", True)):  # into the other banded cell
        heat = METHODS[method].make(apart, images, second)
        assert heat[:8, 8:].max() > 0 and (heat[elsewhere].max() > 0) == spills, method
    assert METHODS["gradient"].make(apart, images, second)[:, :128].max() == 0, "nor does another's gradient"
    found = table({"apart": apart}, {"apart": asked}, [scene], ["HiResCAM"]).networks["apart"]
    assert found.scores["HiResCAM"].energy.value > 0.9 and found.scores["HiResCAM"].pointing.value == 1
    image = Image.fromarray(scene.picture)
    scores = apart.net(apart.preprocess(image)).unflatten(1, (4, -1))[0]
    first = np.nonzero(scene.masks[next(iter(scene.masks))])
    alone = image.crop((24, 24, int(first[1].max()) + 1, int(first[0].max()) + 1))
    assert torch.allclose(scores[0].softmax(0), model.net(model.preprocess(alone))[0].softmax(0), atol=0.15)
    assert "one by one" in why_not_disconnected(shared_model("texture_vit"))


# ---------------------------------------------------------------- the command


def test_the_command_measures_a_folder(tmp_path, capsys):
    for name, image in drawn(6).items():
        (tmp_path / name).mkdir()
        image.save(tmp_path / name / "1.png")
    (tmp_path / "broken.jpg").write_bytes(b"no picture")
    target = tmp_path / "found.json"
    options = ["--models", "texture_resnet", "--scenes", "4", "--methods", "HiResCAM", "--json", str(target)]
    assert command.main(["truth", "--photographs", str(tmp_path), *options]) == 0
    said = capsys.readouterr().out
    assert "names 6 of 6 pictures alone, 6 classes" in said and "4 scenes, 16 questions, chance 0.250" in said
    found = json.loads(target.read_text())["texture_resnet"]
    assert found["mosaics"]["scores"]["random"]["pointing"][0] == 0.25
    assert found["mosaics, cell by cell"]["scores"]["HiResCAM"]["pointing"][0] > 0.9


def test_pairs_are_things_that_are_each_named_alone(monkeypatch, capsys):
    colours = {"red": (250, 0, 0), "blue": (0, 0, 250), "grey": (120, 120, 120)}
    things = {name: known.cut(thing(colour, (80, 60))) for name, colour in colours.items()}
    things["red too"] = things["red"]
    looked_at = []

    def one_answer(picture):
        """Sees red, blue, or neither; both look like what was never asked."""
        red, blue = ((picture[..., k].astype(int) - picture[..., 1] > 200).any() for k in (0, 2))
        looked_at.append(red and blue)
        return {(1, 0): [0.9, 0.1, 0.0], (0, 1): [0.1, 0.9, 0.0]}.get((red, blue), [0.0, 0.0, 1.0])

    def answer(pictures):
        return torch.tensor([one_answer(picture) for picture in pictures])

    monkeypatch.setattr(photographs, "GROUNDS", ("plain",))
    monkeypatch.setattr(photographs, "_quickly", lambda model: answer)
    first, second = (list(photographs.pairs(shared_model("texture_resnet"), things, 3, seed=1)) for _ in "12")
    assert len(first) == 3 and not any(looked_at), "two things were shown where one was to be named"
    for (scene, asked), (again, _) in zip(first, second, strict=True):
        assert (scene.picture == again.picture).all() and set(asked) == set(scene.masks)
        assert sorted(asked.values()) == [0, 1], "a thing that isn't named, or two of one class"
        one, two = scene.masks.values()
        assert not (one & two).any() and 0.05 < one.mean() < 0.2
        for name, mask in scene.masks.items():
            assert (scene.picture[mask] == colours[name.split()[0]]).all(-1).mean() > 0.8
    titled, classes_of = photographs.one_by_one(*zip(*first, strict=True))
    assert len(classes_of) == 6 and all(set(scene.masks) <= set(classes_of) for scene in titled)


def test_what_the_bare_ground_is_called_is_no_name_of_a_thing(monkeypatch, capsys):
    things = {name: known.cut(thing()) for name in "ab"}
    answers = {"bare": torch.tensor([0.2, 0.8]), "thing": torch.tensor([0.9, 0.1])}
    monkeypatch.setattr(photographs, "GROUNDS", ("plain",))

    def answer(seen):
        return torch.stack([answers["bare" if (one == one[0, 0]).all() else "thing"] for one in seen])

    monkeypatch.setattr(photographs, "_quickly", lambda model: answer)
    monkeypatch.setattr(photographs, "TRIES", 3)
    assert not list(photographs.pairs(shared_model("texture_resnet"), things, 1))
    assert "0 scenes of two things; 6 were tried" in capsys.readouterr().out
    answers["bare"] = torch.tensor([0.05, 0.95])
    ground = photographs.ground(0)
    assert all(found and found.index == 0 for found in photographs.laid(answer, ground, things, 0))


@pytest.mark.skipif(not photographs.STAMPS.is_dir(), reason="apt-get install tuxpaint-stamps-default")
def test_on_photographs_of_debian_s_stamps_maps_point_to_what_the_network_names(monkeypatch):
    monkeypatch.setattr(photographs, "KINDS", ("animals/insects",))
    methods = ["Grad-CAM", "Grad-CAM × LayerCAM"]
    found = {}
    for one in photographs.measure("efficientnet_lite0", None, 4, methods):
        found |= one
    right = {what: {name: s.pointing.value for name, s in of.scores.items()} for what, of in found.items()}
    assert right["mosaics"]["Grad-CAM"] > 0.8 and right["mosaics"]["random"] == 0.25
    assert right["mosaics, cell by cell"]["Grad-CAM"] == 1
    assert right["cut-outs"]["Grad-CAM × LayerCAM"] > 0.7 > right["cut-outs"]["random"]
    assert found["cut-outs"].questions == 8 and found["cut-outs"].chance < 0.2
