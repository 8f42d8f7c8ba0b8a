"""Answers as a case file keeps them: the JSON of an entry of ``items``, of which often only a part has to be read.

What belongs to a file and what its verdict is stand at the two ends of the text. They are read without what lies
between them, which is nine tenths of it, as long as nobody asks for that.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from deepscan.engine.casefile_errors import damaged
from deepscan.errors import ReportError
from deepscan.reports.schema import (
    SCHEMA_VERSION,
    file_from_json,
    file_to_json,
    item_from_json,
    parse,
    parse_at,
    skipped_from_json,
    verdict_from_json,
)
from deepscan.reports.upgrades import films_added, upgraded
from deepscan.types import CheckResult, Deferred, ItemReport, JSONValue, MediaItem, Outcome, Skipped

T = TypeVar("T")

# Laid out otherwise, by another program, a text is read as a whole.
_FILE, _RESULTS, _VERDICT = '{"item":{', ',"results":[', ',"verdict":{'
_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
_FAILED, _TIMED_OUT = f'"{Outcome.FAILED}"', f'"{Outcome.TIMED_OUT}"'


def dump(document: JSONValue) -> str:
    """A document of the schema as the text that is stored."""
    return _ENCODER.encode(document)


def beginning(item: MediaItem) -> str:
    """What the text of an answer about just this file begins with, up to the results."""
    return dump(file_to_json(item)).removesuffix("}") + _RESULTS


def as_now(schema: str, part: str, document: Any) -> Any:
    """One entry of ``items``, or the ``run``, of a report of that schema in the shape that it has now."""
    if schema == SCHEMA_VERSION:
        return document
    whole: Any = {"run": None, "items": [], part: [document] if part == "items" else document}
    found: Any = upgraded(whole, schema)[part]  # type: ignore[index, call-overload]
    return found[0] if part == "items" else found


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads what one case file holds; ``shown`` is what it is called where that is damaged.

    All methods raise CaseFileError for what is not text, no JSON, or not of the schema.
    """

    shown: str

    def item(self, text: object, schema: str = SCHEMA_VERSION) -> ItemReport:
        """A whole answer, stored by a run of that schema."""
        return self.read(text, lambda document: item_from_json(as_now(schema, "items", document)))

    def item_in_parts(self, text: object) -> ItemReport:
        """An answer of this schema, its results read when they are first looked at: damage there is told then."""
        at = text.rfind(_VERDICT) if isinstance(text, str) else -1
        if not isinstance(text, str) or at < 0 or not text.startswith(_FILE):
            return self.item(text)
        verdict = self._part(text, at + len(_VERDICT) - 1, verdict_from_json)
        results = Deferred(partial(self._results, text), complete=_is_complete(text))
        return ItemReport(self.file(text), results, verdict)

    def file(self, text: object) -> MediaItem:
        """The file that an answer of this schema is about."""
        if isinstance(text, str) and text.startswith(_FILE):
            return self._part(text, len(_FILE) - 1, lambda file: file_from_json({"item": file}))
        return self.item(text).item

    def skipped(self, text: object) -> Skipped:
        """A file that was left out."""
        return self.read(text, skipped_from_json)

    def keys(self, text: object) -> Mapping[str, str]:
        """The keys of an answer."""
        return self.read(text, _keys)

    def read(self, text: object, read: Callable[[JSONValue], T]) -> T:
        """The value that a stored document makes."""
        if not isinstance(text, str):
            raise damaged(self.shown, "an answer is missing")
        return self._guarded(lambda: read(parse(text)))

    def _results(self, text: str) -> tuple[Sequence[CheckResult], Sequence[object]]:
        return self.read(text, _results_of)

    def _part(self, text: str, at: int, read: Callable[[JSONValue], T]) -> T:
        return self._guarded(lambda: read(parse_at(text, at)))

    def _guarded(self, action: Callable[[], T]) -> T:
        try:
            return action()
        except ReportError as e:
            raise damaged(self.shown, e.message) from e
        except ValueError as e:
            raise damaged(self.shown, str(e)) from e


def _results_of(document: Any) -> tuple[Sequence[CheckResult], Sequence[object]]:
    results = item_from_json(document).results
    return results, films_added(document)["results"]


def _is_complete(text: str) -> bool:
    """Whether a glance shows that no check failed, timed out or saw only a part: :attr:`ItemReport.incomplete`."""
    return not (_FAILED in text or _TIMED_OUT in text) and text.count('"partial"') == text.count('"partial":null')


def _keys(document: JSONValue) -> dict[str, str]:
    """The keys of an answer. Raises ValueError for anything else."""
    if not isinstance(document, dict):
        raise ValueError("the keys of an answer are no object")
    return {str(check): str(key) for check, key in document.items()}
