"""The grid of JPEG blocks: where it lies, and whether a part of the picture has another one.

A picture that was JPEG once keeps its grid of 8 x 8 blocks, also as a PNG. A part pasted or moved within it brings
its own grid along, which meets the rest in place only one time in 64. The method is ZERO (:mod:`.compression.grid`).
"""

from __future__ import annotations

from dataclasses import dataclass

from deepscan.checks.base import CheckSpec, Cost, NotApplicableError, Subject
from deepscan.checks.compression import grid
from deepscan.checks.compression.votes import BAND, REACHED, Votes, cast_in_bands, cast_votes
from deepscan.checks.exhibits import look_and_ignore, outline
from deepscan.checks.scope import only, only_pictures
from deepscan.config import SAMPLING
from deepscan.media.luma import Luma, Plane
from deepscan.text import plural
from deepscan.types import Box, CheckResult, Evidence, Family, Finding, Level, MediaItem, MediaKind, PointsTo, Where

SHIFTED, DEVIANT, IN_BANDS = "DS-STRUCT-031", "DS-STRUCT-032", "DS-STRUCT-033"

CONTAINERS = frozenset({"jpeg", "png", "bmp", "tiff"})
"""WebP, AVIF and HEIC transform blocks of 4 x 4 and more: one of 12 such files had a part with a grid at (0, 4)."""

MIN_SIDE = 64
"""Pixels. In smaller pictures hardly any number of votes is meaningful."""

MAX_PIXELS = 24_000_000
"""Pixels that are examined; of larger pictures the middle."""

AT_ONCE = 1_000_000
"""Pixels whose votes are asked at first, in 50 ms on one core. Of larger pictures these are bands from top to bottom,
and all pixels are asked only where some grid has a pile of votes in the bands (50 ns a pixel)."""

LIKENESS = 0.5
"""A second grid with this share of the first one's votes makes both suspect: enlarging a picture by a whole factor
spreads zeros over several grids at once, and a JPEG grid stands alone."""

CLEAR = -20.0
"""The log10 NFA from which a grid in the whole picture is told. Networks that build pictures in steps of 8 pixels leave
a faint grid too (-9 in a picture by Flux), and a JPEG that was cropped is beyond -100."""

CERTAIN = -5.0
"""The log10 NFA from which a part with its own grid is moderate evidence, and above which it is weak. The method's own
threshold is 0; known pastes are beyond -20, and the one false alarm measured, in a WebP file, was -3.9."""

WIDE = 0.5
"""The share of the picture from which on a region's grid is one of the whole picture: a JPEG that was cropped and
saved again at a higher quality has two."""

MAX_REGIONS = 10

LOOK_FOR = "A box that encloses one object or patch: its blocks do not lie where those of the rest lie."
IGNORE = (
    "Letters, logos and frames that were drawn into a JPEG, collages of several pictures, and patterns that repeat "
    "every 2, 4 or 8 pixels also have grids of their own. The box encloses the votes and is no outline of the object."
)

SPEC = CheckSpec(
    id="jpeg_grid",
    title="Origin of the JPEG block grid, in the whole picture and in parts of it",
    family=Family.STRUCTURE,
    version="2",
    kinds=frozenset({MediaKind.IMAGE}),
    codes=(SHIFTED, DEVIANT, IN_BANDS),
    cost=Cost.HIGH,
    looks_at="JPEG, PNG, BMP and TIFF pictures",
    options=(*SAMPLING, "exhibits", "thorough"),
)


@dataclass(frozen=True, slots=True)
class Grids:
    """The grids of the whole picture, the one with most votes first, and regions with another one.

    ``step`` tells that only a band of rows in every so many was asked, because none of the bands held a pile of votes.
    """

    wide: tuple[grid.Grid, ...]
    deviant: tuple[grid.Region, ...]
    step: int | None = None


