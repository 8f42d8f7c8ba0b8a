"""A sequence head: what a recurrent network makes of a face's features over time, where a pack holds such a head.

The pack's own network sees one picture at a time. A head sees the features that it has just before its last layer, of
``length`` pictures of one face ``step`` seconds apart: the design of a convolutional network under a recurrent one
(J. Donahue et al., "Long-term recurrent convolutional networks", CVPR 2015; D. Guera and E. Delp, "Deepfake video
detection using recurrent neural networks", AVSS 2018), with a GRU (K. Cho et al., EMNLP 2014).

Which stretches of a film are looked at, and how a face is cut out of them, is said here once, for training and scans.
torch is imported inside functions: importing this module is cheap.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from deepscan.errors import CorruptPackError
from deepscan.media.film import pooling
from deepscan.media.film.tracks import Sighting, follow, look
from deepscan.media.frames import Face, Frame, Pixels
from deepscan.models.card import HEAD_NAME, ModelCard, SequenceCard
from deepscan.models.preprocess import cut, fit, normalise, with_margin
from deepscan.text import clean
from deepscan.types import Box

if TYPE_CHECKING:
    import torch

MAX_HEAD_BYTES = 64 * 1024**2

LEAST_STEPS = 4
"""Pictures of a face in a stretch, and steps of a film, below which nothing is said of its course in time."""

MOST_FACES = 4
"""Faces of one stretch that are scored: those that are seen in most of its frames."""


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """One face (or the whole picture) in one stretch of a film.

    ``pixels`` are its pictures one above the other, shape (length * height, width, 3); ``seen`` in how many of them it
    was found itself; ``box`` where it is in the first frame, None for the whole picture.
    """

    pixels: Pixels
    start: float
    end: float
    seen: int
    box: Box | None


def stretches(seconds: float, card: SequenceCard) -> tuple[tuple[float, ...], ...]:
    """The moments of a film at which it is looked at: evenly spread stretches; none where the film is too short."""
    steps = min(card.length, int(seconds / card.step + 1e-6))
    if steps < LEAST_STEPS:
        return ()
    span = steps * card.step
    count = max(1, min(card.stretches, int(seconds // span)))
    starts = [min(max(0.0, (k + 0.5) * seconds / count - span / 2), max(0.0, seconds - span)) for k in range(count)]
    return tuple(tuple(round(start + i * card.step, 6) for i in range(steps)) for start in starts)


def runs(
    frames: Sequence[Frame], faces: Callable[[Frame], Sequence[Face]], card: ModelCard, length: int
) -> tuple[Run, ...]:
    """The faces that are followed through the frames of one stretch, as the head wants to see them.

    A face has one size in all its pictures, and its place is the median of three neighbouring ones: a finder's boxes
    tremble, and a head would learn that. Where it was not found, the picture before it is taken again, and after the
    last one too, up to ``length``.
    """
    timed = [frame for frame in frames if frame.seconds is not None]
    if len(timed) < LEAST_STEPS:
        return ()
    if card.view.subject == "frame":
        shown = [fit(frame.pixels, card.preprocessing) for frame in timed]
        return (_run(shown, timed, len(shown), None, length),)
    sightings = [
        Sighting(number, frame.seconds or 0.0, 1, face.box, look(frame.pixels, face.box))
        for number, frame in enumerate(timed)
        for face in faces(frame)
    ]
    followed: dict[int, dict[int, Box]] = {}
    for sighting, track in zip(sightings, follow(sightings), strict=True):
        followed.setdefault(track, {})[sighting.frame] = sighting.box
    least = max(LEAST_STEPS, len(timed) // 2)
    longest = sorted((t for t in followed.items() if len(t[1]) >= least), key=lambda t: (-len(t[1]), t[0]))[:MOST_FACES]
    found = []
    for _, boxes in longest:
        crops = _crops(timed, _steadied(boxes), card)
        if crops:
            found.append(_run(crops, timed, len(boxes), boxes[min(boxes)], length))
    return tuple(found)


def _steadied(boxes: dict[int, Box]) -> dict[int, Box]:
    """Boxes of one face by frame, of one size and with smoothed places."""
    order = sorted(boxes)
    side = round(float(np.median([max(box.width, box.height) for box in boxes.values()])))
    middles = np.array([(b.x + b.width / 2, b.y + b.height / 2) for b in (boxes[number] for number in order)])
    steady = {}
    for place, number in enumerate(order):
        around = middles[max(0, place - 1) : place + 2]
        x, y = np.median(around, axis=0)
        steady[number] = Box(round(x - side / 2), round(y - side / 2), side, side)
    return steady


def _crops(frames: Sequence[Frame], boxes: dict[int, Box], card: ModelCard) -> list[Pixels]:
    """One crop for each frame from the first that shows the face; none where it is too small for the model."""
    crops: list[Pixels] = []
    for number, frame in enumerate(frames):
        if number in boxes:
            height, width = frame.pixels.shape[:2]
            crop = cut(frame.pixels, with_margin(boxes[number], card.view, width, height))
            if min(crop.shape[:2]) >= card.view.min_side:
                crops.append(fit(crop, card.preprocessing))
                continue
        if crops:
            crops.append(crops[-1])
    return crops


def _run(shown: Sequence[Pixels], frames: Sequence[Frame], seen: int, box: Box | None, length: int) -> Run:
    padded = [*shown[:length], *[shown[-1]] * (length - len(shown))]
    return Run(np.concatenate(padded), frames[0].seconds or 0.0, frames[-1].seconds or 0.0, seen, box)


def film_score(stretch_of: Sequence[int], scores: Sequence[float]) -> float:
    """The score of a film, from the probabilities of its runs and the numbers of their stretches, rising.

    A stretch counts with its highest face, and stretches are pooled as frames are.
    """
    rows = groupby(zip(stretch_of, scores, strict=True), key=itemgetter(0))
    return pooling.of_track([max(score for _, score in group) for _, group in rows])


def make_head(features: int, hidden: int) -> torch.nn.Module:
    """A head with random weights: (n, length, features) to (n,) logits of fake.

    Features are taken relative to ``mean`` and ``std``, which are kept with the weights, mapped to ``hidden`` numbers,
    and read by a GRU of that many units; the mean and the last of its states lead to the logit.
    """
    import torch

    class Head(torch.nn.Module):
        mean: torch.Tensor
        std: torch.Tensor

        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("mean", torch.zeros(features))
            self.register_buffer("std", torch.ones(features))
            self.narrow = torch.nn.Linear(features, hidden)
            self.cell = torch.nn.GRU(hidden, hidden, batch_first=True)
            self.drop = torch.nn.Dropout(0.2)
            self.last = torch.nn.Linear(2 * hidden, 1)

        def forward(self, values: torch.Tensor) -> torch.Tensor:
            states, _ = self.cell(torch.tanh(self.narrow((values - self.mean) / self.std)))
            both = torch.cat([states.mean(dim=1), states[:, -1]], dim=1)
            answer: torch.Tensor = self.last(self.drop(both)).squeeze(1)
            return answer

    return Head()


def save_head(head: torch.nn.Module, folder: Path) -> str:
    """Write the head's weights into a pack's folder; returns their SHA-256. Raises OSError."""
    from safetensors.torch import save

    content = save({name: tensor.detach().cpu().contiguous() for name, tensor in head.state_dict().items()})
    (folder / HEAD_NAME).write_bytes(content)
    return hashlib.sha256(content).hexdigest()


def load_head(folder: Path, card: SequenceCard) -> torch.nn.Module:
    """The head of a pack, ready to answer on the CPU.

    Raises:
        CorruptPackError: its weights are not there, are not those of the card, or do not fit what the card says.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load

    path = folder / HEAD_NAME
    again = "Get the pack again from where it came from."
    try:
        with path.open("rb") as file:
            content = file.read(MAX_HEAD_BYTES + 1)
    except OSError as e:
        raise CorruptPackError(f"The sequence head {clean(str(path))} cannot be read: {e.strerror}.", again) from e
    if len(content) > MAX_HEAD_BYTES or hashlib.sha256(content).hexdigest() != card.weights_sha256:
        raise CorruptPackError(f"The sequence head {clean(str(path))} is not the one its card describes.", again)
    head = make_head(card.features, card.hidden)
    try:
        head.load_state_dict(load(content))
    except (SafetensorError, RuntimeError, ValueError, KeyError) as e:
        raise CorruptPackError(f"The sequence head {clean(str(path))} does not fit its card.", again) from e
    return head.eval()


