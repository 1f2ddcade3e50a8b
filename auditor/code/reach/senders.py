"""The client that a call goes through: where it is built, and with what."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.code.evaluation.values import External, Object, Where, options_of
from auditor.code.reach.bounds import constructions
from auditor.code.reach.commands import handed_to
from auditor.code.sites import options as options_
from auditor.code.syntax.facts import Call
from auditor.model import CodeSpan

if TYPE_CHECKING:
    from auditor.code.evaluation.evaluate import Evaluator


def built_at(ev: Evaluator, call: Call) -> CodeSpan | None:
    """Where the receiver was built, for a command that of its sender: the place of the outermost value that is the result of
    a construction."""
    at = (handed_to(call) or call).callee
    while at is not None and at.type == "member_expression":
        at = at.child_by_field_name("object")
        for one in options_of(ev.eval(at, call.scope)) if at is not None else ():
            if isinstance(one, External) and one.path.endswith("()") and one.where is not None:
                return options_.span(one.where)
    return None


def sender(ev: Evaluator, call: Call) -> External | None:
    """Whose `send` a command is handed to: `client.send(new SendEmailCommand(…))`."""
    owner = handed_to(call)
    if owner is None or owner.callee is None or owner.name != "send":
        return None
    found = options_of(ev.eval(owner.callee, owner.scope))
    return next((one for one in found if isinstance(one, External)), None)


def hands_out_nonces(ev: Evaluator, value: External | None) -> bool:
    """Whether a nonce manager stands among what the sender was built with."""
    pending, _ = constructions(ev, value)
    for depth in range(40):
        if depth >= len(pending):
            return False
        for one in options_of(pending[depth]):
            if isinstance(one, External):
                if "noncemanager" in one.path.lower() or b"onceManager" in _line(ev, one.where):
                    return True
                pending += ev.forced(one.arguments)
            elif isinstance(one, Object):
                if any(name == "nonceManager" for name in one.members):
                    return True
                pending += [ev.member(one, name) for name in ("account", "signer", "wallet") if name in one.members]
    return False


def _line(ev: Evaluator, where: Where) -> bytes:
    """Source line of a place."""
    data = ev.program.tree.read(where[0]) if where is not None else None
    lines = data.splitlines() if data is not None else []
    return lines[where[1] - 1] if where is not None and 0 < where[1] <= len(lines) else b""
