"""What stands around a call in its function: tries, branches, loops, transactions, retries."""

from __future__ import annotations

import re

from auditor.code.evaluation import taint
from auditor.code.reach import positions
from auditor.code.reach.branches import RETURNS, branches_of
from auditor.code.reach.visits import Visit
from auditor.code.syntax.facts import Call

_KINDS = {
    "try": "try",
    "catch": "catch",
    "finally": "finally",
    "if": "if",
    "else": "if",
    "loop": "loop",
    "switch": "if",
}
_RETRIES = re.compile(r"attempt|retr(?:y|ies)|tries", re.I)


class Surroundings:
    """Answers by call and function, each read once."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, int], tuple[str, ...]] = {}

    def of(self, call: Call, visit: Visit) -> tuple[str, ...]:
        """What stands around a call in its function, outermost first."""
        key = (call.node.id, id(visit.function))
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = self._read(call, visit)
        if not visit.place.dropped:
            return known
        depth = len(visit.path)
        return tuple([f"{word}@{depth}" if word.endswith(RETURNS) else word for word in known])

    def _read(self, call: Call, visit: Visit) -> tuple[str, ...]:
        kinds: list[str] = []
        at = call.context
        limit = visit.function.node
        while at is not None and at.node.start_byte >= limit.start_byte and at.node.end_byte <= limit.end_byte:
            kind = _KINDS.get(at.kind)
            if kind == "loop" and _RETRIES.search(taint.text(at.node).split("{", 1)[0]):
                kind = "retry"
            if kind is not None:
                kinds.append(kind)
            at = at.parent
        kinds.reverse()
        kinds += branches_of(call.node, limit)
        if any(start <= call.node.start_byte < end for start, end in visit.transactions):
            kinds.append("transaction")
        callback = positions.in_callback(call.node, limit)
        if callback:
            kinds += ["loop", "parallel"] if callback in ("map", "flatMap") else ["loop"]
        return tuple(kinds)
