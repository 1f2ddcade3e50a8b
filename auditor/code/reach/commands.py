"""Commands of the AWS SDK and its like: objects that say what to do, and the call that does it."""

from __future__ import annotations

from auditor.code.syntax.facts import Call
from auditor.code.syntax.lexical import WRAPPING


def handed_to(command: Call) -> Call | None:
    """The call that a command is handed to, itself or by the variable that holds it: `client.send(new PutCommand(…))`,
    `const command = new PutCommand(…); client.send(command)`."""
    if not command.is_new:
        return None
    module, parent = command.scope.module, command.node.parent
    while parent is not None and parent.type in WRAPPING:
        parent = parent.parent
    if parent is None:
        return None
    if parent.type == "arguments":
        outer = module.call_at(parent.parent) if parent.parent is not None else None
        return outer if outer is not None and not outer.is_new else None
    named = parent.child_by_field_name("name") if parent.type == "variable_declarator" else None
    if named is None or named.type != "identifier":
        return None
    name = module.text(named)
    binding = command.scope.lookup(name)
    return next(
        (
            call
            for call in module.calls_given(name)
            if not call.is_new
            and call.scope.lookup(name) is binding
            and any(module.text(given) == name for given in call.arguments())
        ),
        None,
    )
