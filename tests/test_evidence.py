"""Evidence: against plain loops, and on maps whose worth is known beforehand."""

import json
import math
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy.stats import norm, spearmanr
from shared import shared_model

from benchmarks import __main__ as command
from benchmarks import evidence as batch
from vizcore import baselines, truth
from vizcore.methods.table import METHODS, QUICK
from vizcore.pictures.frame import to_frame
from vizcore.truth.curves import _coarse_first

torch.manual_seed(0)


@pytest.fixture(scope="module")
def resnet():
    return shared_model("texture_resnet")


@pytest.fixture(scope="module")
def vit():
    return shared_model("texture_vit")


class ReadsOneCorner(torch.nn.Module):
    """Its class 1 is as likely as the upper left quarter is bright; nothing else matters."""

    def forward(self, images):
        bright = 8 * images[..., :16, :16].mean((1, 2, 3))
        return torch.stack([torch.zeros_like(bright), bright], 1)


def corner(rows=32, columns=32):
    heat = torch.zeros(rows, columns)
    heat[: rows // 2, : columns // 2] = 1
    return heat


# ---------------------------------------------------------------- where the answer is known


def test_pointing_and_energy_of_known_maps():
    heat, mask = corner(4, 4), np.zeros((4, 4), bool)
    mask[:2] = True
    assert truth.pointing(heat, mask) and truth.energy(heat, mask) == 1
    assert not truth.pointing(heat, ~mask) and truth.energy(heat, ~mask) == 0
    assert truth.energy(torch.ones(4, 4), mask) == truth.energy(torch.zeros(4, 4), mask) == 0.5
    heat[3, 3] = -8
    assert truth.energy(heat, mask) == 1  # what speaks against isn't counted
    with pytest.raises(ValueError, match=r"heatmap is \(4, 4\), the mask \(3, 4\)"):
        truth.energy(heat, mask[:3])


# ---------------------------------------------------------------- deletion and insertion


@pytest.mark.parametrize("baseline", baselines.COVERS)
def test_curves_agree_with_a_plain_loop(resnet, chelsea, baseline):
    images, steps = resnet.preprocess(chelsea), 6
    heat = torch.rand(8, 8, generator=torch.Generator().manual_seed(3))
    *_, found = truth.curves(resnet.net, images, {"map": heat}, 4, baseline=baseline, steps=steps, chunk=5)
    fine = torch.nn.functional.interpolate(heat[None, None], (128, 128), mode="bilinear").flatten()
    order = fine.argsort(descending=True)
    blank = baselines.COVERS[baseline](images)
    for kind, (before, after) in {"deletion": (images, blank), "insertion": (blank, images)}.items():
        curve = found.curves[kind, "map"]
        assert curve.shares == pytest.approx([k / steps for k in range(steps + 1)])
        area, last = 0.0, None
        for k, probability in enumerate(curve.probabilities):
            picture = before.clone().flatten(2)
            for channel in range(3):
                turned = order[: round(k / steps * len(order))]
                picture[0, channel, turned] = after.flatten(2)[0, channel, turned]
            expected = resnet.net(picture.view_as(images)).softmax(1)[0, 4].item()
            assert probability == pytest.approx(expected, abs=1e-5)
            area += 0 if last is None else (last + probability) / 2 / steps
            last = probability
        assert curve.area == pytest.approx(area, abs=1e-6)


def test_a_true_map_beats_both_controls_and_a_false_one_loses():
    images = torch.rand(1, 3, 32, 32) + 1
    maps = {"true": corner(), "false": -corner(), **truth.controls((8, 8))}
    images[..., 16:] = 0
    *_, found = truth.curves(ReadsOneCorner(), images, maps, 1, baseline="mean", steps=16)
    for kind, better in (("deletion", min), ("insertion", max)):
        areas = {name: found.curves[kind, name].area for name in maps}
        assert better(areas, key=areas.get) == "true"
        assert {min: max, max: min}[better](areas, key=areas.get) == "false"


def test_unfinished_curves_are_coarse_but_whole():
    maps = {"a": corner(), "b": -corner()}
    parts = list(truth.curves(ReadsOneCorner(), torch.rand(1, 3, 32, 32), maps, 1, steps=16, chunk=6))
    assert parts[0].curves["deletion", "a"].shares == [0, 0.5, 1]
    assert all(
        curve.shares[0] == 0 and curve.shares[-1] == 1 for part in parts for curve in part.curves.values()
    )
    assert parts[-1].done == parts[-1].total == 2 + 15 * 4
    assert all(len(curve.shares) == 17 for curve in parts[-1].curves.values())
    assert sorted(_coarse_first(13)) == list(range(1, 13))
    with pytest.raises(ValueError, match="'noise'; there are blur, mean"):
        next(truth.curves(ReadsOneCorner(), torch.rand(1, 3, 32, 32), maps, 1, baseline="noise"))


def test_equal_values_have_no_order_of_their_own():
    ranks = truth.ranked(torch.zeros(4, 4), (32, 32)).view(32, 32)
    first = (ranks < 256).float()
    assert first.sum() == 256 and 0.3 < first[:16].mean() / first.mean() / 2 < 0.7
    assert torch.equal(ranks, truth.ranked(torch.ones(8, 8), (32, 32)).view(32, 32))
    assert (truth.ranked(corner(), (32, 32)).view(32, 32)[:16, :16] < 256).all()


def test_baselines():
    images = torch.rand(1, 3, 64, 48)
    assert torch.allclose(baselines.mean_colour(images)[0, :, 5, 7], images.mean((0, 2, 3)))
    blur = baselines.blurred(images)
    assert blur.shape == images.shape and blur.var() < 0.05 * images.var()
    assert torch.allclose(blur.mean(), images.mean(), atol=0.01)


def test_from_the_frame_to_what_a_model_sees_and_back(resnet, chelsea):
    box = resnet.preprocess.box(chelsea.size)
    cells = torch.rand(8, 8)
    there = truth.on_input(to_frame(cells, box, chelsea.size), box, (8, 8))
    assert (there - cells).abs().max() < 0.05
    ramp = torch.arange(200.0).expand(100, 200)
    assert torch.allclose(truth.on_input(ramp, (50, 0, 150, 100), (10, 10))[0], torch.arange(54.5, 150, 10))


def test_only_what_a_map_found_is_left():
    picture = np.random.default_rng(0).integers(0, 255, (32, 32, 3), np.uint8)
    left = truth.only(picture, corner(), 0.25, "mean")
    assert (left[:16, :16] == picture[:16, :16]).all()
    assert len(np.unique(left[16:].reshape(-1, 3), axis=0)) == 1
    assert (truth.only(picture, corner(), 1.0) == picture).all()


# ---------------------------------------------------------------- how alike two maps are


def test_rank_correlation_agrees_with_scipy():
    a, b = torch.rand(20, 20), torch.rand(20, 20).round(decimals=1)
    b = b + a.round(decimals=1)
    assert truth.rank_correlation(a, b) == pytest.approx(spearmanr(a.flatten(), b.flatten())[0], abs=1e-9)
    assert truth.rank_correlation(a, a.exp()) == pytest.approx(1)
    assert math.isnan(truth.rank_correlation(a, torch.zeros(20, 20)))


def test_ssim_agrees_with_a_plain_loop():
    a = torch.rand(24, 20, generator=torch.Generator().manual_seed(1)).double()
    b = (a + 0.3 * torch.rand(24, 20, generator=torch.Generator().manual_seed(2))).double()
    a, b = ((x - x.min()) / (x.max() - x.min()) for x in (a, b))
    window = torch.exp(-((torch.arange(11.0) - 5) ** 2) / (2 * 1.5**2)).double()
    window = torch.outer(window, window) / window.sum() ** 2
    wide_a, wide_b = (torch.from_numpy(np.pad(x.numpy(), 5, mode="symmetric")) for x in (a, b))
    values = []
    for i in range(24):
        for j in range(20):
            p, q = wide_a[i : i + 11, j : j + 11], wide_b[i : i + 11, j : j + 11]
            mp, mq = (window * p).sum(), (window * q).sum()
            vp, vq = (window * (p - mp) ** 2).sum(), (window * (q - mq) ** 2).sum()
            both = (window * (p - mp) * (q - mq)).sum()
            values.append(
                (2 * mp * mq + 1e-4) * (2 * both + 9e-4) / ((mp**2 + mq**2 + 1e-4) * (vp + vq + 9e-4))
            )
    assert truth.ssim(a, b) == pytest.approx(torch.stack(values).mean().item(), abs=1e-6)
    assert truth.ssim(a, a) == pytest.approx(1)
    assert truth.ssim(a, 3 * a + 2) == pytest.approx(1)


def test_overlap():
    assert truth.overlap(corner(), corner(), 0.25) == 1
    assert truth.overlap(corner(), corner().flip(-1), 0.25) == 0


# ---------------------------------------------------------------- randomisation and stability


def edges(_model, images):
    """A method that shows the picture and asks the network nothing."""
    grey = images.mean((0, 1))
    return (grey[1:, 1:] - grey[:-1, :-1]).abs()


def explained(method, target):
    return lambda model, images: METHODS[method].make(model, images, target)


@pytest.mark.parametrize("name", ["resnet", "vit"])
def test_randomisation_changes_grad_cam_and_leaves_an_edge_detector_unchanged(name, request, chelsea):
    model = request.getfixturevalue(name)
    images = model.preprocess(chelsea)
    target = model.net(images)[0].argmax().item()
    before = {key: value.clone() for key, value in model.net.state_dict().items()}
    steps = list(truth.randomisation(model, images, explained("Grad-CAM", target)))
    assert steps[0].rank == 1 and steps[0].layer == "" and [s.done for s in steps] == list(range(len(steps)))
    assert all(torch.isfinite(step.heatmap).all() for step in steps)
    assert not torch.equal(steps[1].heatmap, steps[0].heatmap)
    assert not abs(steps[-1].rank) > 0.7
    blind = list(truth.randomisation(model, images, edges))
    assert len(blind) == len(steps) == steps[0].total + 1
    assert all(step.rank == pytest.approx(1) and step.ssim == pytest.approx(1) for step in blind)
    assert all(torch.equal(value, before[key]) for key, value in model.net.state_dict().items())


def test_parts_go_from_the_answer_down_and_cover_every_weight(resnet, vit):
    assert [name for name, _ in truth.parts(resnet)] == [
        "fc", "layer4.0", "layer3.0", "layer2.0", "layer1.0", "bn1", "conv1",
    ]  # fmt: skip
    names = [name for name, _ in truth.parts(vit)]
    assert names[0] == "head" and names[-1] == "tokens and positions" and names.index("blocks.5") < 4
    for model in (resnet, vit, shared_model("efficientnet_lite0")):
        *_, (_, last) = truth.randomised(model)
        learnt = dict(model.net.named_parameters())
        for name, value in last.net.named_parameters():
            assert not torch.equal(value, learnt[name]) or value.std() == 0, name
        assert list(dict(last.net.named_parameters())) == list(learnt)


def test_randomisation_from_the_input_up(resnet, chelsea):
    images = resnet.preprocess(chelsea)
    assert truth.parts(resnet, "bottom-up") == truth.parts(resnet)[::-1]
    _, first = next(truth.randomised(resnet, order="bottom-up"))
    assert not torch.equal(first.net.conv1.weight, resnet.net.conv1.weight)
    assert torch.equal(first.net.fc.weight, resnet.net.fc.weight)
    target = resnet.net(images)[0].argmax().item()
    up = list(truth.randomisation(resnet, images, explained("Grad-CAM", target), order="bottom-up"))
    assert up[1].layer == "conv1" and up[-1].layer == "fc" and up[0].rank == 1
    with pytest.raises(ValueError, match="'sideways'; there are top-down, bottom-up"):
        truth.parts(resnet, "sideways")


def test_randomisation_is_fixed_by_its_seed(resnet):
    images = torch.randn(1, 3, 128, 128)
    last = [list(truth.randomised(resnet, seed))[-1][1].net(images) for seed in (0, 0, 1)]
    assert torch.equal(last[0], last[1]) and not torch.allclose(last[0], last[2])


def test_stability(resnet, chelsea):
    images = resnet.preprocess(chelsea)
    target = resnet.net(images)[0].argmax().item()
    still = list(truth.stability(resnet, images, explained("Grad-CAM", target), target, noise=0, draws=2))
    assert [s.done for s in still] == [1, 2] and all(s.rank == pytest.approx(1) for s in still)
    loud = list(truth.stability(resnet, images, explained("Grad-CAM", target), target, noise=1.0, draws=3))
    assert not any(s.rank > 0.99 for s in loud) and all(0 <= s.probability <= 1 for s in loud)


def test_every_method_gives_a_map_over_what_the_model_sees(resnet, vit, chelsea):
    for model in (resnet, vit):
        images = model.preprocess(chelsea)
        for name, method in METHODS.items():
            if name in QUICK and method.applies(model):
                found = method.make(model, images, 2)
                cells = (16, 16) if name == "Grad-CAM × LayerCAM" else (8, 8)
                assert found.shape == (images.shape[-2:] if method.page != "grad_cam" else cells)
                assert found.isfinite().all()
                assert found.min() >= 0 or name == "gradient × input"
    assert not METHODS["rollout"].applies(resnet) and METHODS["rollout"].applies(vit)


@pytest.mark.long
def test_eight_threads(resnet):
    def ask(seed):
        images = torch.randn(1, 3, 128, 128, generator=torch.Generator().manual_seed(seed))
        return [step.rank for step in truth.randomisation(resnet, images, explained("Grad-CAM", 1))]

    alone = [ask(seed) for seed in range(4)]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(ask, [0, 1, 2, 3] * 2))
    assert np.allclose(alone * 2, together, atol=1e-3, equal_nan=True)


