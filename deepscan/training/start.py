"""The network a run starts from: new, or a base with what the recipe lays over it (dropout, freezing, adapters)."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any

import torch
from transformers import AutoConfig, AutoModelForImageClassification, PretrainedConfig

from deepscan.errors import TrainingError
from deepscan.models.card import Preprocessing
from deepscan.models.devices import choose_device
from deepscan.models.labels import side
from deepscan.models.packs import Pack
from deepscan.text import clean
from deepscan.training.architectures import DEFAULT_SIZE, make_config
from deepscan.training.layers import depths, is_head
from deepscan.training.options import TrainOptions

_DROPOUTS = ("hidden_dropout_prob", "classifier_dropout_prob", "classifier_dropout", "dropout", "drop_rate")


def start(options: TrainOptions, dropout: float, base: Pack | None) -> tuple[Any, Preprocessing]:
    """The network to train, and the preprocessing it will keep for life: that of its base, or our own.

    Raises:
        TrainingError: the base's weights do not fit its configuration, or the network has nothing that was asked for.
    """
    torch.manual_seed(options.seed)
    if base is None:
        size = options.size or DEFAULT_SIZE
        config = make_config(options.arch, size)
        _set_dropout(config, dropout)
        rule = Preprocessing(size, size, None, "bilinear", 1 / 255, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
        model = AutoModelForImageClassification.from_config(config)  # type: ignore[no-untyped-call]
    else:
        known = base.card.preprocessing
        width, height = (options.size, options.size) if options.size else (known.width, known.height)
        rule = replace(known, width=width, height=height, shortest_edge=None)
        model = _load(base, dropout, options)
        if options.size:
            _refuse_size(model, base, options.size)
    if options.freeze:
        _freeze(model, options.freeze)
    return (_with_adapters(model, options.lora) if options.lora else model), rule


def merged(model: Any) -> Any:
    """The network with its adapters worked into its weights; the network itself where it has none."""
    return model.merge_and_unload() if hasattr(model, "merge_and_unload") else model


def knows_labels(base: Pack) -> bool:
    """Whether a base answers real and fake already, so that it can be asked about the test part before training."""
    return [side(label) for label in base.card.labels] in (["real", "fake"], ["fake", "real"])


def _load(base: Pack, dropout: float, options: TrainOptions) -> Any:
    config = AutoConfig.from_pretrained(base.folder, local_files_only=True)
    # The head is new when the base has another number of labels: it is trained here anyway.
    config.id2label, config.label2id = {0: "Real", 1: "Fake"}, {"Real": 0, "Fake": 1}
    _set_dropout(config, dropout)
    if options.from_scratch:
        if options.size and hasattr(config, "image_size"):
            config.image_size = options.size
        return AutoModelForImageClassification.from_config(config)  # type: ignore[no-untyped-call]
    model, report = AutoModelForImageClassification.from_pretrained(
        base.folder,
        config=config,
        ignore_mismatched_sizes=True,
        use_safetensors=True,
        local_files_only=True,
        dtype=torch.float32,
        output_loading_info=True,
        # On a CPU, the backward pass of torch's fused attention takes a fifth of a ViT-S's whole step (torch 2.13).
        attn_implementation="eager" if choose_device(options.device) == "cpu" else None,
    )
    new = {*report["missing_keys"], *(key[0] for key in report["mismatched_keys"])}
    if lost := sorted(name for name in new if not is_head(name)):
        raise TrainingError(
            f"The weights of {clean(base.card.name)} do not fit its configuration, in {clean(', '.join(lost[:3]))}.",
            "Training would start from random numbers there: get the model again, or start with --arch.",
        )
    if not new and knows_labels(base) and base.card.fake_index == 0:
        _swap_outputs(model)
    return model


def _refuse_size(model: torch.nn.Module, base: Pack, size: int) -> None:
    """Some families take pictures of one size only, others any: a blank picture tells."""
    try:
        with torch.inference_mode():
            model(pixel_values=torch.zeros(1, 3, size, size))
    except (ValueError, RuntimeError) as e:
        raise TrainingError(
            f"{clean(base.card.name)} cannot take pictures of {size} pixels: {clean(str(e))}",
            f"Leave out --size: it was made for {base.card.preprocessing.width}.",
        ) from e


def _swap_outputs(model: torch.nn.Module) -> None:
    """Put fake last, as everything here expects, without losing what the base's head knows."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if is_head(name) and parameter.shape[0] == 2:
                parameter.copy_(parameter.flip(0))


def _set_dropout(config: PretrainedConfig, dropout: float) -> None:
    if not dropout:
        return
    there = [name for name in _DROPOUTS if hasattr(config, name)]
    if not there:
        raise TrainingError(
            f"A network of the family {config.model_type} has no dropout.",
            "Leave out --dropout, or raise --weight-decay.",
        )
    for name in there:
        setattr(config, name, dropout)


def _freeze(model: torch.nn.Module, blocks: int) -> None:
    """Embeddings and the first ``blocks`` blocks keep their weights."""
    depth = depths(model)
    deepest = max(depth.values()) - 1
    if blocks > deepest:
        raise TrainingError(
            f"The network has {deepest} blocks, and {blocks} of them cannot be frozen.",
            f"Give --freeze a number up to {deepest}.",
        )
    for name, parameter in model.named_parameters():
        if depth[name] <= blocks:
            parameter.requires_grad_(False)


def _with_adapters(model: torch.nn.Module, rank: int) -> Any:
    """Low-rank adapters on every linear layer but the head, which learns whole (Hu et al., "LoRA", ICLR 2022)."""
    try:
        from peft import LoraConfig, get_peft_model
    except ImportError as e:
        raise TrainingError("--lora needs peft, which is not installed.", "pip install 'deepscan[train]'") from e
    linear = [n for n, m in model.named_modules() if isinstance(m, torch.nn.Linear)]
    heads = [n for n in linear if is_head(f"{n}.weight")]
    layers = [n for n in linear if n not in heads]
    if not layers or not heads:
        raise TrainingError("This network has no linear layers that adapters could be put on.", "Leave out --lora.")
    config = LoraConfig(r=rank, lora_alpha=rank, target_modules=layers, modules_to_save=heads)
    with warnings.catch_warnings():
        # peft asks transformers for something by a name of before; whoever trains can do nothing about that.
        warnings.filterwarnings("ignore", "`is_gradient_checkpointing` is deprecated", FutureWarning)
        return get_peft_model(model, config)
