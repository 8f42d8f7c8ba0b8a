"""The marks of generators on real files whose answers are known: the right name where there is one, else silence."""

from __future__ import annotations

from pathlib import Path

import pytest

from deepscan.checks.generator_marks import GeneratorMarks
from deepscan.checks.hidden_marks import RECORD, HiddenMarks
from deepscan.checks.marks.a1111 import WEB_UI
from deepscan.checks.reading.embedded import READ
from deepscan.errors import MediaError
from deepscan.types import Finding, Level
from tests.fake_subject import FakeSubject
from tests.known.answers import media_files, readable, rows

pytestmark = pytest.mark.corpus

GENERATORS = {
    "sd-webui": WEB_UI,
    "comfyui": "ComfyUI",
    "fooocus": "Fooocus",
    "invokeai": "InvokeAI",
    "novelai": "NovelAI",
}


def findings(path: Path) -> tuple[Finding, ...]:
    subject = FakeSubject(path)
    found = GeneratorMarks().run(subject).findings if subject.item.container in READ else ()
    if HiddenMarks().why_not(subject.item) is not None:
        return found
    try:
        return found + HiddenMarks().run(subject).findings
    except MediaError:
        return found


def named(path: Path) -> set[object]:
    return {e.value["generator"] for f in findings(path) for e in f.evidence if isinstance(e.value, dict)}


def test_the_right_generator_on_every_marked_file_and_none_on_the_others(corpus: Path) -> None:
    folder = corpus / "forensics" / "aimeta"
    for row in rows(folder):
        path = folder / row["path"]
        if row["expected"] == "unreadable":
            assert not readable(path)
        elif row["expected"] == "none":
            assert findings(path) == (), row["path"]
        else:
            assert named(path) == {GENERATORS[row["expected"]]}, row["path"]
            assert all(finding.level is Level.STRONG for finding in findings(path))


def test_what_was_hidden_in_the_alpha_channel_is_quoted(corpus: Path) -> None:
    name = "parsers__AUTOMATIC1111__automatic1111_stealth.png"
    (finding,) = findings(corpus / "forensics" / "aimeta" / "sd-parsers" / name)
    assert finding.code == RECORD
    (value,) = (e.value for e in finding.evidence)
    assert isinstance(value, dict)
    assert value["prompt"] == "a circle"
    assert str(value["seed"]).isdigit()


@pytest.mark.parametrize("name", ["metadata", "tampered", "hostile", "c2pa", "facevideo"])
def test_no_generator_is_named_where_none_declares_itself(name: str, corpus: Path) -> None:
    wrong = [(str(p), f.summary) for p in media_files(corpus / "forensics" / name) for f in findings(p)]
    assert wrong == []
