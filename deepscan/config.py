"""What the user asked for: frozen, validated once. Defaults < configuration file < environment < flags.

The configuration file is ``deepscan.toml`` in the working folder, or the ``[tool.deepscan]`` table of
``pyproject.toml`` there; environment variables are ``DEEPSCAN_`` and the option's name in capitals.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

from deepscan.errors import ConfigError
from deepscan.media.limits import FILE_SECONDS, MAX_FILE_BYTES, WORKER_BYTES
from deepscan.text import parse_size
from deepscan.types import JSONValue, Level, MediaKind

BUILTIN_MODEL = "builtin"
"""The name of the embedded pack."""

STYLES = ("brief", "full")
FAIL_ON = ("strong", "moderate", "weak", "never")
PRECISIONS = ("auto", "fp32", "bf16", "fp16", "int8")
DEVICES = ("auto", "cpu", "openvino", "cuda", "mps")
FACES = ("haar", "yunet")


LEAST_MEMORY = 512 * 1024**2
"""Bytes that a worker needs for itself, with all libraries loaded and a picture of ordinary size."""

SIZES = ("max_size", "max_memory")
"""Options in bytes, which people give in units."""


@dataclass(frozen=True, slots=True)
class ScanOptions:
    """Everything that shapes a scan.

    ``frames``, ``batch_size`` and ``workers`` are None for automatic; ``max_size`` and ``max_memory`` are in bytes,
    ``every`` and ``file_seconds`` in seconds. ``checks`` is None for all that run by default. ``trust_list`` is a PEM
    file of certificates whose content credentials are trusted, in place of the list that deepscan ships. Fields named
    in :data:`SPEED_ONLY` change how fast a scan is or which files it looks at, never what is said of a file.
    """

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    hidden: bool = False
    follow_symlinks: bool = False
    max_size: int = MAX_FILE_BYTES
    kinds: tuple[MediaKind, ...] = (MediaKind.IMAGE, MediaKind.VIDEO)
    frames: int | None = None
    every: float | None = None
    keyframes: bool = False
    all_frames: bool = False
    device: str = "auto"
    precision: str = "auto"
    batch_size: int | None = None
    model: str = BUILTIN_MODEL
    fake_label: str | None = None
    offline: bool = False
    checks: tuple[str, ...] | None = None
    skip: tuple[str, ...] = ()
    thorough: bool = False
    fail_on: str = "moderate"
    faces: str = "haar"
    stability: bool = False
    exhibits: bool = False
    workers: int | None = None
    file_seconds: float = FILE_SECONDS
    max_memory: int = WORKER_BYTES
    verify_unchanged: bool = False
    trust_mtime: bool = False
    trust_list: str | None = None
    fetch_remote: bool = False
    exiftool: bool = False
    redact_location: bool = False
    style: str | None = None

    def __post_init__(self) -> None:
        require(self.frames is None or self.frames >= 1, "frames", self.frames, "auto or at least 1")
        require(self.every is None or self.every > 0, "every", self.every, "a number of seconds above 0")
        require(self.max_size > 0, "max_size", self.max_size, "above 0 bytes")
        require(self.batch_size is None or self.batch_size >= 1, "batch_size", self.batch_size, "auto or at least 1")
        require(self.workers is None or self.workers >= 0, "workers", self.workers, "0 (in this process) or more")
        require(self.file_seconds > 0, "file_seconds", self.file_seconds, "a number of seconds above 0")
        require(self.max_memory >= LEAST_MEMORY, "max_memory", self.max_memory, f"at least {LEAST_MEMORY // 2**20} MiB")
        require(self.precision in PRECISIONS, "precision", self.precision, "one of " + ", ".join(PRECISIONS))
        require(self.faces in FACES, "faces", self.faces, "one of " + ", ".join(FACES))
        require(self.fail_on in FAIL_ON, "fail_on", self.fail_on, "one of " + ", ".join(FAIL_ON))
        require(self.style in (None, *STYLES), "style", self.style, "one of " + ", ".join(STYLES))
        require(bool(self.kinds), "kinds", "", "image, video, or both")
        require(not (self.keyframes and self.all_frames), "keyframes", "on", "off with all-frames")
        require(not (self.verify_unchanged and self.trust_mtime), "trust_mtime", "on", "off with verify-unchanged")
        require(not (self.offline and self.fetch_remote), "fetch_remote", "on", "off with offline")
        name, _, index = self.device.partition(":")
        require(
            name in DEVICES and (not index or (name == "cuda" and index.isdecimal())),
            "device",
            self.device,
            "auto, cpu, openvino, cuda, cuda:N or mps",
        )

    @property
    def fail_level(self) -> Level | None:
        """The level from which a verdict ends the scan with exit code 1; None for never."""
        return None if self.fail_on == "never" else Level(self.fail_on)


_Options = TypeVar("_Options", "ScanOptions", "RunOptions")

SPEED_ONLY = frozenset(
    [
        "include",
        "exclude",
        "hidden",
        "follow_symlinks",
        "max_size",
        "kinds",
        "device",
        "batch_size",
        "offline",
        "fail_on",
        "workers",
        # What ran into one of these limits is never reused, so that a higher one tries again just that.
        "file_seconds",
        "max_memory",
        "verify_unchanged",
        "trust_mtime",
        "style",
    ]
)
"""Options that change no result of a file that is examined. Precision is not one of them: it moves scores a little."""


SAMPLING = ("frames", "every", "keyframes", "all_frames")
"""Options that choose among the frames of a film: checks that look at pixels depend on them."""


def result_options(options: ScanOptions) -> dict[str, JSONValue]:
    """The options that change results, as JSON: stored results are reused only when these are equal."""
    return {name: value for name, value in as_json(options).items() if name not in SPEED_ONLY}


def as_json(options: ScanOptions) -> dict[str, JSONValue]:
    """All options as JSON, in the order they are declared."""
    plain: dict[str, JSONValue] = {}
    for f in fields(options):
        value = getattr(options, f.name)
        plain[f.name] = [str(v) for v in value] if isinstance(value, tuple) else value
    return plain


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What surrounds a scan: where its reports go, and what was accepted before. None of it changes an answer.

    ``output`` is a folder, or ``-`` for standard output; ``format`` names reports; ``baseline`` and ``suppressions``
    are files (:mod:`deepscan.ci`), and ``changed_since`` a commit of git; ``sign`` is the file of a private key;
    ``template`` is a folder of templates for the HTML report, ``timestamp`` the address of a time stamping authority.
    """

    output: str | None = None
    format: tuple[str, ...] | None = None
    case: str | None = None
    baseline: str | None = None
    suppressions: str | None = None
    changed_since: str | None = None
    seal: bool = False
    sign: str | None = None
    timestamp: str | None = None
    template: str | None = None
    quiet: bool = False
    verbose: bool = False
    no_color: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """A setting as it was found, and where: a file, the environment, or :data:`FLAGS`."""

    value: Any
    source: str


