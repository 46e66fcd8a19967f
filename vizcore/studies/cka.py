"""Do two networks compute the same things? Centred kernel alignment (CKA) between all of their layers.

CKA (Kornblith et al., ICML 2019) asks of two layers whether the same pairs of pictures are alike in both.
It is 1 for features that differ by a rotation and a scale, and 0 for features that have nothing to do with
each other. What it is made of, HSIC, is estimated without bias (Song et al., JMLR 2012) and summed over
minibatches (Nguyen et al., ICLR 2021), so memory depends on the batch and not on the number of pictures.

The unbiased HSIC of two Gram matrices is an inner product of the matrices after "U-centring" (Székely and
Rizzo, 2014), as the biased one is after double centring. So each layer leaves one centred Gram matrix as a
row, and all pairs of layers are one matrix product.
"""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, cast

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from ..capture import capture
from ..model import Layout, VisionModel
from ..modes import in_any_mode
from ..networks.folded import folded

KERNELS = ("linear", "rbf")
ESTIMATORS = ("unbiased", "biased")
LEAST = 4  # pictures in a batch: the unbiased estimator divides by n - 3
FEW = 64  # pictures below which one draw of independent noise strays by more than 0.02
PIECE = 4096  # features of a layer that are multiplied at once: 1 MB for 64 pictures
SAME = 1e-12  # a layer whose variance is that share of its mean square differs by rounding alone


class How(NamedTuple):
    """What is compared: a layer's features, and the kernel that says how alike two pictures are in them."""

    pooled: bool = False  # the mean over places instead of all values
    kernel: str = "linear"  # or "rbf": exp(-d² / 2σ²)
    bandwidth: float = 0.5  # σ as a share of the batch's median distance


LINEAR = How()


class Grams(NamedTuple):
    """What a batch of n pictures leaves behind of each of L layers."""

    values: Tensor  # (L, n, n) float64 on the CPU; all zero where a layer puts out the same for every picture
    widths: list[int]  # how many features each layer has


class Estimate(NamedTuple):
    """CKA of every layer of A (rows) with every layer of B (columns), by estimator, from the pictures so far.

    NaN where a layer puts out the same for every picture: its similarity is undefined.
    """

    done: int
    total: int
    cka: dict[str, np.ndarray]  # "unbiased" and "biased": (layers of A, layers of B), -1 to 1
    noise: dict[str, np.ndarray]  # the same of independent noise, as wide as those layers


# ---------------------------------------------------------------- one layer


def features(output: Tensor, layout: Layout | None = None, pooled: bool = False) -> Tensor:
    """A layer's output (n, ...) as one row a picture, (n, features); ``pooled`` takes the mean over places.

    Prefix tokens are no places. Without a layout, (n, C, h, w) and (n, tokens, C) are assumed. Features come
    as they lie in memory: no Gram matrix feels their order, and another would be a copy of each layer.
    """
    if pooled and layout is not None and layout.kind == "NHWC":
        output = output.mean((1, 2))
    elif pooled and output.ndim == 4:
        output = output.mean((2, 3))
    elif pooled and output.ndim == 3:
        output = output[:, layout.prefix if layout else 0 :].mean(1)
    if output.ndim == 4 and output.is_contiguous(memory_format=torch.channels_last):
        output = output.permute(0, 2, 3, 1)
    return output.flatten(1)


@in_any_mode
def gram(rows: Tensor, how: How = LINEAR) -> Tensor:
    """How alike the pictures are in a layer: features (n, p) become (n, n), float64, on the CPU.

    The batch's mean is taken away first. Neither estimator feels that, but single precision does: features
    with a large mean would cancel. The products of pieces of the features are summed in double precision.

    Zeros where the features don't differ between the pictures.
    """
    n = len(rows)
    products, means = torch.zeros(n, n, dtype=torch.float64), 0.0
    for piece in rows.float().split(PIECE, dim=1):
        mean = piece.mean(0)
        piece = piece - mean
        means += (mean @ mean).item()
        products += (piece @ piece.T).cpu().double()
    if products.trace() <= SAME * (products.trace() + n * means):
        return torch.zeros_like(products)
    return _kernel(products, how)


