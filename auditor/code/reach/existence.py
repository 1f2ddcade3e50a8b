"""What a condition asks of a call's result: that it is there, that it is not, or what it says.

`if (!order) throw` asks for a row and learns nothing of earlier work; `if (order.status === 'paid') return` does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TYPE_CHECKING

from auditor.code.evaluation.taint import text
from auditor.code.reach import chains
from auditor.code.syntax.facts import nodes_in

if TYPE_CHECKING:
    from tree_sitter import Node


class Asks(Enum):
    """What a condition is about."""

    NOTHING = auto()  # not about the result, or about a thing that says nothing of earlier work: an address, an amount
    PRESENT = auto()
    ABSENT = auto()
    CONTENT = auto()


@dataclass(slots=True)
class Asked:
    """A result as the conditions after it may name it."""

    callee: str
    """Text of the callee, for conditions that hold the call itself."""
    answer: bool
    """The result says by itself whether to go on: a claim's, a yes-or-no helper's, that of a query for rows that are still open."""
    rows: set[str] = field(default_factory=set)
    """Names of the result, or of its row."""
    members: set[str] = field(default_factory=set)
    """Names of the row's members: `const { status } = order`."""
    contents: set[str] = field(default_factory=set)
    """Names of what is made of it: `const paid = order.status === 'PAID'`."""

    @property
    def names(self) -> set[str]:
        """All of them."""
        return self.rows | self.members | self.contents


_ROWS = frozenset(
    (
        "rows",
        "data",
        "recordset",
        "records",
        "items",
        "docs",
        "result",
        "rowCount",
        "count",
        "affected",
        "length",
        "numUpdatedRows",
    )
)
_COUNTED = r"(?:\??\.(?:rows|data|records|items|docs))?(?:\??\.(?:length|rowCount|size|count|affected|affectedRows|modifiedCount|matchedCount)|\??\.?\[0\]|\??\.at\(0\))?"
_ROW = re.compile(rf"!?{_COUNTED}!?")
"""What may follow the name of a row that is counted, or of which the first is taken."""
_OPENED = re.compile(r"\(?\s*(?:await\s+)?")
_THERE = re.compile(rf"\s*\)?!?{_COUNTED}(?:\s*(?:!==?\s*(?:null|undefined|0)|>\s*0|>=\s*1))?")
_MISSING = re.compile(rf"\s*\)?!?{_COUNTED}\s*(?:={{2,3}}\s*(?:null|undefined|0)|<\s*1|<=\s*0)")
_MEMBER = re.compile(r"\w+(?:[!?]?\.\w+|!?(?:\?\.)?\[[\w.'\"]+\])*!?")
_DONE = re.compile(
    r"status|state|sent|paid|process|mint|complet|done|finish|deliver|confirm|refund|charged|success|succeed|hash|signature|receipt|already|lock|exist|count"
    r"|length|size|duplicate|handled|acquired|claim|_at$|At$|tx|captured|executed|issued|fulfilled|published|credited|settled|affected|skip",
    re.I,
)
"""Members whose being there tells of earlier work."""
_UNRELATED = re.compile(
    r"^(?:amount|price|total|currency|quantity|balance|e?mail|phone|name|locale|plan|role|(?:is_?)?(?:unsubscribed|bounced|suppressed|banned|blocked"
    r"|verified|active|enabled|disabled|deleted|archived)\w*|opted\w*|opt_?(?:in|out)\w*|email_?verified\w*|wallet\w*|address)$",
    re.I,
)
"""What a row says of something else than earlier work."""
_OPEN = re.compile(
    r"\b(?:status|state|phase|stage|\w*(?:processed|sent|completed|paid|minted|done|handled|delivered|claimed|locked|executed|captured|refunded)(?:_?at)?)\b"
    r"['\"`]?\s*(?:[:=,)!<>]|is\b|in\b|not\b|\.)",
    re.I,
)
_SETS = re.compile(
    r"\b(?:select|attributes|include|projection|populate|data|create|update|set)\s*[:(]|\breturning\b", re.I
)
"""Where a query's condition is over."""
_VALUES = frozenset(("await_expression", "arrow_function", "function_expression", "new_expression"))


def bind(asked: Asked, pattern: Node) -> None:
    """Take up the names that the result is bound to: `const { rows } = …`, `const [row] = …`, `const { status } = …`."""
    match pattern.type:
        case "object_pattern":
            for child in pattern.named_children:
                key = child.child_by_field_name("key") or child
                value = child.child_by_field_name("value") or child
                (asked.rows if text(key).split("=")[0].strip() in _ROWS else asked.members).update(_names(value))
        case "array_pattern":
            for child in pattern.named_children:
                bind(asked, child) if child.type.endswith("pattern") else asked.rows.update(_names(child))
        case "member_expression" | "subscript_expression":
            asked.rows.add(text(pattern))
        case _:
            asked.rows.update(_names(pattern))


def told(node: Node, asked: Asked) -> bool:
    """Whether an expression speaks of the result."""
    return _mentions(node, asked.names) or _calls(node, asked.callee)


def derive(asked: Asked, pattern: Node, value: Node, *, each: bool = False) -> None:
    """Take up a variable that is made of the result: `const status = order?.status`; `each`: one of its rows."""
    if any(node.type in _VALUES for node in nodes_in(value)) or not _mentions(value, asked.names):
        return
    if each:
        bind(asked, pattern)
        return
    shown = re.sub(r"\s*(?:\?\?|\|\|)\s*(?:null|undefined|\[\]|\{\}|['\"`]{2})$", "", text(value).strip())
    if any(shown.startswith(name) and _ROW.fullmatch(shown, len(name)) for name in asked.rows):
        bind(asked, pattern)
    elif _MEMBER.fullmatch(shown):
        asked.members.update(_names(pattern))
    else:
        asked.contents.update(_names(pattern))


