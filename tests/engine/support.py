"""Items, checks and snapshots made for tests of the engine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from auditor.binding import Check
from auditor.model import Item, Severity, Snapshot, Verdict
from auditor.probes import probe


@dataclass(frozen=True, slots=True)
class Thing(Snapshot):
    source: ClassVar[str] = "live"

    value: int = 1


@dataclass(frozen=True, slots=True)
class Other(Snapshot):
    source: ClassVar[str] = "code"


def item(
    id_: str = "TT001",
    severity: Severity = Severity.HIGH,
    params: Mapping[str, object] | None = None,
    section: str = "Jobs",
) -> Item:
    number = int(id_[2:]) if id_.startswith("TT") else None
    return Item(id_, number, section, f"title of {id_}", severity, "some.probe", params or {}, "why", "fix", ())


def check(function: Callable[..., Verdict], of: Item | None = None, params: object = None) -> Check:
    return Check(of or item(), probe("some.probe")(function), params)


@dataclass
class Calls:
    """Counts calls."""

    names: list[str] = field(default_factory=list)
