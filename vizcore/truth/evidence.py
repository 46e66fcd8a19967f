"""Is a heatmap true? Tests of any heatmap, whatever made it: tensors in, numbers and curves out.

A heatmap is (h, w), larger where it claims more. ``images`` are what the network gets, (1, 3, H, W), and a
heatmap given with them covers them; ``on_input`` brings one there from the picture's frame.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import NamedTuple

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..capture import private_copy
from ..methods.attention import correlation
from ..methods.features import full, one_map, one_picture
from ..modes import in_any_mode
from ..networks.load import VisionModel
from ..pictures.frame import Box

Heatmap = Callable[[VisionModel, Tensor], Tensor]  # (model, images (1, 3, H, W)) -> (h, w)

# ---------------------------------------------------------------- where the answer is known


def pointing(heatmap: Tensor, mask) -> bool:
    """Whether the largest value lies inside the mask (Zhang et al., IJCV 2018). Both (H, W)."""
    heatmap, mask = _alike(heatmap, mask)
    return bool(mask.flatten()[heatmap.argmax()])


def energy(heatmap: Tensor, mask) -> float:
    """The share of the positive part that lies inside the mask (Wang et al., 2020). Both (H, W).

    A map without any positive value claims nothing: it scores the mask's share of the frame.
    """
    heatmap, mask = _alike(heatmap, mask)
    positive = heatmap.double().clamp(min=0)
    total = positive.sum()
    return (positive[mask].sum() / total if total > 0 else mask.double().mean()).item()


def _alike(heatmap: Tensor, mask) -> tuple[Tensor, Tensor]:
    heatmap, mask = torch.as_tensor(heatmap), torch.as_tensor(mask, device=torch.as_tensor(heatmap).device)
    one_map(heatmap, mask, kind="(H, W)")
    if heatmap.shape != mask.shape:
        raise ValueError(f"the heatmap is {tuple(heatmap.shape)}, the mask {tuple(mask.shape)}")
    return heatmap, mask.bool()


# ---------------------------------------------------------------- deletion and insertion


def mean_colour(images: Tensor) -> Tensor:
    """The picture's own mean colour everywhere."""
    return images.mean((-2, -1), keepdim=True).expand_as(images).clone()


def blurred(images: Tensor, share: float = 1 / 14) -> Tensor:
    """A Gaussian blur whose sigma is a ``share`` of the shorter side: colours stay, texture and shape go.

    Of each picture of a batch, (B, C, H, W).
    """
    sigma = share * min(images.shape[-2:])
    blurs = [
        cv2.GaussianBlur(array, (0, 0), sigma, borderType=cv2.BORDER_REFLECT_101).reshape(array.shape)
        for array in full(images).detach().cpu().permute(0, 2, 3, 1).numpy()  # (H, W, C) each
    ]
    return torch.from_numpy(np.stack(blurs)).permute(0, 3, 1, 2).to(images)


BASELINES = {"blur": blurred, "mean": mean_colour}
KINDS = ("deletion", "insertion")


class Curve(NamedTuple):
    """The class's probability against the share of pixels taken away (deletion) or put back (insertion)."""

    shares: list[float]  # 0 to 1, rising
    probabilities: list[float]

    @property
    def area(self) -> float:
        """The mean probability on the way: trapezoids over the share, 0 to 1."""
        return float(np.trapezoid(self.probabilities, self.shares))


class Curves(NamedTuple):
    """What is measured so far."""

    done: int
    total: int
    curves: dict[tuple[str, str], Curve]  # by (kind, heatmap's name)


def ranked(heatmap: Tensor, shape: tuple[int, int], seed: int = 0) -> Tensor:
    """When each pixel's turn comes, largest value first: (h, w) -> ranks (H * W,), 0 is first.

    Equal values come in a random order, so that a flat map is a random one.
    """
    one_map(heatmap)
    values = F.interpolate(heatmap[None, None].float(), shape, mode="bilinear")[0, 0].flatten().cpu()
    shuffle = torch.randperm(len(values), generator=torch.Generator().manual_seed(seed))
    order = shuffle[values[shuffle].argsort(descending=True, stable=True)]
    return torch.empty_like(order).scatter_(0, order, torch.arange(len(order)))


