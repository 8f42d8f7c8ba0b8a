"""The model is loaded while the first file is examined, and a model that cannot be loaded ends the scan at once."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from deepscan.checks import catalogue
from deepscan.checks.base import Samples, Subject
from deepscan.config import ScanOptions
from deepscan.engine.events import Silent
from deepscan.engine.executors import Inline
from deepscan.engine.loading import Loading
from deepscan.engine.pipeline import BATCH_SIZES, Job, Pipeline
from deepscan.engine.runner import examine
from deepscan.errors import DeviceError
from deepscan.types import Outcome
from tests.fake_checks import Brightness
from tests.unit.engine.test_runner import item

PATIENCE = 20.0


class Told(Brightness):
    """Says when it takes samples, and whether it scored before the model was there."""

    def __init__(self) -> None:
        self.sampling, self.loaded = threading.Event(), threading.Event()
        self.sizes: list[int] = []

    def samples(self, subject: Subject) -> Samples:
        self.sampling.set()
        return super().samples(subject)

    def score(self, batch: Any) -> Any:
        assert self.loaded.is_set(), "scored without a model"
        self.sizes.append(len(batch))
        return super().score(batch)


class Somewhere:
    """As much of a network as the pipeline asks for."""

    def __init__(self, device: str) -> None:
        self.device = device


def pipeline(check: Told, model: Any, monkeypatch: pytest.MonkeyPatch) -> Pipeline:
    monkeypatch.setattr(catalogue, "build", lambda *_: (check,))
    return Pipeline([check], None, ScanOptions(), None, Silent(), model)


def test_files_are_examined_while_the_model_is_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    check = Told()

    def load() -> Any:
        assert check.sampling.wait(PATIENCE), "nothing was examined meanwhile"
        check.loaded.set()
        return Somewhere("cuda:0")

    files = 3 * BATCH_SIZES["cpu"]
    jobs = [Job(i, item(tmp_path, f"{i}-1", b"x")) for i in range(files)]
    with Inline(examine) as executor:
        answers = list(pipeline(check, Loading(load), monkeypatch).run(jobs, executor))
    assert [answer.report.results[0].outcome for answer in answers] == [Outcome.DONE] * files
    assert sum(check.sizes) == files
    assert max(check.sizes) > BATCH_SIZES["cpu"], "the device of the model decides the size of a batch"


def test_a_model_that_cannot_be_loaded_ends_the_scan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    check = Told()

    def load() -> Any:
        assert check.sampling.wait(PATIENCE)
        raise DeviceError("There is no such device.")

    with Inline(examine) as executor, pytest.raises(DeviceError):
        list(pipeline(check, Loading(load), monkeypatch).run([Job(0, item(tmp_path, "a-1", b"x"))], executor))
    assert check.sizes == []
