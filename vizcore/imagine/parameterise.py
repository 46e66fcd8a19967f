"""What the pixels of an imagined picture are made of: ``pixels``, ``fourier`` or ``natural``.

Gradient ascent moves along the coordinates that it is given. In pixels that makes noise; in frequencies, each
weighted by what it contributes to a natural picture, and in colours that vary independently of one another,
it makes large coherent shapes as easily as small ones (Olah et al., "Feature Visualization", Distill 2017).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import torch
from torch import Tensor

from ..modes import in_any_mode

# of red, green and blue, 0 to 1, over the pixels of 400 drawn textures: ``measured_colours``
COLOUR_COVARIANCE = ((0.0621, 0.0490, 0.0472), (0.0490, 0.0607, 0.0511), (0.0472, 0.0511, 0.0639))
# the same over 3,900 photographs of 200 of ImageNet's classes, those without colour left out
NATURAL_COVARIANCE = ((0.0767, 0.0657, 0.0579), (0.0657, 0.0721, 0.0679), (0.0579, 0.0679, 0.0793))
FALL = 0.5  # natural pictures fall with 1 / frequency; flatter than that, textures fill the frame evenly
START = 0.1  # standard deviation of a picture's first noise, before the sigmoid
NATURAL_FALL = 1.0  # as photographs fall
NATURAL_START = 0.04  # fainter, so that less noise is to be undone
# How much further a step of Adam moves a picture: with steps of 1, 128 of them leave ImageNet's classes grey.
LIVELY = 4.0


def measured_colours() -> Tensor:
    """The covariance (3, 3) that ``COLOUR_COVARIANCE`` was rounded from."""
    import numpy as np

    from ..pictures.textures import LABELS, single

    drawn = np.stack([single(label, 3_000_000 + i, 64).picture for label in LABELS for i in range(20)])
    return torch.from_numpy(np.cov(drawn.reshape(-1, 3).T / 255))


@cache
@in_any_mode
def colour_matrix(covariance: tuple[tuple[float, ...], ...] = COLOUR_COVARIANCE) -> Tensor:
    """Takes independent colours to ones with a covariance, up to a factor: mean variance 1. (3, 3).

    The symmetric root V √D Vᵀ of the covariance V D Vᵀ, so that grey stays close to grey.
    """
    values, vectors = torch.linalg.eigh(torch.tensor(covariance, dtype=torch.float64))
    root = vectors @ values.sqrt().diag() @ vectors.T
    return (root / (values.mean().sqrt())).float()


def spectrum_shape(size: tuple[int, int]) -> tuple[int, ...]:
    return 3, size[0], size[1] // 2 + 1, 2  # real and imaginary parts


@cache
@in_any_mode
def frequency_scale(size: tuple[int, int], fall: float = FALL) -> Tensor:
    """What each frequency counts, (H, W // 2 + 1): 1 / frequency ** ``fall``, the mean as the lowest one.

    Scaled so that independent coefficients of variance 1 make pictures of variance 1.
    """
    height, width = size
    rows, columns = torch.fft.fftfreq(height)[:, None], torch.fft.rfftfreq(width)[None]
    scale = (rows**2 + columns**2).sqrt().clamp(min=1 / max(height, width)) ** -fall
    twice = (columns > 0) & (columns < 0.5)  # stand for their conjugates too: two waves of two parts each
    return scale / (scale.square() * torch.where(twice, 4, 1)).sum().div(height * width).sqrt()


def fourier(spectrum: Tensor, size: tuple[int, int]) -> Tensor:
    """Spectra (n, 3, H, W // 2 + 1, 2) become pictures (n, 3, H, W), 0 to 1."""
    return mixed(spectrum, size, FALL, colour_matrix())


def natural(spectrum: Tensor, size: tuple[int, int]) -> Tensor:
    """As ``fourier``, with the frequencies and colours of photographs; moves ``LIVELY`` times as far."""
    return mixed(spectrum, size, NATURAL_FALL, LIVELY * colour_matrix(NATURAL_COVARIANCE))


def mixed(spectrum: Tensor, size: tuple[int, int], fall: float, colours: Tensor) -> Tensor:
    """Spectra become pictures, with a power of the frequency and a matrix (3, 3) of colours."""
    scaled = torch.view_as_complex(spectrum) * frequency_scale(size, fall).to(spectrum.device)
    flat = torch.fft.irfft2(scaled, s=size, norm="ortho").flatten(2)  # (n, 3, H * W)
    return (colours.to(flat) @ flat).unflatten(2, size).sigmoid()


def pixels(values: Tensor, size: tuple[int, int]) -> Tensor:
    """Values (n, 3, H, W) become pictures, 0 to 1."""
    return values.sigmoid()


class Parameterisation(NamedTuple):
    shape: Callable[[tuple[int, int]], tuple[int, ...]]  # of one picture's parameters, by its size
    render: Callable[[Tensor, tuple[int, int]], Tensor]  # parameters of n pictures, size -> (n, 3, H, W)
    noise: float = START  # standard deviation of the first parameters


PARAMETERISATIONS = {
    "Fourier": Parameterisation(spectrum_shape, fourier),
    "natural": Parameterisation(spectrum_shape, natural, NATURAL_START / LIVELY),
    "pixels": Parameterisation(lambda size: (3, *size), pixels),
}


def start(name: str, size: tuple[int, int], generators: list[torch.Generator]) -> Tensor:
    """A little noise to start from, for each generator one picture's parameters; (n, ...), on the CPU."""
    row = PARAMETERISATIONS[name]
    shape = row.shape(size)
    return row.noise * torch.stack([torch.randn(shape, generator=one) for one in generators])
