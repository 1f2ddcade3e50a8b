"""Marks of work that is done: what a condition asks a row for, and the function sets on the row with the work."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from auditor.code.evaluation import taint
from auditor.code.model import Condition, Effect, Role
from auditor.code.reach import positions
from auditor.code.syntax.facts import Function

if TYPE_CHECKING:
    from tree_sitter import Node


def set_after(function: Function, condition: Node, names: Iterable[str]) -> tuple[str, ...]:
    """Properties among the names of a condition that the function sets after it, to something that is not made of them."""
    return tuple(dict.fromkeys(_set_after(function, condition.end_byte, names)))


def _set_after(function: Function, start: int, names: Iterable[str]) -> Iterator[str]:
    for name in dict.fromkeys(names):
        parts = name.split(".")
        for at in range(2, len(parts) + 1):
            left = ".".join(parts[:at])
            for change in function.module.member_assignments.get(parts[at - 1], ()):
                inside = start < change.left.start_byte < function.node.end_byte
                if inside and change.op == "=" and taint.text(change.left) == left:
                    yield from () if left in taint.text(change.right) else (left,)


def asked(effects: list[Effect], conditions: Iterable[Condition], function: Function) -> None:
    """Change the effects of a function where its conditions ask a row for its mark: the row's read asks for what is open.

    A save of the row that adds to it sets the mark in the same write: a second run does not add again.
    """
    here = positions.span_of(function)
    for condition in conditions:
        held = {mark.split(".")[0] for mark in condition.marks}
        if not held:
            continue
        reads = [at for at in range(condition.order) if effects[at].role is Role.DB_READ and not effects[at].guards]
        own = [at for at in reads if effects[at].path[-1:] == (here,)]
        for at in (own or reads)[-1:]:
            effects[at] = replace(effects[at], guards=True, open_rows=True)
        for at in range(condition.order, len(effects)):
            one = effects[at]
            if one.role is Role.DB_INCREMENT and one.call.split(".")[0] in held and one.path[-1:] == (here,):
                effects[at] = replace(one, role=Role.DB_WRITE)
