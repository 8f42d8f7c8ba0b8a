"""A transformers image processor's settings, turned into the card's :class:`Preprocessing`, or refused.

What the pictures went through in training must happen here too, to the pixel: a wrong resize moves scores by more than
most forgeries do. So a processor is taken over only when every one of its settings is understood; anything else is
refused with the setting's name. ``tests/unit/models/test_processors.py`` compares tensors and logits with transformers.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from deepscan.errors import CorruptPackError
from deepscan.models.card import MAX_INPUT_SIDE, Preprocessing
from deepscan.text import clean

PROCESSOR_NAME = "preprocessor_config.json"


@dataclass(frozen=True, slots=True)
class _Kind:
    """What a processor class does when its file does not say, read off its source in transformers 4.56 to 5.23.

    ``crops``: it centre-crops unless told not to (None: versions differ, so the file must say). ``square``: a size
    given as one number means a square, not the shorter edge. ``enlarge``: what the class does to its size before it
    resizes.
    """

    crops: bool | None = False
    square: bool = True
    enlarge: str = ""


_KINDS: Mapping[str, _Kind] = {
    "ViTImageProcessor": _Kind(),
    "BeitImageProcessor": _Kind(crops=None),
    "SegformerImageProcessor": _Kind(),
    "PvtImageProcessor": _Kind(),
    "EfficientNetImageProcessor": _Kind(),
    "SiglipImageProcessor": _Kind(square=False),
    "DeiTImageProcessor": _Kind(crops=True),
    "BitImageProcessor": _Kind(crops=True, square=False),
    "CLIPImageProcessor": _Kind(crops=True, square=False),
    "MobileNetV1ImageProcessor": _Kind(crops=True, square=False),
    "MobileNetV2ImageProcessor": _Kind(crops=True, square=False),
    "MobileViTImageProcessor": _Kind(crops=True, square=False),
    "LevitImageProcessor": _Kind(crops=True, square=False, enlarge="levit"),
    "PoolFormerImageProcessor": _Kind(crops=True, square=False, enlarge="poolformer"),
    "ConvNextImageProcessor": _Kind(square=False, enlarge="convnext"),
}

# Settings that this module reads, and settings that say nothing about one RGB picture without a segmentation map.
_READ_WORDS = """
    image_processor_type feature_extractor_type do_resize size resample do_center_crop crop_size crop_pct do_rescale
    rescale_factor do_normalize image_mean image_std do_flip_channel_order rescale_offset include_top
    default_to_square do_pad
"""
_HARMLESS_WORDS = """
    do_convert_rgb do_convert_grayscale do_reduce_labels reduce_labels data_format input_data_format device
    disable_grouping return_tensors processor_class backend use_fast pad_size padding_mode fill_value
    _valid_processor_keys _valid_kwargs_names model_input_names size_divisor transformers_version
"""
_READ = frozenset(_READ_WORDS.split())
_HARMLESS = frozenset(_HARMLESS_WORDS.split())
# Of the harmless ones, those that do change a plain picture when they are set.
_REFUSED_WHEN_SET = frozenset({"do_convert_grayscale", "size_divisor", "do_pad", "do_flip_channel_order"})

_RESAMPLING = {0: "nearest", 1: "lanczos", 2: "bilinear", 3: "bicubic", 4: "box", 5: "hamming"}
"""Pillow's filter numbers, which is what the files hold."""


def preprocessing(settings: Mapping[str, Any], source: str) -> Preprocessing:
    """The :class:`Preprocessing` that does what a ``preprocessor_config.json`` asks for.

    Args:
        settings: The file's content.
        source: The model's name, for errors.

    Raises:
        CorruptPackError: the processor does something that deepscan's preprocessing cannot; the sentence says what.
    """
    reader = _Settings(settings, source)
    name = _kind_name(settings, reader)
    kind = _KINDS[name]
    reader.refuse_the_unknown()
    if not reader.flag("do_resize", default=True):
        raise reader.refusal("does not resize the picture (do_resize is off)")
    width, height, shortest_edge = _geometry(reader, kind)
    scale, mean, std = _numbers(reader, name)
    return Preprocessing(width, height, shortest_edge, _filter(reader), scale, mean, std)


def _kind_name(settings: Mapping[str, Any], reader: _Settings) -> str:
    found = settings.get("image_processor_type") or settings.get("feature_extractor_type")
    if not isinstance(found, str):
        raise reader.refusal("does not say of which type it is (image_processor_type)")
    name = found.removesuffix("Fast").removesuffix("Pil").replace("FeatureExtractor", "ImageProcessor")
    if name not in _KINDS:
        raise reader.refusal(f"is a {clean(found, 60)}, which prepares pictures in its own way")
    return name


