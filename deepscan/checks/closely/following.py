"""One face followed from frame to frame: where it is, how it and its surroundings move, their colours, and its eyes.

The face's middle is moved on by the median optical flow of its stiff part, frame by frame, and its size by how that
flow spreads; what the finder saw in frames on the way pulls both back. The face is lost when it no longer looks like
what was followed from the first frame on.

Method: T. Kroeger et al., "Fast optical flow using dense inverse search", ECCV 2016 (OpenCV's DISOpticalFlow).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from deepscan.checks.closely.eyes import Eyes, find_eyes, patch
from deepscan.checks.closely.regions import CUTTING, REACH, SIDE, SKIN_SIZE, Regions, regions, skin_mask
from deepscan.checks.closely.windows import Seen
from deepscan.media.frames import Pixels
from deepscan.media.grey import Grey

if TYPE_CHECKING:
    import cv2

Rows = NDArray[np.float64]
"""One row for each frame."""

WANDERED = 0.12
"""Sides of the box that a face may move in its cutting before the cutting is made around it anew."""

PULLED = 0.3
"""Part of the way to where the finder saw the face that a sighting moves it."""

TEXTURE = 4.0
"""Grey levels that neighbouring pixels must differ by for their movement to count: flow on plain ground is guessed."""

LEAST_TEXTURED = 0.04
"""Part of a region that must have such pixels."""

LOST = 0.35
"""Correlation of the face with the first frame's below which it is lost; a new scene or an empty wall has less."""

LOOKS = 32
"""Pixels of the side of the copies that are correlated."""


@dataclass(frozen=True, slots=True, eq=False)
class Followed:
    """What was measured on one face in consecutive frames.

    Attributes:
        first: What the finder saw of the face in the first frame.
        seconds: Shape (n,), when each frame is shown.
        middles: Shape (n, 2), where the middle of the face is, in pixels of the frame.
        moves: Shape (n, 3, 2): how the stiff part of the face, the rim of the head and what is behind moved since the
            frame before, in sides of the box; NaN in the first row and where a region has no texture.
        gains: Shape (n, 2): by how much the face and the rim of the head became brighter since the frame before, where
            they have moved to, as a natural logarithm; NaN in the first row.
        skin, behind: Shape (n, 3), mean red, green and blue of the skin, and of what is behind the head.
        unchanged: Shape (n,), the part of the face that is the same to the last bit as in the frame before.
        eyes: Cuttings of both eyes and of the nose bridge, each shape (n, height, width), grey; see ``eyes``.
        eyes_found: Whether eyes were found in the first frame, and not only supposed where they mostly are.
        lost: Why following ended before the stretch did.
    """

    first: Seen
    seconds: Rows
    middles: Rows
    moves: Rows
    gains: Rows
    skin: Rows
    behind: Rows
    unchanged: Rows
    eyes: tuple[NDArray[np.uint8], ...]
    eyes_found: bool
    lost: str | None

    @property
    def track(self) -> int:
        """The number of its track."""
        return self.first.track

    @property
    def side(self) -> float:
        """Pixels of its box's side in the first frame."""
        return float(max(self.first.box.width, self.first.box.height))

    @property
    def rate(self) -> float:
        """Frames a second."""
        steps = np.diff(self.seconds)
        return float(1 / np.median(steps)) if steps.size and np.median(steps) > 0 else 0.0

    @property
    def speed(self) -> float:
        """Sides of its box that the face moves in a second, in the picture (root mean square)."""
        steps = np.diff(self.middles, axis=0)
        return float(np.sqrt((steps**2).sum(axis=1).mean())) / self.side * self.rate

    @property
    def length(self) -> float:
        """Seconds from the first frame to the end of the last."""
        return float(self.seconds[-1] - self.seconds[0]) + (1 / self.rate if self.rate else 0.0)


