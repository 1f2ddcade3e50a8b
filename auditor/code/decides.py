"""Whether the result of a call decides if the work goes on: an early return, a throw, an `if` around what follows."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from auditor.code.taint import text

if TYPE_CHECKING:
    from tree_sitter import Node

THROUGH = frozenset(
    ("await_expression", "parenthesized_expression", "unary_expression", "binary_expression", "member_expression", "subscript_expression",
     "non_null_expression", "as_expression", "satisfies_expression", "optional_chain", "array", "spread_element")
)  # fmt: skip
STOPS = frozenset(("return_statement", "throw_statement", "continue_statement", "break_statement"))
FUNCTIONS = frozenset(
    (
        "arrow_function",
        "function_expression",
        "function_declaration",
        "method_definition",
        "generator_function_declaration",
    )
)
_DONE = re.compile(
    r"status|state|sent|paid|process|mint|complet|done|finish|deliver|confirm|refund|charged|success|succeed|hash|signature|receipt|already|lock"
    r"|exist|count|length|size|duplicate|handled|acquired|claim|at$|tx|captured|executed|issued|fulfilled|published|credited|settled|rows?count|affected"
)  # fmt: skip
_GETS = re.compile(r"^(?:find|get|load|fetch|read|query|select|retrieve)", re.I)


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


def handed_out(call: Node, function: Node) -> bool:
    """Whether the function returns the call's result, directly or through a variable."""
    if returned(call):
        return True
    names = result_names(call)
    if not names:
        return False
    stack = [function]
    while stack:
        at = stack.pop()
        if at.type == "return_statement" and at.start_byte > call.end_byte and _mentions(at, names):
            return True
        if at.end_byte > call.end_byte and (
            at.type not in FUNCTIONS or at.id == function.id or at.start_byte <= call.start_byte
        ):
            stack.extend(at.named_children)
    return False


def result_names(call: Node) -> set[str]:
    """Variables that hold the call's result."""
    parent = call.parent
    while parent is not None and (
        parent.type in THROUGH or (parent.type in ("arguments", "call_expression", "ternary_expression"))
    ):
        parent = parent.parent
    if parent is None:
        return set()
    if parent.type == "variable_declarator":
        name = parent.child_by_field_name("name")
        return pattern_names(name) if name is not None else set()
    if parent.type == "assignment_expression":
        left = parent.child_by_field_name("left")
        return {text(left)} if left is not None else set()
    return set()


def pattern_names(pattern: Node) -> set[str]:
    """Names that a pattern binds."""
    found: set[str] = set()
    stack = [pattern]
    while stack:
        at = stack.pop()
        if at.type in ("identifier", "shorthand_property_identifier_pattern"):
            found.add(text(at))
        stack.extend(at.named_children)
    return found


def decides(call: Node, function: Node) -> str:
    """`throws`, `stops` where a condition on the call's result ends the function or stands around what follows; else empty."""
    held = _condition_around(call)
    if held is not None:
        return _ends(held) if _tells_done(held, {_callee(call)}) else ""
    names = result_names(call)
    if not names:
        return ""
    found = ""
    stack = [function]
    while stack:
        at = stack.pop()
        if at.start_byte > call.end_byte and at.type in ("if_statement", "ternary_expression", "while_statement"):
            condition = at.child_by_field_name("condition")
            if condition is not None and _mentions(condition, names) and _tells_done(at, names):
                ends = _ends(at)
                if ends == "throws":
                    return ends
                found = found or ends
        if at.end_byte > call.end_byte:
            stack.extend(at.named_children)
    return found


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
    return _branch_has(node, STOPS) or "moveToDelayed" in text(node)


def _condition_around(call: Node) -> Node | None:
    """The `if` or ternary whose condition the call stands in."""
    at, parent = call, call.parent
    while parent is not None and parent.type in THROUGH:
        at, parent = parent, parent.parent
    if parent is None or parent.type not in ("if_statement", "ternary_expression", "while_statement"):
        return None
    return parent if parent.child_by_field_name("condition") == at else None


def _ends(node: Node) -> str:
    """How a condition ends the work: by a throw, by a return or an `if` around what is awaited, or not at all."""
    if _branch_has(node, frozenset(("throw_statement",))):
        return "throws"
    if node.type != "if_statement" or stops(node) or _branch_has(node, frozenset(("await_expression",))):
        return "stops"
    return ""


def _branch_has(node: Node, kinds: frozenset[str]) -> bool:
    stack = [child for name in ("consequence", "alternative") if (child := node.child_by_field_name(name)) is not None]
    while stack:
        at = stack.pop()
        if at.type in kinds:
            return True
        if at.type not in FUNCTIONS:
            stack.extend(at.named_children)
    return False


def _tells_done(node: Node, names: set[str]) -> bool:
    """A condition that stops when something is there, or looks at a status; `if (!order) throw` only asks whether it exists."""
    condition = node.child_by_field_name("condition")
    if condition is None:
        return False
    terms = [term for term in re.split(r"\|\||&&", _bare(text(condition))) if term.strip()]
    missing = [_MISSING.fullmatch(_bare(term)) for term in terms]
    if not terms or None in missing:
        return bool(terms)
    return any(_is_answer(found) for found in missing if found is not None)


_MISSING = re.compile(r"!+\s*\(?\s*(?:await\s+)?([\w.?]+)(\(.*\))?\s*\)?|([\w.?]+)\s*={2,3}\s*(?:null|undefined)", re.S)


def _bare(shown: str) -> str:
    """Without the brackets and the negation around a whole condition: `!(a && b.c)` asks what `!a || !b.c` asks."""
    inner = shown.strip()
    if inner.startswith("(") and inner.endswith(")"):
        inner = inner[1:-1].strip()
    negated = re.fullmatch(r"!\s*\((.*)\)", inner, re.S)
    if negated and negated[1].count("(") == negated[1].count(")") and re.search(r"&&|\|\|", negated[1]):
        return " || ".join(f"!{term.strip()}" for term in re.split(r"\|\||&&", negated[1]))
    return inner


def _is_answer(found: re.Match[str]) -> bool:
    """`!alreadySent`, `!payment.done`, `!(await claim())`: an answer, not the lack of a row."""
    name = (found[1] or found[3] or "").replace("?", "")
    last = name.rsplit(".", 1)[-1]
    if not name or _GETS.match(last):
        return False
    return found[2] is not None or bool(_DONE.search(last.lower()))


def _mentions(node: Node, names: set[str]) -> bool:
    stack = [node]
    while stack:
        at = stack.pop()
        if at.type in ("identifier", "shorthand_property_identifier", "member_expression") and text(at) in names:
            return True
        stack.extend(at.named_children)
    return False


def _callee(call: Node) -> str:
    function = call.child_by_field_name("function")
    return text(function) if function is not None else ""
