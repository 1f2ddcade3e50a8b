"""Under which conditions a member of an object is given: `live ? { key } : {}`, `if (live) options.key = …`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from auditor.code.evaluation.taint import text
from auditor.code.evaluation.values import Object, short
from auditor.code.reach.wording import callee_text
from auditor.code.syntax.facts import Call, nodes_in
from auditor.code.syntax.lexical import holds
from auditor.code.syntax.node_index import FUNCTIONS, function_around

if TYPE_CHECKING:
    from tree_sitter import Node

    from auditor.code.evaluation.evaluate import Evaluator

_PLAIN = re.compile(r"[\w$.]+")
_HELD = frozenset(("member_expression", "identifier", "shorthand_property_identifier"))
_NOTHING = frozenset(("undefined", "Boolean", "String", "Number"))


@dataclass(frozen=True, slots=True)
class Given:
    """One place that gives the member: its text, and the conditions around it, innermost first."""

    written: str
    conditions: tuple[str, ...]
    """Each as a reader says when it is not met: `` `live` does not hold ``."""
    presence: bool
    """They ask for nothing but what the member is made of: `id ? { key: `charge-${id}` } : {}`."""


def given(ev: Evaluator, call: Call, held: Object, name: str) -> tuple[Given, ...]:
    """The places that give member `name` of an object that `call` gets, as far as they are known."""
    if held.where is None:
        return ()
    return tuple(_given(call, held.where[0], value) for value in _values(ev, held, name))


def counterpart(call: Call, fewer: int) -> Call | None:
    """The same call with more arguments that is made instead where these are there: `o ? create(p, o) : create(p)`."""
    for other in call.scope.module.calls_named(call.name):
        given = other.arguments()
        same = other.scope.func is call.scope.func and callee_text(other.node) == callee_text(call.node)
        if not same or len(given) <= fewer:
            continue
        own = frozenset(_names(given[-1]))
        found = list(_conditions(other.node, call.node))
        if found and all(_asks_for(condition, own) for condition, _ in found):
            return other
    return None


def _values(ev: Evaluator, held: Object, name: str) -> Iterator[Node]:
    """What is written as the member: in the literal, and in assignments of its function."""
    if held.node is None or held.where is None:
        return
    for at in nodes_in(held.node):
        key, value = at.child_by_field_name("key"), at.child_by_field_name("value")
        if at.type == "pair" and key is not None and value is not None and text(key).strip("'\"") == name:
            yield value
        elif at.type == "shorthand_property_identifier" and text(at) == name:
            yield at
    module = ev.program.module(held.where[0])
    around = function_around(held.node)
    for change in module.member_assignments.get(name, ()) if module is not None else ():
        if function_around(change.left) == around:
            yield change.right


def _given(call: Call, module: str, value: Node) -> Given:
    inside = call.node if module == call.scope.module.path else None
    found = list(_conditions(value, inside))
    own = frozenset(_names(value))
    presence = bool(found) and all(
        _asks_for(condition, own) or _asks_for(_meant(call, condition), own) for condition, _ in found
    )
    told = tuple(f"`{short(text(one))}` {'holds' if other else 'does not hold'}" for one, other in found)
    return Given(text(value), told, presence)


def _conditions(value: Node, call: Node | None) -> Iterator[tuple[Node, bool]]:
    """(condition, whether the value stands on its other side) around a value, up to its function; those that the call
    itself stands under decide whether it is made at all."""
    at, parent = value, value.parent
    while parent is not None and parent.type not in FUNCTIONS:
        if parent.type in ("ternary_expression", "if_statement"):
            condition = parent.child_by_field_name("condition")
            if condition is not None and at != condition and not (call is not None and holds(at, call)):
                yield _bare(condition), at == parent.child_by_field_name("alternative")
        elif parent.type == "binary_expression":
            left, operator = parent.child_by_field_name("left"), parent.child_by_field_name("operator")
            if left is not None and at != left and operator is not None and text(operator) == "&&":
                yield _bare(left), False
        at, parent = parent, parent.parent


def _bare(node: Node) -> Node:
    while node.type == "parenthesized_expression" and node.named_children:
        node = node.named_children[0]
    return node


def _meant(call: Call, condition: Node) -> Node:
    """The condition, or what a constant was made of that stands for it: `const keyed = Boolean(key)`."""
    binding = call.scope.lookup(text(condition)) if condition.type == "identifier" else None
    if binding is None or binding.kind != "var" or not binding.const or binding.path:
        return condition
    return binding.node or condition


def _names(node: Node) -> Iterator[str]:
    """Variables and members that an expression names, in full: `job.data.id`, not `job`."""
    pending = [node]
    while pending:
        at = pending.pop()
        name = text(at).replace("?.", ".").replace("!", "") if at.type in _HELD else ""
        if name and _PLAIN.fullmatch(name):
            yield from () if name in _NOTHING else (name,)
        else:
            pending.extend(at.named_children)


def _asks_for(condition: Node, own: frozenset[str]) -> bool:
    names = list(_names(condition))
    return bool(names) and all(_of(name, own) for name in names)


def _of(name: str, own: frozenset[str]) -> bool:
    """Whether a name is one of these, a part of one or what one is a part of."""
    return any(f"{name}.".startswith(f"{one}.") or f"{one}.".startswith(f"{name}.") for one in own)
