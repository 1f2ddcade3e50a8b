"""Runbooks and recovery plans: which of RPO, RTO, restore steps and Redis a document speaks of."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass

from auditor.infra.model import Document
from auditor.model import FilePlace

_ABOUT = ("disaster", "recover", "runbook", "business continuity", "rpo", "rto", "restor")
_RPO = re.compile(r"\bRPO\b|recovery[ -]point[ -]objective", re.I)
_RTO = re.compile(r"\bRTO\b|recovery[ -]time[ -]objective", re.I)
_RESTORE = re.compile(
    r"\brestor(?:e|ing|ation)\b|\bfail[- ]?over\b|\brecovery (?:steps|procedure|plan|process)|\bpromote\b.*\breplica|"
    r"\bDR (?:region|site|cluster|scenario)|\bactivate DR",
    re.I,
)
_REDIS = re.compile(r"\bredis\b|\bvalkey\b|\bbull(?:mq)?\b|\belasticache\b", re.I)
_FIGURE = re.compile(r"\d+\s*(?:s|sec|min|m|h|hour|hr|day|d)\w*\b|\bzero\b", re.I)
_NEAR = 10
"""Lines after the name of an objective within which its figure must stand (a table's rows)."""
_BEFORE = 40
"""Lines before the plan within which Redis may come up; a mention elsewhere in a long document is another subject."""


def read(path: str, text: str) -> Document | None:
    """The document, if it speaks of recovery at all; RPO and RTO count only with a figure nearby."""
    lower = text.lower()
    if not any(word in lower for word in _ABOUT):
        return None
    page = _Page(path, text, [m.start() for m in re.finditer("\n", text)])
    rpo = page.objective(_RPO) if "rpo" in lower or "objective" in lower else None
    rto = page.objective(_RTO) if "rto" in lower or "objective" in lower else None
    restore = page.first(_RESTORE)
    lines = [p.line for p in (rpo, rto, restore) if p is not None]
    if not lines:
        return None
    return Document(path, rpo, rto, restore, page.first(_REDIS, page.offset(min(lines) - _BEFORE)))


@dataclass(frozen=True, slots=True)
class _Page:
    """A text with the offsets of its line ends."""

    path: str
    text: str
    ends: list[int]

    def first(self, pattern: re.Pattern[str], start: int = 0) -> FilePlace | None:
        """The line of the first match."""
        match = pattern.search(self.text, start)
        return self._place(match.start()) if match else None

    def objective(self, pattern: re.Pattern[str]) -> FilePlace | None:
        """The line of the first match that has a figure within a few lines."""
        for match in pattern.finditer(self.text):
            place = self._place(match.start())
            if _FIGURE.search(self.text, self.offset(place.line), self.offset(place.line + _NEAR)):
                return place
        return None

    def offset(self, line: int) -> int:
        """Where a line begins; the text's end for one beyond it."""
        if line <= 1:
            return 0
        return self.ends[line - 2] + 1 if line - 2 < len(self.ends) else len(self.text)

    def _place(self, offset: int) -> FilePlace:
        return FilePlace(self.path, bisect_right(self.ends, offset - 1) + 1 if offset else 1)
