"""Which kernel computes a model's attention: torch's own (``sdpa``), or plain products and a softmax (``eager``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

    from deepscan.models.card import Preprocessing

EAGER_TOKENS = 257
"""Tokens up to which plain products are faster than torch's kernel, in bf16 on a CPU.

Measured with torch 2.13 on one core of an EPYC with AVX-512 BF16 (``python -m tests.benchmarks.model_cpu``): they take
0.67 to 0.87 of its time with 50 to 257 tokens; with 325 to 485 one run said so and another not; with 577 they take
longer. In fp32 torch's kernel is quicker throughout, and on a GPU it keeps no attention in memory: there it stays.
"""


def kernel_of(model: torch.nn.Module) -> str | None:
    """The kernel that a model uses now; None where it offers no choice."""
    if not hasattr(model, "set_attn_implementation"):
        return getattr(model, "kernel", None)  # deepscan's own
    return getattr(getattr(model, "config", None), "_attn_implementation", None)


def set_kernel(model: torch.nn.Module, kernel: str) -> None:
    """Compute attention with another kernel from now on.

    Raises:
        ValueError, NotImplementedError: the model's family does not have it.
    """
    choose: Any = getattr(model, "set_attn_implementation", None)
    if choose is None:
        vars(model)["kernel"] = kernel
    else:
        choose(kernel)


def choose_kernel(model: torch.nn.Module, rule: Preprocessing, *, device: str, precision: str) -> None:
    """Set the kernel that is faster for a model on a device and in a precision, where it matters."""
    tokens = _tokens(model, rule)
    if device == "cpu" and precision == "bf16" and kernel_of(model) == "sdpa" and 0 < tokens <= EAGER_TOKENS:
        set_kernel(model, "eager")


def _tokens(model: torch.nn.Module, rule: Preprocessing) -> int:
    """The tokens of a model that cuts its input into patches once; 0 where it may be otherwise."""
    positions = getattr(model, "position_embeddings", None)
    if positions is not None:  # deepscan's own
        return int(positions.shape[1])
    patch = getattr(getattr(model, "config", None), "patch_size", None)
    return (rule.height // patch) * (rule.width // patch) + 1 if isinstance(patch, int) and patch > 0 else 0
