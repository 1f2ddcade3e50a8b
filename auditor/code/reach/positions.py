"""Where calls and functions stand: what is around them, in what order they come, whether somebody waits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from auditor.code.evaluation import taint
from auditor.code.reach import chains
from auditor.code.reach.wording import callee_text
from auditor.code.syntax.facts import Call, Function
from auditor.code.syntax.lexical import holds
from auditor.code.syntax.node_index import FUNCTIONS
from auditor.model import CodeSpan

if TYPE_CHECKING:
    from tree_sitter import Node

LIFECYCLE = frozenset(
    (
        "error", "connect", "connected", "ready", "open", "close", "end", "reconnecting", "disconnect", "disconnected", "warning",
    )
)  # fmt: skip
"""Events of a connection, not of the work that it is for."""
LOOPING = frozenset(("map", "forEach", "flatMap", "each", "eachLimit", "mapSeries"))
"""Methods that run their callback for each item."""


def span_of(function: Function) -> CodeSpan:
    """Where a function stands."""
    return CodeSpan(function.module.path, int(function.node.start_point[0]) + 1, int(function.node.end_point[0]) + 1)


def outer(function: Function) -> Function | None:
    """The function that a function is written in."""
    return function.scope.parent.func if function.scope.parent is not None else None


def name_of(function: Function) -> str:
    """What a function is called where it is written: `const sum = () => …` is `sum`."""
    parent = function.node.parent
    held = parent.child_by_field_name("name") if parent is not None and parent.type == "variable_declarator" else None
    return taint.text(held) if held is not None else function.name


def turn(node: Node, later: list[tuple[int, int, int]]) -> tuple[tuple[int, int], ...]:
    """When a call comes: after its own arguments; inside a function that another call runs, after that call."""
    around = sorted(held for held in later if held[0] <= node.start_byte and node.end_byte <= held[1])
    return (*((end, 1) for _, _, end in around), (node.end_byte, 0))


def within_call(function: Function, call: Call) -> bool:
    """Whether a function is written in a call: as its argument."""
    return (
        function.module is call.scope.module
        and call.node.start_byte <= function.node.start_byte
        and function.node.end_byte <= call.node.end_byte
    )


def inside(inner: Function, outer: Function) -> bool:
    """Whether one function is written in another."""
    return (
        inner.module is outer.module
        and outer.node.start_byte < inner.node.start_byte
        and inner.node.end_byte <= outer.node.end_byte
    )


def called_inside(function: Function, calls: Iterable[Call]) -> dict[int, Function]:
    """Functions that are written in a function with a name of their own and called by it there, by identity."""
    found: dict[int, Function] = {}
    for call in calls:
        if call.callee is None or call.callee.type != "identifier":
            continue
        binding = call.scope.lookup(call.name)
        made = binding.fact if binding is not None else None
        if binding is not None and binding.kind == "var" and binding.node is not None and not binding.path:
            made = function.module.function_at.get(binding.node.id)
        if isinstance(made, Function) and inside(made, function) and not holds(made.node, call.node):
            found[id(made)] = made
    return found


def heard(node: Node, limit: Node) -> bool:
    """Whether a node stands in a listener to what happens to a connection: `client.on('error', …)`, written within `limit`."""
    for method, given in _handed_to(node, limit):
        if method in ("on", "once", "addListener"):
            return taint.text(given.named_children[0]).strip("'\"`") in LIFECYCLE
    return False


def in_callback(node: Node, limit: Node) -> str:
    """`map`, `forEach`, … whose function argument a call stands in; empty where it stands in none."""
    return next((method for method, _ in _handed_to(node, limit) if method in LOOPING), "")


def _handed_to(node: Node, limit: Node) -> Iterator[tuple[str, Node]]:
    """(name of the method, its arguments) to which the functions around a node are handed, within `limit`, innermost first."""
    at = node.parent
    while at is not None and at.id != limit.id:
        given = at.parent
        if given is not None and given.type == "arguments" and at.type in ("arrow_function", "function_expression"):
            callee = given.parent.child_by_field_name("function") if given.parent is not None else None
            name = callee.child_by_field_name("property") if callee is not None else None
            if name is not None:
                yield taint.text(name), given
        at = at.parent


def awaited(node: Node) -> bool:
    """Whether somebody waits for the call: await, return, then, or a list that is awaited."""
    at, parent = node, node.parent
    if chains.waits(node):
        return True
    while parent is not None:
        if parent.type in ("await_expression", "return_statement", "yield_expression", "for_in_statement"):
            return True
        if parent.type in FUNCTIONS:
            return parent.child_by_field_name("body") == at
        if parent.type in ("expression_statement", "statement_block", "program"):
            return parent.type == "expression_statement" and callee_text(node).endswith(".then")
        if parent.type == "variable_declarator":
            return True
        at, parent = parent, parent.parent
    return False


def endless(call: Call) -> bool:
    """A loop around the call whose condition is constant."""
    at = call.context
    while at is not None:
        if at.kind == "loop" and at.node.type in ("while_statement", "do_statement"):
            condition = at.node.child_by_field_name("condition")
            if condition is not None and taint.text(condition).strip("() ") in ("true", "1"):
                return True
        at = at.parent
    return False
