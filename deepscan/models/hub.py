"""Models on the Hugging Face Hub: fetched file by file into the Hub's own cache, pinned to a commit.

Only named files are fetched (never a repository's code, never a pickle), and nothing is fetched when offline.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deepscan.errors import ModelError, ModelNotFoundError
from deepscan.models.card import CARD_NAME, HEAD_NAME, WEIGHTS_NAME
from deepscan.models.files import CONFIG_NAME, INDEX_NAME, weight_files
from deepscan.models.processors import PROCESSOR_NAME
from deepscan.text import clean

README_NAME = "README.md"

_WANTED = (
    CARD_NAME,
    CONFIG_NAME,
    PROCESSOR_NAME,
    WEIGHTS_NAME,
    HEAD_NAME,
    INDEX_NAME,
    "model-?????-of-?????.safetensors",
    README_NAME,
)

# The Hub's own rules for names (huggingface_hub.utils.validate_repo_id), and for revisions no way out of a folder.
_ID = re.compile(r"(?!.*(?:--|\.\.))[A-Za-z0-9_](?:[\w.-]{0,94}\w)?/[A-Za-z0-9_](?:[\w.-]{0,94}\w)?", re.ASCII)
_REVISION = re.compile(r"(?!.*(?:\.\.|//|@\{))[A-Za-z0-9_](?:[\w./-]{0,200}\w)?", re.ASCII)
_COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True, slots=True)
class HubId:
    """``owner/name`` and the branch, tag or commit asked for (None for the default branch)."""

    repository: str
    revision: str | None

    def __str__(self) -> str:
        """As the user writes it."""
        return self.repository if self.revision is None else f"{self.repository}@{self.revision}"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A model as it lies in the cache: its folder and the 40-digit hash of the commit it is."""

    folder: Path
    commit: str


@dataclass(frozen=True, slots=True)
class CachedModel:
    """A model repository in the Hub's cache, with the branches and tags that point to this commit."""

    repository: str
    commit: str
    refs: tuple[str, ...]
    folder: Path


def parse(model: str) -> HubId | None:
    """``owner/name`` or ``owner/name@revision`` as a :class:`HubId`; None when it is not spelt like one."""
    repository, at, revision = model.partition("@")
    if not _ID.fullmatch(repository) or repository.endswith(".git") or (at and not _REVISION.fullmatch(revision)):
        return None
    return HubId(repository, revision or None)


def is_offline() -> bool:
    """Whether the environment forbids the network (``HF_HUB_OFFLINE``, as huggingface_hub reads it)."""
    return os.environ.get("HF_HUB_OFFLINE", "").upper() in {"1", "ON", "YES", "TRUE"}


def cache_folder() -> Path:
    """Where huggingface_hub keeps what it fetched, from the environment as it is now."""
    from huggingface_hub import constants

    if folder := os.environ.get("HF_HUB_CACHE"):
        return Path(folder).expanduser()
    if home := os.environ.get("HF_HOME"):
        return Path(home).expanduser() / "hub"
    return Path(constants.HF_HUB_CACHE)


def fetch(wanted: HubId, *, offline: bool) -> Snapshot:
    """Bring a model into the cache, or find it there.

    Args:
        wanted: Which model, at which revision.
        offline: Use the cache only. The environment variable ``HF_HUB_OFFLINE`` does the same.

    Raises:
        ModelNotFoundError: the Hub has no such model or revision, access to it is restricted, or it is not cached and
            cannot be fetched.
        ModelError: the Hub cannot be reached or does not answer properly.
    """
    # huggingface_hub is a base dependency, but takes 0.2 s to import, which `deepscan --help` need not pay.
    from huggingface_hub import snapshot_download

    offline = offline or is_offline()
    with _failures(wanted, offline=offline):
        folder = Path(
            snapshot_download(
                wanted.repository,
                revision=wanted.revision,
                cache_dir=cache_folder(),
                allow_patterns=list(_WANTED),
                local_files_only=offline,
            )
        )
    if not _COMMIT.fullmatch(folder.name):
        raise ModelError(
            f"The cache of the Hugging Face Hub holds {wanted} in {clean(str(folder))}, which is no commit."
        )
    if not (folder / CONFIG_NAME).is_file():
        raise ModelNotFoundError(
            f"{wanted} on the Hugging Face Hub has no {CONFIG_NAME}: it is no transformers model.",
            "Give the id of an image classification model." if not offline else _how_to_pull(wanted),
        )
    if offline and not ((folder / WEIGHTS_NAME).is_file() or (folder / INDEX_NAME).is_file()):
        # huggingface_hub before 2.0 does not notice a download that was broken off.
        raise ModelNotFoundError(
            f"{wanted} is not completely on this machine: its weights in safetensors format are missing.",
            _how_to_pull(wanted),
        )
    return Snapshot(folder, folder.name)