@in_any_mode
def curves(
    net: nn.Module,
    images: Tensor,
    heatmaps: Mapping[str, Tensor],
    target: int,
    *,
    baseline: str = "blur",
    kinds: tuple[str, ...] = KINDS,
    steps: int = 16,
    chunk: int = 32,
) -> Iterator[Curves]:
    """Deletion and insertion (RISE, Petsiuk et al., BMVC 2018) of several heatmaps at once.

    Deletion replaces pixels by the baseline, those that the heatmap ranks first at first; a true map makes
    the probability fall early. Insertion starts from the baseline and puts them back; it should rise early.

    Args:
        heatmaps: by name, (h, w) each over ``images``.
        target: the class.
        baseline: one of ``BASELINES``.
        steps: equal shares of pixels between the ends.
        chunk: pictures in one pass.

    Yields:
        After each pass, the curves through the points that are known; coarse first, then finer.
    """
    if baseline not in BASELINES:
        raise ValueError(f"unknown baseline {baseline!r}; there are {', '.join(BASELINES)}")
    one_picture(images)
    shape = tuple(images.shape[-2:])
    ranks = {name: ranked(heatmap, shape).to(images.device) for name, heatmap in heatmaps.items()}
    blank = BASELINES[baseline](images)
    ends = {"deletion": (images, blank), "insertion": (blank, images)}
    jobs = [(kinds[0], None, k) for k in (0, steps)]  # the ends are the same for all maps and both kinds
    jobs += [(kind, name, k) for k in _coarse_first(steps) for name in ranks for kind in kinds]
    known: dict[tuple, float] = {}
    chunk = max(2, chunk)  # both ends come first
    for start in range(0, len(jobs), chunk):
        some = jobs[start : start + chunk]
        pictures = []
        for kind, name, k in some:
            before, after = ends[kind]
            if name is None:
                pictures.append(after if k else before)
                continue
            turned = ranks[name].view(shape) < round(k / steps * ranks[name].numel())
            pictures.append(torch.where(turned, after, before))
        with torch.no_grad():
            probabilities = net(torch.cat(pictures)).float().softmax(-1)[:, target].tolist()
        known.update(zip(some, probabilities, strict=True))
        whole, nothing = (
            known[kinds[0], None, k] for k in ((0, steps) if kinds[0] == "deletion" else (steps, 0))
        )
        measured = {}
        for kind in kinds:
            first, last = (whole, nothing) if kind == "deletion" else (nothing, whole)
            for name in ranks:
                inner = {k: known[kind, name, k] for k in range(1, steps) if (kind, name, k) in known}
                points = [(0, first), *inner.items(), (steps, last)]
                measured[kind, name] = Curve([k / steps for k, _ in points], [p for _, p in points])
        yield Curves(min(start + chunk, len(jobs)), len(jobs), measured)


def _coarse_first(steps: int) -> list[int]:
    """1 to steps - 1, the middle first, then the quarters, ..."""
    order, stride = [], 1 << max(0, (steps - 1).bit_length() - 1)
    while stride:
        order += [k for k in range(stride, steps, stride) if k not in order]
        stride //= 2
    return order


def centre_gaussian(rows: int, columns: int) -> Tensor:
    """The control that knows how people frame photographs: largest in the middle, (rows, columns)."""
    y, x = torch.linspace(-1, 1, rows)[:, None], torch.linspace(-1, 1, columns)[None]
    return torch.exp(-2 * (x**2 + y**2))


def random_map(rows: int, columns: int, seed: int = 0) -> Tensor:
    """The control that knows nothing: noise on a grid as coarse as the map that it is compared with.

    Single random pixels would be no fair control: they destroy texture everywhere at once.
    """
    return torch.rand(rows, columns, generator=torch.Generator().manual_seed(seed))


def controls(grid: tuple[int, int], seed: int = 0) -> dict[str, Tensor]:
    """Both controls on a ``grid`` (rows, columns), by name."""
    return {"random": random_map(*grid, seed), "centre": centre_gaussian(*grid)}


# ---------------------------------------------------------------- one model's map, another model's eyes


def on_input(heatmap: Tensor, box: Box, shape: tuple[int, int]) -> Tensor:
    """A heatmap in the frame, (H, W), as a model sees it: its box at ``shape`` (rows, columns)."""
    one_map(heatmap, kind="(H, W)")
    height, width = heatmap.shape
    left, top, right, bottom = box
    x = (left + (torch.arange(shape[1]) + 0.5) / shape[1] * (right - left)) / width * 2 - 1
    y = (top + (torch.arange(shape[0]) + 0.5) / shape[0] * (bottom - top)) / height * 2 - 1
    grid = torch.stack(torch.meshgrid(y, x, indexing="ij")[::-1], dim=-1)[None].to(heatmap.device)
    return F.grid_sample(heatmap[None, None].float(), grid, padding_mode="zeros", align_corners=False)[0, 0]


