"""What an expression may be, as far as it can be known without running it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from tree_sitter import Node

    from auditor.code.syntax.facts import Class, Function, Module, Scope

Where: TypeAlias = "tuple[str, int] | None"
"""(path, line) where a value is written."""
Primitive: TypeAlias = "str | int | float | bool | None"


@dataclass(frozen=True, slots=True, eq=False)
class Literal:
    """A constant; `env` names the environment variable that may replace it."""

    value: Primitive
    where: Where = None
    env: str = ""
    big: bool = False
    """A BigInt literal."""


@dataclass(frozen=True, slots=True, eq=False)
class Undefined:
    """`undefined`, or a member that is not there."""

    where: Where = None


@dataclass(frozen=True, slots=True, eq=False)
class Object:
    """An object, Map or Set: members by key, `rest` for keys that are not known, `open` why more may be there."""

    members: Mapping[str, Value]
    rest: Value | None = None
    open: str = ""
    where: Where = None
    type: str = "object"
    via: tuple[tuple[str, int], ...] = ()
    node: Node | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Array:
    """An array: `items` in order, then any number of `rest`."""

    items: tuple[Value, ...]
    rest: Value | None = None
    where: Where = None

    def element(self) -> Value:
        """What an element may be."""
        return join([*self.items, *([self.rest] if self.rest is not None else [])])


@dataclass(frozen=True, slots=True, eq=False)
class Template:
    """A string made of parts, some of which are not known."""

    parts: tuple[Value, ...]
    where: Where = None


@dataclass(frozen=True, slots=True, eq=False)
class FunctionValue:
    """A function with the frame that it closes over, and `this` where it is bound."""

    fact: Function
    frame: Frame | None = None
    this: Value | None = None


@dataclass(frozen=True, slots=True, eq=False)
class ClassValue:
    """A class of the program."""

    fact: Class
    frame: Frame | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Instance:
    """An object of a class of the program; `arguments` None: any of its objects."""

    cls: Class
    arguments: tuple[Value, ...] | None = None
    frame: Frame | None = None
    where: Where = None
    key: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class LibraryClass:
    """A class or function that a queue library exports: `bullmq`, `Queue`."""

    library: str
    name: str


@dataclass(frozen=True, slots=True, eq=False)
class LibraryObject:
    """An object of a queue library; `node` None: known by type or injection alone."""

    library: str
    name: str
    module: Module | None
    node: Node | None
    arguments: tuple[Value, ...] = ()
    subclass: Class | None = None
    injected: bool = False
    where: Where = None
    frame: Frame | None = None


@dataclass(frozen=True, slots=True, eq=False)
class External:
    """A value from an npm package or a global: `path` is how it was reached, `stripe` · `paymentIntents.create`."""

    package: str
    path: str = ""
    arguments: tuple[Value, ...] = ()
    """Of the construction or call that made it."""
    where: Where = None
    base: Value | None = None
    """What a method was called on: the rest of a fluent chain."""


@dataclass(frozen=True, slots=True, eq=False)
class Namespace:
    """All exports of a module of the program."""

    path: str


@dataclass(frozen=True, slots=True, eq=False)
class Env:
    """`process.env.NAME` without a default."""

    name: str
    where: Where = None


@dataclass(frozen=True, slots=True, eq=False)
class Unknown:
    """Not to be known here, with why; `volatile`: another value at each run (clock, random, counter)."""

    why: str
    text: str = ""
    volatile: bool = False
    where: Where = None
    parts: tuple[Value, ...] = ()
    """Values that it was made of."""
    uncalled: bool = False
    """A parameter of a function that nothing calls."""


@dataclass(frozen=True, slots=True, eq=False)
class Union:
    """One of several values."""

    options: tuple[Value, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Lazy:
    """An argument that nobody has looked at yet; `Evaluator.force` makes it a value."""

    node: Node
    scope: Scope
    frame: Frame | None


Value: TypeAlias = (
    "Literal | Undefined | Object | Array | Template | FunctionValue | ClassValue | Instance | LibraryClass | LibraryObject"
    " | External | Namespace | Env | Unknown | Union | Lazy"
)

UNDEFINED = Undefined()
CYCLE = Unknown("it depends on itself")
_SMALL = 12
TYPED = "only its type is known"
"""Why an object is open that is known by its declared type alone: nobody is seen to pass one."""
MOST = 120
"""Options that a union may hold; more are as good as unknown."""


@dataclass(slots=True, eq=False)
class Frame:
    """One call that is being evaluated: the function (class: its field initialisers; scope: one turn of a loop)."""

    owner: Function | Class | Scope
    arguments: tuple[Value, ...]
    this: Value | None
    parent: Frame | None
    depth: int
    memo: dict[int, Value] = field(default_factory=dict)
    call: tuple[str, int] | None = None


def options_of(value: Value) -> tuple[Value, ...]:
    """The values that it may be; itself unless it is a union."""
    return value.options if isinstance(value, Union) else (value,)


def join(values: Iterable[Value]) -> Value:
    """One of these; equal ones count once, and what only says "depends on itself" is left out."""
    values = values if isinstance(values, list) else list(values)
    if len(values) == 1:
        return values[0]
    found: list[Value] = []
    seen: set[object] = set()
    for value in values:
        for option in options_of(value):
            if option is CYCLE:
                continue
            key = identity(option)
            if key not in seen:
                seen.add(key)
                found.append(option)
    if not found:
        return CYCLE
    if len(found) == 1:
        return found[0]
    return (
        Union(tuple(found))
        if len(found) <= MOST
        else Unknown("it has too many possible values", parts=tuple(found[:MOST]))
    )


def identity(value: Value) -> object:
    """Equal for values that are the same in every respect that matters here."""
    return _IDENTITIES[type(value)](value)


def _of_object(value: Object) -> object:
    if len(value.members) > _SMALL or value.rest is not None or value.open:
        return id(value)
    held = getattr(value.members, "held", value.members)
    return ("object", value.type, tuple([(name, identity(member)) for name, member in held.items()]))


def _of_array(value: Array) -> object:
    if len(value.items) > _SMALL or value.rest is not None:
        return id(value)
    return ("array", tuple([identity(item) for item in value.items]))


def _of_library_object(value: LibraryObject) -> object:
    if value.node is not None:
        return ("object", value.name, value.node.id, id(value.frame))
    return ("object", value.name, 0, identity(value.arguments[0]) if value.arguments else "")


_IDENTITIES: dict[type, Callable[[Any], object]] = {
    Literal: lambda value: ("literal", type(value.value), value.value),
    Undefined: lambda value: "undefined",
    FunctionValue: lambda value: ("function", id(value.fact), id(value.frame)),
    ClassValue: lambda value: ("class", id(value.fact)),
    Instance: lambda value: ("instance", id(value.cls), value.key if value.arguments is not None else 0),
    LibraryClass: lambda value: ("library", value.library, value.name),
    LibraryObject: _of_library_object,
    External: lambda value: ("external", value.package, value.path),
    Namespace: lambda value: ("namespace", value.path),
    Env: lambda value: ("env", value.name),
    Unknown: lambda value: ("unknown", value.why, value.text, value.volatile),
    Lazy: lambda value: ("lazy", value.node.id, id(value.frame)),
    Object: _of_object,
    Array: _of_array,
    Template: lambda value: ("template", tuple([identity(part) for part in value.parts])),
    Union: id,
}


def is_nothing(value: Value) -> bool:
    """`undefined` or `null`."""
    return isinstance(value, Undefined) or (isinstance(value, Literal) and value.value is None)


def truth(value: Value) -> bool | None:
    """Whether it counts as true; None where that can't be told."""
    match value:
        case Literal(constant, _, env):
            return None if env else bool(constant)
        case Undefined():
            return False
        case (
            Object()
            | Array()
            | FunctionValue()
            | ClassValue()
            | Instance()
            | LibraryClass()
            | LibraryObject()
            | Namespace()
        ):
            return True
        case Template(parts):
            return True if any(isinstance(part, Literal) and part.value for part in parts) else None
        case Union(options):
            truths = {truth(option) for option in options}
            return truths.pop() if len(truths) == 1 else None
        case _:
            return None


