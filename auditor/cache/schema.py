"""From type hints to a codec: `dumps` and `loads` of any frozen dataclass whose hints are plain.

A hint may be `str`, `int`, `bool`, `float`, an enum, a dataclass, `tuple`, `frozenset`, `Mapping`, a union of these, or
the name of one. A dataclass gets its codec from its fields: a new field needs nothing here.
"""

from __future__ import annotations

import inspect
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import is_dataclass
from enum import Enum
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin

from auditor.cache.codec import Choice, Fixed, Maybe, Node, Plain, Pool, Real, Record, Series, Table, Text, Words

T = TypeVar("T")


class Undecodable(ValueError):  # noqa: N818  # a miss, no error of anybody
    """The text is none that `dumps` made of this type."""


def dumps(kind: type[T], value: T, refused: Callable[[str], bool] = lambda _: False) -> str:
    """`value` as text. Raises TypeError where it holds something that is not exactly of its hint's type, or is refused."""
    schema = Schema(kind)
    (at,) = schema.root.cells([value])
    if any(refused(text) for pool in schema.pools if isinstance(pool, Text) for text in pool.positions):
        raise TypeError("a text that must not be written")
    return json.dumps([at, [pool.written() for pool in schema.pools]], separators=(",", ":"))


def loads(kind: type[T], text: str) -> T:
    """What `dumps` was given: equal, and of the same types throughout. Raises Undecodable."""
    schema = Schema(kind)
    try:
        at, written = json.loads(text)
        for pool, rows in zip(schema.pools, written, strict=True):
            pool.stored = rows
        (found,) = schema.root.column([at])
    except (ValueError, LookupError, ArithmeticError, TypeError, AttributeError, RecursionError) as error:
        raise Undecodable(f"{type(error).__name__}: {error}") from error
    if not isinstance(found, kind):
        raise Undecodable(f"no {kind.__name__}")
    return found


class Schema:
    """The nodes of a dataclass and of all that it holds."""

    def __init__(self, kind: type) -> None:
        self.pools: list[Pool] = []
        self._nodes: dict[object, Node] = {}
        self.root = self._node(kind, kind.__module__)

    def _node(self, hint: Any, module: str) -> Node:
        key = hint if isinstance(hint, type) and get_origin(hint) is None else (hint, module)
        if key not in self._nodes:
            self._make(key, hint, module)
        return self._nodes[key]

    def _make(self, key: object, hint: Any, module: str) -> None:
        origin, arguments = get_origin(hint), get_args(hint)
        if isinstance(hint, str):
            self._nodes[key] = self._node(eval(hint, vars(sys.modules[module])), module)  # an annotation of our own
        elif hint in (int, bool):
            self._nodes[key] = Plain(hint)
        elif hint is str:
            self._add(key, Text())
        elif hint is float:
            self._union(key, (float,), module)
        elif isinstance(hint, type) and issubclass(hint, Enum):
            self._add(key, Words(hint))
        elif isinstance(hint, type) and is_dataclass(hint):
            self._record(key, Record(hint))
        elif origin is tuple and arguments[-1] is not Ellipsis:
            self._add(key, Fixed()).children = [self._node(argument, module) for argument in arguments]
        elif origin in (tuple, frozenset):
            self._add(key, Series(origin)).children = [self._node(arguments[0], module)]
        elif isinstance(origin, type) and issubclass(origin, Mapping):
            self._add(key, Table()).children = [self._node(argument, module) for argument in arguments]
        elif origin in (Union, UnionType):
            self._union(key, arguments, module)
        else:
            raise TypeError(f"no codec for {hint!r}")

    def _add(self, key: object, pool: Pool) -> Pool:
        self._nodes[key] = pool
        self.pools.append(pool)
        return pool

    def _record(self, key: object, record: Record) -> None:
        self._add(key, record)
        written = {
            name: (text, base.__module__)
            for base in reversed(record.kind.__mro__)
            for name, text in inspect.get_annotations(base).items()
        }
        record.children = [self._node(*written[name]) for name in record.names]

    def _union(self, key: object, arguments: tuple[Any, ...], module: str) -> None:
        hints = [hint for hint in arguments if hint is not NoneType]
        if len(hints) == 1 and hints[0] is not float:
            self._nodes[key] = Maybe(self._node(hints[0], module))
            return
        choice = Choice()
        self._add(key, choice)
        if len(hints) < len(arguments):
            self._nodes[key] = Maybe(choice)
        if float in hints:
            hints.append(int)  # an int may stand where a float is asked for
        for hint in dict.fromkeys(hints):
            origin = get_origin(hint)
            kind = dict if isinstance(origin, type) and issubclass(origin, Mapping) else origin or hint
            if not isinstance(kind, type) or kind in choice.members:
                raise TypeError(f"no codec for a union with {hint!r}")
            choice.members[kind] = len(choice.children)
            choice.children.append(self._real() if hint is float else self._node(hint, module))

    def _real(self) -> Node:
        return self._nodes.get(Real) or self._add(Real, Real())
