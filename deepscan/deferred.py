"""Sequences that are made only when somebody looks at them. Standard library only."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Generic, TypeVar, overload

T = TypeVar("T")


class Deferred(Sequence[T], Generic[T]):
    """A sequence that is made when it is first looked at, and equal to every other of equal entries.

    Args:
        make: Makes it, once, and what it is made of: the JSON documents of its entries. Whatever is asked of the
            sequence may raise what this raises.
        complete: Whether it is known beforehand that no entry is incomplete, where that means something.
    """

    __slots__ = ("_documents", "_made", "_make", "complete")

    def __init__(self, make: Callable[[], tuple[Sequence[T], Sequence[object]]], *, complete: bool = False) -> None:
        self._make: Callable[[], tuple[Sequence[T], Sequence[object]]] | None = make
        self._made: tuple[T, ...] = ()
        self._documents: Sequence[object] = ()
        self.complete = complete

    def _whole(self) -> tuple[T, ...]:
        if self._make is not None:
            made, self._documents = self._make()
            self._made, self._make = tuple(made), None
        return self._made

    @property
    def documents(self) -> Sequence[object]:
        """What the entries were read from, which they all fit."""
        self._whole()
        return self._documents

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
