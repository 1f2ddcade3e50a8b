"""What ends work after a time: p-timeout and its like, `Promise.race` with a timer, and helpers of the program that do either."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from auditor.code.evaluation import callers, plain
from auditor.code.evaluation.values import (
    External,
    Frame,
    FunctionValue,
    Literal,
    Object,
    Value,
    is_nothing,
    options_of,
)
from auditor.code.model import Option, OptionState
from auditor.code.sites import options
from auditor.code.syntax.facts import Call, Function, Scope
from auditor.code.syntax.lexical import holds

if TYPE_CHECKING:
    from tree_sitter import Node

    from auditor.code.evaluation.evaluate import Evaluator

_DEEPEST = 3
_PACKAGES = frozenset(("p-timeout", "promise-timeout"))
_NAMES = re.compile(r"(?:^|\.)(?:pTimeout|withTimeout|timeoutAfter|promiseTimeout)$")
_ENDS = re.compile(rb"\brace\s*\(|\breject\b|\bTimeout\b|\btimeout\s*\(")
"""What the text of every helper holds that ends something: a cheap look before a close one."""
_BREAKER = "CircuitBreaker"
_BREAKS = 10_000
"""opossum's own timeout in ms, where none is given."""
_TIMER = Option(OptionState.UNKNOWN, why="a timer")


def around(ev: Evaluator, node: Node, scope: Scope, frame: Frame | None = None) -> Option | None:
    """The bound in ms of the nearest call written around `node` that ends what it is given after a time."""
    at = node.parent
    while at is not None:
        call = scope.module.call_at(at) if at.type in ("call_expression", "new_expression") else None
        inside = call is not None and any(holds(argument, node) for argument in call.arguments())
        if call is not None and inside and (found := of(ev, call, frame)) is not None:
            return found
        at = at.parent
    return _broken(ev, scope, frame)


def _broken(ev: Evaluator, scope: Scope, frame: Frame | None) -> Option | None:
    """The bound of the circuit breaker that the enclosing function is handed to by its name."""
    name = scope.func.name if scope.func is not None else ""
    for call in scope.module.calls_named(_BREAKER) if name else ():
        first = call.arguments()[:1]
        if call.is_new and first and scope.module.text(first[0]) == name:
            return of(ev, call, frame)
    return None


def of(ev: Evaluator, call: Call, frame: Frame | None = None, depth: int = 0) -> Option | None:
    """How long a call lets what it is given run, in ms; None where it does not end it, unknown where the time can't be told."""
    if call.callee is None or not call.arguments() or depth > _DEEPEST:
        return None
    if call.is_new:
        return _breaker(ev, call, frame) if call.name == _BREAKER else None
    shown = call.scope.module.text(call.callee)
    if shown.endswith("Promise.race"):
        timers = [_timer(ev, node, call.scope, frame) for node in _elements(call)]
        return next((each for each in timers if each is not None), None)
    if call.name == "race" or plain.is_native(call):
        return None
    for callee in options_of(ev.eval(call.callee, call.scope, frame)):
        match callee:
            case External(package) if package in _PACKAGES:
                return _given(ev, call, frame)
            case FunctionValue(fact) if fact.parameters and _may_end(fact):
                within = Frame(fact, callers.lazily(ev, call, frame), callee.this, callee.frame, 2)
                found = _helper(ev, fact, within, depth)
                if found is not None:
                    return found
            case FunctionValue():
                pass
            case _ if _NAMES.search(shown):
                return _given(ev, call, frame)
    return None


def _may_end(function: Function) -> bool:
    return _ENDS.search(function.module.source, function.node.start_byte, function.node.end_byte) is not None


def _breaker(ev: Evaluator, call: Call, frame: Frame | None) -> Option | None:
    """The time after which opossum's breaker rejects what it fires: its `timeout`, ten seconds unless given, none where false."""
    classes = options_of(ev.eval(call.callee, call.scope, frame)) if call.callee is not None else []
    if not any(isinstance(one, External) and one.package == "opossum" for one in classes):
        return None
    given = [ev.eval(node, call.scope, frame) for node in call.arguments()[1:2]]
    held = [ev.member(one, "timeout") for value in given for one in options_of(value) if isinstance(one, Object)]
    values = [one for value in held for one in options_of(value)]
    if not given or (held and all(is_nothing(one) for one in values)):
        return Option(OptionState.KNOWN, _BREAKS, origin=options.span((call.scope.module.path, call.line)))
    if any(isinstance(one, Literal) and one.value is False for one in values):
        return None
    return _settled(held[:1], call)


