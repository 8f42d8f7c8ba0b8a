"""Preprocessing equals transformers' own image processor, pixel by pixel and logit by logit, or is refused."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deepscan.errors import CorruptPackError, LimitError
from deepscan.media.frames import Pixels
from deepscan.models import loader, packs
from deepscan.models.card import MAX_INPUT_SIDE
from deepscan.models.preprocess import fit, normalise
from deepscan.models.processors import preprocessing
from tests.fake_pack import SIDE, make_model, make_plain, vit_config

SHAPES = ((48, 48), (57, 33), (33, 57), (200, 131), (31, 17), (12, 90), (256, 256))
"""Height and width of test pictures: the input size itself, odd, smaller, much larger, long."""


def _picture(height: int, width: int) -> Pixels:
    """Structure and noise: flat areas would hide a wrong filter."""
    noise = np.random.default_rng(height * 1000 + width).integers(0, 90, (height, width, 3))
    y, x = np.mgrid[0:height, 0:width]
    waves = np.stack([128 + 60 * np.sin(x / 3 + c) + 60 * np.cos(y / 4 - c) for c in range(3)], axis=-1)
    return np.clip(waves + noise - 45, 0, 255).astype(np.uint8)


def _processor(name: str, settings: dict[str, Any]) -> Any:
    """transformers' processor of that name in its PIL form, under whichever name this version has it."""
    transformers: Any = importlib.import_module("transformers")
    kind = getattr(transformers, name + "Pil", None) or getattr(transformers, name)
    try:
        return kind(**settings)
    except ImportError as e:  # SegformerImageProcessorPil of 5.17 wants torchvision
        pytest.skip(f"this transformers cannot make a {name}: {str(e).strip().splitlines()[0]}")


SQUARE = {"height": SIDE, "width": SIDE}
PROCESSORS: dict[str, tuple[str, dict[str, Any]]] = {
    "vit": ("ViTImageProcessor", {"size": SQUARE}),
    "vit-not-square": ("ViTImageProcessor", {"size": {"height": 40, "width": 64}}),
    "vit-nearest": ("ViTImageProcessor", {"size": SQUARE, "resample": 0}),
    "vit-lanczos": ("ViTImageProcessor", {"size": SQUARE, "resample": 1}),
    "vit-hamming": ("ViTImageProcessor", {"size": SQUARE, "resample": 5}),
    "vit-plain-pixels": ("ViTImageProcessor", {"size": SQUARE, "do_rescale": False, "do_normalize": False}),
    "vit-only-rescaled": ("ViTImageProcessor", {"size": SQUARE, "do_normalize": False, "rescale_factor": 1 / 127.5}),
    "beit": ("BeitImageProcessor", {"size": SQUARE, "do_center_crop": False}),
    "deit-without-crop": ("DeiTImageProcessor", {"size": SQUARE, "do_center_crop": False}),
    "deit-crop-of-same-size": ("DeiTImageProcessor", {"size": SQUARE, "crop_size": SQUARE}),
    "pvt": ("PvtImageProcessor", {"size": SQUARE}),
    "siglip": ("SiglipImageProcessor", {"size": SQUARE}),
    "segformer": ("SegformerImageProcessor", {"size": SQUARE}),
    "convnext-below-384": ("ConvNextImageProcessor", {"size": {"shortest_edge": SIDE}, "crop_pct": 0.875}),
    "convnext-other-crop": ("ConvNextImageProcessor", {"size": {"shortest_edge": SIDE}, "crop_pct": 0.95}),
    "convnext-from-384": ("ConvNextImageProcessor", {"size": {"shortest_edge": 384}, "crop_pct": 0.875}),
    "bit": ("BitImageProcessor", {"size": {"shortest_edge": 56}, "crop_size": SQUARE}),
    "bit-crop-larger-than-edge": ("BitImageProcessor", {"size": {"shortest_edge": 37}, "crop_size": SQUARE}),
    "clip": ("CLIPImageProcessor", {"size": {"shortest_edge": SIDE}, "crop_size": SQUARE}),
    "clip-oblong-crop": (
        "CLIPImageProcessor",
        {"size": {"shortest_edge": 51}, "crop_size": {"height": 40, "width": 64}},
    ),
    "levit": ("LevitImageProcessor", {"size": {"shortest_edge": SIDE}, "crop_size": SQUARE}),
    "mobilenet-v1": ("MobileNetV1ImageProcessor", {"size": {"shortest_edge": 54}, "crop_size": SQUARE}),
    "mobilenet-v2": ("MobileNetV2ImageProcessor", {"size": {"shortest_edge": 54}, "crop_size": SQUARE}),
    "mobilevit-rgb": (
        "MobileViTImageProcessor",
        {"size": {"shortest_edge": 54}, "crop_size": SQUARE, "do_flip_channel_order": False},
    ),
    "poolformer": ("PoolFormerImageProcessor", {"size": {"shortest_edge": SIDE}, "crop_size": SQUARE, "crop_pct": 0.9}),
    "poolformer-square": ("PoolFormerImageProcessor", {"size": SQUARE, "crop_size": SQUARE, "crop_pct": 0.95}),
    "efficientnet": ("EfficientNetImageProcessor", {"size": SQUARE}),
    "efficientnet-offset": (
        "EfficientNetImageProcessor",
        {"size": SQUARE, "rescale_offset": True, "rescale_factor": 1 / 127.5, "include_top": False},
    ),
}


