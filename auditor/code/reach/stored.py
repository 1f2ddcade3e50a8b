"""What the words of a call on a store tell: a failure, an addition, a claim."""

from __future__ import annotations

import re
from dataclasses import replace

from auditor.code.evaluation.taint import text
from auditor.code.model import Effect, Role
from auditor.code.reach import chains, existence, records
from auditor.code.syntax.facts import Call

_ADDS = re.compile(
    r"\$inc\b|\b(?:increment|decrement)\s*:|(\b\w+)\"?\s*=\s*(?:\w+\.)?\"?\1\"?\s*[+-]\s*[\w$?:]|\bsql(?:<\w+>)?`\s*\$\{[^}]+\}\s*[+-]\s*[\d$]"
    r"|\.(?:increment|decrement)\(|(\b\w+)['\"]?\s*:\s*[\w.]*\b(?:raw|literal)\(\s*['\"`]\W?\2\W?\s*[+-]"
    r"|\braw\(\s*['\"`]\?\?\s*[+-]|(\b\w+)\"?\s*=\s*coalesce\(\s*(?:\w+\.)?\"?\3\"?\s*,[^)]*\)\s*[+-]",
    re.I,
)
_STEPS = re.compile(
    r"\w\s*[+-]=\s*(?:[\w.]*\d|[\w.]*(?:count|amount|total|price|value|quantity|points|balance)\w*\b)|\w\s*(?:\+\+|--)",
    re.I,
)
"""What is added to a member of a record before it is saved."""
_FAILURE = re.compile(r"fail|error|dead.?letter|exhaust", re.I)
_CLAIMS = re.compile(r"\bon\s+conflict\b|\bon\s+duplicate\s+key\b|\bfor\s+update\b|pg_(?:try_)?advisory", re.I)


def stored(call: Call, made: Effect) -> Effect:
    """What the words of a call on a store tell: a failure, an addition, a claim."""
    writes = made.role in (Role.DB_WRITE, Role.DB_UPSERT)
    written = chains.text_from(call.node) if writes else " ".join(text(node) for node in call.arguments())
    set_ = records.set_before(call.node) if writes and (not call.arguments() or call.name == "save") else ""
    written = f"{written} {set_}"
    claims = (
        made.role in (Role.DB_UPSERT, Role.LOCK)
        or _CLAIMS.search(written) is not None
        or call.name in ("findOrCreate", "setnx")
        or (made.role is Role.DB_WRITE and _updates(call, made.text) and existence.filters(call.node))
    )
    if not writes:
        asks = made.role is Role.DB_READ and existence.filters(call.node)
        return replace(made, claims=claims, open_rows=asks)
    role = Role.DB_INCREMENT if _ADDS.search(written) or _STEPS.search(set_) else made.role
    if call.name == "save" and not made.text and records.is_new(call.node):
        made = replace(made, text="INSERT")
    return replace(made, role=role, claims=claims, failure=_FAILURE.search(written) is not None)


def _updates(call: Call, verb: str) -> bool:
    """Whether a write changes rows that are there, so that its condition can claim them: `SET status = 2 WHERE status = 1`."""
    return verb == "UPDATE" or bool(
        not verb and re.match(r"update|findOneAndUpdate|findByIdAndUpdate|patch|nativeUpdate", call.name)
    )
