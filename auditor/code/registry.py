"""Values that code hangs on a framework's object: Fastify's `decorate`, Express's `app.set`, Node's `globalThis`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from auditor.code import callers
from auditor.code.values import CYCLE, External, Literal, Unknown, Value, join, options_of

if TYPE_CHECKING:
    from auditor.code.evaluate import Evaluator

_DECORATORS = ("decorate", "decorateRequest", "decorateReply", "set", "provide")
_WORDS = (b"decorate(", b"decorateRequest(", b"decorateReply(", b".set(", b".provide(")
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
    found: list[Value] = []
    for path in _quoting(ev).get(name.encode(), ())[:_MOST_FILES]:
        module = ev.program.module(path)
        if module is None:
            continue
        for decorator in _DECORATORS:
            for call in module.calls_named(decorator):
                given = call.arguments()
                if len(given) == 2 and isinstance(key := ev.eval(given[0], call.scope), Literal) and key.value == name:
                    if decorator in ("set", "provide") and not _is_framework(ev, call):
                        continue
                    found.append(callers.given(ev, call, None)[1])
    real = [value for value in found if not isinstance(value, Unknown)]
    return join(real or found) if found else CYCLE


def _quoting(ev: Evaluator) -> dict[bytes, list[str]]:
    """Files that hang something on an object, by the names that they quote; one pass over the texts for all questions."""
    if ev.quoting is None:
        ev.quoting = {}
        for path in ev.program.tree.paths:
            data = ev.program.tree.read(path)
            if data is not None and any(word in data for word in _WORDS):
                for quoted in set(_QUOTED.findall(data)):
                    ev.quoting.setdefault(quoted, []).append(path)
    return ev.quoting


def _is_framework(ev: Evaluator, call: object) -> bool:
    from auditor.code.facts import Call

    assert isinstance(call, Call)
    held = call.callee.child_by_field_name("object") if call.callee is not None and call.callee.type == "member_expression" else None
    return held is not None and any(isinstance(o, External) and o.package in _FRAMEWORKS for o in options_of(ev.eval(held, call.scope)))


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