@pytest.mark.parametrize("name", PROCESSORS)
def test_tensors_equal_those_of_transformers(name: str, tmp_path: Path) -> None:
    import torch

    processor = _processor(*PROCESSORS[name])
    processor.save_pretrained(tmp_path)
    settings = json.loads((tmp_path / "preprocessor_config.json").read_text())
    rule = preprocessing(settings, name)
    for height, width in SHAPES:
        picture = _picture(height, width)
        expected = processor(images=picture, return_tensors="pt", input_data_format="channels_last")["pixel_values"]
        found = normalise(torch.from_numpy(fit(picture, rule).copy())[None], rule)
        assert found.shape == expected.shape
        # Relative to the size of the numbers: unnormalised pixels go up to 255.
        bound = 1e-6 * max(1.0, float(expected.abs().max()))
        assert float((found - expected).abs().max()) <= bound, (height, width)


@pytest.mark.parametrize("name", ["vit", "convnext-below-384", "bit", "siglip", "clip"])
def test_logits_equal_those_of_transformers(name: str, tmp_path: Path) -> None:
    import torch

    model = make_model(vit_config())
    processor = _processor(*PROCESSORS[name])
    folder = make_plain(tmp_path / "model", model, processor)
    pack = packs.find(str(folder), fake_label=None, offline=True)
    network = loader.load(pack, device="cpu", precision="fp32")
    pictures = [_picture(*shape) for shape in SHAPES]
    found = network.logits(np.stack([fit(picture, pack.card.preprocessing) for picture in pictures]))
    for picture, logit in zip(pictures, found, strict=True):
        tensors = processor(images=picture, return_tensors="pt", input_data_format="channels_last")
        with torch.inference_mode():
            real, fake = model(**tensors).logits[0].tolist()
        assert logit == pytest.approx(fake - real, abs=2e-5)


BASE: dict[str, Any] = {
    "image_processor_type": "ViTImageProcessor",
    "size": {"height": 224, "width": 224},
    "resample": 2,
    "image_mean": [0.5, 0.5, 0.5],
    "image_std": [0.5, 0.5, 0.5],
}


@pytest.mark.parametrize(
    "changes",
    [
        {"image_processor_type": "ViTImageProcessorFast", "device": None, "data_format": "channels_first"},
        {"image_processor_type": "ViTFeatureExtractor"},
        {"image_processor_type": None, "feature_extractor_type": "ViTFeatureExtractor", "size": 224},
        {"size": [224, 224], "_valid_processor_keys": ["images"], "do_convert_rgb": True, "do_pad": None},
        {"some_new_switch": False, "another": None},
    ],
)
def test_older_and_newer_spellings_mean_the_same(changes: dict[str, Any]) -> None:
    assert preprocessing({**BASE, **changes}, "m") == preprocessing(BASE, "m")