class JpegGrid:
    """Finds the JPEG grid of a picture, and parts that do not share it.

    Args:
        thorough: Ask all pixels of large pictures too.
    """

    spec = SPEC

    def __init__(self, *, thorough: bool = False) -> None:
        self._thorough = thorough

    def why_not(self, item: MediaItem) -> str | None:
        """What is stored without a grid of another kind may have been a JPEG before."""
        if item.kind is MediaKind.VIDEO:
            return only_pictures(item, "The JPEG grid is looked for in")
        return only(item, CONTAINERS, "its own compression or palette leaves grids too, so that none is looked for")

    def run(self, subject: Subject) -> CheckResult:
        """Let every pixel vote for a grid, and look for piles of votes.

        Raises:
            NotApplicableError: the picture is smaller than 64 x 64 pixels.
            MediaError: it cannot be decoded.
        """
        luma = subject.luma()
        if min(luma.plane.shape) < MIN_SIDE:
            height, width = luma.plane.shape
            raise NotApplicableError(f"The picture is {width} x {height} pixels, too small to tell JPEG grids apart.")
        plane, place = middle(luma.plane)
        grids = find_grids(plane, is_jpeg=luma.table is not None, thorough=self._thorough)
        partial = None
        if plane.size < luma.plane.size:
            partial = f"The middle {plane.shape[1]} x {plane.shape[0]} pixels were examined."
        findings = [*_shifted(grids, luma), *_deviant(grids, luma, place, subject), *_in_bands(grids)]
        return SPEC.done(findings, partial=partial)


