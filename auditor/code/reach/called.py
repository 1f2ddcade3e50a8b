"""Which functions a call runs on the way that is being followed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from auditor.code.evaluation import classes, plain
from auditor.code.evaluation.values import ClassValue, Frame, FunctionValue, Instance, Value, is_nothing, options_of
from auditor.code.reach.events import Events
from auditor.code.reach.given import Given
from auditor.code.reach.visits import Target, Visit
from auditor.code.syntax.facts import Call, Function

if TYPE_CHECKING:
    from tree_sitter import Node

    from auditor.code.evaluation.evaluate import Evaluator
    from auditor.code.evaluation.flow import Flow


class Called:
    """By what this way gives, else by what the program shows."""

    def __init__(self, ev: Evaluator, flow: Flow, given: Given) -> None:
        self._ev = ev
        self._flow = flow
        self._given = given
        self._events = Events(ev)

    def bound(self, call: Call, visit: Visit) -> tuple[Target, ...] | None:
        """What a call runs by what the call that is being followed gives; None where that does not tell."""
        if call.callee is None or not self._given.decides(call.callee, visit.own):
            return self._handed_on(call, visit)
        options = options_of(self._ev.eval(call.callee, call.scope, visit.own))
        found = self._functions(options, call)
        return found if found or all(is_nothing(option) for option in options) else self._handed_on(call, visit)

    def _functions(self, options: Sequence[Value], call: Call) -> tuple[Target, ...]:
        made = [one for one in options if isinstance(one, ClassValue)] if call.is_new else []
        built = [(classes.constructor_of(self._ev, one.fact), one.frame) for one in made]
        run = [(one.fact, one.frame or self._inherited(one)) for one in options if isinstance(one, FunctionValue)]
        return (*run, *((function, frame) for function, frame in built if function is not None))

    def targets(self, call: Call, visit: Visit) -> list[tuple[Function, Frame | None]]:
        """Functions that the call runs; within a wrapper's closure, the one that this wrapper was given."""
        callee = call.callee
        if plain.is_native(call):
            return [(function, None) for function in self._flow.targets(call)]
        if callee is not None and (
            callee.type in ("identifier", "member_expression") if visit.frame is not None else _is_own(callee)
        ):
            found = options_of(self._ev.eval(callee, call.scope, visit.frame))
            own = [(one.fact, one.frame or self._inherited(one)) for one in found if isinstance(one, FunctionValue)]
            if own:
                return own
        return [(function, None) for function in self._flow.targets(call) or self._events.heard_by(call)]

    def _handed_on(self, call: Call, visit: Visit) -> tuple[Target, ...] | None:
        """Functions that outside code gets from this very way: `storage.run(store, fn)` in `withStore(fn)`."""
        named = [n for n in call.arguments() if n.type == "identifier" and self._given.decides(n, visit.own)]
        if not named or call.callee is None:
            return None
        passed = [option for node in named for option in options_of(self._ev.eval(node, call.scope, visit.own))]
        functions = self._functions([one for one in passed if isinstance(one, FunctionValue)], call)
        own = options_of(self._ev.eval(call.callee, call.scope)) if functions else ()
        return None if any(isinstance(one, FunctionValue | ClassValue) for one in own) else functions or None

    def _inherited(self, method: FunctionValue) -> Frame | None:
        return classes.run_on(self._ev, method.this, method.fact) if isinstance(method.this, Instance) else None


def _is_own(callee: Node) -> bool:
    """`this.step`."""
    held = callee.child_by_field_name("object") if callee.type == "member_expression" else None
    return held is not None and held.type == "this"
