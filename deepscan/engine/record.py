"""The record of a run: enough to repeat it."""

from __future__ import annotations

import platform
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from deepscan import __version__
from deepscan.checks.base import CheckSpec
from deepscan.config import ScanOptions, as_json
from deepscan.models import card as cards
from deepscan.models.packs import Pack
from deepscan.types import CheckInfo, RunInfo

LIBRARIES = (
    "torch",
    "transformers",
    "pillow",
    "pillow-heif",
    "opencv-python-headless",
    "exifread",
    "c2pa-python",
    "numpy",
    "scipy",
)
"""Libraries whose versions the run record names: they decode, read and score."""


def begin(
    options: ScanOptions,
    selected: Sequence[CheckSpec],
    pack: Pack | None,
    argv: Sequence[str],
    paths: Sequence[Path],
    before: RunInfo | None,
) -> RunInfo:
    """The record as far as it is known at the start; a scan answered from the case file alone loads no model, and its
    scores are those of the run ``before``.
    """
    scored = before if before is not None and pack is not None else None
    return RunInfo(
        tool="deepscan",
        version=__version__,
        started=now(),
        finished=None,
        argv=tuple(argv),
        options=as_json(options),
        checks=tuple(CheckInfo(s.id, s.title, s.family, s.version) for s in selected),
        model=cards.to_json(pack.card) if pack else None,
        device=scored.device if scored else None,
        precision=scored.precision if scored else None,
        libraries=_libraries(),
        host={
            "name": platform.node(),
            "system": platform.system(),
            "machine": platform.machine(),
            "python": sys.version.split()[0],
        },
        paths=tuple(map(str, paths)),
    )


def now() -> str:
    """The time in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _libraries() -> dict[str, str]:
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found