# ---------------------------------------------------------------- the command


@pytest.mark.long
def test_the_command_prints_a_table_with_intervals_and_controls(capsys, tmp_path, chelsea):
    options = ["evidence", "--models", "texture_vit", "--device", "cpu", "--steps", "4"]
    target = tmp_path / "rows.json"
    methods = ["--methods", "Grad-CAM", "rollout"]
    assert command.main([*options, *methods, "--scenes", "2", "--json", str(target)]) == 0
    printed = capsys.readouterr().out
    assert printed.splitlines()[0] == "| model | method | pointing | energy | deletion | insertion |"
    rows = {row["method"]: row for row in json.loads(target.read_text())}
    assert list(rows) == ["Grad-CAM", "rollout", "random (control)", "centre (control)"]
    assert rows["rollout"]["energy"][0] == pytest.approx(0.5)  # it is the same map for both textures
    chelsea.save(tmp_path / "one.png")
    assert command.main([*options, "--methods", "LayerCAM", "--pictures", str(tmp_path)]) == 0
    assert capsys.readouterr().out.startswith("| model | method | deletion | insertion |")
    with pytest.raises(SystemExit, match="there are no pictures in .*; these end in .jpg"):
        (tmp_path / "empty").mkdir()
        command.main([*options, "--pictures", str(tmp_path / "empty")])