FLAGS = "the command line"


def find_settings(folder: Path, environment: Mapping[str, str] = os.environ) -> dict[str, Found]:
    """Settings of both kinds from the configuration files in ``folder`` and from the environment, and where each is.

    Raises:
        ConfigError: a file is not valid TOML, or names an option that does not exist.
    """
    settings: dict[str, Found] = {}
    for path, table in ((folder / "pyproject.toml", ("tool", "deepscan")), (folder / "deepscan.toml", ())):
        if not path.is_file():
            continue
        try:
            found: Any = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as e:
            raise ConfigError(f"The configuration file {path} cannot be read: {e}.", "Mend or remove it.") from e
        for key in table:
            found = found.get(key, {})
            require(isinstance(found, Mapping), key, found, f"a table in {path}")
        for name, value in found.items():
            settings[_known(name.replace("-", "_"), str(path))] = Found(value, path.name)
    for name, value in environment.items():
        if name.startswith("DEEPSCAN_") and name not in _OTHER_VARIABLES:
            known = _known(name.removeprefix("DEEPSCAN_").lower(), f"the environment ({name})")
            settings[known] = Found(value, f"the environment ({name})")
    return settings


_OTHER_VARIABLES = frozenset({"DEEPSCAN_DATA", "DEEPSCAN_CACHE"})


