"""Where packs come from: the one embedded in deepscan, a folder, or the Hugging Face Hub and its cache.

A pack is a folder with weights in safetensors format, a transformers ``config.json``, and a card. A plain Hugging Face
image classifier has no card, and gets one from :mod:`deepscan.models.foreign`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from deepscan.config import BUILTIN_MODEL
from deepscan.errors import CorruptPackError, LabelError, ModelError, ModelNotFoundError
from deepscan.models import foreign, hub
from deepscan.models.card import CARD_NAME, ModelCard, load
from deepscan.models.files import CONFIG_NAME, hash_weights, read_config, weight_files
from deepscan.text import clean

BUILTIN_FOLDER = Path(__file__).parent / "builtin"
"""Where the embedded pack lies."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a pack came from. ``name`` is what the user asked for; ``revision`` the commit of a hub model."""

    kind: Literal["builtin", "folder", "hub"]
    name: str
    revision: str | None = None

    def __str__(self) -> str:
        """One line for people."""
        match self.kind:
            case "builtin":
                return "embedded in deepscan"
            case "folder":
                return f"folder {clean(self.name)}"
            case "hub":
                return f"Hugging Face Hub, {clean(self.name)}, commit {self.revision}"


@dataclass(frozen=True, slots=True)
class Pack:
    """A model that may be loaded. ``sha256`` is the fingerprint of its weights, as read and as the card has it."""

    folder: Path
    card: ModelCard
    origin: Origin
    sha256: str


@dataclass(frozen=True, slots=True)
class Listed:
    """A model on this machine, as ``deepscan models list`` shows it. ``problem`` says why it cannot be used."""

    name: str
    kind: Literal["builtin", "hub"]
    revision: str | None
    architecture: str
    size: int
    folder: Path
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class GoldenAnswer:
    """What the loaded model gives for a golden input, beside what its card says (logit differences, fp32)."""

    seed: int
    expected: float
    found: float


@dataclass(frozen=True, slots=True)
class Verification:
    """What :func:`verify` compared: everything in it held."""

    sha256: str
    hash_in_card: bool
    golden: tuple[GoldenAnswer, ...]
    tolerance: float


def find(model: str, *, fake_label: str | None, offline: bool) -> Pack:
    """The pack a user asked for, its card read and the hash of its weights checked.

    Args:
        model: ``builtin``, a folder, or ``owner/name`` with an optional ``@revision`` on the Hugging Face Hub. A folder
            that exists is taken before the Hub.
        fake_label: Which label means fake, where neither a card nor the vocabulary of :mod:`deepscan.models.labels`
            says so; None to let them decide.
        offline: Never touch the network; models of the Hub come from its cache only.

    Raises:
        ModelNotFoundError: there is no such pack.
        CorruptPackError: its files are damaged, do not belong together, or need what deepscan does not do.
        LabelError: nothing says which label means fake.
        ModelError: the Hub cannot be reached.
    """
    if model == BUILTIN_MODEL:
        return _builtin(fake_label)
    wanted = hub.parse(model)
    if (folder := _folder(model, spelt_like_an_id=wanted is not None)) is not None:
        return _pack(folder, Origin("folder", model), folder.resolve().name or model, "unknown", fake_label)
    if wanted is None:
        raise ModelNotFoundError(
            f'"{clean(model)}" is no folder, and no id on the Hugging Face Hub (owner/name or owner/name@revision).',
            "Give the folder of a pack, an id, or leave --model out for the embedded pack.",
        )
    snapshot = hub.fetch(wanted, offline=offline)
    origin = Origin("hub", wanted.repository, snapshot.commit)
    return _pack(snapshot.folder, origin, wanted.repository, snapshot.commit, fake_label)


def list_packs() -> tuple[Listed, ...]:
    """The embedded pack, and the image classifiers in the Hub's cache. Nothing is fetched, loaded or hashed.

    Raises:
        ModelError: the Hub's cache cannot be read.
    """
    packs = [_listed_builtin()]
    for model in hub.cached():
        listed = _listed_hub(model)
        if listed is not None:
            packs.append(listed)
    return tuple(packs)