def test_a_difference_is_paired_and_its_side_counts():
    easy, hard = [0.1, 0.2, 0.3, 0.2], [0.8, 0.85, 0.9, 0.8]
    up, down = batch.difference(hard, easy, 1), batch.difference(hard, easy, -1)
    assert up.value == pytest.approx(0.6375) and down.value == pytest.approx(-0.6375)
    paired = [0.7, 0.65, 0.6, 0.6]
    z = np.mean(paired) / (np.std(paired, ddof=1) / 2)
    assert up.p == down.p == pytest.approx(2 * norm.sf(z), rel=1e-3) and up.low > 0 > down.high
    assert batch.difference([0.5] * 3, [0.5] * 3, 1).p == 1
    assert batch.difference([0.5] * 3, [0.4] * 3, 1).p == 0


def test_holm_by_hand():
    assert batch.holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert batch.holm([0.5, 0.9]) == [1.0, 1.0] and batch.holm([]) == []


def test_a_star_counts_all_differences_of_the_table(monkeypatch, capsys):
    """A method that beats all controls by a hair is starred alone, and no longer among twenty."""
    rng = np.random.default_rng(0)
    control, noise = rng.normal(0, 1, (2, 60))
    noise = (noise - noise.mean()) / noise.std(ddof=1)
    hair = control + noise + 2.4 / 60**0.5  # p = 0.016
    figures = dict.fromkeys(batch.CONTROLS, control) | {"hair": hair, "clear": hair + 3}
    figures |= {f"nothing {i}": control + rng.normal(0, 1, 60) for i in range(20)}
    model = SimpleNamespace(title="Net", name="net", num_classes=2)
    monkeypatch.setattr(batch, "load_model", lambda *_, **__: model)

    def stars(names):
        scores = {name: {"energy": list(figures[name])} for name in names}
        monkeypatch.setattr(batch, "measure", lambda *_: scores)
        batch.main(["--models", "net", "--methods", "Grad-CAM"])
        return [line.split("|")[2].strip() for line in capsys.readouterr().out.splitlines() if "★" in line]

    assert stars([*batch.CONTROLS, "hair", "clear"]) == ["hair", "clear"]
    assert stars(figures) == ["clear"]