def only(picture: np.ndarray, heatmap: Tensor, share: float, baseline: str = "blur") -> np.ndarray:
    """The picture with all but the ``share`` of pixels that a heatmap ranks first covered by the baseline.

    Args:
        picture: (H, W, 3) uint8. heatmap: (H, W) in the same frame.
    """
    images = torch.from_numpy(picture.copy()).permute(2, 0, 1)[None].float()
    ranks = ranked(heatmap, picture.shape[:2]).view(picture.shape[:2])
    kept = torch.where(ranks < round(share * ranks.numel()), images, BASELINES[baseline](images))
    return kept[0].permute(1, 2, 0).round().clamp(0, 255).byte().numpy()


# ---------------------------------------------------------------- how alike two maps are


def rank_correlation(a: Tensor, b: Tensor) -> float:
    """Spearman's, over all places of two maps; nan where one of them is flat."""
    one_map(*(values for values in (a, b) if values.ndim != 1))  # or places chosen from two maps, (n,)
    return correlation(_ranks(a), _ranks(b))


def _ranks(values: Tensor) -> Tensor:
    """The place of each value in the order, equal ones sharing the mean of their places."""
    _, where, counts = values.flatten().unique(return_inverse=True, return_counts=True)
    return (counts.cumsum(0).double() - (counts - 1) / 2)[where]


def ssim(a: Tensor, b: Tensor) -> float:
    """Structural similarity (Wang et al., TIP 2004) of two maps (h, w), each stretched over 0 to 1.

    Gaussian windows with a sigma of 1.5 pixels, mean over all places.
    """
    one_map(a, b)
    a, b = (_unit(one.cpu().double()).numpy() for one in (a, b))

    def smooth(values):
        return cv2.GaussianBlur(values, (11, 11), 1.5, borderType=cv2.BORDER_REFLECT)

    mean_a, mean_b = smooth(a), smooth(b)
    var_a, var_b = smooth(a * a) - mean_a**2, smooth(b * b) - mean_b**2
    both = smooth(a * b) - mean_a * mean_b
    c1, c2 = 0.01**2, 0.03**2
    over = (2 * mean_a * mean_b + c1) * (2 * both + c2)
    return float((over / ((mean_a**2 + mean_b**2 + c1) * (var_a + var_b + c2))).mean())


def _unit(values: Tensor) -> Tensor:
    spread = values.max() - values.min()
    return (values - values.min()) / spread if spread > 0 else torch.zeros_like(values)


def overlap(a: Tensor, b: Tensor, share: float = 0.2) -> float:
    """How much of the top ``share`` of one map is in the top share of the other (intersection over union)."""
    one_map(a, b)
    shape = tuple(a.shape)
    count = round(share * a.numel())
    top = [ranked(one, shape) < count for one in (a, b)]
    return ((top[0] & top[1]).sum() / (top[0] | top[1]).sum()).item()


# ---------------------------------------------------------------- weight randomisation


ORDERS = ("top-down", "bottom-up")  # from the answer down to the input, or from the input up


class Randomised(NamedTuple):
    """A map after the weights between ``layer`` and one end of the network have been drawn anew."""

    done: int  # layers drawn anew; 0 is the network as it was
    total: int
    layer: str  # the one that was drawn last, "" at first
    heatmap: Tensor  # (h, w)
    rank: float  # similarity to the map of the network as it was; nan where one is flat
    ssim: float


def parts(model: VisionModel, order: str = "top-down") -> list[tuple[str, list[str]]]:
    """What is drawn anew together: (name, modules that own its weights), in one of ``ORDERS``."""
    if order not in ORDERS:
        raise ValueError(f"unknown order {order!r}; there are {', '.join(ORDERS)}")
    found: dict[str, list[str]] = {}
    for name, module in model.net.named_modules():
        if module._parameters:
            inside = [block for block in model.blocks if f"{name}.".startswith(f"{block}.")]
            part = inside[0] if inside else name.split(".")[0] or "tokens and positions"
            found.setdefault(part, []).append(name)
    return list(found.items()) if order == "bottom-up" else list(reversed(found.items()))


