"""Whether the result of a call decides if the work goes on: an early return, a throw, a branch that the work stands in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from auditor.code.evaluation.taint import text
from auditor.code.reach import existence
from auditor.code.reach.existence import Asks
from auditor.code.syntax.facts import Function, nodes_in
from auditor.code.syntax.lexical import callee_of
from auditor.code.syntax.node_index import FUNCTIONS, nodes_of, places_of

if TYPE_CHECKING:
    from tree_sitter import Node

THROUGH = frozenset(
    ("await_expression", "parenthesized_expression", "unary_expression", "binary_expression", "member_expression", "subscript_expression",
     "non_null_expression", "as_expression", "satisfies_expression", "optional_chain", "array", "spread_element")
)  # fmt: skip
STOPS = frozenset(("return_statement", "throw_statement", "continue_statement", "break_statement"))
_BRANCHING = (
    "if_statement", "ternary_expression", "while_statement", "switch_statement", "binary_expression", "augmented_assignment_expression",
    "for_in_statement",
)  # fmt: skip
_GETS = re.compile(
    r"^_?(?:find|get|load|fetch|read|query|select|retrieve|first|one|lookup)|[a-z](?:Get|Find|Fetch|Load|Read|Query|Select|Retrieve|Lookup)(?=[A-Z]|$)"
)
_THROWS = frozenset(("throw_statement",))
_DEFAULTS = ("??", "||", "??=", "||=")


@dataclass(frozen=True, slots=True)
class Decision:
    """What hangs on a result."""

    throws: bool
    """Nothing after it runs, in the callers either."""
    over: tuple[tuple[int, int], ...] = ()
    """Lines (first, last) that run or don't by it; empty: all that comes after it in its function."""


def returned(call: Node) -> bool:
    """Whether the function around a call hands its result to the caller."""
    at, parent = call, call.parent
    while parent is not None and (
        parent.type in THROUGH
        or parent.type in ("ternary_expression", "arguments", "call_expression", "object", "pair")
    ):
        at, parent = parent, parent.parent
    return parent is not None and (
        parent.type == "return_statement" or (parent.type in FUNCTIONS and parent.child_by_field_name("body") == at)
    )


def handed_out(call: Node, function: Function) -> bool:
    """Whether the function returns the call's result, directly or through a variable."""
    if returned(call):
        return True
    names = result_names(call)
    if not names:
        return False
    after, before = call.end_byte, call.start_byte
    return any(
        place.start > after and place.function <= before and _mentions(place.node, names)
        for place in places_of(function, "return_statement")
    )


def result_names(call: Node) -> set[str]:
    """Variables that hold the call's result."""
    bound = _bound(call)
    return pattern_names(bound) if bound is not None else set()


def pattern_names(pattern: Node) -> set[str]:
    """Names that a pattern binds; the whole text of what is no pattern: `this.state`."""
    if pattern.type in ("member_expression", "subscript_expression"):
        return {text(pattern)}
    found: set[str] = set()
    stack = [pattern]
    while stack:
        at = stack.pop()
        if at.type in ("identifier", "shorthand_property_identifier_pattern"):
            found.add(text(at))
        stack.extend(at.named_children)
    return found


def declared(inside: Node, name: str) -> Node | None:
    """The value that a variable of the function around a node is declared with."""
    function: Node | None = inside
    while function is not None and function.type not in FUNCTIONS:
        function = function.parent
    for at in _declarators(function) if function is not None else ():
        held = at.child_by_field_name("name")
        if held is not None and text(held) == name:
            return at.child_by_field_name("value")
    return None


def decides(call: Node, function: Function, *, answer: bool = False) -> Decision | None:
    """What hangs on the call's result in a function; None where nothing does.

    That a row is there is no news of earlier work: `if (!order) throw` asks for the order, `if (done) return` for what was
    done. `answer`: the result says by itself whether to go on, as that of a claim does.
    """
    asked = _asked(call, function, answer=answer)
    made = [
        decision for node in _after(call, function) if (decision := _of(node, asked, _condition_of(node))) is not None
    ]
    whole = [decision for decision in made if not decision.over]
    if whole:
        return next((decision for decision in whole if decision.throws), whole[0])
    return Decision(throws=False, over=tuple(span for decision in made for span in decision.over)) if made else None


def answers(call: Node) -> bool:
    """Whether the function around a call answers yes or no by whether the call throws: `try { await get(); return true }`."""
    at = call.parent
    while at is not None and at.type not in FUNCTIONS:
        if at.type == "try_statement":
            return bool(re.search(r"\breturn\s+(?:true|false)\b", text(at)))
        at = at.parent
    return False


def stops(node: Node) -> bool:
    """Whether a branch of an `if` returns, throws, goes on with a loop, or delays the job."""
    return any(_has(branch, STOPS) for branch in _branches(node)) or "moveToDelayed" in text(node)


def gets(name: str) -> bool:
    """Whether a function's name says that it fetches a thing rather than answering a question."""
    return _GETS.search(name) is not None


def _asked(call: Node, function: Function, *, answer: bool) -> existence.Asked:
    """What later conditions may ask: the names of the result, of what it holds, and of what is derived from it."""
    callee = callee_of(call)
    shown = text(callee) if callee is not None else ""
    asked = existence.Asked(shown, answer or existence.filters(call))
    bound = _bound(call)
    if bound is None:
        return asked
    existence.bind(asked, bound)
    for at in nodes_of(function, "variable_declarator", "for_in_statement"):
        loop = at.type == "for_in_statement"
        name = at.child_by_field_name("left" if loop else "name")
        value = at.child_by_field_name("right" if loop else "value")
        if name is not None and value is not None and at.start_byte > call.end_byte:
            existence.derive(asked, name, value, each=loop)
    return asked