def _kernel(products: Tensor, how: How) -> Tensor:
    """Inner products (n, n) as the kernel's values; zeros where at least half of the distances are 0."""
    if how.kernel not in KERNELS:
        raise ValueError(f"there is no kernel {how.kernel!r}; there are {', '.join(KERNELS)}")
    if how.kernel == "linear":
        return products
    norms = products.diagonal()
    distances = (norms[:, None] + norms - 2 * products).clamp_min(0)  # squared, (n, n)
    pairs = torch.triu_indices(*distances.shape, offset=1)
    median = distances[*pairs].sqrt().median()
    if not median > 0:
        return torch.zeros_like(products)
    return torch.exp(distances / (-2 * (how.bandwidth * median) ** 2))


def noise_gram(n: int, width: int, random: np.random.Generator) -> Tensor:
    """The linear Gram matrix (n, n) of n independent draws of ``width`` standard normal features.

    Where there are more features than pictures it is drawn by itself (Bartlett's decomposition of a Wishart
    matrix: the same distribution), at a cost that doesn't depend on the width.
    """
    if width < n:
        factor = random.standard_normal((n, width))
    else:
        factor = np.tril(random.standard_normal((n, n)), -1)
        np.fill_diagonal(factor, np.sqrt(random.chisquare(width - np.arange(n))))
    return torch.from_numpy(factor @ factor.T)


# ---------------------------------------------------------------- all layers of one network


@in_any_mode
def grams(
    net: nn.Module,
    images: Tensor,
    layers: Iterable[str],
    how: How = LINEAR,
    layouts: Mapping[str, Layout] | None = None,
) -> Grams:
    """The Gram matrices of any modules of ``net`` that put out one tensor, from one pass of ``images``.

    Each is made as soon as its layer has run, so no more than one layer's features are held. A third of a
    ResNet's modules only hand on what the one before put out, or are a block of which that was the last.
    """
    layouts = layouts or {}
    seen: weakref.ref | None = None  # the last output, the state that it was in, and what was made of it
    state: tuple[int, Layout | None] | None = None
    found: tuple[Tensor, int] | None = None

    def reduce(name: str, output: Tensor) -> tuple[Tensor, int]:
        nonlocal seen, state, found
        now = output._version, layouts.get(name)  # an in-place operation counts the version up
        if found is None or seen is None or seen() is not output or state != now:
            rows = features(output, layouts.get(name), how.pooled)
            found = gram(rows, how), rows.shape[1]
        seen, state = weakref.ref(output), now
        return found

    layers = list(layers)
    kept = cast(dict[str, tuple[Tensor, int]], capture(net, images, layers, reduce=reduce).layers)
    return Grams(torch.stack([kept[name][0] for name in layers]), [kept[name][1] for name in layers])


def centred(matrices: Tensor, estimator: str = "unbiased") -> Tensor:
    """Gram matrices (L, n, n) as rows (L, n²) whose inner products are HSIC, unbiased or biased."""
    n = matrices.shape[-1]
    if estimator == "biased":
        rows = matrices.mean(-1, keepdim=True)  # (L, n, 1)
        out = matrices - rows - rows.mT + rows.mean(-2, keepdim=True)
        return out.flatten(1) / (n - 1)
    if n < LEAST:
        raise ValueError(f"CKA without bias needs at least {LEAST} pictures in a batch, not {n}")
    out = matrices.clone()
    out.diagonal(dim1=-2, dim2=-1).zero_()
    rows = out.sum(-1, keepdim=True)  # (L, n, 1)
    out = out - (rows + rows.mT) / (n - 2) + rows.sum(-2, keepdim=True) / ((n - 1) * (n - 2))
    out.diagonal(dim1=-2, dim2=-1).zero_()
    return out.flatten(1) / (n * (n - 3)) ** 0.5


