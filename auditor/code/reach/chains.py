"""Fluent chains: `db('orders').where({ id }).update({ … })` is one expression, of which each call is a step."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from auditor.code.evaluation.taint import text
from auditor.code.syntax.lexical import callee_of

if TYPE_CHECKING:
    from tree_sitter import Node


def steps_after(call: Node) -> Iterator[Node]:
    """The calls of the chain that are made on the call's result, nearest first."""
    at = call
    while at.parent is not None and at.parent.type == "member_expression" and at.parent.parent is not None:
        outer = at.parent.parent
        if outer.type != "call_expression" or outer.child_by_field_name("function") != at.parent:
            return
        yield outer
        at = outer


def steps_before(call: Node) -> Iterator[Node]:
    """The calls of the chain whose results the call is made on, nearest first."""
    at: Node | None = callee_of(call)
    while at is not None:
        if at.type == "call_expression":
            yield at
            at = callee_of(at)
        elif at.type in ("member_expression", "subscript_expression"):
            at = at.child_by_field_name("object")
        elif at.type in ("non_null_expression", "parenthesized_expression"):
            at = at.named_children[0] if at.named_children else None
        else:
            return


def waits(call: Node) -> bool:
    """Whether the grammar has put the `await` of the chain into it: `await db<Row>('orders').first()`."""
    first = next(reversed([call, *steps_before(call)]))
    callee = first.child_by_field_name("function")
    return callee is not None and callee.type == "await_expression"


def whole(call: Node) -> Node:
    """The last call of the chain, which holds all of it."""
    return next(reversed([call, *steps_after(call)]))


def text_from(call: Node) -> str:
    """Source text of the chain from the call's arguments on: `({ … }).where(…).onConflictDoNothing()`."""
    callee = call.child_by_field_name("function")
    return text(whole(call))[len(text(callee)) if callee is not None else 0 :]


def name_of(call: Node) -> str:
    """The last name of a call's callee."""
    callee = callee_of(call)
    name = callee.child_by_field_name("property") if callee is not None else None
    return text(name) if name is not None else text(callee) if callee is not None else ""