@dataclass(slots=True, eq=False)
class Follower:
    """Follows one face through frames that are added in order; ``seen`` are its sightings, from the first frame on."""

    seen: Sequence[Seen]
    lost: str | None = None
    _x: float = 0.0
    _y: float = 0.0
    _scale: float = 1.0
    _corner: tuple[int, int] = (0, 0)
    _half: int = 0
    _last: Pixels | None = None
    _grey: Grey | None = None
    _first_look: NDArray[np.float32] | None = None
    _flow: cv2.DISOpticalFlow | None = None
    _eyes: Eyes | None = None
    _rows: dict[str, list[object]] = field(default_factory=dict)

    def add(self, seconds: float, frame: Pixels) -> None:
        """The next frame, shape (height, width, 3); nothing happens once the face is lost."""
        if self.lost:
            return
        if self._last is None:
            self._begin(frame)
        elif frame.shape != self._last.shape:
            self.lost = "the size of the picture changes"
            return
        elif self._outside(frame):
            self.lost = "it left the picture"
            return
        else:
            self._settle()
        grey, coarse = self._cut(frame)
        row: dict[str, object] = {
            "seconds": seconds,
            "moves": np.full((3, 2), np.nan),
            "gains": np.full(2, np.nan),
            "unchanged": 0.0,
        }
        if self._grey is not None:
            row |= self._changed(self._grey, grey)
        if not self._pull(seconds, frame):
            return
        row |= self._seen_now(frame, coarse)
        for name, value in row.items():
            self._rows.setdefault(name, []).append(value)
        self._last, self._grey = frame, grey

    def followed(self) -> Followed | None:
        """What was measured; None where there are not two frames."""
        rows = self._rows
        if len(rows.get("seconds", ())) < 2:
            return None
        table = {name: np.asarray(values, np.float64) for name, values in rows.items() if not name.startswith("eye")}
        assert self._eyes is not None
        return Followed(
            first=self.seen[0],
            eyes=tuple(np.asarray(rows[f"eye {k}"], np.uint8) for k in range(3)),
            eyes_found=self._eyes.found,
            lost=self.lost,
            **table,
        )

    @property
    def _side(self) -> float:
        """Pixels of the box's side in the frame, now."""
        return self._scale * max(self.seen[0].box.width, self.seen[0].box.height)

    def _begin(self, frame: Pixels) -> None:
        import cv2

        box = self.seen[0].box
        self._x, self._y = box.x + box.width / 2, box.y + box.height / 2
        self._half = max(8, round(REACH * self._side))
        self._centre()
        self._flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
        self._eyes = find_eyes(frame, box)

    def _centre(self) -> None:
        self._corner = round(self._x) - self._half, round(self._y) - self._half

    def _outside(self, frame: Pixels) -> bool:
        """Whether the face's middle is no longer in the picture."""
        height, width = frame.shape[:2]
        return not (0 <= self._x < width and 0 <= self._y < height)

    def _settle(self) -> None:
        """Make cuttings around where the face is now, when it has moved from their middle."""
        away = max(abs(self._x - self._half - self._corner[0]), abs(self._y - self._half - self._corner[1]))
        if away > WANDERED * self._side:
            assert self._last is not None
            self._centre()
            self._grey, _ = self._cut(self._last)

    def _cut(self, frame: Pixels) -> tuple[Grey, Pixels]:
        """The square around the face, CUTTING pixels large: in grey, and coarsely in colours, for means.

        Beyond the picture its edge is repeated.
        """
        import cv2

        height, width = frame.shape[:2]
        left, top = self._corner
        right, bottom = left + 2 * self._half, top + 2 * self._half
        inside = frame[max(0, top) : max(0, bottom), max(0, left) : max(0, right)]
        borders = max(0, -top), max(0, bottom - height), max(0, -left), max(0, right - width)
        if any(borders):
            inside = cv2.copyMakeBorder(inside, *borders, cv2.BORDER_REPLICATE)  # type: ignore[assignment]
        size = CUTTING, CUTTING
        way = cv2.INTER_AREA if 2 * self._half > CUTTING else cv2.INTER_LINEAR
        grey = cv2.resize(_grey(inside), size, interpolation=way)
        return np.asarray(grey, np.uint8), np.asarray(
            cv2.resize(inside, size, interpolation=cv2.INTER_NEAREST), np.uint8
        )

    @property
    def _zoom(self) -> float:
        """Pixels of a cutting for one of the frame."""
        return CUTTING / (2 * self._half)

    def _regions(self) -> Regions:
        across = round((self._x - self._half - self._corner[0]) * self._zoom)
        down = round((self._y - self._half - self._corner[1]) * self._zoom)
        percent = 4 * round(25 * self._side * self._zoom / SIDE)
        return regions(across, down, min(160, max(60, percent)))

    def _changed(self, before: Grey, now: Grey) -> dict[str, object]:
        """How the regions moved, in sides of the box, and became brighter; moves the face on."""
        assert self._flow is not None
        flow = np.asarray(self._flow.calc(before, now, None), np.float32)  # type: ignore[call-overload]
        here = self._regions()
        textured = _textured(before)
        side = self._side * self._zoom
        moves = np.stack([_median(flow, part, textured) for part in (here.stiff, here.rim, here.behind)]) / side
        gains = _gains(before, now, flow, (here.face, here.rim))
        unchanged = float((before == now)[here.face].mean())
        step = np.median(flow[here.stiff], axis=0)
        self._scale = float(np.clip(self._scale * _spread(flow, here.face), 0.6, 1.6))
        self._x += float(step[0]) / self._zoom
        self._y += float(step[1]) / self._zoom
        return {"moves": moves, "gains": gains, "unchanged": unchanged}

    def _pull(self, seconds: float, frame: Pixels) -> bool:
        """Correct the place by what the finder saw in this frame; False where the face is lost."""
        for sight in self.seen[1:]:
            if abs(sight.seconds - seconds) < 1e-3:
                box = sight.box
                self._x += PULLED * (box.x + box.width / 2 - self._x)
                self._y += PULLED * (box.y + box.height / 2 - self._y)
                self._scale += PULLED * (max(box.width, box.height) / self._side - 1) * self._scale
        look = _look(frame, self._x, self._y, self._side)
        if self._first_look is None:
            self._first_look = look
        elif float((look * self._first_look).mean()) < LOST:
            self.lost = "it no longer looks as it did"
            return False
        return True

    def _seen_now(self, frame: Pixels, coarse: Pixels) -> dict[str, object]:
        """Colours and cuttings of the eyes, where the face is now."""
        import cv2

        assert self._eyes is not None
        behind = self._regions().behind
        found: dict[str, object] = {
            "middles": (self._x, self._y),
            "skin": _skin(frame, self._x, self._y, self._side),
            "behind": cv2.mean(coarse, behind.view(np.uint8))[:3] if behind.any() else (np.nan,) * 3,
        }
        for k, (across, down) in enumerate(self._eyes.places):
            found[f"eye {k}"] = patch(frame, self._x + across * self._side, self._y + down * self._side, self._side)
        return found


