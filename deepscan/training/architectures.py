"""Vision transformers of transformers' own families that training can start from random weights.

Each entry is a configuration, no code: what comes out is loaded by ``AutoModelForImageClassification``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from deepscan.errors import TrainingError

if TYPE_CHECKING:
    from transformers import PretrainedConfig

DEFAULT_SIZE = 144
"""Input side in pixels of a network that starts from random weights."""

ARCHITECTURES: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    # The published small sizes of each family, with as many parameters as a 30 MB pack holds in half precision.
    "levit-128s": ("levit", {"drop_path_rate": 0}),
    "levit-192": (
        "levit",
        {
            "hidden_sizes": [192, 288, 384],
            "num_attention_heads": [3, 5, 6],
            "key_dim": [32, 32, 32],
            "depths": [4, 4, 4],
            "drop_path_rate": 0,
        },
    ),
    "pvt-v2-b0": ("pvt_v2", {}),
    "swiftformer-xs": ("swiftformer", {}),
    # Fewer and wider late stages than swiftformer-xs, with widths that fill vector registers: twice its training rate
    # on a CPU (measured at 144 px on two EPYC cores: 180 against 90 pictures a second).
    "swiftformer-cpu": (
        "swiftformer",
        {"embed_dims": [32, 64, 128, 256], "depths": [2, 2, 3, 2], "mlp_ratio": 3},
    ),
    "vit-tiny": (
        "vit",
        {"hidden_size": 192, "num_hidden_layers": 12, "num_attention_heads": 3, "intermediate_size": 768},
    ),
}


def make_config(arch: str, size: int) -> PretrainedConfig:
    """A configuration with random weights to come, for pictures of ``size`` pixels and the labels real and fake.

    Raises:
        TrainingError: there is no such architecture.
    """
    from transformers import AutoConfig

    if arch not in ARCHITECTURES:
        raise TrainingError(f"There is no architecture {arch!r}.", "Known are: " + ", ".join(sorted(ARCHITECTURES)))
    family, settings = ARCHITECTURES[arch]
    config: PretrainedConfig = AutoConfig.for_model(
        family, image_size=size, id2label={0: "Real", 1: "Fake"}, label2id={"Real": 0, "Fake": 1}, **settings
    )
    return config
