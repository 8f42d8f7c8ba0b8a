"""From a pack to a network that answers: on which device, in which precision, and the same whatever the batch.

torch is imported inside functions: importing this module is cheap.
"""

from __future__ import annotations

import copy
import logging
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from deepscan.errors import CorruptPackError, DeviceError
from deepscan.models.assembly import assemble, unfit
from deepscan.models.card import ModelCard
from deepscan.models.devices import OPENVINO, best_precision, choose_devices, device_name
from deepscan.models.kernels import choose_kernel
from deepscan.models.lanes import Lane, Lanes, OutOfMemoryError, TorchLane, cpu_lanes, is_out_of_memory
from deepscan.models.preprocess import golden_input
from deepscan.models.sequence import FeatureReader, head_logits, load_head
from deepscan.text import clean

if TYPE_CHECKING:
    import torch

    from deepscan.models.attribution import Attribution
    from deepscan.models.packs import Pack

__all__ = ["Network", "OutOfMemoryError", "golden_mismatch", "load"]

logger = logging.getLogger(__name__)

CHUNKS = {"cpu": 4, "cuda": 32, "mps": 8}
"""Pictures in one forward pass, by kind of device: always exactly so many, see :class:`Network`.

On a CPU, four of 160 to 224 pixels are within a tenth of the best rate (measured with ViT, PVTv2 and ConvNeXt on an
EPYC with AVX-512, fp32 and bf16), and one picture alone is not slowed much by the three beside it.
"""

SMALL_MODEL, SMALL_CHUNK = 16_000_000, 8
"""A model with fewer weights gets larger chunks on a CPU: it spends much of its time between the computations, and
waits for the seven others take it some 50 ms.
"""

_PROBE_SEEDS = (1, 2, 3)
"""Golden inputs that compare precisions for a model whose card has no golden answers."""


