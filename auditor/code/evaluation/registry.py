"""Values that code hangs on a framework's object: Fastify's `decorate`, Express's `app.set`, Node's `globalThis`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from auditor.code.evaluation import callers
from auditor.code.evaluation.values import CYCLE, External, Literal, Unknown, Value, join, options_of
from auditor.code.syntax.facts import Call

if TYPE_CHECKING:
    from auditor.code.evaluation.evaluate import Evaluator

_DECORATORS = ("decorate", "decorateRequest", "decorateReply", "set", "provide")
_KEPT = frozenset(("set", "provide"))
_WORDS = (b".decorate(", b".decorateRequest(", b".decorateReply(", b"app.set(", b"app.provide(")
_FRAMEWORKS = frozenset(("fastify", "express", "koa", "@hapi/hapi", "hono", "@fastify/type-provider-typebox"))
_MOST_FILES = 80
_QUOTED = re.compile(rb"""['"`]([A-Za-z_$][\w$:.-]{0,60})['"`]""")


def decorated(ev: Evaluator, name: str) -> Value | None:
    """What some file hangs on its framework's object as `name`; None where none does."""
    known = ev.decorated.get(name)
    if known is None:
        ev.begin(ev.decorated, name)
        known = _find(ev, name)
        ev.done(ev.decorated, name, known)
    return None if known is CYCLE else known


def _find(ev: Evaluator, name: str) -> Value:
    if ev.decorations is None:
        ev.decorations = ev.freely(lambda: _collect(ev))
    found = [
        callers.given(ev, call, None)[1]
        for call in ev.decorations.get(name, ())
        if call.name not in _KEPT or _is_framework(ev, call)
    ]
    real = [value for value in found if not isinstance(value, Unknown)]
    return join(real or found) if found else CYCLE


def _collect(ev: Evaluator) -> dict[str, list[Call]]:
    """All calls that hang something on a framework's object, by the name that they give it."""
    table: dict[str, list[Call]] = {}
    count = 0
    for path in ev.program.tree.paths:
        if not ev.program.mentions(path, _WORDS):
            continue
        count += 1
        module = ev.program.module(path)
        if module is None or count > _MOST_FILES:
            continue
        for decorator in _DECORATORS:
            for call in module.calls_named(decorator):
                given = call.arguments()
                if len(given) == 2 and isinstance(key := ev.eval(given[0], call.scope), Literal):
                    table.setdefault(str(key.value), []).append(call)
    return table


def _is_framework(ev: Evaluator, call: Call) -> bool:
    held = call.receiver
    return held is not None and any(
        isinstance(o, External) and o.package in _FRAMEWORKS for o in options_of(ev.eval(held, call.scope))
    )


def hung(ev: Evaluator, value: Value, name: str) -> Value | None:
    """`value.name` where the value is, or may be, a framework's object."""
    if isinstance(value, External) and value.package == "global" and value.path in ("global", "globalThis"):
        return _global(ev, name)
    if (isinstance(value, External) and value.package in _FRAMEWORKS) or isinstance(value, Unknown):
        return decorated(ev, name)
    return None


def _global(ev: Evaluator, name: str) -> Value | None:
    found: list[Value] = []
    needles = (f"global.{name}".encode(), f"globalThis.{name}".encode())
    for path in ev.program.tree.paths:
        if ev.program.mentions(path, needles) and (module := ev.program.module(path)) is not None:
            for change in module.member_assignments.get(name, ()):
                held = change.left.child_by_field_name("object")
                if held is not None and module.text(held) in ("global", "globalThis"):
                    found.append(ev.eval(change.right, change.scope))
    return join(found) if found else None
