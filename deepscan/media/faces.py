"""Face finders behind one protocol, and one that needs nothing but the Haar cascades that come with OpenCV.

A cascade by itself either misses faces or sees them in foliage. :class:`HaarFinder` therefore works in two steps:
*proposals*, cheap and generous; then *confirmation*, in which each proposal is cut out, brought to one size and
contrast, and shown to several cascades upright and tilted, whose neighbour counts are added up as votes.

Proposals come from several searches, the quickest first: a large face, which a portrait has and few windows can hold;
a face that fills the picture, sought in a copy with a border (the cascades were trained on faces with their
surroundings); then faces of any size anywhere, tilted ones, profiles. A large face ends the search, once the strips
around it have been searched for others.

What it finds, misses and costs on real faces and on pictures without any is in docs/performance.md, measured with
``python -m tests.benchmarks.faces``.

Method: P. Viola and M. Jones, "Robust real-time face detection", IJCV 57 (2004); the cascades are R. Lienhart's, and
H. Bruce's (profile), as distributed with OpenCV 4.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol, TypeAlias

import numpy as np

from deepscan.media.cascades import ALIKE, Window, coarse_windows, quick_windows, windows
from deepscan.media.face_boxes import MIN_FACE_PIXELS, SAME_FACE, clipped
from deepscan.media.frames import Face, Pixels
from deepscan.media.grey import Grey, equalised, padded, reduced, shrunk
from deepscan.media.limits import MAX_FACES
from deepscan.types import Box

WORK_SIDE = 2048
"""Pixels of the longer side, up to half more or a third less, of the grey copy that everything is cut from; the
smallest proposals are then nearly as large as :data:`CONFIRM_SIDE`."""

WIDE_SIDE = 720
"""Pixels of the longer side of the copy searched for frontal faces anywhere. Of faces pasted into photographs, sides of
640, 720 and 800 find 58, 75 and 83 % at 4.9 % of the picture's width, and 92, 100 and 100 % at 7 %.
"""

PROFILE_SIDE = 240
"""The same for faces in profile. Their cascade costs one and a half times as much and runs twice (mirrored), so it
looks for faces from 10 % of the picture on.
"""

TIGHT_SIDE = 128
"""Pixels of the longer side of the copy searched for a face that fills the picture; 160 finds as many."""

TIGHT_PADDING = 0.3
"""Border of repeated edge pixels around that copy, in parts of its longer side. Mirrored edges find as many faces but
see five times as many where there are none."""

CROP_SIDE = 512
"""Pixels of the longer side up to which a picture is taken for a face that somebody cut out, and every window is tried:
the boxes of such sets are what packs are trained and measured on. In larger ones, a tilted face or one in profile that
fills the picture is sought by :func:`deepscan.media.cascades.quick_windows`."""

LARGE_SHARE = 0.4
"""A face of at least this part of the shorter side is what the picture shows: the other searches are left out then."""

MIN_WINDOW = 24
"""Pixels of the smallest window searched (the cascades' own window is 20)."""

STEP = 1.15
"""Factor between window sizes when faces anywhere are looked for; 1.1 costs 40 % more and finds no more."""

FINE_STEP = 1.1
"""The same where the size is nearly known."""

TILT = 18.0
"""Degrees by which a picture is turned either way; upright cascades reach about 15 degrees."""

CONTEXT = 0.45
"""Surroundings cut out with a proposal on each side, in parts of its side."""

CONFIRM_SIDE = 80
"""Pixels of a proposal's side when it is confirmed."""

MOST_VOTES = 8.0
"""The most one cascade's neighbour count adds, so that no single cascade decides."""

FRONTAL_NEIGHBOURS, BESIDE_NEIGHBOURS, PROFILE_NEIGHBOURS = 2, 3, 3
"""Neighbours from which a window anywhere is a proposal, one beside a large face, and one in profile. Beside the face
that a picture shows there is rarely a second one, and nothing but the profile cascade knows profiles: both must be
surer."""

MAX_PROPOSALS = 4 * MAX_FACES
"""Proposals that are confirmed, most votes first: about 10 ms each, and patterned pictures can give thousands."""

_FRONTAL = "haarcascade_frontalface_alt2"
_PROFILE = "haarcascade_profileface"
_JURY = (
    (_FRONTAL, 1.0, 0.0),
    ("haarcascade_frontalface_alt", 1.0, 0.0),
    ("haarcascade_frontalface_default", 0.5, 0.0),  # finds most and errs most
    (_FRONTAL, 1.0, -TILT),
    (_FRONTAL, 1.0, TILT),
)
"""Cascades that confirm a frontal face: the weight of their votes, and the angle by which the picture is turned."""

_UPRIGHT = 3  # of them, those before the picture is turned


_Search: TypeAlias = Callable[[str, Grey, float, int], list[Window]]
"""Finds the windows of a picture that a cascade accepts: one of :mod:`deepscan.media.cascades`."""


@dataclass(frozen=True, slots=True)
class _Aim:
    """What is looked for: windows from how many pixels on, and how those of a tilted face that fills it are sought."""

    smallest: float
    search: _Search

    def scaled(self, by: float, least: float = 0.0) -> int:
        """Pixels of the smallest window in a smaller copy, at least ``least`` and as many as cascades can tell."""
        return max(MIN_WINDOW, round(self.smallest * by), round(least))


@dataclass(frozen=True, slots=True)
class _Bar:
    """The votes from which a frontal proposal, or one in profile, is a face.

    A quick look takes coarser steps, and the first cascade's word where that was sure already: what it lets through is
    a plain case, and what it refuses gets a second look.
    """

    frontal: float
    profile: float
    quick: bool = False


_ANYWHERE = _Bar(frontal=12.0, profile=10.0)
_FILLING = _Bar(frontal=8.0, profile=8.0)
"""Lower, because hundreds of times fewer windows are tried, and fewer look like a face by chance."""

_PLAIN = _Bar(frontal=12.0, profile=10.0, quick=True)


class FaceFinder(Protocol):
    """What finds faces."""

    @property
    def name(self) -> str:
        """The finder and its version, as the run record has it: another name means other boxes."""

    def find(self, pixels: Pixels) -> tuple[Face, ...]:
        """All faces of a picture (height, width, 3), largest first, in boxes that lie inside it."""


class HaarFinder:
    """Finds frontal and profile faces with OpenCV's Haar cascades; needs no weights of its own.

    The cascades are loaded once per process. They are not made for use by two threads at a time.
    """

    name = "opencv-haar/5"

    def find(self, pixels: Pixels) -> tuple[Face, ...]:
        """Find all faces, largest first; ``view`` is ``frontal``, ``tilted`` or ``profile``.

        Args:
            pixels: Shape (height, width, 3), RGB, uint8.

        Returns:
            Boxes clipped to the picture, one per face. Callers cut at :data:`deepscan.media.limits.MAX_FACES`.

        Raises:
            ModelNotFoundError: OpenCV was installed without its cascades.
        """
        import cv2

        height, width = pixels.shape[:2]
        if min(height, width) < MIN_FACE_PIXELS:
            return ()
        grey, scale = reduced(np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.uint8), WORK_SIDE)
        wide, share = shrunk(grey, WIDE_SIDE)
        aim = _Aim(MIN_FACE_PIXELS * scale * share, quick_windows if max(height, width) > CROP_SIDE else windows)

        def confirmed(proposals: Iterable[_Candidate], bar: _Bar) -> list[_Candidate]:
            return _confirmed(grey, (_scaled(c, 1 / share) for c in proposals), bar)

        found: list[_Candidate] = []
        for proposals, bar in (
            (_large, _PLAIN),
            (_filling, _PLAIN),
            (_frontal_anywhere, _ANYWHERE),
            (_filling_turned, _FILLING),
            (_profiles_anywhere, _ANYWHERE),
        ):
            found = _distinct([*found, *confirmed(proposals(wide, aim), bar)])
            large = [c for c in found if c.side >= LARGE_SHARE * min(grey.shape)]
            if large:
                if proposals is not _frontal_anywhere:
                    beside = _frontal_anywhere(wide, aim, beside=_scaled(large[0], share))
                    found = _distinct([*found, *confirmed(beside, _ANYWHERE)])
                break
        faces = [face for c in found if (face := _face(_scaled(c, 1 / scale), width, height)) is not None]
        return tuple(sorted(faces, key=lambda f: (-f.box.width * f.box.height, f.box.y, f.box.x)))


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A square that may hold a face: its centre and side in pixels of the picture, votes, and the view."""

    x: float
    y: float
    side: float
    votes: float
    view: str

    def shares(self, other: _Candidate) -> float:
        """The part of the smaller square that both cover."""
        reach = (self.side + other.side) / 2
        smaller = min(self.side, other.side)
        across = min(smaller, max(0.0, reach - abs(self.x - other.x)))
        down = min(smaller, max(0.0, reach - abs(self.y - other.y)))
        return across * down / smaller**2


def _large(grey: Grey, aim: _Aim) -> list[_Candidate]:
    """Proposals for a face that is what the picture shows: few windows, so that portraits are quickly done."""
    copy, scale = shrunk(grey, TIGHT_SIDE)
    smallest = aim.scaled(scale, LARGE_SHARE * min(copy.shape))
    return [_scaled(c, 1 / scale) for c in _sweep(_FRONTAL, equalised(copy), step=STEP, smallest=smallest)]


def _frontal_anywhere(grey: Grey, aim: _Aim, beside: _Candidate | None = None) -> list[_Candidate]:
    """Proposals of any size, in the whole picture or in the strips around a face that is known."""
    copy = equalised(grey)
    smallest = aim.scaled(1)
    found = []
    for left, top, right, bottom in _strips(copy, beside):
        if min(right - left, bottom - top) >= smallest:
            part = _sweep(_FRONTAL, copy[top:bottom, left:right], step=STEP, smallest=smallest, search=coarse_windows)
            found += [replace(c, x=c.x + left, y=c.y + top) for c in part]
    return [c for c in found if c.votes >= (BESIDE_NEIGHBOURS if beside else FRONTAL_NEIGHBOURS)]


def _strips(grey: Grey, around: _Candidate | None) -> list[tuple[int, int, int, int]]:
    """Left, top, right and bottom of the parts of a picture to the left, right, top and bottom of a face."""
    height, width = grey.shape
    if around is None:
        return [(0, 0, width, height)]
    half = around.side / 2
    left, right = max(0, round(around.x - half)), min(width, round(around.x + half))
    top, bottom = max(0, round(around.y - half)), min(height, round(around.y + half))
    return [(0, 0, left, height), (right, 0, width, height), (0, 0, width, top), (0, bottom, width, height)]


def _profiles_anywhere(grey: Grey, aim: _Aim) -> list[_Candidate]:
    copy, scale = shrunk(grey, PROFILE_SIDE)
    smallest = aim.scaled(scale)
    found = _profiles(equalised(copy), step=STEP, smallest=smallest, search=coarse_windows)
    return [_scaled(c, 1 / scale) for c in found if c.votes >= PROFILE_NEIGHBOURS]


def _filling(grey: Grey, aim: _Aim) -> list[_Candidate]:
    """Proposals for a frontal face that fills the picture, or more than fills it."""
    framed, smallest, pad, scale = _with_border(grey, aim)
    found = _sweep(_FRONTAL, framed, step=STEP, smallest=smallest)
    return [_scaled(replace(c, x=c.x - pad, y=c.y - pad), 1 / scale) for c in found]


def _filling_turned(grey: Grey, aim: _Aim) -> list[_Candidate]:
    """The same for a face that is tilted or in profile."""
    framed, smallest, pad, scale = _with_border(grey, aim)
    found = _profiles(framed, step=FINE_STEP, smallest=smallest, search=aim.search)
    for angle in (0.0, -TILT, TILT):
        found += _sweep(_FRONTAL, framed, step=FINE_STEP, smallest=smallest, angle=angle, search=aim.search)
    return [_scaled(replace(c, x=c.x - pad, y=c.y - pad), 1 / scale) for c in found]


def _with_border(grey: Grey, aim: _Aim) -> tuple[Grey, int, int, float]:
    """A small copy within a border, the smallest window in it, the border's width, and the scale of the copy."""
    copy, scale = shrunk(grey, TIGHT_SIDE)
    pad = round(TIGHT_PADDING * max(copy.shape))
    smallest = aim.scaled(scale, LARGE_SHARE * min(copy.shape))
    return padded(equalised(copy), (pad, pad, pad, pad)), smallest, pad, scale


