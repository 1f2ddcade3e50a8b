"""Findings of one item that say the same of several subjects: told once, with every subject and place."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

from ._view import EvidenceView, FindingView, PlaceView

_TELLING = 12
"""Characters from which on a text is not repeated by chance."""


def alike(findings: Iterable[FindingView]) -> list[tuple[FindingView, ...]]:
    """The findings, in their order, those together that differ in subject, service and places alone."""
    groups: dict[object, list[FindingView]] = {}
    for finding in findings:
        groups.setdefault(_said(finding), []).append(finding)
    return [tuple(group) for group in groups.values()]


def named(finding: FindingView, first: FindingView) -> str:
    """What tells a finding from the first of its group: its subject, or its queue where both are about one subject."""
    same = finding.subject == first.subject and finding.queue not in ("", first.queue)
    return finding.queue if same else finding.subject


def by_file(places: Iterable[PlaceView]) -> list[tuple[PlaceView, ...]]:
    """Places, in their order, those of one file together, each line of it once."""
    seen: dict[object, dict[int, PlaceView]] = {}
    for place in places:
        key = (place.kind, place.path) if place.path else (place.kind, place.label)
        seen.setdefault(key, {}).setdefault(place.line, place)
    return [tuple(lines.values()) for lines in seen.values()]


def by_expected(pieces: Iterable[EvidenceView]) -> list[tuple[EvidenceView, ...]]:
    """Observations in a row that are held against one and the same expectation."""
    return [tuple(run) for _, run in groupby(pieces, key=lambda piece: piece.expected)]


def unsaid(piece: EvidenceView, finding: FindingView | None) -> bool:
    """Whether what was observed is not yet in the finding's message, word by word; a short word may be there by chance."""
    said = finding is not None and len(piece.observed) >= _TELLING and piece.observed in finding.message
    return not said or bool(piece.excerpt)


def _said(finding: FindingView) -> object:
    """All that a finding says, with what it is about left out."""
    labels = [label for place in finding.places for label in (place.label, place.label.partition(" @ ")[0])]
    names = sorted({finding.subject, *finding.queue.split("|"), *labels} - {""}, key=len)

    def plain(text: str) -> str:
        for name in reversed(names):
            text = text.replace(name, "\0")
        return text

    told = tuple((plain(one.source), plain(one.observed), one.expected, one.excerpt) for one in finding.evidence)
    head = (finding.status, finding.severity, finding.confidence, finding.waiver, finding.subject_type)
    return (*head, plain(finding.message), told, tuple(map(str, finding.fix)), finding.place is None)