@in_any_mode
def randomised(
    model: VisionModel, seed: int = 0, order: str = "top-down"
) -> Iterator[tuple[str, VisionModel]]:
    """The model with more and more of its weights drawn anew, from one end to the other (``ORDERS``).

    Works on private copies; ``model`` is not touched. Matrices and kernels become normal noise that keeps the
    scale of what passes through them, norms and biases start as they do before training, and anything else
    becomes noise of its own size.
    """
    net, generator = model.net, torch.Generator().manual_seed(seed)
    for part, names in parts(model, order):
        net = private_copy(net)
        for name in names:
            _draw_anew(net.get_submodule(name), generator)
        yield part, replace(model, net=net)


def _draw_anew(module: nn.Module, generator: torch.Generator) -> None:
    norm = "norm" in type(module).__name__.lower()
    for name, value in module._parameters.items():
        if value is None:
            continue
        if norm or name.endswith("bias"):
            fresh = torch.full_like(value, float(norm and name.endswith("weight")))
        else:
            noise = torch.randn(value.shape, generator=generator)
            kernel = name.endswith("weight") and value.ndim >= 2
            scale = value[0].numel() ** -0.5 if kernel else value.float().square().mean().sqrt().item()
            fresh = (scale * noise).to(value)
        module._parameters[name] = nn.Parameter(fresh, requires_grad=False)
    for name, value in module._buffers.items():
        if name == "running_mean":
            module._buffers[name] = torch.zeros_like(value)
        elif name == "running_var":
            module._buffers[name] = torch.ones_like(value)


@in_any_mode
def randomisation(
    model: VisionModel, images: Tensor, heatmap: Heatmap, seed: int = 0, order: str = "top-down"
) -> Iterator[Randomised]:
    """The sanity check of Adebayo et al. (NeurIPS 2018): does the map depend on what the network learnt?

    A map that stays as it was while the network forgets everything seems to show the picture more than the
    network. That is evidence and no proof. From the answer down, the layers that are still as they were hand
    on activations of the old scale, which alone can keep a map alike (Binder et al., CVPR 2023), and a task
    may be such that the picture is what matters (Yona & Greenfeld, 2021). From the input up, it is the
    features that go first.

    Args:
        order: one of ``ORDERS``.

    Yields:
        First the map as it is, then one after each further part is drawn anew.
    """
    one_picture(images)
    total = len(parts(model, order))
    first = heatmap(model, images)
    yield Randomised(0, total, "", first, 1.0, 1.0)
    for done, (part, changed) in enumerate(randomised(model, seed, order), 1):
        now = heatmap(changed, images)
        yield Randomised(done, total, part, now, *similarity(first, now))


def similarity(a: Tensor, b: Tensor, side: int = 64) -> tuple[float, float]:
    """Rank correlation and SSIM of two maps, both brought to ``side`` × ``side`` places."""
    one_map(a, b)
    a, b = (
        F.interpolate(one[None, None].float(), (side, side), mode="bilinear", antialias=True)[0, 0]
        for one in (a, b)
    )
    return rank_correlation(a, b), ssim(a, b)


# ---------------------------------------------------------------- stability


class Shaken(NamedTuple):
    """The map of a picture with a little noise."""

    done: int
    total: int
    heatmap: Tensor  # (h, w)
    rank: float  # similarity to the map without noise; nan where one is flat
    ssim: float
    probability: float  # of the class, with the noise


@in_any_mode
def stability(
    model: VisionModel,
    images: Tensor,
    heatmap: Heatmap,
    target: int,
    *,
    noise: float = 0.05,
    draws: int = 8,
    seed: int = 0,
) -> Iterator[Shaken]:
    """The map recomputed under noise that leaves the picture, to us, as it is.

    Args:
        noise: its standard deviation, as a share of the range of the picture's values.
    """
    one_picture(images)
    generator = torch.Generator().manual_seed(seed)
    first, spread = heatmap(model, images), noise * (images.max() - images.min())
    for done in range(1, draws + 1):
        shaken = images + spread * torch.randn(images.shape, generator=generator).to(images)
        with torch.no_grad():
            probability = model.net(shaken)[0].float().softmax(0)[target].item()
        now = heatmap(model, shaken)
        yield Shaken(done, draws, now, *similarity(first, now), probability)
