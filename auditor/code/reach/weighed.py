"""Constants of a call that its function tests, or hands on to functions that do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, TypeAlias

from auditor.code.evaluation.values import ClassValue, Frame, FunctionValue, options_of
from auditor.code.reach.certain import Certain, Certainty, Sure
from auditor.code.reach.ruled_out import RuledOut
from auditor.code.reach.uses import binds, handed_by, names_of
from auditor.code.reach.wording import unwrapped
from auditor.code.syntax.facts import Call, Function

if TYPE_CHECKING:
    from tree_sitter import Node

    from auditor.code.evaluation.evaluate import Evaluator
    from auditor.code.evaluation.flow import Flow

Passing: TypeAlias = "tuple[Call, Function, frozenset[str]]"
_MOST_TARGETS = 4


class Weighed:
    """Answers by function, and by argument of a call."""

    def __init__(self, ev: Evaluator, flow: Flow, certainty: Certainty, ruled_out: RuledOut) -> None:
        self._ev = ev
        self._flow = flow
        self._certainty = certainty
        self._ruled_out = ruled_out
        self._passing: dict[int, tuple[Passing, ...]] = {}

    def constant(
        self, names: frozenset[str], target: Function, node: Node | None, call: Call, outer: Frame | None
    ) -> Certain:
        """What the call surely gives for the parameter with these names, where the target weighs it."""
        sure = self._certainty.of(node, call.scope, outer) if node is not None else Sure.UNDEFINED
        weighs = sure is not None and (names & self._ruled_out.tested(target) or names & self._passed(target))
        return sure if weighs and self._runs(call, target, outer) else None

    def passes(self, function: Function) -> tuple[Passing, ...]:
        """(call, its target, the names) where the function hands its parameters on to functions that weigh them."""
        known = self._passing.get(id(function))
        if known is None:
            self._passing[id(function)] = ()  # what it hands itself tells no more
            own = {name for one in function.parameters for name in names_of(unwrapped(one.pattern))}
            known = self._passing[id(function)] = tuple(self._handing(function, own)) if own else ()
        return known

    def _handing(self, function: Function, own: set[str]) -> Iterator[Passing]:
        for call in filter(_is_near, self._flow.calls(function)):
            handed = [own.intersection(handed_by(node)) for node in call.arguments()]
            for target in self._flow.targets(call)[:_MOST_TARGETS] if any(handed) else ():
                weighed = self._ruled_out.tested(target) | self._passed(target)
                found = {
                    name
                    for names, declared in zip(handed, target.parameters, strict=False)
                    if names and weighed.intersection(names_of(unwrapped(declared.pattern)))
                    for name in names
                }
                if found:
                    yield call, target, frozenset(found)

    def _passed(self, function: Function) -> frozenset[str]:
        return frozenset(name for _, _, names in self.passes(function) for name in names)

    def _runs(self, call: Call, target: Function, outer: Frame | None) -> bool:
        """Whether the call itself runs the target: its arguments are the target's."""
        if call.callee is None or (call.callee.type == "identifier" and _is_bound(call)):
            return False
        return any(
            (isinstance(one, FunctionValue) and one.fact is target)
            or (isinstance(one, ClassValue) and target.kind == "constructor")
            for one in options_of(self._ev.eval(call.callee, call.scope, outer))
        )


def _is_near(call: Call) -> bool:
    """Whether a call names what it runs: `f()`, `this.f()`, `a.f()`, so that it is not dear to tell."""
    held = call.receiver
    return held.type in ("identifier", "this") if held is not None else call.name not in ("", "super")


def _is_bound(call: Call) -> bool:
    """Whether a variable holds a function that was bound to some of its arguments."""
    binding = call.scope.lookup(call.name)
    return binding is not None and binding.node is not None and binds(binding.node)
