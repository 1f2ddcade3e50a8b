"""What the text of functions says, read once for each however often it is walked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, TypeVar

from auditor.code.model import Condition
from auditor.code.reach import spinning
from auditor.code.reach.conditions import conditions_of
from auditor.code.reach.handling import Caught, caught_in
from auditor.code.syntax.facts import Function
from auditor.code.syntax.node_index import nodes_of

if TYPE_CHECKING:
    from tree_sitter import Node

    from auditor.code.evaluation.evaluate import Evaluator

T = TypeVar("T")


class Written:
    """Answers by function; `ev` tells constants in the bounds of loops."""

    def __init__(self, ev: Evaluator) -> None:
        self._ev = ev
        self._conditions: dict[int, list[tuple[int, Condition]]] = {}
        self._caught: dict[int, list[Caught]] = {}
        self._declared: dict[int, list[tuple[Node, Node]]] = {}
        self._spins: dict[int, list[tuple[Node, str]]] = {}

    def conditions(self, function: Function) -> list[tuple[int, Condition]]:
        """Its conditions with the byte at which each stands, in order."""
        return _once(self._conditions, function, conditions_of)

    def caught(self, function: Function) -> list[Caught]:
        """What may throw, with what then runs."""
        return _once(self._caught, function, caught_in)

    def declared(self, function: Function) -> list[tuple[Node, Node]]:
        """(name or pattern, value) of its declarations, assignments and `for…of`, in order."""
        return _once(self._declared, function, _declared_in)

    def spins(self, function: Function) -> list[tuple[Node, str]]:
        """What keeps the event loop busy, by its text."""
        return _once(self._spins, function, lambda one: spinning.of(self._ev, one))


def _once(table: dict[int, list[T]], function: Function, read: Callable[[Function], Iterable[T]]) -> list[T]:
    known = table.get(id(function))
    if known is None:
        known = table[id(function)] = list(read(function))
    return known


def _declared_in(function: Function) -> Iterator[tuple[Node, Node]]:
    for at in nodes_of(function, "variable_declarator", "assignment_expression", "for_in_statement"):
        name = at.child_by_field_name("name") or at.child_by_field_name("left")
        value = at.child_by_field_name("value") or at.child_by_field_name("right")
        if name is not None and value is not None:
            yield name, value
