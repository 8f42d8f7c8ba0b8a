"""Copy-move on real forgeries with their masks, and on photographs that nobody edited."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from deepscan.checks.cloning.effort import FULL
from deepscan.checks.cloning.picture import prepare
from deepscan.checks.cloning.search import find_copies
from deepscan.checks.copy_move import CopyMove
from deepscan.types import Level, PointsTo
from tests.fake_subject import FakeSubject

pytestmark = pytest.mark.corpus

FORGED = ("012", "034", "087", "144")
"""A moved statue, a moved ornament, a scaled sign and a turned one; the benchmark measures all of them."""


@pytest.mark.parametrize("name", FORGED)
def test_forged_parts_are_found_where_the_mask_says(corpus: Path, name: str) -> None:
    folder = corpus / "forensics" / "tampered" / "CoMoFoD"
    subject = FakeSubject(folder / "forged" / f"{name}.png", keeps_exhibits=True)
    (finding,) = CopyMove().run(subject).findings
    assert (finding.level, finding.points_to) == (Level.MODERATE, PointsTo.EDITED)
    with Image.open(folder / "mask" / f"{name}.png") as image:
        wanted = np.asarray(image.convert("L")) > 127
    found = subject.stored["copy-move-mask"][..., 0] > 0
    assert 2 * (found & wanted).sum() / (found.sum() + wanted.sum()) >= 0.7


@pytest.mark.parametrize("name", ["005", "118", "190"])
def test_originals_with_repeated_signs_windows_and_ornaments_are_silent(corpus: Path, name: str) -> None:
    path = corpus / "forensics" / "tampered" / "CoMoFoD" / "orig" / f"{name}.png"
    assert not CopyMove().run(FakeSubject(path)).findings


def test_photographs_are_silent(corpus: Path) -> None:
    pictures = sorted((corpus / "forensics" / "tampered" / "BSDS-exif-forged" / "original").glob("*.jpg"))[::3]
    assert pictures
    for path in pictures:
        with Image.open(path) as image:
            assert find_copies(prepare(np.asarray(image.convert("RGB")), FULL.pixels)) == [], path.name