def short(text: str) -> str:
    """Source text on one line, cut where it is long."""
    text = " ".join(text.split())
    return text if len(text) <= 60 else text[:57] + "..."


def text_of(value: Value) -> str:
    """A value as a reader would write it, short."""
    match value:
        case Literal(constant):
            return (
                {True: "true", False: "false", None: "null"}[constant]
                if isinstance(constant, bool) or constant is None
                else str(constant)
            )
        case Undefined():
            return "undefined"
        case Template(parts):
            return "".join(text_of(part) if isinstance(part, Literal) else f"${{{text_of(part)}}}" for part in parts)
        case Env(name):
            return f"process.env.{name}"
        case Unknown(why, text):
            return text or why
        case External(package, path):
            return f"{package}.{path}" if path else package
        case Union(options):
            return " | ".join(dict.fromkeys(text_of(option) for option in options[:4]))
        case _:
            return type(value).__name__.lower()


def where_of(value: Value) -> Where:
    """Where a value is written, if it says so."""
    return getattr(value, "where", None)


def walk(value: Value, depth: int = 8) -> Iterator[Value]:
    """A value and those that it is made of."""
    yield value
    if depth <= 0:
        return
    inner: Iterable[Value] = ()
    match value:
        case Union(options):
            inner = options
        case Template(parts):
            inner = parts
        case Unknown():
            inner = value.parts
        case Object(members, rest):
            inner = [*members.values(), *([rest] if rest is not None else [])]
        case Array(items, rest):
            inner = [*items, *([rest] if rest is not None else [])]
        case External():
            inner = value.arguments
    for part in inner:
        yield from walk(part, depth - 1)
