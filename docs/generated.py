"""What the scripts of this folder that write documents have in common: they write them, or say which are stale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path


def write_or_check(documents: Mapping[Path, str], words: Sequence[str], script: str) -> int:
    """Write each document; with ``--check`` among the words of the command line write none.

    Returns the exit code: 1 when one that was to be checked is not what would be written.
    """
    stale = 0
    for path, text in documents.items():
        if "--check" not in words:
            path.write_text(text, encoding="utf-8")
            print(f"Wrote {path}")
        elif not path.is_file() or path.read_text(encoding="utf-8") != text:
            print(f"{path} is not what would be written: run python docs/{script}.")
            stale = 1
    return stale
