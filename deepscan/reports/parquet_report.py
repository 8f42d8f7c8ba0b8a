"""The report as Parquet tables, for data frames and databases: a row per file, and a row per face, frame or page.

They hold text exactly, escaped as in ``report.json``; the closing record, with that of the run, is in the metadata of
the first table under ``deepscan``. Rows are written in groups, so that memory does not grow with them. Needs the extra
``parquet``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any, BinaryIO, TypeAlias

from deepscan.errors import UsageError
from deepscan.reports.chain import closing
from deepscan.reports.schema import escape, item_to_json
from deepscan.types import Document, Skipped

if TYPE_CHECKING:
    import pyarrow

FILES, PARTS = "report.parquet", "report.parts.parquet"

GROUP = 1_000
"""Rows written at a time."""

Row: TypeAlias = dict[str, Any]


class ParquetReport:
    """``report.parquet``, a row per file, and ``report.parts.parquet``, a row per face, frame or page."""

    id: str = "parquet"
    title: str = "Parquet: tables for data frames and databases"
    names: tuple[str, ...] = (FILES, PARTS)

    def render_bytes(self, report: Document, name: str, stream: BinaryIO) -> None:
        """Write one of the two tables.

        Raises:
            ValueError: the report has no such file.
            UsageError: the extra ``parquet`` is not installed.
        """
        if name not in self.names:
            raise ValueError(f"the Parquet report has no file {name!r}")
        try:
            import pyarrow
            from pyarrow import parquet
        except ImportError as e:
            raise UsageError(
                "Parquet needs the library pyarrow, which is not installed.", "pip install 'deepscan[parquet]'"
            ) from e
        schema, rows = (
            (_files_schema(pyarrow), _files(report)) if name == FILES else (_parts_schema(pyarrow), _parts(report))
        )
        if name == FILES:
            schema = schema.with_metadata({"deepscan": closing(report)})
        with parquet.ParquetWriter(stream, schema, compression="zstd") as writer:
            for group in _groups(rows):
                writer.write_table(pyarrow.Table.from_pylist(group, schema=schema))


def _groups(rows: Iterable[Row]) -> Iterator[list[Row]]:
    left = iter(rows)
    while group := list(islice(left, GROUP)):
        yield group


def _files_schema(pa: Any) -> pyarrow.Schema:
    text, number = pa.string(), pa.float64()
    finding = {"check": text, "code": text, "level": text, "points_to": text, "summary": text}
    check = {"check": text, "version": text, "outcome": text, "reason": text, "partial": text, "seconds": number}
    return pa.schema(
        {
            **dict.fromkeys(("path", "root", "status", "kind", "container"), text),
            "size": pa.int64(),
            **dict.fromkeys(("sha256", "call", "points_to", "basis"), text),
            "score": number,
            "threshold": number,
            "because": pa.list_(text),
            "findings": pa.list_(pa.struct(finding)),
            "checks": pa.list_(pa.struct(check)),
            "code": text,
            "reason": text,
        }
    )


def _parts_schema(pa: Any) -> pyarrow.Schema:
    text, number, whole = pa.string(), pa.float64(), pa.int64()
    return pa.schema(
        {
            **dict.fromkeys(("path", "root", "sha256", "check", "kind"), text),
            "frame": whole,
            "seconds": number,
            **dict.fromkeys(("x", "y", "width", "height", "track"), whole),
            "score": number,
            "meaning": text,
            "reason": text,
        }
    )


def _files(report: Document) -> Iterator[Row]:
    for item in report.items:
        entry: Any = item_to_json(item)
        about = entry["item"]
        verdict = {name: entry["verdict"][name] for name in _VERDICT}
        findings = [{"check": r["check"], **f} for r in entry["results"] for f in r["findings"]]
        yield {
            **about,
            "path": about["name"],
            "status": "examined",
            **verdict,
            "findings": findings,
            "checks": entry["results"],
        }
    for skipped in report.skipped:
        yield _left_out(skipped)


_VERDICT = ("call", "points_to", "basis", "score", "threshold", "because")


def _left_out(skipped: Skipped) -> Row:
    reason = escape(skipped.reason)
    return {"path": escape(skipped.path.as_posix()), "status": "skipped", "code": str(skipped.code), "reason": reason}


def _parts(report: Document) -> Iterator[Row]:
    for item in report.items:
        if any(result.parts for result in item.results):
            entry: Any = item_to_json(item)
            for result in entry["results"]:
                for part in result["parts"]:
                    yield _part(entry["item"], result["check"], part)


def _part(about: Row, check: str, part: Row) -> Row:
    where, score = part["where"], part["score"] or {}
    return {
        "path": about["name"],
        "root": about["root"],
        "sha256": about["sha256"],
        "check": check,
        **part,
        "frame": where["frame"],
        "seconds": where["seconds"],
        **(where["box"] or {}),
        "score": score.get("value"),
        "meaning": score.get("meaning"),
    }