def asks(condition: Node, asked: Asked) -> Asks:
    """What a condition asks of the result."""
    found = {_term(term, asked) for term in _terms(condition)}
    found.discard(Asks.NOTHING)
    if not found:
        return Asks.NOTHING
    if asked.answer or Asks.CONTENT in found:
        return Asks.CONTENT
    return Asks.ABSENT if found == {Asks.ABSENT} else Asks.PRESENT


def filters(call: Node) -> bool:
    """Whether a query is for rows that are still open: `findFirst({ where: { id, status: 'PENDING' } })`."""
    shown = text(chains.whole(call))
    where = re.search(r"\bwhere\w*\b", shown, re.I)
    held = call.child_by_field_name("arguments")
    first = held.named_children[0] if held is not None and held.named_children else None
    if first is not None and first.type in ("string", "template_string"):  # a statement: its values tell nothing
        shown = text(first)
        where = re.search(r"\bwhere\b", shown, re.I)
    words = _SETS.split(shown[where.end() :])[0] if where else text(first) if first is not None else ""
    return bool(_OPEN.search(words))


def _terms(condition: Node) -> Iterator[tuple[Node, bool]]:
    """The parts of a condition that `&&` and `||` join, and whether a negation stands before them."""
    stack = [(condition, False)]
    while stack:
        at, negated = stack.pop()
        operator = at.child_by_field_name("operator")
        if at.type == "parenthesized_expression" and at.named_children:
            stack.append((at.named_children[0], negated))
        elif at.type == "binary_expression" and operator is not None and text(operator) in ("&&", "||"):
            stack += [
                (side, negated) for name in ("left", "right") if (side := at.child_by_field_name(name)) is not None
            ]
        elif at.type == "unary_expression" and operator is not None and text(operator) == "!":
            inner = at.child_by_field_name("argument")
            if inner is not None:
                stack.append((inner, not negated))
        else:
            yield at, negated


def _term(term: tuple[Node, bool], asked: Asked) -> Asks:
    node, negated = term
    own = _calls(node, asked.callee)
    if not own and not _mentions(node, asked.names):
        return Asks.NOTHING
    there = _existence(_plain(node, asked.callee) if own else text(node).strip(), asked, own=own)
    if there is not None:
        return Asks.PRESENT if there is not negated else Asks.ABSENT
    held = re.fullmatch(rf"({_MEMBER.pattern})\s*(?:(!==?|={{2,3}}|>)\s*(?:null|undefined|0))?", text(node).strip())
    last = re.sub(r"\??\.(?:length|size)$", "", held[1]).rsplit(".", 1)[-1].rstrip("!") if held is not None else ""
    if _UNRELATED.match(last) and held is not None and "." in held[1]:
        return Asks.NOTHING
    if held is not None and not own and not _DONE.search(last) and held[1] not in asked.contents:
        return Asks.PRESENT if negated == bool(held[2] and held[2].startswith("=")) else Asks.ABSENT
    members = [name for row in asked.rows for name in _members(node, row)]
    if (
        members
        and all(_UNRELATED.match(name) for name in members)
        and not _mentions(node, asked.contents | asked.members)
    ):
        return Asks.NOTHING
    return Asks.CONTENT


def _existence(shown: str, asked: Asked, *, own: bool) -> bool | None:
    """True: it asks that the row is there, False: that it is not, None: something else."""
    opened = _OPENED.match(shown)
    start = opened.end() if opened is not None else 0
    ends = [start + len(name) for name in (*asked.rows, *(("\0",) if own else ())) if shown.startswith(name, start)]
    if any(_THERE.fullmatch(shown, end) for end in ends):
        return True
    return False if any(_MISSING.fullmatch(shown, end) for end in ends) else None


def _plain(node: Node, callee: str) -> str:
    """The term with the call itself as one sign."""
    for at in nodes_in(node):
        if at.type == "call_expression" and _callee(at) == callee:
            return text(node).replace(text(at), "\0").strip()
    return text(node).strip()


def _calls(node: Node, callee: str) -> bool:
    return bool(callee) and any(at.type == "call_expression" and _callee(at) == callee for at in nodes_in(node))


def _callee(call: Node) -> str:
    function = call.child_by_field_name("function")
    return text(function) if function is not None else ""


def _members(node: Node, row: str) -> Iterator[str]:
    """The last names of the row's members that an expression takes."""
    for at in nodes_in(node):
        if at.type == "member_expression" and (at.parent is None or at.parent.type != "member_expression"):
            shown = text(at).replace("?.", ".").replace("!", "")
            if shown.startswith(f"{row}.") or shown.startswith(f"{row}["):
                yield shown.rsplit(".", 1)[-1]


def _names(pattern: Node) -> set[str]:
    return {text(at) for at in nodes_in(pattern) if at.type in ("identifier", "shorthand_property_identifier_pattern")}


def _mentions(node: Node, names: set[str]) -> bool:
    return bool(names) and any(
        at.type in ("identifier", "shorthand_property_identifier", "member_expression") and text(at) in names
        for at in nodes_in(node)
    )
