"""Which files a git working tree has changed since a commit."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from deepscan.errors import UsageError
from deepscan.text import clean

_SECONDS = 120.0


def changed_since(ref: str, paths: Sequence[Path]) -> frozenset[Path]:
    """The files under ``paths`` that differ from where ``ref`` and HEAD parted, committed or not, with new ones.

    Absolute, with links in folders resolved. Files that git ignores are not among them; deleted ones are.

    Raises:
        UsageError: git is not installed, there is no repository, or no such commit in it.
    """
    found: set[Path] = set()
    for folder in dict.fromkeys(_folder(path) for path in paths):
        top = Path(os.fsdecode(_git(folder, "rev-parse", "--show-toplevel").rstrip(b"\n")))
        commit = _git(folder, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}", ref=ref)
        base = _git(folder, "merge-base", commit.decode().strip(), "HEAD", ref=ref).decode().strip()
        names = _git(top, "diff", "--name-only", "-z", "--no-renames", base, "--")
        names += _git(top, "ls-files", "--others", "--exclude-standard", "-z")
        found.update(top / os.fsdecode(name) for name in names.split(b"\0") if name)
    return frozenset(path.parent.resolve() / path.name for path in found)


def _folder(path: Path) -> Path:
    return path if path.is_dir() else path.parent


def _git(folder: Path, *words: str, ref: str | None = None) -> bytes:
    # The names of a hostile repository are data; its hooks and file-system monitors are not to be run.
    command = ["git", "-C", str(folder), "-c", "core.fsmonitor=false", *words]
    try:
        done = subprocess.run(command, capture_output=True, timeout=_SECONDS, check=False)  # noqa: S603 - no shell
    except FileNotFoundError as e:
        raise UsageError("git is not installed, and --changed-since asks it.", "Install git.") from e
    except subprocess.TimeoutExpired as e:
        raise UsageError(f"git did not answer within {_SECONDS:.0f} seconds.", "Scan without --changed-since.") from e
    if done.returncode == 0:
        return done.stdout
    if ref is not None:
        hint = "Fetch it first: a shallow clone holds few commits (in GitHub Actions: fetch-depth: 0)."
        raise UsageError(f"There is no commit {clean(ref)!r} to compare with in {clean(str(folder))}.", hint)
    said = clean(done.stderr.decode("utf-8", "replace").strip()) or f"git ended with {done.returncode}"
    raise UsageError(f"git cannot tell what has changed in {clean(str(folder))}: {said}.", "Scan inside a repository.")
