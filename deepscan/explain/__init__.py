"""The pages on findings: for every code what it means and what it does not, how it is found, and what makes it wrong.

One Markdown file a code in ``pages/``: ``deepscan explain`` prints it, and ``docs/findings.md`` is made of all of them.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from importlib import resources
from typing import Final

from deepscan.errors import UsageError
from deepscan.text import clean

PARTS: Final = ("Means", "Does not mean", "Found by", "Source", "Known errors")
"""What every page says, in this order, each as a paragraph that begins with the words in bold."""

_SUFFIX = ".md"
_HEADED = re.compile(r"^\*\*([^*]+)\*\*\s+(.*?)(?=\n\n)", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Page:
    """The page of one finding code. ``body`` is Markdown without the heading."""

    code: str
    title: str
    body: str

    @property
    def parts(self) -> tuple[tuple[str, str], ...]:
        """The page as (heading, text), in the order of :data:`PARTS`; text has no marks and no line breaks."""
        found = _HEADED.findall(self.body + "\n\n")
        return tuple((heading, plain(" ".join(text.split()))) for heading, text in found if heading in PARTS)


def codes() -> tuple[str, ...]:
    """All codes that have a page, sorted."""
    names = (entry.name for entry in resources.files(__name__).joinpath("pages").iterdir())
    return tuple(sorted(name.removesuffix(_SUFFIX) for name in names if name.endswith(_SUFFIX)))


def page(code: str) -> Page:
    """The page of a code, in capitals or not.

    Raises:
        UsageError: there is no such code.
    """
    wanted, known = code.strip().upper(), codes()
    # Only a name from the list is ever looked for: what was typed never becomes a path.
    if wanted not in known:
        close = difflib.get_close_matches(wanted, known, n=3, cutoff=0.6)
        hint = f"Did you mean {', '.join(close)}? " if close else ""
        raise UsageError(
            f"There is no finding code {clean(code)!r}.", hint + "`deepscan explain` without a code lists them all."
        )
    text = resources.files(__name__).joinpath("pages", wanted + _SUFFIX).read_text(encoding="utf-8")
    heading, _, body = text.partition("\n")
    return Page(wanted, heading.removeprefix(f"# {wanted}").strip(), body.strip())


def plain(body: str) -> str:
    """Markdown as plain text: bold and code marks taken off, the rest as it stands."""
    return body.replace("**", "").replace("`", "")
