"""What keeps the event loop busy by itself: waiting for the clock in a loop, counting to millions, recursion that doubles."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from auditor.code.evaluation.taint import text
from auditor.code.evaluation.values import Literal, options_of
from auditor.code.syntax.facts import Function
from auditor.code.syntax.node_index import places_of

if TYPE_CHECKING:
    from tree_sitter import Node

    from auditor.code.evaluation.evaluate import Evaluator

MILLIONS = 10_000_000
"""Turns of a loop from which on it holds the event loop for a noticeable time, whatever it does."""
_CLOCK = re.compile(r"\bDate\.now\(\)|\bperformance\.now\(\)|\bnew Date\(\)|\bprocess\.hrtime\b")
_LOOPS = ("while_statement", "do_statement", "for_statement")
_INNER = frozenset(
    ("arrow_function", "function_expression", "function_declaration", "method_definition", "class_declaration", "class")
)
_KEPT = re.compile(r"memo|cache|\bMap\b|\.has\(|\.get\(|\?\?=|\|\|=", re.I)


def of(ev: Evaluator, function: Function) -> Iterator[tuple[Node, str]]:
    """Places in a function, its inner functions aside, with what spins there."""
    body, here = function.body, function.node.start_byte
    if body is None:
        return
    for node in [place.node for place in places_of(function, *_LOOPS) if place.function == here]:
        if not _yields(node):
            if _waits(node):
                yield node, "a loop that waits for the clock"
            elif (turns := _turns(ev, node, function)) >= MILLIONS:
                yield node, f"a loop of {turns:.0e} turns"
    written = function.module.source
    twice = function.name and written.count(f"{function.name}(".encode(), here, function.node.end_byte) > 1
    doubled = _doubles(function, body) if twice else None
    if doubled is not None:
        yield doubled, f"{function.symbol}, which calls itself twice at each step"


def _below(node: Node) -> Iterator[Node]:
    """All nodes under one, without those of functions written inside of it."""
    stack = list(node.named_children)
    while stack:
        at = stack.pop()
        if at.type in _INNER:
            continue
        yield at
        stack.extend(at.named_children)


def _yields(loop: Node) -> bool:
    """Whether a turn of the loop gives the event loop a chance, or may leave it."""
    ends = ("await_expression", "yield_expression", "return_statement", "break_statement", "throw_statement")
    return any(node.type in ends for node in _below(loop))


def _waits(loop: Node) -> bool:
    """`while (Date.now() < end) {}`: a condition on the clock, and a body that calls nothing."""
    condition, body = loop.child_by_field_name("condition"), loop.child_by_field_name("body")
    if loop.type == "for_statement" or condition is None or body is None or not _CLOCK.search(text(condition)):
        return False
    alone = "&&" not in text(condition) and "||" not in text(condition)
    return alone and not any(node.type in ("call_expression", "new_expression") for node in _below(body))


def _turns(ev: Evaluator, loop: Node, function: Function) -> float:
    """Turns of a counting loop with a constant bound, times those of the loops around it that have one too; 0: not known."""
    found, at = 1.0, loop
    while True:
        turns = _counted(ev, at, function) if at.type == "for_statement" else 1.0
        if not turns and at.id == loop.id:
            return 0
        found *= turns or 1
        if at.parent is None or at.parent.type in _INNER or at.id == function.node.id:
            return found
        at = at.parent


def _counted(ev: Evaluator, loop: Node, function: Function) -> float:
    condition, step = loop.child_by_field_name("condition"), loop.child_by_field_name("increment")
    while condition is not None and condition.type in ("expression_statement", "parenthesized_expression"):
        condition = condition.named_children[0] if condition.named_children else None
    if condition is None or condition.type != "binary_expression" or step is None or "++" not in text(step):
        return 0
    operator, bound = condition.child_by_field_name("operator"), condition.child_by_field_name("right")
    if operator is None or bound is None or operator.type not in ("<", "<=", "!==", "!="):
        return 0
    values = [
        float(one.value)
        for one in options_of(ev.eval(bound, function.scope))
        if isinstance(one, Literal) and isinstance(one.value, int | float)
    ]
    return min(values, default=0.0)


def _doubles(function: Function, body: Node) -> Node | None:
    """`return fib(n - 1) + fib(n - 2)`, of which nothing is kept: time grows exponentially with n."""
    names = {parameter.name for parameter in function.parameters}
    own = (function.name, f"this.{function.name}")
    if not function.name or not names or _KEPT.search(text(function.node)):
        return None
    for statement in _below(body):
        if statement.type not in ("return_statement", "variable_declarator", "expression_statement"):
            continue
        smaller = [node for node in _below(statement) if _is_smaller(node, own, names)]
        if len(smaller) > 1:
            return smaller[-1]
    return None


def _is_smaller(node: Node, own: tuple[str, ...], names: set[str]) -> bool:
    """A call of the function itself with a parameter less a constant."""
    callee, given = node.child_by_field_name("function"), node.child_by_field_name("arguments")
    if node.type != "call_expression" or callee is None or given is None or text(callee) not in own:
        return False
    return any(
        re.fullmatch(rf"(?:{'|'.join(map(re.escape, names))})\s*-\s*\d+n?", text(a)) for a in given.named_children
    )
