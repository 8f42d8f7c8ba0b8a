"""A card for a plain Hugging Face image classifier, which brings none.

Everything in it is read from the model's own files or refused; what those files do not say (what it was trained on,
how often it is wrong) the card calls unknown, and such a model's findings stay weak.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from deepscan.errors import CorruptPackError
from deepscan.models.calibration import Calibration
from deepscan.models.card import CARD_FORMAT, ModelCard, Threshold, View
from deepscan.models.files import CONFIG_NAME, hash_weights, read_config, read_json, weight_files
from deepscan.models.hub import README_NAME
from deepscan.models.labels import fake_label
from deepscan.models.processors import PROCESSOR_NAME, preprocessing
from deepscan.text import clean
from deepscan.types import JSONValue, Level

NOT_MEASURED = "not measured"

MIN_SIDE = 32
"""Pixels on the shorter side below which a picture is not shown to a model whose limits nobody states."""

MAX_LABELS = 1000

_UNMEASURED_THRESHOLD = 0.5
_TOLERANCE = 1e-3
_README_BYTES = 64 * 1024
_FRONT_MATTER = re.compile(r"\A---\r?\n(.*?)\r?\n---\s", re.DOTALL)
_LICENCE = re.compile(r"^(license|license_name):[ \t]*['\"]?([A-Za-z0-9][\w .+-]{0,60}?)['\"]?[ \t]*\r?$", re.MULTILINE)


def card_of(folder: Path, *, name: str, version: str, wanted_label: str | None) -> ModelCard:
    """Derive the card of a folder with ``config.json``, ``preprocessor_config.json`` and safetensors weights.

    Args:
        folder: The model's folder; all its weights are read once, to hash them.
        name: What the card calls the model (its id on the Hub, or the folder's name).
        version: Its commit on the Hub, or "unknown".
        wanted_label: What the user gave with ``--fake-label``, or None.

    Raises:
        CorruptPackError: a file is missing, damaged, or asks for something deepscan does not do.
        ModelNotFoundError: there are no weights in safetensors format.
        LabelError: nothing says which label means fake.
    """
    config = read_config(folder)
    architecture = _architecture(config, name)
    labels = _labels(config, name)
    rule = preprocessing(read_json(folder / PROCESSOR_NAME), name)
    fake = fake_label(labels, wanted_label, name)
    files = weight_files(folder)
    measured: Mapping[str, JSONValue] = {}
    return ModelCard(
        format=CARD_FORMAT,
        name=name,
        version=version,
        architecture=architecture,
        preprocessing=rule,
        view=View(subject="frame", margin=0.0, min_side=MIN_SIDE),
        labels=labels,
        fake_label=fake,
        calibration=Calibration(method="none", temperature=1.0, bias=0.0),
        thresholds=(Threshold(Level.WEAK, _UNMEASURED_THRESHOLD, None, NOT_MEASURED),),
        coverage="not stated, since the model comes without a deepscan card.",
        data="Not stated: see the model's own page.",
        licence=_licence(folder),
        licence_class="unknown",
        metrics=measured,
        provenance={
            "made_by": "derived by deepscan from config.json and preprocessor_config.json",
            "files": len(files),
        },
        weights_sha256=hash_weights(files),
        golden=(),
        tolerance=_TOLERANCE,
    )


def _architecture(config: Mapping[str, Any], name: str) -> str:
    architectures = config.get("architectures")
    found: object = architectures[0] if isinstance(architectures, list) and architectures else None
    if not isinstance(found, str):
        raise CorruptPackError(f"The {CONFIG_NAME} of {clean(name)} does not say what the model is (architectures).")
    if "ForImageClassification" not in found:
        raise CorruptPackError(
            f"The model {clean(name)} is a {clean(found, 80)}, not an image classifier.",
            "Give a model whose architecture ends in ForImageClassification.",
        )
    if config.get("problem_type") not in (None, "single_label_classification"):
        raise CorruptPackError(
            f"The model {clean(name)} solves a {clean(str(config['problem_type']), 60)} problem, "
            "and deepscan needs one that chooses between labels.",
        )
    return found


def _labels(config: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """The labels in the order of the outputs; transformers' own names where the configuration has none."""
    found = config.get("id2label")
    if found is None:
        count = config.get("num_labels", 2)
        if not isinstance(count, int) or not 2 <= count <= MAX_LABELS:
            raise CorruptPackError(f"The {CONFIG_NAME} of {clean(name)} has {clean(str(count), 40)} labels.")
        return tuple(f"LABEL_{i}" for i in range(count))
    if not isinstance(found, Mapping) or not 2 <= len(found) <= MAX_LABELS:
        raise CorruptPackError(
            f"The {CONFIG_NAME} of {clean(name)} lists no two to {MAX_LABELS:,} labels (id2label), "
            "and deepscan needs a model that chooses between labels."
        )
    if found.keys() != {str(i) for i in range(len(found))} or not all(isinstance(v, str) for v in found.values()):
        raise CorruptPackError(f"The labels in the {CONFIG_NAME} of {clean(name)} are not numbered from 0 (id2label).")
    labels = tuple(found[str(i)] for i in range(len(found)))
    if len(set(labels)) != len(labels):
        raise CorruptPackError(f"The {CONFIG_NAME} of {clean(name)} gives two outputs the same label (id2label).")
    return labels


def _licence(folder: Path) -> str:
    """The licence in the front matter of the model's README, or "unknown".

    One line is looked for, instead of parsing a stranger's YAML.
    """
    path = folder / README_NAME
    try:
        if not path.is_file():
            return "unknown"
        with path.open("rb") as file:
            text = file.read(_README_BYTES).decode("utf-8", "replace")
    except OSError:
        return "unknown"
    front = _FRONT_MATTER.match(text)
    found: dict[str, str] = dict(_LICENCE.findall(front[1])) if front else {}
    licence = found.get("license", "unknown")
    return found.get("license_name", licence) if licence == "other" else licence
