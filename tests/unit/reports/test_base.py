from __future__ import annotations

import errno
import io
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import TextIO

import pytest

from deepscan.errors import OutputError, UsageError
from deepscan.reports import base
from deepscan.reports.base import open_output, require_folder, write, write_stdout
from deepscan.reports.csv_report import CsvReport
from tests.gold.sample import REPORT


def test_the_file_appears_whole_and_nothing_else_stays(tmp_path: Path) -> None:
    path = tmp_path / "r.txt"
    with open_output(path) as stream:
        stream.write("caf\xe9\r\n")
        assert not path.exists()
    assert path.read_bytes() == b"caf\xc3\xa9\r\n"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("error", [ValueError("a renderer's fault"), KeyboardInterrupt()])
def test_after_an_error_the_old_file_stands_and_no_part_stays(tmp_path: Path, error: BaseException) -> None:
    path = tmp_path / "r.txt"
    path.write_text("old")
    with pytest.raises(type(error)), open_output(path) as stream:
        stream.write("new")
        raise error
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_a_sentence_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.open
    # The part file is opened on a device that is always full: the error comes from a real write.
    monkeypatch.setattr(
        os, "open", lambda path, *rest: real("/dev/full", os.O_WRONLY) if _is_part(path) else real(path, *rest)
    )
    with (
        pytest.raises(OutputError, match="No space left on device") as caught,
        open_output(tmp_path / "r.txt") as stream,
    ):
        stream.write("new" * 100_000)
    assert "Free some space" in caught.value.hint
    assert list(tmp_path.iterdir()) == []


def _is_part(path: object) -> bool:
    return str(path).endswith(".part")


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS, errno.ENOSPC, errno.EIO, errno.EDQUOT])
def test_every_refusal_has_a_sentence_and_a_hint(number: int) -> None:
    error = base.output_error(Path("/out/r\x1b.json"), OSError(number, os.strerror(number)))
    assert os.strerror(number) in error.message
    assert error.message.isprintable()
    assert error.hint


def test_a_folder_in_the_place_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "r.txt" / "inside").mkdir(parents=True)
    with pytest.raises(OutputError, match=r"r\.txt cannot be written"), open_output(tmp_path / "r.txt") as stream:
        stream.write("new")
    assert [p.name for p in tmp_path.iterdir()] == ["r.txt"]


def test_a_link_in_the_place_of_the_file_is_replaced_and_not_followed(tmp_path: Path) -> None:
    evidence = tmp_path / "evidence.jpg"
    evidence.write_bytes(b"picture")
    (tmp_path / "r.txt").symlink_to(evidence)
    with open_output(tmp_path / "r.txt") as stream:
        stream.write("new")
    assert evidence.read_bytes() == b"picture"
    assert not (tmp_path / "r.txt").is_symlink()


@pytest.mark.skipif(os.name == "nt", reason="POSIX modes")
def test_rights_follow_the_umask(tmp_path: Path) -> None:
    old = os.umask(0o027)
    try:
        with open_output(tmp_path / "r.txt") as stream:
            stream.write("x")
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "r.txt").stat().st_mode) == 0o640


def test_write_makes_the_folder_and_names_what_it_wrote(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    written = write(REPORT, ("json", "csv", "json"), folder)
    assert [p.name for p in written] == ["report.json", *CsvReport.names]
    assert sorted(written) == sorted(folder.iterdir())


def test_a_folder_that_cannot_be_made_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    require_folder(tmp_path)
    require_folder(tmp_path / "a" / "b")
    require_folder(Path("a"))
    assert not list(tmp_path.iterdir())
    (tmp_path / "file").write_text("x")
    (tmp_path / "gone").symlink_to("nowhere")
    for folder in (tmp_path / "file", tmp_path / "file" / "a" / "b", tmp_path / "gone"):
        with pytest.raises(OutputError, match="cannot be written: Not a directory") as caught:
            require_folder(folder)
        assert "file, not a folder" in caught.value.hint


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_to_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(OutputError, match="Permission denied"):
        require_folder(tmp_path / "a")


def test_the_output_folder_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for folder in (tmp_path / "file", tmp_path / "file" / "deeper"):
        with pytest.raises(OutputError, match="cannot be written") as caught:
            write(REPORT, ("json",), folder)
        assert "choose another folder" in caught.value.hint


def test_an_unknown_format_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no report format 'x\\x1bml'") as caught:
        write(REPORT, ("json", "x\x1bml"), tmp_path / "out")
    assert "csv, html, json" in caught.value.hint
    assert not (tmp_path / "out").exists()
    with pytest.raises(UsageError, match="No report format"):
        write(REPORT, (), tmp_path)


@pytest.mark.parametrize("name", list(base.RENDERERS))
def test_standard_output_has_the_bytes_of_the_file_whatever_its_encoding(name: str, tmp_path: Path) -> None:
    below = io.BytesIO()
    stream = io.TextIOWrapper(below, encoding="ascii", newline="\r\n")
    stream.write("before\n")
    write_stdout(REPORT, name, stream)
    stream.write("after\n")
    stream.flush()
    main = write(REPORT, (name,), tmp_path)[0]
    assert below.getvalue() == b"before\r\n" + main.read_bytes() + b"after\r\n"


def test_a_stream_without_bytes_below_takes_the_text() -> None:
    stream = io.StringIO(newline="")
    write_stdout(REPORT, "json", stream)
    assert stream.getvalue().endswith("}\n")


class _Broken(io.RawIOBase):
    def __init__(self, error: OSError) -> None:
        self.error: OSError | None = error

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        if self.error:
            raise self.error
        return len(bytes(data))  # type: ignore[call-overload]


def _over(error: OSError) -> tuple[_Broken, TextIO]:
    raw = _Broken(error)
    return raw, io.TextIOWrapper(io.BufferedWriter(raw), encoding="utf-8")


def test_a_full_standard_output_is_a_sentence_and_a_broken_pipe_is_left_to_the_command_line() -> None:
    for error, expected in (
        (OSError(errno.ENOSPC, "full"), OutputError),
        (BrokenPipeError(errno.EPIPE, "gone"), BrokenPipeError),
    ):
        raw, stream = _over(error)
        with pytest.raises(expected):
            write_stdout(REPORT, "json", stream)
        raw.error = None  # so that closing it raises no second time
        stream.close()


def test_reports_never_see_the_engine_torch_or_pictures() -> None:
    code = (
        "import sys, deepscan.reports.base\n"
        "print([m for m in sys.modules if m.split('.')[0] in ('torch','PIL','cv2','numpy','rich','typer')"
        " or m.startswith(('deepscan.engine','deepscan.media','deepscan.models'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