def verify(pack: Pack) -> Verification:
    """Load a pack on the CPU in fp32, hash its weights again, and compare its answers to the card's golden ones.

    Raises:
        CorruptPackError: the weights are not those of the card, do not fit the architecture, or answer differently.
    """
    from deepscan.models import loader  # imports torch when it loads

    network = loader.load(pack, device="cpu", precision="fp32")
    found = network.golden_logits(tuple(golden.seed for golden in pack.card.golden))
    answers = tuple(
        GoldenAnswer(golden.seed, golden.logit, logit) for golden, logit in zip(pack.card.golden, found, strict=True)
    )
    for answer in answers:
        if not abs(answer.found - answer.expected) <= pack.card.tolerance:
            raise loader.golden_mismatch(pack.card, answer.seed, answer.expected, answer.found)
    return Verification(pack.sha256, (pack.folder / CARD_NAME).is_file(), answers, pack.card.tolerance)


def _builtin(fake_label: str | None) -> Pack:
    if not (BUILTIN_FOLDER / CARD_NAME).is_file():
        raise ModelNotFoundError(
            "This installation of deepscan has no embedded model.",
            "Install deepscan again, or name another model with --model.",
        )
    return _pack(BUILTIN_FOLDER, Origin("builtin", BUILTIN_MODEL), BUILTIN_MODEL, "unknown", fake_label)


def _folder(model: str, *, spelt_like_an_id: bool) -> Path | None:
    """The folder that ``model`` names, or None when it may be an id of the Hub instead."""
    if "\0" in model:
        return None
    try:
        path = Path(model).expanduser()
        if path.is_dir():
            return path
        exists = path.exists()
    except (OSError, RuntimeError) as e:  # RuntimeError: no home folder for ~
        raise ModelNotFoundError(f"The model folder {clean(model)} cannot be looked up: {clean(str(e))}.") from e
    if exists:
        raise ModelNotFoundError(f"{clean(model)} is a file, not a model.", "Give the folder that holds it.")
    if model.startswith((".", "~")) or path.is_absolute() or (not spelt_like_an_id and len(path.parts) > 1):
        raise ModelNotFoundError(
            f"There is no model folder {clean(model)}.",
            "Give the folder of a pack, or an id on the Hugging Face Hub (owner/name).",
        )
    return None


def _pack(folder: Path, origin: Origin, name: str, version: str, fake_label: str | None) -> Pack:
    if not (folder / CARD_NAME).is_file():
        if not (folder / CONFIG_NAME).is_file():
            raise ModelNotFoundError(
                f"The folder {clean(str(folder))} holds no model: neither {CARD_NAME} nor {CONFIG_NAME} is there.",
                "Give the folder of a deepscan pack or of a Hugging Face image classifier.",
            )
        card = foreign.card_of(folder, name=name, version=version, wanted_label=fake_label)
        return Pack(folder, card, origin, card.weights_sha256)
    card = load(folder)
    if fake_label is not None and fake_label.casefold() != card.fake_label.casefold():
        raise LabelError(
            f'The card of {clean(card.name)} says that "{clean(card.fake_label, 60)}" means fake, '
            f'and --fake-label says "{clean(fake_label, 60)}".',
            "Leave --fake-label out: it is for models without a card.",
        )
    sha256 = hash_weights(weight_files(folder))
    if sha256 != card.weights_sha256:
        raise CorruptPackError(
            f"The weights of {clean(card.name)} in {clean(str(folder))} are not those its card describes: "
            f"their SHA-256 is {sha256[:12]}…, and the card says {clean(card.weights_sha256[:12])}….",
            "Get the pack again from where it came from.",
        )
    return Pack(folder, card, origin, sha256)


def _listed_builtin() -> Listed:
    try:
        card = load(BUILTIN_FOLDER)
        size = sum(path.stat().st_size for path in weight_files(BUILTIN_FOLDER))
    except ModelError as e:
        return Listed(BUILTIN_MODEL, "builtin", None, "unknown", 0, BUILTIN_FOLDER, e.message)
    return Listed(BUILTIN_MODEL, "builtin", card.version, card.architecture, size, BUILTIN_FOLDER)


def _listed_hub(model: hub.CachedModel) -> Listed | None:
    """A cached model as a line of the list; None for what is no image classifier (a text model, a dataset)."""
    architecture, size, problem = "unknown", 0, None
    try:
        config = read_config(model.folder)
        architecture = str((config.get("architectures") or ["unknown"])[0])
        size = sum(path.stat().st_size for path in weight_files(model.folder))
    except ModelError as e:
        problem = e.message
    except (OSError, LookupError, TypeError):
        problem = "its files cannot be read"
    if "ForImageClassification" not in architecture:
        return None
    return Listed(model.repository, "hub", model.commit, architecture, size, model.folder, problem)
