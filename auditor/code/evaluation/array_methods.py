"""Methods of arrays: what `map`, `filter`, `find` and the like give for the elements that are known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.code.evaluation import templates
from auditor.code.evaluation.values import (
    UNDEFINED,
    Array,
    FunctionValue,
    Literal,
    Unknown,
    Value,
    join,
    options_of,
    truth,
)

if TYPE_CHECKING:
    from auditor.code.evaluation.evaluate import Evaluator


def method(ev: Evaluator, value: Array, name: str, arguments: tuple[Value, ...], depth: int) -> Value | None:  # noqa: PLR0912  # one branch per kind
    """`value.name(...arguments)`; None where arrays have no such method."""
    first = arguments[0] if arguments else UNDEFINED
    match name:
        case "map" | "flatMap":
            if not value.items and value.rest is None:
                # an empty list that is mapped grows somewhere out of sight
                value = Array((), Unknown("an element of a list that is not known", "item"), value.where)
            items = tuple(
                ev.call(first, (item, Literal(index)), None, depth) for index, item in enumerate(value.items[:60])
            )
            rest = ev.call(first, (value.rest, Unknown("an index")), None, depth) if value.rest is not None else None
            if name == "flatMap":
                return Array(
                    (),
                    join(
                        [
                            o.element() if isinstance(o, Array) else o
                            for i in (*items, *([rest] if rest is not None else []))
                            for o in options_of(i)
                        ]
                    ),
                )
            return Array(items, rest, value.where)
        case "filter":
            return _filtered(ev, value, first, depth)
        case "sort":
            return value
        case "reverse" | "slice" | "flat":
            return Array((), value.element()) if value.items or value.rest is not None else value
        case "find" | "findLast":
            return _found(ev, value, first, depth)
        case "pop" | "shift" | "at":
            return value.element()
        case "concat":
            items_, rest_ = list(value.items), [value.rest] if value.rest is not None else []
            for argument in arguments:
                for option in options_of(argument):
                    if isinstance(option, Array):
                        items_.extend(option.items)
                        rest_.extend([option.rest] if option.rest is not None else [])
                    else:
                        rest_.append(option)
            return Array(tuple(items_), join(rest_) if rest_ else None)
        case "reduce":
            return _reduced(ev, value, arguments, depth)
        case "values" | "entries":
            return value
        case "join":
            glue = first if isinstance(first, Literal) else Literal(",")
            if value.rest is None:
                parts: list[Value] = []
                for index, item in enumerate(value.items):
                    parts.extend([glue, item] if index else [item])
                return templates.concatenate(parts, value.where)
            return Unknown("a joined list", "join()", parts=(*value.items, value.rest))
    return None


def _judged(ev: Evaluator, value: Array, predicate: Value, depth: int) -> list[tuple[Value, bool | None]]:
    """Elements of a list, each with what a predicate says of it."""
    items = (*value.items, *([value.rest] if value.rest is not None else []))
    elements = [option for item in items for option in options_of(item)]
    if not isinstance(predicate, FunctionValue):
        return [(element, None) for element in elements]
    return [(element, truth(ev.call(predicate, (element,), None, depth))) for element in elements[:40]]


def _found(ev: Evaluator, value: Array, predicate: Value, depth: int) -> Value:
    judged = _judged(ev, value, predicate, depth)
    sure = [element for element, verdict in judged if verdict]
    if sure:
        return join(sure)
    return join([*(element for element, verdict in judged if verdict is None), UNDEFINED])


def _filtered(ev: Evaluator, value: Array, predicate: Value, depth: int) -> Value:
    judged = _judged(ev, value, predicate, depth)
    if judged and all(verdict is not None for _, verdict in judged):
        return Array(tuple(element for element, verdict in judged if verdict), None, value.where)
    kept = [element for element, verdict in judged if verdict is not False]
    return Array((), join(kept)) if kept else Array(())


def _reduced(ev: Evaluator, value: Array, arguments: tuple[Value, ...], depth: int) -> Value:
    made: Value = arguments[1] if len(arguments) > 1 else UNDEFINED
    items = [*value.items[:40], *([value.rest] if value.rest is not None else [])]
    for item in items or [Unknown("an element of a list that is not known", "item")]:
        made = ev.call(arguments[0], (made, item), None, depth) if arguments else made
    return made
