"""Records that stand beside the answers in a report: what accepts a file, and what seals the bytes. And answers that
are made only when somebody looks at them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar, overload

T = TypeVar("T")


class Deferred(Sequence[T], Generic[T]):
    """A sequence that is made when it is first looked at, and equal to every other of equal entries.

    Args:
        make: Makes it, once. Whatever is asked of the sequence may raise what this raises.
    """

    __slots__ = ("_made", "_make")

    def __init__(self, make: Callable[[], Sequence[T]]) -> None:
        self._make: Callable[[], Sequence[T]] | None = make
        self._made: tuple[T, ...] = ()

    def _whole(self) -> tuple[T, ...]:
        if self._make is not None:
            self._made = tuple(self._make())
            self._make = None
        return self._made

    def __len__(self) -> int:
        return len(self._whole())

    def __iter__(self) -> Iterator[T]:
        return iter(self._whole())

    @overload
    def __getitem__(self, index: int) -> T: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[T]: ...

    def __getitem__(self, index: int | slice) -> T | Sequence[T]:
        return self._whole()[index]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence) or isinstance(other, (str, bytes)):
            return NotImplemented
        return self._whole() == tuple(other)

    def __hash__(self) -> int:
        return hash(self._whole())

    def __repr__(self) -> str:
        return repr(self._whole())

    def __reduce__(self) -> tuple[type[tuple[T, ...]], tuple[tuple[T, ...]]]:
        return tuple, (self._whole(),)  # copies and pickles hold what is in it


@dataclass(frozen=True, slots=True)
class Known:
    """A file whose verdict was known and accepted before: it ends no scan with exit code 1, and stays in the report.

    ``source`` is ``baseline`` or ``suppression``; a suppression has a reason, an author and an expiry (ISO 8601 date).
    """

    sha256: str
    source: str
    reason: str | None = None
    author: str | None = None
    expires: str | None = None


@dataclass(frozen=True, slots=True)
class Seal:
    """What a written ``report.json`` says of its own bytes, so that a change can be found, and where.

    ``links`` are those of the hash chain (:mod:`deepscan.reports.chain`), one for every entry; ``head`` is its head;
    ``sha256`` is of all bytes of the file before this value.
    """

    method: str
    links: tuple[str, ...]
    head: str
    sha256: str
