"""What JavaScript's own functions and methods give, and those of a few packages that shape options (ms, lodash, config)."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from auditor.code import (
    arithmetic,
    classes,
    collections_,
    configs,
    expressions,
    external,
    proxies,
    registry,
    schemas,
    utilities,
)
from auditor.code.values import (
    CYCLE,
    UNDEFINED,
    Array,
    ClassValue,
    Env,
    External,
    FunctionValue,
    Instance,
    LibraryObject,
    Literal,
    Namespace,
    Object,
    Template,
    Undefined,
    Unknown,
    Value,
    Where,
    is_nothing,
    join,
    options_of,
    text_of,
    truth,
)  # fmt: skip

if TYPE_CHECKING:
    from auditor.code.evaluate import Evaluator

_SAME = frozenset(("freeze", "seal", "preventExtensions", "resolve", "all", "from", "of", "allSettled", "structuredClone", "cloneDeep", "clone", "deepFreeze"))  # fmt: skip
_MATH: dict[str, Callable[[float], float]] = {
    "floor": math.floor,
    "ceil": math.ceil,
    "round": lambda value: math.floor(value + 0.5),
    "trunc": math.trunc,
    "abs": abs,
}
_TEXT: dict[str, Callable[[str], str]] = {
    "toLowerCase": str.lower,
    "toUpperCase": str.upper,
    "trim": str.strip,
    "toString": str,
    "valueOf": str,
}
_PASSED_THROUGH = frozenset(("then", "catch", "finally", "bind", "valueOf", "asyncApply", "toJSON", "nonNullable"))
_UNIT = {"ms": 1, "s": 1e3, "m": 6e4, "h": 3.6e6, "d": 8.64e7, "w": 6.048e8, "y": 3.15576e10}
_DURATION = re.compile(
    r"^(-?[\d.]+)\s*(ms|milli\w*|s|sec\w*|m|min\w*|h|hr\w*|hour\w*|d|day\w*|w|week\w*|y|yr\w*|year\w*)?$", re.I
)
_VISITING = frozenset(("map", "flatMap", "then", "catch", "finally", "resolve"))
_GETTERS = frozenset(("get", "getOrThrow", "getNumber", "getString", "getInt"))


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
            return expressions.concatenate([first], where)
        case "Boolean" | "structuredClone":
            return first
        case "BigInt":
            return Literal(0, where, big=True) if not isinstance(first, Literal) else replace(first, big=True)
        case "Array" | "Symbol":
            return Unknown(f"what {name}() gives", name)
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


def method(ev: Evaluator, receiver: Value, name: str, arguments: tuple[Value, ...], where: Where, depth: int) -> Value:  # noqa: PLR0912  # one branch per kind
    """`receiver.name(...arguments)`."""
    options = options_of(receiver)
    if len(options) > 1:
        kept = [option for option in options if not is_nothing(option)]
        return join([method(ev, option, name, arguments, where, depth) for option in kept] or [UNDEFINED])
    if name == "promisify" and arguments:
        return ev.force(arguments[0])
    if _looks(receiver, name):
        arguments = ev.forced(arguments)
    elif isinstance(receiver, External) and not name.startswith(external.MAKES):
        arguments = ()
    first = arguments[0] if arguments else UNDEFINED
    match receiver:
        case External("global", _):
            return _of_global(ev, receiver, name, arguments, where)
        case Literal() | Template() | Env():
            return _of_text(receiver, name, arguments, where)
        case Array():
            found = _of_array(ev, receiver, name, arguments, depth)
            if found is not None:
                return found
        case Object():
            found = _of_object(ev, receiver, name, arguments, where)
            if found is not None:
                return found
        case FunctionValue():
            if name in ("bind", "call", "apply"):
                return _bound(ev, receiver, name, arguments, where, depth)
        case ClassValue() if (
            name in ("getInstance", "instance")
            and classes.find(ev, receiver.fact, name) is None
            and name not in receiver.fact.statics
        ):
            return classes.any_of(ev, receiver.fact)
        case External() if name == "bind":
            return receiver  # `transport.sendMail.bind(transport)`
        case External("@nestjs/core", path) if _injects(path, name) and isinstance(first, ClassValue):
            return ev.this(first.fact)  # `app.get(Service)`, `moduleRef.resolve(Service)`
        case External() if name not in ("map", "flatMap") or not isinstance(first, FunctionValue):
            return _of_external(ev, receiver, name, arguments, where)
        case Undefined():
            return UNDEFINED
        case Instance() if name in _GETTERS and arguments and classes.find(ev, receiver.cls, name) is None:
            return configs.get(ev, first, arguments, where)
        case LibraryObject() if name in ("on", "once", "addListener", "setMaxListeners"):
            return receiver
        case Unknown() if receiver is CYCLE:
            return CYCLE
    if name in ("map", "flatMap") and isinstance(first, FunctionValue) and isinstance(receiver, Unknown | External):
        element = Unknown("an element of a list that is not known", _singular(text_of(receiver)))
        made = ev.call(first, (element, Unknown("an index", "index")), where, depth)
        return Array(
            (), join([o.element() if name == "flatMap" and isinstance(o, Array) else o for o in options_of(made)])
        )
    if name in ("filter", "slice", "sort", "reverse") and isinstance(receiver, Unknown):
        return receiver
    if name in ("then", "catch", "finally") and not isinstance(receiver, Namespace | Instance | ClassValue):
        return _then(ev, receiver, name, arguments, where, depth)
    if (
        name == "get"
        and isinstance(receiver, Unknown)
        and isinstance(first, Literal)
        and receiver.text.split(".")[-1] == "app"
    ):
        hung = registry.decorated(ev, str(first.value))
        if hung is not None:
            return hung
    if (
        name in _GETTERS
        and isinstance(receiver, Unknown)
        and isinstance(first, Literal)
        and isinstance(first.value, str)
    ):
        found = configs.get(ev, first, arguments, where)
        if not isinstance(found, Unknown):
            return found
    value = ev.call(ev.member(receiver, name, where), arguments, where, depth)
    if isinstance(value, Unknown) and isinstance(receiver, Unknown) and not value.parts and receiver.parts:
        return replace(value, parts=receiver.parts)
    return value


def _looks(receiver: Value, name: str) -> bool:
    """Whether what a method gives depends on its arguments here, beside the functions of the program that it may be."""
    match receiver:
        case External(package, path):
            injects = package == "@nestjs/core" and _injects(path, name)
            return injects or package in external.ARGUMENTS_MATTER or name in _VISITING
        case Instance() | ClassValue() | Namespace() | LibraryObject():
            return name in _GETTERS
        case Unknown():
            return name in _GETTERS or name in _VISITING
        case Object():
            return receiver.type != "object" or name in _GETTERS
    return True


def _injects(path: str, name: str) -> bool:
    """Whether a call asks Nest for an object of a class: of an application, or of a `ModuleRef`."""
    return name in ("get", "resolve", "create") and not path.endswith("NestFactory")


def _singular(text: str) -> str:
    return text[:-1] if text.endswith("s") and len(text) < 40 else "item"


def _then(ev: Evaluator, receiver: Value, name: str, arguments: tuple[Value, ...], where: Where, depth: int) -> Value:
    if name == "then" and arguments and isinstance(arguments[0], FunctionValue):
        return ev.call(arguments[0], (receiver,), where, depth)
    return receiver


def _bound(
    ev: Evaluator, value: FunctionValue, name: str, arguments: tuple[Value, ...], where: Where, depth: int
) -> Value:
    this = arguments[0] if arguments and isinstance(arguments[0], Instance | ClassValue) else value.this
    bound = FunctionValue(value.fact, value.frame, this)
    if name == "bind":
        return bound
    if name == "call":
        return ev.call(bound, arguments[1:], where, depth)
    passed = arguments[1] if len(arguments) > 1 else UNDEFINED
    return ev.call(bound, passed.items if isinstance(passed, Array) else (), where, depth)


def _of_text(value: Value, name: str, arguments: tuple[Value, ...], where: Where) -> Value:
    if isinstance(value, Literal):
        if isinstance(value.value, str) and name in _TEXT:
            return Literal(_TEXT[name](value.value), where, value.env)
        if (
            isinstance(value.value, str)
            and name == "split"
            and arguments
            and isinstance(arguments[0], Literal)
            and arguments[0].value
        ):
            return Array(
                tuple(Literal(part, where, value.env) for part in value.value.split(str(arguments[0].value))),
                where=where,
            )
        if isinstance(value.value, str) and name in ("replace", "replaceAll") and len(arguments) > 1:
            old, new = arguments[0], arguments[1]
            if isinstance(old, Literal) and isinstance(new, Literal):
                return Literal(
                    value.value.replace(str(old.value), str(new.value), 1 if name == "replace" else -1),
                    where,
                    value.env,
                )
        if name == "toString":
            return Literal(text_of(value), where, value.env)
        if name == "concat":
            return expressions.concatenate([value, *arguments], where)
    return Unknown(f"what {name}() makes of a string", f"{text_of(value)}.{name}()", parts=(value, *arguments))


def _of_array(ev: Evaluator, value: Array, name: str, arguments: tuple[Value, ...], depth: int) -> Value | None:  # noqa: PLR0912  # one branch per kind
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
                return expressions.concatenate(parts, value.where)
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


def _of_object(ev: Evaluator, value: Object, name: str, arguments: tuple[Value, ...], where: Where) -> Value | None:
    if value.type == "object":
        if name in _GETTERS and name not in value.members and arguments:
            return configs.get(ev, arguments[0], arguments, where)
        return None
    match name:
        case "get" if arguments:
            found = expressions.at_key(ev, replace(value, type="object"), arguments[0], where)
            return join([o for o in options_of(found) if not isinstance(o, Undefined)] or [found])
        case "values":
            return Array(tuple(value.members.values()), value.rest)
        case "keys":
            return Array(
                tuple(Literal(key) for key in value.members), Unknown("a key") if value.rest is not None else None
            )
        case "entries":
            return Array(tuple(collections_.elements(value)) if value.type == "Map" else tuple(value.members.values()))
        case "set" | "add":
            return value
        case "has" | "delete" | "clear":
            return Unknown("a condition")
    return None


def _of_global(ev: Evaluator, receiver: External, name: str, arguments: tuple[Value, ...], where: Where) -> Value:  # noqa: PLR0912  # one branch per kind
    first = arguments[0] if arguments else UNDEFINED
    match receiver.path, name:
        case "Object", "assign":
            made: dict[str, Value] = {}
            rest: list[Value] = []
            reason = ""
            for argument in arguments:
                reason = expressions.merge(ev, made, rest, argument) or reason
            return expressions.made_of(ev, made, rest, reason, where)
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
        case ("Object" | "Promise" | "Array", _) if name in _SAME:
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


def _of_external(ev: Evaluator, receiver: External, name: str, arguments: tuple[Value, ...], where: Where) -> Value:
    first = arguments[0] if arguments else UNDEFINED
    package, path = receiver.package, receiver.path
    if package == "global":
        return _of_global(ev, receiver, name, arguments, where)
    if name == "get" and package in ("express", "koa") and isinstance(first, Literal) and len(arguments) == 1:
        hung = registry.decorated(ev, str(first.value))
        if hung is not None:
            return hung
    if name in _GETTERS and isinstance(first, Literal) and isinstance(first.value, str) and configs.is_config(receiver):
        return configs.get(ev, first, arguments, where)
    if package in ("lodash", "lodash-es", "ramda", "radash", "deepmerge") and name in (
        "merge",
        "defaults",
        "assign",
        "extend",
        "defaultsDeep",
    ):
        order = arguments if name in ("merge", "assign", "extend") else tuple(reversed(arguments))
        made: dict[str, Value] = {}
        rest: list[Value] = []
        reason = ""
        for argument in order:
            reason = expressions.merge(ev, made, rest, argument) or reason
        return expressions.made_of(ev, made, rest, reason, where)
    shaped = utilities.called(name, arguments) if package in utilities.PACKAGES and not path else None
    if shaped is not None:
        return shaped
    if name in _SAME and package in ("lodash", "lodash-es", "rfdc"):
        return first
    if name in ("then", "catch", "finally") and "()" in path:
        return _then(ev, receiver, name, arguments, where, 3)
    return schemas.chained(ev, receiver, name, arguments, where) or External(
        package, f"{path}.{name}()" if path else f"{name}()", arguments, where, receiver
    )


def duration(value: Value, where: Where) -> Value:
    """`ms('5m')` in ms."""
    if isinstance(value, Literal) and isinstance(value.value, str):
        match = _DURATION.match(value.value.strip())
        if match is not None:
            unit = (match.group(2) or "ms").lower()
            key = unit if unit in _UNIT else "ms" if unit.startswith("milli") else unit[0]
            return Literal(arithmetic.tidy(float(match.group(1)) * _UNIT[key]), where, value.env)
    return value if isinstance(value, Literal | Env) else Unknown("a duration", "ms()", parts=(value,))
