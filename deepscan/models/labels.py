"""Which label of a model, or which folder of a data set, means fake: a closed vocabulary, never a guess.

A detector whose label order is guessed wrong calls every forgery real, so a word that is not listed here is refused
with a sentence that says how to name the label.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Literal, TypeAlias

from deepscan.errors import LabelError
from deepscan.text import clean

Side: TypeAlias = Literal["fake", "real"]

# Words are compared without case, spaces and punctuation: "Deep-Fake", "deep fake" and "DEEPFAKE" are one word.
_FAKE_WORDS = """
    fake fakes faked deepfake deepfakes ai aigenerated generatedbyai aiart aimade artificial artificiallygenerated
    machinegenerated computergenerated generated synthetic synthesized synthesised synthetized manipulated forged
    forgery spoof spoofed spoofing gan gans diffusion tampered doctored faceswap faceswapped swapped
"""
_REAL_WORDS = """
    real reals realism authentic human humanmade natural nature genuine original originals live photo photos
    photograph photographs photographic pristine bonafide untampered untouched unaltered unmanipulated
    nonfake notfake nondeepfake notdeepfake
"""
# Words that say what is pictured, not which side it is on: "fake_image", "Real Faces".
_NEUTRAL_WORDS = "image images img imgs picture pictures pic pics face faces video videos frame frames"
_FAKE = frozenset(_FAKE_WORDS.split())
_REAL = frozenset(_REAL_WORDS.split())
_NEUTRAL = frozenset(_NEUTRAL_WORDS.split())

_MAX_LISTED = 20


def side(word: str) -> Side | None:
    """Which side a label or a folder name is on, or None when the vocabulary does not hold it.

    Case, spaces and punctuation do not matter, nor do neutral words ("fake_images" is "fake").
    """
    parts = _words(word)
    for candidate in ("".join(parts), "".join(p for p in parts if p not in _NEUTRAL)):
        if candidate in _FAKE:
            return "fake"
        if candidate in _REAL:
            return "real"
    return None


def fake_label(labels: Sequence[str], wanted: str | None, source: str) -> str:
    """The one of ``labels`` that means fake.

    Args:
        labels: The model's labels, in the order of its outputs.
        wanted: What the user gave with ``--fake-label``: it must be one of the labels (case does not matter).
        source: The model's name, for errors.

    Raises:
        LabelError: ``wanted`` is no label, or the vocabulary does not put exactly one label on the fake side and all
            others on the real side.
    """
    if wanted is not None:
        return _named(labels, wanted, source)
    sides = [side(label) for label in labels]
    if sides.count("fake") == 1 and sides.count("real") == len(labels) - 1:
        return labels[sides.index("fake")]
    if sides.count("fake") > 1:
        why = "more than one of them may mean fake"
    elif None in sides:
        unknown = next(label for label, at in zip(labels, sides, strict=True) if at is None)
        why = f'"{clean(unknown, 60)}" is not a word deepscan knows'
    else:
        why = "none of them means fake"
    raise LabelError(
        f"The model {clean(source)} has the labels {_listed(labels)}, and which one means fake is not clear: {why}.",
        "Name the label with --fake-label NAME.",
    )


def _named(labels: Sequence[str], wanted: str, source: str) -> str:
    if wanted in labels:
        return wanted
    same = [label for label in labels if label.casefold() == wanted.casefold()]
    if len(same) == 1:
        return same[0]
    raise LabelError(
        f'The model {clean(source)} has no label "{clean(wanted, 60)}".',
        f"Its labels are {_listed(labels)}: give one of them with --fake-label NAME.",
    )


def _listed(labels: Sequence[str]) -> str:
    shown = ", ".join(f'"{clean(label, 60)}"' for label in labels[:_MAX_LISTED])
    return shown if len(labels) <= _MAX_LISTED else f"{shown} and {len(labels) - _MAX_LISTED:,} more"


def _words(text: str) -> list[str]:
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(c if c.isalnum() else " " for c in folded).split()