BIT = {**BASE, "image_processor_type": "BitImageProcessor", "size": 256, "crop_size": 224}


def test_one_number_is_a_shortest_edge_where_the_class_says_so() -> None:
    rule = preprocessing(BIT, "m")
    assert (rule.shortest_edge, rule.width, rule.height) == (256, 224, 224)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"image_processor_type": "MyImageProcessor"}, "MyImageProcessor"),
        ({"image_processor_type": "ImageGPTImageProcessor"}, "ImageGPTImageProcessor"),
        ({"image_processor_type": "PerceiverImageProcessor"}, "PerceiverImageProcessor"),
        ({"image_processor_type": "Siglip2ImageProcessor"}, "Siglip2ImageProcessor"),
        ({"image_processor_type": "BeitImageProcessor"}, "do_center_crop"),
        ({"image_processor_type": None}, "image_processor_type"),
        ({"image_processor_type": ["ViTImageProcessor"]}, "image_processor_type"),
        ({"auto_map": {"AutoImageProcessor": "x.Y"}}, "auto_map"),
        ({"do_resize": False}, "do_resize"),
        ({"do_resize": "yes"}, "do_resize"),
        ({"do_center_crop": True, "crop_size": 200}, "squeezes"),
        ({"do_center_crop": True}, "crop_size"),
        ({"size": {"shortest_edge": 224}}, "another size"),
        ({"size": {"shortest_edge": 224, "longest_edge": 500}}, "size"),
        ({"size": {"height": 224}}, "size"),
        ({"size": None}, "size"),
        ({"size": {"height": 10**6, "width": 224}}, "1000000"),
        ({"size": {"height": 0, "width": 224}}, "size"),
        ({"size": {"height": True, "width": 224}}, "size"),
        ({"resample": 9}, "resample"),
        ({"resample": None}, "resample"),
        ({"image_mean": [0.5, 0.5]}, "image_mean"),
        ({"image_mean": [0.5, 0.5, "x"]}, "image_mean"),
        ({"image_std": [0.5, 0, 0.5]}, "image_std"),
        ({"image_std": [0.5, 1e999, 0.5]}, "image_std"),
        ({"rescale_factor": "1/255"}, "rescale_factor"),
        ({"do_pad": True}, "do_pad"),
        ({"do_flip_channel_order": True}, "do_flip_channel_order"),
        ({"some_new_switch": True}, "some_new_switch"),
        ({"image_processor_type": "CLIPImageProcessor", "use_square_size": True}, "use_square_size"),
        ({"image_processor_type": "ConvNextImageProcessor", "size": 224, "crop_pct": 0}, "crop_pct"),
        ({"image_processor_type": "ConvNextImageProcessor"}, "shortest_edge"),
        (
            {"image_processor_type": "ConvNextImageProcessor", "size": 224, "do_center_crop": True, "crop_size": 200},
            "do_center_crop",
        ),
    ],
)
def test_what_cannot_be_done_is_refused_by_name(changes: dict[str, Any], named: str) -> None:
    with pytest.raises(CorruptPackError, match=named) as caught:
        preprocessing({**BASE, **changes}, "some/model")
    assert "some/model" in caught.value.message
    assert "ViTImageProcessor" in caught.value.hint


def test_mobilevit_in_bgr_is_refused(tmp_path: Path) -> None:
    _processor("MobileViTImageProcessor", {"size": {"shortest_edge": 54}, "crop_size": SQUARE}).save_pretrained(
        tmp_path
    )
    settings = json.loads((tmp_path / "preprocessor_config.json").read_text())
    with pytest.raises(CorruptPackError, match="do_flip_channel_order"):
        preprocessing(settings, "m")


def test_a_long_strip_is_refused_before_it_is_enlarged() -> None:
    rule = preprocessing(BIT, "m")
    strip = np.zeros((1, 60_000, 3), np.uint8)  # would become 256 x 15,360,000 pixels
    with pytest.raises(LimitError, match="60,000 x 1"):
        fit(strip, rule)


def test_the_largest_input_is_accepted() -> None:
    assert preprocessing({**BASE, "size": MAX_INPUT_SIDE}, "m").width == MAX_INPUT_SIDE
