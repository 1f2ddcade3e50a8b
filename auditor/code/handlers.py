"""What a worker is given to run: a function of the program, or the path of a processor file."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from auditor.code.facts import Function, line_of
from auditor.code.options import to_json
from auditor.code.values import External, FunctionValue, Literal, Template, Value, options_of
from auditor.model import CodeSpan

if TYPE_CHECKING:
    from auditor.code.evaluate import Evaluator


class Handler(NamedTuple):
    """Where a handler is, its name, and whether it runs in a process or thread of its own."""

    span: CodeSpan | None = None
    name: str = ""
    sandboxed: bool = False


def handler_of(ev: Evaluator, values: list[Value]) -> Handler:
    """The handler among the values that a worker may be given; an empty one where none is known."""
    for value in values:
        for one in map(_as_path, options_of(value)):
            if isinstance(one, FunctionValue):
                return of_function(one.fact)
            if isinstance(one, Template) or (isinstance(one, Literal) and isinstance(one.value, str)):
                text = str(to_json(one))
                target = _file(ev, values, text)
                return Handler(CodeSpan(target, 1, 1) if target else None, text, True)
    return Handler()


def of_function(fact: Function) -> Handler:
    """A function as a handler."""
    return Handler(CodeSpan(fact.module.path, line_of(fact.node), int(fact.node.end_point[0]) + 1), fact.symbol)


def takes_done(values: list[Value]) -> bool:
    """Whether an async processor also takes Bull's `done`."""
    return any(
        isinstance(one, FunctionValue) and one.fact.is_async and len(one.fact.parameters) > 1
        for value in values
        for one in options_of(value)
    )


def _file(ev: Evaluator, values: list[Value], text: str) -> str:
    where = next((w for value in values if (w := getattr(value, "where", None)) is not None), None)
    importer = where[0] if where is not None else ""
    for spec in (text, f"./{text.lstrip('/')}", text.replace("dist/", "src/")):
        found = ev.program.target(importer, spec if spec.startswith(".") else f"./{spec.lstrip('/')}")
        if found is not None:
            return found
    return ""


def _as_path(value: Value) -> Value:
    """`path.join(__dirname, 'processor.js')` as the path that it makes."""
    if not isinstance(value, External) or value.package != "path" or value.path not in ("join()", "resolve()"):
        return value
    texts = [one.value for one in value.arguments if isinstance(one, Literal) and isinstance(one.value, str)]
    whole = len(texts) == len(value.arguments)
    return Literal("/".join(texts).replace("/./", "/"), value.where) if whole and texts else value
