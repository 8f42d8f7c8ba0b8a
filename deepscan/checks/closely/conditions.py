"""What every signal needs of a followed face: size, frame rate, time, and calm."""

from __future__ import annotations

from dataclasses import dataclass

from deepscan.checks.closely.following import Followed
from deepscan.text import duration


@dataclass(frozen=True, slots=True)
class Conditions:
    """The least side of a face in pixels, frames a second, and seconds; ``what`` needs them, with its verb.

    ``speed`` is the most that the face may move, in widths a second.
    """

    what: str
    side: int
    rate: float
    seconds: float
    speed: float = float("inf")

    def unmet(self, face: Followed) -> str | None:
        """A sentence where a face does not meet them."""
        if face.side < self.side:
            return f"The face is {face.side:.0f} pixels wide: {self.what} {self.side}."
        if face.rate < self.rate:
            return f"The film has {face.rate:.3g} frames a second: {self.what} {self.rate:g}."
        if face.length < self.seconds:
            return f"The face was followed for {duration(face.length)}: {self.what} {duration(self.seconds)}."
        if face.speed > self.speed:
            return f"The face moves by {face.speed:.2f} of its width a second: {self.what} less than {self.speed:g}."
        return None
