"""Packs are found where the user said, and refused for the right reason."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from deepscan.errors import CorruptPackError, LabelError, ModelError, ModelNotFoundError
from deepscan.models import card as cards
from deepscan.models import loader, packs
from deepscan.models.foreign import NOT_MEASURED
from deepscan.models.packs import Pack
from deepscan.types import Level
from tests.fake_pack import make_model, make_plain, vit_config
from tests.unit.models.test_hub import COMMIT, store


def _copy(folder: Path, to: Path) -> Path:
    return Path(shutil.copytree(folder, to))


def _edit(path: Path, **changes: Any) -> None:
    document = json.loads(path.read_text())
    document.update(changes)
    path.write_text(json.dumps(document))


def test_a_pack_in_a_folder(pack: Pack) -> None:
    found = packs.find(str(pack.folder), fake_label=None, offline=True)
    assert found.card == pack.card
    assert found.origin.kind == "folder"
    assert found.sha256 == found.card.weights_sha256


def test_a_plain_model_gets_a_card_that_claims_nothing(plain: Path) -> None:
    pack = packs.find(str(plain), fake_label=None, offline=True)
    card = pack.card
    assert (card.labels, card.fake_label, card.fake_index) == (("Real", "Fake"), "Fake", 1)
    assert card.view.subject == "frame"
    assert card.licence == "apache-2.0"
    assert card.licence_class == "unknown"
    assert card.calibration.temperature == 1
    (threshold,) = card.thresholds
    assert (threshold.level, threshold.probability, threshold.false_alarms) == (Level.WEAK, 0.5, None)
    assert threshold.measured_on == NOT_MEASURED
    assert card.golden == ()


@pytest.mark.parametrize(
    ("readme", "expected"),
    [
        ("---\nlicense: mit\n---\n", "mit"),
        ("---\r\ntags:\r\n- x\r\nlicense: 'cc-by-nc-4.0'\r\n---\r\n", "cc-by-nc-4.0"),
        ("---\nlicense: other\nlicense_name: my-own\n---\n", "my-own"),
        ("---\nlicense: \x1b[31mred\n---\n", "unknown"),
        ("---\nlicense: &a [*a, *a]\n---\n", "unknown"),
        ("license: mit\n", "unknown"),
        ("---\nlicense: mit\n", "unknown"),
        ("", "unknown"),
        (None, "unknown"),
    ],
)
def test_the_licence_is_read_from_the_readme(plain: Path, tmp_path: Path, readme: str | None, expected: str) -> None:
    folder = _copy(plain, tmp_path / "m")
    (folder / "README.md").unlink()
    if readme is not None:
        (folder / "README.md").write_bytes(readme.encode())
    assert packs.find(str(folder), fake_label=None, offline=True).card.licence == expected


def test_shards_are_one_model(tmp_path: Path) -> None:
    model = make_model(vit_config())
    whole = make_plain(tmp_path / "whole", model)
    parts = make_plain(tmp_path / "parts", model, max_shard_size="40KB")
    assert len(list(parts.glob("model-*.safetensors"))) > 1
    one, many = (packs.find(str(folder), fake_label=None, offline=True) for folder in (whole, parts))
    assert one.sha256 != many.sha256
    a, b = (loader.load(p, device="cpu", precision="fp32").golden_logits((5,)) for p in (one, many))
    assert a == b


def test_the_label_for_fake_can_be_named(tmp_path: Path) -> None:
    folder = str(make_plain(tmp_path / "m", make_model(vit_config(("LABEL_0", "LABEL_1")))))
    with pytest.raises(LabelError, match="LABEL_1") as caught:
        packs.find(folder, fake_label=None, offline=True)
    assert "--fake-label" in caught.value.hint
    assert packs.find(folder, fake_label="label_0", offline=True).card.fake_index == 0


def test_a_card_is_not_overruled_by_a_label(pack: Pack) -> None:
    assert packs.find(str(pack.folder), fake_label="fake", offline=True).card.fake_label == "Fake"
    with pytest.raises(LabelError, match="card"):
        packs.find(str(pack.folder), fake_label="Real", offline=True)


def test_a_model_in_the_cache_of_the_hub(plain: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    store(tmp_path, "owner/name", {path.name: path.read_bytes() for path in plain.iterdir()})
    pack = packs.find("owner/name", fake_label=None, offline=True)
    assert (pack.origin.kind, pack.origin.name, pack.origin.revision) == ("hub", "owner/name", COMMIT)
    assert (pack.card.name, pack.card.version) == ("owner/name", COMMIT)
    listed = [(entry.name, entry.kind, entry.problem) for entry in packs.list_packs() if entry.kind == "hub"]
    assert listed == [("owner/name", "hub", None)]


def test_a_pack_with_a_card_on_the_hub(pack: Pack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    store(tmp_path, "owner/pack", {path.name: path.read_bytes() for path in pack.folder.iterdir()})
    assert packs.find(f"owner/pack@{COMMIT}", fake_label=None, offline=True).card == pack.card


def test_a_folder_comes_before_the_hub(plain: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _copy(plain, tmp_path / "owner" / "name")
    monkeypatch.chdir(tmp_path)
    assert packs.find("owner/name", fake_label=None, offline=True).origin.kind == "folder"


@pytest.mark.parametrize(
    "model",
    ["./nothing", "../nothing/here", "~/no-such-folder", "/no/such/folder", "a/b/c", "nothing", "", "nul\0byte",
     "a/b@../../../etc", "\x1b[31m", "x" * 5000],
)  # fmt: skip
def test_what_is_nowhere_is_not_found(model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelNotFoundError) as caught:
        packs.find(model, fake_label=None, offline=True)
    assert "\x1b" not in caught.value.message
    assert len(caught.value.message) < 1000


def test_a_file_is_no_model(plain: Path) -> None:
    with pytest.raises(ModelNotFoundError, match="is a file"):
        packs.find(str(plain / "config.json"), fake_label=None, offline=True)


def test_an_empty_folder_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFoundError, match="holds no model"):
        packs.find(str(tmp_path), fake_label=None, offline=True)


def test_an_installation_without_its_pack_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packs, "BUILTIN_FOLDER", tmp_path)
    with pytest.raises(ModelNotFoundError, match="embedded"):
        packs.find("builtin", fake_label=None, offline=True)
    assert packs.list_packs()[0].problem is not None


def test_other_weights_than_the_card_describes_are_refused(pack: Pack, tmp_path: Path) -> None:
    folder = _copy(pack.folder, tmp_path / "p")
    with (folder / "model.safetensors").open("r+b") as file:
        file.seek(-1, 2)
        last = file.read(1)
        file.seek(-1, 2)
        file.write(bytes([last[0] ^ 1]))
    with pytest.raises(CorruptPackError, match="SHA-256"):
        packs.find(str(folder), fake_label=None, offline=True)


@pytest.mark.parametrize(
    ("changes", "error", "match"),
    [
        ({"auto_map": {"AutoConfig": "x.Y"}}, CorruptPackError, "auto_map"),
        ({"architectures": ["ViTModel"]}, CorruptPackError, "not an image classifier"),
        ({"architectures": None}, CorruptPackError, "architectures"),
        ({"architectures": [["x"]]}, CorruptPackError, "architectures"),
        ({"problem_type": "multi_label_classification"}, CorruptPackError, "multi_label"),
        ({"id2label": {"0": "fake"}}, CorruptPackError, "id2label"),
        ({"id2label": {"0": "real", "2": "fake"}}, CorruptPackError, "id2label"),
        ({"id2label": {"0": "fake", "1": "fake"}}, CorruptPackError, "same label"),
        ({"id2label": {"0": "fake", "1": 5}}, CorruptPackError, "id2label"),
        ({"id2label": ["real", "fake"]}, CorruptPackError, "id2label"),
        ({"id2label": {str(i): f"l{i}" for i in range(5000)}}, CorruptPackError, "id2label"),
        ({"id2label": None}, LabelError, "LABEL_0"),
        ({"id2label": None, "num_labels": 10**9}, CorruptPackError, "labels"),
    ],
)
def test_a_configuration_that_does_not_fit_is_refused(
    plain: Path, tmp_path: Path, changes: dict[str, Any], error: type[Exception], match: str
) -> None:
    folder = _copy(plain, tmp_path / "m")
    _edit(folder / "config.json", **changes)
    with pytest.raises(error, match=match):
        packs.find(str(folder), fake_label=None, offline=True)


@pytest.mark.parametrize("missing", ["preprocessor_config.json", "model.safetensors"])
def test_a_missing_file_is_named(plain: Path, tmp_path: Path, missing: str) -> None:
    folder = _copy(plain, tmp_path / "m")
    (folder / missing).unlink()
    with pytest.raises(ModelError, match=missing.replace(".", r"\.")):
        packs.find(str(folder), fake_label=None, offline=True)


def test_verify_compares_the_golden_answers(pack: Pack, tmp_path: Path) -> None:
    result = packs.verify(pack)
    assert result.hash_in_card
    assert len(result.golden) == len(pack.card.golden) == 3
    folder = _copy(pack.folder, tmp_path / "p")
    first, *rest = pack.card.golden
    wrong = replace(pack.card, golden=(replace(first, logit=first.logit + 0.01), *rest))
    cards.save(wrong, folder)
    with pytest.raises(CorruptPackError, match="does not answer as it did"):
        packs.verify(packs.find(str(folder), fake_label=None, offline=True))


def test_verify_says_when_there_is_nothing_to_compare(plain: Path) -> None:
    result = packs.verify(packs.find(str(plain), fake_label=None, offline=True))
    assert not result.hash_in_card
    assert result.golden == ()


def test_listing_is_not_upset_by_what_else_is_cached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    text_model = json.dumps({"model_type": "bert", "architectures": ["BertForMaskedLM"]}).encode()
    picture_model = json.dumps({"model_type": "vit", "architectures": ["ViTForImageClassification"]}).encode()
    store(tmp_path, "a/text", {"config.json": text_model})
    store(tmp_path, "b/damaged", {"config.json": b"{"})
    store(tmp_path, "c/odd", {"config.json": b'{"model_type": "x", "architectures": 5}'})
    store(tmp_path, "d/pickled", {"config.json": picture_model, "pytorch_model.bin": b""})
    listed = [entry for entry in packs.list_packs() if entry.kind == "hub"]
    assert [(entry.name, "pickled" in (entry.problem or "")) for entry in listed] == [("d/pickled", True)]
