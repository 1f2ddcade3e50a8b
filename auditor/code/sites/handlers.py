"""What a worker is given to run: a function of the program, or the path of a processor file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from auditor.code.evaluation.values import External, FunctionValue, Value, identity, options_of
from auditor.code.sites import paths
from auditor.code.syntax.facts import Function, line_of
from auditor.model import CodeSpan

if TYPE_CHECKING:
    from auditor.code.evaluation.evaluate import Evaluator


class Handler(NamedTuple):
    """Where a handler is, its name, and whether it runs in a process or thread of its own."""

    span: CodeSpan | None = None
    name: str = ""
    sandboxed: bool = False


def handler_of(ev: Evaluator, values: list[Value]) -> Handler:
    """The handler among the values that a worker may be given; an empty one where none is known."""
    for value in values:
        for function in functions(ev, value):
            return of_function(function.fact)
        path = paths.path_of(ev, value)
        if path is not None:
            target = paths.file_at(ev, path)
            return Handler(CodeSpan(target, 1, 1) if target else None, path.text, True)
    return Handler()


def functions(ev: Evaluator, value: Value) -> Iterator[FunctionValue]:
    """The functions that a handler runs: its own, or those that it hands to a package's wrapper: `tracer.wrap(name, fn)`."""
    for one in map(ev.force, options_of(value)):
        if isinstance(one, FunctionValue):
            yield one
        elif isinstance(one, External) and one.path.endswith("()") and one.where is not None:
            yield from _handed(ev, one, one.where)


def _handed(ev: Evaluator, made: External, where: tuple[str, int]) -> Iterator[FunctionValue]:
    """The functions among the arguments of the call that made a value, at the place where it stands."""
    module = ev.program.module(where[0])
    name = made.path.rstrip("()").rsplit(".", 1)[-1]
    for call in module.calls if module is not None else ():
        if line_of(call.node) == where[1] and call.name in (name, ""):
            for node in call.arguments():
                given = options_of(ev.eval(node, call.scope))
                yield from (one for one in map(ev.force, given) if isinstance(one, FunctionValue))


def same(ev: Evaluator, value: FunctionValue, depth: int = 3) -> object:
    """Equal for functions that do the same: a closure that was made once for each of several queues, of the same things."""
    made: list[object] = []
    frame = value.frame
    while frame is not None and depth:
        for argument in map(ev.force, frame.arguments):
            made.append(same(ev, argument, depth - 1) if isinstance(argument, FunctionValue) else identity(argument))
        frame = frame.parent
    return (id(value.fact), id(frame), tuple(made))


def exported(ev: Evaluator, path: str) -> list[FunctionValue]:
    """The functions that a processor file exports: its default export, or the whole of its module."""
    for name in ("default", "="):
        found = list(functions(ev, ev.export(path, name)))
        if found:
            return found
    return []


def of_function(fact: Function) -> Handler:
    """A function as a handler."""
    return Handler(CodeSpan(fact.module.path, line_of(fact.node), int(fact.node.end_point[0]) + 1), fact.symbol)


def takes_done(ev: Evaluator, values: list[Value]) -> bool:
    """Whether an async processor also takes Bull's `done`."""
    return any(one.fact.is_async and len(one.fact.parameters) > 1 for value in values for one in functions(ev, value))
