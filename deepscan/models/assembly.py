"""From a pack's files to a torch module: hash first, safetensors only, nothing initialised at random.

The bytes that were hashed are the bytes that are loaded. Weights that are missing from a file are the classic disaster
of this field (a head with random numbers gives probabilities like any other), so one missing or left-over tensor ends
the load. torch and transformers are imported inside functions: importing this module is cheap.
"""

from __future__ import annotations

import hashlib
import logging
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from deepscan.errors import CorruptPackError
from deepscan.models.files import fingerprint, read_config, weight_files
from deepscan.text import clean

if TYPE_CHECKING:
    import torch

    from deepscan.models.packs import Pack


def assemble(pack: Pack) -> torch.nn.Module:
    """The model of a pack on the CPU, in fp32 and ready to answer, every tensor from the pack's hashed files.

    Raises:
        CorruptPackError: the weights changed since they were found, hold what is no number, or do not fit the
            architecture tensor by tensor.
    """
    config = read_config(pack.folder)
    state = _read_weights(pack)
    model = _own(config, state, pack)
    if model is None:
        with quiet():
            model, report = _from_state(config, state, pack)
        _refuse_gaps(report, pack)
    broken = [name for name, tensor in model.state_dict().items() if not _is_finite(tensor)]
    if broken:
        raise CorruptPackError(f"The weights of {clean(pack.card.name)} hold what is no number, in {_some(broken)}.")
    return model


def _own(config: Mapping[str, Any], state: Mapping[str, torch.Tensor], pack: Pack) -> torch.nn.Module | None:
    """The model without transformers, where deepscan computes that family itself."""
    from deepscan.models import dinov2  # imports torch

    return dinov2.build(config, state, pack.card)


def _is_finite(tensor: torch.Tensor) -> bool:
    # By NumPy: torch would wake all its threads for each of hundreds of tensors.
    return bool(np.isfinite(tensor.numpy()).all())


def _read_weights(pack: Pack) -> dict[str, torch.Tensor]:
    """Read, hash and parse each file of weights: what was hashed is what is parsed, whatever happens to the file."""
    from safetensors import SafetensorError
    from safetensors.torch import load as parse

    sums: dict[str, str] = {}
    state: dict[str, torch.Tensor] = {}
    for path in weight_files(pack.folder):
        try:
            content = path.read_bytes()
            sums[path.name] = hashlib.sha256(content).hexdigest()
            tensors = parse(content)
        except (OSError, SafetensorError, ValueError, KeyError, MemoryError) as e:
            raise CorruptPackError(
                f"The weights {clean(str(path))} cannot be read: {clean(str(e)) or type(e).__name__}.",
                "Get the pack again from where it came from.",
            ) from e
        if twice := state.keys() & tensors.keys():
            raise CorruptPackError(f"Two files of weights of {clean(pack.card.name)} hold {_some(twice)}.")
        state.update(tensors)
    if fingerprint(sums) != pack.sha256:
        raise CorruptPackError(
            f"The weights of {clean(pack.card.name)} changed after they were checked: their SHA-256 is no longer "
            f"{pack.sha256[:12]}….",
            "Find out what writes to the pack's folder, and get the pack again.",
        )
    return state


def _from_state(
    config: Mapping[str, Any], state: dict[str, torch.Tensor], pack: Pack
) -> tuple[torch.nn.Module, Mapping[str, Any]]:
    """Give the tensors to transformers, which knows how names changed between its versions.

    It gets a configuration and tensors, never the folder: so it reads no file and looks for nothing on the network.
    """
    import huggingface_hub.errors
    import torch
    from transformers import CONFIG_MAPPING, MODEL_FOR_IMAGE_CLASSIFICATION_MAPPING

    # Raised by configurations whose values have the wrong type, from huggingface_hub 0.33 on.
    wrong_type: type[Exception] = getattr(huggingface_hub.errors, "StrictDataclassError", ValueError)
    name = clean(pack.card.name)
    kind = str(config["model_type"])
    try:
        settings = CONFIG_MAPPING[kind].from_dict(dict(config))
        found: Any = MODEL_FOR_IMAGE_CLASSIFICATION_MAPPING[type(settings)]
    except KeyError as e:
        raise CorruptPackError(
            f"The model {name} is of type {clean(kind, 60)}, and the installed transformers knows no image classifier "
            "of that type.",
            "A newer transformers may know it.",
        ) from e
    except (ValueError, TypeError, AttributeError, ImportError, OSError, RuntimeError, wrong_type) as e:
        raise unfit(name, e) from e
    classes = found if isinstance(found, tuple) else (found,)
    chosen = next((c for c in classes if c.__name__ == pack.card.architecture), classes[0])
    try:
        model, report = chosen.from_pretrained(
            None,
            config=settings,
            state_dict=state,
            output_loading_info=True,
            ignore_mismatched_sizes=True,  # so that they are reported, and refused with their names
            dtype=torch.float32,
        )
    # A stranger's configuration can make any of a hundred model classes fail, each in its own way.
    except (
        *(ValueError, TypeError, AttributeError, ArithmeticError, LookupError, RuntimeError, AssertionError),
        *(ImportError, OSError, NotImplementedError, MemoryError, wrong_type),
    ) as e:
        raise unfit(name, e) from e
    return model.eval(), report


def _refuse_gaps(report: Mapping[str, Any], pack: Pack) -> None:
    """Raise unless every tensor of the model came from the weights, and every one of the weights was used."""
    for key, what in (
        ("missing_keys", "lack"),
        ("mismatched_keys", "have another shape for"),
        ("unexpected_keys", "hold tensors that the architecture does not have:"),
        ("error_msgs", "cannot be used:"),
    ):
        # What does not fit is listed as names, or as (name, shape, shape).
        names = [str(entry[0] if isinstance(entry, tuple) else entry) for entry in report.get(key) or ()]
        if names:
            raise CorruptPackError(
                f"The weights of {clean(pack.card.name)} {what} {_some(names)}.",
                "Nothing is scored with such a model: missing weights would be random numbers.",
            )


def unfit(name: str, error: BaseException) -> CorruptPackError:
    """The error for a model that transformers cannot build from its files, or that does not run."""
    return CorruptPackError(
        f"The configuration and the weights of {name} do not fit together: "
        f"{type(error).__name__}: {clean(str(error)) or 'no reason given'}.",
        "Get the pack again, or use one made for the installed version of transformers.",
    )


def _some(names: Iterable[str]) -> str:
    shown = sorted(map(str, names))
    listed = ", ".join(clean(name, 80) for name in shown[:5])
    return listed if len(shown) <= 5 else f"{listed} and {len(shown) - 5:,} more"


@contextmanager
def quiet() -> Iterator[None]:
    """Keep the progress bars, reports and warnings of transformers and torch off the terminal while the block runs."""
    from transformers.utils import logging as transformers_logging

    chatter: Any = transformers_logging
    verbosity, bars = chatter.get_verbosity(), chatter.is_progress_bar_enabled()
    chatter.set_verbosity(logging.CRITICAL)
    chatter.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        chatter.set_verbosity(verbosity)
        if bars:
            chatter.enable_progress_bar()
