"""A model folder is a stranger's: nothing outside it is read, nothing pickled, nothing that runs."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest

from deepscan.errors import CorruptPackError, ModelNotFoundError
from deepscan.models import files


def _index(folder: Path, weight_map: Any) -> None:
    (folder / files.INDEX_NAME).write_text(json.dumps({"metadata": {}, "weight_map": weight_map}))


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"5", b"\x00", b'{"a":' * 100_000], ids=["empty", "cut", "list", "5", "nul", "deep"]
)
def test_what_is_no_json_object_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.json").write_bytes(content)
    with pytest.raises(CorruptPackError):
        files.read_json(tmp_path / "x.json")


def test_a_json_file_beyond_the_limit_is_not_parsed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MAX_JSON_BYTES", 100)
    (tmp_path / "x.json").write_text(json.dumps({"a": "x" * 200}))
    with pytest.raises(CorruptPackError, match="longer than"):
        files.read_json(tmp_path / "x.json")


@pytest.mark.parametrize("key", ["auto_map", "quantization_config"])
def test_a_configuration_that_wants_code_or_quantisers_is_refused(tmp_path: Path, key: str) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "vit", key: {"AutoModel": "evil--evil.Model"}}))
    with pytest.raises(CorruptPackError, match=key):
        files.read_config(tmp_path)


def test_keys_that_tell_transformers_how_to_run_are_dropped(tmp_path: Path) -> None:
    hostile = {"attn_implementation": "evil/kernel", "_attn_implementation": "evil/kernel", "dtype": "float16"}
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "vit", "hidden_size": 8, **hostile}))
    assert files.read_config(tmp_path) == {"model_type": "vit", "hidden_size": 8}


@pytest.mark.parametrize("kind", [None, 7, ["vit"]])
def test_a_configuration_without_a_model_type_is_refused(tmp_path: Path, kind: Any) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": kind}))
    with pytest.raises(CorruptPackError, match="model_type"):
        files.read_config(tmp_path)


def test_pickled_weights_are_refused_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "pytorch_model.bin").write_bytes(b"\x80\x04")
    with pytest.raises(ModelNotFoundError, match=r"pytorch_model\.bin.*pickled weights can run code"):
        files.weight_files(tmp_path)


def test_no_weights_at_all(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFoundError, match="no weights"):
        files.weight_files(tmp_path)


def test_shards_come_sorted_and_once(tmp_path: Path) -> None:
    names = ["model-00002-of-00002.safetensors", "model-00001-of-00002.safetensors"]
    for name in names:
        (tmp_path / name).write_bytes(b"x")
    _index(tmp_path, {"a": names[0], "b": names[1], "c": names[0]})
    assert [p.name for p in files.weight_files(tmp_path)] == sorted(names)


@pytest.mark.parametrize(
    "name", ["../outside.safetensors", "/etc/passwd", "a/b.safetensors", "x.bin", "..", "", "a\n.safetensors"]
)
def test_a_shard_list_cannot_name_files_elsewhere(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (tmp_path / "outside.safetensors").write_bytes(b"x")
    _index(folder, {"a": name})
    with pytest.raises(CorruptPackError):
        files.weight_files(folder)


@pytest.mark.parametrize("weight_map", [None, [], {}, "x", {"a": 5}])
def test_a_damaged_shard_list_is_refused(tmp_path: Path, weight_map: Any) -> None:
    _index(tmp_path, weight_map)
    with pytest.raises(CorruptPackError):
        files.weight_files(tmp_path)


def test_a_missing_shard_is_named(tmp_path: Path) -> None:
    _index(tmp_path, {"a": "model-00001-of-00001.safetensors"})
    with pytest.raises(CorruptPackError, match="model-00001-of-00001"):
        files.weight_files(tmp_path)


def test_weights_beyond_the_limit_are_refused_unread(tmp_path: Path) -> None:
    with (tmp_path / "model.safetensors").open("wb") as file:
        file.truncate(files.MAX_WEIGHTS_BYTES + 1)  # a sparse file
    with pytest.raises(CorruptPackError, match="GiB"):
        files.weight_files(tmp_path)


def test_the_fingerprint_of_one_file_is_its_own(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"abc")
    assert files.hash_weights(files.weight_files(tmp_path)) == hashlib.sha256(b"abc").hexdigest()


def test_the_fingerprint_of_shards_is_that_of_the_sha256sum_listing(tmp_path: Path) -> None:
    names = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"]
    for name in names:
        (tmp_path / name).write_bytes(name.encode())
    listing = "".join(f"{hashlib.sha256(n.encode()).hexdigest()}  {n}\n" for n in names)
    expected = hashlib.sha256(listing.encode()).hexdigest()
    assert files.hash_weights(tuple(tmp_path / n for n in reversed(names))) == expected


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_pipes_in_place_of_files_do_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "config.json")
    os.mkfifo(tmp_path / "model.safetensors")
    with pytest.raises(CorruptPackError):
        files.read_config(tmp_path)
    with pytest.raises(ModelNotFoundError):
        files.weight_files(tmp_path)
