"""What a function catches: catch clauses, what they tell apart and what they do."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from auditor.code.evaluation import taint
from auditor.code.evaluation.values import Literal, options_of, walk
from auditor.code.model import Catch, Effect, Role
from auditor.code.reach import decides
from auditor.code.syntax.facts import Function, Module, nodes_in
from auditor.code.syntax.node_index import FUNCTIONS, nodes_of
from auditor.model import CodeSpan

if TYPE_CHECKING:
    from tree_sitter import Node

    from auditor.code.evaluation.evaluate import Evaluator
    from auditor.code.evaluation.flow import Flow

_RECORDS = frozenset((Role.DB_WRITE, Role.DB_UPSERT, Role.DB_INCREMENT))
_WORK = _RECORDS | {
    Role.PAYMENT_CREATE,
    Role.REFUND_CREATE,
    Role.EMAIL_SEND,
    Role.CHAIN_SEND,
    Role.STORAGE_UPLOAD,
    Role.HTTP_WRITE,
    Role.HTTP_READ,
    Role.ENQUEUE,
    Role.NOTIFY,
}
_DOES = (
    ("record", _RECORDS),
    ("notify", frozenset((Role.NOTIFY, Role.EMAIL_SEND, Role.REPORT))),
    ("enqueue", frozenset((Role.ENQUEUE,))),
    ("delay", frozenset((Role.DELAY,))),
    ("log", frozenset((Role.LOG,))),
)
_COMPARING = frozenset(("===", "==", "!==", "!=", "instanceof", "in"))
_MATCHES = re.compile(r"^[\w.?!()\[\]'\"`, |/\\-]*\.(?:includes|has|test|startsWith|match|some)\s*\(")
_DUPLICATE = re.compile(r"P2002|23505|11000|ER_DUP_ENTRY|1062|SQLITE_CONSTRAINT|unique|duplicate", re.I)
_PREDICATE = 4_000
"""Characters of a function that may be a question about an error; a longer one does work of its own."""
_TOLD = re.compile(
    r"instanceof\s+([\w.]+)|['\"`]([^'\"`\n]{3,60})['\"`]|\bcase\s+([\w.]+)|={2,3}\s*(\d{3})\b|\.(isAxiosError|response|statusCode|retryable)\b"
)


class Program(Protocol):
    """What the program tells of a call node."""

    @property
    def told(self) -> dict[int, tuple[str, ...]]:
        """What clauses tell apart, as far as it is known, by node."""

    def runs(self, node: Node) -> Sequence[Function]:
        """Its functions that the call runs."""

    def lists(self, node: Node) -> Sequence[str]:
        """The constant strings in the list or set that the method is called on: `FATAL.has(error.code)`."""


@dataclass(frozen=True, slots=True)
class Asked:
    """`Program` by the evaluator and the call graph, for one module."""

    ev: Evaluator
    flow: Flow
    module: Module
    told: dict[int, tuple[str, ...]]

    def runs(self, node: Node) -> list[Function]:
        """Functions that a call node runs."""
        call = self.module.call_at(node)
        return self.flow.targets(call) if call is not None else []

    def lists(self, node: Node) -> list[str]:
        """Constant strings of the list or set that a method is called on."""
        call = self.module.call_at(node)
        held = call.callee.child_by_field_name("object") if call is not None and call.callee is not None else None
        if call is None or held is None:
            return []
        parts = [part for value in options_of(self.ev.eval(held, call.scope)) for part in walk(value)]
        return [part.value for part in parts[:40] if isinstance(part, Literal) and isinstance(part.value, str)]


Caught = tuple["Node", "Node"]


def catches_of(
    function: Function, caught: Sequence[Caught], own: list[Effect], depth: int, program: Program
) -> list[Catch]:
    """Catch clauses of a function, with the effects that they are around; it is number `depth` on the way to these.

    What they ask helpers that get the error (`isFatal(error)`) is told as theirs.
    """
    found: list[Catch] = []
    spots = [(effect, _spot(effect, depth)) for effect in own] if caught else []
    for body, handler in caught:
        inside, tried = _lines(handler), _lines(body)
        within = [effect for effect, spot in spots if spot in inside]
        around = tuple(effect.order for effect, spot in spots if spot in tried)
        told = _tells(handler, program)
        found.append(Catch(_span(function, handler), told, _does(handler, within), around, _refuses(handler)))
    return found


def caught_in(function: Function) -> list[Caught]:
    """(what may throw, what then runs) of a function's try statements and promises with a `.catch`."""
    found: list[Caught] = []
    for at in nodes_of(function, "try_statement"):
        body, handler = at.child_by_field_name("body"), at.child_by_field_name("handler")
        if body is not None and handler is not None:
            found.append((body, handler))
    first, last = function.node.start_byte, function.node.end_byte
    for call in function.module.calls_named("catch"):
        inline = call.arguments()[0] if call.arguments() else None
        if call.callee is None or inline is None or inline.type not in FUNCTIONS:
            continue
        if first <= call.node.start_byte < last:
            found.append((call.callee, inline))
    return sorted(found, key=lambda one: (one[0].start_byte, -one[1].end_byte))


