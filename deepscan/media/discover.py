"""From the paths of the command line to the files in them: sorted, each once, with a reason for every one left out.

Names are hostile: they may hold newlines, escape codes, or bytes that are no UTF-8. They travel unchanged as paths
(surrogateescape), and what is quoted of them in a reason is cleaned.
"""

from __future__ import annotations

import fnmatch
import functools
import os
import re
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from deepscan.config import ScanOptions
from deepscan.errors import InputError
from deepscan.text import clean
from deepscan.types import SkipCode, Skipped


@dataclass(frozen=True, slots=True)
class Candidate:
    """A file that was found and not opened yet. ``name`` is relative to ``root`` and is what reports print."""

    root: Path
    name: PurePosixPath

    @property
    def path(self) -> Path:
        """Where the file lies."""
        return self.root / self.name


def read_list(data: bytes) -> tuple[Path, ...]:
    """The paths of a list such as ``find -print0`` writes to standard input.

    Names are separated by NUL when the list holds one, else by newlines; empty entries are ignored. Bytes that are no
    UTF-8 are kept (``os.fsdecode``).
    """
    # A list written on Windows ends its lines with a carriage return too.
    names = data.split(b"\0") if b"\0" in data else (name.removesuffix(b"\r") for name in data.split(b"\n"))
    return tuple(Path(os.fsdecode(name)) for name in names if name)


def walk(paths: Sequence[Path], options: ScanOptions, *, listed: Sequence[Path] = ()) -> Iterator[Candidate | Skipped]:
    """Find the files to examine.

    Folders are walked in the order of their entries' names (as bytes), a folder's content in its own place; each is
    listed when it is reached, so memory holds one listing for each level of depth. Nothing is opened. Every entry gives
    one Candidate or one Skipped, except that a folder left out gives one for all it holds, and that a file reached by
    two of ``paths`` is given once.

    A file or folder that ``paths`` names is wanted, hidden or linked or not; the globs and the refusal of special files
    hold for it too. Where links are followed (``options.follow_symlinks``), one to a folder that was entered already is
    left out: links can neither lead in a circle nor multiply a tree.

    ``listed`` are more paths, from a list that may be older than what it describes: those that are gone or cannot be
    read are Skipped.

    Raises:
        InputError: one of ``paths`` does not exist, or is a folder that cannot be listed. Raised by the call itself,
            before anything is found.
    """
    arguments: list[_Argument | Skipped] = [_examine(path) for path in paths]
    return _Walk([*arguments, *(_examine_listed(path) for path in listed)], options).run()


def reason_of(error: OSError | ValueError) -> str:
    """Why the system refused, as the end of a sentence: ``"permission denied"``."""
    text = (error.strerror or "") if isinstance(error, OSError) else str(error)
    return clean(text[:1].lower() + text[1:]) or "the system gives no reason"


@dataclass(frozen=True, slots=True)
class _Argument:
    path: Path
    mode: int
    key: str


def _examine(path: Path) -> _Argument:
    shown = clean(str(path))
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            os.scandir(path).close()
        return _Argument(path, mode, _key(path, is_folder=stat.S_ISDIR(mode)))
    except FileNotFoundError as e:
        if path.is_symlink():
            raise InputError(f"{shown} is a link to something that is not there.", "Mend or remove the link.") from e
        raise InputError(f"There is no file or folder {shown}.", "Check the spelling and the working folder.") from e
    except PermissionError as e:
        raise InputError(
            f"{shown} cannot be read: permission denied.", "Change its permissions or leave it out."
        ) from e
    except (OSError, ValueError) as e:  # ValueError: a NUL in the name
        raise InputError(f"{shown} cannot be read: {reason_of(e)}.", "Check the path and the file system.") from e


def _examine_listed(path: Path) -> _Argument | Skipped:
    try:
        return _examine(path)
    except InputError as e:
        gone = isinstance(e.__cause__, FileNotFoundError)
        return Skipped(path, SkipCode.VANISHED if gone else SkipCode.UNREADABLE, e.message)


def _key(path: Path, *, is_folder: bool) -> str:
    """What tells files of different arguments apart: the absolute name.

    Links are not resolved, except before a ``..``: without that, ``link/../a`` and ``a`` would look the same.
    """
    whole = path.absolute()
    if ".." not in whole.parts:
        return str(whole)
    return str(whole.resolve() if is_folder else whole.parent.resolve() / whole.name)


