"""All of a network learns: timm's transforms, optimiser, schedule and EMA, from the probe's head on.

The head begins as the linear probe on frozen features (Kumar et al., ICLR 2022: what was learnt before is
bent less than behind a random head), and the best moment is chosen on pictures that are held out of
learning. Batch norms keep the statistics that they have: batches are small.
"""

from __future__ import annotations

import importlib
import io
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, cast

import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset

from ..at_scale.progress import Progress
from ..at_scale.shards import Rank, StudyError, written
from ..model import VisionModel
from ..networks.build import build, find_entry
from ..networks.torchvision_ops import timm
from ..pictures.images import to_rgb
from ..studies.probe import Head
from .classes_of import Lot
from .together_as import from_first, parallel, summed, wait

# after timm itself, which ``torchvision_ops`` makes importable
optim, scheduler, utils = (
    importlib.import_module(f"timm.{name}") for name in ("optim", "scheduler", "utils")
)

KEPT_EVERY = 60.0  # seconds between two states on the disk
ASKED = 32  # pictures a pass, of those that are only asked about
STATE = "state.pt"


class Recipe(NamedTuple):
    """How it learns."""

    epochs: int = 10
    minutes: float = math.inf  # at most, over all runs; the schedule comes to its end then
    batch: int = 32  # over all processes
    rate: float = 2e-4
    decay: float = 0.02  # of weights
    optimizer: str = "adamw"  # of timm's
    ema: float = 0.99  # what the moving average of the weights keeps at each step
    smoothing: float = 0.1  # of labels
    crop: float = 0.35  # least share of a picture that a random crop keeps


# ---------------------------------------------------------------- the network


def begun(model: VisionModel, head: Head) -> nn.Module:
    """A network of the model's architecture and weights that can learn, with the probe's head.

    Raises:
        StudyError: its head isn't one linear layer.
    """
    net = build(model.name, find_entry(model.name), num_classes=len(head.bias))
    last = _classifier(net, head)
    state = net.state_dict()
    known = {
        key: value
        for key, value in model.net.state_dict().items()
        if key in state and state[key].shape == value.shape and not key.startswith(f"{last}.")
    }
    state.update(known)
    state[f"{last}.weight"], state[f"{last}.bias"] = head
    net.load_state_dict(state)
    return net.to(model.device)


def _classifier(net: nn.Module, head: Head) -> str:
    """The name of the linear layer of the head's shape that comes last."""
    fits = [
        name
        for name, module in net.named_modules()
        if isinstance(module, nn.Linear)
        and module.weight.shape == head.weight.shape
        and module.bias is not None
    ]
    if not fits:
        raise StudyError(
            "This network's head isn't one linear layer, so it can learn by its head alone only."
        )
    return fits[-1]


def learning(net: nn.Module) -> nn.Module:
    """In training mode, but for batch norms."""
    net.train()
    for module in net.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.eval()
    return net


# ---------------------------------------------------------------- pictures


class Views(Dataset):
    """Pictures with their classes, each as the transform makes it anew."""

    def __init__(self, lot: Lot, transform: Callable[[Image.Image], Any]):
        self.lot, self.transform = lot, transform

    def __len__(self) -> int:
        return len(self.lot.items)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        return self.transform(to_rgb(self.lot.items[index].read())), self.lot.answers[index]


def augmented(model: VisionModel, recipe: Recipe) -> Any:
    """timm's transform for training, at the size and with the normalisation that the network has."""
    entry = find_entry(model.name)
    own = {**(getattr(model.net, "pretrained_cfg", None) or {}), **entry.data}
    data = timm.data.config.resolve_data_config({}, pretrained_cfg=own)
    return timm.data.transforms_factory.create_transform(
        data["input_size"], is_training=True, mean=data["mean"], std=data["std"],
        interpolation=data["interpolation"], scale=(recipe.crop, 1.0), color_jitter=0.2, auto_augment=None,
    )  # fmt: skip


def asked(net: nn.Module, model: VisionModel, lot: Lot, rank: Rank) -> Tensor:
    """What a network says first of each picture, (N,), each batch by one of the processes."""
    net.eval()
    found = torch.zeros(len(lot.items), dtype=torch.int64, device=model.device)
    for k, start in enumerate(range(0, len(lot.items), ASKED)):
        if k % rank.world == rank.rank:
            images = torch.cat([model.preprocess(item.read()) for item in lot.items[start : start + ASKED]])
            with torch.no_grad():
                found[start : start + len(images)] = net(images).argmax(1)
    return summed(found).cpu()


def right(said: Tensor, lot: Lot) -> float:
    return (said == torch.tensor(lot.answers)).double().mean().item() if lot.items else 0.0


# ---------------------------------------------------------------- learning


