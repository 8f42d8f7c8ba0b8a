"""One file in a worker: its checks, each on its own, and what their errors mean. The only place with a wide ``except``.

Whatever goes wrong with one check on one file becomes a reason in the result of that check.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import Any, TypeAlias, TypeVar, cast

from deepscan.checks import catalogue
from deepscan.checks.base import BatchCheck, Check, CheckSpec, NotApplicableError, Samples, Subject
from deepscan.checks.redaction import redact_results
from deepscan.config import ScanOptions
from deepscan.engine.carried import packed, unpacked
from deepscan.engine.executors import WorkerLost
from deepscan.engine.plan import not_applicable, plan
from deepscan.engine.stages import Loss, StageLostError, Stages
from deepscan.engine.subject import FileSubject
from deepscan.engine.workers import Enter, WorkError
from deepscan.errors import DeepscanError, MediaError, OutputError, UnreadableError
from deepscan.media.identify import sha256_of
from deepscan.models import face_packs
from deepscan.models.card import ModelCard
from deepscan.text import clean
from deepscan.types import CheckResult, MediaItem, Outcome

log = logging.getLogger(__name__)

T = TypeVar("T")

Stamp: TypeAlias = tuple[int, int, int, int]
"""Size in bytes, times of the last change of content and of anything in nanoseconds, and inode."""


@dataclass(frozen=True, slots=True)
class Task:
    """What a worker needs to know to examine one file with some of the checks; pickled.

    ``stamp`` is the file's when it was handed out: answers about a file that changed meanwhile would stand beside the
    hash of other bytes. ``lost`` are the stages that an earlier worker was lost in. ``moments`` are the times in
    seconds at which a film is looked at again; none for the first look, as the options say.
    """

    item: MediaItem
    checks: tuple[CheckSpec, ...]
    card: ModelCard | None
    options: ScanOptions
    output: Path | None
    stamp: Stamp | None
    lost: Mapping[str, Loss] = field(default_factory=dict)
    moments: tuple[float, ...] = ()

    def __reduce__(self) -> tuple[Callable[..., Task], tuple[object, ...]]:
        carried = packed(self.checks), packed(self.card), packed(self.options)
        return _task, (self.item, *carried, self.output, self.stamp, self.lost, self.moments)


def _task(item: MediaItem, checks: bytes, card: bytes, options: bytes, *rest: Any) -> Task:
    return Task(item, unpacked(checks), unpacked(card), unpacked(options), *rest)


@dataclass(frozen=True, slots=True, eq=False)
class Examined:
    """What a worker found: finished results, and for each batch check the samples it wants scored, with the seconds
    they took.

    ``passing`` are the checks that failed for a reason that another try may not meet.
    """

    results: tuple[CheckResult, ...]
    samples: Mapping[str, tuple[Samples, float]]
    passing: frozenset[str] = frozenset()


def examine(task: Task, enter: Enter) -> Examined:
    """Run the checks of a task on its file, each on its own: runs in a worker.

    Raises:
        OutputError: an exhibit cannot be written. That ends the scan: the disk is full for all files alike.
    """
    stages = Stages(enter, task.lost)
    finder = face_packs.finder(task.options.faces)
    subject = FileSubject(task.item, task.options, finder, task.output, stages, task.moments)
    results: list[CheckResult] = []
    samples: dict[str, tuple[Samples, float]] = {}
    passing = set()
    for check in catalogue.build(task.checks, catalogue.Kit(task.options, task.card)):
        started = time.perf_counter()
        answer = caught(_answer, check, subject, stages)
        seconds = round(time.perf_counter() - started, 4)
        if isinstance(answer, Samples):
            samples[check.spec.id] = (answer, seconds)
            continue
        if isinstance(answer, Exception):
            if not is_lasting(answer):
                passing.add(check.spec.id)
            answer = failure(check.spec, answer, task.item, stages.failed)
        results.append(replace(answer, seconds=seconds))
    if task.options.redact_location and any(result.findings for result in results):
        # The metadata check leaves places out by itself; here they go from what other checks quote.
        results = redact_results(subject, results)
    gone = _why_stale(task)
    if gone is not None:
        ids = frozenset(spec.id for spec in task.checks)
        return Examined(tuple(failure(spec, gone, task.item) for spec in task.checks), {}, ids)
    return Examined(tuple(results), samples, frozenset(passing))


def caught(action: Callable[..., T], *arguments: object) -> T | Exception:
    """What an action returns, or what it raised, as a value.

    Raises:
        OutputError: the one error that is no matter of a single file.
    """
    try:
        return action(*arguments)
    except OutputError:
        raise
    except Exception as e:
        return e
    except SystemExit as e:  # a check, or a library below it, that ends the program ends only itself
        return RuntimeError(f"it tried to end the program with {e.code}")


def planned(
    item: MediaItem, checks: Sequence[Check | BatchCheck]
) -> tuple[tuple[str, ...], tuple[CheckResult, ...], set[str]]:
    """What runs on a file, what is settled, and which of that failed: checks may raise where they are asked, too."""
    answer = caught(plan, item, checks)
    if not isinstance(answer, Exception):
        return *answer, set()
    if len(checks) == 1:
        spec = checks[0].spec
        return (), (failure(spec, answer, item),), {spec.id}
    wanted, settled, failed = zip(*(planned(item, [check]) for check in checks), strict=True)
    return tuple(chain(*wanted)), tuple(chain(*settled)), set().union(*failed)


def _answer(check: Check | BatchCheck, subject: Subject, stages: Stages) -> CheckResult | Samples:
    with stages.within(check.spec.id):
        # Not isinstance: what a protocol asks of a class takes 14 us, for each check of each file.
        samples: Callable[[Subject], Samples] | None = getattr(check, "samples", None)
        return storable(cast(Check, check).run(subject)) if samples is None else samples(subject)


def read_stamp(item: MediaItem) -> Stamp | None:
    """The file's stamp as it is now; None when it is gone, or is no longer of the size that was hashed."""
    try:
        now = item.path.stat()
    except OSError:
        return None
    stamp = (now.st_size, now.st_mtime_ns, now.st_ctime_ns, now.st_ino)
    return stamp if now.st_size == item.size else None


