"""The options that a report records, so that its scan can be done again."""

from __future__ import annotations

from dataclasses import fields

from deepscan.config import ScanOptions, with_settings
from deepscan.errors import ReportError
from deepscan.text import clean
from deepscan.types import RunInfo

STANDING = frozenset({"offline", "fetch_remote", "style", "fail_on"})
"""Options of which a replay keeps its own: none of them may make a report reach out to the network unasked."""


def recorded_options(run: RunInfo) -> ScanOptions:
    """The options of a run.

    Raises:
        ReportError: an option is recorded that this deepscan does not know.
        ConfigError: an option has a value that this deepscan does not allow.
    """
    names = {f.name for f in fields(ScanOptions)}
    unknown = sorted(run.options.keys() - names)
    if unknown:
        raise ReportError(
            f"The report was made with the option {clean(unknown[0])!r}, which this deepscan does not have.",
            f"Replay it with deepscan {clean(run.version)}.",
        )
    return with_settings(ScanOptions(), {k: v for k, v in run.options.items() if k not in STANDING and v is not None})


def recorded_pack(run: RunInfo) -> str | None:
    """The SHA-256 of the weights that a run scored with; None when it used no model."""
    return None if run.model is None else str(run.model.get("weights_sha256"))
