"""What the machine lets this process use. Standard library only."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path, PurePosixPath


def usable_cores(root: Path = Path("/")) -> int:
    """The processor cores that this process may keep busy, at least 1.

    Those that it may run on, and no more than its control group has the time of: in a container that was given two
    cores' time (``docker run --cpus 2``) on a machine of 64, the system says 64, and 64 processes would share two.

    Args:
        root: Where ``proc`` and ``sys`` are.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min([cores, *map(math.ceil, _quotas(root))]))


def _quotas(root: Path) -> Iterator[float]:
    """The cores' worth of time that each control group around this process has, where one is limited.

    https://docs.kernel.org/admin-guide/cgroup-v2.html (cpu.max) and, before it,
    https://docs.kernel.org/scheduler/sched-bwc.html (cpu.cfs_quota_us). In a container the names of groups are often
    those of the host, and what is mounted is the group itself: so all folders on the way are looked at, as far as there
    are any.
    """
    for line in _words_in(root / "proc/self/cgroup", "\n"):
        _, _, rest = line.partition(":")
        controllers, _, group = rest.partition(":")
        if controllers and "cpu" not in controllers.split(","):
            continue
        path = PurePosixPath(group.lstrip("/"))
        for at in (path, *path.parents):
            if controllers:
                folder = root / "sys/fs/cgroup/cpu" / at
                limit = [*_words_in(folder / "cpu.cfs_quota_us"), *_words_in(folder / "cpu.cfs_period_us")]
            else:
                limit = _words_in(root / "sys/fs/cgroup" / at / "cpu.max")
            with suppress(ValueError):  # "max 100000", or no file
                quota, period = map(int, limit)
                if quota > 0 and period > 0:  # -1 before version 2: no limit
                    yield quota / period


def _words_in(path: Path, between: str | None = None) -> list[str]:
    try:
        return path.read_text(encoding="utf-8", errors="replace").split(between)
    except OSError:
        return []
