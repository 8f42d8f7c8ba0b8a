"""Writes ``findings.md`` from the pages that ``deepscan explain`` prints and from the catalogue of checks.

python docs/make_findings.py            write it
python docs/make_findings.py --check    end with 1 when it is not what would be written
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from generated import write_or_check

from deepscan import explain
from deepscan.checks.base import CheckSpec
from deepscan.checks.catalogue import SPECS

PAGE = Path(__file__).resolve().parent / "findings.md"

HEAD = """\
# Findings

<!-- Written by docs/make_findings.py from deepscan/explain/pages: change a page there, and run it again. -->

Every finding has a stable code. This page says, for each code, what it means, what it does not mean, how it is found,
where the method comes from, and what is known to make it wrong. `deepscan explain CODE` prints the same.

Levels rise from `info` over `weak` and `moderate` to `strong`. `points_to` says what a finding speaks for: `generated`,
`edited`, `authentic` or `neither`. Edited is not deceptive, and the absence of findings does not show that a picture is
authentic.
"""


def render() -> str:
    """The whole page: a section for each check, with a section for each of its codes."""
    return "\n".join([HEAD, *(part for spec in SPECS for part in _sections(spec))])


def _sections(spec: CheckSpec) -> Iterator[str]:
    runs = "Runs by default." if spec.default else f"Runs when it is named: `--checks default,{spec.id}`."
    about = f"The check `{spec.id}`, of the family {spec.family}. Looks at {spec.looks_at_words}. {runs}"
    yield f"## {spec.title}\n\n{about}\n"
    for page in map(explain.page, spec.codes):
        yield f"### {page.code} {page.title}\n\n{page.body}\n"


def main(words: list[str]) -> int:
    """Write the page, or compare it; returns the exit code."""
    return write_or_check({PAGE: render()}, words, "make_findings.py")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
