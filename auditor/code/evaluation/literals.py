"""Object and array literals, with what they spread, and objects that are merged."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from auditor.code.evaluation import access, callers
from auditor.code.evaluation.lazy_members import Members, held
from auditor.code.evaluation.values import (
    TYPED,
    UNDEFINED,
    Array,
    ClassValue,
    Env,
    Frame,
    FunctionValue,
    LibraryClass,
    Literal,
    Namespace,
    Object,
    Template,
    Undefined,
    Union,
    Unknown,
    Value,
    Where,
    is_nothing,
    join,
    options_of,
    short,
    text_of,
)
from auditor.code.syntax.facts import Scope
from auditor.code.syntax.lexical import key_text

if TYPE_CHECKING:
    from tree_sitter import Node

    from auditor.code.evaluation.evaluate import Evaluator


def items(ev: Evaluator, node: Node, scope: Scope, frame: Frame | None) -> tuple[tuple[Value, ...], Value | None]:
    """Elements of an array literal or a list of arguments, and what any further one may be."""
    items: list[Value] = []
    rest: list[Value] = []
    for child in node.named_children:
        if child.type == "comment":
            continue
        value = ev.eval(child, scope, frame)
        if child.type != "spread_element":
            (rest if rest else items).append(value)
            continue
        for option in options_of(value):
            if isinstance(option, Array) and not rest and option.rest is None and not isinstance(value, Union):
                items.extend(option.items)
            elif isinstance(option, Array):
                rest.append(option.element())
            elif isinstance(option, Object):
                rest.append(access.any_member(option))
            elif not is_nothing(option):
                rest.append(Unknown("elements of a list that is not known", text_of(option)))
    return tuple(items), join(rest) if rest else None


def object_literal(ev: Evaluator, node: Node, scope: Scope, frame: Frame | None) -> Value:
    """`{...}` with its spreads merged in order."""
    module = scope.module
    made: dict[str, Value] = {}
    rest: list[Value] = []
    reason, via = "", list[tuple[str, int]]()
    for child in node.named_children:
        match child.type:
            case "pair":
                key, value = child.child_by_field_name("key"), child.child_by_field_name("value")
                if key is None or value is None:
                    continue
                for name in _keys(ev, key, scope, frame):
                    worth = callers.later(ev, value, scope, frame)
                    if name is None:
                        rest.append(worth)
                    else:
                        made.pop(name, None)
                        made[name] = worth
            case "shorthand_property_identifier":
                made[module.text(child)] = callers.later(ev, child, scope, frame)
            case "method_definition" if child.id in module.function_at:
                fact = module.function_at[child.id]
                made[fact.name.strip("[]")] = FunctionValue(fact, ev.dependence.frame(child, scope, frame))
            case "spread_element" if child.named_children:
                spread = opened(ev, ev.eval(child.named_children[0], scope, frame))
                via.append((module.path, int(child.start_point[0]) + 1))
                reason = merge(ev, made, rest, spread) or reason
    return Object(
        Members(made, ev.force), join(ev.forced(tuple(rest))) if rest else None, reason, ev.where(module, node), via=tuple(via), node=node
    )  # fmt: skip


def made_of(ev: Evaluator, made: dict[str, Value], rest: list[Value], reason: str, where: Where = None) -> Object:
    """The object that spreads have been merged into."""
    return Object(Members(made, ev.force), join(ev.forced(tuple(rest))) if rest else None, reason, where)


def opened(ev: Evaluator, value: Value) -> Value:
    """A value whose module namespaces are objects of their exports, to be spread."""
    if not any(isinstance(option, Namespace) for option in options_of(value)):
        return value
    found: list[Value] = []
    for option in options_of(value):
        module = ev.program.module(option.path) if isinstance(option, Namespace) else None
        if module is None or not isinstance(option, Namespace):
            found.append(option)
            continue
        names = [name for name in module.exports if name != "="]
        found.append(
            Object({name: ev.export(option.path, name) for name in names}, open="" if not module.stars else "a barrel")
        )
    return join(found)


def _keys(ev: Evaluator, key: Node, scope: Scope, frame: Frame | None) -> Iterator[str | None]:
    if key.type != "computed_property_name":
        yield key_text(scope.module, key)
        return
    if not key.named_children:
        return
    for option in options_of(ev.eval(key.named_children[0], scope, frame)):
        yield str(option.value) if isinstance(option, Literal) and not option.env else None


def merge(ev: Evaluator, made: dict[str, Value], rest: list[Value], spread: Value) -> str:
    """Spread a value over an object in the making; returns why more members may be there, or nothing."""
    options = options_of(spread)
    reason = ""
    tables: list[dict[str, Value] | None] = []
    for option in options:
        match option:
            case Object(members, inner, open_):
                tables.append(dict(held(members)))
                if inner is not None:
                    rest.append(inner)
                reason = (open_ if open_ != TYPED else "") or reason
            case Unknown(uncalled=True) | Literal() | Undefined() | FunctionValue() | LibraryClass() | ClassValue():
                tables.append({})  # spreading these adds nothing; a parameter that nobody passes is undefined
            case Env() | Template():
                tables.append({})
            case _:
                tables.append(None)
                reason = f"what `...{short(text_of(option))}` holds is not known"
    known = [table for table in tables if table is not None]
    unsure = len(known) < len(tables)
    for key in dict.fromkeys(key for table in known for key in table):
        before = made.get(key)
        values = [table.get(key, before if before is not None else UNDEFINED) for table in known]
        if unsure or (reason and not all(key in table for table in known)):
            values.append(Unknown(reason))
        made.pop(key, None)
        made[key] = values[0] if len(values) == 1 else join(ev.forced(tuple(values)))
    if unsure or reason:
        for key, value in made.items():
            if not any(key in table for table in known):
                made[key] = join([ev.force(value), Unknown(reason)])
    return reason
