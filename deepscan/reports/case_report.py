"""The report as CASE/UCO JSON-LD, for exchange with other forensic tools.

The scan is an investigative action with deepscan as its instrument; every file is an observable object with its hash,
and every verdict an analytic result that is related to its file. The classes are those of CASE 1.4 / UCO 1.4
(https://caseontology.org, https://unifiedcyberontology.org). Every node has a name-based UUID (RFC 9562, version 5), so
that the same file has the same name in every report, and the same report gives the same bytes.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from typing import Final, TextIO

from deepscan.reports.json_text import dump
from deepscan.reports.schema import escape
from deepscan.reports.troubles import causes
from deepscan.reports.words import verdict_alone
from deepscan.text import clean
from deepscan.types import Document, Finding, ItemReport, JSONValue, Skipped

CONTEXT: Final[dict[str, JSONValue]] = {
    "case-investigation": "https://ontology.caseontology.org/case/investigation/",
    "uco-action": "https://ontology.unifiedcyberontology.org/uco/action/",
    "uco-analysis": "https://ontology.unifiedcyberontology.org/uco/analysis/",
    "uco-core": "https://ontology.unifiedcyberontology.org/uco/core/",
    "uco-observable": "https://ontology.unifiedcyberontology.org/uco/observable/",
    "uco-tool": "https://ontology.unifiedcyberontology.org/uco/tool/",
    "uco-types": "https://ontology.unifiedcyberontology.org/uco/types/",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}

SPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:deepscan:case")
"""What the names of nodes are made in."""

MAX_TEXT = 1_000
"""Characters of a description."""


class CaseReport:
    """``report.case.jsonld``: files, verdicts, and the scan that links them."""

    id: str = "case"
    title: str = "CASE/UCO JSON-LD: for exchange between forensic tools"
    names: tuple[str, ...] = ("report.case.jsonld",)

    def render(self, report: Document, name: str, stream: TextIO) -> None:
        """Write the graph, a node a line; goes through the entries twice. Raises ValueError for another name."""
        if name not in self.names:
            raise ValueError(f"the CASE report has no file {name!r}")
        stream.write(f'{{\n  "@context": {dump(CONTEXT)},\n  "@graph": [')
        separator = "\n    "
        for node in _nodes(report):
            stream.write(f"{separator}{dump(node)}")
            separator = ",\n    "
        action = dump(_action(report))
        stream.write(f'{separator}{action[:-1]}, "uco-action:object": [')
        _references(stream, _objects(report))
        stream.write('], "uco-action:result": [')
        _references(stream, (_result_name(item) for item in report.items))
        stream.write("]}\n  ]\n}\n")


def _references(stream: TextIO, names: Iterable[str]) -> None:
    separator = ""
    for name in names:
        stream.write(f"{separator}{dump({'@id': name})}")
        separator = ", "


def _nodes(report: Document) -> Iterator[dict[str, JSONValue]]:
    yield _tool(report)
    for item in report.items:
        yield _file(item)
        yield _result(item)
        yield _link(item)
    for skipped in report.skipped:
        yield _left_out(skipped)


def _objects(report: Document) -> Iterator[str]:
    yield from (_file_name(item) for item in report.items)
    yield from (_name("skipped", skipped.path.as_posix()) for skipped in report.skipped)


def _name(kind: str, *parts: str) -> str:
    return f"urn:uuid:{uuid.uuid5(SPACE, dump([kind, *map(escape, parts)]))}"


def _file_name(report: ItemReport) -> str:
    return _name("file", report.item.path.as_posix(), report.item.sha256)


def _result_name(report: ItemReport) -> str:
    return _name("result", _file_name(report), dump(_classes(report)))


def _tool(report: Document) -> dict[str, JSONValue]:
    return {
        "@id": _name("tool", report.run.version),
        "@type": "uco-tool:AnalyticTool",
        "uco-core:name": "deepscan",
        "uco-tool:version": escape(report.run.version),
    }


def _action(report: Document) -> dict[str, JSONValue]:
    run = report.run
    times = {"uco-action:startTime": run.started, "uco-action:endTime": run.finished}
    return {
        "@id": _name("scan", run.started, *run.argv),
        "@type": "case-investigation:InvestigativeAction",
        "uco-core:name": "deepscan scan",
        "uco-core:description": escape(" ".join(clean(word, MAX_TEXT) for word in run.argv)),
        **{name: {"@type": "xsd:dateTime", "@value": escape(time)} for name, time in times.items() if time is not None},
        "uco-action:instrument": {"@id": _name("tool", run.version)},
    }


def _file(report: ItemReport) -> dict[str, JSONValue]:
    item, name = report.item, _file_name(report)
    digest: JSONValue = {
        "@id": _name("hash", name),
        "@type": "uco-types:Hash",
        "uco-types:hashMethod": "SHA256",
        "uco-types:hashValue": {"@type": "xsd:hexBinary", "@value": item.sha256},
    }
    content: JSONValue = {
        "@id": _name("content", name),
        "@type": "uco-observable:ContentDataFacet",
        "uco-observable:sizeInBytes": item.size,
        "uco-observable:mimeClass": str(item.kind),
        "uco-observable:hash": digest,
    }
    return {
        "@id": name,
        "@type": "uco-observable:File",
        "uco-core:hasFacet": [_file_facet(name, item.name.name, item.path.as_posix()), content],
    }


def _file_facet(owner: str, name: str, path: str) -> JSONValue:
    return {
        "@id": _name("facet", owner),
        "@type": "uco-observable:FileFacet",
        "uco-observable:fileName": escape(name),
        "uco-observable:filePath": escape(path),
        "uco-observable:isDirectory": False,
    }


def _result(report: ItemReport) -> dict[str, JSONValue]:
    name = _result_name(report)
    facet: JSONValue = {
        "@id": _name("classification", name),
        "@type": "uco-analysis:ArtifactClassificationResultFacet",
        "uco-analysis:classification": _classes(report),
    }
    return {
        "@id": name,
        "@type": "uco-analysis:AnalyticResult",
        "uco-core:description": _description(report),
        "uco-core:hasFacet": [facet],
    }


def _description(report: ItemReport) -> str:
    said = [verdict_alone(report.verdict)]
    said += [_shown(finding) for result in report.results for finding in result.findings]
    said += [f"{clean(', '.join(c.checks))} {c.kind}: {clean(c.reason, MAX_TEXT)}" for c in causes(report)]
    return " ".join(said)


def _shown(finding: Finding) -> str:
    return f"[{clean(finding.code)}, {finding.level}, {finding.points_to}] {clean(finding.summary, MAX_TEXT)}"


def _classes(report: ItemReport) -> list[JSONValue]:
    """The verdict as classes. The model's score is a confidence in what it was trained on, and stated only where the
    verdict rests on it.
    """
    verdict = report.verdict
    entry: dict[str, JSONValue] = {
        "@id": _name("class", _file_name(report), verdict.call, verdict.points_to, verdict.basis),
        "@type": "uco-analysis:ArtifactClassification",
        "uco-analysis:class": [
            f"deepscan:call={verdict.call}",
            f"deepscan:points-to={verdict.points_to}",
            f"deepscan:basis={verdict.basis}",
            *(f"deepscan:because={clean(code)}" for code in verdict.because),
        ],
    }
    if verdict.score is not None and verdict.basis == "model":
        entry["uco-analysis:classificationConfidence"] = {"@type": "xsd:decimal", "@value": f"{verdict.score:.6f}"}
    return [entry]


def _link(report: ItemReport) -> dict[str, JSONValue]:
    return {
        "@id": _name("link", _result_name(report)),
        "@type": "uco-core:Relationship",
        "uco-core:source": {"@id": _result_name(report)},
        "uco-core:target": {"@id": _file_name(report)},
        "uco-core:kindOfRelationship": "Characterizes",
        "uco-core:isDirectional": True,
    }


def _left_out(skipped: Skipped) -> dict[str, JSONValue]:
    name = _name("skipped", skipped.path.as_posix())
    return {
        "@id": name,
        "@type": "uco-observable:File",
        "uco-core:description": f"Not examined ({skipped.code}): {clean(skipped.reason, MAX_TEXT)}",
        "uco-core:hasFacet": [_file_facet(name, skipped.path.name, skipped.path.as_posix())],
    }
