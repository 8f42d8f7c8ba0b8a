"""OpenCV's Haar cascades, and the windows of a picture that they accept."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias
from xml.etree import ElementTree

from deepscan.errors import ModelNotFoundError
from deepscan.media.grey import Grey, shrunk

if TYPE_CHECKING:
    import cv2

ALIKE = 0.2
"""Part of their sides by which accepted windows may differ and still speak for one face, as in OpenCV's own search."""

FIRST_STAGES = 0.65
"""The part of a cascade's stages that a window must pass to be looked at closely. All of them would be too much to ask
of windows so far apart: portraits are lost. With half of them too many pass, and no more faces are found."""

_ONE_PLACE = 0.3  # parts of their sides by which windows may differ that are looked at again together
_AROUND = 0.5  # parts of a window's side that are searched again around it; with 0.3, one face in twenty is lost
_FACTOR = 1.5  # between its size and the smallest and the largest that are tried then

_INSTALL = 'Install one that has it: pip install "opencv-python-headless>=4.10,<5".'

Window: TypeAlias = list[int]  # left, top, width and height


def windows(cascade: str, grey: Grey, step: float, smallest: int, largest: int = 0) -> list[Window]:
    """Every window that a cascade accepts, in pixels.

    Args:
        cascade: Its name, as :func:`load` has it.
        grey: Shape (height, width), uint8.
        step: The factor between window sizes.
        smallest: Pixels of the smallest window.
        largest: Pixels of the largest one; 0 for no limit.

    Raises:
        ModelNotFoundError: OpenCV was installed without its cascades.
    """
    return _accepted(load(cascade), grey, step, smallest, largest)


def _accepted(cascade: cv2.CascadeClassifier, grey: Grey, step: float, smallest: int, largest: int) -> list[Window]:
    boxes = cascade.detectMultiScale(
        grey, scaleFactor=step, minNeighbors=0, minSize=(smallest, smallest), maxSize=(largest, largest)
    )
    return [[int(value) for value in box] for box in boxes]


def quick_windows(cascade: str, grey: Grey, step: float, smallest: int) -> list[Window]:
    """Nearly the same in a third of the time.

    OpenCV moves windows of up to twice a cascade's own side by a tenth of their side, and larger ones by a twentieth.
    So larger ones are sought in ever smaller copies, moved by a tenth and by the cascade's :data:`FIRST_STAGES` alone,
    and all are tried around those that pass.
    """
    twice = _twice(cascade)
    found = windows(cascade, grey, step, smallest, twice - 1) if smallest < twice else []
    half, scale = _halved(grey)
    places = _apart(_scaled(_promising(cascade, half, step, max(smallest, twice) // 2), 1 / scale))
    for place in places:
        left, top, side, _ = place
        x, y = (max(0, round(start - _AROUND * side)) for start in (left, top))
        beyond, below = (round(start + (1 + _AROUND) * side) for start in (left, top))
        least = max(smallest, twice, round(side / _FACTOR))
        here = windows(cascade, grey[y:below, x:beyond], step, least, round(side * _FACTOR))
        moved = ([x + across, y + down, *size] for across, down, *size in here)
        # Where the surroundings of two places overlap, each window counts once.
        found += [window for window in moved if min(places, key=lambda p: _distance(p, window)) is place]
    return found


def coarse_windows(cascade: str, grey: Grey, step: float, smallest: int) -> list[Window]:
    """The same in less time: of up to four times the cascade's own side, windows are moved by a tenth of it.

    What is larger than twice is found in a copy of half the size. Moving all by a tenth costs less still, and finds
    fewer; :func:`quick_windows` there costs a tenth less, and one in a hundred small faces.
    """
    twice = _twice(cascade)
    half, scale = _halved(grey)
    found = _scaled(windows(cascade, half, step, max(smallest, twice) // 2), 1 / scale)
    return found + (windows(cascade, grey, step, smallest, twice - 1) if smallest < twice else [])


def _promising(cascade: str, grey: Grey, step: float, smallest: int) -> list[Window]:
    """The windows that the first stages accept, all of them moved by a tenth of their side."""
    side = _twice(cascade) // 2
    found: list[Window] = []
    scale = 1.0
    while min(grey.shape) >= max(side, smallest):
        if smallest < 2 * side:
            here = _accepted(_first_stages(cascade), grey, step, max(side, smallest), 2 * side - 1)
            found += _scaled(here, 1 / scale)
        smallest = max(smallest, 2 * side) // 2
        grey, by = _halved(grey)
        scale *= by
    return found


def _twice(cascade: str) -> int:
    """Twice a cascade's own side, in pixels."""
    return 2 * load(cascade).getOriginalWindowSize()[0]


def _apart(found: list[Window]) -> list[Window]:
    """One window for all that are much alike."""
    kept: list[Window] = []
    for window in found:
        if all(_distance(window, other) > _ONE_PLACE for other in kept):
            kept.append(window)
    return kept


def _distance(one: Window, other: Window) -> float:
    """How far two windows differ in place or size, in parts of the smaller one's side."""
    (x, y, side, _), (left, top, size, _) = one, other
    half = (size - side) / 2
    return max(abs(left + half - x), abs(top + half - y), 2 * abs(half)) / min(side, size)


def _halved(grey: Grey) -> tuple[Grey, float]:
    return shrunk(grey, (max(grey.shape) + 1) // 2)


def _scaled(found: list[Window], by: float) -> list[Window]:
    return [[round(value * by) for value in box] for box in found]


@cache
def load(name: str) -> cv2.CascadeClassifier:
    """A cascade of OpenCV's, such as ``haarcascade_profileface``. Raises ModelNotFoundError."""
    import cv2

    return cv2.CascadeClassifier(str(_path(name)))


def _path(name: str) -> Path:
    import cv2

    path = Path(cv2.data.haarcascades) / f"{name}.xml"  # type: ignore[attr-defined]
    if not path.is_file():
        raise ModelNotFoundError(
            f"OpenCV {cv2.__version__} came without its face cascade {path.name}.",
            _INSTALL,
        )
    return path


@cache
def _first_stages(name: str) -> cv2.CascadeClassifier:
    """The first stages of a cascade: they accept all that it does, and more. Raises ModelNotFoundError."""
    import cv2

    path = _path(name)
    tree = ElementTree.parse(path)  # noqa: S314 - a file that is installed with OpenCV
    for stages in tree.iter("stages"):
        for stage in list(stages)[round(FIRST_STAGES * len(stages)) :]:
            stages.remove(stage)
    text = '<?xml version="1.0"?>' + ElementTree.tostring(tree.getroot(), encoding="unicode")
    storage = cv2.FileStorage(text, cv2.FILE_STORAGE_READ | cv2.FILE_STORAGE_MEMORY)
    cascade = cv2.CascadeClassifier()
    if not cascade.read(storage.getFirstTopLevelNode()):
        raise ModelNotFoundError(
            f"The face cascade {path.name} of OpenCV {cv2.__version__} cannot be read in part.", _INSTALL
        )
    return cascade
