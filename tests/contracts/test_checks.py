"""The contract of every registered check: being in the catalogue is what gets a check tested here."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from deepscan import explain
from deepscan.checks.base import BatchCheck, Check, CheckSpec, NotApplicableError
from deepscan.checks.catalogue import SPECS, Kit, build, select
from deepscan.config import ScanOptions
from deepscan.errors import MediaError
from deepscan.media.frames import Face
from deepscan.models.calibration import Calibration
from deepscan.models.card import CARD_FORMAT, ModelCard, Preprocessing, Threshold, View
from deepscan.types import Box, CheckResult, Family, Level, Outcome, PointsTo
from tests import media_factory as media
from tests.fake_subject import FakeSubject
from tests.unit.checks.test_layout import AVI, MKV, MP4
from tests.unit.checks.test_marks import INFOTEXT

IDS = [spec.id for spec in SPECS]

CARD = ModelCard(
    format=CARD_FORMAT,
    name="contract",
    version="1",
    architecture="none",
    preprocessing=Preprocessing(16, 16, None, "bilinear", 1 / 255, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
    view=View("face", 0.2, 8),
    labels=("real", "fake"),
    fake_label="fake",
    calibration=Calibration("temperature", 1.0, 0.0),
    thresholds=(Threshold(Level.MODERATE, 0.5, 0.01, "nothing"),),
    coverage="nothing",
    data="nothing",
    licence="Apache-2.0",
    licence_class="open",
    metrics={},
    provenance={},
    weights_sha256="0" * 64,
    golden=(),
    tolerance=0.01,
)


class Brightness:
    """Stands in for the network: a probability that depends on the pixels alone."""

    def probabilities(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        return np.asarray(batch.mean(axis=(1, 2, 3)) / 255, np.float32)


def made(spec: CheckSpec) -> Check | BatchCheck:
    (check,) = build(select((spec.id,), ()), Kit(ScanOptions(), CARD, Brightness()))
    return check


def examine(check: Check | BatchCheck, subject: FakeSubject) -> CheckResult | str:
    """The result as the engine would get it; the reason in words where the check does not apply or cannot."""
    reason = check.why_not(subject.item)
    if reason is not None:
        return reason
    try:
        if not isinstance(check, BatchCheck):
            return check.run(subject)
        samples = check.samples(subject)
        scores = check.score(np.stack([sample.pixels for sample in samples.samples]))
        return check.conclude(subject.item, samples, [float(score) for score in scores])
    except NotApplicableError as e:
        return str(e)
    except MediaError as e:
        return e.message


def written(name: str, data: bytes) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        (folder / name).write_bytes(data)
        return folder / name

    return write


MEDIA: Mapping[str, Callable[[Path], Path]] = {
    "jpeg": lambda folder: media.write_jpeg(
        folder, size=(160, 120), exif=media.exif(make="Canon", software="GIMP 2.10")
    ),
    "png": lambda folder: media.write_png(folder, text={"parameters": INFOTEXT}, trailing=b"more"),
    "apng": lambda folder: media.write_apng(folder, durations=(50, 50)),
    "webp": media.write_webp,
    "gif": media.write_gif,
    "bmp": media.write_bmp,
    "tiff": media.write_tiff,
    "heic": media.write_heic,
    "avif": media.write_avif,
    "wrong suffix": media.write_wrong_suffix,
    "mp4": written("clip.mp4", MP4),
    "mkv": written("clip.mkv", MKV),
    "avi": written("clip.avi", AVI),
}

HOSTILE: Mapping[str, Callable[[Path], Path]] = {
    "cut jpeg": media.write_truncated_jpeg,
    "cut png": media.write_truncated_png,
    "png of nothing": written("a.png", b"\x89PNG\r\n\x1a\n" + b"\xff" * 200),
    "jpeg of nothing": written("a.jpg", b"\xff\xd8\xff" + b"\0" * 200),
    "jpeg of a thousand lies": written("b.jpg", b"\xff\xd8" + b"\xff\xe1\xff\xffExif\0\0MM\0*" * 1000),
    "webp of 4 GiB": written("a.webp", b"RIFF\xff\xff\xff\xffWEBPVP8X\xff\xff\xff\xff"),
    "boxes of 16 EiB": written("a.mp4", b"\0\0\0\x10ftypisom\0\0\0\0" + b"\0\0\0\x01moov" + b"\xff" * 8),
    "gif without end": written("a.gif", b"GIF89a\xff\xff\xff\xff\xf7\0\0" + b"!\xfe\xff" * 300),
    "tiff in circles": written("a.tif", b"MM\0*\0\0\0\x08\0\x01\x87\x69\0\x04\0\0\0\x01\0\0\0\x08\0\0\0\x08"),
    "matroska of lies": written("a.mkv", b"\x1a\x45\xdf\xa3\x80\x18\x53\x80\x67" + b"\x01" + b"\xfe" * 300),
}

ALL = {**MEDIA, **HOSTILE}


@pytest.fixture(params=SPECS, ids=IDS)
def check(request: pytest.FixtureRequest) -> Check | BatchCheck:
    return made(request.param)


@pytest.fixture(params=ALL, ids=list(ALL))
def subject(request: pytest.FixtureRequest, tmp_path: Path) -> FakeSubject:
    face = Face(Box(8, 8, 40, 40), "frontal")
    return FakeSubject(ALL[request.param](tmp_path), keeps_exhibits=True, found=(face,))


def test_a_result_or_a_reason_and_nothing_else(check: Check | BatchCheck, subject: FakeSubject) -> None:
    answer = examine(check, subject)
    if isinstance(answer, str):
        assert answer.endswith(".")
        assert answer[0].isupper()
        return
    spec = check.spec
    assert (answer.check, answer.version, answer.outcome) == (spec.id, spec.version, Outcome.DONE)
    for finding in answer.findings:
        assert finding.code in spec.codes
        assert finding.level.rank <= _CEILING[spec.family].rank
        assert finding.summary.endswith(".")
        assert finding.summary.isprintable()
        signed = "The signer is" if spec.family is Family.PROVENANCE else "not signed"
        assert signed in finding.summary or finding.level is not Level.STRONG
    written = json.dumps([[e.value for e in f.evidence] for f in answer.findings], allow_nan=False)
    assert json.loads(written) is not None


_CEILING = {
    Family.STRUCTURE: Level.MODERATE,
    Family.METADATA: Level.STRONG,
    Family.PIXELS: Level.MODERATE,
    Family.MODEL: Level.STRONG,
    Family.PROVENANCE: Level.STRONG,
    Family.TEMPORAL: Level.MODERATE,
}
"""The most a family may do alone (docs: evidence). Metadata is strong only by a generator's mark, which says so."""