class Network:
    """A loaded model that turns pictures into probabilities.

    **The answer for one picture does not depend on the batch it is in.** Libraries pick other kernels for other batch
    sizes, and fp32 results then differ in the last digits (about 3e-6 in a logit between a batch of one and of two on
    oneDNN). So every forward pass has exactly ``chunk`` pictures, the last one filled up with copies; at one shape the
    place in the batch makes no difference, which a test checks bit by bit. Only after a lack of memory does ``chunk``
    shrink, and scores may differ in the seventh digit; reports round to four.

    The chunks of a batch are computed side by side in *lanes*: one for each GPU, or one for each core of a CPU.

    Attributes:
        card: The pack's card.
        device: The device it runs on, as torch writes it ("cpu", "cuda:0"); of several GPUs, all with commas between.
        precision: What it computes in: "fp32", "bf16", "fp16" or "int8".
        notes: Sentences the user should see, such as why a precision was not used.
        chunk: Pictures in one forward pass.
        head: The pack's sequence head, where it has one.
    """

    def __init__(
        self,
        model: torch.nn.Module,
        card: ModelCard,
        *,
        device: str,
        precision: str,
        notes: tuple[str, ...] = (),
        lanes: Sequence[Lane] = (),
    ) -> None:
        first = TorchLane(model, card, device=device, precision=precision)
        lanes = lanes or [first] * (cpu_lanes() if device == "cpu" else 1)
        self.card = card
        self.device = ",".join(dict.fromkeys(lane.device for lane in lanes))
        self.precision = precision
        self.notes = notes
        self.chunk = _chunk(model, device)
        self._lanes = Lanes(lanes)
        self._first = first
        self._twin: torch.nn.Module | None = None
        self.head: torch.nn.Module | None = None
        self._features: FeatureReader | None = None

    def probabilities(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The calibrated probability that each picture is fake.

        Args:
            batch: Shape (n, height, width, 3), uint8 RGB, already of the model's input size
                (:func:`deepscan.models.preprocess.fit`).

        Returns:
            Shape (n,), each in [0, 1]; NaN where the network's answer was not a number.

        Raises:
            OutOfMemoryError: the batch did not fit into memory.
        """
        return np.array([self.card.calibration.probability(d) for d in self.logits(batch)], np.float32)

    def logits(self, batch: NDArray[np.uint8]) -> tuple[float, ...]:
        """logit(fake) minus logit(real) for each picture, before calibration (arguments as :meth:`probabilities`).

        With more than two labels, the logit of fake minus the log of the summed exponentials of all others, which is
        the log-odds of the softmax.
        """
        rule = self.card.preprocessing
        if batch.dtype != np.uint8 or batch.ndim != 4 or batch.shape[1:] != (rule.height, rule.width, 3):
            raise ValueError(f"want uint8 (n, {rule.height}, {rule.width}, 3), got {batch.dtype} {batch.shape}")
        while True:
            try:
                rows = self._lanes.run([self._filled(batch, at) for at in range(0, len(batch), self.chunk)])
            except OutOfMemoryError:
                alone, self.chunk = self.chunk == 1, max(1, self.chunk // 2)
                if alone or len(batch) > 1:  # a caller with one picture has nothing to halve
                    raise
            else:
                return tuple(_difference(row, self.card.fake_index) for row in rows[: len(batch)])

    def features(self) -> FeatureReader:
        """What the network has for a picture before its last layer, in fp32 whatever scores are computed in."""
        if self._features is None:
            model = copy.deepcopy(self._first.model).float()
            self._features = FeatureReader(model, self.card, self._first.device, self.chunk)
        return self._features

    def sequence_probabilities(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The calibrated probability that each run of pictures is fake, by the pack's sequence head.

        Args:
            batch: Shape (n, length * height, width, 3), uint8 RGB: the pictures of a run one above the other.
        """
        card = self.card.sequence
        assert card is not None
        assert self.head is not None
        logits = head_logits(self.head, self.features(), batch, card.length)
        return np.array([card.calibration.probability(each) for each in logits], np.float32)

    def golden_logits(self, seeds: Sequence[int]) -> tuple[float, ...]:
        """:meth:`logits` of the golden inputs with these seeds."""
        if not seeds:
            return ()
        inputs = np.stack([golden_input(seed, self.card.preprocessing) for seed in seeds])
        while True:
            chunk = self.chunk
            try:
                return self.logits(inputs)
            except OutOfMemoryError:
                if chunk == 1:
                    raise

    def heat_map(self, pixels: NDArray[np.uint8], seconds: float) -> Attribution:
        """Which parts of one picture of the model's input size moved its score, in about so many seconds."""
        from deepscan.models.attribution import attribute

        if self._twin is None:  # another thread may be scoring, and attention asks for another kernel
            self._twin = copy.deepcopy(self._first.model).float()
        return attribute(self._twin, self.logits, self.card, pixels, device=self._first.device, seconds=seconds)

    def _filled(self, batch: NDArray[np.uint8], at: int) -> NDArray[np.uint8]:
        """The chunk that begins at a place of the batch; always ``chunk`` pictures go through the model."""
        part = batch[at : at + self.chunk]
        filled = np.empty((self.chunk, *part.shape[1:]), np.uint8)
        filled[: len(part)] = part
        filled[len(part) :] = part[-1]
        return filled


def load(pack: Pack, *, device: str, precision: str) -> Network:
    """Load a pack's weights, checked against its hash, onto a device.

    Args:
        pack: From :func:`deepscan.models.packs.find`.
        device: ``auto`` (the first of CUDA, MPS and CPU that is there), ``cpu``, ``openvino`` (the CPU through
            OpenVINO), ``cuda`` (all of them), ``cuda:N`` or ``mps``.
        precision: ``fp32``, ``bf16``, ``fp16``, ``int8`` (through OpenVINO), or ``auto``: bf16 where the device
            computes in it natively and it moves no golden probability by more than the card's ``score_tolerance``, else
            fp32. One that is asked for by name is held to the same.

    Raises:
        DeviceError: the device or precision is not there, or the precision moves this model's answers too far.
        CorruptPackError: the weights changed since they were found, do not fit the architecture tensor by tensor, or
            answer the golden inputs differently.
    """
    network = _loaded(pack, device=device, precision=precision)
    if pack.card.sequence is not None:
        network.head = load_head(pack.folder, pack.card.sequence)
    return network


def _loaded(pack: Pack, *, device: str, precision: str) -> Network:
    """The network without what may be put on it; see :func:`load`."""
    places = choose_devices(device)
    translate = places == (OPENVINO,)
    place = "cpu" if translate else places[0]
    # One precision for all: a score must not depend on which of several devices gave it.
    best = "bf16" if all(best_precision(each) == "bf16" for each in (place, *places[1:])) else "fp32"
    wanted = best if precision == "auto" else precision
    if wanted == "fp16" and place == "cpu":
        raise DeviceError(
            "fp16 is not computed on a CPU: it is slower there than fp32, and overflows.",
            "Use --precision fp32, bf16 or auto.",
        )
    if wanted == "int8" and not translate:
        raise DeviceError("int8 is computed through OpenVINO only.", "Add --device openvino, or use --precision auto.")
    model = assemble(pack)
    try:
        network = Network(_to_device(model, place), pack.card, device=place, precision="fp32")
        if wanted != "fp32" and not translate:
            network, model = _lowered(network, model, wanted, insist=precision != "auto")
            return _replicated(network, model, places[1:])
        reference = _checked_reference(network)
        if translate:
            return _through_openvino(network, model, wanted, reference, insist=precision != "auto")
        return _replicated(network, model, places[1:])
    except OutOfMemoryError as e:
        raise DeviceError(
            f"{device_name(place)} has not enough memory for the model {clean(pack.card.name)}.",
            "Use another device, or end what else uses its memory.",
        ) from e


def golden_mismatch(card: ModelCard, seed: int, expected: float, found: float) -> CorruptPackError:
    """The error for a model that answers a golden input otherwise than its card says."""
    return CorruptPackError(
        f"The model {clean(card.name)} does not answer as it did when its pack was made: golden input {seed} gives "
        f"{found:.4f}, and the card says {expected:.4f} (up to {card.tolerance:g} apart is allowed).",
        "Its weights, its configuration or a library changed: install the versions in the card's provenance, "
        "or get the pack again.",
    )


def _to_device(model: torch.nn.Module, place: str) -> torch.nn.Module:
    import torch

    try:
        for tensor in (moved := model.to(torch.device(place))).parameters():
            if tensor.ndim == 4:  # what model.to(memory_format=...) does, which has no type
                tensor.data = tensor.data.contiguous(memory_format=torch.channels_last)
        return moved
    except (RuntimeError, MemoryError) as e:
        if is_out_of_memory(e):
            raise OutOfMemoryError(str(e)) from e
        raise DeviceError(f"The device {place} cannot be used: {clean(str(e))}.", "Try --device cpu.") from e


def _checked_reference(network: Network) -> tuple[float, ...]:
    """Logits of the golden inputs in fp32, compared to the card where it has golden answers.

    On a CPU they must lie within the card's tolerance. Accelerators compute convolutions with fewer digits (TF32), so
    there the probabilities must agree within the card's ``score_tolerance``.
    """
    card = network.card
    seeds = tuple(golden.seed for golden in card.golden) or _PROBE_SEEDS
    try:
        found = network.golden_logits(seeds)
    except (RuntimeError, ValueError, TypeError, LookupError, AttributeError) as e:
        raise unfit(clean(card.name), e) from e
    for golden, logit in zip(card.golden, found, strict=False):
        if network.device == "cpu":
            fits = abs(logit - golden.logit) <= card.tolerance
        else:
            fits = _shift(card, logit, golden.logit) <= card.score_tolerance
        if not fits:
            raise golden_mismatch(card, golden.seed, golden.logit, logit)
    return found


def _lowered(
    network: Network, model: torch.nn.Module, precision: str, *, insist: bool
) -> tuple[Network, torch.nn.Module]:
    """The same network in a lower precision, or itself with a note when that moves its answers too far.

    Where the card has golden answers, which are in fp32, the lower precision is held against them at once: fp32 is
    computed only where that fails, to tell a precision that does not do from a model that is not what its card says.
    """
    import torch

    card = network.card
    dtype = {"bf16": torch.bfloat16, "fp16": torch.float16}[precision]
    reference = tuple(golden.logit for golden in card.golden) or _checked_reference(network)
    try:
        lowered = copy.deepcopy(model).to(dtype)
        choose_kernel(lowered, card.preprocessing, device=network.device, precision=precision)
        low = Network(lowered, card, device=network.device, precision=precision)
        why = _why_not(low, reference, network.chunk)
    except (RuntimeError, TypeError, ValueError, NotImplementedError) as e:
        why = f"{device_name(network.device)} cannot compute this model in it ({clean(str(e), 120)})"
    if not why:
        return low, lowered
    if card.golden:
        _checked_reference(network)
    _refuse(network, precision, why, insist=insist)
    return network, model


def _why_not(low: Network, reference: tuple[float, ...], chunk: int) -> str:
    """Why a network may not stand for the one that gave ``reference``, as the end of a sentence; empty if it may."""
    low.chunk = chunk
    found = low.golden_logits(tuple(golden.seed for golden in low.card.golden) or _PROBE_SEEDS)
    moved = max(_shift(low.card, a, b) for a, b in zip(found, reference, strict=True))
    return "" if moved <= low.card.score_tolerance else f"it moves the probability of a golden input by {moved:.3f}"


def _refuse(network: Network, precision: str, why: str, *, insist: bool) -> None:
    """Note that a precision is not used, or raise where the user insists on it."""
    if insist:
        raise DeviceError(
            f"{precision} is no precision for {clean(network.card.name)}: {why}.", "Use --precision fp32."
        )
    network.notes += (f"{precision} was not used, and fp32 was: {why}.",)
    logger.info(network.notes[-1])


def _through_openvino(
    network: Network, model: torch.nn.Module, precision: str, reference: tuple[float, ...], *, insist: bool
) -> Network:
    """The network computed by OpenVINO, in fp32 with a note when the precision moves its answers too far."""
    from deepscan.models.openvino import OpenVinoLane

    card = network.card

    def compiled(precision: str) -> Network:
        lane = OpenVinoLane(model, card, precision=precision)
        return Network(model, card, device="cpu", precision=precision, notes=network.notes, lanes=[lane])

    try:
        for each in dict.fromkeys((precision, "fp32")):
            found = compiled(each)
            why = _why_not(found, reference, network.chunk)
            if not why:
                return found
            _refuse(network, each, why, insist=insist or each == "fp32")
    except (RuntimeError, TypeError, NotImplementedError) as e:
        why = clean(str(e), 120)
    raise DeviceError(f"OpenVINO cannot compute {clean(card.name)}: {why}.", "Use --device cpu.")


def _replicated(network: Network, model: torch.nn.Module, places: Sequence[str]) -> Network:
    """The network with a copy of its model on each further device."""
    if not places:
        return network
    card, precision = network.card, network.precision
    lanes = [TorchLane(model, card, device=network.device, precision=precision)]
    for place in places:
        moved = _to_device(copy.deepcopy(model), place)
        lanes.append(TorchLane(moved, card, device=place, precision=precision))
    whole = Network(model, card, device=network.device, precision=precision, notes=network.notes, lanes=lanes)
    whole.chunk = network.chunk
    return whole


def _chunk(model: torch.nn.Module, device: str) -> int:
    """Pictures in one forward pass."""
    kind = device.partition(":")[0]
    weights = sum(tensor.numel() for tensor in model.parameters()) if hasattr(model, "parameters") else 0
    return SMALL_CHUNK if kind == "cpu" and 0 < weights < SMALL_MODEL else CHUNKS.get(kind, 1)


def _shift(card: ModelCard, a: float, b: float) -> float:
    """How far apart two logits are as probabilities; NaN when one is not a number."""
    return abs(card.calibration.probability(a) - card.calibration.probability(b))


# One number at a time, in double precision, for the reason in Calibration.probability.
def _difference(row: Sequence[float], fake: int) -> float:
    others = [value for i, value in enumerate(row) if i != fake]
    if not all(map(math.isfinite, row)):
        return math.nan
    top = max(others)
    return row[fake] - (top + math.log(sum(math.exp(value - top) for value in others)))
