"""Prints the tables of all evidence benchmarks, or of those named.

python -m tests.benchmarks.evidence                 all of them
python -m tests.benchmarks.evidence marks pixels    these

Looks for the real data in $DEEPSCAN_DATA or ../shared/data.
"""

from __future__ import annotations

import importlib
import os
import pkgutil
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path

from tests.benchmarks import evidence

_ITSELF = frozenset({"__main__"})


def main(names: list[str]) -> int:
    """Print the tables; end with 1 when a target is not met, and 2 when there is no data."""
    default = Path(__file__).resolve().parents[4] / "shared" / "data"
    data = Path(os.environ.get("DEEPSCAN_DATA", default))
    if not data.is_dir():
        print(f"There is no data in {data}: set DEEPSCAN_DATA.", file=sys.stderr)
        return 2
    known = [module.name for module in pkgutil.iter_modules(evidence.__path__) if module.name not in _ITSELF]
    unknown = [name for name in names if name not in known]
    if unknown:
        print(f"There is no benchmark {', '.join(unknown)}; there are: {', '.join(known)}.", file=sys.stderr)
        return 2
    print(f"Measured {datetime.now(UTC):%Y-%m-%d} on {os.cpu_count()} cores ({platform.machine()}).\n")
    missed = False
    for name in names or known:
        for table in importlib.import_module(f"{evidence.__name__}.{name}").tables(data):
            print(table.render(), end="\n\n", flush=True)
            missed |= table.met is False
    return int(missed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
