"""What a `new Proxy(target, { get })` stands for: the object that its trap looks keys up in, which is often built on first use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.code.evaluation.taint import text
from auditor.code.evaluation.values import UNDEFINED, Frame, FunctionValue, Object, Unknown, Value, join, options_of
from auditor.code.syntax.facts import Function, nodes_in

if TYPE_CHECKING:
    from tree_sitter import Node

    from auditor.code.evaluation.evaluate import Evaluator


def through(ev: Evaluator, target: Value, handler: Value) -> Value:
    """The target, or what the `get` trap looks keys up in; unknown where the trap makes up its answers."""
    traps = [
        trap
        for one in options_of(handler)
        if isinstance(one, Object)
        for trap in options_of(ev.member(one, "get"))
        if isinstance(trap, FunctionValue)
    ]
    return join([_behind(ev, target, trap) for trap in traps]) if traps else target


def _behind(ev: Evaluator, target: Value, trap: FunctionValue) -> Value:
    fact = trap.fact
    names = [parameter.name for parameter in fact.parameters]
    held = _looked_up(fact, names[1]) if len(names) > 1 else None
    if held is None:
        return Unknown("what a proxy answers")
    if text(held) == names[0]:
        return target
    key = Unknown("the key that is asked for")
    frame = Frame(fact, (target, key, UNDEFINED), trap.this, trap.frame, 2)
    return ev.eval(_made(fact, held), fact.scope, frame)


def _looked_up(fact: Function, key: str) -> Node | None:
    """What `Reflect.get(object, key)` or `object[key]` in the trap reads."""
    for node in nodes_in(fact.node):
        if node.type == "subscript_expression":
            index, held = node.child_by_field_name("index"), node.child_by_field_name("object")
            if index is not None and text(index).split(" as ")[0] == key:
                return held
        if node.type == "call_expression":
            callee, given = node.child_by_field_name("function"), node.child_by_field_name("arguments")
            arguments = given.named_children if given is not None else []
            if (
                callee is not None
                and text(callee) == "Reflect.get"
                and len(arguments) > 1
                and text(arguments[1]) == key
            ):
                return arguments[0]
    return None


def _made(fact: Function, held: Node) -> Node:
    """What a variable of the trap holds: `const client = connect(); return client[key];`."""
    for node in nodes_in(fact.node) if held.type == "identifier" else ():
        name, value = node.child_by_field_name("name"), node.child_by_field_name("value")
        if node.type == "variable_declarator" and name is not None and value is not None and text(name) == text(held):
            return value
    return held
