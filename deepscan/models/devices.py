"""Which device and which precision there are on this machine."""

from __future__ import annotations

import importlib.util
import platform
import warnings

from deepscan.errors import DeviceError

OPENVINO = "openvino"
"""The CPU, computed on through OpenVINO instead of torch."""


def choose_device(wanted: str) -> str:
    """The device to use, as torch writes it ("cpu", "cuda:0", "mps").

    Args:
        wanted: ``auto`` (the first of CUDA, MPS and CPU that is there), ``cpu``, ``cuda``, ``cuda:N`` or ``mps``.

    Raises:
        DeviceError: it is not there; the sentence says what is.
    """
    import torch

    cuda = _cuda_names()
    mps = torch.backends.mps.is_available()
    if wanted == "auto":
        return "cuda:0" if cuda else "mps" if mps else "cpu"
    kind, _, index = wanted.partition(":")
    if wanted == "cpu" or (wanted == "mps" and mps):
        return wanted
    if kind == "cuda" and (not index or index.isdecimal()) and int(index or 0) < len(cuda):
        return f"cuda:{int(index or 0)}"
    there = [f"cuda:{i} ({name})" for i, name in enumerate(cuda)] + ["mps"] * mps + ["cpu"]
    why = "" if cuda or kind != "cuda" else f" (torch {torch.__version__} finds no CUDA device)"
    raise DeviceError(
        f"There is no device {wanted} here{why}.",
        f"This machine has {', '.join(there)}; --device auto takes the first.",
    )


def choose_devices(wanted: str) -> tuple[str, ...]:
    """The devices to use: as :func:`choose_device`, but ``auto`` and ``cuda`` use all GPUs, and there is ``openvino``.

    Raises:
        DeviceError: as :func:`choose_device`.
    """
    if wanted == OPENVINO:
        if importlib.util.find_spec("openvino") is None:
            raise DeviceError("OpenVINO is not installed.", 'pip install "deepscan[openvino]", or use --device cpu.')
        return (wanted,)
    first = choose_device(wanted)
    if wanted not in ("auto", "cuda") or not first.startswith("cuda"):
        return (first,)
    return tuple(f"cuda:{index}" for index in range(len(_cuda_names())))


def best_precision(device: str) -> str:
    """``bf16`` where the device computes in it natively, and so faster, else ``fp32``.

    On a CPU that takes AVX-512 BF16 or AMX: without them torch emulates bf16 and is slower than in fp32. Measured
    speed on an EPYC with AVX-512 BF16: 1.5 to 2.2 times that of fp32. MPS computes in fp32.
    """
    import torch

    if device.startswith("cuda"):
        # Ampere and later. AMD cards, which torch calls cuda too, all compute in bf16 where torch supports them.
        native = torch.version.hip is not None or torch.cuda.get_device_capability(device) >= (8, 0)
        return "bf16" if native else "fp32"
    return "bf16" if device == "cpu" and _cpu_computes_bf16() else "fp32"


def device_name(device: str) -> str:
    """A device as people call it: "cuda:0 (NVIDIA H200)", "the CPU"."""
    if not device.startswith("cuda"):
        return "the CPU" if device == "cpu" else device
    names = _cuda_names()
    index = int(device.partition(":")[2] or 0)
    return f"{device} ({names[index]})" if index < len(names) else device


def _cuda_names() -> tuple[str, ...]:
    import torch

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an old driver warns here, and the device is then not there
        if not torch.cuda.is_available():
            return ()
        return tuple(torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count()))


def _cpu_computes_bf16() -> bool:
    """torch.cpu.get_capabilities() where it exists (torch 2.10 on), else its private forerunners, else no."""
    import torch

    if platform.machine().lower() not in ("x86_64", "amd64"):
        return False
    capabilities = getattr(torch.cpu, "get_capabilities", None)
    if capabilities is not None:
        found = capabilities()
        return bool(found.get("avx512_bf16") or found.get("amx_bf16"))
    forerunner = getattr(torch.cpu, "_is_avx512_bf16_supported", None)
    return bool(forerunner is not None and forerunner())
