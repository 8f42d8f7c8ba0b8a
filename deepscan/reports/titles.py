"""What finding codes mean, from the pages that ``deepscan explain`` prints."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from deepscan import explain


@cache
def pages() -> Mapping[str, explain.Page]:
    """The page of every finding code that has one, by its code."""
    return MappingProxyType({code: explain.page(code) for code in explain.codes()})


def titles() -> Mapping[str, str]:
    """The title of every finding code that has a page. Codes of checks from other packages have none."""
    return {code: page.title for code, page in pages().items()}
