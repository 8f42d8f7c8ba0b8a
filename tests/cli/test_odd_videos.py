"""Videos that are not what they seem, through the whole of ``deepscan scan``: one result or one reason for each."""

from __future__ import annotations

import csv
import io
import shutil
import socket
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import Result

from deepscan.errors import EXIT_CLEAN, EXIT_INCOMPLETE
from deepscan.media.film import clips
from tests import video_factory
from tests.cli.test_app import invoke, refusal

READING = ("--checks", "identity,film_flow", "--workers", "0")
"""Checks that need no model, one of which reads a film from start to end."""


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return video_factory.make(tmp_path_factory.mktemp("films") / "film.mp4", video_factory.times_of(30))


def scan(path: Path, *flags: str) -> tuple[Result, dict[str, str]]:
    """Scan a file, or a folder with one, and its row of the table."""
    result = invoke("scan", str(path), *READING, *flags, "-o", "-", "--format", "csv")
    (row,) = csv.DictReader(io.StringIO(result.stdout_bytes.decode(), newline=""))
    return result, row


def growing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on, a file grows by a few bytes whenever a reader of videos asks for some."""
    real = clips.Source.spent

    def spent(self: clips.Source) -> bool:
        with path.open("ab") as file:
            file.write(b"\0" * 512)
        return real(self)

    monkeypatch.setattr(clips.Source, "spent", spent)


def test_a_film_that_grows_while_it_is_read_is_no_result_about_the_bytes_that_were_hashed(
    film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = Path(shutil.copy(film, tmp_path / "growing.mp4"))
    growing(path, monkeypatch)
    result, row = scan(path, "--verify-unchanged")
    assert result.exit_code == EXIT_INCOMPLETE
    assert "changed" in row["reason"] + row["failed"] + row["partial"], row
    assert row["call"] != "no-evidence"


def test_a_film_that_grows_without_end_comes_to_an_end(
    film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = Path(shutil.copy(film, tmp_path / "growing.mp4"))
    growing(path, monkeypatch)
    _, row = scan(path)
    assert row["status"] == "examined"
    assert "film_flow" in row["done"] + row["failed"]


def test_a_film_under_the_name_of_an_archive_is_examined_and_its_name_is_a_finding(film: Path, tmp_path: Path) -> None:
    shutil.copy(film, tmp_path / "holiday.zip")
    result, row = scan(tmp_path)
    assert result.exit_code == EXIT_CLEAN
    assert (row["status"], row["kind"], row["container"]) == ("examined", "video", "mp4")
    assert "DS-STRUCT-001" in row["findings"]
    assert "film_flow" in row["done"]


def archive(film: Path, path: Path) -> None:
    with zipfile.ZipFile(path, "w") as made:
        made.write(film, "film.mp4")


def sound(_: Path, path: Path) -> None:
    video_factory.make_sound(path)


def recording(_: Path, path: Path) -> None:
    video_factory.make_sound(path.with_suffix(".m4a")).rename(path)


def test_an_archive_with_a_film_in_it_is_named_as_what_it_is(film: Path, tmp_path: Path) -> None:
    archive(film, tmp_path / "film.zip")
    result, row = scan(tmp_path)
    assert result.exit_code == EXIT_CLEAN
    assert row["reason"] == "not-media: It is a ZIP archive or office document, not a picture or video."


@pytest.mark.parametrize(
    ("make", "reason"), [(archive, "a ZIP archive"), (sound, "only sound"), (recording, "MPEG-4 recording")]
)
def test_what_is_named_as_a_film_and_holds_no_pictures_is_never_clean(
    make: Callable[[Path, Path], None], reason: str, film: Path, tmp_path: Path
) -> None:
    make(film, tmp_path / "clip.mp4")
    result, row = scan(tmp_path)
    assert result.exit_code == EXIT_INCOMPLETE
    assert reason in row["reason"] + row["failed"], row
    assert row["call"] in ("", "undetermined")


@pytest.fixture
def server() -> Iterator[socket.socket]:
    """A port that somebody could be led to ask."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)
        yield listening


@pytest.mark.parametrize("suffix", [".m3u8", ".mp4", ".ts"])
@pytest.mark.parametrize("elsewhere", ["film.mp4", "file:{folder}/film.mp4", "http://127.0.0.1:{port}/film.mp4"])
def test_a_playlist_leads_to_no_other_file(
    elsewhere: str, suffix: str, film: Path, tmp_path: Path, server: socket.socket
) -> None:
    folder = tmp_path / "evidence"
    folder.mkdir()
    place = elsewhere.format(folder=film.parent, port=server.getsockname()[1])
    text = f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{place}\n#EXT-X-ENDLIST\n"
    (folder / f"list{suffix}").write_text(text)
    result, row = scan(folder)
    assert (row["status"], row["call"]) == ("skipped", "")
    # Texts may be named .ts as well, for a language; one that is named .mp4 cannot be meant so.
    assert result.exit_code == (EXIT_INCOMPLETE if suffix == ".mp4" else EXIT_CLEAN), row
    with pytest.raises(BlockingIOError):
        server.accept()


@pytest.mark.parametrize(
    "flags", [("--keyframes", "--every", "2"), ("--frames", "5", "--every", "1"), ("--keyframes", "--all-frames")]
)
def test_frames_are_chosen_in_one_way(flags: tuple[str, ...], film: Path) -> None:
    sentence, hint = refusal(invoke("scan", str(film), *READING, *flags))
    assert sentence.endswith("exclude each other.")
    assert all(flag in sentence for flag in flags if flag.startswith("--"))
    assert hint == "Choose the frames of videos in one way."


def test_a_way_on_the_command_line_takes_the_place_of_one_in_the_settings(
    film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("deepscan.toml").write_text("keyframes = true\nframes = 9\n")
    result = invoke("scan", str(film), *READING, "--every", "0.5", "-o", "-", "--format", "json")
    assert result.exit_code == EXIT_CLEAN, result.output
    assert '"every": 0.5' in result.stdout
    assert '"keyframes": false' in result.stdout
    assert '"frames": null' in result.stdout
