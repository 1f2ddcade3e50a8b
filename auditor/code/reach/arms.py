"""Which parts of a function a test lets run: the sides of an `if`, the cases of a switch, what follows an early return."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from auditor.code.reach.decides import STOPS
from auditor.code.syntax.facts import Function, children_of
from auditor.code.syntax.node_index import nodes_of

if TYPE_CHECKING:
    from tree_sitter import Node

_DECLARED = frozenset(("function_declaration", "generator_function_declaration", "class_declaration"))
"""Statements that are no part of the order in which a block runs."""


@dataclass(frozen=True, slots=True)
class Arm:
    """From byte `start` to byte `end`: runs where `test` is `when`."""

    start: int
    end: int
    test: Node
    when: bool


@dataclass(frozen=True, slots=True)
class Case:
    """From byte `start` to byte `end`: runs where `test` is one of `labels`; where `default`, also if it is none of `others`."""

    start: int
    end: int
    test: Node
    labels: tuple[Node, ...]
    default: bool
    others: tuple[Node, ...]


def arms_of(function: Function) -> Iterator[Arm | Case]:
    """All of a function and of those written inside of it."""
    for node in nodes_of(function, "if_statement", "ternary_expression", "binary_expression", "switch_statement"):
        match node.type:
            case "if_statement":
                yield from _sides(node)
                yield from _followers(node)
            case "ternary_expression":
                yield from _sides(node)
            case "binary_expression":
                left, right, operator = (node.child_by_field_name(name) for name in ("left", "right", "operator"))
                if left is not None and right is not None and operator is not None and operator.type in ("&&", "||"):
                    yield Arm(right.start_byte, right.end_byte, left, operator.type == "&&")
            case "switch_statement":
                yield from _cases(node)


def _sides(node: Node) -> Iterator[Arm]:
    condition = node.child_by_field_name("condition")
    for name, when in (("consequence", True), ("alternative", False)):
        side = node.child_by_field_name(name)
        if condition is not None and side is not None:
            yield Arm(side.start_byte, side.end_byte, condition, when)


def _followers(node: Node) -> Iterator[Arm]:
    """What comes after an `if` in its block, where one side of it leaves."""
    condition, block = node.child_by_field_name("condition"), node.parent
    if condition is None or block is None or block.type not in ("statement_block", "switch_case", "switch_default"):
        return
    for name, leaving in (("consequence", True), ("alternative", False)):
        side = node.child_by_field_name(name)
        if side is not None and _leaves(side):
            for after in children_of(block):
                if after.start_byte >= node.end_byte and after.type not in _DECLARED:
                    yield Arm(after.start_byte, after.end_byte, condition, not leaving)


def _cases(node: Node) -> Iterator[Case]:
    value, body = node.child_by_field_name("value"), node.child_by_field_name("body")
    cases = [child for child in children_of(body) if child.type != "comment"] if body is not None else []
    every = [label for case in cases if (label := case.child_by_field_name("value")) is not None]
    labels: list[Node] = []
    default = False
    for case in cases if value is not None else ():
        label = case.child_by_field_name("value")
        labels += [label] if label is not None else []
        default = default or label is None
        others = tuple(one for one in every if one not in labels)
        assert value is not None
        yield Case(case.start_byte, case.end_byte, value, tuple(labels), default, others)
        statements = [child for child in children_of(case) if child.type != "comment" and child != label]
        if statements and _leaves(statements[-1]):
            labels, default = [], False


def _leaves(side: Node) -> bool:
    if side.type in STOPS:
        return True
    inner = [child for child in children_of(side) if child.type != "comment"]
    if side.type == "if_statement":
        other = side.child_by_field_name("alternative")
        then = side.child_by_field_name("consequence")
        return other is not None and then is not None and _leaves(then) and _leaves(other)
    return side.type in ("statement_block", "else_clause") and bool(inner) and _leaves(inner[-1])
