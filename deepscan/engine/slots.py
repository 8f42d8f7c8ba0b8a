"""What a worker and its parent share while the worker has one job: a few bytes that outlive the worker, and pixels.

A worker that is killed can say nothing any more. So it writes down, before each stage of its work, which one begins;
the parent reads the last one from the same memory and can say where the worker died.

Answers come back pickled through the pool's pipe, their arrays apart from them (pickle's out-of-band buffers, PEP 574)
through the slot: the pipe then carries a few hundred bytes for each file, whatever is in it. What does not fit goes
through the pipe as well. Against all through the pipe, the process that has the model spends 0.7 of the time on an
answer with one face of 144 pixels, and less than a third with 64 (``python -m tests.benchmarks.engine.transfer``).

The parent makes the slots and removes them. When it is killed, the resource tracker of :mod:`multiprocessing` does.
"""

from __future__ import annotations

import contextlib
import errno
import os
import pickle
import struct
from dataclasses import dataclass
from functools import cache
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path
from typing import Any

PIXEL_BYTES = 4 * 1024**2
"""Room for arrays in a slot: 67 faces of 144 pixels or 27 of 224. A film with more sends the rest through the pipe."""

_HEAD_BYTES = 128
_HEAD = struct.Struct("<QB")  # process id of the worker, length of the stage's name
_LONGEST_STAGE = _HEAD_BYTES - _HEAD.size


@dataclass(frozen=True, slots=True)
class Packed:
    """An answer on its way: pickled, with the places of its arrays in the slot as (offset, bytes)."""

    data: bytes
    places: tuple[tuple[int, int], ...]


class Slot:
    """One piece of shared memory. Made by the parent (:meth:`create`), found by the worker (:meth:`attached`)."""

    def __init__(self, memory: SharedMemory) -> None:
        self._memory = memory

    @classmethod
    def create(cls) -> Slot:
        """A new slot; without room for arrays where the system's shared memory is full.

        Raises OSError: there is no shared memory, not even for the stage's name.
        """
        for size in (_HEAD_BYTES + PIXEL_BYTES, _HEAD_BYTES):
            memory = SharedMemory(create=True, size=size)
            if _is_backed(memory):
                return cls(memory)
            memory.close()
            memory.unlink()
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    @staticmethod
    @cache
    def attached(name: str) -> Slot:
        """The slot of that name, in a worker; it stays open there for later jobs."""
        return Slot(SharedMemory(name))

    @property
    def _bytes(self) -> memoryview:
        assert self._memory.buf is not None  # it is open as long as the slot is used
        return self._memory.buf

    @property
    def name(self) -> str:
        """What :meth:`attached` finds it by."""
        return self._memory.name

    @property
    def pid(self) -> int:
        """The process that has begun the job; 0 before one has."""
        pid: int = _HEAD.unpack_from(self._bytes)[0]
        return pid

    @property
    def stage(self) -> str:
        """The stage that the job has reached; empty before the first one."""
        length = _HEAD.unpack_from(self._bytes)[1]
        return bytes(self._bytes[_HEAD.size : _HEAD.size + length]).decode("utf-8", "replace")

    def clear(self) -> None:
        """Make it ready for another job."""
        _HEAD.pack_into(self._bytes, 0, 0, 0)

    def begin(self) -> None:
        """Put down that this process has the job."""
        _HEAD.pack_into(self._bytes, 0, os.getpid(), 0)

    def enter(self, stage: str) -> None:
        """Put down which stage begins."""
        name = stage.encode("utf-8", "replace")[:_LONGEST_STAGE]
        self._bytes[_HEAD.size : _HEAD.size + len(name)] = name
        self._bytes[_HEAD.size - 1] = len(name)

    def pack(self, answer: object) -> Packed:
        """Pickle an answer, its arrays into this memory as far as there is room. Raises what pickling raises."""
        places: list[tuple[int, int]] = []
        at = _HEAD_BYTES

        def lay_down(buffer: pickle.PickleBuffer) -> bool:
            nonlocal at
            with buffer.raw() as raw:
                if at + raw.nbytes > self._memory.size:
                    return True  # into the pickle itself
                self._bytes[at : at + raw.nbytes] = raw
                places.append((at, raw.nbytes))
                at += raw.nbytes
            return False

        data = pickle.dumps(answer, protocol=5, buffer_callback=lay_down)
        return Packed(data, tuple(places))

    def unpack(self, packed: Packed) -> Any:
        """The answer, with arrays of its own: the slot may be used again at once."""
        buffers = [bytearray(self._bytes[at : at + length]) for at, length in packed.places]
        return pickle.loads(packed.data, buffers=buffers)  # noqa: S301 - deepscan's own worker wrote it

    def remove(self) -> None:
        """Give the memory back to the system."""
        self._memory.close()
        with contextlib.suppress(FileNotFoundError):
            self._memory.unlink()


def _is_backed(memory: SharedMemory) -> bool:
    """Reserve the memory: a page that the system cannot give when it is written to would kill the writer (SIGBUS)."""
    path = Path("/dev/shm") / memory.name  # noqa: S108 - where Linux keeps it; elsewhere it is reserved when made
    if not path.exists():
        return True
    try:
        handle = os.open(path, os.O_RDWR)
        try:
            os.posix_fallocate(handle, 0, memory.size)
        finally:
            os.close(handle)
    except OSError:
        return False
    return True
