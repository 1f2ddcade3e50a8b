"""Branches that the call at hand rules out: `send(job, { dryRun: true })`, `run('mint')` with `if (mode === 'mint') … else …`."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, TypeAlias

from auditor.code.evaluation import taint
from auditor.code.evaluation.values import Frame
from auditor.code.reach.arms import Arm, Case, arms_of
from auditor.code.reach.certain import Certainty, same
from auditor.code.reach.uses import names_of
from auditor.code.reach.written import Written
from auditor.code.syntax.facts import Call, Function, Scope
from auditor.code.syntax.lexical import WRAPPING

if TYPE_CHECKING:
    from tree_sitter import Node

    from auditor.code.evaluation.flow import Flow

_OPERATORS = frozenset(("!", "&&", "||", "??", "===", "!==", "==", "!="))
_Placed: TypeAlias = "tuple[Arm | Case, Scope]"


class RuledOut:
    """Answers by function and frame; `bound` gives the names that depend on a function's parameters."""

    def __init__(
        self, certainty: Certainty, flow: Flow, written: Written, bound: Callable[[Function], frozenset[str]]
    ) -> None:
        self._certainty = certainty
        self._flow = flow
        self._written = written
        self._bound = bound
        self._arms: dict[int, list[_Placed]] = {}
        self._tested: dict[int, frozenset[str]] = {}
        self._dead: dict[tuple[int, int], tuple[list[Arm | Case], Frame]] = {}

    def has(self, call: Call, function: Function, frame: Frame | None) -> bool:
        """Whether a call of a function is never made in the calls of `frame`."""
        if frame is None:
            return False
        key = (id(function), id(frame))
        if key not in self._dead:
            self._dead[key] = [self.arms(function)[at][0] for at in self.dead(function, frame)], frame
        start, end = call.node.start_byte, call.node.end_byte
        return any(arm.start <= start and end <= arm.end for arm in self._dead[key][0])

    def dead(self, function: Function, frame: Frame) -> tuple[int, ...]:
        """Which of the arms of a function never run in the calls of `frame`, by their numbers."""
        arms, at = self.arms(function), frame if self.arms(function) else None
        names: frozenset[str] = frozenset()
        while at is not None:
            names |= self._bound(at.owner) if isinstance(at.owner, Function) else frozenset()
            at = at.parent
        asked = [number for number, (arm, _) in enumerate(arms) if names and names.intersection(_asked(arm.test))]
        return tuple(number for number in asked if self._out(*arms[number], frame))

    def _out(self, arm: Arm | Case, scope: Scope, frame: Frame) -> bool:
        if isinstance(arm, Arm):
            return self._certainty.decides(arm.test, scope, frame) is (not arm.when)
        value = self._certainty.of(arm.test, scope, frame)
        if value is None:
            return False
        met = [same(value, self._certainty.of(label, scope, frame)) for label in arm.labels]
        others = [same(value, self._certainty.of(label, scope, frame)) for label in arm.others]
        return all(one is False for one in met) and (not arm.default or True in others)

    def arms(self, function: Function) -> list[_Placed]:
        """The arms of a function that make calls, each with the scope of its first call."""
        known = self._arms.get(id(function))
        if known is None:
            calls = self._flow.calls(function)
            starts = [call.node.start_byte for call in calls]
            known = self._arms[id(function)] = []
            for arm in arms_of(function) if calls else ():
                first = bisect_left(starts, arm.start)
                if first < len(starts) and starts[first] < arm.end and any(_asked(arm.test)):
                    known.append((arm, calls[first].scope))
        return known

    def tested(self, function: Function) -> frozenset[str]:
        """Names in the tests of a function, and those that these are made of."""
        known = self._tested.get(id(function))
        if known is None:
            found = {name for arm, _ in self.arms(function) for name in _asked(arm.test)}
            for pattern, value in reversed(self._written.declared(function) if found else ()):
                if found.intersection(names_of(pattern)):
                    found.update(_asked(value))
            known = self._tested[id(function)] = frozenset(found)
        return known


def _asked(node: Node) -> Iterator[str]:
    """Variables that a test asks for in a way that a constant answers: `a`, `!a.b`, `a === 'x' && c`."""
    pending = [node]
    while pending:
        at = pending.pop()
        operator = at.child_by_field_name("operator")
        if at.type == "identifier":
            yield taint.text(at)
        elif at.type == "member_expression":
            pending.extend(at.named_children[:1])
        elif at.type in WRAPPING or (operator is not None and operator.type in _OPERATORS):
            pending.extend(at.named_children)
