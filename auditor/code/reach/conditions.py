"""What a function tests: the conditions that can stop the job, and those on which a branch of its work hangs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.code.evaluation import taint
from auditor.code.model import Condition
from auditor.code.reach import decides
from auditor.code.syntax.facts import Function, nodes_in
from auditor.model import CodeSpan

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tree_sitter import Node

_SIZES = frozenset(("<", ">", "<=", ">="))


def conditions_of(function: Function) -> list[tuple[int, Condition]]:
    """(end of the condition, condition) of every `if`, ternary, loop and default (`a ?? await b()`) of a function, in order."""
    made = {
        taint.text(name): value
        for at in nodes_in(function.node)
        if at.type == "variable_declarator"
        and (name := at.child_by_field_name("name")) is not None
        and (value := at.child_by_field_name("value")) is not None
    }
    found = [
        (condition.end_byte, _condition(function, condition, made, stops=stops))
        for condition, stops in _tested(function.node)
    ]
    found.sort(key=lambda one: one[0])
    return found


def _tested(node: Node) -> Iterator[tuple[Node, bool]]:
    for at in nodes_in(node):
        condition = at.child_by_field_name("condition")
        if at.type in ("if_statement", "ternary_expression", "while_statement") and condition is not None:
            yield condition, decides.stops(at)
        elif at.type in ("binary_expression", "augmented_assignment_expression"):
            operator, left, right = (at.child_by_field_name(name) for name in ("operator", "left", "right"))
            defaults = operator is not None and taint.text(operator) in ("??", "||", "??=", "||=")
            if defaults and left is not None and right is not None and _waits(right):
                yield left, False


def _condition(function: Function, node: Node, made: Mapping[str, Node], *, stops: bool) -> Condition:
    """The condition with what it names, a variable's own comparison among it: `const dear = fee > cap; if (dear) …`."""
    line = int(node.start_point[0]) + 1
    names = list(taint.names_in(node))
    compares = _compares(node)
    for name in [at for at in nodes_in(node) if at.type == "identifier"]:
        value = made.get(taint.text(name))
        if value is not None and value.type in ("binary_expression", "unary_expression") and not _waits(value):
            names += taint.names_in(value)
            compares = compares or _compares(value)
    return Condition(
        CodeSpan(function.module.path, line, line), tuple(dict.fromkeys(names)), stops, _strings(node), compares
    )


def _compares(node: Node) -> bool:
    for at in nodes_in(node):
        operator = at.child_by_field_name("operator") if at.type == "binary_expression" else None
        if (operator is not None and taint.text(operator) in _SIZES) or at.type == "call_expression":
            return True
    return False


def _strings(node: Node) -> tuple[str, ...]:
    found = [taint.text(at).strip("'\"`") for at in nodes_in(node) if at.type == "string"]
    return tuple(dict.fromkeys(found))


def _waits(node: Node) -> bool:
    return any(at.type == "await_expression" for at in nodes_in(node))
