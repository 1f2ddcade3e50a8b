"""The call graph, followed forward: what a function calls, by definition where that can be told."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import TYPE_CHECKING

from auditor.code.evaluation import classes, plain
from auditor.code.evaluation.values import CYCLE, ClassValue, FunctionValue, Unknown, Value, options_of
from auditor.code.syntax.facts import Call, Function, Import, Module

if TYPE_CHECKING:
    from tree_sitter import Node

    from auditor.code.evaluation.evaluate import Evaluator

MOST = 400
_ASTRAY = 3
"""Functions in a row that lie in no file that matters: what they are handed may lead back."""
_MAY_BE = frozenset(("identifier", "member_expression", "call_expression"))
"""Forms of arguments that may give a function by name."""
_TELLING = frozenset(
    ("log", "trace", "debug", "verbose", "info", "notice", "warn", "warning", "error", "fatal", "setAttribute", "setAttributes", "recordException",
     "addEvent", "setStatus", "setTag", "setTags", "setContext", "setExtra", "setUser", "captureException", "captureMessage")
)  # fmt: skip
"""Methods of loggers and tracers, which run nothing that they are told."""
_CHAINED = frozenset(
    (
        "member_expression",
        "call_expression",
        "non_null_expression",
        "await_expression",
        "parenthesized_expression",
        "subscript_expression",
    )
)


class Flow:
    """Calls by function, and their targets."""

    def __init__(self, ev: Evaluator) -> None:
        self.ev = ev
        self._own: dict[str, dict[int, list[Call]]] = {}
        self._inner: dict[str, dict[int, list[Function]]] = {}
        self._targets: dict[int, list[Function]] = {}
        self._reached: dict[tuple[int, ...], dict[int, Function]] = {}
        self.lost: dict[int, Call] = {}
        self.handed: set[int] = set()
        """Calls whose targets are what they hand over, all of which may run; else one of several targets does."""

    def calls(self, function: Function | Module, nested: bool = True) -> list[Call]:
        """Calls in a function's body (a module's top level), those in functions written inside it among them."""
        module = function.module if isinstance(function, Function) else function
        own, inner = self._index(module)
        found: list[Call] = []
        pending: list[Function | None] = [function if isinstance(function, Function) else None]
        while pending:
            at = pending.pop()
            found.extend(own.get(id(at) if at is not None else 0, ()))
            if nested and (at is not None or function is not module):
                pending.extend(inner.get(id(at) if at is not None else 0, ()))
        found.sort(key=lambda call: call.node.start_byte)
        return found

    def inner(self, function: Function) -> list[Function]:
        """Functions written inside a function, not those inside of these."""
        return self._index(function.module)[1].get(id(function), [])

    def _index(self, module: Module) -> tuple[dict[int, list[Call]], dict[int, list[Function]]]:
        if module.path not in self._own:
            own: dict[int, list[Call]] = {}
            for call in module.calls:
                own.setdefault(id(call.scope.func) if call.scope.func is not None else 0, []).append(call)
            inner: dict[int, list[Function]] = {}
            for function in module.functions:
                outer = function.scope.parent.func if function.scope.parent is not None else None
                inner.setdefault(id(outer) if outer is not None else 0, []).append(function)
            self._own[module.path], self._inner[module.path] = own, inner
        return self._own[module.path], self._inner[module.path]

    def targets(self, call: Call) -> list[Function]:
        """Functions of the program that a call runs: what it names, and what it hands over to outside code."""
        known = self._targets.get(call.node.id)
        if known is None:
            known = []
            if not self._outside(call):
                found = self.ev.within(lambda: list(self._find(call)), 2_000, 12)
                known = found if found is not None else []
                if found is None:
                    self.lost[call.node.id] = call
            self._targets[call.node.id] = known
        return known

    def towards(self, call: Call, within: frozenset[str]) -> bool:
        """Whether a call may lead into one of these files, by the import that it starts from."""
        node = _root(call)
        if node is None or node.type != "identifier":
            return True
        module = call.scope.module
        binding = call.scope.lookup(module.text(node))
        if binding is None or not isinstance(binding.fact, Import):
            return True
        target = self.ev.program.target(module.path, binding.fact.spec)
        return target is None or target in within or bool(within & frozenset(self.ev.program.graph.imports(target)))

    def _outside(self, call: Call) -> bool:
        """Whether a call is at first sight one of an npm package or a global, and hands over no function."""
        if plain.is_inert(call):
            return True
        node = _root(call)
        if node is None or node.type != "identifier":
            return False
        module = call.scope.module
        binding = call.scope.lookup(module.text(node))
        if binding is None:
            away = module.text(node) not in ("require", "module", "exports")
        elif isinstance(binding.fact, Import):
            away = self.ev.program.target(module.path, binding.fact.spec) is None
        else:
            return False
        return away and not any(
            argument.type in ("identifier", "member_expression", "call_expression") for argument in call.arguments()
        )

    def _find(self, call: Call) -> Iterable[Function]:  # noqa: PLR0912  # one branch per kind
        ev, found = self.ev, dict[int, Function]()
        if call.callee is None:
            return ()
        value: Value = CYCLE
        if call.callee.type == "super":
            if call.scope.cls is not None:
                for step in classes.ancestry(ev, call.scope.cls)[1:]:
                    if step.constructor is not None:
                        return (step.constructor,)
            return ()
        native = plain.is_native(call)
        if not native:
            value = ev.eval(call.callee, call.scope)
        for option in options_of(value):
            if isinstance(option, FunctionValue):
                found[id(option.fact)] = option.fact
            elif isinstance(option, ClassValue) and call.is_new:
                constructor = classes.constructor_of(ev, option.fact)
                if constructor is not None:
                    found[id(constructor)] = constructor
        if not (found or native) and isinstance(value, Unknown):
            self.lost[call.node.id] = call
        if not found or call.name in ("on", "once", "then", "catch", "finally", "use", "register"):
            for node in call.arguments() if call.name not in _TELLING else ():
                if node.type in _MAY_BE and not plain.is_data(node, call.scope):
                    for option in options_of(ev.eval(node, call.scope)):
                        if isinstance(option, FunctionValue):
                            found[id(option.fact)] = option.fact
                            self.handed.add(call.node.id)
        return found.values()

    def reach(
        self, starts: Iterable[Function], most: int = MOST, within: frozenset[str] | None = None
    ) -> dict[int, Function]:
        """Functions that run when one of `starts` does, themselves among them, nearest first.

        `within`: files that matter; calls that plainly lead elsewhere are not followed, others a few steps beyond them.
        """
        first = list(starts)
        key = tuple(sorted(id(function) for function in first))
        if key in self._reached:
            return self._reached[key]
        found = {id(function): function for function in first}
        queue = deque((function, 0) for function in first)
        while queue and len(found) < most and not self.ev.program.out_of_time():
            at, away = queue.popleft()
            away = 0 if within is None or at.module.path in within else away + 1
            for call in self.calls(at) if away <= _ASTRAY else ():
                if within is not None and not self.towards(call, within):
                    continue
                for target in self.targets(call):
                    if id(target) not in found:
                        found[id(target)] = target
                        queue.append((target, away))
        self._reached[key] = found
        return found


def _root(call: Call) -> Node | None:
    """What a callee starts from: `a` of `a.b().c`."""
    node = call.callee
    while node is not None and node.type in _CHAINED:
        node = (
            node.child_by_field_name("object")
            or node.child_by_field_name("function")
            or (node.named_children[0] if node.named_children else None)
        )
    return node


def functions_of(value: Value) -> list[Function]:
    """The functions that a value may be."""
    return [option.fact for option in options_of(value) if isinstance(option, FunctionValue)]


def covers(reached: dict[int, Function], call: Call) -> bool:
    """Whether a call stands in one of the reached functions, or in a function written inside one."""
    function = call.scope.func
    while function is not None:
        if id(function) in reached:
            return True
        function = function.scope.parent.func if function.scope.parent is not None else None
    return False