def load_settings(folder: Path, environment: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """The settings of scans alone, ready for :func:`with_settings`. Raises as :func:`find_settings`."""
    return values_of(find_settings(folder, environment), ScanOptions)


def values_of(settings: Mapping[str, Found], kind: type[ScanOptions] | type[RunOptions]) -> dict[str, Any]:
    """The values of the settings that are options of one kind."""
    names = {f.name for f in fields(kind)}
    return {name: found.value for name, found in settings.items() if name in names}


def with_settings(options: _Options, settings: Mapping[str, Any]) -> _Options:
    """Options with settings put over them; text is converted to the type of the option.

    Raises:
        ConfigError: a value is not allowed.
    """
    hints = get_type_hints(type(options))
    return replace(options, **{name: _convert(name, hints[name], value) for name, value in settings.items()})


def from_settings(options: _Options, settings: Mapping[str, Found]) -> _Options:
    """Options with those of the settings put over them that are of their kind.

    Raises:
        ConfigError: a value is not allowed; its hint says where the value stands, unless on the command line.
    """
    values = values_of(settings, type(options))
    for name, value in values.items():
        try:
            with_settings(type(options)(), {name: value})
        except ConfigError as e:
            source = settings[name].source
            raise ConfigError(e.message, e.hint or (f"It is set by {source}." if source != FLAGS else "")) from e
    return with_settings(options, values)


def _known(name: str, origin: str) -> str:
    names = [f.name for kind in (ScanOptions, RunOptions) for f in fields(kind)]
    if name not in names:
        shown = [known.replace("_", "-") for known in names]
        close = get_close_matches(name.replace("_", "-"), shown, n=1)
        hint = (f"Did you mean {close[0]}? " if close else "") + f"Options are: {', '.join(shown)}."
        raise ConfigError(f"There is no option {name!r}, but {origin} sets it.", hint)
    return name


def _convert(name: str, hint: Any, value: Any) -> Any:
    wanted = str(hint)
    if "tuple" in wanted:
        require(isinstance(value, (str, list, tuple)), name, value, "a list, or words with commas")
        words = value.split(",") if isinstance(value, str) else list(value)
        words = [str(w).strip() for w in words if str(w).strip()]
        if "MediaKind" not in wanted:
            return tuple(words)
        for word in words:
            require(word in list(MediaKind), name, word, "one of " + ", ".join(MediaKind))
        return tuple(MediaKind(w) for w in words)
    if value is None or (isinstance(value, str) and value.lower() == "auto" and "None" in wanted):
        return None
    if "bool" in wanted:
        words_for = {
            "1": True,
            "true": True,
            "yes": True,
            "on": True,
            "0": False,
            "false": False,
            "no": False,
            "off": False,
        }
        require(str(value).lower() in words_for, name, value, "true or false")
        return words_for[str(value).lower()]
    if name in SIZES:
        try:
            return parse_size(str(value))
        except (ValueError, OverflowError) as e:
            raise ConfigError(
                f"Option {name.replace('_', '-')} is {value!r}, and must be a size such as 500MB or 2GiB."
            ) from e
    for kind, noun in ((int, "a whole number"), (float, "a number")):
        if kind.__name__ in wanted:
            noun = f"auto or {noun}" if "None" in wanted else noun
            require(not isinstance(value, bool), name, value, noun)
            try:
                number = kind(value)
            except (TypeError, ValueError, OverflowError) as e:
                raise ConfigError(f"Option {name.replace('_', '-')} is {value!r}, and must be {noun}.") from e
            require(kind is float or not isinstance(value, float) or number == value, name, value, noun)
            return number
    return str(value)


def require(holds: object, name: str, value: object, allowed: str) -> None:
    """Raise ConfigError unless a value holds; ``allowed`` ends the sentence "and must be ..."."""
    if not holds:
        raise ConfigError(f"Option {name.replace('_', '-')} is {str(value)!r}, and must be {allowed}.")


@dataclass(frozen=True, slots=True)
class EvaluateOptions:
    """Everything that shapes an evaluation.

    ``images`` is where the paths of a list start. ``split`` is ``held-out`` (what a data set states to be validation
    or test, all of it where it states nothing), ``all``, ``train``, ``val`` or ``test``. ``reals`` are folders of real
    pictures only. ``robustness`` is how many pictures go through the forms of the robustness table, 0 for none;
    ``bootstrap`` how many draws make an interval, 0 for none. ``as_crops`` takes every picture for a face cut out
    already. ``workers`` are the processes that decode and find faces, None for automatic.
    """

    images: Path | None = None
    split: str = "held-out"
    reals: tuple[Path, ...] = ()
    robustness: int = 400
    bootstrap: int = 1000
    seed: int = 0
    as_crops: bool = False
    faces: str = "haar"
    workers: int | None = None
    fake_label: str | None = None
    device: str = "auto"
    precision: str = "auto"
    offline: bool = False

    def __post_init__(self) -> None:
        splits = ("held-out", "all", "train", "val", "test")
        require(self.split in splits, "split", self.split, "one of " + ", ".join(splits))
        require(self.faces in FACES, "faces", self.faces, "one of " + ", ".join(FACES))
        require(self.robustness >= 0, "robustness", self.robustness, "0 or more pictures")
        require(0 <= self.bootstrap <= 100_000, "bootstrap", self.bootstrap, "between 0 and 100,000 draws")
        require(0 <= self.seed < 2**31, "seed", self.seed, "between 0 and 2147483647")
        require(self.precision in PRECISIONS, "precision", self.precision, "one of " + ", ".join(PRECISIONS))
