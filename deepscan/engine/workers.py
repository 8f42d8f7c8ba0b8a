"""The worker's side of a pool: how a worker begins, and how it does one job.

This module is the first thing a worker imports, and imports nothing that computes: what :func:`prepare` sets in the
environment is read by NumPy and OpenCV when they are loaded, with the first job.
"""

from __future__ import annotations

import ctypes
import importlib
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

from deepscan.engine.slots import Packed, Slot
from deepscan.errors import DeepscanError
from deepscan.text import clean

Enter: TypeAlias = Callable[[str], None]
"""Told the name of each stage of the work when it begins."""

ORPHANED = 5.0
"""Seconds after its time limit at which a job ends its worker by itself: the parent, which should have, is gone."""

_ENVIRONMENT = {
    # One worker for each core: libraries that start a thread for each core as well only get in each other's way.
    **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OPENCV_FOR_THREADS_NUM"), "1"),
    "OPENCV_LOG_LEVEL": "SILENT",
    "OPENCV_FFMPEG_LOGLEVEL": "-8",
}


_KEPT_BYTES = 128 * 1024**2
"""Freed memory that a worker keeps: as much as a photograph of 12 megapixels takes."""

_LARGEST_BLOCK = 32 * 1024**2  # the most that glibc takes; larger blocks go back at once
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # of mallopt(3)


class WorkError(Exception):
    """An error of the work that may not survive the way to the parent: its type's name and what it said."""


def prepare(memory: int | None, module: str) -> None:
    """Start of a worker: Ctrl-C is the parent's to handle, and decoders' chatter is no answer.

    C libraries (libpng, libtiff, FFmpeg) print warnings straight to the error stream, with text out of hostile files
    in them. What went wrong comes back as a value instead.

    Args:
        memory: The most bytes of memory of its own the worker may have, heaps and stacks of threads together
            (RLIMIT_DATA; Linux holds a process to it, other systems may not). Code and shared memory do not count.
        module: What the work needs: it is imported here, so that it costs no job its time.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Pebble's own handler would wait for a decoder that holds the interpreter; nothing here needs tidying up.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    with Path(os.devnull).open("w") as nothing:
        os.dup2(nothing.fileno(), 2)
    if memory is not None and sys.platform != "win32":
        import resource

        _, most = resource.getrlimit(resource.RLIMIT_DATA)
        wanted = memory if most == resource.RLIM_INFINITY else min(memory, most)
        resource.setrlimit(resource.RLIMIT_DATA, (wanted, most))
    _keep_freed_memory()
    importlib.import_module(module)


def _keep_freed_memory() -> None:
    """Have the memory that one picture frees used for the next one, and not given back to the system in between.

    Each page that comes anew has to be emptied by the system first: 40 ms of the 600 that a photograph of 12 megapixels
    takes. Only glibc can be asked.
    """
    if sys.platform == "linux" and (mallopt := getattr(ctypes.CDLL(None), "mallopt", None)) is not None:
        mallopt(_MMAP_THRESHOLD, _LARGEST_BLOCK)
        mallopt(_TRIM_THRESHOLD, _KEPT_BYTES)


def warm() -> None:
    """A job that does nothing."""


def serve(work: Callable[[Any, Enter], Any], job: Any, name: str, seconds: float) -> Packed:
    """Do one job: ``work`` on ``job``, with the slot called ``name``.

    Raises:
        WorkError: the work raised something that is neither deepscan's nor built in. An error that cannot be made again
            out of its pickle would break the whole pool.
    """
    slot = Slot.attached(name)
    slot.begin()
    if sys.platform != "win32":  # nobody handles SIGALRM: it ends the process, whatever that is doing
        signal.setitimer(signal.ITIMER_REAL, seconds + ORPHANED)
    try:
        return slot.pack(work(job, slot.enter))
    except BaseException as e:
        if not _is_sendable(e):
            raise WorkError(f"{type(e).__name__}: {clean(str(e)) or 'no message'}") from None
        raise
    finally:
        if sys.platform != "win32":
            signal.setitimer(signal.ITIMER_REAL, 0)


def _is_sendable(error: BaseException) -> bool:
    """Deepscan's own errors pickle themselves; built-in ones do as long as they hold plain values."""
    plain = all(isinstance(argument, (str, int, float, bool, type(None))) for argument in error.args)
    built_in = type(error).__module__ == "builtins" and not isinstance(error, BaseExceptionGroup)
    return isinstance(error, DeepscanError) or (built_in and plain and not error.__dict__)
