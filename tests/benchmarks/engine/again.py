"""A scan, and the same again when nothing has changed."""

from __future__ import annotations

from collections.abc import Iterator

from tests.benchmarks.engine.bench import Bench, Row, paths_in
from tests.benchmarks.engine.child import ask_once
from tests.benchmarks.table import Table


def rows(bench: Bench) -> Iterator[Row | Table]:
    """All default checks on faces: the first scan is what a user waits for, and the second what he gets for it."""
    folder = bench.files("faces", bench.size.again)
    case = str(bench.folder / "second.case")
    options: dict[str, object] = {"workers": 2}
    first = ask_once("scan", folder=str(folder), options=options, case=case)
    second = ask_once("scan", folder=str(folder), options=options, case=case)
    trusting = ask_once("scan", folder=str(folder), options={**options, "trust_mtime": True}, case=case)
    words = ["scan", str(folder), "--case", case, "-o", str(bench.folder / "second"), "--quiet"]
    command = ask_once("command", words=words)
    hashing = ask_once("hashing", files=paths_in(folder))
    if second["reused"] != second["files"]:
        raise RuntimeError(f"The second scan examined {second['files'] - second['reused']} files anew.")
    shares = {unit: max(0.0, second[unit] - hashing[unit]) / first[unit] for unit in ("seconds", "cpu")}
    count = first["files"]
    runs = {
        "first": first,
        "second": second,
        "second with --trust-mtime": trusting,
        "hashing alone": hashing,
        "second from the command line, start and reports (CSV, JSON) included": command,
    }
    yield Table(
        f"A scan of {count:,} faces of 256 pixels and the same again, all default checks",
        ("", "seconds", "processor seconds"),
        [(name, f"{run['seconds']:.2f}", f"{run['cpu']:.2f}") for name, run in runs.items()],
    )
    yield Row(
        f"second scan of {count:,} unchanged files, beyond hashing",
        "the first scan",
        f"{100 * shares['seconds']:.1f} % ({100 * shares['cpu']:.1f} % of its processor time)",
        "<= 2 %",
        shares["seconds"] <= 0.02,
    )