def _refuses(handler: Node) -> bool:
    """Whether a duplicate ends the function: `if (error.code === 'P2002') return`."""
    for at in nodes_in(handler):
        condition = at.child_by_field_name("condition") if at.type == "if_statement" else None
        shown = taint.text(condition) if condition is not None else ""
        if _DUPLICATE.search(shown) and not re.search(r"!==?|\(\s*!", shown):
            then = at.child_by_field_name("consequence")
            return then is not None and any(inner.type in decides.STOPS for inner in nodes_in(then))
    return False


def swallowing(function: Function, effects: list[Effect]) -> CodeSpan | None:
    """A catch around most of what a handler does to the world (`effects`: its own alone), that neither throws, records, nor
    returns a failure."""
    done = [effect for effect in effects if effect.role in _WORK and "catch" not in effect.within]
    for statement in nodes_of(function, "try_statement"):
        handler, body = statement.child_by_field_name("handler"), statement.child_by_field_name("body")
        if handler is None or body is None or not _outermost(statement, function.node):
            continue
        tried, handled = _lines(body), _lines(handler)
        work = [effect for effect in done if _spot(effect, 0) in tried]
        inside = [effect for effect in effects if _spot(effect, 0) in handled]
        ends = set(_does(handler, inside)) & {"rethrow", "unrecoverable", "discard", "record", "enqueue", "delay"}
        if len(work) * 2 > len(done) and not ends and not _calls_done(handler):
            return _span(function, handler)
    return None


def _outermost(statement: Node, limit: Node) -> bool:
    at = statement.parent
    while at is not None and at.id != limit.id:
        if at.type in ("try_statement", *FUNCTIONS, "for_statement", "for_in_statement", "while_statement"):
            return False
        at = at.parent
    return True


def _lines(node: Node) -> range:
    return range(int(node.start_point[0]) + 1, int(node.end_point[0]) + 2)


def _span(function: Function, node: Node) -> CodeSpan:
    return CodeSpan(function.module.path, int(node.start_point[0]) + 1, int(node.end_point[0]) + 1)


def _spot(effect: Effect, depth: int) -> int:
    """The line of function number `depth` on the effect's way on which it stands or is reached by a call."""
    return effect.calls[depth].start if depth < len(effect.calls) else effect.span.start


def _tells(handler: Node, program: Program) -> tuple[str, ...]:
    """What a catch compares its error with, itself or in helpers that it hands the error to."""
    if handler.id in program.told:
        return program.told[handler.id]
    caught = handler.child_by_field_name("parameter") or handler.child_by_field_name("parameters")
    errors = decides.pattern_names(caught) if caught is not None else set()
    told = _compared(handler, program)
    for target in _asked(handler, errors, program):
        told += _compared(target.node, program)
        for deeper in _asked(target.node, {one.name for one in target.parameters}, program):
            told += _compared(deeper.node, program)
    program.told[handler.id] = tuple(dict.fromkeys(told))
    return program.told[handler.id]


def _asked(node: Node, errors: set[str], program: Program) -> list[Function]:
    """Functions of the program that get the error: `isFatal(error)`, `throw toJobError(error)`."""
    found: list[Function] = []
    for at in nodes_in(node):
        held = at.child_by_field_name("arguments") if at.type == "call_expression" else None
        if held is None or not any(taint.text(name) in errors for name in nodes_in(held) if name.type == "identifier"):
            continue
        found += [target for target in program.runs(at) if len(taint.text(target.node)) < _PREDICATE]
    return found


def _compared(node: Node, program: Program) -> list[str]:
    """What conditions, comparisons and cases of a function or clause name."""
    told: list[str] = []
    for at in nodes_in(node):
        condition = at.child_by_field_name("condition") if at.type in ("if_statement", "ternary_expression") else None
        operator = at.child_by_field_name("operator") if at.type == "binary_expression" else None
        if condition is None and operator is not None and taint.text(operator) in _COMPARING:
            condition = at
        if condition is None and at.type == "call_expression" and _MATCHES.search(taint.text(at)[:200]):
            condition = at
            told += program.lists(at)
        if condition is not None:
            told += _in_condition(condition)
        if at.type == "switch_case":
            value = at.child_by_field_name("value")
            told += [taint.text(value).strip("'\"`")] if value is not None else []
    return told


def _in_condition(condition: Node) -> list[str]:
    told = [next(filter(None, groups)) for groups in _TOLD.findall(taint.text(condition))]
    return told + [
        name.rsplit(".", 1)[-1]
        for name in taint.names_in(condition)
        if re.search(r"[a-z]Error$|^is[A-Z]\w*(?:Error|Decline|Nonce|Rate)", name.rsplit(".", 1)[-1])
    ]


def _does(handler: Node, inside: list[Effect]) -> tuple[str, ...]:
    written = taint.text(handler)
    does: list[str] = []
    if re.search(r"\bthrow\b|Promise\.reject|\breject\(", written):
        does.append("rethrow")
    if "UnrecoverableError" in written:
        does.append("unrecoverable")
    if re.search(r"\.discard\(\)", written):
        does.append("discard")
    roles = {effect.role for effect in inside}
    does += [word for word, wanted in _DOES if roles & wanted]
    return tuple(does) or ("nothing",)


def _calls_done(handler: Node) -> bool:
    return bool(
        re.search(
            r"\b(?:handle|throw|raise|propagate|rethrow)\w*\(|\bdone\s*\(\s*\w|\bmoveToFailed\b|\breturn\b[^;\n]*\b(?:error|success\s*:\s*false|failed)\b",
            taint.text(handler),
        )
    )
