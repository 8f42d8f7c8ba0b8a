"""What runs on a file, and what does not apply to it and why."""

from __future__ import annotations

from collections.abc import Sequence

from deepscan.checks.base import BatchCheck, Check, CheckSpec
from deepscan.types import CheckResult, MediaItem, Outcome


def plan(item: MediaItem, checks: Sequence[Check | BatchCheck]) -> tuple[tuple[str, ...], tuple[CheckResult, ...]]:
    """Ask every check whether it applies.

    Returns:
        The ids of the checks to run, and finished ``not_applicable`` results of the others.
    """
    run: list[str] = []
    settled: list[CheckResult] = []
    for check in checks:
        reason = _why_not(check, item)
        if reason is None:
            run.append(check.spec.id)
        else:
            settled.append(not_applicable(check.spec, reason))
    return tuple(run), tuple(settled)


def not_applicable(spec: CheckSpec, reason: str, partial: str | None = None) -> CheckResult:
    """The result of a check that has nothing to say about a file, or about the part of it that could be read."""
    return CheckResult(spec.id, spec.version, Outcome.NOT_APPLICABLE, reason=reason, partial=partial)


def _why_not(check: Check | BatchCheck, item: MediaItem) -> str | None:
    if item.kind not in check.spec.kinds:
        kinds = " and ".join(sorted(f"{kind}s" for kind in check.spec.kinds))
        return f"This check looks at {kinds} only."
    return check.why_not(item)
