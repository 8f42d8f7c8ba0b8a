from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from deepscan.cli.report import report_command
from deepscan.engine.casefile import CaseFile
from deepscan.errors import CaseFileError, InputError, OutputError, ReportError, UsageError
from deepscan.reports.base import RENDERERS, write
from deepscan.reports.exhibits import exhibits, is_exhibit
from tests.gold.sample import REPORT
from tests.gold.test_gold import compared
from tests.unit.engine.test_casefile import fill

GOLD = Path(__file__).parents[1] / "gold" / "files"


@pytest.fixture
def case(tmp_path: Path) -> Path:
    path = tmp_path / "case"
    with CaseFile.open(path) as opened:
        fill(opened)
    return path


@pytest.fixture
def document(tmp_path: Path) -> Path:
    return write(REPORT, ("json",), tmp_path / "first")[0]


@pytest.mark.parametrize("which", ["case", "document"])
def test_it_renders_again_from_a_case_file_and_from_json(
    which: str, tmp_path: Path, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    source: Path = request.getfixturevalue(which)
    report_command(source, str(tmp_path / "again"), ",".join(RENDERERS))
    for made in (tmp_path / "again").iterdir():
        assert compared(made) == (GOLD / made.name).read_bytes()
    names = {name for renderer in RENDERERS.values() for name in renderer.names}
    assert {made.name for made in (tmp_path / "again").iterdir()} == names
    out, words = capsys.readouterr()
    assert out == ""
    assert words.count("Wrote ") == len(names)
    assert "can no longer be found beside what this was read from" in words


def test_a_report_may_be_written_over_the_json_it_is_read_from(document: Path) -> None:
    report_command(document, str(document.parent), "json")
    assert document.read_bytes() == (GOLD / "report.json").read_bytes()


def test_one_report_goes_to_standard_output_alone(case: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    below = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(below, encoding="ascii"))
    report_command(case, "-", "json")
    assert below.getvalue() == (GOLD / "report.json").read_bytes()
    with pytest.raises(UsageError, match="Only one report"):
        report_command(case, "-", "json,csv")
    assert below.getvalue() == (GOLD / "report.json").read_bytes()


@pytest.mark.parametrize(
    ("data", "error", "words"),
    [
        (None, InputError, "No such file"),
        (b"", ReportError, "not valid JSON"),
        (b"\xff\xd8\xff\xe0", ReportError, "not valid JSON"),
        (b'{"a": 1}', ReportError, "not a deepscan report"),
        (b"SQLite format 3\0" + b"\xff" * 600, CaseFileError, "not a deepscan case file"),
    ],
)
def test_what_cannot_be_read_is_a_sentence(
    data: bytes | None, error: type[Exception], words: str, tmp_path: Path
) -> None:
    source = tmp_path / "source"
    if data is not None:
        source.write_bytes(data)
    with pytest.raises(error, match=words):
        report_command(source, str(tmp_path / "out"))
    assert not (tmp_path / "out").exists()


def test_a_folder_and_an_unknown_format_are_refused(tmp_path: Path, case: Path) -> None:
    with pytest.raises(InputError, match="is a folder"):
        report_command(tmp_path, str(tmp_path / "out"))
    with pytest.raises(UsageError, match="no report format 'pdf'"):
        report_command(case, str(tmp_path / "out"), "csv,pdf")
    with pytest.raises(UsageError, match="No report format"):
        report_command(case, str(tmp_path / "out"), " , ")


def test_it_is_a_command_for_typer(case: Path, tmp_path: Path) -> None:
    import typer
    from typer.testing import CliRunner

    app = typer.Typer()
    app.command()(report_command)
    done = CliRunner().invoke(app, [str(case), "--format", "csv", "-o", str(tmp_path / "out")])
    assert done.exit_code == 0, done.output
    assert (tmp_path / "out" / "report.csv").read_bytes() == (GOLD / "report.csv").read_bytes()
    piped = CliRunner().invoke(app, [str(case), "--format", "csv", "-o", "-"])
    assert piped.stdout_bytes == (GOLD / "report.csv").read_bytes()


@pytest.fixture
def pictured(case: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, list[str]]:
    """A case file whose pictures lie beside it and do not fit into a page, and their paths."""
    monkeypatch.setattr("deepscan.reports.html.pictures.PICTURE_BYTES", 0)
    with CaseFile.open(case, read_only=True) as opened, opened.stored() as stored:
        paths = sorted({path for item in stored.items for path in exhibits(item) if is_exhibit(path)})
    (case.parent / "exhibits").mkdir()
    for path in paths:
        (case.parent / path).write_bytes(b"\x89PNG\r\n\x1a\n" + path.encode())
    return case, paths


@pytest.mark.parametrize("name", ["html", "json", "jsonl"])
def test_pictures_that_a_report_names_come_along_into_another_folder(
    name: str, pictured: tuple[Path, list[str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    case, paths = pictured
    out = tmp_path / "elsewhere" / "deep"
    report_command(case, str(out), name, seal=True)
    assert paths
    for path in paths:
        assert (out / path).read_bytes() == (case.parent / path).read_bytes()
    assert f"Copied {len(paths)} picture" in capsys.readouterr().err
    seal = (out / "report.seal.json").read_text()
    assert all(path in seal for path in paths)


def test_pictures_stay_where_no_report_names_them_or_it_lies_beside_them(
    pictured: tuple[Path, list[str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    case, _ = pictured
    report_command(case, str(tmp_path / "table"), "csv")
    assert not (tmp_path / "table" / "exhibits").exists()
    report_command(case, str(case.parent), "html")
    assert "Copied" not in capsys.readouterr().err


def test_a_link_in_place_of_a_picture_is_not_copied(
    pictured: tuple[Path, list[str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    case, (first, *_) = pictured
    secret = tmp_path / "secret"
    secret.write_bytes(b"\x89PNG\r\n\x1a\nsecret")
    (case.parent / first).unlink()
    (case.parent / first).symlink_to(secret)
    report_command(case, str(tmp_path / "elsewhere"), "html")
    assert not (tmp_path / "elsewhere" / first).exists()
    assert "can no longer be found" in capsys.readouterr().err


def test_a_template_of_ones_own_is_tried_before_anything_is_written(case: Path, tmp_path: Path) -> None:
    templates, out = tmp_path / "templates", tmp_path / "out"
    templates.mkdir()
    (templates / "report.html").write_text(
        "{% extends 'builtin/report.html' %}\n{% block brand %}{{ laboratory }}{% endblock %}"
    )
    with pytest.raises(OutputError, match=r"report\.html cannot be used, line 2: 'laboratory' is undefined"):
        report_command(case, str(out), "csv,html", template=templates)
    assert not out.exists()
    (templates / "report.html").write_text("{% extends 'builtin/report.html' %}{% block brand %}Lab 3{% endblock %}")
    report_command(case, str(out), "html", template=templates)
    assert ">Lab 3</a>" in (out / "report.html").read_text(encoding="utf-8")
