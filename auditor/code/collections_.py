"""Objects, arrays and Maps that grow after they are made: `list.push(x)`, `map.set(k, v)`, `record[k] = v`, `o.k = v`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from auditor.code import callers
from auditor.code.facts import Context, Module, Scope
from auditor.code.lazy_members import with_member
from auditor.code.syntax import last_name
from auditor.code.values import (
    UNDEFINED,
    Array,
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
)  # fmt: skip

if TYPE_CHECKING:
    from tree_sitter import Node

    from auditor.code.evaluate import Evaluator

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
    for change in changes:
        if not same(change.holder, change.scope):
            continue
        for turn in callers.turns(ev, change.scope, frame):
            worth = ev.eval(change.value, change.scope, turn)
            key = ev.eval(change.key, change.scope, turn) if change.key is not None else None
            value = join([_changed(option, change, key, worth) for option in options_of(value)])
    return value


def _changed(value: Value, change: Mutation, key: Value | None, worth: Value) -> Value:
    if isinstance(value, Array):
        if change.op == "push":
            if (
                change.value.type != "spread_element"
                and value.rest is None
                and not _repeated(change.context)
                and len(value.items) < _MOST_ITEMS
            ):
                return replace(value, items=(*value.items, worth))
            inner = worth.element() if change.value.type == "spread_element" and isinstance(worth, Array) else worth
            return replace(value, rest=join([*([value.rest] if value.rest is not None else []), inner]))
        return value
    if not isinstance(value, Object):
        return value
    if change.op == "push":
        return (
            replace(value, rest=join([*([value.rest] if value.rest is not None else []), worth]))
            if value.type == "Set"
            else value
        )
    if change.op == "member":
        return _with(value, change.name, worth, _conditional(change.context))
    if change.op == "set" and value.type == "object":
        return value
    for option in options_of(key) if key is not None else ():
        if isinstance(option, Literal):
            value = _with(value, str(option.value), worth, isinstance(key, Union) or _conditional(change.context))
        else:
            value = replace(value, rest=join([*([value.rest] if value.rest is not None else []), worth]))
    return value


def _with(value: Object, name: str, worth: Value, maybe: bool) -> Object:
    before = value.members.get(name)
    if maybe and value.type == "object":
        worth = join([before if before is not None else UNDEFINED, worth])
    elif before is not None and value.type != "object" and not is_nothing(before):
        worth = join([before, worth])
    return replace(value, members=with_member(value.members, name, worth))


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
                yield Unknown("an element of a list that is not known")
