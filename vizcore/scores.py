"""What a network returns, and how its numbers are to be read: chances that share, chances alone, values.

Networks answer with a tensor, an object that has ``.logits``, a dict, a tuple, or with trailing axes of one
cell. ``unwrapped`` makes scores (B, K) of it. What they mean stands with the network, as ``scores_are``.
Where they are probabilities already, ``Ending`` goes back to what these were made of.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

KINDS = {
    "softmax": "one of several classes: the probabilities sum to 1",
    "sigmoid": "each label by itself: yes or no, one or many at once",
    "values": "numbers without a probability, as of a regression",
}
NAMED = ("logits", "scores", "image_embeds", "pooler_output")  # the last two: features, of no classes
FEATURES = NAMED[2:]
PLAIN = "itself, (B, K)"


def kind_of(net: nn.Module, count: int) -> str:
    """One of ``KINDS``: as it was said when the network was brought; a single score is a yes or no."""
    return getattr(net, "scores_are", None) or ("sigmoid" if count == 1 else "softmax")


def probabilities(net: nn.Module, scores: Tensor) -> Tensor:
    """Scores (..., K) as probabilities; of values, which have none, they themselves. In single precision."""
    kind = kind_of(net, scores.shape[-1])
    scores = scores.float()
    return {"softmax": scores.softmax(-1), "sigmoid": scores.sigmoid(), "values": scores}[kind]


def log_probabilities(net: nn.Module, scores: Tensor) -> Tensor:
    """The logarithm of ``probabilities``, in the precision of the scores, for a softmax or a sigmoid."""
    if kind_of(net, scores.shape[-1]) == "sigmoid":
        return nn.functional.logsigmoid(scores)
    return scores.log_softmax(-1)


def unwrapped(output: Any) -> tuple[Any, str]:
    """The scores (B, K) in what a network returned, and where they stood there: ".logits, (B, K)".

    Where there are none, ``output`` as it is, and "".

    >>> import torch
    >>> unwrapped({"logits": torch.zeros(2, 5, 1, 1)})[1]
    "['logits'], (B, K, 1, 1)"
    """
    found = [pair for pair in itertools.starmap(_scores, _candidates(output)) if pair]
    return found[0] if len(found) == 1 else (output, "")


def unclear(output: Any) -> list[str]:
    """Where several things stand that may be scores, if nothing says which of them are: "['a']", "['b']"."""
    found = [path for value, path in _candidates(output) if _scores(value, path)]
    return found if len(found) > 1 else []


def _scores(value: Any, path: str) -> tuple[Tensor, str] | None:
    if not isinstance(value, Tensor) or not value.is_floating_point():
        return None
    if value.ndim == 1 and len(value):
        return value[:, None], f"{path}, (B,)"
    if value.ndim >= 2 and value.shape[2:].numel() == 1:
        ones = ", 1" * (value.ndim - 2)
        return value.flatten(1), f"{path}, (B, K{ones})"
    return None


def _candidates(output: Any) -> list[tuple[Any, str]]:
    """Parts of an output that may be scores, and how to get there: the first named one, else a dict's all."""
    if isinstance(output, Tensor):
        return [(output, "itself")]
    if isinstance(output, Mapping) or any(hasattr(output, name) for name in NAMED):
        get = output.get if isinstance(output, Mapping) else lambda name: getattr(output, name, None)
        plain = type(output) is dict
        found = [(get(name), f"['{name}']" if plain else f".{name}") for name in NAMED]
        found = [pair for pair in found if pair[0] is not None and _scores(*pair)][:1]
        if not found and isinstance(output, Mapping):
            found = [(value, f"['{name}']") for name, value in output.items()]
        return found
    return [(output[0], "[0]")] if isinstance(output, tuple | list) and output else []


class Ending(TorchFunctionMode):
    """Within one pass: what the last softmax or sigmoid was given, and what it made of it."""

    def __init__(self) -> None:
        super().__init__()
        self.kind, self._given, self._made = "", None, None

    def __torch_function__(
        self, func: Callable, types: Iterable[type], args: tuple = (), kwargs: dict | None = None
    ) -> Any:
        kwargs, name = kwargs or {}, getattr(func, "__name__", "")
        kind = _ENDINGS.get(name)
        given = args[0] if args else kwargs.get("input")
        if kind and name.endswith("_") and isinstance(given, Tensor):
            given = given.clone()  # it is overwritten
        result = func(*args, **kwargs)
        if kind and isinstance(given, Tensor) and isinstance(result, Tensor):
            self.kind, self._given, self._made = kind, given, result
        return result

    def ends(self, scores: Tensor) -> bool:
        """Whether scores (B, K) are, as they stand, what that made."""
        made = self._made
        return made is not None and (made.data_ptr(), made.numel()) == (scores.data_ptr(), scores.numel())

    def before(self, scores: Tensor) -> Tensor:
        """The scores (B, K) that probabilities were made of; of others, logarithms of the probabilities."""
        if self._given is not None and self.ends(scores):
            return self._given.reshape(scores.shape).to(scores.dtype)
        return scores.clamp(min=torch.finfo(scores.dtype).tiny).log()


_ENDINGS = {"softmax": "softmax", "sigmoid": "sigmoid", "sigmoid_": "sigmoid", "special_expit": "sigmoid"}


def answering(
    net: nn.Module,
    scores_are: str | None,
    classes: bool = True,
    undone: bool = False,
    overwrites: bool = False,
) -> nn.Module:
    """The same module, of a class of its own that returns scores (B, K) and says how to read them.

    Layers keep their names. ``classes`` False: what it returns are features, and it has no classes.
    ``undone``: what it returns are probabilities, and the scores are what they were made of.
    ``overwrites``: it changes the pictures that it is given, so it is given others.
    """
    forward = type(net).forward

    def scores(self: nn.Module, *args: Any, **kwargs: Any) -> Any:
        args = tuple(map(torch.clone, args)) if overwrites else args
        if not undone:
            return unwrapped(forward(self, *args, **kwargs))[0]
        with Ending() as ending:
            found = unwrapped(forward(self, *args, **kwargs))[0]
        return ending.before(found)

    own = {"forward": scores, "scores_are": scores_are, **({} if classes else {"num_classes": 0})}
    net.__class__ = type(type(net).__name__, (type(net),), own)
    if not classes:
        net.__dict__.pop("num_classes", None)
    return net
