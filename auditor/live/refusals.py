"""From an error reply to a `Refused`: the server's words, and the ACL rule that would help."""

from __future__ import annotations

from collections.abc import Sequence

from .allowlist import rule
from .connection import ReplyError
from .login import said
from .server_model import Refused

_NOT_KNOWN = ("unknown command", "unknown subcommand", "unknown or unsupported command")


def refused(command: Sequence[str | int], reply: ReplyError) -> Refused:
    """The refusal of one command. Only missing rights can be granted; renamed and managed commands can't."""
    shown = " ".join(str(part) for part in command)
    text = str(reply)
    if reply.code == "NOPERM":
        if "keys used as arguments" in text or "access a key" in text or "access the '" in text:
            return Refused(shown, "this user may not read the key", "%R~* (6.2: ~*)")
        return Refused(shown, "this user may not run it", f"+{rule(command)}")
    if any(words in text.lower() for words in _NOT_KNOWN):
        return Refused(shown, "the server does not know the command (renamed, or a managed offering)")
    return Refused(shown, said(reply))