def middle(plane: Plane) -> tuple[Plane, tuple[int, int]]:
    """A plane of at most MAX_PIXELS, and where it lies: multiples of 8, so that its grids are those of the whole."""
    height, width = plane.shape
    if plane.size <= MAX_PIXELS:
        return plane, (0, 0)
    scale = (MAX_PIXELS / plane.size) ** 0.5
    rows = min(height, max(MIN_SIDE, int(height * scale)))
    columns = min(width, max(MIN_SIDE, MAX_PIXELS // rows))
    rows = min(rows, MAX_PIXELS // columns)
    top, left = (height - rows) // 16 * 8, (width - columns) // 16 * 8
    return plane[top : top + rows, left : left + columns], (left, top)


def find_grids(plane: Plane, *, is_jpeg: bool = False, thorough: bool = False) -> Grids:
    """The grids of a luma plane of at least 64 x 64 pixels.

    The paper also saves the picture again at quality 99 to find parts without any grid. Measured on untouched JPEG
    photographs that found such parts in 7 of 95, wherever texture is strong and the steps are fine; it is left out.
    """
    own = {0} if is_jpeg else set()  # of the file's last save
    step = _step(plane.shape)
    if step > BAND and not thorough:
        votes = cast_in_bands(plane, step)
        counts = grid.tally(votes)
        main = grid.main_grid(votes, counts)
        if not _suspects(votes, counts, main, own, step):
            return Grids((main,) if main and not _is_shared(counts, main) else (), (), step)
    votes = cast_votes(plane)
    counts = grid.tally(votes)
    main = grid.main_grid(votes, counts)
    if main is not None and _is_shared(counts, main):
        return Grids((), ())
    regions = grid.find_regions(votes, counts, _suspects(votes, counts, main, own, BAND))
    wide = {r.grid.code: r.grid for r in reversed(regions) if r.box.width * r.box.height > WIDE * plane.size}
    local = tuple(region for region in regions if region.grid.code not in wide)
    return Grids((*([main] if main else []), *wide.values()), local)


def _step(shape: tuple[int, ...]) -> int:
    """The rows from one band to the next, so that about :data:`AT_ONCE` pixels are asked: a multiple of 8."""
    bands = max(1, AT_ONCE // ((BAND + REACHED // 2) * shape[1]))
    return BAND if shape[0] * shape[1] <= AT_ONCE else -(-shape[0] // (bands * BAND)) * BAND


def _suspects(votes: Votes, counts: grid.Tally, main: grid.Grid | None, own: set[int], step: int) -> frozenset[int]:
    """The grids that have piles of votes, other than that of the whole picture and that of the last save."""
    if main is not None and _is_shared(counts, main):
        return frozenset()
    return grid.piled_up(votes, counts, step, without=own | ({main.code} if main else set()))


def _is_shared(counts: grid.Tally, main: grid.Grid) -> bool:
    """Whether another grid than that of a last save, at (0, 0), has nearly as many votes in the whole picture."""
    others = counts.copy()
    others[[0, main.code]] = 0
    return main.code != 0 and int(others.max()) > LIKENESS * int(counts[main.code])


def _shifted(grids: Grids, luma: Luma) -> list[Finding]:
    """The finding on the whole picture: its blocks do not begin in its upper left corner."""
    main = next((found for found in grids.wide if found.code and found.log_nfa <= CLEAR), None)
    if main is None:
        return []
    again = " and saved as JPEG again" if luma.table is not None else ""
    return [
        Finding(
            SHIFTED,
            Level.INFO,
            PointsTo.NEITHER,
            f"The picture has a grid of JPEG blocks whose corners lie at ({main.x}, {main.y}) and every 8 pixels from "
            f"there, not in its own corner: it was a JPEG before, and was cut or moved{again} since. Cropping does "
            "this, and so does turning a photograph; what was cut away does not show.",
            (
                Evidence("origin of the grid in pixels (x, y), as stored", [main.x, main.y]),
                _expected(main),
            ),
        )
    ]


def _deviant(grids: Grids, luma: Luma, place: tuple[int, int], subject: Subject) -> list[Finding]:
    """The finding on parts of the picture, with their boxes."""
    if not grids.deviant:
        return []
    shown = grids.deviant[:MAX_REGIONS]
    left, top = place
    boxes = [luma.upright(Box(r.box.x + left, r.box.y + top, r.box.width, r.box.height)) for r in shown]
    evidence: list[Evidence] = []
    for region, box in zip(shown, boxes, strict=True):
        label = f"part with its grid at ({region.grid.x}, {region.grid.y})"
        value = {"votes in pixels": region.votes, "log10 of expected false alarms": round(region.grid.log_nfa, 1)}
        evidence.append(Evidence(label, value, Where(0, box=box)))
    if subject.keeps_exhibits:
        path = subject.exhibit("jpeg_grid", outline(subject.reading().frames[0].pixels, boxes))
        evidence.append(Evidence("parts with another grid", f"{plural(len(shown), 'box', 'boxes')}", exhibit=path))
        evidence.extend(look_and_ignore(LOOK_FOR, IGNORE))
    main = grids.wide[0] if grids.wide else None
    rest = "the rest shows none" if main is None else f"the rest has its grid at ({main.x}, {main.y})"
    number = len(grids.deviant)
    box = boxes[0]
    return [
        Finding(
            DEVIANT,
            Level.MODERATE if shown[0].grid.log_nfa <= CERTAIN else Level.WEAK,
            PointsTo.EDITED,
            f"{plural(number, 'part')} of the picture {'has' if number == 1 else 'have'} a grid of JPEG blocks of "
            f"{'its' if number == 1 else 'their'} own, and {rest}. The clearest is {box.width} x {box.height} pixels "
            f"at ({box.x}, {box.y}), with its grid at ({shown[0].grid.x}, {shown[0].grid.y}). This is evidence of a "
            "part that was pasted or moved; a logo or a frame that was added does the same, and why it was done does "
            "not show.",
            tuple(evidence),
        )
    ]


def _in_bands(grids: Grids) -> list[Finding]:
    """The finding that says that not all pixels were asked."""
    if grids.step is None:
        return []
    return [
        Finding(
            IN_BANDS,
            Level.INFO,
            PointsTo.NEITHER,
            f"The picture is large, and its JPEG grid was looked for in bands of {BAND} rows, one in every "
            f"{grids.step}. No band has a part with a grid of its own; parts lower than {grids.step + BAND} pixels may "
            "lie between the bands. --thorough looks everywhere, and takes a second or more for it.",
            (Evidence("rows of pixels from one band to the next", grids.step),),
        )
    ]


def _expected(found: grid.Grid) -> Evidence:
    return Evidence("log10 of the false alarms to expect in pictures without a grid", round(found.log_nfa, 1))