def _bound(call: Node) -> Node | None:
    """The pattern that the call's result is bound to."""
    parent = call.parent
    while parent is not None and (
        parent.type in THROUGH or (parent.type in ("arguments", "call_expression", "ternary_expression"))
    ):
        parent = parent.parent
    if parent is None:
        return None
    if parent.type == "variable_declarator":
        return parent.child_by_field_name("name")
    return parent.child_by_field_name("left") if parent.type == "assignment_expression" else None


def _after(call: Node, function: Function) -> Iterator[Node]:
    """Branching nodes of a function that come after the call, or whose condition holds it."""
    first, last = call.start_byte, call.end_byte
    for place in places_of(function, *_BRANCHING):
        if place.start <= last and place.node.end_byte <= first:
            continue
        condition = _condition_of(place.node)
        if condition is not None and (
            place.start > last or (condition.start_byte <= first and last <= condition.end_byte)
        ):
            yield place.node


def _condition_of(node: Node) -> Node | None:
    match node.type:
        case "switch_statement":
            return node.child_by_field_name("value")
        case "for_in_statement":
            return node.child_by_field_name("right")
        case "binary_expression" | "augmented_assignment_expression":
            operator = node.child_by_field_name("operator")
            return (
                node.child_by_field_name("left")
                if operator is not None and text(operator) in (*_DEFAULTS, "&&")
                else None
            )
    return node.child_by_field_name("condition")


def _of(node: Node, asked: existence.Asked, condition: Node | None) -> Decision | None:
    """What a branching node makes of the result."""
    if condition is None:
        return None
    match node.type:
        case "binary_expression" | "augmented_assignment_expression":
            return _short_circuit(node, asked, condition)
        case "switch_statement":
            return _switch(node, asked, condition)
        case "for_in_statement":  # over rows that are still open, the work is done for these alone
            body = node.child_by_field_name("body")
            return _over([body]) if body is not None and asked.answer and existence.told(condition, asked) else None
    asks = existence.asks(condition, asked)
    if asks is Asks.NOTHING:
        return None
    then, other = node.child_by_field_name("consequence"), node.child_by_field_name("alternative")
    if node.type == "ternary_expression":
        wanted = [other] if asks is Asks.PRESENT else [then] if asks is Asks.ABSENT else [then, other]
        return _over([branch for branch in wanted if branch is not None and _works(branch)])
    if node.type == "while_statement":
        return Decision(throws=False)
    if asks is Asks.CONTENT and stops(node):
        return Decision(any(_has(branch, _THROWS) for branch in _branches(node)))
    leaves = then is not None and _has(then, STOPS)
    if asks is Asks.PRESENT and then is not None and leaves:
        return (
            _over([other] if other is not None else [], after=node) if _works(then) else Decision(_has(then, _THROWS))
        )
    if asks is Asks.ABSENT and leaves:
        return None
    wanted = [other] if asks is Asks.PRESENT else [then] if asks is Asks.ABSENT else [then, other]
    return _over([branch for branch in wanted if branch is not None and _works(branch)])


def _short_circuit(node: Node, asked: existence.Asked, left: Node) -> Decision | None:
    """`row.uri ?? (await upload())`, `row.done || (await send())`, `row.due && (await send())`."""
    operator, right = node.child_by_field_name("operator"), node.child_by_field_name("right")
    asks = existence.asks(left, asked)
    if operator is None or right is None or asks is Asks.NOTHING or not _works(right):
        return None
    return None if text(operator) == "&&" and asks is Asks.PRESENT else _over([right])


def _switch(node: Node, asked: existence.Asked, value: Node) -> Decision | None:
    if existence.asks(value, asked) is Asks.NOTHING:
        return None
    cases = [
        child
        for child in (node.child_by_field_name("body") or node).named_children
        if "case" in child.type or "default" in child.type
    ]
    if any(_has(case, _THROWS) for case in cases):
        return Decision(throws=True)
    if any(_has(case, frozenset(("return_statement",))) for case in cases):
        return Decision(throws=False)
    return _over([case for case in cases if _works(case)])


def _over(branches: list[Node], after: Node | None = None) -> Decision | None:
    spans = [(int(branch.start_point[0]) + 1, int(branch.end_point[0]) + 1) for branch in branches]
    if after is not None:
        spans.append((int(after.end_point[0]) + 2, 1_000_000_000))
    return Decision(throws=False, over=tuple(spans)) if spans else None


def _branches(node: Node) -> list[Node]:
    return [child for name in ("consequence", "alternative") if (child := node.child_by_field_name(name)) is not None]


def _works(node: Node) -> bool:
    """Whether a branch waits for something, or calls something for its value."""
    return _has(node, frozenset(("await_expression",))) or (
        node.type not in ("statement_block", "else_clause", "switch_case", "switch_default")
        and not node.type.endswith("_statement")
        and _has(node, frozenset(("call_expression",)))
    )


def _has(node: Node, kinds: frozenset[str]) -> bool:
    stack = [node]
    while stack:
        at = stack.pop()
        if at.type in kinds:
            return True
        if at.type not in FUNCTIONS:
            stack.extend(at.named_children)
    return False


def _declarators(function: Node) -> list[Node]:
    return [at for at in nodes_in(function) if at.type == "variable_declarator"]


def _mentions(node: Node, names: set[str]) -> bool:
    stack = [node]
    while stack:
        at = stack.pop()
        if at.type in ("identifier", "shorthand_property_identifier", "member_expression") and text(at) in names:
            return True
        stack.extend(at.named_children)
    return False
