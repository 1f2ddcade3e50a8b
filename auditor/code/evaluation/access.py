"""Members by name and by key: `a.b`, `a[k]`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.code.evaluation import classes
from auditor.code.evaluation.unset import COMPUTED
from auditor.code.evaluation.values import (
    Array,
    External,
    Frame,
    Literal,
    Object,
    Unknown,
    Value,
    is_nothing,
    join,
    options_of,
    text_of,
)
from auditor.code.syntax.facts import Scope

if TYPE_CHECKING:
    from tree_sitter import Node

    from auditor.code.evaluation.evaluate import Evaluator


def member_expression(ev: Evaluator, node: Node, scope: Scope, frame: Frame | None) -> Value:
    """`a.b` and `a?.b`."""
    held, prop = node.child_by_field_name("object"), node.child_by_field_name("property")
    if held is None or prop is None:
        return Unknown("a broken expression")
    name = scope.module.text(prop)
    if held.type == "super":
        return classes.super_member(ev, name, scope, frame)
    value = ev.eval(held, scope, frame)
    return ev.member(value, name, ev.where(scope.module, node))


def subscript(ev: Evaluator, node: Node, scope: Scope, frame: Frame | None) -> Value:
    """`a[b]`."""
    held, index = node.child_by_field_name("object"), node.child_by_field_name("index")
    if held is None or index is None:
        return Unknown("a broken expression")
    return at_key(ev, ev.eval(held, scope, frame), ev.eval(index, scope, frame), ev.where(scope.module, node))


def at_key(ev: Evaluator, value: Value, key: Value, where: tuple[str, int] | None) -> Value:
    """`value[key]`, for each key that it may be; any member where the key is not known."""
    found: list[Value] = []
    for option in options_of(key):
        if isinstance(option, Literal) and isinstance(option.value, str | int | float) and not option.env:
            name = option.value
            found.append(
                ev.member(value, str(int(name) if isinstance(name, float) and name.is_integer() else name), where)
            )
        else:
            found.append(any_member(value, text_of(option)))
    return join(found)


def any_member(value: Value, key: str = "…") -> Value:
    """One of the members of a value."""
    found: list[Value] = []
    for option in options_of(value):
        match option:
            case Object(members, rest, open_):
                found.extend(members.values())
                if rest is not None:
                    found.append(rest)
                if open_:
                    found.append(Unknown(open_))
            case Array():
                found.append(option.element())
            case External(_, "process.env"):
                found.append(Unknown(COMPUTED, f"process.env[{key}]"))
            case _ if not is_nothing(option):
                found.append(Unknown(f"which member it is depends on `{key}`", f"{text_of(option)}[{key}]"))
    return join(found) if found else Unknown(f"which member it is depends on `{key}`", f"[{key}]")