def _confirmed(grey: Grey, proposals: Iterable[_Candidate], bar: _Bar) -> list[_Candidate]:
    """The proposals that are faces, one per face."""
    proposals = list(proposals)
    frontal = _distinct(c for c in proposals if c.view != "profile")
    profile = _distinct(c for c in proposals if c.view == "profile")
    wanted = [*frontal, *profile][:MAX_PROPOSALS]
    return _distinct(c for proposal in wanted if (c := _confirm(grey, proposal, bar)) is not None)


def _confirm(grey: Grey, proposal: _Candidate, bar: _Bar) -> _Candidate | None:
    """Look again at one proposal, alone, at a known size and contrast."""
    patch = _patch(grey, proposal)
    middle = patch.shape[0] / 2
    least, near = round(0.7 * CONFIRM_SIDE), partial(windows, largest=round(1.45 * CONFIRM_SIDE))

    def best(found: Iterable[_Candidate]) -> list[_Candidate]:
        central = [c for c in found if np.hypot(c.x - middle, c.y - middle) < 0.3 * CONFIRM_SIDE]
        return sorted(central, key=_rank)[:1]

    seen: list[_Candidate] = []
    # What one cascade is sure of need not be shown to it again.
    known = bar.quick and proposal.view == "frontal" and proposal.votes >= MOST_VOTES
    step = STEP if bar.quick else FINE_STEP
    votes = MOST_VOTES if known else 0.0
    for cascade, weight, angle in _JURY[known:_UPRIGHT] if bar.quick else _JURY:
        for c in best(_sweep(cascade, patch, step=step, smallest=least, angle=angle, search=near)):
            seen.append(c)
            votes += weight * min(MOST_VOTES, c.votes)
        if seen and votes >= bar.frontal:
            break
    else:
        if proposal.view != "profile":
            return None
        seen = best(_profiles(patch, step=FINE_STEP, smallest=least, search=near))
        votes = seen[0].votes if seen else 0.0
        if votes < bar.profile:
            return None
    scale = proposal.side / CONFIRM_SIDE
    x, y = proposal.x + (seen[0].x - middle) * scale, proposal.y + (seen[0].y - middle) * scale
    return _Candidate(x, y, seen[0].side * scale, votes, seen[0].view)


