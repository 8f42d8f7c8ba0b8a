"""``deepscan models``: words on standard output, errors as errors of deepscan."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from deepscan.cli.app import app
from deepscan.errors import EXIT_USAGE
from deepscan.models.packs import Pack
from tests.fake_pack import make_model, make_pack, make_plain, vit_config
from tests.unit.models.test_hub import COMMIT, store

runner = CliRunner()


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Pack:
    return make_pack(tmp_path_factory.mktemp("cli") / "pack", metrics={"test": {"plain": {"auc": 0.91234}}})


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "hub"


def _run(*arguments: str) -> str:
    result = runner.invoke(app, ["models", *arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def _refused(*arguments: str) -> str:
    result = runner.invoke(app, ["models", *arguments], catch_exceptions=False)
    assert result.exit_code == EXIT_USAGE, result.output
    return result.stderr


def test_info_shows_the_card(pack: Pack) -> None:
    shown = _run("info", str(pack.folder))
    for words in (
        "under an open licence (Apache-2.0)",
        "Nothing: a pack with random weights, for tests.",
        "moderate evidence from probability 0.8; 2 % of real faces reach it (500 made-up faces)",
        pack.sha256,
        "test, plain: auc 0.9123",
        "3 golden answers",
    ):
        assert words in shown


def test_info_as_json_is_the_card(pack: Pack) -> None:
    document = json.loads(_run("info", str(pack.folder), "--format", "json"))
    assert document["card"]["weights_sha256"] == document["sha256"] == pack.sha256
    assert document["origin"]["kind"] == "folder"


def test_verify_says_what_was_compared(pack: Pack) -> None:
    shown = _run("verify", str(pack.folder))
    assert "The weights are those of the card" in shown
    assert "3 golden answers agreed" in shown


def test_a_damaged_pack_is_an_error(pack: Pack, tmp_path: Path) -> None:
    (tmp_path / "card.json").write_bytes((pack.folder / "card.json").read_bytes())
    (tmp_path / "config.json").write_bytes((pack.folder / "config.json").read_bytes())
    (tmp_path / "model.safetensors").write_bytes(b"x")
    assert "not those its card describes" in _refused("verify", str(tmp_path))


def test_list_shows_what_is_here(cache: Path, tmp_path: Path) -> None:
    assert _run("list").startswith("builtin")
    plain = make_plain(tmp_path / "plain", make_model(vit_config()))
    store(cache, "owner/name", {path.name: path.read_bytes() for path in plain.iterdir()})
    assert f"owner/name@{COMMIT[:12]}" in _run("list")
    listed = json.loads(_run("list", "--format", "json"))
    assert [entry["name"] for entry in listed] == ["builtin", "owner/name"]
    assert _run("info", "owner/name", "--offline").count(COMMIT) >= 1


def test_pull_fetches_and_names_the_commit(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {"config.json": b"{}", "model.safetensors": b"x"}
    monkeypatch.setattr("huggingface_hub.snapshot_download", lambda name, **_: str(store(cache, name, files)))
    assert f"--model owner/name@{COMMIT}" in _run("pull", "owner/name")


def test_pull_refuses_what_is_no_id_and_when_offline(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "no id" in _refused("pull", "./folder")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert "HF_HUB_OFFLINE" in _refused("pull", "owner/name")


def test_a_model_that_is_not_here_says_how_to_get_it() -> None:
    assert "deepscan models pull owner/name" in _refused("info", "owner/name", "--offline")


def test_its_help_loads_no_heavy_library() -> None:
    script = (
        "import sys\nfrom typer.testing import CliRunner\nfrom deepscan.cli.models import models_app\n"
        "assert CliRunner().invoke(models_app, ['--help']).exit_code == 0\n"
        "sys.exit(any(m in sys.modules for m in ('torch', 'cv2', 'transformers', 'huggingface_hub')))"
    )
    assert subprocess.run([sys.executable, "-c", script], timeout=120).returncode == 0
