"""What the language's global functions, classes and objects give: `Number(x)`, `new Map()`, `Object.assign()`, `JSON.parse()`."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from auditor.code.evaluation import arithmetic, collections_, literals, proxies, templates, utilities
from auditor.code.evaluation.values import (
    UNDEFINED,
    Array,
    Env,
    External,
    Literal,
    Object,
    Unknown,
    Value,
    Where,
    is_nothing,
    join,
    options_of,
    text_of,
)

if TYPE_CHECKING:
    from auditor.code.evaluation.evaluate import Evaluator


SAME = frozenset(("freeze", "seal", "preventExtensions", "resolve", "all", "from", "of", "allSettled", "structuredClone", "cloneDeep", "clone", "deepFreeze"))  # fmt: skip


_MATH: dict[str, Callable[[float], float]] = {
    "floor": math.floor,
    "ceil": math.ceil,
    "round": lambda value: math.floor(value + 0.5),
    "trunc": math.trunc,
    "abs": abs,
}


def function(ev: Evaluator, name: str, arguments: tuple[Value, ...], where: Where) -> Value:
    """A call of a global function."""
    first = arguments[0] if arguments else UNDEFINED
    match name:
        case "Number" | "parseInt" | "parseFloat":
            value = arithmetic.to_number(first)
            if name == "parseInt":
                value = join([replace(o, value=int(o.value)) if isinstance(o, Literal) and isinstance(o.value, float) and math.isfinite(o.value) else o for o in options_of(value)])  # fmt: skip
            return value
        case "String":
            return templates.concatenate([first], where)
        case "Boolean" | "structuredClone":
            return first
        case "BigInt":
            return Literal(0, where, big=True) if not isinstance(first, Literal) else replace(first, big=True)
        case "Array" | "Symbol":
            return Unknown(f"what {name}() gives", name, parts=arguments)
    return External("global", f"{name}()", arguments, where)


def construct(ev: Evaluator, name: str, arguments: tuple[Value, ...], where: Where) -> Value:  # noqa: PLR0912  # one branch per kind
    """`new` of a global class."""
    first = arguments[0] if arguments else UNDEFINED
    match name:
        case "Map" | "WeakMap":
            made: dict[str, Value] = {}
            rest: list[Value] = []
            for pair in collections_.elements(first) if not is_nothing(first) else ():
                if isinstance(pair, Array) and len(pair.items) == 2:
                    for key in options_of(pair.items[0]):
                        if isinstance(key, Literal):
                            made[str(key.value)] = pair.items[1]
                        else:
                            rest.append(pair.items[1])
            return Object(made, join(rest) if rest else None, where=where, type="Map")
        case "Set" | "WeakSet":
            items = list(collections_.elements(first)) if not is_nothing(first) else []
            return Object({str(index): item for index, item in enumerate(items)}, where=where, type="Set")
        case "Array":
            return Array((), Unknown("an element"))
        case "URL":
            return first if isinstance(first, Literal) else Unknown("a URL", text_of(first), parts=arguments)
        case "Date" if not arguments:
            return External("global", "Date()", (), where)
        case "Date":
            return Unknown("a date", f"new Date({text_of(first)})", parts=arguments)
        case "Promise":
            return Unknown("what a promise resolves to", "promise")
        case "Proxy":
            return proxies.through(ev, first, arguments[1]) if len(arguments) > 1 else first
    return External("global", f"{name}()", arguments, where)


def method(ev: Evaluator, receiver: External, name: str, arguments: tuple[Value, ...], where: Where) -> Value:  # noqa: PLR0912  # one branch per kind
    """`receiver.name(...arguments)` of a global object: `Object.assign(a, b)`."""
    first = arguments[0] if arguments else UNDEFINED
    match receiver.path, name:
        case "Object", "assign":
            made: dict[str, Value] = {}
            rest: list[Value] = []
            reason = ""
            for argument in arguments:
                reason = literals.merge(ev, made, rest, argument) or reason
            return literals.made_of(ev, made, rest, reason, where)
        case "Object", "create" if isinstance(first, Literal) and first.value is None:
            return Object({}, where=where)
        case "Object", "keys":
            return join([_keys_of(option) for option in options_of(first)])
        case "Object", "values":
            return join(
                [
                    Array(tuple(o.members.values()), o.rest)
                    if isinstance(o, Object)
                    else Array((), Unknown("a member"))
                    for o in options_of(first)
                ]
            )
        case "Object", "entries":
            return join([_entries_of(option) for option in options_of(first)])
        case "Object", "fromEntries":
            return _from_entries(first, where)
        case ("Object" | "Map", "groupBy") if (shaped := utilities.called(name, arguments)) is not None:
            return replace(shaped, type="Map") if receiver.path == "Map" and isinstance(shaped, Object) else shaped
        case ("Object" | "Promise" | "Array", _) if name in SAME:
            return _same(ev, receiver.path, name, arguments, where)
        case "Promise", "race":
            return first.element() if isinstance(first, Array) else Unknown("a race")
        case "Math", "min" | "max":
            numbers = [a.value for a in arguments if isinstance(a, Literal) and isinstance(a.value, int | float)]
            if len(numbers) == len(arguments) and numbers:
                env = next((a.env for a in arguments if isinstance(a, Literal) and a.env), "")
                return Literal(min(numbers) if name == "min" else max(numbers), where, env)
            return Unknown(f"what Math.{name}() gives", f"Math.{name}()", parts=arguments)
        case "Math", _ if name in _MATH:
            return join([_rounded(name, option, where) for option in options_of(first)])
        case "Math", "pow" if len(arguments) > 1:
            return arithmetic.operate("**", first, arguments[1], where, "Math.pow()")
        case "Number", "parseInt" | "parseFloat":
            return function(ev, name, arguments, where)
        case "JSON", "parse":
            return _parsed(first)
        case "JSON", "stringify":
            return Unknown("JSON text", "JSON.stringify()", parts=arguments)
        case "String", "raw":
            return first
    return External("global", f"{receiver.path}.{name}()", arguments, where, receiver)


def _same(ev: Evaluator, owner: str, name: str, arguments: tuple[Value, ...], where: Where) -> Value:
    first = arguments[0] if arguments else UNDEFINED
    if owner == "Array" and name == "from":
        if isinstance(first, Object) and first.type != "object":
            first = _entries_of(first) if first.type == "Map" else Array(tuple(first.members.values()), first.rest)
        elif not isinstance(first, Array):
            first = Array((), Unknown("an index"))
        return ev.method(first, "map", (arguments[1],), where) if len(arguments) > 1 else first
    if owner == "Array" and name == "of":
        return Array(arguments)
    return first


def _rounded(name: str, value: Value, where: Where) -> Value:
    if isinstance(value, Literal) and isinstance(value.value, int | float) and math.isfinite(value.value):
        return Literal(arithmetic.tidy(_MATH[name](value.value)), where, value.env)
    return value if isinstance(value, Env) else Unknown(f"what Math.{name}() gives", f"Math.{name}()", parts=(value,))


def _keys_of(value: Value) -> Value:
    if isinstance(value, Object):
        more = Unknown("a key") if value.rest is not None or value.open else None
        return Array(tuple(Literal(key, value.where) for key in value.members), more)
    return Array((), Unknown("a key"))


def _entries_of(value: Value) -> Value:
    if isinstance(value, Object):
        return Array(
            tuple(Array((Literal(key), member)) for key, member in value.members.items()),
            Array((Unknown("a key"), value.rest)) if value.rest is not None else None,
        )
    return Array((), Array((Unknown("a key"), Unknown("a member"))))


def _from_entries(value: Value, where: Where) -> Value:
    made: dict[str, Value] = {}
    rest: list[Value] = []
    for pair in collections_.elements(value):
        if isinstance(pair, Array) and len(pair.items) == 2:
            for key in options_of(pair.items[0]):
                if isinstance(key, Literal):
                    made[str(key.value)] = pair.items[1]
                else:
                    rest.append(pair.items[1])
    return Object(made, join(rest) if rest else None, where=where)


def _parsed(value: Value) -> Value:
    if isinstance(value, Unknown) and value.text == "JSON.stringify()" and value.parts:
        return value.parts[0]
    return Unknown("parsed JSON", "JSON.parse()", parts=(value,))