def _geometry(reader: _Settings, kind: _Kind) -> tuple[int, int, int | None]:
    """Input width, input height, and the shortest edge or None."""
    edge, box = reader.size("size", square=reader.flag("default_to_square", default=kind.square))
    crop_pct = reader.crop_pct()
    if kind.crops is None and reader.values.get("do_center_crop") is None:
        raise reader.refusal("does not say whether it crops the picture (do_center_crop)")
    crops = reader.flag("do_center_crop", default=bool(kind.crops))
    if kind.enlarge == "convnext":
        if edge is None:
            raise reader.refusal("gives no shortest_edge as its size")
        if edge >= 384:  # ConvNext: "warping (no cropping) when evaluated at 384 or larger"
            resized, target = None, (edge, edge)
        else:
            resized, target = int(edge / (224 / 256 if crop_pct is None else crop_pct)), (edge, edge)
        if crops and reader.size("crop_size", square=True)[1] != target:
            raise reader.refusal("crops the picture a second time (do_center_crop)")
        return target[0], target[1], resized
    if kind.enlarge == "levit" and edge is not None:
        edge = int((256 / 224) * edge)
    if kind.enlarge == "poolformer":
        if edge is None and box is not None and box[0] == box[1]:
            edge, box = box[0], None
        if edge is None:
            raise reader.refusal("resizes to a size that is neither a square nor a shortest edge")
        edge = int(edge / (0.9 if crop_pct is None else crop_pct))
    crop = reader.size("crop_size", square=True)[1] if crops else None
    if edge is not None:
        if crop is None:
            raise reader.refusal("keeps the aspect ratio without a centre crop, so that every input has another size")
        return crop[0], crop[1], edge
    assert box is not None
    if crop is not None and crop != box:
        raise reader.refusal(
            f"squeezes the picture to {box[0]} x {box[1]} pixels and then crops {crop[0]} x {crop[1]} out of it"
        )
    return box[0], box[1], None


def _numbers(reader: _Settings, name: str) -> tuple[float, tuple[float, float, float], tuple[float, float, float]]:
    """Scale, mean and standard deviation, with EfficientNet's two extra steps folded in."""
    rescales = reader.flag("do_rescale", default=True)
    scale = reader.number("rescale_factor", 1 / 255) if rescales else 1.0
    mean, std = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
    # MobileViT has the switch, and never normalises.
    normalises = name != "MobileViTImageProcessor" and reader.flag("do_normalize", default=True)
    if normalises:
        mean, std = reader.triple("image_mean"), reader.triple("image_std")
    if name == "EfficientNetImageProcessor":
        if rescales and reader.flag("rescale_offset", default=False):  # x * scale - 1
            mean = (mean[0] + 1, mean[1] + 1, mean[2] + 1)
        if reader.flag("include_top", default=True):  # divided by the deviation once more
            again = reader.triple("image_std")
            std = (std[0] * again[0], std[1] * again[1], std[2] * again[2])
    return scale, mean, std


def _filter(reader: _Settings) -> str:
    number = reader.values.get("resample")
    if isinstance(number, bool) or not isinstance(number, int) or number not in _RESAMPLING:
        raise reader.refusal("does not say with which filter it resizes (resample)")
    return _RESAMPLING[number]


@dataclass(frozen=True, slots=True)
class _Settings:
    """Typed access to the file; every surprise is a refusal that names the setting."""

    values: Mapping[str, Any]
    source: str

    def refusal(self, why: str) -> CorruptPackError:
        return CorruptPackError(
            f"The image processor of {clean(self.source)} {why}, and deepscan cannot prepare pictures in that way.",
            f"deepscan supports {', '.join(sorted(_KINDS))}; a wrong preparation would make the scores wrong.",
        )

    def refuse_the_unknown(self) -> None:
        if self.values.get("auto_map"):
            raise self.refusal("needs Python code of its own (auto_map)")
        for name, value in self.values.items():
            known = name in _READ or name in _HARMLESS
            if (value and name in _REFUSED_WHEN_SET) or (not known and value not in (None, False)):
                raise self.refusal(f"has the setting {clean(name, 60)} = {clean(str(value), 60)}")

    def flag(self, name: str, *, default: bool) -> bool:
        value = self.values.get(name)
        if value is not None and not isinstance(value, bool):
            raise self.refusal(f"has {name} = {clean(str(value), 60)}, which is neither true nor false")
        return default if value is None else value

    def number(self, name: str, default: float) -> float:
        value = self.values.get(name)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise self.refusal(f"has {name} = {clean(str(value), 60)}, which is no number")
        return float(value)

    def crop_pct(self) -> float | None:
        if self.values.get("crop_pct") is None:
            return None
        value = self.number("crop_pct", 1.0)
        if not 0.1 <= value <= 1:
            raise self.refusal(f"has crop_pct = {value}, which is not between 0.1 and 1")
        return value

    def triple(self, name: str) -> tuple[float, float, float]:
        value = self.values.get(name)
        if not isinstance(value, list) or len(value) != 3:
            raise self.refusal(f"has no list of three numbers as its {name}")
        red, green, blue = (_Settings({name: v}, self.source).number(name, math.nan) for v in value)
        if math.isnan(red + green + blue) or (name == "image_std" and 0 in (red, green, blue)):
            raise self.refusal(f"has {name} = {clean(str(value), 60)}, which cannot be used")
        return red, green, blue

    def size(self, name: str, *, square: bool) -> tuple[int | None, tuple[int, int] | None]:
        """A size in one of transformers' spellings: the shortest edge, or (width, height)."""
        value = self.values.get(name)
        if isinstance(value, Mapping):
            given = {key: side for key, side in value.items() if side is not None}
            if given.keys() == {"shortest_edge"}:
                return self._side(name, given["shortest_edge"]), None
            if given.keys() == {"height", "width"}:
                return None, (self._side(name, given["width"]), self._side(name, given["height"]))
        elif isinstance(value, list) and len(value) == 2:
            return None, (self._side(name, value[1]), self._side(name, value[0]))
        elif isinstance(value, int):
            side = self._side(name, value)
            return (None, (side, side)) if square else (side, None)
        raise self.refusal(f"has {name} = {clean(str(value), 60)}, which deepscan does not understand")

    def _side(self, name: str, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MAX_INPUT_SIDE:
            raise self.refusal(f"has {clean(str(value), 30)} pixels in its {name} (not 1 to {MAX_INPUT_SIDE:,})")
        return value
