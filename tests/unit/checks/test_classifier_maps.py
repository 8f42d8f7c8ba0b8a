"""Maps as exhibits: which faces get one, that a planted cause is lit in the picture, and that time is bounded."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from deepscan.checks.base import Illustrated
from deepscan.checks.classifier import Classifier
from deepscan.checks.scoring import maps as classifier_maps
from deepscan.checks.scoring.maps import MAX_MAPS, SIDE, Explained, beside
from deepscan.models.attribution import Attribution, occlusion
from deepscan.models.loader import OutOfMemoryError
from deepscan.types import Box, CheckResult
from tests.fake_pack import make_card
from tests.unit.checks.test_classifier import FACE, OTHER, FakeSubject, _finding, _frame


class Corner:
    """Looks at the upper left quarter alone: the more contrast, the more fake."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def logits(self, batch: NDArray[np.uint8]) -> tuple[float, ...]:
        return tuple(float(p[:24, :24].astype(float).std()) / 20 - 2 for p in batch)

    def probabilities(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        return np.array([1 / (1 + np.exp(-v)) for v in self.logits(batch)], np.float32)

    def heat_map(self, pixels: NDArray[np.uint8], seconds: float) -> Attribution:
        self.seconds.append(seconds)
        return occlusion(self.logits, pixels, seconds)


def drawn(network: Any, boxes: list[Box], scores: list[float]) -> tuple[CheckResult, dict[str, NDArray[np.uint8]]]:
    stored: dict[str, NDArray[np.uint8]] = {}

    def keep(name: str, pixels: NDArray[np.uint8]) -> str:
        stored[name] = pixels
        return f"exhibits/{name}.png"

    check = Classifier(make_card(), network)
    subject = FakeSubject([_frame()], {0: boxes})
    samples = check.samples(subject)
    return check.illustrate(check.conclude(subject.item, samples, scores), samples, scores, keep), stored


def test_the_planted_corner_is_lit_in_the_exhibit() -> None:
    assert isinstance(Classifier(make_card()), Illustrated)
    assert isinstance(Corner(), Explained)
    result, stored = drawn(Corner(), [FACE], [0.9])
    (picture,) = stored.values()
    assert picture.shape == (SIDE, 2 * SIDE + 4, 3)
    laid = picture[:, SIDE + 4 :].astype(float)
    colour = laid.max(axis=2) - laid.min(axis=2)  # the picture itself is grey there
    half = SIDE // 2
    inside, outside = colour[:half, :half].mean(), colour[half + 40 :, half + 40 :].mean()
    assert inside > 60
    assert outside < 10
    evidence = _finding(result).evidence
    (found,) = [e for e in evidence if e.exhibit]
    assert found.where is not None
    assert found.where.box == FACE
    assert found.value == {"probability": 0.9, "method": "occlusion", "complete": True}
    assert {"what to look for", "what to ignore"} <= {e.label for e in evidence}


def test_faces_over_the_threshold_are_mapped_highest_first_or_else_the_highest() -> None:
    network = Corner()
    result, stored = drawn(network, [FACE, OTHER], [0.6, 0.9])
    assert list(stored) == ["model-map-1", "model-map-2"]
    assert [e.where.box for e in _finding(result).evidence if e.exhibit and e.where] == [OTHER, FACE]
    assert all(s <= classifier_maps.FILE_SECONDS for s in network.seconds)
    _, one = drawn(network, [FACE, OTHER], [0.1, 0.2])
    assert len(one) == 1
    many = [Box(10 + 3 * i, 10, 40, 40) for i in range(7)]
    assert len(drawn(network, many, [0.9] * 7)[1]) == MAX_MAPS


def test_a_network_that_explains_nothing_or_lacks_memory_costs_no_score(monkeypatch: pytest.MonkeyPatch) -> None:
    class Plain:
        def probabilities(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
            return np.zeros(len(batch), np.float32)

    result, stored = drawn(Plain(), [FACE], [0.9])
    assert not stored
    assert _finding(result).code == "DS-MODEL-001"

    def full(self: Corner, pixels: NDArray[np.uint8], seconds: float) -> Attribution:
        raise OutOfMemoryError("no memory")

    monkeypatch.setattr(Corner, "heat_map", full)
    result, stored = drawn(Corner(), [FACE], [0.9])
    assert not stored
    assert result.score is not None


@pytest.mark.parametrize("values", [np.zeros((4, 4)), np.full((4, 4), -1.0), np.full((4, 4), np.nan)])
def test_maps_without_a_bright_place_are_grey(values: NDArray[Any]) -> None:
    picture = beside(np.full((48, 24, 3), 120, np.uint8), values.astype(np.float32))
    assert picture.shape == (SIDE, 2 * (SIDE // 2) + 4, 3)
    right = picture[:, SIDE // 2 + 4 :].astype(int)
    assert (right.max(axis=2) == right.min(axis=2)).all()
