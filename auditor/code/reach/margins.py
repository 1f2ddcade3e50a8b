"""Whether a gas estimate gets a margin: what is sent with exactly what a dry run used fails as soon as the state has moved on."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from auditor.code.evaluation.taint import text
from auditor.code.reach import decides
from auditor.code.syntax.facts import nodes_in
from auditor.code.syntax.lexical import holds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node

_LIMITS = re.compile(r"gas|gasLimit|gas_limit|callGasLimit")
_GROWS = re.compile(r"mul|muln|add|addn|times|multipliedBy|plus")
_THROUGH = (
    "await_expression",
    "parenthesized_expression",
    "as_expression",
    "non_null_expression",
    "satisfies_expression",
)


def scaled(estimate: Node, function: Node) -> bool | None:
    """Whether a limit that is made of the estimate has been multiplied or added to; None where no such limit is seen."""
    told: list[bool | None] = []
    for limit in _limits(function):
        value = _value(limit, estimate)
        if value is not None:
            told.append(True if _grows(value) else False if _plain(value) == estimate else None)
    return next((one for one in (True, None, False) if one in told), None) if told else None


def _limits(function: Node) -> Iterator[Node]:
    """What is given as `gasLimit` or `gas` in objects of the function."""
    for at in nodes_in(function):
        key = at.child_by_field_name("key") if at.type == "pair" else None
        value = at.child_by_field_name("value")
        if key is not None and value is not None and _LIMITS.fullmatch(text(key).strip("'\"")):
            yield value
        elif at.type == "shorthand_property_identifier" and _LIMITS.fullmatch(text(at)):
            yield at


def _value(limit: Node, estimate: Node) -> Node | None:
    """The expression that the limit was made by, through variables; None where the estimate is no part of it."""
    at, grown = _plain(limit), limit
    for _ in range(6):
        if holds(at, estimate):
            return grown
        if _grows(at):
            grown = at
        name = next(
            (
                node
                for node in nodes_in(at)
                if node.type in ("identifier", "shorthand_property_identifier") and _declared(node)
            ),
            None,
        )
        value = _declared(name) if name is not None else None
        if value is None:
            return None
        at = _plain(value)
        grown = grown if _grows(grown) else at
    return None


def _declared(name: Node) -> Node | None:
    return decides.declared(name, text(name))


def _plain(node: Node) -> Node:
    while node.type in _THROUGH and node.named_children:
        node = node.named_children[0]
    return node


def _grows(node: Node) -> bool:
    for at in nodes_in(node):
        operator, name = at.child_by_field_name("operator"), at.child_by_field_name("property")
        if at.type == "binary_expression" and operator is not None and text(operator) in ("*", "+"):
            return True
        if at.type == "member_expression" and name is not None and _GROWS.fullmatch(text(name)):
            return True
    return False