def test_the_same_file_gives_the_same_answer(check: Check | BatchCheck, subject: FakeSubject) -> None:
    assert _timeless(examine(check, subject)) == _timeless(examine(made(check.spec), subject))


def _timeless(answer: CheckResult | str) -> CheckResult | str:
    return answer if isinstance(answer, str) else replace(answer, seconds=0.0)


def test_the_file_is_not_touched(check: Check | BatchCheck, subject: FakeSubject) -> None:
    before = (
        subject.path.stat(),
        hashlib.sha256(subject.path.read_bytes()).digest(),
        sorted(subject.path.parent.iterdir()),
    )
    examine(check, subject)
    after = (
        subject.path.stat(),
        hashlib.sha256(subject.path.read_bytes()).digest(),
        sorted(subject.path.parent.iterdir()),
    )
    assert (before[0].st_mtime_ns, before[0].st_size, *before[1:]) == (
        after[0].st_mtime_ns,
        after[0].st_size,
        *after[1:],
    )


@pytest.mark.parametrize("spec", SPECS, ids=IDS)
def test_a_check_says_what_it_is(spec: CheckSpec) -> None:
    check = made(spec)
    assert check.spec == spec
    assert spec.id.isidentifier()
    assert spec.title
    assert spec.kinds
    assert spec.version
    assert spec.codes
    assert len(set(spec.codes)) == len(spec.codes)


@pytest.mark.parametrize("spec", SPECS, ids=IDS)
def test_every_code_has_a_page(spec: CheckSpec) -> None:
    for code in spec.codes:
        page = explain.page(code)
        assert page.title
        positions = [page.body.find(f"**{word}** ") for word in explain.PARTS]
        assert -1 not in positions, f"{code}: a part is missing"
        assert positions == sorted(positions), f"{code}: the parts stand in another order"


def test_there_is_no_page_for_a_code_that_no_check_gives() -> None:
    assert set(explain.codes()) == {code for spec in SPECS for code in spec.codes}


def test_only_generator_marks_and_models_point_to_generation(tmp_path: Path) -> None:
    answers: dict[str, Any] = {}
    for name, write in MEDIA.items():
        folder = tmp_path / name
        folder.mkdir()
        for spec in SPECS:
            if spec.family in (Family.STRUCTURE, Family.PIXELS):
                answers[f"{name} {spec.id}"] = examine(made(spec), FakeSubject(write(folder)))
    pointing = [f for a in answers.values() if isinstance(a, CheckResult) for f in a.findings]
    assert pointing
    assert all(f.points_to is not PointsTo.GENERATED for f in pointing)
