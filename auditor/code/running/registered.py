"""Callbacks that are registered to be run later: kept in a collection by one function, gone through by another."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from auditor.code.evaluation import plain
from auditor.code.evaluation.flow import functions_of
from auditor.code.evaluation.values import FunctionValue, options_of
from auditor.code.syntax.facts import Call, Function
from auditor.code.syntax.lexical import last_name

if TYPE_CHECKING:
    from auditor.code.evaluation.evaluate import Evaluator

_KEEPS = ("push", "unshift", "add", "set")
_GOES_THROUGH = re.compile(r"\bfor\s*(?:await\s*)?\(|\.(?:map|forEach|reduce|reduceRight|flatMap)\(|\bgroupBy\(")


def kept_for(ev: Evaluator, functions: Iterable[Function]) -> list[Function]:
    """Callbacks in the collections that these functions go through: `hooks.push(hook)` … `for (const hook of hooks) await hook()`."""
    found: dict[int, Function] = {}
    for function in functions:
        text = function.module.text(function.node)
        if not _GOES_THROUGH.search(text):
            continue
        for call in (call for name in _KEEPS for call in function.module.calls_named(name)):
            held = call.callee.child_by_field_name("object") if call.callee is not None else None
            name = last_name(function.module, held) if held is not None else ""
            if name and re.search(rf"\b{re.escape(name)}\b", text) and call.scope.func is not function:
                found.update((id(one), one) for one in _given(ev, call))
    return list(found.values())


def _given(ev: Evaluator, call: Call) -> Iterator[Function]:
    """The functions that other files hand to the function that keeps them, by the parameters that it puts away."""
    owner = call.scope.func
    if owner is None:
        return
    written = " ".join(call.scope.module.text(node) for node in call.arguments())
    kept = [
        index
        for index, parameter in enumerate(owner.parameters)
        if parameter.name
        and re.search(rf"\b{re.escape(parameter.name)}\b", written)
        and not plain.is_data_type(parameter.type_node, owner.module)
    ]
    for site in _calls_of(ev, owner) if kept else ():
        given = site.arguments()
        for index in kept:
            if index < len(given) and not plain.is_data(given[index], site.scope):
                yield from functions_of(ev.eval(given[index], site.scope))


def _calls_of(ev: Evaluator, function: Function) -> Iterator[Call]:
    """Calls of a function in its own file and in those that import it."""
    paths = (function.module.path, *ev.program.graph.importers(function.module.path))
    for path in dict.fromkeys(paths):
        module = ev.program.module(path) if ev.program.mentions(path, (function.name.encode(),)) else None
        for call in module.calls_named(function.name) if module is not None else ():
            held = options_of(ev.eval(call.callee, call.scope)) if call.callee is not None else ()
            if any(isinstance(one, FunctionValue) and one.fact is function for one in held):
                yield call