def _helper(ev: Evaluator, fact: Function, frame: Frame, depth: int) -> Option | None:
    """The bound that a function of the program puts on a parameter of it: a promise, or a function that makes one."""
    names = [parameter.name for parameter in fact.parameters if parameter.name]
    inside = [call for call in fact.module.calls if holds(fact.node, call.node)]
    for call in inside:
        given = " ".join(fact.module.text(node) for node in call.arguments())
        if _mentions(given, names) and (found := of(ev, call, frame, depth + 1)) is not None:
            return found
    settles = any(
        call.name == "then" and call.callee is not None and _mentions(fact.module.text(call.callee), names)
        for call in inside
    )
    for call in inside:
        if settles and call.name == "setTimeout" and "reject" in fact.module.text(call.node):
            return _time(ev, call, frame)
    return None


def _elements(call: Call) -> list[Node]:
    return [item for node in call.arguments() for item in (node.named_children if node.type == "array" else [node])]


def _timer(ev: Evaluator, node: Node, scope: Scope, frame: Frame | None, depth: int = 0) -> Option | None:
    """The time of the timer that an expression waits for: `new Promise(… setTimeout …)`, a variable that holds it, a call that makes it."""
    module = scope.module
    for call in module.calls_named("setTimeout"):
        if holds(node, call.node):
            return _time(ev, call, frame)
    if depth > _DEEPEST:
        return None
    if node.type == "identifier":
        binding = scope.lookup(module.text(node))
        held = binding.node if binding is not None and binding.kind == "var" else None
        return _timer(ev, held, binding.scope, frame, depth + 1) if held is not None and binding is not None else None
    made = module.call_at(node)
    if made is None or made.callee is None:
        return None
    if made.name in ("then", "finally"):
        held = made.callee.child_by_field_name("object")
        return _timer(ev, held, scope, frame, depth + 1) if held is not None else None
    for callee in options_of(ev.eval(made.callee, scope, frame)):
        if isinstance(callee, FunctionValue):
            within = Frame(callee.fact, callers.lazily(ev, made, frame), callee.this, callee.frame, 2)
            for call in callee.fact.module.calls_named("setTimeout"):
                if holds(callee.fact.node, call.node):
                    return _time(ev, call, within)
        elif isinstance(callee, External) and callee.package in ("timers/promises", "delay"):
            return _time(ev, made, frame)
    return None


def _time(ev: Evaluator, timer: Call, frame: Frame | None) -> Option:
    """The time of `setTimeout(f, ms)`, or of `setTimeout(ms)` of timers/promises."""
    values = [ev.eval(node, timer.scope, frame) for node in timer.arguments()]
    functions = values[:1] if len(values) > 1 and not isinstance(values[0], Literal) else []
    return _settled(values[len(functions) : len(functions) + 1], timer)


def _given(ev: Evaluator, call: Call, frame: Frame | None) -> Option:
    """The time among the arguments of p-timeout or a namesake: a number, or the option `milliseconds`."""
    values = [ev.eval(node, call.scope, frame) for node in call.arguments()]
    held = [ev.member(value, "milliseconds") for value in values if isinstance(value, Object)]
    numbers = [value for value in values if isinstance(value, Literal) and isinstance(value.value, int | float)]
    return _settled([*held, *numbers, *values[1:2]][:1], call)


def _settled(values: list[Value], call: Call) -> Option:
    found = options.option(values)
    here = options.span((call.scope.module.path, call.line))
    known = found.state in (OptionState.KNOWN, OptionState.VARIES)
    return replace(found, origin=found.origin or here) if known else replace(_TIMER, origin=here)


def _mentions(written: str, names: list[str]) -> bool:
    return any(re.search(rf"\b{re.escape(name)}\b", written) for name in names)
