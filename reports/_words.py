"""The words and marks of all formats: every status is told by shape and word, colour comes on top."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from auditor.model import Cause, Confidence, Severity, SourceStatus, Status


class Shown(StrEnum):
    """How an item is shown: its status, or that it was left out of the scan."""

    FAIL = "fail"
    ERROR = "error"
    UNVERIFIED = "unverified"
    ATTESTED = "attested"
    PASS = "pass"
    NOT_APPLICABLE = "not_applicable"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Mark:
    """A status for the eye: a sign, its ASCII stand-in, one word, and a sentence for tooltips and legends."""

    sign: str
    plain: str
    word: str
    meaning: str


MARKS = {
    Shown.FAIL: Mark("✗", "x", "fail", "proven not to hold"),
    Shown.ERROR: Mark("!", "!", "error", "the check itself broke: a bug of tt-audit, never a pass"),
    Shown.UNVERIFIED: Mark(
        "?", "?", "unverified", "could not be shown either way; the reason says what would settle it"
    ),
    Shown.ATTESTED: Mark("◆", "@", "attested", "a named person vouches for it, until a date"),
    Shown.PASS: Mark("✓", "+", "pass", "shown to hold, with evidence"),
    Shown.NOT_APPLICABLE: Mark("–", "-", "n/a", "the sources were there and hold no such subject"),
    Shown.SKIPPED: Mark("·", ".", "skipped", "left out by --only or --skip; counted nowhere"),
}

CAUSES = {
    Cause.SOURCE_NOT_GIVEN: "source not given",
    Cause.REFUSED: "refused",
    Cause.UNRESOLVED: "could not be resolved",
    Cause.NEEDS_PERSON: "needs a person's word",
}

SOURCES = {"live": "Redis", "code": "Code", "infra": "Infra files", "prom": "Observability"}
"""Titles of the sources, in the order in which they are listed."""

SOURCE_WORDS = {SourceStatus.OK: "read", SourceStatus.PARTIAL: "read in part", SourceStatus.UNAVAILABLE: "unavailable"}

SEVERITY_ORDER = {severity: place for place, severity in enumerate(Severity)}
CONFIDENCE_ORDER = {confidence: place for place, confidence in enumerate(Confidence)}


def shown(status: Status, selected: bool = True) -> Shown:
    """How an item of that status is shown."""
    return Shown(status.value) if selected else Shown.SKIPPED
