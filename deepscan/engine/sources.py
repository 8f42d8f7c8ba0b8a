"""From paths to files that are to be examined: found, identified and hashed ahead of the work on them.

Nothing is held: the files are found once to be counted, and once more as they are worked on.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from deepscan.config import ScanOptions
from deepscan.engine.ahead import ahead
from deepscan.engine.casefile import CaseFile
from deepscan.engine.events import Events
from deepscan.errors import NothingToScanError
from deepscan.media.discover import Candidate, walk
from deepscan.media.identify import identify, refusal
from deepscan.text import clean
from deepscan.types import MediaItem, Skipped

AHEAD = 64
"""Files that are identified before they are needed."""

_EVERY = 500  # files between two reports on discovery


@dataclass(frozen=True, slots=True)
class Found:
    """A file in its place in the order of discovery, and when it was last changed (in nanoseconds, if known).

    One that is ``trusted`` was not read: it is what the case file says of a file that was last changed then.
    """

    position: int
    entry: MediaItem | Skipped
    modified: int | None = None
    trusted: bool = False


@dataclass(frozen=True, slots=True)
class Source:
    """What is to be scanned."""

    paths: Sequence[Path]
    listed: Sequence[Path]
    options: ScanOptions

    def count(self, events: Events) -> int:
        """Find everything once.

        Raises:
            InputError: a path does not exist.
            NothingToScanError: there is nothing.
        """
        count = 0
        for _ in walk(self.paths, self.options, listed=self.listed):
            count += 1
            if count % _EVERY == 0:
                events.discovered(count, complete=False)
        if not count:
            shown = ", ".join(clean(str(path)) for path in self.paths) or "the list"
            raise NothingToScanError(f"There are no files in {shown}.", "Name a folder or a file that holds media.")
        events.discovered(count, complete=True)
        return count

    def files(self, case: Path | None) -> Generator[Found]:
        """Find everything again and identify it, in a thread. With ``trust_mtime``, what ``case`` knows is not read."""
        return ahead(self._identified(case if self.options.trust_mtime else None), AHEAD)

    def _identified(self, case: Path | None) -> Iterator[Found]:
        with ExitStack() as stack:
            # A connection of this thread's own: SQLite's may not be shared.
            known = stack.enter_context(CaseFile.open(case, read_only=True)) if case is not None else None
            # All were there when they were counted: one that is gone now is skipped, and ends no scan.
            for position, entry in enumerate(walk((), self.options, listed=(*self.paths, *self.listed))):
                if isinstance(entry, Skipped):
                    yield Found(position, entry)
                    continue
                status = _status(entry)
                trusted = self._trusted(known, entry, status) if known is not None and status is not None else None
                modified = status.st_mtime_ns if status is not None else None
                yield Found(position, trusted or identify(entry, self.options), modified, trusted is not None)

    def _trusted(self, known: CaseFile, entry: Candidate, status: os.stat_result) -> MediaItem | Skipped | None:
        item = known.same_place(entry.root, str(entry.name), status.st_mtime_ns)
        if item is None or status.st_size != item.size:
            return None
        return refusal(entry, item.container, item.size, self.options) or item


def _status(entry: Candidate) -> os.stat_result | None:
    """Taken before the file is read: of one that changes meanwhile it is too old, and the file is read next time."""
    try:
        return entry.path.stat()
    except (OSError, ValueError):
        return None
