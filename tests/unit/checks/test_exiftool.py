"""ExifTool as a second reader, played by small programs: what it is given, may say, and how long it may take."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from deepscan.checks.metadata import Metadata
from deepscan.checks.reading import exiftool
from deepscan.types import CheckResult, Finding, Level, Outcome
from tests import media_factory as media
from tests.fake_subject import FakeSubject

OTHER_READING = "DS-META-018"
AGREES = {"SourceFile": "x", "IFD0:Make": "Canon", "IFD0:Orientation": 6, "Composite:GPSLatitude": 43.4675}


Install = Callable[[str], Path]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Puts a program named exiftool first on the path: a shell script with this body."""
    folder = tmp_path / "bin"
    folder.mkdir()

    def put(body: str) -> Path:
        program = folder / "exiftool"
        program.write_text(f"#!/bin/sh\n{body}\n")
        program.chmod(0o755)
        return folder

    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return put


def says(answer: object) -> str:
    return f"cat <<'END'\n{json.dumps([answer])}\nEND"


def photograph(folder: Path, name: str = "a.jpg") -> Path:
    return media.write_jpeg(folder, name, exif=media.exif(make="Canon", orientation=6, gps=(43.4675, 11.8851)))


def examined(path: Path, *, redact: bool = False) -> CheckResult:
    return Metadata(exiftool=True, redact_location=redact).run(FakeSubject(path))


def finding(result: CheckResult) -> Finding | None:
    return next((f for f in result.findings if f.code == OTHER_READING), None)


def test_two_readers_that_agree_say_nothing(install: Install, tmp_path: Path) -> None:
    install(says({**AGREES, "Composite:GPSLongitude": 11.8851}))
    result = examined(photograph(tmp_path))
    assert result.outcome is Outcome.DONE
    assert result.partial is None
    assert finding(result) is None


def test_where_they_differ_both_are_quoted(install: Install, tmp_path: Path) -> None:
    install(says({**AGREES, "IFD0:Make": "Nikon\x1b[31m", "IFD0:Artist": "\ud800Ana", "Composite:GPSLongitude": 12.5}))
    found = finding(examined(photograph(tmp_path)))
    assert found is not None
    assert found.level is Level.INFO
    values = {e.label: e.value for e in found.evidence}
    assert values.keys() == {"make", "artist", "gps"}
    assert values["make"] == {
        "deepscan": "Canon",
        "state": "present",
        "exiftool": "Nikon\\x1b[31m",
        "exiftool_name": "IFD0:Make",
    }
    assert json.dumps([e.value for e in found.evidence], ensure_ascii=False).encode("utf-8")
    assert isinstance(values["artist"], dict)
    assert values["artist"]["state"] == "missing"


def test_its_places_are_redacted_too(install: Install, tmp_path: Path) -> None:
    install(
        says({**AGREES, "Composite:GPSLongitude": 12.5, "IFD0:Software": "made at 12.5 in Ulm", "IPTC:City": "Ulm"})
    )
    result = examined(photograph(tmp_path), redact=True)
    text = json.dumps([[f.summary, [e.value for e in f.evidence]] for f in result.findings])
    assert finding(result) is not None
    assert not any(word in text for word in ("12.5", "43.4675", "11.885", "Ulm"))


@pytest.mark.parametrize("name", ["-delete_original.jpg", "-@.jpg", "a; touch b.jpg", "touch b|.jpg", "@args.jpg"])
def test_it_is_given_no_name_and_no_option_of_the_file(name: str, install: Install, tmp_path: Path) -> None:
    folder = install('printf "%s\\n" "$@" > "$(dirname "$0")/argv"; echo "[{}]"')
    assert examined(photograph(tmp_path, name)).partial is None
    argv = (folder / "argv").read_text().split("\n")[:-1]
    assert argv[:8] == ["-config", "", "-json", "-n", "-G1", "-fast", "--", argv[7]]
    assert len(argv) == 8
    assert argv[7].startswith("/dev/fd/")
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(["bin", name])


def test_it_can_read_the_file_from_its_beginning(install: Install, tmp_path: Path) -> None:
    folder = install('head -c 2 "$8" > "$(dirname "$0")/read"; echo "[{}]"')
    examined(photograph(tmp_path))
    assert (folder / "read").read_bytes() == b"\xff\xd8"


def test_neither_configuration_nor_perl_variables_reach_it(
    install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PERL5OPT", "-Mevil")
    monkeypatch.setenv("EXIFTOOL_HOME", "/evil")
    folder = install('env > "$(dirname "$0")/env"; echo "[{}]"')
    examined(photograph(tmp_path))
    assert "vil" not in (folder / "env").read_text()


def test_asked_for_and_not_installed_is_said_and_the_check_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    result = examined(photograph(tmp_path))
    assert result.outcome is Outcome.DONE
    assert result.findings
    assert result.partial is not None
    assert "no program exiftool" in result.partial


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("echo nonsense", "not JSON"),
        ("exit 1", "not JSON"),
        ("echo '{}'", "no list of files"),
        ("echo '[]'", "no list of files"),
        ('echo \'[{"ExifTool:Error": "Unknown file type"}]\'', "Unknown file type"),
        ("head -c 1000000 /dev/zero | tr '\\0' '['", "not JSON"),
        ("yes", "wrote more than"),
    ],
)
def test_answers_that_are_none_are_a_reason(body: str, words: str, install: Install, tmp_path: Path) -> None:
    install(body)
    result = examined(photograph(tmp_path))
    assert result.outcome is Outcome.DONE
    assert result.partial is not None
    assert words in result.partial
    assert result.partial.endswith(".")


def test_it_is_ended_when_it_takes_too_long(install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exiftool, "SECONDS", 0.3)
    install("sleep 60 & sleep 60")
    started = time.process_time()
    result = examined(photograph(tmp_path))
    assert time.process_time() - started < 5
    assert result.partial is not None
    assert "took more than" in result.partial


def test_it_is_not_run_unasked(install: Install, tmp_path: Path) -> None:
    folder = install('touch "$(dirname "$0")/ran"; echo "[{}]"')
    Metadata().run(FakeSubject(photograph(tmp_path)))
    assert not (folder / "ran").exists()
