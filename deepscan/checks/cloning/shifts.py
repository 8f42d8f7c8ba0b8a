"""Shifted copies in smooth areas, where there are no keypoints: by the correlation of the fine detail itself.

Every window of the fine detail is slid over the whole picture. What a camera recorded never fits elsewhere but by its
large structure; a copy fits by its grain as well. (The idea of the matched filter, as in J. Fridrich, D. Soukal and
J. Lukas, "Detection of Copy-Move Forgery in Digital Images", DFRWS 2003, on detail instead of on pixels.)
"""

from __future__ import annotations

import numpy as np

from deepscan.checks.cloning.effort import Effort
from deepscan.checks.cloning.hypotheses import Hypothesis
from deepscan.checks.cloning.picture import GreyPicture, Plane
from deepscan.checks.cloning.transform import Matrix

MAX_PIXELS = 400_000
"""Larger working pictures are scaled down to this many pixels for this search, so that it takes a second."""

SMALLEST_WINDOW = 48

PEAK = 7.5
"""Standard deviations of the correlation that the best place of a window must reach. Among 400,000 independent values
the highest is near 4.9."""

Peak = tuple[float, float, int, int, float]
"""Where a window fits best (x, y), the shift at which it fits best, and how well: standard deviations."""

_PATCH = 25  # pixels: parts of a window whose agreement is compared
_GRAIN = 0.7  # grey levels added to the local strength of detail, so that what is only rounding counts little


def find_shifts(picture: GreyPicture, nearest: float, effort: Effort) -> list[Hypothesis]:
    """At most ``effort.shifts`` pure shifts by at least ``nearest`` pixels, those that most windows agree on first."""
    import cv2

    height, width = picture.grey.shape
    shrink = max(1.0, float(np.sqrt(height * width / MAX_PIXELS)))
    size = (round(width / shrink), round(height / shrink))
    detail = picture.detail
    if shrink > 1.0:
        detail = np.asarray(cv2.resize(detail, size, interpolation=cv2.INTER_AREA), np.float32)
    window = min(effort.window, min(size) // 2)
    if window < SMALLEST_WINDOW:
        return []
    even = _even_out(detail)
    peaks = _peaks(even, nearest / shrink, window, effort.windows)
    return _gather(peaks, shrink, effort.shifts)


def _even_out(detail: Plane) -> Plane:
    """The detail divided by its local strength: grain counts as much as edges."""
    import cv2

    strength = np.sqrt(cv2.GaussianBlur(detail * detail, (0, 0), 4.0))
    return np.clip(detail / (strength + _GRAIN), -3, 3).astype(np.float32)


def _peaks(even: Plane, nearest: float, side: int, count: int) -> list[Peak]:
    """For each window that has a peak: where it fits best, the shift at which it does, and how well."""
    import cv2

    height, width = even.shape
    step = max(side // 2, int(np.sqrt(height * width / count)))
    shape = (cv2.getOptimalDFTSize(height), cv2.getOptimalDFTSize(width))
    padded = np.zeros(shape, np.float32)
    padded[:height, :width] = even
    spectrum = cv2.dft(padded)
    reach = int(np.ceil(nearest))
    found: list[Peak] = []
    for top in range(0, height - side + 1, step):
        for left in range(0, width - side + 1, step):
            window = np.zeros(shape, np.float32)
            window[:side, :side] = even[top : top + side, left : left + side]
            product = cv2.mulSpectrums(spectrum, cv2.dft(window, nonzeroRows=side), 0, conjB=True)
            fit = cv2.dft(product, flags=cv2.DFT_INVERSE | cv2.DFT_SCALE | cv2.DFT_REAL_OUTPUT)
            fit = fit[: height - side + 1, : width - side + 1]
            fit[max(0, top - reach) : top + reach + 1, max(0, left - reach) : left + reach + 1] = 0.0
            _, value, _, (x, y) = cv2.minMaxLoc(fit)
            spread = float(np.sqrt(cv2.norm(fit, cv2.NORM_L2SQR) / fit.size))
            if spread > 0 and value > PEAK * spread:
                across, down = _where(even, (left, top), (x, y), side)
                found.append((left + across, top + down, x - left, y - top, value / spread))
    return found


def _where(even: Plane, one: tuple[int, int], other: tuple[int, int], side: int) -> tuple[int, int]:
    """Where in two windows, given by their corners, the detail agrees most: x and y from the corners on."""
    import cv2

    first, second = (even[top : top + side, left : left + side] for left, top in (one, other))
    across, down = cv2.minMaxLoc(cv2.blur(first * second, (_PATCH, _PATCH)))[3]
    return int(across), int(down)


def _gather(peaks: list[Peak], shrink: float, most: int) -> list[Hypothesis]:
    """Windows with the same shift, within a pixel, speak for one hypothesis; both directions of a shift are one."""
    groups: list[tuple[int, int, list[tuple[float, float]], float]] = []
    for across, down, dx, dy, value in sorted(peaks, key=lambda peak: -peak[4]):
        if (dy, dx) < (0, 0):
            across, down, dx, dy = across + dx, down + dy, -dx, -dy
        middle = (across * shrink, down * shrink)
        for index, (x, y, points, votes) in enumerate(groups):
            if abs(x - dx) <= 1 and abs(y - dy) <= 1:
                points.append(middle)
                groups[index] = (x, y, points, votes + value)
                break
        else:
            groups.append((dx, dy, [middle], value))
    groups.sort(key=lambda group: -group[3])
    return [
        Hypothesis(_shift(dx * shrink, dy * shrink), np.array(points), votes) for dx, dy, points, votes in groups[:most]
    ]


def _shift(dx: float, dy: float) -> Matrix:
    return np.array([[1.0, 0.0, dx], [0.0, 1.0, dy]])
