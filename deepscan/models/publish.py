"""A finished pack onto the Hugging Face Hub."""

from __future__ import annotations

from pathlib import Path

from deepscan.errors import ModelError
from deepscan.models.card import CARD_NAME, HEAD_NAME, WEIGHTS_NAME
from deepscan.models.files import CONFIG_NAME
from deepscan.models.hub import README_NAME, parse, transport_error
from deepscan.models.processors import PROCESSOR_NAME
from deepscan.text import clean

PUSHED = (
    CARD_NAME,
    CONFIG_NAME,
    PROCESSOR_NAME,
    WEIGHTS_NAME,
    HEAD_NAME,
    README_NAME,
    "metrics.json",
    "sequence.json",
    "pictures/*.png",
)
"""What of a pack's folder goes to the Hub; checkpoints and the split, which names the user's files, stay at home."""


def push(folder: Path, repository: str) -> str:
    """Upload a pack to ``owner/name`` and return the address of the commit.

    Raises:
        ModelError: the name is no repository's, nobody is logged in, or the Hub refuses or cannot be reached.
    """
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HFValidationError, LocalTokenNotFoundError

    refuse_repository(repository)
    api = HfApi()
    try:
        api.create_repo(repository, exist_ok=True)
        found = api.upload_folder(
            repo_id=repository, folder_path=folder, allow_patterns=list(PUSHED), commit_message="deepscan train"
        )
    # The last two are what an answer that is not the Hub's leads to.
    except (transport_error(), HFValidationError, LocalTokenNotFoundError, OSError, ValueError, LookupError) as e:
        said = str(e).strip().partition("\n")[0].rstrip(".") or "no reason given"
        raise ModelError(
            f"The pack could not be pushed to {clean(repository)}: {clean(said)}.",
            f"It lies in {folder}. Sign in with: hf auth login, then: hf upload {clean(repository)} FOLDER.",
        ) from e
    return str(found)


def refuse_repository(repository: str) -> None:
    """Raise before a long run whose result could not be pushed afterwards.

    Raises:
        ModelError: the name is not ``owner/name``.
    """
    if parse(repository) is None or "@" in repository:
        raise ModelError(f"{clean(repository)!r} is no repository on the Hugging Face Hub.", "Write it as owner/name.")
