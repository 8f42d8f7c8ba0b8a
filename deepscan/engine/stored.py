"""What a case file holds as sequences that read it while they are gone through: memory holds one entry at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from itertools import islice
from typing import Generic, TypeVar, overload

from deepscan.engine.casefile_stored import Rows

T = TypeVar("T")


class Stored(Sequence[T], Generic[T]):
    """A sequence of entries in a case file, equal to any other sequence of equal entries.

    Args:
        opened: Opens the case file and gives its entries, for the length of a block. Whatever is asked of the sequence
            may raise what that raises.
    """

    def __init__(self, opened: Callable[[], AbstractContextManager[Rows[T]]]) -> None:
        self._opened = opened

    def __len__(self) -> int:
        with self._opened() as rows:
            return len(rows)

    def __iter__(self) -> Iterator[T]:
        with self._opened() as rows:
            yield from rows

    @overload
    def __getitem__(self, index: int) -> T: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[T]: ...

    def __getitem__(self, index: int | slice) -> T | Sequence[T]:
        wanted = range(len(self))[index]  # raises IndexError for what is not there
        if isinstance(wanted, int):
            return next(islice(self, wanted, None))
        return tuple(self)[index]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence) or isinstance(other, (str, bytes)):
            return NotImplemented
        return len(self) == len(other) and all(a == b for a, b in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment]  # as lists have none: what is stored may change

    def __repr__(self) -> str:
        return f"Stored({list(self)!r})"
