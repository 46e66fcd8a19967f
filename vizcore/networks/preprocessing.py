"""What is done to a picture before a network sees it, as a few numbers that can be read and changed."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from typing import Any, cast

from ..capture import private_copy
from ..model import VisionModel
from ..pictures.frame import Preprocess, Transform, steps
from .checkpoints import ModelError
from .load import retraced
from .torchvision_ops import torchvision

INTERPOLATIONS = "bicubic", "bilinear", "lanczos", "nearest"
SMALLEST, LARGEST = 16, 1024  # pixels of a side
LEAST_STD = 0.001  # pictures go from 0 to 1, and networks that want 0 to 255 have 1 / 255
_STEPS = {"Resize", "CenterCrop", "ToTensor", "MaybeToTensor", "Normalize"}


@dataclass(frozen=True)
class Preprocessing:
    """Resized, cropped in the middle, 0 to 1, less the mean, by the deviation: red, green, blue."""

    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    size: tuple[int, int]  # rows, columns, of what the network gets
    crop: float = 1.0  # the share of the resized picture's shorter edge that is kept
    interpolation: str = "bicubic"
    squash: bool = False  # resized to the size's proportions, whatever the picture's

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    def transform(self) -> Transform:
        """The steps, which maps can be brought back through."""
        kinds, (rows, columns) = torchvision.transforms, self.size
        how = kinds.InterpolationMode(self.interpolation)
        if self.squash:
            edge: Any = (round(rows / self.crop), round(columns / self.crop))
        else:
            edge = round(min(rows, columns) / self.crop)
        whole = [
            kinds.Resize(edge, how),
            kinds.CenterCrop(self.size),
            kinds.ToTensor(),
            kinds.Normalize(list(self.mean), list(self.std)),
        ]
        return cast(Transform, kinds.Compose(whole))


def preprocessing_of(model: VisionModel) -> Preprocessing | None:
    """What a network's preprocessing comes to; None where it has other steps than those known here."""
    known = steps(model.preprocess.transform)
    by_name = {type(step).__name__: step for step in known}
    if (
        not set(by_name) <= _STEPS
        or len(by_name) != len(known)
        or not {"Resize", "Normalize"} <= set(by_name)
    ):
        return None
    resize, normalise, crop = by_name["Resize"], by_name["Normalize"], by_name.get("CenterCrop")
    edge = resize.size if isinstance(resize.size, int) else tuple(resize.size)
    edge = edge[0] if isinstance(edge, tuple) and len(edge) == 1 else edge
    how = getattr(resize.interpolation, "value", str(resize.interpolation))
    if (crop is None and isinstance(edge, int)) or how not in INTERPOLATIONS:
        return None
    size: Any = edge if crop is None else crop.size
    size = (size, size) if isinstance(size, int) else tuple(size)
    share = size[0] / edge[0] if isinstance(edge, tuple) else min(size) / edge
    mean, std = (
        tuple(float(f"{float(value):.7g}") for value in values) for values in (normalise.mean, normalise.std)
    )
    found = Preprocessing(cast(Any, mean), cast(Any, std), size, share, how, isinstance(edge, tuple))
    return found if share <= 1 and len(mean) == len(std) == 3 else None


def with_preprocessing(model: VisionModel, wanted: Preprocessing) -> VisionModel:
    """The same network, with something else done to its pictures.

    Raises:
        ModelError: numbers that can't be meant, or a size that the network doesn't take.
    """
    check(wanted)
    if wanted == preprocessing_of(model):
        return model
    before = tuple(model.preprocess(_blank()).shape[2:])
    preprocess = Preprocess(wanted.transform(), model.device, model.preprocess.dtype)
    changed = replace(model, net=private_copy(model.net), preprocess=preprocess)
    return changed if before == wanted.size else retraced(changed)


def check(wanted: Preprocessing) -> None:
    """Raise a ModelError where a number can't be meant."""
    numbers = (*wanted.mean, *wanted.std, wanted.crop)
    if not all(math.isfinite(value) and abs(value) <= 1000 for value in numbers):
        raise ModelError("The preprocessing's numbers have to be finite, and no larger than 1000.")
    if min(wanted.std) < LEAST_STD:
        raise ModelError(
            f"Each deviation has to be above 0, at least {LEAST_STD:g}; one is {min(wanted.std):g}."
        )
    if not all(SMALLEST <= side <= LARGEST for side in wanted.size):
        raise ModelError(f"A side has {SMALLEST} to {LARGEST} pixels, not {min(wanted.size)}.")
    if not 0.1 <= wanted.crop <= 1:
        raise ModelError(f"The share that is kept is 0.1 to 1, not {wanted.crop:g}.")
    if wanted.interpolation not in INTERPOLATIONS:
        raise ModelError(f"Interpolation is {', '.join(INTERPOLATIONS)}, not {wanted.interpolation[:40]!r}.")


def from_dict(stored: Any) -> Preprocessing:
    """As ``as_dict`` wrote it.

    Raises:
        ModelError: it isn't.
    """
    try:
        mean, std = (tuple(float(value) for value in stored[name]) for name in ("mean", "std"))
        rows, columns = (int(value) for value in stored["size"])
        found = Preprocessing(
            cast(Any, mean), cast(Any, std), (rows, columns), float(stored["crop"]),
            str(stored["interpolation"]), bool(stored["squash"]),
        )  # fmt: skip
        if len(mean) != 3 or len(std) != 3:
            raise ValueError
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise ModelError("The file's preprocessing can't be read.") from error
    check(found)
    return found


def _blank() -> Any:
    from PIL import Image

    return Image.new("RGB", (256, 256))
