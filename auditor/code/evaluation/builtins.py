"""Methods that JavaScript and a few packages give values: `list.map()`, `text.split()`, `config.get()`, `_.merge()`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from auditor.code.evaluation import (
    access,
    array_methods,
    classes,
    collections_,
    configs,
    containers,
    external,
    global_objects,
    literals,
    registry,
    schemas,
    text_methods,
    utilities,
)
from auditor.code.evaluation.values import (
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
)

if TYPE_CHECKING:
    from auditor.code.evaluation.evaluate import Evaluator

_PASSED_THROUGH = frozenset(("then", "catch", "finally", "bind", "valueOf", "asyncApply", "toJSON", "nonNullable"))
_VISITING = frozenset(("map", "flatMap", "then", "catch", "finally", "resolve"))
_GETTERS = frozenset(("get", "getOrThrow", "getNumber", "getString", "getInt"))


def _finds_files(value: Value) -> bool:
    """Whether `resolve` of a value gives the path of a module: `import.meta`, `createRequire(import.meta.url)`."""
    if isinstance(value, Unknown):
        return value.text == "import.meta"
    return isinstance(value, External) and value.path.endswith("createRequire()")


def method(ev: Evaluator, receiver: Value, name: str, arguments: tuple[Value, ...], where: Where, depth: int) -> Value:  # noqa: PLR0912  # one branch per kind
    """`receiver.name(...arguments)`."""
    options = options_of(receiver)
    if len(options) > 1:
        kept = [option for option in options if not is_nothing(option)]
        return join([method(ev, option, name, arguments, where, depth) for option in kept] or [UNDEFINED])
    if name == "promisify" and arguments:
        return ev.force(arguments[0])
    if name == "resolve" and arguments and _finds_files(receiver):
        return ev.force(arguments[0])
    if (
        name in containers.ASKING
        and arguments
        and (asked := containers.asked(ev, receiver, ev.force(arguments[0]))) is not None
    ):
        return asked
    if _looks(receiver, name):
        arguments = ev.forced(arguments)
    elif isinstance(receiver, External) and not name.startswith(external.KEPT):
        arguments = ()
    first = arguments[0] if arguments else UNDEFINED
    match receiver:
        case External("global", _):
            return global_objects.method(ev, receiver, name, arguments, where)
        case Literal() | Template() | Env():
            return text_methods.method(receiver, name, arguments, where)
        case Array():
            found = array_methods.method(ev, receiver, name, arguments, depth)
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


def _of_object(ev: Evaluator, value: Object, name: str, arguments: tuple[Value, ...], where: Where) -> Value | None:
    if value.type == "object":
        if name in _GETTERS and name not in value.members and arguments:
            return configs.get(ev, arguments[0], arguments, where)
        return None
    match name:
        case "get" if arguments:
            found = access.at_key(ev, replace(value, type="object"), arguments[0], where)
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


def _of_external(ev: Evaluator, receiver: External, name: str, arguments: tuple[Value, ...], where: Where) -> Value:
    first = arguments[0] if arguments else UNDEFINED
    package, path = receiver.package, receiver.path
    if package == "global":
        return global_objects.method(ev, receiver, name, arguments, where)
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
            reason = literals.merge(ev, made, rest, argument) or reason
        return literals.made_of(ev, made, rest, reason, where)
    shaped = utilities.called(name, arguments) if package in utilities.PACKAGES and not path else None
    if shaped is not None:
        return shaped
    if name in global_objects.SAME and package in ("lodash", "lodash-es", "rfdc"):
        return first
    if name in ("then", "catch", "finally") and "()" in path:
        return _then(ev, receiver, name, arguments, where, 3)
    return schemas.chained(ev, receiver, name, arguments, where) or External(
        package, f"{path}.{name}()" if path else f"{name}()", arguments, where, receiver
    )
