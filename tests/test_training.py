"""The training command with a tiny budget: it writes what it should, learns, and resumes without a trace."""

import json
import sys
from types import ModuleType

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from training import batches, command, loop, nets, pool
from vizcore.pictures import textures

POOL = 42  # two of each class and two distractors
BOTH = list(nets.ARCHITECTURES)


@pytest.fixture(autouse=True)
def one_thread():
    with loop.one_thread():
        yield


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A folder with a drawn pool."""
    folder = tmp_path_factory.mktemp("runs")
    pool.draw(folder, POOL, seed=3, workers=1, report=lambda line: None)
    return folder


def make_batch(runs, number=0, size=96, count=16):
    pictures = pool.draw(runs, POOL, seed=3)
    return batches.make(pictures, batches.draw_masks(20, 0), 3, number, size, count)


def train(name, folder, runs, **changes):
    """A run in its own folder, on the shared pool."""
    folder.mkdir(exist_ok=True)
    drawn = next(runs.glob("pool*.npy"))
    if not (folder / drawn.name).exists():
        (folder / drawn.name).symlink_to(drawn)
    settings = dict(
        steps=6, batch=8, seed=3, pool_size=POOL, rate=2e-3, device="cpu", report=lambda line: None
    )
    return loop.train(name, folder, **{**settings, **changes})


@pytest.mark.long
def test_the_command_makes_the_pair(tmp_path, capfd, monkeypatch):
    # another test may have left a page in its place, which processes that are spawned would run again
    monkeypatch.setitem(sys.modules, "__main__", ModuleType("__main__"))
    main = ["--steps", "2", "--pool", str(POOL), "--scenes", "40", "--device", "cpu"]
    out, runs = tmp_path / "out", tmp_path / "runs"
    command.main([*main, "--out", str(out), "--runs", str(runs)])
    metrics = json.loads((out / "metrics.json").read_text())
    for name in nets.ARCHITECTURES:
        path = out / f"texture_{name}.safetensors"
        assert path.stat().st_size <= 8_000_000
        state = load_file(path)
        assert {v.dtype for v in state.values() if v.is_floating_point()} == {torch.float16}
        nets.create(name).load_state_dict(state)
        with safe_open(path, "pt") as file:
            assert json.loads(file.metadata()["labels"]) == list(textures.LABELS)
        figures = metrics[f"texture_{name}"]
        assert np.array(figures["confusion"]).sum() == figures["scenes"] == 40
        assert figures["accuracy"] == pytest.approx(np.trace(figures["confusion"]) / 40, abs=1e-4)
        assert figures["steps"] == 2 and figures["pool"] == POOL
    card = (out / "MODEL_CARD.md").read_text()
    assert "nothing but textures" in card and f"{metrics['texture_vit']['accuracy']:.1%}" in card
    assert (out / "textures.jpg").stat().st_size <= 600_000
    printed = capfd.readouterr().out
    assert "step 2 of 2" in printed and "min left" in printed and "of 42 pictures drawn" in printed


@pytest.mark.long
@pytest.mark.parametrize("name", BOTH)
def test_an_interrupted_run_ends_where_an_uninterrupted_one_does(name, runs, tmp_path):
    whole, _ = train(name, tmp_path / "whole", runs)
    train(name, tmp_path / "halves", runs, until=3)
    halves, history = train(name, tmp_path / "halves", runs)
    for (key, a), b in zip(whole.state_dict().items(), halves.state_dict().values(), strict=True):
        assert torch.equal(a, b), key
    assert history[-1]["step"] == 6


@pytest.mark.long
def test_a_checkpoint_of_other_settings_is_refused(runs, tmp_path):
    train("vit", tmp_path / "run", runs, until=1)
    with pytest.raises(ValueError, match="'steps': 6.*not.*'steps': 7.*delete it"):
        train("vit", tmp_path / "run", runs, steps=7)


@pytest.mark.long
@pytest.mark.parametrize("name", BOTH)
def test_the_loss_falls_on_a_batch_seen_again_and_again(name, runs):
    torch.manual_seed(0)
    model = nets.WRAPPERS[name](nets.create(name)).train()
    optimizer = loop.optimiser(model, 5e-3)
    batch = make_batch(runs)
    x, rng = loop.to_input(batch.pictures, "cpu"), np.random.default_rng(0)
    losses = []
    for _ in range(12):
        total, _, _ = nets.loss(*model(x, rng), *(torch.from_numpy(t) for t in (batch.target, batch.cells)))
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
        losses.append(total.item())
    assert losses[-1] < 0.75 * losses[0]


def test_a_training_can_go_on_from_weights(runs, tmp_path):
    begin = {key: torch.full_like(value, 0.01) for key, value in nets.create("resnet").state_dict().items()}
    net, _ = train("resnet", tmp_path / "run", runs, steps=1, rate=0.0, begin=begin)
    assert all((value == 0.01).all() for name, value in net.named_parameters() if "bn" not in name)


def test_a_batch_depends_on_seed_and_number_alone(runs):
    first, again, next_ = make_batch(runs, 5), make_batch(runs, 5), make_batch(runs, 6)
    assert np.array_equal(first.pictures, again.pictures) and np.array_equal(first.cells, again.cells)
    assert not np.array_equal(first.pictures, next_.pictures)


def test_without_masks_a_frame_has_one_texture_and_its_cells_teach_nothing(runs):
    pictures = pool.draw(runs, POOL, seed=3)
    batch = batches.make(pictures, (), 3, 0, 96, 16)
    assert ((batch.cells.mean((2, 3)) > 0).sum(1) == 1).all() and (batch.cells[:, -1] == 0).all()
    net = nets.Vit(nets.create("vit"))
    x = loop.to_input(batch.pictures, "cpu")
    target, cells = torch.from_numpy(batch.target), torch.from_numpy(batch.cells)
    total, whole, local = nets.loss(*net(x, np.random.default_rng(0)), target, cells, share=0.0)
    total.backward()
    assert total.item() == pytest.approx(whole.item()) and local > 0
    assert not net.background.weight.grad.any()  # only patches read it


def test_a_network_without_masks_never_takes_the_place_of_the_bundled_one():
    with pytest.raises(SystemExit):
        command.arguments(["--without-masks"])
    assert command.arguments(["--without-masks", "--out", "elsewhere"]).without_masks


@pytest.mark.parametrize("size", [96, 128])
def test_targets_are_shares(runs, size):
    batch = make_batch(runs, size=size, count=32)
    assert batch.pictures.shape == (32, size, size, 3) and batch.cells.shape == (
        32,
        21,
        size // 16,
        size // 16,
    )
    assert np.allclose(batch.cells.sum(1), 1, atol=1e-5) and np.allclose(batch.target.sum(1), 1, atol=1e-5)
    kinds = (batch.cells.mean((2, 3)) > 0).sum(1)
    assert (kinds[::2] == 1).all() and (kinds[1::2] <= 2).all() and (kinds[1::2] == 2).any()
    covered = batch.cells[:, :-1].mean((2, 3))
    assert np.allclose(batch.target, covered / covered.sum(1, keepdims=True))


@pytest.mark.parametrize("name", nets.ARCHITECTURES)
def test_the_wrapper_scores_a_picture_as_timm_does(name):
    net = nets.create(name).eval()
    x = torch.randn(2, 3, 128, 128)
    scores, cells = nets.WRAPPERS[name](net).eval()(x, np.random.default_rng(0))
    assert torch.allclose(scores, net(x), atol=1e-4)
    assert cells.shape[2:] == (8, 8)


def test_training_masks_stay_within_their_share():
    shares = batches.draw_masks(60, 1).mean((1, 2)) / 255
    assert 0.2 < shares.min() and shares.max() < 0.8 and shares.std() > 0.05


def test_the_pool_is_drawn_from_seeds_that_no_benchmark_uses():
    scene = textures.single(textures.LABELS[3], pool.FIRST_SEED + 3, pool.SIDE)
    assert np.array_equal(pool.picture(3, seed=0), scene.picture)
    assert pool.FIRST_SEED > 10**8


def test_learning_rate_rises_stays_and_falls_to_nothing():
    rates = [loop.rate_at(step, 1000) for step in range(1000)]
    assert rates[0] < 0.01 and max(rates) == 1 and rates[250] == 1 and 0 < rates[-1] < 0.003
    assert all(a >= b for a, b in zip(rates[300:], rates[301:], strict=False))
