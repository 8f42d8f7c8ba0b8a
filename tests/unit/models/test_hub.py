"""The Hugging Face Hub without a network: its cache layout built by hand, its failures raised by hand."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deepscan.errors import ModelError, ModelNotFoundError
from deepscan.models import hub
from deepscan.models.hub import HubId

COMMIT = "0123456789abcdef0123456789abcdef01234567"
OTHER = "f" * 40


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of the Hub."""
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    return tmp_path / "hub"


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Any attempt to connect is a failure of the test, whatever catches the exception."""
    attempts: list[Any] = []

    def refuse(_: socket.socket, address: Any) -> None:
        attempts.append(address)
        raise OSError("no network in tests")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *a, **k: refuse(None, a))  # type: ignore[arg-type]
    yield
    assert not attempts


def store(cache: Path, repository: str, files: dict[str, bytes], *, commit: str = COMMIT, ref: str = "main") -> Path:
    """Put a model into the cache as huggingface_hub lays it out."""
    folder = cache / f"models--{repository.replace('/', '--')}"
    snapshot = folder / "snapshots" / commit
    for name, content in files.items():
        (snapshot / name).parent.mkdir(parents=True, exist_ok=True)
        (snapshot / name).write_bytes(content)
    (folder / "refs").mkdir(exist_ok=True)
    (folder / "refs" / ref).write_text(commit)
    return snapshot


MODEL = {"config.json": b"{}", "model.safetensors": b"x"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("owner/name", HubId("owner/name", None)),
        ("owner/name@main", HubId("owner/name", "main")),
        (f"prithivMLmods/Deep-Fake-v2-Model@{COMMIT}", HubId("prithivMLmods/Deep-Fake-v2-Model", COMMIT)),
        ("a_b/c.d@refs/pr/1", HubId("a_b/c.d", "refs/pr/1")),
    ],
)  # fmt: skip
def test_ids(text: str, expected: HubId) -> None:
    assert hub.parse(text) == expected
    assert str(expected) == text


@pytest.mark.parametrize(
    "text",
    ["", "name", "/name", "owner/", "a/b/c", "../x", "a/..", "a..b/c", "a--b/c", "-a/b", "a/b-", "a/b.git", "a/b@",
     "a/b@../../../../etc/passwd", "a/b@/etc", "a/b@x/../y", "a/b@x y", "a b/c", "a/b\n", "https://hf.co/a/b",
     "a/b@m@n", "a\\b/c", "a/" + "b" * 200, "a/b@" + "c" * 300, "ä/b", "a/b@-x"],
)  # fmt: skip
def test_what_is_no_id(text: str) -> None:
    assert hub.parse(text) is None


@pytest.mark.parametrize("revision", [None, "main", COMMIT])
def test_offline_finds_the_cached_commit(cache: Path, revision: str | None) -> None:
    snapshot = store(cache, "owner/name", MODEL)
    found = hub.fetch(HubId("owner/name", revision), offline=True)
    assert (found.folder, found.commit) == (snapshot, COMMIT)


def test_the_environment_means_offline_too(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    store(cache, "owner/name", MODEL)
    assert hub.fetch(HubId("owner/name", None), offline=False).commit == COMMIT
    with pytest.raises(ModelNotFoundError, match="offline"):
        hub.fetch(HubId("owner/other", None), offline=False)
    with pytest.raises(ModelError, match="HF_HUB_OFFLINE"):
        hub.pull("owner/name")


@pytest.mark.parametrize(
    ("repository", "revision"), [("owner/other", None), ("owner/name", "v2"), ("owner/name", OTHER)]
)
def test_what_is_not_cached_says_how_to_pull(cache: Path, repository: str, revision: str | None) -> None:
    store(cache, "owner/name", MODEL)
    wanted = HubId(repository, revision)
    with pytest.raises(ModelNotFoundError, match="not on this machine") as caught:
        hub.fetch(wanted, offline=True)
    assert f"deepscan models pull {wanted}" in caught.value.hint


@pytest.mark.parametrize("files", [{"config.json": b"{}"}, {"README.md": b""}, {"model.safetensors": b"x"}])
def test_half_a_download_is_not_used(cache: Path, files: dict[str, bytes]) -> None:
    store(cache, "owner/name", files)
    with pytest.raises(ModelNotFoundError) as caught:
        hub.fetch(HubId("owner/name", None), offline=True)
    assert "deepscan models pull owner/name" in caught.value.hint


def test_a_branch_file_that_leads_out_of_the_cache_is_refused(cache: Path, tmp_path: Path) -> None:
    store(cache, "owner/name", MODEL)
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "config.json").write_text("{}")
    (outside / "model.safetensors").write_text("x")
    (cache / "models--owner--name" / "refs" / "main").write_text(str(outside))
    with pytest.raises(ModelError, match="no commit"):
        hub.fetch(HubId("owner/name", None), offline=True)


def _error(name: str) -> Exception:
    """One of huggingface_hub's errors with a response behind it, made without knowing its HTTP library."""
    from huggingface_hub import errors

    kind = getattr(errors, name)
    error = kind.__new__(kind)
    Exception.__init__(error, f"{name} \x1b[31m happened")
    assert isinstance(error, Exception)
    return error