def _sweep(
    cascade: str, grey: Grey, *, step: float, smallest: int, angle: float = 0.0, search: _Search = windows
) -> list[_Candidate]:
    """All the windows a cascade accepts at least twice, in a picture turned by ``angle`` degrees about its middle."""
    import cv2

    height, width = grey.shape
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), angle, 1.0)
    if angle:
        grey = cv2.warpAffine(grey, turn, (width, height), borderMode=cv2.BORDER_REPLICATE)  # type: ignore[assignment]
    boxes, neighbours = cv2.groupRectangles(search(cascade, grey, step, smallest), 1, ALIKE)
    back = cv2.invertAffineTransform(turn)
    found = []
    for (left, top, side, _), votes in zip(boxes, neighbours, strict=True):
        x, y = back @ (left + side / 2, top + side / 2, 1.0)
        found.append(_Candidate(float(x), float(y), float(side), float(votes), "tilted" if angle else "frontal"))
    return found


def _profiles(grey: Grey, *, step: float, smallest: int, search: _Search) -> list[_Candidate]:
    """Faces in profile, to the left and, in the mirror, to the right."""
    found = _sweep(_PROFILE, grey, step=step, smallest=smallest, search=search)
    mirror = np.ascontiguousarray(grey[:, ::-1])
    mirrored = _sweep(_PROFILE, mirror, step=step, smallest=smallest, search=search)
    found += [replace(c, x=grey.shape[1] - c.x) for c in mirrored]
    return [replace(c, view="profile") for c in found]