_FolderId = tuple[int, int]
"""Device and inode."""


@dataclass(slots=True)
class _Level:
    """A folder that is being walked: the start of its entries' names, and the entries still to come."""

    prefix: str
    entries: Iterator[os.DirEntry[str]]
    folder: _FolderId | None


class _Walk:
    """One walk: what it may enter, and what it has seen.

    Names given are remembered only where arguments can overlap, folders entered only where links are followed: a plain
    walk of one folder keeps nothing.
    """

    def __init__(self, arguments: Sequence[_Argument | Skipped], options: ScanOptions) -> None:
        self._arguments = arguments
        self._options = options
        self._overlap = len(arguments) > 1
        self._named = frozenset(argument.key for argument in arguments if isinstance(argument, _Argument))
        self._given: set[str] = set()
        self._entered: set[_FolderId] = set()
        self._include = tuple((pattern, _glob(pattern)) for pattern in options.include)
        self._exclude = tuple((pattern, _glob(pattern)) for pattern in options.exclude)

    def run(self) -> Iterator[Candidate | Skipped]:
        for argument in self._arguments:
            if isinstance(argument, Skipped):
                yield argument
            elif stat.S_ISDIR(argument.mode):
                yield from self._folder(argument)
            elif self._is_new(argument.key):
                yield self._file(argument)

    def _is_new(self, key: str) -> bool:
        if key in self._given:
            return False
        if self._overlap:
            self._given.add(key)
        return True

    def _file(self, argument: _Argument) -> Candidate | Skipped:
        path = argument.path
        reason = self._left_out(path.name, path.name)
        if reason:
            return Skipped(path, SkipCode.EXCLUDED, reason)
        if not stat.S_ISREG(argument.mode):
            return Skipped(path, SkipCode.SPECIAL, special(argument.mode))
        return Candidate(path.parent, PurePosixPath(path.name))

    def _folder(self, argument: _Argument) -> Iterator[Candidate | Skipped]:
        root, base = argument.path, argument.key.rstrip("/")
        levels: list[_Level] = []
        refused = self._enter(root, "", levels)
        if refused:
            yield refused
        while levels:
            level = levels[-1]
            entry = next(level.entries, None)
            if entry is None:
                levels.pop()
                continue
            name = level.prefix + entry.name
            found = self._visit(entry, root, name, levels)
            if found is None:
                continue
            key = f"{base}/{name}" if self._overlap else ""
            # What is named as an argument too is answered there, and not left out here.
            if self._overlap and ((isinstance(found, Skipped) and key in self._named) or not self._is_new(key)):
                continue
            yield found

    def _visit(
        self, entry: os.DirEntry[str], root: Path, name: str, levels: list[_Level]
    ) -> Candidate | Skipped | None:
        """Answer one entry of a folder; a folder to be walked becomes a new level, and None is returned."""
        try:
            is_link = entry.is_symlink()
            mode = entry.stat().st_mode if is_link else 0
            is_folder = stat.S_ISDIR(mode) if is_link else entry.is_dir(follow_symlinks=False)
            is_file = stat.S_ISREG(mode) if is_link else not is_folder and entry.is_file(follow_symlinks=False)
            if not (is_folder or is_file):
                mode = entry.stat().st_mode
        except OSError as e:
            return self._broken(root / name, name, e)
        reason = self._left_out(entry.name, name, is_folder=is_folder)
        if reason:
            return Skipped(root / name, SkipCode.EXCLUDED, reason)
        if entry.name.startswith(".") and not self._options.hidden:
            what = "A hidden folder" if is_folder else "A hidden file"
            reason = f"{what}: its name begins with a dot, and --hidden was not given."
            return Skipped(root / name, SkipCode.HIDDEN, reason)
        if is_folder and is_link and not self._options.follow_symlinks:
            reason = "A link to a folder, and --follow-symlinks was not given."
            return Skipped(root / name, SkipCode.SYMLINK, reason)
        if is_folder:
            return self._enter(root / name, name + "/", levels, is_link=is_link)
        if not is_file:
            return Skipped(root / name, SkipCode.SPECIAL, special(mode))
        return Candidate(root, PurePosixPath(name))

    def _broken(self, path: Path, name: str, error: OSError) -> Skipped:
        """An entry whose kind cannot be told: most often a link to nothing."""
        reason = self._left_out(path.name, name)
        if reason:
            return Skipped(path, SkipCode.EXCLUDED, reason)
        if not isinstance(error, FileNotFoundError):
            return Skipped(path, SkipCode.UNREADABLE, f"The system cannot say what it is: {reason_of(error)}.")
        is_link = path.is_symlink()
        reason = "A link to something that is not there." if is_link else "It was gone before it could be read."
        return Skipped(path, SkipCode.VANISHED, reason)

    def _enter(self, path: Path, prefix: str, levels: list[_Level], *, is_link: bool = False) -> Skipped | None:
        """Open a level for a folder, or say why it is not walked."""
        try:
            folder = None
            if self._options.follow_symlinks:
                status = path.stat()
                folder = (status.st_dev, status.st_ino)
                if any(level.folder == folder for level in levels):
                    return Skipped(path, SkipCode.SYMLINK, "It leads back, through a link, to a folder it lies in.")
                if is_link and folder in self._entered:
                    return Skipped(path, SkipCode.SYMLINK, "A link to a folder that was walked already.")
                self._entered.add(folder)
            with os.scandir(path) as listing:
                entries = sorted(listing, key=lambda entry: os.fsencode(entry.name))
        except FileNotFoundError:
            return Skipped(path, SkipCode.VANISHED, "The folder was gone before it could be listed.")
        except OSError as e:
            return Skipped(path, SkipCode.UNREADABLE, f"The folder cannot be listed: {reason_of(e)}.")
        levels.append(_Level(prefix, iter(entries), folder))
        return None

    def _left_out(self, bare: str, name: str, *, is_folder: bool = False) -> str | None:
        """The reason the globs give to leave an entry out: patterns see its bare name and its path below the root."""
        for pattern, expression in self._exclude:
            if expression.fullmatch(bare) or expression.fullmatch(name):
                return f"It matches --exclude {clean(pattern)}."
        if is_folder or not self._include:
            return None
        if any(expression.fullmatch(bare) or expression.fullmatch(name) for _, expression in self._include):
            return None
        return "It matches no --include pattern."


