import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from vizcore.networks.load import ModelError, from_module
from vizcore.networks.torchvision_ops import timm, torchvision
from vizcore.pictures.frame import Preprocess, cell_at, seen, to_frame

CPU = torch.device("cpu")


def preprocess(side, crop_pct=0.9, crop_mode="center"):
    options = {"crop_pct": crop_pct, "crop_mode": crop_mode, "interpolation": "bicubic"}
    transform = timm.data.create_transform((3, side, side), mean=(0,) * 3, std=(1,) * 3, **options)
    return Preprocess(transform, CPU, torch.float32)


def centre(heatmap):
    """The (x, y) centre of mass of what stands out, in pixels."""
    bright = (heatmap - heatmap.median()).clamp(min=0)
    bright = bright * (bright > 0.5 * bright.max())
    rows, columns = torch.meshgrid(*(torch.arange(n) + 0.5 for n in heatmap.shape), indexing="ij")
    return (bright * columns).sum() / bright.sum(), (bright * rows).sum() / bright.sum()


@pytest.mark.parametrize("size", [(640, 400), (300, 451), (500, 500)])
@pytest.mark.parametrize(
    "crop", [(0.875, "center"), (0.9, "center"), (1.0, "center"), (1.0, "squash"), (0.9, "border")]
)
def test_a_marker_is_at_the_same_place_in_every_models_map(marker, size, crop):
    place = size[0] * 45 // 100, size[1] * 55 // 100
    picture = marker(size, place, 20)
    for side in (128, 224, 256, 384):
        prepare = preprocess(side, *crop)
        box = prepare.box(size)
        pixels = prepare(picture)[0].mean(0)
        x, y = centre(to_frame(pixels, box, size))
        assert abs(x - place[0]) <= 1 and abs(y - place[1]) <= 1, (side, x, y)
        cells = torch.nn.functional.avg_pool2d(pixels[None], side // 16)[0]
        x, y = centre(to_frame(cells, box, size))
        half = (box[2] - box[0]) / 32, (box[3] - box[1]) / 32
        assert abs(x - place[0]) <= half[0] and abs(y - place[1]) <= half[1], (side, x, y)


def test_what_a_model_does_not_see_is_outside_its_box():
    box, size = preprocess(224, 0.875).box((640, 400)), (640, 400)
    visible = seen(box, size)
    assert visible.shape == (400, 640) and not visible[:, :100].any() and visible[200, 320]
    heatmap = to_frame(torch.ones(2, 7, 7), box, size)
    assert heatmap.shape == (2, 400, 640)
    assert torch.equal(heatmap[0] > 0.999, visible) and (heatmap[0][~visible] == 0).all()


def test_border_mode_sees_the_whole_picture_and_more():
    box = preprocess(224, 1.0, "border").box((640, 400))
    assert seen(box, (640, 400)).all() and box[1] < 0


def test_a_point_names_the_cell_that_holds_it():
    box, size = (100.0, 0.0, 500.0, 400.0), (640, 400)
    assert cell_at((100 / 640, 0.0), box, size, (4, 4)) == (0, 0)
    assert cell_at((499 / 640, 0.999), box, size, (4, 4)) == (3, 3)
    assert cell_at((310 / 640, 0.3), box, size, (4, 4)) == (1, 2)
    assert cell_at((0.0, 0.5), box, size, (4, 4)) == (2, 0)  # not seen: the nearest


def test_odd_modes_are_preprocessed_like_rgb():
    prepare = preprocess(128)
    grey = Image.fromarray(np.full((200, 200), 128, np.uint8))
    assert torch.equal(prepare(grey), prepare(grey.convert("RGB")))


STEPS = torchvision.transforms
END = [STEPS.ToTensor(), STEPS.Normalize([0.5] * 3, [0.5] * 3)]


def small(transform):
    net = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 5))
    return from_module(net, transform)


@pytest.mark.parametrize(
    ("first", "words"),
    [
        ([STEPS.Pad((0, 40, 0, 0)), STEPS.Resize((64, 64))], "moves the picture"),
        ([STEPS.Resize((64, 64)), STEPS.RandomHorizontalFlip(1.0)], "moves the picture"),
        ([STEPS.Lambda(lambda image: image.crop((0, 0, 150, 150))), STEPS.Resize((64, 64))], "moves the"),
        ([STEPS.Resize(100), STEPS.RandomCrop(64)], "draws by lot"),
        ([STEPS.Resize((64, 64)), STEPS.RandomHorizontalFlip(0.5)], "draws by lot"),
        ([STEPS.Resize((64, 64)), STEPS.Lambda(lambda image: image.point(lambda _: 9))], "or nothing of it"),
        ([STEPS.Resize(100), STEPS.FiveCrop(64)], "fails on a picture"),
        ([STEPS.Resize(64)], "64 × 64 pixels of one picture and 64 × 96 of another"),
    ],
)
def test_a_transform_that_would_put_maps_in_the_wrong_place_is_refused(first, words):
    torch.manual_seed(0)
    for _ in range(20 if words == "draws by lot" else 1):  # a coin must not come down right
        with pytest.raises(ModelError) as error:
            small(STEPS.Compose([*first, *END]))
        assert words in str(error.value)


def test_steps_within_steps_and_torchvisions_presets_are_followed():
    inner = STEPS.Compose([STEPS.Resize(100), STEPS.CenterCrop(50)])
    assert small(STEPS.Compose([inner, *END])).preprocess.box((300, 200)) == (100, 50, 200, 150)
    preset = torchvision.models.ResNet18_Weights.DEFAULT.transforms(crop_size=128)
    assert small(preset).preprocess.box((300, 200)) == (100, 50, 200, 150)
