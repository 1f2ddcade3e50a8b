"""In which order the calls of a function run: arguments first, callbacks where they are run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from auditor.code.evaluation import taint
from auditor.code.reach import positions
from auditor.code.syntax.facts import Call, Function

if TYPE_CHECKING:
    from tree_sitter import Node

    from auditor.code.evaluation.flow import Flow

_INLINE = frozenset(("arrow_function", "function_expression", "method_definition"))
_NAMED = frozenset(("identifier", "shorthand_property_identifier"))
_LOCKS = frozenset(("using", "runExclusive", "withLock", "lock", "acquire"))


class Turns:
    """Answers by function; calls in `registering` only hand a handler over."""

    def __init__(self, flow: Flow, registering: frozenset[int]) -> None:
        self._flow = flow
        self._registering = registering
        self._calls: dict[int, list[Call]] = {}
        self._local: dict[int, dict[int, Function]] = {}

    def local(self, function: Function) -> Mapping[int, Function]:
        """Functions written in a function that calls them: walked where they are called, not where they are written."""
        self.calls(function)
        return self._local[id(function)]

    def calls(self, function: Function) -> list[Call]:
        """Calls of a function in the order in which they run; those in functions that it calls itself are left to these."""
        known = self._calls.get(id(function))
        if known is None:
            every = self._flow.calls(function)
            handed = [(c.node.start_byte, c.node.end_byte) for c in every if c.node.id in self._registering]
            local = self._local[id(function)] = positions.called_inside(function, every)
            handed += [(one.node.start_byte, one.node.end_byte) for one in local.values()]
            calls = [c for c in every if not any(a <= c.node.start_byte and c.node.end_byte <= z for a, z in handed)]
            named = {positions.name_of(inner): inner.node for inner in self._flow.inner(function)}
            later = [held for call in calls for held in self._run_by(call, named)]
            known = sorted(calls, key=lambda call: positions.turn(call.node, later))
            self._calls[id(function)] = known
        return known

    def _run_by(self, call: Call, named: Mapping[str, Node]) -> list[tuple[int, int, int]]:
        """(start, end, turn) of functions of this function that a call gets and runs itself: `withLock(key, () => …)`."""
        inline = [
            node if node.type in _INLINE else named[taint.text(node)]
            for node in (one for argument in call.arguments() for one in _values_in(argument))
            if node.type in _INLINE or (node.type in _NAMED and taint.text(node) in named)
        ]
        if not inline or call.name in positions.LOOPING or call.name in ("on", "once", "then", "catch", "finally"):
            return []
        runs = call.name in _LOCKS or any(not positions.within_call(f, call) for f in self._flow.targets(call))
        return [(node.start_byte, node.end_byte, call.node.end_byte) for node in inline] if runs else []


def _values_in(node: Node) -> list[Node]:
    """An argument, or what the members of one that is an object literal are."""
    if node.type != "object":
        return [node]
    values = [child.child_by_field_name("value") if child.type == "pair" else child for child in node.named_children]
    return [value for value in values if value is not None]
