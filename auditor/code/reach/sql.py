"""SQL as calls carry it: what a statement does, told by its words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from auditor.code.evaluation.taint import text
from auditor.code.evaluation.values import options_of, text_of
from auditor.code.model import Role
from auditor.code.syntax.facts import Call

if TYPE_CHECKING:
    from auditor.code.evaluation.evaluate import Evaluator

_FIRST = re.compile(r"\b(select|insert|update|delete|with|begin|commit|start\s+transaction|rollback|merge)\b", re.I)
_VERB = re.compile(
    r"\b(?:(insert)\s+(?:ignore\s+)?into|(delete)\s+from|(?<!for )(?<!key )(?<!do )(update)\s|(merge|replace)\s+into)",
    re.I,
)
_UPSERTS = re.compile(r"\bon\s+(?:conflict|duplicate)\b|\binsert\s+ignore\b|\breplace\s+into\b|\bmerge\s+into\b", re.I)
_LITERAL = ("string", "template_string", "object")


def statement(ev: Evaluator, call: Call) -> str:
    """The statement of a call as far as it is written: its arguments, and what a variable among them holds."""
    held = call.node.child_by_field_name("arguments")
    written = text(held) if held is not None else ""
    given = call.arguments()
    if not given or held is None or held.type == "template_string" or given[0].type in _LITERAL:
        return written
    values = options_of(ev.eval(given[0], call.scope))
    return f"{written} {' '.join(text_of(value) for value in values[:4])}"


def role_of(words: str) -> Role | None:
    """What a statement is; None where it is neither read, write nor the border of a transaction."""
    found = _FIRST.search(words)
    first = found[1].lower().split()[0] if found else ""
    if first in ("begin", "commit", "start"):
        return Role.DB_TRANSACTION
    if first != "rollback" and _VERB.search(words):
        return Role.DB_UPSERT if _UPSERTS.search(words) else Role.DB_WRITE
    return Role.DB_READ if first in ("select", "with") else None


def verb(words: str) -> str:
    """What a writing statement does: `INSERT` where any part of it does, else `UPDATE` or `DELETE`; empty for other text."""
    found = [next(filter(None, groups)).upper() for groups in _VERB.findall(words)]
    return "INSERT" if set(found) & {"INSERT", "MERGE", "REPLACE"} else found[0] if found else ""
