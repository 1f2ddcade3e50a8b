"""Idempotency keys of plain HTTP requests: in a header, or in the field by which the provider tells requests apart."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from auditor.code.evaluation.packed import inside
from auditor.code.evaluation.taint import text
from auditor.code.evaluation.values import Frame, Object, Unknown, Value, is_nothing, options_of
from auditor.code.syntax.facts import Call

if TYPE_CHECKING:
    from auditor.code.evaluation.evaluate import Evaluator

HEADERS = ("idempotency-key", "paypal-request-id", "idempotencykey", "idempotency_key", "x-reference-id")
_PARTS = ("headers", "body", "data", "json", "form", "searchParams")
"""Options of a request that hold what is sent."""
_VERBS = frozenset(("post", "put", "patch", "delete"))


def of(ev: Evaluator, call: Call, references: tuple[str, ...], frame: Frame | None) -> tuple[list[Value], bool]:
    """The keys that a request carries, and whether more may stand in what is not known.

    `references`: fields of the body that the provider takes once, as Paystack's `reference`.
    """
    names = (*HEADERS, *(name.lower() for name in references))
    found: list[Value] = []
    hazy = False
    for at, node in enumerate(call.arguments()[:3]):
        if node.type in ("string", "template_string"):
            continue
        body = at == 1 and call.name in _VERBS
        for value in options_of(ev.eval(node, call.scope, frame)):
            if isinstance(value, Unknown):
                hazy = hazy or (at > 0 and not body) or (body and bool(references))
            for held in _held(ev, value):
                if isinstance(held, Unknown):
                    hazy = True
                elif isinstance(held, Object):
                    found += _in(ev, held, names)
                    hazy = hazy or bool(held.open or held.rest)
    return found, hazy and not found


def _held(ev: Evaluator, value: Value) -> Iterator[Value]:
    """An argument, and the parts of it that are sent."""
    yield from inside(ev, value)
    if not isinstance(value, Object):
        return
    yield value
    for name in _PARTS:
        if name in value.members:
            for part in options_of(ev.member(value, name)):
                yield part if name == "headers" or isinstance(part, Object) else _told(part)
                yield from inside(ev, part)


def _told(part: Value) -> Value:
    """A body that is not known hides no header."""
    return Object({}) if isinstance(part, Unknown) else part


def _in(ev: Evaluator, held: Object, names: tuple[str, ...]) -> Iterator[Value]:
    for name in held.members:
        if name.lower().endswith(names[: len(HEADERS)]) or name.lower() in names:
            yield from (one for one in options_of(ev.member(held, name)) if not is_nothing(one))


def mentions(call: Call) -> bool:
    """Whether the call's own text names a header of the kind."""
    written = text(call.node).lower()
    return any(header in written for header in HEADERS)
