"""An iterator that runs in a thread, a bounded number of steps ahead of who goes through it."""

from __future__ import annotations

import queue
import threading
from collections.abc import Generator, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")

_END = object()
_PATIENCE = 0.2  # seconds between two looks at whether anybody still listens


def ahead(source: Iterable[T], most: int) -> Generator[T]:
    """Go through ``source`` in a thread, at most ``most`` entries ahead; what it raises is raised here.

    Reading and hashing files this way goes on while the caller's thread does other things. Close the iterator to stop.
    """
    waiting: queue.Queue[object] = queue.Queue(most)
    stopped = threading.Event()

    def put(entry: object) -> bool:
        while not stopped.is_set():
            try:
                waiting.put(entry, timeout=_PATIENCE)
            except queue.Full:
                continue
            return True
        return False

    def fill() -> None:
        try:
            for entry in source:
                if not put(entry):
                    return
        finally:
            put(_END)

    with ThreadPoolExecutor(1, "ahead") as pool:
        filling = pool.submit(fill)
        try:
            while (entry := waiting.get()) is not _END:
                yield entry  # type: ignore[misc]  # the queue holds entries of the source, and its end
            filling.result()
        finally:
            stopped.set()