class FeatureReader:
    """What the last layer of a classifier is given for a picture: its features.

    Args:
        model: The classifier; it is changed, so it must be nobody else's.
        card: Its card.
        device: Where it lies.
        chunk: Pictures in a forward pass: always so many, so that an answer does not depend on the batch it is in.

    Raises:
        CorruptPackError: the network has no last layer of as many outputs as the card has labels.
    """

    def __init__(self, model: torch.nn.Module, card: ModelCard, device: str, chunk: int) -> None:
        import torch

        last = [m for m in model.modules() if isinstance(m, torch.nn.Linear) and m.out_features == len(card.labels)]
        if not last:
            raise CorruptPackError(f"The network of {clean(card.name)} has no linear last layer to put a head on.")
        self._caught: list[torch.Tensor] = []
        last[-1].register_forward_pre_hook(lambda _, given: self._caught.append(given[0].detach()))
        self._model, self._rule, self._device, self._chunk = model, card.preprocessing, device, chunk

    def __call__(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Shape (n, height, width, 3) uint8 of the model's input size to (n, features)."""
        import torch

        rows = []
        for at in range(0, len(batch), self._chunk):
            part = batch[at : at + self._chunk]
            filled = np.concatenate([part, np.repeat(part[-1:], self._chunk - len(part), axis=0)])
            self._caught.clear()
            with torch.inference_mode():
                self._model(pixel_values=normalise(torch.from_numpy(filled).to(self._device), self._rule))
            values = self._caught[-1].float().cpu()
            if values.ndim > 2:  # features of places, which the last layer scores one by one
                values = values.flatten(1, -2).mean(1)
            rows.append(values.numpy()[: len(part)])
        return np.concatenate(rows)


def head_logits(
    head: torch.nn.Module, features: FeatureReader, batch: NDArray[np.uint8], length: int
) -> tuple[float, ...]:
    """What a head says, before calibration, of runs of shape (n, length * height, width, 3) uint8."""
    import torch

    high = batch.shape[1] // length
    values = features(batch.reshape(len(batch) * length, high, *batch.shape[2:])).reshape(len(batch), length, -1)
    with torch.inference_mode():
        # One run at a time: an answer does not depend on the batch it is in.
        return tuple(float(head(torch.from_numpy(each[None]))[0]) for each in values)