def _transport_error() -> Exception:
    from huggingface_hub.errors import HfHubHTTPError

    base: Any = next(b for b in HfHubHTTPError.__mro__ if b.__name__ == "HTTPError")
    error = base.__new__(base)
    assert isinstance(error, Exception)
    Exception.__init__(error, "connection reset")
    return error


@pytest.mark.parametrize(
    ("error", "kind", "sentence", "hint"),
    [
        ("GatedRepoError", ModelNotFoundError, "restricted by its owners", "hf auth login"),
        ("RepositoryNotFoundError", ModelNotFoundError, "no model owner/name", "Check the spelling"),
        ("RevisionNotFoundError", ModelNotFoundError, "no revision v9", "commits"),
        ("HfHubHTTPError", ModelError, "failed", "Try again"),
        ("LocalEntryNotFoundError", ModelError, "cannot be reached", "connection"),
        ("transport", ModelError, "connection reset", "Try again"),
        ("OSError", ModelError, "No space left", "Try again"),
        ("ValueError", ModelError, "not JSON", "Try again"),
    ],
)
def test_every_failure_of_the_hub_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, error: str, kind: type[ModelError], sentence: str, hint: str
) -> None:
    def fail(*_: Any, **__: Any) -> str:
        if error == "transport":
            raise _transport_error()
        builtin = {"OSError": OSError(28, "No space left on device"), "ValueError": ValueError("not JSON\nat all")}
        raise builtin[error] if error in builtin else _error(error)

    monkeypatch.setattr("huggingface_hub.snapshot_download", fail)
    with pytest.raises(ModelError) as caught:
        hub.fetch(HubId("owner/name", "v9"), offline=False)
    assert type(caught.value) is kind
    assert sentence in caught.value.message
    assert hint in caught.value.hint
    assert "\x1b" not in caught.value.message


def test_only_named_files_are_asked_for(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, Any] = {}

    def record(repository: str, **settings: Any) -> str:
        asked.update(settings, repository=repository)
        return str(store(cache, repository, MODEL))

    monkeypatch.setattr("huggingface_hub.snapshot_download", record)
    snapshot = hub.pull("owner/name@v1")
    assert snapshot.commit == COMMIT
    assert asked["revision"] == "v1"
    assert not asked["local_files_only"]
    patterns = asked["allow_patterns"]
    assert "model.safetensors" in patterns
    assert all(p.endswith((".json", ".safetensors", "README.md")) for p in patterns)
    assert not any(p.startswith("*") for p in patterns)


def test_pulling_pickled_weights_is_an_error(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = store(cache, "owner/name", {"config.json": b"{}"})
    monkeypatch.setattr("huggingface_hub.snapshot_download", lambda *_, **__: str(folder))
    with pytest.raises(ModelNotFoundError, match="safetensors"):
        hub.pull("owner/name")


def test_the_list_of_the_cache(cache: Path) -> None:
    assert hub.cached() == ()
    store(cache, "b/two", MODEL)
    store(cache, "a/one", MODEL)
    store(cache, "a/one", MODEL, commit=OTHER, ref="v2")
    store(cache, "c/no-config", {"README.md": b""})
    found = [(model.repository, model.commit, model.refs) for model in hub.cached()]
    assert found == [("a/one", COMMIT, ("main",)), ("a/one", OTHER, ("v2",)), ("b/two", COMMIT, ("main",))]
