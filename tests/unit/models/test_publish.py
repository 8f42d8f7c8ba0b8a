"""Pushing a pack, against a Hub that is made up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import huggingface_hub
import pytest
from huggingface_hub.errors import LocalTokenNotFoundError
from huggingface_hub.utils._paths import filter_repo_objects

from deepscan.errors import ModelError
from deepscan.models import publish

ADDRESS = "https://hub.example/owner/name/commit/1"


class FakeHub:
    """What of the Hub's client is used; ``error`` is raised instead of an answer."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.made: list[tuple[str, bool]] = []
        self.sent: list[str] = []

    def __call__(self) -> FakeHub:
        return self

    def create_repo(self, repository: str, *, exist_ok: bool) -> None:
        if self.error is not None:
            raise self.error
        self.made.append((repository, exist_ok))

    def upload_folder(self, *, repo_id: str, folder_path: Path, allow_patterns: list[str], commit_message: str) -> str:
        there = [str(p.relative_to(folder_path)) for p in folder_path.rglob("*") if p.is_file()]
        self.sent = sorted(filter_repo_objects(there, allow_patterns=allow_patterns))
        return ADDRESS


def hub(monkeypatch: pytest.MonkeyPatch, error: Exception | None = None) -> FakeHub:
    made = FakeHub(error)
    monkeypatch.setattr(huggingface_hub, "HfApi", made)
    return made


def pack(folder: Path) -> Path:
    for name in (
        "card.json",
        "config.json",
        "preprocessor_config.json",
        "model.safetensors",
        "README.md",
        "metrics.json",
        "split.csv",
        "pictures/roc.png",
        "checkpoints/checkpoint-100/model.safetensors",
        "checkpoints/checkpoint-100/optimizer.pt",
    ):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    return folder


def test_the_pack_goes_up_and_what_names_the_users_files_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake: Any = hub(monkeypatch)
    assert publish.push(pack(tmp_path), "owner/name") == ADDRESS
    assert fake.made == [("owner/name", True)]
    assert fake.sent == [
        "README.md",
        "card.json",
        "config.json",
        "metrics.json",
        "model.safetensors",
        "pictures/roc.png",
        "preprocessor_config.json",
    ]


@pytest.mark.parametrize("error", [LocalTokenNotFoundError("No token. Log in."), OSError("no way there")])
def test_what_the_hub_refuses_is_a_sentence_that_says_where_the_pack_is(
    error: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub(monkeypatch, error)
    with pytest.raises(ModelError, match=r"could not be pushed to owner/name: (No token|no way)") as refused:
        publish.push(tmp_path, "owner/name")
    assert refused.value.hint is not None
    assert str(tmp_path) in refused.value.hint


@pytest.mark.parametrize("name", ["name", "a/b/c", "owner/name@main", "", "/absolute"])
def test_a_name_that_is_no_repository_is_refused_before_anything_is_sent(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = hub(monkeypatch)
    with pytest.raises(ModelError, match="no repository"):
        publish.push(tmp_path, name)
    assert not fake.made
