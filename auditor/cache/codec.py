# ruff: noqa: D102  # what a method gives is said where it is first declared
"""Frozen dataclasses as JSON text and back, by their type hints alone: nothing that is read can run code.

A text holds one pool per type. Equal values stand there once, records lie by column, and what refers to a value gives its
position: a snapshot of ten thousand records is written and built by a few passes over lists. `auditor.cache.schema` says
which hints there may be.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import fields
from enum import Enum
from itertools import accumulate, chain, pairwise, repeat
from operator import attrgetter
from types import MemberDescriptorType
from typing import Any

Cell = Any  # what stands for a value: an int or bool itself, else its position in its pool; None is null there, -1 here


class Node(ABC):
    """A type: its values as cells, and cells as values."""

    none: Cell = -1
    """The cell of None, where that is allowed."""

    def __init__(self) -> None:
        self.children: list[Node] = []

    @abstractmethod
    def cells(self, values: Sequence[Any]) -> list[Cell]:
        """What stands for each value. Raises TypeError where one is not exactly of the type."""

    @abstractmethod
    def column(self, cells: Sequence[Cell]) -> Iterable[Any]:
        """The value of each cell."""

    def recursive(self) -> bool:
        """Whether its values may hold others of its values."""
        return False


class Plain(Node):
    """`int` and `bool`, which are their own cells."""

    none = None

    def __init__(self, kind: type) -> None:
        super().__init__()
        self.kind = kind

    def cells(self, values: Sequence[Any]) -> list[Cell]:
        _check(values, self.kind)
        return list(values)

    def column(self, cells: Sequence[Cell]) -> Iterable[Any]:
        _check(cells, self.kind, type(None))
        return cells


class Maybe(Node):
    """`X | None`."""

    def __init__(self, inner: Node) -> None:
        super().__init__()
        self.children = [inner]
        self.none = inner.none

    def cells(self, values: Sequence[Any]) -> list[Cell]:
        there = iter(self.children[0].cells([value for value in values if value is not None]))
        return [self.none if value is None else next(there) for value in values]

    def column(self, cells: Sequence[Cell]) -> Iterable[Any]:
        return self.children[0].column(cells)

    def recursive(self) -> bool:
        return self.children[0].recursive()


class Positions(dict[Any, int]):
    """Position by row; a row that is asked for is added."""

    def __missing__(self, row: Any) -> int:
        self[row] = at = len(self)
        return at


class Pool(Node):
    """A type whose different values stand in a list."""

    def __init__(self) -> None:
        super().__init__()
        self.positions = Positions()
        self.stored: Any = []
        self._by_identity: dict[int, int] = {}
        self._values: list[Any] | None = None
        self._recursive: bool | None = None

    def rows(self, values: list[Any]) -> Iterable[Any]:
        """Each value as something hashable of cells; equal for equal values of the same types alone."""
        return values

    def written(self) -> Any:
        """All rows as JSON holds them."""
        return list(self.positions)

    @abstractmethod
    def made(self) -> Iterable[Any]:
        """The values of all stored rows."""

    def one(self, at: int) -> Any:
        """The value of one stored row; asked for where rows refer to each other."""
        return list(self.made())[at]

    def size(self) -> int:
        """How many rows are stored."""
        return len(self.stored)

    def cells(self, values: Sequence[Any]) -> list[Cell]:
        known = self._by_identity
        new = {id(value): value for value in values if id(value) not in known}
        if new:
            known.update(zip(new, map(self.positions.__getitem__, self.rows(list(new.values()))), strict=True))
        return list(map(known.__getitem__, map(id, values)))

    def column(self, cells: Sequence[Cell]) -> Iterable[Any]:
        if self.recursive():
            return map(self._later, cells)
        if self._values is None:
            self._values = [*self.made(), None]
        return map(self._values.__getitem__, cells)

    def _later(self, cell: Cell) -> Any:
        """One value, made when it is asked for: rows of a recursive type refer to each other."""
        if self._values is None:
            self._values = [*repeat(NotImplemented, self.size()), None]
        found = self._values[cell]
        if found is NotImplemented:
            found = self._values[cell] = self.one(cell)
        return found

    def recursive(self) -> bool:
        if self._recursive is None:
            seen: dict[int, Node] = {}
            pending = list(self.children)
            while pending:
                node = pending.pop()
                if id(node) not in seen:
                    seen[id(node)] = node
                    pending += node.children
            self._recursive = id(self) in seen
        return self._recursive


class Text(Pool):
    """`str`."""

    def cells(self, values: Sequence[Any]) -> list[Cell]:
        _check(values, str)
        return list(map(self.positions.__getitem__, values))

    def made(self) -> Iterable[Any]:
        _check(self.stored, str)
        return list(self.stored)


class Real(Pool):
    """A `float` that is one: as Python writes it, since 30.0 and 30 are equal and print differently."""

    def rows(self, values: list[Any]) -> Iterable[Any]:
        _check(values, float)
        return map(repr, values)

    def made(self) -> Iterable[Any]:
        return map(float, self.stored)


class Words(Pool):
    """An enum."""

    def __init__(self, kind: type[Enum]) -> None:
        super().__init__()
        self.kind = kind

    def rows(self, values: list[Any]) -> Iterable[Any]:
        _check(values, self.kind)
        return [value.value for value in values]

    def made(self) -> Iterable[Any]:
        return map(self.kind, self.stored)


class Columns(Pool):
    """Values with the same number of parts, each part a column; a column of equal cells is that one cell."""

    def written(self) -> Any:
        columns = zip(*self.positions, strict=True)
        return [len(self.positions), [c[0] if c.count(c[0]) == len(c) else c for c in columns]]

    def size(self) -> int:
        size, columns = self.stored
        lengths = {len(column) for column in columns if isinstance(column, list)}
        if type(size) is not int or size < 0 or lengths.difference([size]) or (not lengths and size > 1):
            raise ValueError("rows that are not there")  # a number alone makes no million records
        return size

    def parts(self) -> Iterable[Iterable[Any]]:
        """The columns as values."""
        size, columns = self.size(), self.stored[1]
        for child, column in zip(self.children, columns if size else [[]] * len(self.children), strict=True):
            if isinstance(column, list):
                yield child.column(column)
            else:
                yield repeat(next(iter(child.column([column]))), size)

    def parts_of(self, at: int) -> Iterable[Any]:
        """The parts of one value."""
        for child, column in zip(self.children, self.stored[1], strict=True):
            yield from child.column([column[at] if isinstance(column, list) else column])


class Record(Columns):
    """A dataclass."""

    def __init__(self, kind: type) -> None:
        super().__init__()
        self.kind = kind
        self.names = [one.name for one in fields(kind)]

    def rows(self, values: list[Any]) -> Iterable[Any]:
        _check(values, self.kind)
        parts = (list(map(attrgetter(name), values)) for name in self.names)
        return zip(*(child.cells(part) for child, part in zip(self.children, parts, strict=True)), strict=True)

    def made(self) -> Iterable[Any]:
        slots: list[Any] = [getattr(self.kind, name, None) for name in self.names]
        if hasattr(self.kind, "__post_init__") or not all(isinstance(slot, MemberDescriptorType) for slot in slots):
            return map(self.kind, *self.parts())
        made: list[Any] = list(map(object.__new__, repeat(self.kind, self.size())))
        for slot, part in zip(slots, self.parts(), strict=True):
            deque(map(slot.__set__, made, part), maxlen=0)  # a third of what the constructor of a frozen class takes
        return made

    def one(self, at: int) -> Any:
        return self.kind(*self.parts_of(at))


class Fixed(Columns):
    """`tuple[A, B]`."""

    def rows(self, values: list[Any]) -> Iterable[Any]:
        _check(values, tuple)
        parts = zip(*values, strict=True)
        return zip(*(child.cells(part) for child, part in zip(self.children, parts, strict=True)), strict=True)

    def made(self) -> Iterable[Any]:
        return zip(*self.parts(), strict=True)

    def one(self, at: int) -> Any:
        return tuple(self.parts_of(at))


class Choice(Pool):
    """A union: which of its types a value has, and its cell there."""

    def __init__(self) -> None:
        super().__init__()
        self.members: dict[type, int] = {}

    def rows(self, values: list[Any]) -> Iterable[Any]:
        _check(values, *self.members)
        numbers = [self.members[type(value)] for value in values]
        return [(at, *self.children[at].cells([value])) for at, value in zip(numbers, values, strict=True)]

    def made(self) -> Iterable[Any]:
        return map(self.one, range(self.size()))

    def one(self, at: int) -> Any:
        which, cell = self.stored[at]
        return next(iter(self.children[which].column([cell])))


class Series(Pool):
    """`tuple[X, ...]` and `frozenset[X]`."""

    def __init__(self, kind: type) -> None:
        super().__init__()
        self.kind = kind

    def rows(self, values: list[Any]) -> Iterable[Any]:
        _check(values, self.kind)
        cells = self.children[0].cells(list(chain.from_iterable(values)))
        bounds = accumulate(map(len, values), initial=0)
        return [tuple(cells[start:end]) for start, end in pairwise(bounds)]

    def made(self) -> Iterable[Any]:
        return map(self.kind, map(self.children[0].column, self.stored))

    def one(self, at: int) -> Any:
        return self.kind(self.children[0].column(self.stored[at]))


class Table(Pool):
    """`Mapping[K, V]`, which must be a dict; its order is kept."""

    def rows(self, values: list[Any]) -> Iterable[Any]:
        _check(values, dict)
        keys, held = self.children
        return [(tuple(keys.cells(list(one))), tuple(held.cells(list(one.values())))) for one in values]

    def made(self) -> Iterable[Any]:
        return map(self.one, range(self.size()))

    def one(self, at: int) -> Any:
        keys, held = self.stored[at]
        return dict(zip(self.children[0].column(keys), self.children[1].column(held), strict=True))


def _check(values: Iterable[Any], *kinds: type) -> None:
    """Raises TypeError unless all values are of these very types."""
    other = set(map(type, values)).difference(kinds)
    if other:
        raise TypeError(f"{other.pop().__name__} where {kinds[0].__name__} is meant")
