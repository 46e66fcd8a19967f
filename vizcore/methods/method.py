"""The one shape of a method that says where: what it is asked, what it gives, and its own words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from torch import Tensor

from ..model import VisionModel
from ..objectives import Target, objective
from ..shapes import one_picture

SLOW = 8  # passes from which on a method's run is shown step by step, and can be stopped
ENDLESS = 200  # passes from which on it isn't repeated for tests of its maps


class Step(NamedTuple):
    """What a method knows so far; its last step is the whole."""

    done: int
    total: int
    maps: Tensor  # (K, h, w) over what the model sees, larger where more is claimed; K is 1 as a rule
    pixels: Tensor | None = None  # (C, H, W), signed, where there is a value for each of the pixels
    names: tuple[str, ...] = ()  # of K maps, what each is
    note: str = ""  # what to know of this run, in a sentence
    settings: Mapping[str, Any] = {}  # that the run came to by itself
    finer: tuple[str, Mapping[str, Any]] = ("", {})  # how to make it truer: a button's words, and settings


class Setting(NamedTuple):
    """Something that a method can be told, and how it is asked for."""

    label: str
    default: Any  # one of ``options``
    options: Sequence  # words, or rising numbers
    help: str = ""
    unit: float = 1  # what a number stands for: 0.01 where the options are percent

    def value(self, option: Any) -> Any:
        """What the method is told where an option is chosen."""
        return option * self.unit if self.unit != 1 else option


def fits_any(model: VisionModel) -> str:
    """A method that can be asked about every network."""
    return ""


class Method(NamedTuple):
    """A technique that says where.

    ``run(model, images, target, **settings)`` takes one preprocessed picture, (1, 3, H, W), and an
    ``Objective``, and yields what it knows, step by step.
    """

    run: Callable[..., Iterator[Step]]
    limits: str  # what it can't show, in words
    page: str = ""  # that lists it: "grad_cam" for maps of cells, "saliency" for pixels
    knows_class: bool = True  # False: it is the same map whatever is asked
    fits: Callable[[VisionModel], str] = fits_any  # why it can't be asked of a network; "" where it can
    passes: int = 2  # about how many passes through the network it takes
    settings: Mapping[str, Setting] = {}
    layer: bool = False  # whether it is told one of the model's layers
    shares_out: bool = False  # whether it says what was, signed, rather than what a change would do
    failed: str = ""  # a test that it is known to have failed

    @property
    def slow(self) -> bool:
        """Whether it takes dozens of passes."""
        return self.passes > SLOW

    def why_not(self, model: VisionModel) -> str:
        """Why it can't be asked of a network, in a sentence; "" where it can."""
        if self.knows_class and not model.num_classes:
            return f"{model.title} has no classes to be asked for."
        return self.fits(model)

    def applies(self, model: VisionModel) -> bool:
        return not self.why_not(model)

    def steps(
        self, model: VisionModel, images: Tensor, target: Target | None = None, **settings
    ) -> Iterator[Step]:
        """``run`` for any target; None will do for a method that knows no class.

        Raises:
            ValueError: several pictures, or no such class, layer or setting.
        """
        one_picture(images)
        if target is None and self.knows_class:
            raise ValueError("this method needs a class, or another objective, to be asked for")
        wanted = objective(model, target) if self.knows_class and target is not None else None
        return self.run(model, images, wanted, **settings)

    def make(self, model: VisionModel, images: Tensor, target: Target | None = None, **settings) -> Tensor:
        """The whole as one map, (h, w), larger where it claims more; the first where there are several."""
        *_, last = self.steps(model, images, target, **settings)
        return last.maps[0]


def at_once(make: Callable[..., Tensor]) -> Callable[..., Iterator[Step]]:
    """``run`` of a method whose map (h, w), or maps (K, h, w), are made in one go."""

    def run(model: VisionModel, images: Tensor, wanted: Any, **settings) -> Iterator[Step]:
        found = make(model, images, wanted, **settings)
        yield Step(1, 1, found if found.ndim == 3 else found[None])

    return run


def of_pixels(
    make: Callable[..., Iterator[Any]],
    flatten: Callable[[Tensor], Tensor],
    tell: Callable[[Any], dict] = lambda _: {},
) -> Callable[..., Iterator[Step]]:
    """``run`` of a method whose steps have ``done``, ``total`` and ``pixels`` (1, C, H, W).

    Args:
        flatten: (C, H, W) -> (H, W), its map. tell: further fields of a step.
    """

    def run(model: VisionModel, images: Tensor, wanted: Any, part: str = "", **settings) -> Iterator[Step]:
        one = PARTS[part] if part else flatten
        for step in make(model, images, wanted, **settings):
            pixels = step.pixels[0]
            yield Step(step.done, step.total, one(pixels)[None], pixels, **tell(step))

    return run


def strongest(pixels: Tensor) -> Tensor:
    """The largest absolute value over the channels: (..., C, H, W) -> (..., H, W), at least 0."""
    return pixels.abs().amax(-3)


def summed(pixels: Tensor) -> Tensor:
    """The sum over the channels, signed: (..., C, H, W) -> (..., H, W)."""
    return pixels.sum(-3)


PARTS: dict[str, Callable[[Tensor], Tensor]] = {  # (..., C, H, W) -> (..., H, W), at least 0
    "positive": lambda pixels: pixels.clamp(min=0).amax(-3),
    "negative": lambda pixels: (-pixels).clamp(min=0).amax(-3),
}


class Partial(NamedTuple):
    """The pixels that are known so far."""

    done: int
    total: int
    pixels: Tensor  # (1, C, H, W)
