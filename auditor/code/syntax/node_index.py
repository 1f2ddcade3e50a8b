"""Statements and expressions of functions by kind: each function's text is walked once, whatever is asked of it."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, NamedTuple

from auditor.code.syntax.facts import Function, children_of

if TYPE_CHECKING:
    from tree_sitter import Node

FUNCTIONS = frozenset(
    (
        "arrow_function", "function_expression", "function_declaration", "method_definition", "generator_function",
        "generator_function_declaration",
    )
)  # fmt: skip
_KINDS = frozenset(
    (
        "assignment_expression", "augmented_assignment_expression", "binary_expression", "do_statement", "for_in_statement", "for_statement",
        "if_statement", "return_statement", "switch_statement", "ternary_expression", "try_statement", "variable_declarator", "while_statement",
    )
)  # fmt: skip


class Place(NamedTuple):
    """A node, with its number in the order of the source and the first byte of the nearest function around it."""

    start: int
    order: int
    function: int
    node: Node


def places_of(function: Function, *kinds: str) -> list[Place]:
    """Nodes of some kinds in a function, those of functions written inside of it among them, in source order."""
    table = _table(function)
    first, last = (function.node.start_byte,), (function.node.end_byte,)
    found: list[Place] = []
    for kind in kinds:
        places = table[kind]
        found += places[bisect_left(places, first) : bisect_left(places, last)]
    if len(kinds) > 1:
        found.sort(key=lambda place: place.order)
    return found


def nodes_of(function: Function, *kinds: str) -> list[Node]:
    """The nodes of `places_of`."""
    return [place.node for place in places_of(function, *kinds)]


def function_around(node: Node) -> Node | None:
    """The nearest function that a node is written in."""
    at = node.parent
    while at is not None and at.type not in FUNCTIONS:
        at = at.parent
    return at


def _table(function: Function) -> dict[str, list[Place]]:
    outer = function
    while outer.scope.parent is not None and outer.scope.parent.func is not None:
        outer = outer.scope.parent.func
    tables = outer.module.tables
    known = tables.get(id(outer))
    if known is None:
        known = tables[id(outer)] = _read(outer.node)
    return known


def _read(root: Node) -> dict[str, list[Place]]:
    table: dict[str, list[Place]] = {kind: [] for kind in _KINDS}
    order = 0
    pending = [(root, root.start_byte)]
    while pending:
        at, function = pending.pop()
        kind = at.type
        if kind in _KINDS:
            table[kind].append(Place(at.start_byte, order, function, at))
            order += 1
        elif kind in FUNCTIONS:
            function = at.start_byte
        pending += [(child, function) for child in reversed(children_of(at))]
    return table
