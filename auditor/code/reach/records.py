"""What `record.save()` and `repository.save(record)` write: the members that were set on the record before."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from auditor.code.evaluation.taint import text
from auditor.code.reach.decides import declared
from auditor.code.syntax.lexical import WRAPPING, callee_of

if TYPE_CHECKING:
    from tree_sitter import Node

_FUNCTIONS = frozenset(
    ("arrow_function", "function_expression", "function_declaration", "method_definition", "program")
)
_SETS = frozenset(
    (
        "variable_declarator",
        "assignment_expression",
        "augmented_assignment_expression",
        "update_expression",
        "for_in_statement",
    )
)
_WRAPS = WRAPPING | {"await_expression"}
_NAMED = re.compile(r"(?<![\w.])['\"]?_?(?:id|uuid)['\"]?\s*[:,}]")
_ROOT = re.compile(r"^[\w$]+")


def is_new(call: Node) -> bool:
    """Whether a `save` stores a record that is made here and names no row: it inserts, at each run another one."""
    function, given = callee_of(call), call.child_by_field_name("arguments")
    first = next(iter(given.named_children), None) if given is not None else None
    held = first or (function.child_by_field_name("object") if function is not None else None)
    if held is not None and held.type == "identifier":
        held = declared(call, text(held))
    while held is not None and held.type in _WRAPS:
        held = next(iter(held.named_children), None)
    return held is not None and _made(held) and not _NAMED.search(text(held))


def _made(node: Node) -> bool:
    """An object literal without a spread, `new Entity(…)`, `repository.create(…)`."""
    if node.type == "object":
        return not any(child.type == "spread_element" for child in node.named_children)
    function = node.child_by_field_name("function") if node.type == "call_expression" else None
    return node.type == "new_expression" or (function is not None and text(function).endswith((".create", ".build")))


def set_before(call: Node) -> str:
    """The assignments, as text, to members of the one variable that a call is given; without one, of what it is called on."""
    function, given = callee_of(call), call.child_by_field_name("arguments")
    first = next(iter(given.named_children), None) if given is not None else None
    held = function.child_by_field_name("object") if function is not None else None
    held = first if first is not None and first.type == "identifier" else held
    root = _ROOT.match(text(held)) if held is not None else None
    if root is None:
        return ""
    names = {root[0]}
    found: list[str] = []
    for node in _in_order(_around(call), call.start_byte):
        if node.type in ("variable_declarator", "for_in_statement"):
            value = node.child_by_field_name("value") or node.child_by_field_name("right")
            name = node.child_by_field_name("name") or node.child_by_field_name("left")
            if value is not None and name is not None and _of(value, names) and name.type == "identifier":
                names.add(text(name))
        else:
            left = node.child_by_field_name("left") or node.child_by_field_name("argument")
            if left is not None and left.type in ("member_expression", "subscript_expression") and _of(left, names):
                found.append(text(node))
    return "; ".join(found)


def _around(call: Node) -> Node:
    at = call
    while at.parent is not None and at.type not in _FUNCTIONS:
        at = at.parent
    return at


def _in_order(function: Node, end: int) -> list[Node]:
    """Declarations and assignments of a function before a place, in the order in which they are written."""
    found: list[Node] = []
    stack = [function]
    while stack:
        at = stack.pop()
        if at.start_byte >= end:
            continue
        if at.type in _SETS:
            found.append(at)
        stack.extend(at.named_children)
    return sorted(found, key=lambda node: node.start_byte)


def _of(node: Node, names: set[str]) -> bool:
    """Whether an expression is a member of one of the objects."""
    shown = text(node)
    root = _ROOT.match(shown)
    return root is not None and root[0] in names and len(shown) > len(root[0]) and shown[len(root[0])] in ".?!["
