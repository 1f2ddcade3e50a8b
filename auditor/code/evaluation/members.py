"""`value.name`, by kind of value."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from auditor.code.evaluation import classes, containers, external, handed, registry, schemas
from auditor.code.evaluation.values import (
    CYCLE,
    UNDEFINED,
    Array,
    ClassValue,
    Env,
    External,
    FunctionValue,
    Instance,
    Lazy,
    LibraryClass,
    LibraryObject,
    Literal,
    Namespace,
    Object,
    Undefined,
    Union,
    Unknown,
    Value,
    Where,
    is_nothing,
    join,
    text_of,
)

if TYPE_CHECKING:
    from auditor.code.evaluation.evaluate import Evaluator

_MOST_TEXT = 80
_URL = re.compile(r"\w[\w+.-]*://")
_NUMBERS = {"MAX_SAFE_INTEGER": 2**53 - 1, "MIN_SAFE_INTEGER": -(2**53) + 1, "POSITIVE_INFINITY": float("inf")}
_HOLDERS = frozenset(
    ("fastify", "app", "server", "instance", "this", "application", "ctx", "context", "req", "request")
)

_METHODS = frozenset(("get", "set", "has", "delete", "add", "clear", "keys", "values", "entries", "forEach"))
"""Of Map and Set: what they hold is told where they are called."""


def member(ev: Evaluator, value: Value, name: str, where: Where = None) -> Value:  # noqa: PLR0912  # one branch per kind
    """What `value.name` may be."""
    match value:
        case Union(options):
            kept = [option for option in options if not is_nothing(option)]
            return join([member(ev, option, name, where) for option in kept]) if kept else UNDEFINED
        case Object():
            return _of_object(ev, value, name)
        case Array(items, rest):
            if name.isdigit():
                return items[int(name)] if int(name) < len(items) else rest if rest is not None else UNDEFINED
            if name == "length" and rest is None:
                return Literal(len(items), where)
            return Unknown(f"`{name}` of a list", name)
        case Literal(constant) if isinstance(constant, str) and name == "length":
            return Literal(len(constant), where, value.env)
        case Literal(str(constant)) if name in ("pathname", "href") and not _URL.match(constant):
            return value  # of `new URL('./file.js', import.meta.url)`
        case Instance():
            return classes.instance_member(ev, value, name)
        case ClassValue():
            return classes.static_member(ev, value, name)
        case FunctionValue(fact):
            return Literal(fact.name) if name == "name" else _function_member(ev, value, name)
        case LibraryClass(library, named):
            inner = external.library_member(library, named, name)
            return inner if inner is not None else External(library, f"{named}.{name}", where=where)
        case LibraryObject():
            return _of_library_object(ev, value, name)
        case External(package, path):
            if (package == "global" and path == "process.env") or (package == "process" and path == "env"):
                return Env(name, where)
            if package == "global" and path == "process" and name == "env":
                return External("global", "process.env", where=where)
            if package == "global" and path == "Number" and name in _NUMBERS:
                return Literal(_NUMBERS[name], where)
            known = (
                schemas.member(ev, value, name) or containers.member(ev, value, name) or registry.hung(ev, value, name)
            )
            if known is not None:
                return known
            return External(package, f"{path}.{name}" if path else name, value.arguments, where, value.base)
        case Namespace(path):
            return ev.export(path, name)
        case Undefined():
            return UNDEFINED
        case Unknown(why, text, volatile):
            if value is CYCLE:
                return CYCLE
            if text == "import.meta" and name in ("dirname", "filename"):
                return external.global_value(f"__{name}", where)
            if (
                text.count(".") < 2
                and text.split(".")[-1] in _HOLDERS
                and (known := registry.hung(ev, value, name)) is not None
            ):
                return known
            inner = containers.member(ev, value, name) or handed.member(ev, value, name)
            if inner is not None:
                return inner
            longer = f"{text}.{name}" if text and len(text) < _MOST_TEXT else text
            return Unknown(why, longer, volatile, where, value.parts, value.uncalled)
        case Lazy():
            return member(ev, ev.force(value), name, where)
    return Unknown(f"`{name}` of a string", f"{text_of(value)}.{name}", parts=(value,))


def _of_object(ev: Evaluator, value: Object, name: str) -> Value:
    found = value.members.get(name)
    if found is not None:
        found = ev.force(found)
        if isinstance(found, FunctionValue) and found.fact.kind == "get":
            return ev.call(FunctionValue(found.fact, found.frame, value), (), None)
        return found
    if value.type != "object" and name == "size":
        return Unknown("the size of a collection", "size")
    if value.type != "object" and name in _METHODS:
        return Unknown("a method of a collection", name)
    if value.rest is not None:
        return value.rest
    if value.open:
        return Unknown(value.open, name)
    return UNDEFINED


def _function_member(ev: Evaluator, value: FunctionValue, name: str) -> Value:
    """A property that is set on a function: `send.queue = …`."""
    module = value.fact.module
    for change in module.member_assignments.get(name, ()):
        held = change.left.child_by_field_name("object")
        if held is not None and module.text(held) in ev.program.names_of(value.fact):
            return ev.eval(change.right, change.scope)
    if name in ("call", "apply"):
        return value
    return Unknown(f"`{name}` of a function", f"{value.fact.name}.{name}")


def _of_library_object(ev: Evaluator, value: LibraryObject, name: str) -> Value:
    if value.subclass is not None and (
        classes.find(ev, value.subclass, name) is not None or name in value.subclass.fields
    ):
        return classes.instance_member(ev, classes.any_of(ev, value.subclass), name)
    if name == "name" and value.arguments and value.name != "Job":
        return ev.force(value.arguments[0])
    if name in ("opts", "options") and len(value.arguments) > 1:
        return ev.force(value.arguments[-1])
    text = {"Job": "job"}.get(value.name, value.name.lower())
    return Unknown("known at run time alone", f"{text}.{name}")
