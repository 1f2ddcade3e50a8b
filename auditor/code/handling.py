"""What a function tests and catches: conditions that can stop the job, catch clauses and what they do."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from auditor.code import decides, taint
from auditor.code.facts import Function
from auditor.code.model import Catch, Condition, Effect, Role
from auditor.model import CodeSpan

if TYPE_CHECKING:
    from tree_sitter import Node

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
_TOLD = re.compile(
    r"instanceof\s+([\w.]+)|['\"`]([^'\"`\n]{3,60})['\"`]|\bcase\s+([\w.]+)|={2,3}\s*(\d{3})\b|\.(isAxiosError|response|statusCode|retryable)\b"
)


def conditions_of(function: Function) -> list[tuple[int, Condition]]:
    """(end of the condition, condition) of every `if`, ternary and switch in a function, in order."""
    found: list[tuple[int, Condition]] = []
    stack = [function.node]
    while stack:
        at = stack.pop()
        if at.type in ("if_statement", "ternary_expression", "while_statement"):
            condition = at.child_by_field_name("condition")
            if condition is not None:
                names = tuple(dict.fromkeys(taint.names_in(condition)))
                line = int(condition.start_point[0]) + 1
                found.append(
                    (
                        condition.end_byte,
                        Condition(CodeSpan(function.module.path, line, line), names, decides.stops(at)),
                    )
                )
        stack.extend(at.named_children)
    found.sort(key=lambda one: one[0])
    return found


def catches_of(function: Function, own: list[Effect]) -> list[Catch]:
    """Catch clauses of a function, with the effects inside their try."""
    found: list[Catch] = []
    for statement in _tries(function.node):
        handler, body = statement.child_by_field_name("handler"), statement.child_by_field_name("body")
        if handler is None or body is None:
            continue
        inside = _lines(handler)
        within = [effect for effect in own if _spot(effect, function) in inside]
        around = tuple(effect.order for effect in own if _spot(effect, function) in _lines(body))
        found.append(Catch(_span(function, handler), _tells(handler), _does(handler, within), around))
    return found


def swallowing(function: Function, effects: list[Effect]) -> CodeSpan | None:
    """A catch around most of what a handler does to the world, that neither throws, records, nor returns a failure."""
    done = [effect for effect in effects if effect.role in _WORK and "catch" not in effect.within]
    for statement in _tries(function.node):
        handler, body = statement.child_by_field_name("handler"), statement.child_by_field_name("body")
        if handler is None or body is None or not _outermost(statement, function.node):
            continue
        work = [effect for effect in done if _spot(effect, function) in _lines(body)]
        inside = [effect for effect in effects if _spot(effect, function) in _lines(handler)]
        ends = set(_does(handler, inside)) & {"rethrow", "unrecoverable", "discard", "record", "enqueue", "delay"}
        if len(work) * 2 > len(done) and not ends and not _calls_done(handler):
            return _span(function, handler)
    return None


def _tries(node: Node) -> list[Node]:
    found: list[Node] = []
    stack = [node]
    while stack:
        at = stack.pop()
        if at.type == "try_statement":
            found.append(at)
        stack.extend(at.named_children)
    return sorted(found, key=lambda one: one.start_byte)


def _outermost(statement: Node, limit: Node) -> bool:
    at = statement.parent
    while at is not None and at.id != limit.id:
        if at.type in ("try_statement", *decides.FUNCTIONS, "for_statement", "for_in_statement", "while_statement"):
            return False
        at = at.parent
    return True


def _lines(node: Node) -> range:
    return range(int(node.start_point[0]) + 1, int(node.end_point[0]) + 2)


def _span(function: Function, node: Node) -> CodeSpan:
    return CodeSpan(function.module.path, int(node.start_point[0]) + 1, int(node.end_point[0]) + 1)


def _spot(effect: Effect, function: Function) -> int:
    """The line of the function on which the effect stands or is reached by a call; 0 where it is not reached from there."""
    here = CodeSpan(function.module.path, int(function.node.start_point[0]) + 1, int(function.node.end_point[0]) + 1)
    if here not in effect.path:
        return 0
    step = effect.path.index(here)
    return effect.calls[step].start if step < len(effect.calls) else effect.span.start


def _tells(handler: Node) -> tuple[str, ...]:
    """What conditions in a catch compare with."""
    told: list[str] = []
    stack = [handler]
    while stack:
        at = stack.pop()
        condition = at.child_by_field_name("condition") if at.type in ("if_statement", "ternary_expression") else None
        if condition is not None:
            told += [next(filter(None, groups)) for groups in _TOLD.findall(taint.text(condition))]
            told += [
                name.rsplit(".", 1)[-1]
                for name in taint.names_in(condition)
                if re.search(r"[a-z]Error$|^is[A-Z]\w*(?:Error|Decline|Nonce|Rate)", name.rsplit(".", 1)[-1])
            ]
        if at.type in ("switch_case",):
            value = at.child_by_field_name("value")
            told += [taint.text(value).strip("'\"`")] if value is not None else []
        stack.extend(at.named_children)
    return tuple(dict.fromkeys(told))


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
