"""deepscan: finds AI-generated and manipulated pictures and videos, and says what each finding is worth.

>>> from pathlib import Path
>>> from deepscan import scan
>>> report = scan([Path("folder")])  # doctest: +SKIP
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from deepscan.types import ScanReport, Verdict

if TYPE_CHECKING:
    from deepscan.engine.scan import scan

__all__ = ["ScanReport", "Verdict", "__version__", "scan"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """Load the engine only when :func:`scan` is asked for: ``deepscan --help`` must stay quick."""
    if name == "scan":
        from deepscan.engine.scan import scan

        return scan
    raise AttributeError(f"module 'deepscan' has no attribute {name!r}")