class Sums:
    """HSIC of all pairs of layers, summed over minibatches."""

    def __init__(self, estimator: str = "unbiased"):
        self.estimator = estimator
        self.cross = self.own_a = self.own_b = torch.zeros(())  # (La, Lb), (La,), (Lb,)

    def add(self, a: Tensor, b: Tensor) -> None:
        """One batch's Gram matrices, (La, n, n) and (Lb, n, n). It counts by its number of pictures."""
        n = a.shape[-1]
        a, b = (centred(matrices, self.estimator) for matrices in (a, b))
        self.cross = self.cross + n * (a @ b.T)
        self.own_a = self.own_a + n * a.square().sum(1)
        self.own_b = self.own_b + n * b.square().sum(1)

    def cka(self) -> np.ndarray:
        """(La, Lb), -1 to 1; NaN where either layer never varied."""
        return (self.cross / self.own_a.sqrt()[:, None] / self.own_b.sqrt()).numpy()


# ---------------------------------------------------------------- two networks


def batches(pictures: Iterable, size: int) -> Iterator[list]:
    """Lists of ``size``; a last one that would have fewer than ``LEAST`` goes with the one before it."""
    pictures, ahead = iter(pictures), []
    while True:
        batch = ahead + list(itertools.islice(pictures, size - len(ahead)))
        ahead = list(itertools.islice(pictures, LEAST))
        if len(ahead) < LEAST:
            if batch or ahead:
                yield batch + ahead
            return
        yield batch


def estimates(
    pairs: Iterable[tuple[Grams, Grams]], total: int, how: How = LINEAR, seed: int = 0
) -> Iterator[Estimate]:
    """CKA after each batch's Gram matrices of both networks, beside that of noise drawn from ``seed``."""
    random = np.random.default_rng(seed)
    found = {estimator: Sums(estimator) for estimator in ESTIMATORS}
    noise = {estimator: Sums(estimator) for estimator in ESTIMATORS}
    done = 0
    for a, b in pairs:
        n = a.values.shape[-1]
        drawn = [
            torch.stack([_kernel(noise_gram(n, width, random), how) for width in side.widths])
            for side in (a, b)
        ]
        for estimator in ESTIMATORS:
            found[estimator].add(a.values, b.values)
            noise[estimator].add(*drawn)
        done += n
        yield Estimate(
            done,
            total,
            {estimator: sums.cka() for estimator, sums in found.items()},
            {estimator: sums.cka() for estimator, sums in noise.items()},
        )


@in_any_mode
def compare(
    a: VisionModel,
    b: VisionModel,
    pictures: Sequence[Image.Image],
    layers_a: Sequence[str] | None = None,
    layers_b: Sequence[str] | None = None,
    how: How = LINEAR,
    *,
    batch: int = 32,
    seed: int = 0,
) -> Iterator[Estimate]:
    """Every layer of ``a`` against every layer of ``b`` on the same pictures, an estimate after each batch.

    Args:
        pictures: each network prepares them in its own way. They are asked for a batch at a time.
        layers_a, layers_b: default: the networks' blocks, or all layers where it has none.
        seed: of the noise.

    Raises:
        ValueError: fewer than 4 pictures, or batches smaller than that.
    """
    if min(len(pictures), batch) < LEAST:
        raise ValueError(f"CKA needs at least {LEAST} pictures, not {min(len(pictures), batch)}.")
    layers_a, layers_b = list(layers_a or a.blocks or a.layers), list(layers_b or b.blocks or b.layers)

    nets: dict[tuple, nn.Module] = {}  # without their norms, where these aren't compared themselves

    def side(model: VisionModel, layers: list[str], images: list[Image.Image]) -> Grams:
        inputs = torch.cat([model.preprocess(image) for image in images])
        asked = model.net, *layers
        if asked not in nets:
            nets[asked] = folded(model.net, inputs[:1], layers) if model.num_classes else model.net
        return grams(nets[asked], inputs, layers, how, model.layouts)

    def pairs() -> Iterator[tuple[Grams, Grams]]:
        for images in batches(pictures, batch):
            first = side(a, layers_a, images)
            same = a.net is b.net and layers_a == layers_b
            yield first, first if same else side(b, layers_b, images)

    yield from estimates(pairs(), len(pictures), how, seed)


def best_matches(cka: np.ndarray) -> np.ndarray:
    """For each row the column of the largest value, -1 where the whole row is undefined."""
    known = ~np.isnan(cka).all(1)
    return np.where(known, np.where(np.isnan(cka), -np.inf, cka).argmax(1), -1)