def _grey(colours: Pixels) -> Grey:
    import cv2

    return np.asarray(cv2.cvtColor(colours, cv2.COLOR_RGB2GRAY), np.uint8)


def _textured(grey: Grey) -> NDArray[np.bool_]:
    """Where neighbouring pixels differ, in both directions together."""
    import cv2

    across = cv2.Sobel(grey, cv2.CV_32F, 1, 0, ksize=3)
    down = cv2.Sobel(grey, cv2.CV_32F, 0, 1, ksize=3)
    return np.asarray(cv2.magnitude(across, down) > 8 * TEXTURE, np.bool_)  # a Sobel kernel adds up 8 differences


def _median(flow: NDArray[np.float32], part: NDArray[np.bool_], textured: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The median movement of every fourth textured pixel of a region; NaN where there are too few."""
    part, textured, flow = part[::2, ::2], textured[::2, ::2], flow[::2, ::2]
    chosen = part & textured
    if chosen.sum() < max(20, LEAST_TEXTURED * part.sum()):
        return np.full(2, np.nan)
    return np.asarray(np.median(flow[chosen], axis=0), np.float64)


def _spread(flow: NDArray[np.float32], part: NDArray[np.bool_]) -> float:
    """The factor by which a region grew: the slope of its flow over place, at most 1 % a frame."""
    y, x = np.nonzero(part[::3, ::3])
    moved = flow[::3, ::3][y, x]
    there = np.stack([x - x.mean(), y - y.mean()], axis=1) * 3
    return 1 + float(np.clip((there * (moved - moved.mean(axis=0))).sum() / (there**2).sum(), -0.01, 0.01))


def _look(frame: Pixels, x: float, y: float, side: float) -> NDArray[np.float32]:
    """The face as a small grey copy of mean 0 and deviation 1."""
    import cv2

    scale = LOOKS / (0.8 * side)
    place = np.array([[scale, 0, LOOKS / 2 - scale * x], [0, scale, LOOKS / 2 - scale * y]], np.float32)
    small = cv2.warpAffine(frame, place, (LOOKS, LOOKS), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    grey = cv2.GaussianBlur(np.asarray(_grey(np.asarray(small, np.uint8)), np.float32), (0, 0), 1.5)
    return np.asarray((grey - grey.mean()) / max(1.0, float(grey.std())), np.float32)


def _skin(frame: Pixels, x: float, y: float, side: float) -> tuple[float, ...]:
    """Mean red, green and blue of the skin of a face."""
    import cv2

    scale = SIDE / side
    width, height = SKIN_SIZE
    # The cutting moves by fractions of a pixel with the face: whole pixels would let its edges flicker.
    place = np.array(
        [[scale, 0, width / 2 - scale * x], [0, scale, height / 2 - scale * (y + 0.05 * side)]], np.float32
    )
    small = cv2.warpAffine(frame, place, SKIN_SIZE, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return tuple(cv2.mean(small, skin_mask())[:3])


def _gains(
    before: Grey, now: Grey, flow: NDArray[np.float32], parts: Sequence[NDArray[np.bool_]]
) -> NDArray[np.float64]:
    """The logarithm of the factor by which each region became brighter: the median over its pixels, followed by flow.

    The median, because pixels that were covered or come into view are of another thing; half a grey level more or less
    is evened out by averaging first.
    """
    import cv2

    y, x = np.mgrid[0 : before.shape[0], 0 : before.shape[1]].astype(np.float32)
    moved = cv2.remap(now, x + flow[..., 0], y + flow[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    smooth = [cv2.blur(np.asarray(grey, np.float32), (5, 5)) + 1 for grey in (before, moved)]
    return np.array([np.median(np.log(smooth[1][part] / smooth[0][part])) for part in parts])
