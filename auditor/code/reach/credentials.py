"""Requests for a credential: OAuth's token, introspection and revocation endpoints, a sign-in.

They are sent by POST, but a second one leaves the other side as the first did: a token more, which expires by itself.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from auditor.code.evaluation.taint import text
from auditor.code.evaluation.values import Literal, Object, Template, options_of, text_of, walk
from auditor.code.syntax.facts import Call

if TYPE_CHECKING:
    from auditor.code.evaluation.evaluate import Evaluator

_GRANT = re.compile(r"\bgrant_type\b")
_ENDPOINT = re.compile(
    r"(?:oauth|openid|connect|auth|sts|login|security)[\w./${}-]*/(?:access_?|refresh_?)?tokens?(?![\w/-])"
    r"|/(?:introspect|introspection|revoke|authenticate|login|sign-?in)(?![\w/-])"
    r"|\btoken_?(?:url|uri|endpoint)\b",
    re.I,
)
_URL = re.compile(r"\burl\s*:\s*([^,}]+)")
_CONSUMING = re.compile(r"/(?:invite|magic|email|sms|otp|code)s?\b", re.I)
"""Sign-ins that send somebody a message."""


def asks_for_one(ev: Evaluator, call: Call) -> bool:
    """Whether an HTTP call asks for a token or a session, by its address or by the grant in its body."""
    if call.name in ("put", "patch", "delete"):
        return False
    given = call.arguments()
    return bool(given) and (_is_endpoint(ev, call) or bool(_GRANT.search(text(call.node))) or _grants(ev, call))


def _is_endpoint(ev: Evaluator, call: Call) -> bool:
    node = call.arguments()[0]
    written = text(node)
    if node.type == "object":
        named = _URL.search(written)
        written = named[1] if named is not None else ""
    if _ENDPOINT.search(written) and not _CONSUMING.search(written):
        return True
    if node.type in ("string", "template_string", "object"):
        return False
    known = [text_of(one) for one in options_of(ev.eval(node, call.scope)) if isinstance(one, Literal | Template)]
    return bool(known) and all(_ENDPOINT.search(one) and not _CONSUMING.search(one) for one in known)


def _grants(ev: Evaluator, call: Call) -> bool:
    """Whether an argument carries a grant: `new URLSearchParams({ grant_type: … })`, in a variable too."""
    for node in call.arguments()[:2]:
        if node.type in ("string", "template_string"):
            continue
        for part in walk(ev.eval(node, call.scope), 5):
            if isinstance(part, Object) and "grant_type" in part.members:
                return True
            if isinstance(part, Literal | Template) and "grant_type=" in text_of(part):
                return True
    return False
