"""What a walk of handlers met."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from auditor.code.model import Catch, Condition, Effect, Option
from auditor.model import CodeSpan


@dataclass(slots=True)
class Found:
    """What a walk met."""

    effects: list[Effect] = field(default_factory=list)
    catches: list[Catch] = field(default_factory=list)
    conditions: list[Condition] = field(default_factory=list)
    lost: list[CodeSpan] = field(default_factory=list)
    loops: bool = False
    bound: Option | None = None
    swallows: CodeSpan | None = None
    complete: bool = True

    def add(self, other: Found) -> None:
        """Append what another walk met, as if it came after."""
        at = len(self.effects)
        self.effects += [replace(effect, order=effect.order + at) for effect in other.effects]
        self.catches += [replace(one, around=tuple(order + at for order in one.around)) for one in other.catches]
        self.conditions += [replace(one, order=one.order + at) for one in other.conditions]
        self.lost += other.lost
        self.loops = self.loops or other.loops
        self.bound = self.bound or other.bound
        self.swallows = self.swallows or other.swallows
        self.complete = self.complete and other.complete

    def size(self) -> tuple[int, ...]:
        """How much was met so far."""
        return (len(self.effects), len(self.catches), len(self.conditions), len(self.lost), self.loops)