class _State:
    """All that a run is taken up from."""

    def __init__(self, net: nn.Module, ema: Any, optimizer: Any):
        self.net, self.ema, self.optimizer = net, ema, optimizer
        self.epoch, self.batch, self.seconds, self.best, self.chosen = 0, 0, 0.0, -1.0, {}

    def save(self, path: Path, plan: str) -> None:
        whole = {
            "plan": plan, "net": self.net.state_dict(), "ema": self.ema.module.state_dict(),
            "optimizer": self.optimizer.state_dict(), "epoch": self.epoch, "batch": self.batch,
            "seconds": self.seconds, "best": self.best, "chosen": self.chosen,
        }  # fmt: skip
        buffer = io.BytesIO()
        torch.save(whole, buffer)
        written(path, lambda file: file.write(buffer.getbuffer()))

    def load(self, path: Path, plan: str) -> None:
        """Go on where a run of the same plan was; nothing but tensors and numbers is read."""
        if not path.is_file():
            return
        try:
            whole = torch.load(path, map_location="cpu", weights_only=True)
            if whole["plan"] != plan:
                raise StudyError(f"{path.parent} holds a run with other options; choose another folder.")
            self.net.load_state_dict(whole["net"])
            self.ema.module.load_state_dict(whole["ema"])
            self.optimizer.load_state_dict(whole["optimizer"])
        except StudyError:
            raise
        except Exception as error:  # a damaged file fails in many ways
            raise StudyError(f"{path} is damaged; delete it to begin anew.") from error
        for name in ("epoch", "batch", "seconds", "best", "chosen"):
            setattr(self, name, whole[name])


def learn(
    model: VisionModel, head: Head, learn_from: Lot, choose: Lot, recipe: Recipe, out: Path, plan: str,
    rank: Rank, seed: int = 0,
) -> dict[str, Tensor]:  # fmt: skip
    """The weights at the best moment, beginning with the probe's head; goes on where a run was stopped.

    Args:
        out: where the state is kept. plan: words that decide the result; a state of others is refused.

    Raises:
        StudyError: as ``begun``; or a state of another plan.
    """
    torch.manual_seed(seed)
    net = begun(model, head)
    optimizer = optim.create_optimizer_v2(
        net, opt=recipe.optimizer, lr=recipe.rate, weight_decay=recipe.decay
    )
    ema = utils.ModelEmaV3(net, decay=recipe.ema)
    state = _State(net, ema, optimizer)
    state.load(out / STATE, plan)
    if not state.chosen:  # as it begins: no worse than the frozen head on these
        state.best, state.chosen = right(asked(net, model, choose, rank), choose), _copied(net)
    parallel_net = parallel(net, model.device)
    views, clock = Views(learn_from, augmented(model, recipe)), _Clock(state, recipe)
    while state.epoch < recipe.epochs and not clock.over():
        _epoch(parallel_net, state, views, model, recipe, clock, rank, seed, out, plan)
        score = right(asked(ema.module, model, choose, rank), choose)
        if score >= state.best:
            state.best, state.chosen = score, _copied(ema.module)
        if not clock.over():
            state.epoch, state.batch = state.epoch + 1, 0
        clock.tick(model.device)
        if rank.rank == 0:
            state.save(out / STATE, plan)
        wait()
    return state.chosen


class _Clock:
    """The seconds that all runs took together, the same for all processes; and how far the schedule is."""

    def __init__(self, state: _State, recipe: Recipe):
        self.state, self.recipe, self.last, self.saved = state, recipe, time.monotonic(), time.monotonic()

    def tick(self, device: torch.device) -> None:
        now = time.monotonic()
        self.state.seconds = from_first(self.state.seconds + now - self.last, device)
        self.last = now

    def over(self) -> bool:
        return self.state.seconds >= 60 * self.recipe.minutes

    def share(self, batches: int) -> float:
        """Of the whole, 0 to 1: by steps or by time, whichever is further."""
        steps = (self.state.epoch * batches + self.state.batch) / max(1, self.recipe.epochs * batches)
        return min(1.0, max(steps, self.state.seconds / (60 * self.recipe.minutes)))


def _epoch(
    net: nn.Module, state: _State, views: Views, model: VisionModel, recipe: Recipe, clock: _Clock,
    rank: Rank, seed: int, out: Path, plan: str,
) -> None:  # fmt: skip
    """One time through the pictures in an order of its own, or what is left of it."""
    order = torch.randperm(len(views), generator=torch.Generator().manual_seed(1000 * seed + state.epoch))
    size = max(1, recipe.batch // rank.world)
    batches = [part[rank.rank :: rank.world].tolist() for part in order.split(size * rank.world)]
    batches = [one for one, whole in zip(batches, order.split(size * rank.world), strict=True)
               if len(whole) >= rank.world]  # fmt: skip
    schedule = scheduler.CosineLRScheduler(
        state.optimizer, t_initial=1000, warmup_t=50, warmup_lr_init=recipe.rate / 100, t_in_epochs=False
    )
    workers = 0 if model.device.type == "cpu" else 4  # threads of the CPU are busy with the network
    loader = DataLoader(views, batch_sampler=cast(Any, batches[state.batch :]), num_workers=workers)
    progress, learner = Progress(len(views), rank), learning(net)
    progress.there(min(len(views), state.batch * size * rank.world))
    for images, answers in loader:
        schedule.step_update(int(1000 * clock.share(len(batches))))
        images, answers = images.to(model.device), answers.to(model.device)
        loss = F.cross_entropy(learner(images), answers, label_smoothing=recipe.smoothing)
        state.optimizer.zero_grad()
        loss.backward()
        state.optimizer.step()
        state.ema.update(state.net)
        state.batch += 1
        clock.tick(model.device)
        progress.add(len(images) * rank.world)
        if clock.over():
            return
        if rank.rank == 0 and time.monotonic() - clock.saved > KEPT_EVERY:
            state.save(out / STATE, plan)
            clock.saved = time.monotonic()


def _copied(net: nn.Module) -> dict[str, Tensor]:
    return {key: value.detach().cpu().clone() for key, value in net.state_dict().items()}
