"""ExifTool as a second reader, where it is installed and asked for: its own process, held in time and output.

It is handed an open file as ``/dev/fd/N``, never a name: no name of a file can be taken for an option or a command, and
what is read is the file that was hashed. Its configuration files and Perl's variables are left out.
"""

from __future__ import annotations

import json
import os
import selectors
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from typing import BinaryIO

from deepscan.errors import LimitError, UnreadableError
from deepscan.text import clean
from deepscan.types import JSONValue

PROGRAM = "exiftool"
SECONDS = 20.0
"""Wall-clock seconds for one file. ExifTool takes 0.2 s for most."""

MAX_OUTPUT_BYTES = 8 * 1024**2
MAX_TAGS = 10_000


def read_with_exiftool(file: BinaryIO) -> Mapping[str, JSONValue]:
    """What ExifTool reads in an open file: "Group:Tag" -> value, numbers as numbers (``-n -G1 -fast``).

    Raises:
        UnreadableError: it is not installed, cannot be run, or does not answer with what it should.
        LimitError: it takes too long, or says too much.
    """
    program = shutil.which(PROGRAM)
    if program is None:
        raise UnreadableError("There is no program exiftool on the path.", "Install ExifTool, or leave out --exiftool.")
    number = file.fileno()
    # "-config" must come first; an empty name reads no configuration file, which may hold Perl code.
    argv = [program, "-config", "", "-json", "-n", "-G1", "-fast", "--", f"/dev/fd/{number}"]
    file.seek(0)
    try:
        process = subprocess.Popen(  # noqa: S603  a fixed argument list, no shell
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            pass_fds=(number,),
            env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"},
            start_new_session=True,
        )
    except OSError as e:
        raise UnreadableError(f"ExifTool cannot be started: {e.strerror or e}.") from e
    try:
        output = _output(process)
    finally:
        _end(process)
    return _parsed(output)


def _output(process: subprocess.Popen[bytes]) -> bytes:
    """All it writes, within the limits."""
    assert process.stdout is not None
    deadline = time.monotonic() + SECONDS
    parts: list[bytes] = []
    size = 0
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while True:
            left = deadline - time.monotonic()
            if left <= 0 or not selector.select(left):
                raise LimitError(f"ExifTool took more than {SECONDS:.0f} seconds, and was ended.")
            part = os.read(process.stdout.fileno(), 65536)
            if not part:
                return b"".join(parts)
            parts.append(part)
            size += len(part)
            if size > MAX_OUTPUT_BYTES:
                raise LimitError(f"ExifTool wrote more than {MAX_OUTPUT_BYTES:,} bytes, and was ended.")


def _end(process: subprocess.Popen[bytes]) -> None:
    """End it and what it started, if anything still runs, and close the pipe."""
    if process.poll() is None:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            process.kill()
    process.wait()
    assert process.stdout is not None
    process.stdout.close()


def _parsed(output: bytes) -> Mapping[str, JSONValue]:
    try:
        answer = json.loads(output.decode("utf-8", errors="replace"))
    except (ValueError, RecursionError) as e:
        raise UnreadableError("What ExifTool wrote is not JSON.") from e
    first = answer[0] if isinstance(answer, list) and answer else None
    if not isinstance(first, dict):
        raise UnreadableError("What ExifTool wrote is no list of files.")
    error = first.get("ExifTool:Error")
    if error is not None:
        raise UnreadableError(f'ExifTool says: "{clean(str(error), 120)}".')
    return dict(list(first.items())[:MAX_TAGS])