def _why_stale(task: Task) -> UnreadableError | None:
    """Why answers about the file do not stand beside its hash any more; None when they do."""
    if task.stamp is None or read_stamp(task.item) != task.stamp:
        return UnreadableError("The file changed or vanished while it was examined.")
    if not task.options.verify_unchanged:
        return None
    digest = caught(sha256_of, task.item.path)
    if isinstance(digest, Exception):
        return UnreadableError(f"Its SHA-256 could not be read a second time: {clean(str(digest))}.")
    if digest != task.item.sha256:
        return UnreadableError(f"The file changed while it was examined: its SHA-256 is now {digest}.")
    return None


def is_lasting(error: Exception) -> bool:
    """Whether the same bytes would fail the same way again, so that the failure may be answered from the case file.

    A file that breaks its format does; a disk that cannot be read, a lack of memory, a lost worker or a fault of
    deepscan's own may not.
    """
    if isinstance(error, StageLostError) or is_out_of_memory(error):
        return False
    cause = error.__cause__
    unlucky = isinstance(cause, OSError) and cause.errno is not None
    return isinstance(error, NotApplicableError) or (isinstance(error, MediaError) and not unlucky)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error, or the one it was made of, is a refused allocation. OpenCV only says so in words."""
    chain = [error, *([error.__cause__] if error.__cause__ is not None else [])]
    return any(isinstance(e, MemoryError) or "Insufficient memory" in str(e) for e in chain)


def storable(result: CheckResult) -> CheckResult:
    """The result, if every value in it can be written down: a check may come from another package. Raises TypeError."""
    for finding in result.findings:
        for evidence in finding.evidence:
            json.dumps(evidence.value, allow_nan=False)
    return result


def failure(spec: CheckSpec, error: Exception, item: MediaItem, stage: str = "") -> CheckResult:
    """The result of a check that raised: ``not_applicable`` when it said so, else ``failed`` with a sentence.

    ``stage`` is where it was raised.
    """
    outcome = Outcome.FAILED
    match error:
        case NotApplicableError():
            return not_applicable(spec, str(error), error.partial)
        case WorkerLost(timed_out=timed_out) | StageLostError(timed_out=timed_out):
            outcome = Outcome.TIMED_OUT if timed_out else outcome
            reason = str(error)
        case _ if is_out_of_memory(error):
            reason = f"It ran out of memory in {stage or spec.id}."
        case DeepscanError():
            reason = error.message
        case WorkError():
            reason = f"Unexpected {error}."
        case _:
            # A fault of deepscan or of a library, not of the file alone: the log has the trace.
            log.debug("%s failed on %s", spec.id, clean(str(item.name)), exc_info=error)
            reason = f"Unexpected {type(error).__name__}: {clean(str(error)) or 'no message'}."
    return CheckResult(spec.id, spec.version, outcome, reason=reason)


def failures(specs: Sequence[CheckSpec], error: Exception, item: MediaItem) -> Examined:
    """What is left of a task when an error ended the rest of it."""
    passing = frozenset() if is_lasting(error) else frozenset(spec.id for spec in specs)
    return Examined(tuple(failure(spec, error, item) for spec in specs), {}, passing)
