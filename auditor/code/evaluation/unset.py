"""What a function gives where an environment variable that it asks for is not set: the variable's default."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from auditor.code.evaluation.values import Env, Frame, Literal, Unknown, Value, options_of
from auditor.code.syntax.facts import Context, Scope, nodes_in

if TYPE_CHECKING:
    from auditor.code.evaluation.evaluate import Evaluator

COMPUTED = "an environment variable"
"""Why a variable whose name is computed is not known."""
Returned = tuple[Value, Context | None, Scope]


def defaults(ev: Evaluator, returned: Sequence[Returned], frame: Frame) -> list[Value]:
    """What a function returns, without a variable that it returns only where that is set, beside constants.

    `const n = process.env.N; if (n) return Number(n); return 5;` is 5, the default of N, as `process.env.N || 5` is.
    """
    values = [value for value, _, _ in returned]
    settings = [one for one in returned if _setting(one[0])]
    others = [option for value in values if not _setting(value) for option in options_of(value)]
    if not settings or not others or not all(isinstance(option, Literal) for option in others):
        return values
    if not all(_asked(ev, context, scope, frame) for _, context, scope in settings):
        return values
    name = _setting(settings[0][0])
    return [Literal(option.value, option.where, name) for option in others if isinstance(option, Literal)]


def _setting(value: Value) -> str:
    """The environment variable that a value is; empty for any other."""
    match value:
        case Env(name):
            return name
        case Unknown(why, text) if why == COMPUTED:
            return text or COMPUTED
    return ""


def _asked(ev: Evaluator, context: Context | None, scope: Scope, frame: Frame) -> bool:
    """Whether an `if` around a return asks for an environment variable."""
    while context is not None and context.kind != "function":
        asked = context.node.child_by_field_name("condition") if context.kind == "if" else None
        for node in nodes_in(asked) if asked is not None else ():
            if node.type in ("identifier", "member_expression") and _setting(ev.eval(node, scope, frame)):
                return True
        context = context.parent
    return False
