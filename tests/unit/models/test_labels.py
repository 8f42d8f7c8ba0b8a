"""Which label means fake is read from a closed vocabulary, or asked for, but never guessed."""

from __future__ import annotations

import pytest

from deepscan.errors import LabelError
from deepscan.models.labels import fake_label, side


@pytest.mark.parametrize(
    "word",
    ["Fake", "FAKE", "Deepfake", "deep fake", "Deep-Fake", "DEEP_FAKE", "AI", "ai-generated", "AI generated",
     "artificial", "Generated", "synthetic", "manipulated", "Forged", "spoof", "GAN", "fake_images", "Fake Faces",
     " fake ", "ＦＡＫＥ"],
)  # fmt: skip
def test_the_fake_side(word: str) -> None:
    assert side(word) == "fake"


@pytest.mark.parametrize(
    "word",
    ["Real", "REAL", "Realism", "authentic", "human", "Natural", "genuine", "original", "live", "photo",
     "real_images", "Real Faces", "not-fake", "bona fide"],
)  # fmt: skip
def test_the_real_side(word: str) -> None:
    assert side(word) == "real"


@pytest.mark.parametrize(
    "word",
    ["", "images", "LABEL_0", "0", "cat", "unreal", "surreal", "fakery museum", "not real", "realfake", "email",
     "training", "positive", "maintain", "fake\u200breal", "Dubai"],
)  # fmt: skip
def test_words_outside_the_vocabulary_have_no_side(word: str) -> None:
    assert side(word) is None


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (("Realism", "Deepfake"), "Deepfake"),
        (("Fake", "Real"), "Fake"),
        (("REAL", "AI"), "AI"),
        (("artificial", "human"), "artificial"),
        (("photo", "authentic", "Deep-Fake"), "Deep-Fake"),
    ],
)
def test_one_fake_label_among_real_ones_is_found(labels: tuple[str, ...], expected: str) -> None:
    assert fake_label(labels, None, "m") == expected


@pytest.mark.parametrize(
    ("labels", "why"),
    [
        (("LABEL_0", "LABEL_1"), '"LABEL_0" is not a word'),
        (("Real", "cat"), '"cat" is not a word'),
        (("AI", "Deepfake", "Real"), "more than one"),
        (("real", "authentic"), "none of them"),
        (("fake",), ""),
    ],
)
def test_unclear_labels_are_refused_with_the_way_out(labels: tuple[str, ...], why: str) -> None:
    if labels == ("fake",):  # one label alone is on the fake side and nothing contradicts it
        assert fake_label(labels, None, "m") == "fake"
        return
    with pytest.raises(LabelError, match="not clear") as caught:
        fake_label(labels, None, "some/model")
    assert why in caught.value.message
    assert all(label in caught.value.message for label in labels)
    assert "--fake-label NAME" in caught.value.hint


def test_the_user_names_a_label_whatever_its_case() -> None:
    assert fake_label(("LABEL_0", "LABEL_1"), "label_1", "m") == "LABEL_1"
    assert fake_label(("Fake", "FAKE", "x"), "FAKE", "m") == "FAKE"


def test_a_name_that_is_no_label_or_two_is_refused() -> None:
    with pytest.raises(LabelError, match="no label") as caught:
        fake_label(("Real", "Fake"), "Deepfake", "m")
    assert '"Real", "Fake"' in caught.value.hint
    with pytest.raises(LabelError):
        fake_label(("Fake", "FAKE"), "fake", "m")


def test_hostile_labels_reach_the_terminal_harmless_and_short() -> None:
    labels = ("\x1b[31mred", *(f"label {i}" for i in range(500)))
    with pytest.raises(LabelError) as caught:
        fake_label(labels, None, "m\n\x1b]0;x\x07")
    assert "\x1b" not in caught.value.message
    assert "\n" not in caught.value.message
    assert len(caught.value.message) < 1000
    assert "481 more" in caught.value.message
