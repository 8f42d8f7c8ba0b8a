"""One question about a report: is it, and is its evidence, what it was?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from deepscan.custody.faults import Fault, Kind
from deepscan.custody.integrity import check_report
from deepscan.custody.seals import SEAL, SIGNATURE, check_seal, named
from deepscan.errors import InputError
from deepscan.text import clean


def check(source: Path, key: Path | None = None, *, stamped: bool = False) -> Iterator[Fault]:
    """Everything about a report that is not what it was; nothing when all of it is.

    Args:
        source: An output folder or its ``report.seal.json``, a ``report.json`` or ``report.jsonl``, or another report
            beside its seal.
        key: The public key that must have signed the seal.
        stamped: Whether the seal's time stamp is to speak for ``source``, which the seal must name then. The stamp
            itself is checked by :mod:`deepscan.custody.timestamps`.

    Raises:
        DeepscanError: it cannot be told: there is no seal, no signature, or a file cannot be read.
    """
    folder = source if source.is_dir() else source.parent
    if key is not None:
        yield from _check_signature(folder, key)
    if source.is_dir() or source.name == SEAL:
        yield from check_seal(folder)
        return
    carries_its_own = source.suffix.lower() in (".json", ".jsonl")
    if carries_its_own:
        yield from check_report(source)
    if key is not None or stamped or not carries_its_own:
        yield from _check_named(source, folder)


def _check_signature(folder: Path, key: Path) -> Iterator[Fault]:
    from deepscan.custody import signing

    if not signing.holds(folder, signing.public_key(key)):
        why = f"the key {clean(str(key))} has not signed {SEAL} as it is now"
        yield Fault(Kind.CHANGED, SIGNATURE, why)


def _check_named(source: Path, folder: Path) -> Iterator[Fault]:
    """What the seal of its folder says of one file."""
    if PurePosixPath(source.name) not in {name for name, _, _ in named(folder)}:
        raise InputError(
            f"The seal beside it does not name {clean(source.name)}.", "Give the folder, to check all that is sealed."
        )
    yield from (fault for fault in check_seal(folder) if fault.what == clean(source.name))
