"""The pulse that may be seen in skin: its colour changes a little with every heartbeat.

What is found is a *rhythm in the colour of the skin*, with its frequency and how much of the signal it is. A beating
heart is one cause of such a rhythm; a nodding head, flickering lamps and the encoder's own rhythm are others, so the
same is measured on what is behind the head. That none is found says nothing: compression takes most of it away
(D. McDuff et al., "The impact of video compression on remote cardiac pulse measurement", FG 2017).

Method: the plane orthogonal to skin, W. Wang et al., "Algorithmic principles of remote PPG", IEEE Trans. Biomed. Eng.
64(7), 2017; the share of the peak after G. de Haan and V. Jeanne, "Robust pulse rate from chrominance-based rPPG", IEEE
Trans. Biomed. Eng. 60(10), 2013.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deepscan.checks.closely.conditions import Conditions
from deepscan.checks.closely.following import Followed, Rows

CONDITIONS = Conditions("a pulse needs", 100, 15.0, 6.0, speed=0.25)
"""Light and shade on a face that moves more change its colour more than any pulse."""

DARK, BRIGHT = 40.0, 235.0
"""Mean brightness of the skin outside of which there is too little light, or too much."""

MOST_UNCHANGED = 0.6
"""Part of the face that is the same to the last bit in the frame before, in the median frame: with more of it the
encoder has repeated the skin and left its colour out."""

LOWEST, HIGHEST = 0.7, 3.0
"""Hertz: 42 to 180 beats a minute."""

WINDOW = 1.6
"""Seconds of the windows that are added up (the paper's)."""

BESIDE = 0.2
"""Hertz on both sides of a peak that belong to it: what a stretch of ten seconds blurs it to."""

CLEAR, TIMES = 0.6, 1.5
"""Part of the power within the band from which a peak is clear, when it is also so many times what the same
frequency has behind the head. Of noise alone a peak has less: see ``docs/video.md``."""

STILL = 0.005
"""Sides of its box that a face must move for its movement to have a rhythm."""

STEP = 0.01
"""Hertz between the frequencies that are tried."""


@dataclass(frozen=True, slots=True)
class Pulse:
    """The strongest rhythm in the skin: its frequency in hertz and its share of the power in the band (0 to 1).

    ``behind`` is the share that this frequency has behind the head, ``steady`` says whether both halves of the stretch
    have it too, and ``moving`` whether it is the strongest rhythm of the head's movement as well.
    """

    hertz: float
    share: float
    behind: float
    steady: bool
    moving: bool

    @property
    def clear(self) -> bool:
        """Whether there is a rhythm that neither the surroundings nor the head's movement have."""
        apart = self.share >= TIMES * self.behind and not self.moving
        return self.steady and apart and self.share >= CLEAR


def why_not(face: Followed) -> str | None:
    """A sentence where the conditions for looking for a pulse are not met."""
    if unmet := CONDITIONS.unmet(face):
        return unmet
    brightness = float(face.skin.mean())
    if not DARK <= brightness <= BRIGHT:
        words = "too dark" if brightness < DARK else "overexposed"
        needed = f"{DARK:g} to {BRIGHT:g} are needed"
        return f"The skin is {words} for a pulse: its mean brightness is {brightness:.0f}, and {needed}."
    unchanged = float(np.median(face.unchanged[1:]))
    if unchanged > MOST_UNCHANGED:
        return (
            f"The film is compressed so that {unchanged:.0%} of the face repeat the frame before to the last bit: a "
            f"pulse needs less than {MOST_UNCHANGED:.0%}."
        )
    return None


def measure(face: Followed) -> Pulse:
    """The rhythm of a face that meets the conditions."""
    rate = face.rate
    signal = pulse_signal(_even(face.skin, face.seconds, rate), rate)
    hertz, power = spectrum(signal, rate)
    best = int(power.argmax())
    peak = float(hertz[best])
    known = np.isfinite(face.behind).all()
    behind = (
        share_at(*spectrum(pulse_signal(_even(face.behind, face.seconds, rate), rate), rate), peak) if known else 0.0
    )
    halves = np.array_split(signal, 2)
    places = [float((found := spectrum(half, rate))[0][found[1].argmax()]) for half in halves]
    steady = all(abs(place - peak) <= BESIDE for place in places)
    share = share_at(hertz, power, peak)
    return Pulse(round(peak, 3), round(share, 3), round(behind, 3), steady, _moves_so(face, peak))


def _moves_so(face: Followed, peak: float) -> bool:
    """Whether a frequency is that of the strongest rhythm in which the face moves across or up and down."""
    middles = _even(face.middles, face.seconds, face.rate)
    if float(middles.std(axis=0).max()) < STILL * face.side:
        return False
    found = [spectrum(middles[:, i], face.rate) for i in range(2)]
    power = found[0][1] + found[1][1]
    return bool(abs(found[0][0][power.argmax()] - peak) <= BESIDE)


def pulse_signal(colours: Rows, rate: float) -> NDArray[np.float64]:
    """The pulse signal of mean colours (shape (n, 3), evenly in time at ``rate`` hertz), shape (n,).

    Each window's colours are divided by their mean and projected on two axes at right angles to the direction in
    which brightness changes all of them alike; the second is scaled so that what is left of that cancels.
    """
    length = max(4, round(WINDOW * rate))
    signal = np.zeros(len(colours))
    project = np.array([[0.0, 1.0, -1.0], [-2.0, 1.0, 1.0]])
    for start in range(len(colours) - length + 1):
        part = colours[start : start + length]
        one, other = project @ (part / np.maximum(1.0, part.mean(axis=0))).T
        added = one + other * (one.std() / max(1e-9, float(other.std())))
        signal[start : start + length] += added - added.mean()
    return signal


def spectrum(signal: NDArray[np.float64], rate: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Frequencies from LOWEST to HIGHEST in hertz, and the signal's power at each (Hann window)."""
    hertz = np.arange(LOWEST, min(HIGHEST, rate / 2) + STEP / 2, STEP)
    times = np.arange(len(signal)) / rate
    # A line through it is taken off: a slow drift would leak into the lowest frequencies.
    slope = np.polyfit(times, signal, 1)
    windowed = (signal - np.polyval(slope, times)) * np.hanning(len(signal))
    waves = np.exp(-2j * np.pi * hertz[:, None] * times)
    return hertz, np.abs(waves @ windowed) ** 2


def share_at(hertz: NDArray[np.float64], power: NDArray[np.float64], peak: float) -> float:
    """The part of the power that lies at a frequency."""
    total = float(power.sum())
    return float(power[np.abs(hertz - peak) <= BESIDE + STEP / 2].sum()) / total if total > 0 else 0.0


def _even(rows: Rows, seconds: Rows, rate: float) -> Rows:
    """Rows evenly in time: frames of many films are not, to the millisecond."""
    times = np.arange(seconds[0], seconds[-1] + 1e-9, 1 / rate)
    return np.stack([np.interp(times, seconds, rows[:, i]) for i in range(rows.shape[1])], axis=1)
