"""The files of a model folder, read with suspicion: bounded, only the expected names, only safetensors, no code.

A folder from the Hugging Face Hub is written by a stranger. Its ``config.json`` can name Python code to download and
run, another attention kernel, or a quantiser; its shard list can name files elsewhere; its weights can be a pickle.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from deepscan.errors import CorruptPackError, ModelNotFoundError
from deepscan.models.card import WEIGHTS_NAME
from deepscan.text import clean, size

CONFIG_NAME = "config.json"
INDEX_NAME = "model.safetensors.index.json"

MAX_JSON_BYTES = 16 * 1024**2
"""Bytes of a JSON file that are parsed; the shard list of a model with 100,000 tensors stays below it."""

MAX_WEIGHTS_BYTES = 8 * 1024**3
"""Bytes of weights that are loaded: the largest image classifiers in use have about 1.4 GiB."""

MAX_SHARDS = 100

_SHARD = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,199}\.safetensors")
_PICKLES = ("pytorch_model.bin", "pytorch_model.bin.index.json", "tf_model.h5", "model.ckpt", "flax_model.msgpack")
_BLOCK = 4 * 1024**2

# Keys through which a configuration could make transformers fetch or run something, or change how weights are stored.
_REFUSED_KEYS = {
    "auto_map": "Python code of its own",
    "quantization_config": "quantised weights",
}
_DROPPED_KEYS_WORDS = """
    attn_implementation _attn_implementation _attn_implementation_internal _attn_implementation_autoset
    experts_implementation _experts_implementation _experts_implementation_internal
    name_or_path _name_or_path torch_dtype dtype output_attentions output_hidden_states return_dict use_return_dict
    torchscript gradient_checkpointing
"""
_DROPPED_KEYS = frozenset(_DROPPED_KEYS_WORDS.split())


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object from a model folder, at most :data:`MAX_JSON_BYTES` long.

    Raises:
        CorruptPackError: it is not there, too long, not JSON, or not an object.
    """
    try:
        if not path.is_file():
            raise CorruptPackError(f"The model folder {clean(str(path.parent))} has no file {path.name}.")
        with path.open("rb") as file:
            content = file.read(MAX_JSON_BYTES + 1)
        if len(content) > MAX_JSON_BYTES:
            raise CorruptPackError(f"{clean(str(path))} is longer than {size(MAX_JSON_BYTES)}.")
        document = json.loads(content)
    # A deeply nested document ends in RecursionError.
    except (OSError, ValueError, RecursionError) as e:
        raise CorruptPackError(f"{clean(str(path))} cannot be read: {clean(str(e))}.") from e
    if not isinstance(document, dict):
        raise CorruptPackError(f"{clean(str(path))} holds no JSON object.")
    return document


def read_config(folder: Path) -> dict[str, Any]:
    """``config.json`` of a model folder, without the keys that tell transformers how to run it.

    Raises:
        CorruptPackError: it is not readable, wants code of its own or quantised weights, or names no model type.
    """
    config = read_json(folder / CONFIG_NAME)
    for key, what in _REFUSED_KEYS.items():
        if config.get(key):
            raise CorruptPackError(
                f"The model in {clean(str(folder))} needs {what} ({key} in {CONFIG_NAME}), "
                "and deepscan runs no code and no formats that come with a model.",
                "Use a model of a family that transformers knows by itself.",
            )
    if not isinstance(config.get("model_type"), str):
        raise CorruptPackError(f"{clean(str(folder / CONFIG_NAME))} names no model_type: it is no transformers model.")
    return {key: value for key, value in config.items() if key not in _DROPPED_KEYS}


def weight_files(folder: Path) -> tuple[Path, ...]:
    """The safetensors files of a model folder: ``model.safetensors``, else the shards its index lists, sorted.

    Raises:
        ModelNotFoundError: there are none; the sentence says when there are pickled weights instead.
        CorruptPackError: the index is damaged, or lists files that are elsewhere or missing.
    """
    single = folder / WEIGHTS_NAME
    if single.is_file():
        files: tuple[Path, ...] = (single,)
    elif (folder / INDEX_NAME).is_file():
        files = _shards(folder)
    else:
        others = [name for name in _PICKLES if (folder / name).exists()]
        if others:
            raise ModelNotFoundError(
                f"The model in {clean(str(folder))} has its weights only as {others[0]}, and deepscan loads "
                "safetensors only: pickled weights can run code.",
                "Ask its author for model.safetensors, or convert it with transformers' save_pretrained().",
            )
        raise ModelNotFoundError(
            f"The model in {clean(str(folder))} has no weights in safetensors format ({WEIGHTS_NAME} is not there).",
            "deepscan loads safetensors only: pickled weights can run code.",
        )
    try:
        total = sum(path.stat().st_size for path in files)
    except OSError as e:
        raise CorruptPackError(f"The weights in {clean(str(folder))} cannot be read: {clean(str(e))}.") from e
    if total > MAX_WEIGHTS_BYTES:
        raise CorruptPackError(
            f"The weights in {clean(str(folder))} are {size(total)}, and deepscan loads {size(MAX_WEIGHTS_BYTES)}."
        )
    return files


def _shards(folder: Path) -> tuple[Path, ...]:
    index = read_json(folder / INDEX_NAME)
    weight_map = index.get("weight_map")
    named = set(map(str, weight_map.values())) if isinstance(weight_map, Mapping) else set()
    if not named or len(named) > MAX_SHARDS:
        raise CorruptPackError(f"{clean(str(folder / INDEX_NAME))} lists {len(named):,} files of weights.")
    for name in named:
        if not _SHARD.fullmatch(name):
            raise CorruptPackError(f'{clean(str(folder / INDEX_NAME))} lists "{clean(name, 80)}", which is no shard.')
    missing = sorted(name for name in named if not (folder / name).is_file())
    if missing:
        raise CorruptPackError(
            f"The model in {clean(str(folder))} is incomplete: {missing[0]} is missing"
            + (f", and {len(missing) - 1} more." if len(missing) > 1 else "."),
            "Fetch it again: deepscan models pull NAME.",
        )
    return tuple(folder / name for name in sorted(named))


def fingerprint(sums: Mapping[str, str]) -> str:
    """One SHA-256 for all files of weights, from the SHA-256 of each.

    Of a single file it is that file's own, so that ``sha256sum model.safetensors`` gives the same. Of shards it is the
    SHA-256 of what ``sha256sum`` prints for them (``sum, two spaces, name, newline``), sorted by name.
    """
    if len(sums) == 1:
        return next(iter(sums.values()))
    listing = "".join(f"{sums[name]}  {name}\n" for name in sorted(sums))
    return hashlib.sha256(listing.encode()).hexdigest()


def hash_weights(files: tuple[Path, ...]) -> str:
    """The :func:`fingerprint` of files of weights, streamed. Raises CorruptPackError when one cannot be read."""
    sums: dict[str, str] = {}
    for path in files:
        digest = hashlib.sha256()
        try:
            with path.open("rb") as file:
                while block := file.read(_BLOCK):
                    digest.update(block)
        except OSError as e:
            raise CorruptPackError(f"The weights {clean(str(path))} cannot be read: {clean(str(e))}.") from e
        sums[path.name] = digest.hexdigest()
    return fingerprint(sums)
