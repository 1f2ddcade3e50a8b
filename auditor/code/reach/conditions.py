"""What a function tests: the conditions that can stop the job, and those on which a branch of its work hangs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.code.evaluation import taint
from auditor.code.model import Condition
from auditor.code.reach import decides
from auditor.code.reach import marks as marks_
from auditor.code.syntax.facts import Function, nodes_in
from auditor.code.syntax.node_index import nodes_of
from auditor.model import CodeSpan

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tree_sitter import Node

_SIZES = frozenset(("<", ">", "<=", ">="))


def conditions_of(function: Function) -> list[tuple[int, Condition]]:
    """(end of the condition, condition) of every `if`, ternary, loop and default (`a ?? await b()`) of a function, in order."""
    made = {
        taint.text(name): value
        for at in nodes_of(function, "variable_declarator")
        if (name := at.child_by_field_name("name")) is not None
        and (value := at.child_by_field_name("value")) is not None
    }
    found = [
        (condition.end_byte, _condition(function, condition, made, stops=stops))
        for condition, stops in _tested(function)
    ]
    found.sort(key=lambda one: one[0])
    return found


def _tested(function: Function) -> Iterator[tuple[Node, bool]]:
    for at in nodes_of(function, "if_statement", "ternary_expression", "while_statement"):
        condition = at.child_by_field_name("condition")
        if condition is not None:
            yield condition, decides.stops(at)
    for at in nodes_of(function, "binary_expression", "augmented_assignment_expression"):
        operator = at.child_by_field_name("operator")
        if operator is None or operator.type not in ("??", "||", "??=", "||="):
            continue
        left, right = at.child_by_field_name("left"), at.child_by_field_name("right")
        if left is not None and right is not None and _waits(right):
            yield left, False


def _condition(function: Function, node: Node, made: Mapping[str, Node], *, stops: bool) -> Condition:
    """The condition with what it names, a variable's own comparison among it: `const dear = fee > cap; if (dear) …`."""
    line = int(node.start_point[0]) + 1
    names = list(taint.names_in(node))
    inside = list(nodes_in(node))
    compares = _compares(inside)
    for name in [at for at in inside if at.type == "identifier"]:
        value = made.get(taint.text(name))
        if value is not None and value.type in ("binary_expression", "unary_expression") and not _waits(value):
            names += taint.names_in(value)
            compares = compares or _compares(nodes_in(value))
    marks = marks_.set_after(function, node, names) if stops else ()
    return Condition(
        CodeSpan(function.module.path, line, line),
        tuple(dict.fromkeys(names)),
        stops,
        _strings(inside),
        compares,
        marks,
    )


def _compares(nodes: Iterable[Node]) -> bool:
    for at in nodes:
        operator = at.child_by_field_name("operator") if at.type == "binary_expression" else None
        if (operator is not None and taint.text(operator) in _SIZES) or at.type == "call_expression":
            return True
    return False


def _strings(nodes: Iterable[Node]) -> tuple[str, ...]:
    found = [taint.text(at).strip("'\"`") for at in nodes if at.type == "string"]
    return tuple(dict.fromkeys(found))


def _waits(node: Node) -> bool:
    return any(at.type == "await_expression" for at in nodes_in(node))
