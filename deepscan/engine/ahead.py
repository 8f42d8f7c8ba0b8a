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
    waiting: queue.SimpleQueue[object] = queue.SimpleQueue()
    room, stopped = threading.Event(), threading.Event()

    def fill() -> None:
        try:
            for entry in source:
                waiting.put(entry)
                while waiting.qsize() >= most and not stopped.is_set():
                    room.clear()
                    if waiting.qsize() >= most:
                        room.wait(_PATIENCE)
                if stopped.is_set():
                    return
        finally:
            waiting.put(_END)

    with ThreadPoolExecutor(1, "ahead") as pool:
        filling = pool.submit(fill)
        try:
            while (entry := waiting.get()) is not _END:
                # Not for every entry: to wake a thread costs as much as to hash a small file.
                if waiting.qsize() <= most // 2 and not room.is_set():
                    room.set()
                yield entry  # type: ignore[misc]  # the queue holds entries of the source, and its end
            filling.result()
        finally:
            stopped.set()
            room.set()
