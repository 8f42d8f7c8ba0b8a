"""Several processes that learn one network together, one for each GPU, as ``accelerate launch`` and ``torchrun`` start.

Each takes its own batches, and gradients are averaged (DistributedDataParallel). The first one alone measures, writes
and speaks. What only one of them may know - a clock, Ctrl-C, a look at held-out pictures - is agreed on, or each would
go its own way and wait for the others for ever.
"""

from __future__ import annotations

import os


def count() -> int:
    """How many processes there are."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def rank() -> int:
    """Which of them this is, from 0."""
    return int(os.environ.get("RANK", "0"))


def is_first() -> bool:
    """Whether this process is the one that writes and speaks."""
    return rank() == 0


def any_of(*, flag: bool) -> bool:
    """Whether the flag is set in any of the processes; all must ask."""
    return max(_gathered(float(flag))) > 0


def of_first(value: float) -> float:
    """The first process's value; all must ask."""
    return _gathered(value)[0]


def leave() -> None:
    """End the common work: what comes after it is the first process's alone."""
    from torch import distributed

    if distributed.is_available() and distributed.is_initialized():
        distributed.destroy_process_group()


def _gathered(value: float) -> list[float]:
    if count() == 1:
        return [value]
    import torch
    from torch import distributed

    device = f"cuda:{torch.cuda.current_device()}" if distributed.get_backend() == "nccl" else "cpu"
    own = torch.tensor([value], dtype=torch.float64, device=device)
    found = [torch.zeros_like(own) for _ in range(count())]
    distributed.all_gather(found, own)
    return [float(each) for each in found]
