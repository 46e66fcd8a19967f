"""What a network returns, and how its numbers are to be read: chances that share, chances alone, values.

Networks answer with a tensor, an object that has ``.logits``, a dict, a tuple, or with trailing axes of one
cell. ``unwrapped`` makes scores (B, K) of it. What they mean stands with the network, as ``scores_are``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

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
    for value, path in _candidates(output):
        if not isinstance(value, Tensor) or not value.is_floating_point():
            continue
        if value.ndim == 1 and len(value):
            return value[:, None], f"{path}, (B,)"
        if value.ndim >= 2 and value.shape[2:].numel() == 1:
            ones = ", 1" * (value.ndim - 2)
            return value.flatten(1), f"{path}, (B, K{ones})"
    return output, ""


def _candidates(output: Any) -> list[tuple[Any, str]]:
    """Parts of an output that may be scores, and how to get there: named ones, else the first."""
    if isinstance(output, Tensor):
        return [(output, "itself")]
    if isinstance(output, Mapping) or any(hasattr(output, name) for name in NAMED):
        get = output.get if isinstance(output, Mapping) else lambda name: getattr(output, name, None)
        plain = type(output) is dict
        found = [(get(name), f"['{name}']" if plain else f".{name}") for name in NAMED]
        found = [pair for pair in found if pair[0] is not None]
        if not found and isinstance(output, Mapping) and len(output) == 1:
            ((name, value),) = output.items()
            found = [(value, f"['{name}']")]
        return found
    return [(output[0], "[0]")] if isinstance(output, tuple | list) and output else []


def answering(net: nn.Module, scores_are: str | None, classes: bool = True) -> nn.Module:
    """The same module, of a class of its own that returns scores (B, K) and says how to read them.

    Layers keep their names. ``classes`` False: what it returns are features, and it has no classes.
    """
    forward = type(net).forward

    def scores(self: nn.Module, *args: Any, **kwargs: Any) -> Any:
        return unwrapped(forward(self, *args, **kwargs))[0]

    own = {"forward": scores, "scores_are": scores_are, **({} if classes else {"num_classes": 0})}
    net.__class__ = type(type(net).__name__, (type(net),), own)
    if not classes:
        net.__dict__.pop("num_classes", None)
    return net
