"""Facts that a snapshot lacks because a part of its collector broke: no probe may take their absence for a fact.

A snapshot names what it lacks (`Snapshot.lost`). `guarded` gives the same snapshot in a form that raises `FactLost` as soon
as a probe asks for such a fact; the engine makes UNVERIFIED of that, with the reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TypeVar

from auditor.model import Snapshot

_T = TypeVar("_T")


class FactLost(Exception):  # noqa: N818  # no error of the probe that asks
    """A probe asked for a fact that its snapshot lacks; the message says why."""


@dataclass(frozen=True, slots=True)
class Gap:
    """A part of a collector that broke."""

    phase: str
    """What was being looked for: `listeners`, `metrics`."""
    path: str
    """The file that was being looked at; empty where that can't be told."""
    why: str
    """The exception, on one line."""
    facts: tuple[str, ...] = ()
    """Fields that can't be relied on: `metrics`, or `workers.listeners` of every worker; empty: the file alone is lost."""

    def label(self) -> str:
        """One line for the report."""
        where = f" in {self.path}" if self.path else ""
        return f"looking for {self.phase}{where} broke ({self.why})"


def guarded(snapshot: Snapshot) -> Snapshot:
    """The snapshot itself where it lacks nothing; else a copy that raises FactLost for what it lacks."""
    lost = snapshot.lost
    if not lost:
        return snapshot
    inner: dict[str, dict[str, str]] = {}
    for name, why in lost.items():
        holder, dot, member = name.partition(".")
        if dot and holder not in lost:
            inner.setdefault(holder, {})[member] = why
    made = _with_holes(snapshot, {name: why for name, why in lost.items() if "." not in name}, snapshot.certain)
    for holder, members in inner.items():
        sites = tuple(_with_holes(site, members) for site in getattr(snapshot, holder))
        object.__setattr__(made, holder, sites)
    return made


def altered(value: _T, **changes: object) -> _T:
    """A copy with other values for some fields; as `dataclasses.replace`, but what is lost stays lost."""
    made: _T = object.__new__(type(value))
    for field in fields(value):  # type: ignore[arg-type]  # a dataclass
        if not isinstance(getattr(type(value), field.name), property):
            object.__setattr__(made, field.name, changes.get(field.name, getattr(value, field.name)))
    return made


def _with_holes(value: _T, holes: Mapping[str, str], certain: Mapping[str, object] = {}) -> _T:
    """A copy of a dataclass instance, of a subclass whose `holes` raise and whose `certain` properties are settled."""
    kind = type(value)
    made_up = {**{name: _hole(why) for name, why in holes.items()}, **certain}
    made: _T = object.__new__(type(kind.__name__, (kind,), {"__slots__": (), **made_up}))
    for field in fields(value):  # type: ignore[arg-type]  # every snapshot and site is a dataclass
        if field.name not in holes:
            object.__setattr__(made, field.name, getattr(value, field.name))
    return made


def _hole(why: str) -> property:
    def raising(_: object) -> object:
        raise FactLost(why)

    return property(raising)
