"""The loop: so many steps, a checkpoint now and then, averaged weights at the end."""

import contextlib
import copy
import json
import math
import time
from functools import partial
from pathlib import Path

import numpy as np
import torch
from timm.optim import muon

from training import batches, nets, pool

# Muon makes its matrices orthogonal in bfloat16, which most CPUs lack: it took two thirds of a step.
muon.zeropower_via_newtonschulz = partial(muon.zeropower_via_newtonschulz, dtype=torch.float32)

WARM_UP = 200  # steps: the learning rate rises
COOL_DOWN = 0.45  # of all steps: it falls, in a straight line, to nothing
SMALL = {"resnet": 0.5, "vit": 0.75}  # of all steps on crops of 96 pixels, the rest on 128
SAVE_EVERY = 200


def device_by_name(name):
    """The device asked for; "auto" is CUDA where there is one."""
    return torch.device(("cuda" if torch.cuda.is_available() else "cpu") if name == "auto" else name)


def rate_at(step, steps):
    """The learning rate at a step, as a share of the highest."""
    return min(1.0, (step + 1) / min(WARM_UP, steps / 4), (1 - step / steps) / COOL_DOWN)


def size_at(step, steps, name):
    return 96 if step < SMALL[name] * steps else nets.SIZE


def optimiser(model, rate):
    """Muon for the matrices inside, AdamW for the rest (norms, biases, first layer, head, positions)."""
    outside = ("conv1.weight", "fc.", "head.", "patch_embed", "cls_token", "pos_embed", "background")
    inner, outer, plain = [], [], []
    for name, parameter in model.named_parameters():
        name = name.removeprefix("net.")
        if parameter.ndim < 2:
            plain.append(parameter)
        elif name.startswith(outside):
            outer.append(parameter)
        else:
            inner.append(parameter)
    adam = dict(use_fallback=True, lr=rate)
    return muon.Muon(
        [
            dict(params=inner, lr=rate, weight_decay=0.05),
            dict(params=outer, weight_decay=0.05, **adam),
            dict(params=plain, weight_decay=0.0, **adam),
        ],
        nesterov=True,
        betas=(0.9, 0.98),
    )


@torch.no_grad()
def average(mean, model, step):
    """Move the averaged weights towards the present ones; slowly once there are many."""
    keep = min(0.999, (1 + step) / (10 + step))
    for kept, now in zip(mean.state_dict().values(), model.state_dict().values(), strict=True):
        if kept.is_floating_point():
            kept.lerp_(now, 1 - keep)
        else:
            kept.copy_(now)


def to_input(pictures, device):
    """(B, size, size, 3) uint8 becomes a normalised (B, 3, size, size) tensor."""
    x = torch.from_numpy(pictures).to(device).permute(0, 3, 1, 2).float() / 255
    mean, std = (torch.tensor(v, device=device).view(1, 3, 1, 1) for v in (nets.MEAN, nets.STD))
    return ((x - mean) / std).contiguous(memory_format=torch.channels_last)


def train(
    name, runs, steps, seed, pool_size, rate, device="auto", batch=64, until=None, report=print,
    masked=True, begin=None,
):  # fmt: skip
    """Train one network and return (network with averaged weights, history).

    Resumes from runs/<name>.pt when that was made with the same settings. `until` stops early, as if
    interrupted. Unless `masked`, every picture is of one texture and its cells teach nothing. `begin` has
    weights to go on from. History is a list of dictionaries: step, loss, whole, local, seconds.
    """
    settings = dict(name=name, steps=steps, seed=seed, pool_size=pool_size, rate=rate, batch=batch)
    settings |= {} if masked else {"masked": False}
    settings |= {} if begin is None else {"begun": True}
    device, runs = device_by_name(device), Path(runs)
    torch.manual_seed(seed)
    model = nets.WRAPPERS[name](nets.create(name)).to(device, memory_format=torch.channels_last)
    if begin is not None:
        model.net.load_state_dict(begin)
    mean = copy.deepcopy(model)
    optimizer = optimiser(model, rate)
    rates = [group["lr"] for group in optimizer.param_groups]
    history, start = [], 0
    checkpoint = runs / f"{name}.pt"
    if checkpoint.exists():
        saved = torch.load(checkpoint, map_location=device, weights_only=True)
        if saved["settings"] != settings:
            raise ValueError(
                f"{checkpoint} was made with {saved['settings']}, not {settings}; "
                "delete it or choose another folder with --runs"
            )
        for part, state in ((model, "model"), (mean, "mean"), (optimizer, "optimizer")):
            part.load_state_dict(saved[state])
        history, start = json.loads(saved["history"]), saved["step"]
        report(f"{name}: resumed at step {start}")
    pictures = pool.draw(runs, pool_size, seed, report=report)
    masks = batches.draw_masks(1500, seed) if masked else ()
    model.train()
    began, sums = time.monotonic(), torch.zeros(3)
    seconds_before = history[-1]["seconds"] if history else 0.0
    for step in range(start, steps if until is None else min(until, steps)):
        drawn = batches.make(pictures, masks, seed, step, size_at(step, steps, name), batch)
        for group, highest in zip(optimizer.param_groups, rates, strict=True):
            group["lr"] = highest * rate_at(step, steps)
        scores, cell_scores = model(to_input(drawn.pictures, device), np.random.default_rng([seed, 13, step]))
        target, cells = (torch.from_numpy(t).to(device) for t in (drawn.target, drawn.cells))
        total, whole, local = nets.loss(scores, cell_scores, target, cells, share=float(masked))
        optimizer.zero_grad(set_to_none=True)
        total.backward()
        optimizer.step()
        average(mean, model, step)
        sums += torch.stack([total.detach(), whole, local]).cpu()
        done = step + 1
        if done % 50 == 0 or done == steps:
            since = done - max(start, (done - 1) // 50 * 50)
            seconds = time.monotonic() - began
            losses = dict(
                zip(("loss", "whole", "local"), (round(v, 4) for v in (sums / since).tolist()), strict=True)
            )
            history.append(dict(step=done, **losses, seconds=round(seconds_before + seconds, 1)))
            speed = (done - start) / seconds
            report(
                f"{name}: step {done} of {steps}, loss {losses['loss']:.3f} "
                f"({losses['whole']:.3f} + {losses['local']:.3f}), {speed * batch:.0f} pictures/s, "
                f"{math.ceil((steps - done) / speed / 60)} min left"
            )
            sums.zero_()
        if done % SAVE_EVERY == 0 or done in (steps, until):
            save(checkpoint, settings, model, mean, optimizer, history, done)
    return mean.net.eval().to("cpu", memory_format=torch.contiguous_format), history


def save(path, settings, model, mean, optimizer, history, step):
    """Write the checkpoint beside its place and move it there, so that a broken write leaves the old one."""
    states = dict(model=model.state_dict(), mean=mean.state_dict(), optimizer=optimizer.state_dict())
    part = path.with_suffix(".part")
    torch.save(dict(settings=settings, step=step, history=json.dumps(history), **states), part)
    part.replace(path)


@contextlib.contextmanager
def one_thread():
    """One torch thread within: two trainings side by side are faster that way than each with two."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
