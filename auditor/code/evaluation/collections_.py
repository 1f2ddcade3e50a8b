"""Objects, arrays and Maps that grow after they are made: `list.push(x)`, `map.set(k, v)`, `record[k] = v`, `o.k = v`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from auditor.code.evaluation import callers, plain
from auditor.code.evaluation.lazy_members import with_members
from auditor.code.evaluation.values import (
    UNDEFINED,
    Array,
    External,
    Frame,
    Literal,
    Object,
    Undefined,
    Union,
    Unknown,
    Value,
    is_nothing,
    join,
    options_of,
)
from auditor.code.syntax.facts import Context, Module, Scope
from auditor.code.syntax.lexical import last_name

if TYPE_CHECKING:
    from tree_sitter import Node

    from auditor.code.evaluation.evaluate import Evaluator

_MOST_ITEMS = 60
_GROWERS = frozenset(("push", "unshift", "set", "add", "append", "splice"))


class Mutation:
    """One change: `op` is push, set, key or member; `key` and `value` are nodes."""

    __slots__ = ("context", "holder", "key", "name", "op", "scope", "value")

    def __init__(
        self, op: str, holder: Node, key: Node | None, name: str, value: Node, scope: Scope, context: Context | None
    ) -> None:
        self.op = op
        self.holder = holder
        self.key = key
        self.name = name
        self.value = value
        self.scope = scope
        self.context = context


def mutations(ev: Evaluator, module: Module, name: str) -> list[Mutation]:
    """Changes in a module to something whose last name is `name`."""
    table = ev.mutated.get(module.path)
    if table is None:
        table = ev.mutated[module.path] = {}
        for grower in _GROWERS:
            for call in module.calls_named(grower):
                held = call.callee.child_by_field_name("object") if call.callee is not None else None
                given = call.arguments()
                if held is None or not given or (grower == "set" and len(given) < 2):
                    continue
                if grower == "set":
                    table.setdefault(last_name(module, held), []).append(
                        Mutation("set", held, given[0], "", given[1], call.scope, call.context)
                    )
                    continue
                for value in given:
                    table.setdefault(last_name(module, held), []).append(
                        Mutation("push", held, None, "", value, call.scope, call.context)
                    )
        for owner, changes in module.index_assignments.items():
            for change in changes:
                held, key = change.left.child_by_field_name("object"), change.left.child_by_field_name("index")
                if held is not None:
                    table.setdefault(owner, []).append(
                        Mutation("key", held, key, "", change.right, change.scope, change.context)
                    )
        for member, changes in module.member_assignments.items():
            for change in changes:
                held = change.left.child_by_field_name("object")
                if held is not None and held.type != "this":
                    table.setdefault(last_name(module, held), []).append(
                        Mutation("member", held, None, member, change.right, change.scope, change.context)
                    )
    return table.get(name, [])


def mutated(
    ev: Evaluator, value: Value, module: Module, name: str, same: Callable[[Node, Scope], bool], frame: Frame | None
) -> Value:
    """A value with all that the module does to it by `name`."""
    if not isinstance(value, Object | Array | Union):
        return value
    changes = mutations(ev, module, name)
    if not changes or not any(isinstance(option, Object | Array) for option in options_of(value)):
        return value
    changes = [change for change in changes if same(change.holder, change.scope)]
    if not changes:
        return value
    growing = [_Growing(option) for option in options_of(value)]
    for change in changes:
        for turn in [frame] if _is_plain(change) else callers.turns(ev, change.scope, frame):
            worth = ev.eval(change.value, change.scope, turn)
            key = ev.eval(change.key, change.scope, turn) if change.key is not None else None
            for one in growing:
                one.change(change, key, worth)
    return join([one.grown() for one in growing])


class _Growing:
    """A value while it is changed; what may be one thing or another is joined once, at the end."""

    def __init__(self, value: Value) -> None:
        self.value = value
        self._members: dict[str, list[Value]] = {}
        """New members by name: what each may be."""
        self._items: list[Value] = []
        self._rest: list[Value] = []

    def change(self, change: Mutation, key: Value | None, worth: Value) -> None:
        """One change, with the values of its key and of what is put there."""
        value = self.value
        if isinstance(value, Array) and change.op == "push":
            self._push(value, change, worth)
        elif not isinstance(value, Object):
            return
        elif change.op == "push":
            if value.type == "Set":
                self._rest.append(worth)
        elif change.op == "member":
            self._set(value, change.name, worth, _conditional(change.context))
        elif change.op != "set" or value.type != "object":
            for option in options_of(key) if key is not None else ():
                if isinstance(option, Literal):
                    maybe = isinstance(key, Union) or _conditional(change.context)
                    self._set(value, str(option.value), worth, maybe)
                else:
                    self._rest.append(worth)

    def grown(self) -> Value:
        """The value after all changes."""
        value = self.value
        if isinstance(value, Object | Array) and self._rest:
            rest = join([*([value.rest] if value.rest is not None else []), *self._rest])
            value = replace(value, rest=rest)
        if isinstance(value, Array) and self._items:
            return replace(value, items=(*value.items, *self._items))
        if isinstance(value, Object) and self._members:
            made = {name: join(values) for name, values in self._members.items()}
            return replace(value, members=with_members(value.members, made))
        return value

    def _push(self, value: Array, change: Mutation, worth: Value) -> None:
        spread = change.value.type == "spread_element"
        known = value.rest is None and not self._rest and len(value.items) + len(self._items) < _MOST_ITEMS
        if known and not spread and not _repeated(change.context):
            self._items.append(worth)
        else:
            self._rest.append(worth.element() if spread and isinstance(worth, Array) else worth)

    def _set(self, value: Object, name: str, worth: Value, maybe: bool) -> None:
        known = self._members.get(name)
        if known is None:
            before = value.members.get(name)
            if maybe and value.type == "object":
                known = [before if before is not None else UNDEFINED]
            elif before is not None and value.type != "object" and not is_nothing(before):
                known = [before]
            else:
                known = []
        elif not maybe and value.type == "object":
            known = []
        known.append(worth)
        self._members[name] = known


def _is_plain(change: Mutation) -> bool:
    """Whether all calls may be looked at together: a string under a name that is written there."""
    return (change.key is None or change.key.type == "string") and plain.is_primitive(change.value, change.scope)


def _repeated(context: Context | None) -> bool:
    while context is not None and context.kind != "function":
        if context.kind == "loop":
            return True
        context = context.parent
    return False


def _conditional(context: Context | None) -> bool:
    while context is not None and context.kind != "function":
        if context.kind in ("if", "else", "loop", "switch", "catch"):
            return True
        context = context.parent
    return False


NODE = frozenset(
    ("global", "fs", "stream", "readline", "events", "child_process", "http", "https", "net", "process", "os", "path", "url", "util", "zlib", "crypto")
)  # fmt: skip
"""Globals, and builtins of Node whose values may be looped over."""


def item_of(value: Value) -> Value:
    """One of a list that is not known; of what an npm package gives, a row of `Model.find()`, what `rows[0]` is.

    What comes out of Node's own streams, files and events is no part of them.
    """
    if isinstance(value, External) and value.package.removeprefix("node:").split("/")[0] not in NODE:
        return External(
            value.package, f"{value.path}.0" if value.path else "0", value.arguments, value.where, value.base
        )
    return Unknown("an element of a list that is not known")


def elements(value: Value, keys: bool = False) -> Iterator[Value]:
    """What a loop over a value yields, one by one; `keys`: by `for…in`."""
    for option in options_of(value):
        match option:
            case Array(items, rest) if not keys:
                yield from items
                if rest is not None:
                    yield rest
            case Object(members, rest, open_, _, kind):
                if keys or kind == "object":
                    yield from (Literal(name) for name in members)
                elif kind == "Set":
                    yield from members.values()
                    if rest is not None:
                        yield rest
                    continue
                else:
                    yield from (Array((Literal(name), member)) for name, member in members.items())
                if rest is not None:
                    yield (
                        Unknown("a key that is not known")
                        if keys or kind == "object"
                        else Array((Unknown("a key"), rest))
                    )
                if open_:
                    yield Unknown(open_)
            case Undefined():
                continue
            case _:
                yield item_of(option)
