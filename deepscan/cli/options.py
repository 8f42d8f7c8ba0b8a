"""Options that commands share, and the words their values take."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from deepscan.config import FLAGS, SAMPLING, Found, RunOptions, ScanOptions, find_settings, from_settings
from deepscan.errors import UsageError
from deepscan.reports import base
from deepscan.reports.setting import Setting, Style

STDIO = "-"
"""Standard input among the paths, standard output as the target."""

_LOGGER = logging.getLogger("deepscan")


def _set_up_logging(value: bool) -> bool:
    """Warnings to the error stream; with ``--debug`` everything, with tracebacks."""
    _LOGGER.setLevel(logging.DEBUG if value else logging.WARNING)
    if not _LOGGER.handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("deepscan: %(message)s"))
        _LOGGER.addHandler(handler)
    return value


def debug_is_on() -> bool:
    """Whether ``--debug`` was given."""
    return _LOGGER.isEnabledFor(logging.DEBUG)


DebugOption = Annotated[
    bool, typer.Option("--debug", help="Show tracebacks and what happens inside.", callback=_set_up_logging)
]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no summary; errors only.")]
VerboseOption = Annotated[
    bool | None,
    typer.Option("--verbose/--no-verbose", "-v", help="The evidence under findings, and why checks did not apply."),
]
NoColourOption = Annotated[
    bool, typer.Option("--no-color", "--no-colour", help="No colours (as the NO_COLOR variable does).")
]
SilentOption = Annotated[
    bool | None, typer.Option("--quiet/--no-quiet", "-q", help="No progress and no summary; errors only.")
]
PlainOption = Annotated[
    bool | None,
    typer.Option("--no-color/--color", "--no-colour/--colour", help="No colours (as the NO_COLOR variable does)."),
]
FORMATS_HELP = f"Reports to write, with commas: {', '.join(base.FORMATS)}."
FormatsOption = Annotated[str | None, typer.Option("--format", metavar="NAMES", help=FORMATS_HELP)]
StyleOption = Annotated[
    str | None,
    typer.Option(
        metavar="VOICE", help="Voice of the HTML report: brief (plain words) or full [brief for one file, else full]."
    ),
]
TemplateOption = Annotated[
    Path | None,
    typer.Option(metavar="FOLDER", help="Templates for the HTML report, in place of the built-in ones of their names."),
]
OutputOption = Annotated[
    str | None,
    typer.Option("--output", "-o", metavar="DIR|-", help="The folder to write reports into, or - for stdout."),
]

SealOption = Annotated[
    bool | None,
    typer.Option("--seal/--no-seal", help="Write report.seal.json too: the hash of every file of the report."),
]
BaselineOption = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Files known from an earlier scan end it with exit code 1 no more.")
]
SuppressionsOption = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Verdicts that were accepted, with reason, author and expiry.")
]
ChangedOption = Annotated[
    str | None, typer.Option(metavar="REF", help="Only files that differ from where git's REF and HEAD parted.")
]
SignOption = Annotated[
    Path | None, typer.Option("--sign", metavar="KEY", help="Seal, and sign the seal with this Ed25519 private key.")
]
TimestampOption = Annotated[
    str | None,
    typer.Option(metavar="URL", help="Seal, and have this authority stamp the seal with the time, over the network."),
]

# The options of `deepscan scan`, in the order of its help.
PathsArgument = Annotated[
    list[str],
    typer.Argument(metavar="PATH", help="Files and folders; - reads a list of them (NUL or newline separated)."),
]
CaseOption = Annotated[
    Path | None, typer.Option(metavar="FILE", help="The case file (default: deepscan.case in the output folder).")
]
ModelOption = Annotated[
    str | None, typer.Option(help="builtin, a pack or model folder, or a hub id owner/name[@revision].")
]
FakeLabelOption = Annotated[str | None, typer.Option(help="The model's label that means fake.")]
ChecksOption = Annotated[
    str | None, typer.Option(metavar="IDS", help="Only these checks, with commas; all and default are words for many.")
]
SkipOption = Annotated[str | None, typer.Option(metavar="IDS", help="Not these checks, with commas.")]
FailOnOption = Annotated[
    str | None,
    typer.Option(metavar="LEVEL", help="strong, moderate, weak or never: exit 1 from here on [moderate]."),
]
IncludeOption = Annotated[
    list[str] | None, typer.Option(metavar="GLOB", help="Only files that match; may be repeated.")
]
ExcludeOption = Annotated[
    list[str] | None, typer.Option(metavar="GLOB", help="No files or folders that match; may be repeated.")
]
KindsOption = Annotated[str | None, typer.Option(help="image, video, or both with a comma [image,video].")]
MaxSizeOption = Annotated[str | None, typer.Option(metavar="SIZE", help="Skip larger files: 500MB, 2GiB [8GiB].")]
HiddenOption = Annotated[
    bool | None, typer.Option("--hidden/--no-hidden", help="Enter hidden folders and scan hidden files.")
]
FollowOption = Annotated[
    bool | None, typer.Option("--follow-symlinks/--no-follow-symlinks", help="Enter symlinked folders.")
]
FramesOption = Annotated[
    str | None, typer.Option(metavar="N", help="Frames of a video, evenly in time, or auto: by time and shot [auto].")
]
EveryOption = Annotated[
    float | None, typer.Option(metavar="SECONDS", help="A frame every so many seconds, instead of --frames.")
]
KeyframesOption = Annotated[
    bool | None,
    typer.Option("--keyframes/--no-keyframes", help="The frames of a video that are stored whole: a quick look."),
]
AllFramesOption = Annotated[
    bool | None, typer.Option("--all-frames/--no-all-frames", help="All frames of a video, a few hundred at a time.")
]
DeviceOption = Annotated[str | None, typer.Option(help="auto, cpu, openvino, cuda, cuda:N or mps [auto].")]
PrecisionOption = Annotated[str | None, typer.Option(help="auto, fp32, bf16, fp16 or int8 [auto].")]
BatchOption = Annotated[str | None, typer.Option(metavar="N", help="Pictures in a batch, or auto [auto].")]
WorkersOption = Annotated[
    str | None, typer.Option(metavar="N", help="Worker processes; 0 works in this process, unprotected [auto].")
]
SecondsOption = Annotated[
    float | None, typer.Option(metavar="SECONDS", help="Time limit for one file in a worker [120].")
]
MemoryOption = Annotated[
    str | None, typer.Option(metavar="SIZE", help="Memory limit for one file in a worker: 2GiB, 800MB [4GiB].")
]
VerifyOption = Annotated[
    bool | None,
    typer.Option(
        "--verify-unchanged/--no-verify-unchanged", help="Hash every file again after it was examined, and compare."
    ),
]
TrustMtimeOption = Annotated[
    bool | None,
    typer.Option(
        "--trust-mtime/--no-trust-mtime", help="Do not hash files whose size and time of change are as before."
    ),
]
ExhibitsOption = Annotated[
    bool | None, typer.Option("--exhibits/--no-exhibits", help="Write maps as pictures into the output folder.")
]
FacesOption = Annotated[str | None, typer.Option(help="What finds faces: haar, or yunet once it is pulled [haar].")]
StabilityOption = Annotated[
    bool | None,
    typer.Option(
        "--stability/--no-stability", help="Score gentle re-encodings too: an answer that flips is undetermined."
    ),
]
TrustOption = Annotated[
    str | None, typer.Option(metavar="FILE", help="PEM certificates to trust in content credentials [a shipped list].")
]
FetchOption = Annotated[
    bool | None,
    typer.Option(
        "--fetch-remote/--no-fetch-remote",
        help="Fetch content credentials that a file only links to, from the network.",
    ),
]
ExifToolOption = Annotated[
    bool | None,
    typer.Option("--exiftool/--no-exiftool", help="Read metadata with ExifTool as well, where it is installed."),
]
RedactOption = Annotated[
    bool | None,
    typer.Option("--redact-location/--no-redact-location", help="Leave coordinates and places out of reports."),
]
ThoroughOption = Annotated[
    bool | None,
    typer.Option("--thorough/--no-thorough", help="Search large pictures as hard as small ones; seconds for each."),
]
OfflineOption = Annotated[bool, typer.Option("--offline", help="Never touch the network (hub models: cache only).")]
OfflineChoice = Annotated[
    bool | None, typer.Option("--offline/--no-offline", help="Never touch the network (hub models: cache only).")
]


def words(value: str | None) -> tuple[str, ...] | None:
    """``"csv, json"`` as ``("csv", "json")``; None stays None."""
    return None if value is None else tuple(word.strip() for word in value.split(",") if word.strip())


def targets(
    output: str | None, names: tuple[str, ...] | None, *, exhibits: bool
) -> tuple[Path | None, tuple[str, ...]]:
    """The folder reports go to (None for standard output or nowhere), and which reports. Raises UsageError."""
    if output is None:
        if names or exhibits:
            raise UsageError("Nothing says where to write to.", "Name a folder with -o, or - for standard output.")
        return None, ()
    if output != STDIO:
        return Path(output), names or ("csv", "json")
    if exhibits:
        raise UsageError("Exhibits cannot go to standard output.", "Name a folder with -o.")
    if names and len(set(names)) > 1:
        raise UsageError("Only one report can go to standard output.", "Choose one with --format.")
    return None, names or ("json",)


def whole_number(workers: str | None) -> int | None:
    """How many workers were asked for, None for automatic. Raises UsageError."""
    if workers in (None, "auto"):
        return None
    if not workers.isdecimal():
        raise UsageError(f"Workers are {workers!r}, and must be auto or a whole number.")
    return int(workers)


def setting(style: str | None, template: str | Path | None = None, *, exhibits: Path | None = None) -> Setting:
    """How reports are to be written. Raises ConfigError when there is no such voice."""
    chosen = ScanOptions(style=style).style
    return Setting(Style(chosen) if chosen else None, exhibits, template=Path(template) if template else None)


def chosen(given: Mapping[str, Any]) -> tuple[ScanOptions, RunOptions]:
    """Options from the settings of the working folder, with what was given on the command line over them.

    Raises:
        ConfigError: a setting or a value is not allowed.
        UsageError: options were given that exclude each other.
    """
    flags = {
        name: Found(str(value) if isinstance(value, Path) else value, FLAGS)
        for name, value in {**given, "format": given["formats"]}.items()
        if value not in (None, [])
    }
    settings = {**_without_rivals(find_settings(Path.cwd()), flags), **flags}
    return from_settings(ScanOptions(), settings), from_settings(RunOptions(), settings)


def _without_rivals(settings: Mapping[str, Found], flags: Mapping[str, Found]) -> dict[str, Found]:
    """The settings, less those that choose frames where a flag does so too: there is one way to choose them at a time.

    Raises:
        UsageError: the command line chooses frames in two ways.
    """
    ways = [name for name in SAMPLING if name in flags and flags[name].value is not False]
    if len(ways) > 1:
        *others, last = (f"--{name.replace('_', '-')}" for name in ways)
        raise UsageError(
            f"{', '.join(others)} and {last} exclude each other.", "Choose the frames of videos in one way."
        )
    return {name: found for name, found in settings.items() if not ways or name not in SAMPLING}
