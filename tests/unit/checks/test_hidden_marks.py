"""What is hidden in pixels is found, and nothing is found where nothing is hidden."""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from deepscan.checks.hidden_marks import RECORD, WATERMARK, HiddenMarks
from deepscan.checks.marks import stealth, watermark
from deepscan.checks.marks.watermark import MESSAGES, RARE, chance_of, find_messages, needed
from deepscan.types import Finding, Level, PointsTo
from tests import media_factory as media
from tests.fake_subject import FakeSubject
from tests.unit.checks.test_marks import INFOTEXT
from tests.unit.checks.watermarked import hide
from tests.unit.checks.watermarked import watermark as write_watermark

NOVELAI = json.dumps(
    {"Software": "NovelAI", "Description": "a cat", "Comment": json.dumps({"steps": 28, "sampler": "k", "seed": 5})}
)
FORMS = ("stealth_pnginfo", "stealth_pngcomp", "stealth_rgbinfo", "stealth_rgbcomp")


def findings(path: Path) -> tuple[Finding, ...]:
    return HiddenMarks().run(FakeSubject(path)).findings


def value(finding: Finding) -> dict[str, object]:
    (evidence,) = finding.evidence
    assert isinstance(evidence.value, dict)
    return dict(evidence.value)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("size", [(160, 120), (600, 9), (9, 600)])
def test_a_hidden_record_is_read_in_every_form(form: str, size: tuple[int, int], tmp_path: Path) -> None:
    image = Image.fromarray(hide(media.pixels(size), INFOTEXT, form))
    (finding,) = findings(media.write_png(tmp_path, image=image))
    assert (finding.code, finding.level, finding.points_to) == (RECORD, Level.STRONG, PointsTo.GENERATED)
    assert "not signed" in finding.summary
    told = value(finding)
    assert told["seed"] == "235284042"
    assert "AUTOMATIC1111" in str(told["generator"])


def test_novelai_is_named_by_what_it_hides(tmp_path: Path) -> None:
    image = Image.fromarray(hide(media.pixels((160, 120)), NOVELAI))
    told = value(findings(media.write_png(tmp_path, image=image))[0])
    assert (told["generator"], told["seed"]) == ("NovelAI", "5")


def test_a_lossless_webp_keeps_it_too(tmp_path: Path) -> None:
    image = Image.fromarray(hide(media.pixels((160, 120)), INFOTEXT))
    assert [f.code for f in findings(media.write_webp(tmp_path, image=image, lossless=True, exact=True))] == [RECORD]


def test_a_record_of_nobody_known_is_told_as_it_is(tmp_path: Path) -> None:
    image = Image.fromarray(hide(media.pixels((160, 120)), "nothing \x1b[31m\u202e known"))
    (finding,) = findings(media.write_png(tmp_path, image=image))
    assert "a generator that is not named" in finding.summary
    assert finding.summary.isprintable()


@pytest.mark.parametrize(
    ("text", "form", "told"),
    [
        (INFOTEXT, "stealth_pngcomp", 2**32 - 1),
        (INFOTEXT, "stealth_pngcomp", 0),
        (INFOTEXT, "stealth_pngcomp", 80),
        (INFOTEXT, "stealth_pnginfo", 2**31),
        ("x" * 20_000_000, "stealth_pngcomp", None),
    ],
    ids=["longer than the picture", "empty", "cut short", "two thousand million", "a bomb"],
)
def test_what_cannot_be_read_is_said_and_costs_little(text: str, form: str, told: int | None, tmp_path: Path) -> None:
    image = Image.fromarray(hide(media.pixels((480, 400)), text, form, told))
    path = media.write_png(tmp_path, image=image)
    started = time.process_time()
    (finding,) = findings(path)
    assert time.process_time() - started < 2
    assert finding.level is Level.MODERATE
    assert "cannot be read" in finding.summary
    assert "unreadable" in value(finding)


def test_nothing_is_found_where_nothing_is_hidden(tmp_path: Path) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (300, 300, 4), np.uint8)
    for path in (
        media.write_png(tmp_path),
        media.write_alpha_png(tmp_path),
        media.write_png(tmp_path, "noise.png", image=Image.fromarray(noise)),
        media.write_png(tmp_path, "large.png", size=(640, 480)),
        media.write_jpeg(tmp_path, size=(640, 480)),
        media.write_webp(tmp_path, size=(640, 480)),
        media.write_gif(tmp_path, durations=(50, 50)),
    ):
        assert findings(path) == ()


def test_a_signature_one_letter_off_is_none() -> None:
    pixels = hide(media.pixels((160, 120)), INFOTEXT)
    assert stealth.find_hidden(pixels) is not None
    pixels[3, 0, 3] ^= 1
    assert stealth.find_hidden(pixels) is None


def test_a_record_in_the_wrong_channels_is_none() -> None:
    assert stealth.find_hidden(hide(media.pixels((160, 120)), INFOTEXT, "stealth_rgbinfo")[..., ::-1]) is None


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: message.generator)
@pytest.mark.parametrize(("fractions", "swapped"), [(False, False), (True, False), (True, True)])
def test_a_known_message_is_read_in_the_ways_it_is_written(
    message: watermark.Message, fractions: bool, swapped: bool, tmp_path: Path
) -> None:
    pixels = write_watermark(media.pixels((1024, 768)), message.bits, fractions=fractions, swapped=swapped)
    (finding,) = findings(media.write_png(tmp_path, image=Image.fromarray(pixels)))
    assert (finding.code, finding.level, finding.points_to) == (WATERMARK, Level.STRONG, PointsTo.GENERATED)
    assert "not signed" in finding.summary
    assert "by chance" in finding.summary
    assert value(finding)["generator"] == message.generator


def test_another_message_is_none() -> None:
    bits = np.random.default_rng(3).integers(0, 2, 48).tolist()
    for match in find_messages(write_watermark(media.pixels((768, 512)), bits)):
        assert match.matching < needed(len(match.message.bits))


def test_the_chance_of_a_match_is_as_rare_as_stated() -> None:
    for message in MESSAGES:
        fewest = needed(len(message.bits))
        assert chance_of(len(message.bits), fewest) <= RARE < chance_of(len(message.bits), fewest - 1)
    assert RARE * watermark.WAYS * len(MESSAGES) <= 1e-6


@pytest.mark.parametrize(
    "pixels",
    [
        np.full((512, 512, 3), 128, np.uint8),
        np.zeros((512, 512, 3), np.uint8),
        np.tile(np.arange(256, dtype=np.uint8), (512, 2))[..., None].repeat(3, axis=2),
        np.indices((512, 512)).sum(axis=0)[..., None].repeat(3, axis=2).astype(np.uint8) // 8 % 2 * 255,
        np.random.default_rng(5).integers(0, 256, (512, 512, 3), np.uint8),
    ],
    ids=["grey", "black", "ramp", "checks", "noise"],
)
def test_regular_pictures_carry_no_message(pixels: media.Pixels) -> None:
    assert all(match.matching < needed(len(match.message.bits)) for match in find_messages(pixels.astype(np.uint8)))


def test_pictures_too_small_to_be_marked_are_not_read() -> None:
    assert find_messages(media.pixels((255, 255))) == ()