_SPECIAL = (
    (stat.S_ISFIFO, "A named pipe"),
    (stat.S_ISSOCK, "A socket"),
    (stat.S_ISCHR, "A character device"),
    (stat.S_ISBLK, "A block device"),
    (stat.S_ISDIR, "A folder"),
)


def special(mode: int) -> str:
    """The reason for leaving out what is no regular file; ``mode`` is its ``st_mode``."""
    what = next((name for test, name in _SPECIAL if test(mode)), "A special file")
    return f"{what}, not a regular file: it is not opened."


@functools.cache
def _glob(pattern: str) -> re.Pattern[str]:
    """A glob as an expression for ``fullmatch``: ``*`` and ``?`` stay within a name, ``**`` crosses folders.

    Case counts. ``**/`` also matches nothing, and ``/**`` at the end also the folder itself, so that a folder left out
    with all it holds is not entered. A slash at either end is ignored.
    """
    pattern = pattern.removeprefix("./").strip("/")
    out, at = [], 0
    while at < len(pattern):
        token, at = _token(pattern, at)
        out.append(token)
    return re.compile("".join(out), re.DOTALL)


_GROUP = re.compile(r"\[!?\]?[^\]]*\]")


def _token(pattern: str, at: int) -> tuple[str, int]:
    """The expression for the part of a glob that begins at ``at``, and where that part ends."""
    if pattern.startswith("**/", at) and (at == 0 or pattern[at - 1] == "/"):
        return "(?:.*/)?", at + 3
    if pattern[at:] == "/**":
        return "(?:/.*)?", len(pattern)
    if pattern.startswith("**", at):
        return ".*", at + 2
    if pattern[at] == "*":
        return "[^/]*", at + 1
    if pattern[at] == "?":
        return "[^/]", at + 1
    group = _GROUP.match(pattern, at)
    if group:
        return "(?!/)" + fnmatch.translate(group[0])[len("(?s:") : -len(r")\Z")], group.end()
    return re.escape(pattern[at]), at + 1
