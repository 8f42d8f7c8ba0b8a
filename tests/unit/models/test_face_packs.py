"""YuNet's weights from a server that is made here: pinned, checked, kept; and what is said when they are not there."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from deepscan.errors import CorruptPackError, ModelError, ModelNotFoundError, OutputError
from deepscan.media.faces import HaarFinder
from deepscan.media.yunet import YuNetFinder
from deepscan.models import face_packs
from tests.cli.test_app import invoke, refusal

CONTENT = b"the weights of YuNet, as far as a test knows"


class Zoo(BaseHTTPRequestHandler):
    asked = 0
    answer: bytes | None = CONTENT

    def do_GET(self) -> None:
        type(self).asked += 1
        if self.answer is None:
            self.send_error(404)
            return
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.answer)

    def log_message(self, *words: object) -> None:
        pass


@pytest.fixture
def zoo(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[type[Zoo]]:
    server = HTTPServer(("127.0.0.1", 0), Zoo)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    Zoo.asked, Zoo.answer = 0, CONTENT
    monkeypatch.setattr(face_packs, "YUNET_URL", f"http://127.0.0.1:{server.server_port}/yunet.onnx")
    monkeypatch.setattr(face_packs, "YUNET_SHA256", hashlib.sha256(CONTENT).hexdigest())
    monkeypatch.setenv("DEEPSCAN_CACHE", str(tmp_path / "cache"))
    face_packs.finder.cache_clear()
    yield Zoo
    face_packs.finder.cache_clear()
    server.shutdown()
    thread.join()
    server.server_close()


def test_it_is_fetched_once_and_checked_each_time(zoo: type[Zoo], tmp_path: Path) -> None:
    result = invoke("models", "pull", "yunet")
    assert result.exit_code == 0, result.stderr
    path = tmp_path / "cache" / face_packs.FILE_NAME
    assert str(path) in result.stdout
    assert path.read_bytes() == CONTENT
    assert [p.name for p in path.parent.iterdir()] == [path.name]
    assert face_packs.pull() == path
    assert zoo.asked == 1
    assert isinstance(face_packs.finder("yunet"), YuNetFinder)
    path.write_bytes(b"changed")
    with pytest.raises(CorruptPackError, match="not the pinned file"):
        face_packs.installed()
    face_packs.pull()
    assert path.read_bytes() == CONTENT


@pytest.mark.parametrize("answer", [b"", b"another file", CONTENT + b"x", None])
def test_another_file_is_not_kept(answer: bytes | None, zoo: type[Zoo], tmp_path: Path) -> None:
    zoo.answer = answer
    with pytest.raises(ModelError) as caught:
        face_packs.pull()
    assert caught.value.hint
    assert not (tmp_path / "cache").exists()


def test_a_server_that_is_not_there_names_the_way_by_hand(zoo: type[Zoo], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(face_packs, "YUNET_URL", "http://127.0.0.1:9/yunet.onnx")
    with pytest.raises(ModelError) as caught:
        face_packs.pull()
    assert "by hand" in caught.value.hint
    assert face_packs.YUNET_SHA256 in caught.value.hint


def test_a_folder_that_cannot_be_made_is_said(zoo: type[Zoo], tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file lies where the folder should")
    with pytest.raises(OutputError, match="cannot be written"):
        face_packs.pull()


def test_without_it_haar_finds_and_yunet_is_refused_before_any_file(zoo: type[Zoo], tmp_path: Path) -> None:
    assert isinstance(face_packs.finder("haar"), HaarFinder)
    (tmp_path / "evidence").mkdir()
    (tmp_path / "evidence" / "a.png").write_bytes(b"x")
    with pytest.raises(ModelNotFoundError, match="not on this machine"):
        face_packs.finder("yunet")
    sentence, hint = refusal(invoke("scan", str(tmp_path / "evidence"), "--faces", "yunet", "--workers", "0"))
    assert "YuNet is not on this machine" in sentence
    assert "deepscan models pull yunet" in hint


def test_the_pinned_file_is_that_of_the_model_zoo() -> None:
    """The Git LFS pointer of opencv_zoo, models/face_detection_yunet: oid sha256 and size."""
    assert face_packs.YUNET_SHA256 == "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4"
    assert face_packs.YUNET_BYTES == 232_589
    assert face_packs.YUNET_URL.startswith("https://github.com/opencv/opencv_zoo/raw/")