def pull(model: str) -> Snapshot:
    """:func:`fetch` for a command that exists to use the network; ``model`` is ``owner/name`` or with ``@revision``.

    Raises:
        ModelNotFoundError: ``model`` is not spelt like an id; or as :func:`fetch`.
        ModelError: the environment forbids the network; or as :func:`fetch`.
    """
    wanted = parse(model)
    if wanted is None:
        raise ModelNotFoundError(
            f'"{clean(model)}" is no id on the Hugging Face Hub.', "An id is owner/name or owner/name@revision."
        )
    if is_offline():
        raise ModelError(
            f"{wanted} cannot be fetched: HF_HUB_OFFLINE forbids the network.", "Unset HF_HUB_OFFLINE, and pull again."
        )
    snapshot = fetch(wanted, offline=False)
    weight_files(snapshot.folder)
    return snapshot


def cached() -> tuple[CachedModel, ...]:
    """The models in the Hub's cache that hold a ``config.json``, sorted by name; reads file names only.

    Raises:
        ModelError: the cache cannot be read.
    """
    from huggingface_hub import CacheNotFound, scan_cache_dir

    try:
        found = scan_cache_dir(cache_folder())
    except (CacheNotFound, ValueError):
        return ()
    except OSError as e:
        raise ModelError(f"The cache of the Hugging Face Hub cannot be read: {clean(str(e))}.") from e
    models = [
        CachedModel(repo.repo_id, revision.commit_hash, tuple(sorted(revision.refs)), revision.snapshot_path)
        for repo in found.repos
        if repo.repo_type == "model"
        for revision in repo.revisions
        if (revision.snapshot_path / CONFIG_NAME).is_file()
    ]
    return tuple(sorted(models, key=lambda m: (m.repository, m.commit)))


def transport_error() -> type[Exception]:
    """The class of everything that can go wrong on the way to the Hub.

    Its HTTP errors derive from requests' in 0.x, from httpx's in 1.x and from httpx2's in 2.x: the base class of all
    transport errors is looked up instead of imported. Network errors of requests are OSErrors as well.
    """
    from huggingface_hub.errors import HfHubHTTPError

    return next(b for b in HfHubHTTPError.__mro__ if b.__name__ == "HTTPError" and issubclass(b, Exception))


@contextmanager
def _failures(wanted: HubId, *, offline: bool) -> Iterator[None]:
    """Turn what huggingface_hub raises into one sentence each."""
    from huggingface_hub.errors import (
        GatedRepoError,
        HFValidationError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    transport = transport_error()
    try:
        yield
    except GatedRepoError as e:
        raise ModelNotFoundError(
            f"Access to {wanted} is restricted by its owners.",
            f"Ask for it at https://huggingface.co/{wanted.repository}, then sign in with: hf auth login.",
        ) from e
    except RevisionNotFoundError as e:
        raise ModelNotFoundError(
            f"{wanted.repository} on the Hugging Face Hub has no revision {wanted.revision or 'main'}.",
            f"See https://huggingface.co/{wanted.repository}/commits/main for those it has.",
        ) from e
    except RepositoryNotFoundError as e:
        raise ModelNotFoundError(
            f"The Hugging Face Hub has no model {wanted.repository}, or it is private.",
            "Check the spelling; for a private model sign in with: hf auth login.",
        ) from e
    except LocalEntryNotFoundError as e:
        if offline:
            raise ModelNotFoundError(
                f"{wanted} is not on this machine, or not completely, and nothing may be fetched while offline.",
                _how_to_pull(wanted),
            ) from e
        raise ModelError(
            f"The Hugging Face Hub cannot be reached or gives no usable answer, and {wanted} is not on this machine.",
            "Check the connection (and HF_ENDPOINT or a proxy, where there is one), and try again.",
        ) from e
    except HFValidationError as e:
        raise ModelNotFoundError(f"{wanted} is no name of a model on the Hugging Face Hub.") from e
    # The rest of the list is what an answer that is not the Hub's leads to (a captive portal's page, a broken mirror).
    except (transport, OSError, ValueError, LookupError, TypeError, AttributeError, AssertionError, RuntimeError) as e:
        said = str(e).strip().partition("\n")[0].rstrip(".") or "no reason given"
        raise ModelError(
            f"Fetching {wanted} from the Hugging Face Hub failed: {type(e).__name__}: {clean(said)}.",
            "Try again; what was fetched is kept. --offline uses only what is on this machine.",
        ) from e


def _how_to_pull(wanted: HubId) -> str:
    return f"Fetch it once with: deepscan models pull {wanted}"
