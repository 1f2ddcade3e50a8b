"""Members of an object literal, each looked at when somebody asks for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from auditor.code.evaluation.values import CYCLE, Lazy, Value

LATE = frozenset(("connection", "redis", "createClient", "telemetry"))
"""Members that stay unlooked at until `Evaluator.force`: what makes a connection is a world of its own."""


class Members(Mapping[str, Value]):
    """A mapping whose values are looked at by `force` when they are read; `held` is as the literal was written."""

    __slots__ = ("_force", "_known", "held")

    def __init__(self, held: dict[str, Value], force: Callable[[Value], Value]) -> None:
        self.held = held
        self._force = force
        self._known: dict[str, Value] = {}

    def __getitem__(self, name: str) -> Value:
        value = self.held[name]
        if type(value) is not Lazy or name in LATE:
            return value
        known = self._known.get(name)
        if known is None:
            known = self._force(value)
            if known is not CYCLE:
                self._known[name] = known
        return known

    def over(self, table: dict[str, Value]) -> Members:
        """Other members that are looked at by the same evaluator."""
        return Members(table, self._force)

    def __iter__(self) -> Iterator[str]:
        return iter(self.held)

    def __len__(self) -> int:
        return len(self.held)

    def __contains__(self, name: object) -> bool:
        return name in self.held


def held(members: Mapping[str, Value]) -> Mapping[str, Value]:
    """The members as they were written, those that nobody has looked at as `Lazy`."""
    return members.held if isinstance(members, Members) else members


def with_members(members: Mapping[str, Value], more: Mapping[str, Value]) -> Mapping[str, Value]:
    """The members with some more, or other values for some."""
    return _like(members, {**held(members), **more})


def without(members: Mapping[str, Value], names: Iterable[object]) -> Mapping[str, Value]:
    """The members without some."""
    gone = frozenset(names)
    return _like(members, {name: value for name, value in held(members).items() if name not in gone})


def _like(members: Mapping[str, Value], table: dict[str, Value]) -> Mapping[str, Value]:
    return members.over(table) if isinstance(members, Members) else table
