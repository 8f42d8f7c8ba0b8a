"""Every error deepscan raises on purpose, and the exit code each one ends the program with.

::

    DeepscanError
    |-- UsageError               2   the request itself cannot be carried out
    |   |-- ConfigError          2   a setting has a value that is not allowed
    |   |-- InputError           2   a path on the command line is missing or cannot be read
    |   |-- NothingToScanError   2   the paths hold no file that may be scanned
    |   `-- UnknownCheckError    2   --checks or --skip names no check
    |-- ModelError               2   a model pack cannot be used
    |   |-- ModelNotFoundError   2   there is no such pack, folder or hub model
    |   |-- CorruptPackError     2   weights or card are damaged, or do not belong together
    |   |-- LabelError           2   nothing says which label means fake
    |   `-- DeviceError          2   the device or precision asked for is not there
    |-- MediaError               -   one file cannot be examined: becomes a reason, the scan goes on
    |   |-- UnreadableError      -   the bytes cannot be read or decoded
    |   |-- UnsupportedError     -   deepscan has no reader for this format
    |   `-- LimitError           -   a limit on bytes, pixels, frames or time was reached
    |-- CaseFileError            2   the case file is locked, damaged or from another version
    |-- OutputError              2   a report cannot be written (full disk, no permission)
    |-- ReportError              2   a report cannot be read back
    `-- TrainingError            2   the data set or the training run is unusable

Each error is a sentence (what happened, to which file) and a hint (what to do about it). Only the command line turns
errors into text and exit codes; only ``engine/runner.py`` turns a ``MediaError`` into a result.
"""

from __future__ import annotations

EXIT_CLEAN = 0
"""Nothing at or above ``--fail-on`` was found, and every file was examined."""
EXIT_FOUND = 1
"""At least one file is at or above ``--fail-on``."""
EXIT_USAGE = 2
"""The request could not be carried out: bad usage, or a model, device or file that is not there."""
EXIT_INCOMPLETE = 3
"""Nothing was found, but some files could not be examined: an incomplete scan never looks like a clean one."""
EXIT_INTERRUPTED = 130
"""Stopped by the user (Ctrl-C, SIGTERM): what was finished is kept. 128 + SIGINT, as shells expect."""


EXIT_PIPE = 141
"""Whoever read the output stopped reading (as ``head`` does): nobody knows whether it saw all. 128 + SIGPIPE."""


class DeepscanError(Exception):
    """The root of the tree.

    Args:
        message: One sentence: what happened, and to which file.
        hint: What the user can do about it; empty when there is nothing to do.
    """

    exit_code = EXIT_USAGE

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __reduce__(self) -> tuple[type[DeepscanError], tuple[str, str]]:
        """Errors cross process borders: keep the hint when pickled."""
        return type(self), (self.message, self.hint)


class UsageError(DeepscanError):
    """The request cannot be carried out as it stands."""


class ConfigError(UsageError):
    """A setting has a value that is not allowed."""


class InputError(UsageError):
    """A path on the command line is missing or cannot be read."""


class NothingToScanError(UsageError):
    """The paths given hold no file that may be scanned."""


class UnknownCheckError(UsageError):
    """A check was named that does not exist."""


class ModelError(DeepscanError):
    """A model pack cannot be used."""


class ModelNotFoundError(ModelError):
    """There is no such pack, folder or hub model."""


class CorruptPackError(ModelError):
    """Weights or card are damaged or do not belong together."""


class LabelError(ModelError):
    """Nothing says which label of the model means fake."""


class DeviceError(ModelError):
    """The device or precision asked for is not available."""


class MediaError(DeepscanError):
    """One file cannot be examined. It becomes a reason in the report, and the scan goes on."""


class UnreadableError(MediaError):
    """The bytes of a file cannot be read or decoded."""


class UnsupportedError(MediaError):
    """deepscan has no reader for this format."""


class LimitError(MediaError):
    """A limit on bytes, pixels, frames or seconds was reached before anything was allocated."""


class CaseFileError(DeepscanError):
    """The case file is locked, damaged, or was written by another version."""


class OutputError(DeepscanError):
    """A report cannot be written."""


class ReportError(DeepscanError):
    """A report cannot be read back."""


class TrainingError(DeepscanError):
    """The data set or the training run cannot be used."""