def _distinct(candidates: Iterable[_Candidate]) -> list[_Candidate]:
    """One candidate per face: a frontal one before a profile, then the one with most votes; at most MAX_PROPOSALS."""
    kept: list[_Candidate] = []
    for candidate in sorted(candidates, key=_rank):
        if len(kept) == MAX_PROPOSALS:
            break
        if all(candidate.shares(other) < SAME_FACE for other in kept):
            kept.append(candidate)
    return kept


def _rank(candidate: _Candidate) -> tuple[bool, float, float, float, float]:
    # The position settles ties: OpenCV's threads deliver windows in any order.
    return candidate.view == "profile", -candidate.votes, -candidate.side, candidate.y, candidate.x


def _scaled(candidate: _Candidate, by: float) -> _Candidate:
    return replace(candidate, x=candidate.x * by, y=candidate.y * by, side=candidate.side * by)


def _face(candidate: _Candidate, width: int, height: int) -> Face | None:
    half, side = candidate.side / 2, round(candidate.side)
    return clipped(Box(round(candidate.x - half), round(candidate.y - half), side, side), candidate.view, width, height)


def _patch(grey: Grey, proposal: _Candidate) -> Grey:
    """A square around a proposal, whose side becomes CONFIRM_SIDE pixels; edges repeated beyond the picture."""
    import cv2

    height, width = grey.shape
    side = max(1, round(proposal.side * (1 + 2 * CONTEXT)))
    left, top = round(proposal.x - side / 2), round(proposal.y - side / 2)
    # A proposal from a turned or padded copy may lie wholly outside: keep at least one row and column of the picture.
    x0, x1 = min(max(0, left), width - 1), max(1, min(width, left + side))
    y0, y1 = min(max(0, top), height - 1), max(1, min(height, top + side))
    borders = max(0, y0 - top), max(0, top + side - y1), max(0, x0 - left), max(0, left + side - x1)
    patch = padded(grey[y0:y1, x0:x1], borders)
    out = round(CONFIRM_SIDE * (1 + 2 * CONTEXT))
    way = cv2.INTER_AREA if side > out else cv2.INTER_LINEAR
    return equalised(cv2.resize(patch, (out, out), interpolation=way))  # type: ignore[arg-type]
