"""What several processes agree on, by torch.distributed: gloo on CPUs, NCCL on GPUs; nothing for one."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from ..at_scale.shards import Rank


@contextlib.contextmanager
def group(rank: Rank, device: torch.device) -> Iterator[None]:
    """A group of all processes, as torchrun's environment says; none where there is but one."""
    if rank.world == 1:
        yield
        return
    dist.init_process_group(
        "nccl" if device.type == "cuda" else "gloo", rank=rank.rank, world_size=rank.world
    )
    try:
        yield
    finally:
        dist.destroy_process_group()


def summed(values: Tensor) -> Tensor:
    """The sum over all processes."""
    if dist.is_initialized():
        dist.all_reduce(values)
    return values


def from_first(value: float, device: torch.device) -> float:
    """What the first process says, to all."""
    if not dist.is_initialized():
        return value
    told = torch.tensor([value], dtype=torch.float64, device=device)
    dist.broadcast(told, 0)
    return float(told)


def wait() -> None:
    """Until all are here."""
    if dist.is_initialized():
        dist.barrier()


def parallel(net: nn.Module, device: torch.device) -> Any:
    """The network with its gradients averaged over all processes."""
    if not dist.is_initialized():
        return net
    return nn.parallel.DistributedDataParallel(
        net, device_ids=[device.index] if device.type == "cuda" else None
    )
