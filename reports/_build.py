"""Report → `ReportView`: sorts, groups, folds and cleans."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from auditor.model import (
    Cause,
    CodeSpan,
    Evidence,
    FileDigest,
    FilePlace,
    MetricPlace,
    Place,
    Recorded,
    RedisPlace,
    Report,
    Result,
    Waiver,
)

from ._because import condense
from ._prose import blocks
from ._sources import sources
from ._text import bounded, clean, excerpt, numbers, runs
from ._view import (
    Cell,
    EvidenceView,
    FindingView,
    Fold,
    ItemView,
    PlaceView,
    ReportView,
    SectionView,
    ServiceView,
    VerdictView,
)
from ._words import CONFIDENCE_ORDER, SEVERITY_ORDER, Shown, shown

_WORDS = {0: ("good", "Passes the gate"), 1: ("bad", "Fails the gate"), 3: ("incomplete", "Incomplete scan")}

_GIVE = re.compile(r"give (?:--|a |one ).*$")
"""What a reader is to give, at the end of a reason."""
_FEW = 3
"""Items without a subject, of one and the same reason, that take a line each."""


def view(report: Report) -> ReportView:
    """All that a format shows of `report`."""
    own, extra = [_item(result) for result in report.results], [_item(result) for result in report.extra]
    sections = (*_sections(own, extra=False), *_sections(extra, extra=True))
    items = [*own, *extra]
    failing = [item for item in items if item.status is Shown.FAIL]
    return ReportView(
        version=clean(report.version),
        date=_date(report.started),
        seconds=f"{report.seconds:.1f} s",
        verdict=_verdict(report),
        gate=report.gate,
        summary=report.summary,
        sources=sources(report),
        sections=sections,
        failures=_worst_first(item for item in failing if not item.all_waived),
        waived=_worst_first(item for item in failing if item.all_waived),
        errors=tuple(item for item in items if item.status is Shown.ERROR),
        open=_worst_first(
            item for item in items if item.status is Shown.UNVERIFIED and item.cause is not Cause.SOURCE_NOT_GIVEN
        ),
        services=_services(report, sections),
        queues=tuple(sorted({queue for item in items for queue in item.queues})),
        limits=tuple(f"{clean(name)} {_limit(value)}" for name, value in report.limits.items()),
        checklist=_digest(report.checklist),
        config=_digest(report.config) if report.config else "",
    )


def place_view(place: Place | None) -> PlaceView | None:
    """A place as shown."""
    match place:
        case None:
            return None
        case CodeSpan(path, start, end):
            return PlaceView("code", bounded(place.label(), 600), path, start, max(start, end))
        case FilePlace(path, line):
            return PlaceView("file", bounded(place.label(), 600), path, line, line)
        case RedisPlace():
            return PlaceView("redis", bounded(place.label(), 600))
        case MetricPlace():
            return PlaceView("metric", bounded(place.label(), 600))


def _item(result: Result) -> ItemView:
    item, verdict = result.item, result.verdict
    findings = sorted((_finding(recorded) for recorded in result.findings), key=_finding_order)
    failing = tuple(finding for finding in findings if finding.status is Shown.FAIL)
    counting = [finding.severity for finding in failing if not finding.waived]
    return ItemView(
        id=clean(item.id),
        number=item.number,
        section=clean(item.section),
        title=clean(item.title),
        severity=item.severity,
        worst=min(counting, key=SEVERITY_ORDER.__getitem__, default=item.severity),
        status=shown(verdict.status, result.selected),
        cause=verdict.cause,
        confidence=verdict.confidence,
        reason=bounded(verdict.reason.strip()),
        failing=failing,
        open=tuple(finding for finding in findings if finding.status is Shown.UNVERIFIED),
        notes=tuple(finding for finding in findings if finding.status not in (Shown.FAIL, Shown.UNVERIFIED)),
        evidence=tuple(_evidence(piece) for piece in verdict.evidence),
        why=blocks(item.why),
        fix=blocks(item.fix),
        references=tuple(clean(reference) for reference in item.references),
        services=tuple(sorted({finding.service for finding in findings} - {""})),
        queues=tuple(sorted({queue for finding in findings for queue in finding.queue.split("|")} - {""})),
        seconds=result.seconds,
    )


def _finding(recorded: Recorded) -> FindingView:
    finding = recorded.finding
    return FindingView(
        status=shown(finding.status),
        severity=recorded.severity,
        confidence=finding.confidence,
        message=bounded(finding.message.strip()),
        subject_type=finding.subject.type.value,
        subject=bounded(finding.subject.name, 240),
        queue=bounded(finding.subject.queue, 240),
        service=bounded(finding.subject.service, 240),
        place=place_view(finding.place),
        related=tuple(found for found in map(place_view, finding.related) if found is not None),
        evidence=tuple(_evidence(piece) for piece in finding.evidence),
        fix=blocks(finding.fix),
        fingerprint=recorded.fingerprint,
        waiver=_waiver(recorded.waived),
    )


def _evidence(piece: Evidence) -> EvidenceView:
    said = (bounded(piece.source), bounded(piece.observed), bounded(piece.expected))
    return EvidenceView(*said, place_view(piece.place), excerpt(piece.excerpt))


def _waiver(waiver: Waiver | None) -> str:
    if waiver is None:
        return ""
    until = f", until {waiver.expires}" if waiver.expires else ""
    return clean(f"{waiver.reason} ({waiver.by}{until})")


def _finding_order(finding: FindingView) -> tuple[bool, int, int, str, str, int, str]:
    place = finding.place
    at = (place.path or place.label, place.line) if place else ("", 0)
    return (
        finding.waived,
        SEVERITY_ORDER[finding.severity],
        CONFIDENCE_ORDER[finding.confidence],
        finding.service,
        *at,
        finding.subject,
    )


def _worst_first(items: Iterable[ItemView]) -> tuple[ItemView, ...]:
    return tuple(sorted(items, key=lambda item: (SEVERITY_ORDER[item.worst], item.number or 1000, item.id)))


def _sections(items: list[ItemView], *, extra: bool) -> list[SectionView]:
    grouped: dict[str, list[ItemView]] = {}
    for item in items:
        grouped.setdefault(item.section, []).append(item)
    return [_section(title, found, index, extra=extra) for index, (title, found) in enumerate(grouped.items(), start=1)]


def _section(title: str, items: list[ItemView], index: int, *, extra: bool) -> SectionView:
    absent = [
        item
        for item in items
        if item.status is Shown.UNVERIFIED and item.cause is Cause.SOURCE_NOT_GIVEN and not item.findings
    ]
    skipped = [item for item in items if item.status is Shown.SKIPPED]
    broken = _alike(item for item in items if item.status is Shown.ERROR)
    refused = _alike(
        item for item in items if item.status is Shown.UNVERIFIED and not item.findings and item not in absent
    )
    nothing = [
        found
        for found in _alike(item for item in items if item.status is Shown.NOT_APPLICABLE and not item.findings)
        if len(found) > _FEW
    ]
    folds = [fold_of(found) for found in (*broken, *refused, absent, *nothing, skipped) if found]
    folded = {item.id for fold in folds for item in fold.items}
    return SectionView(
        title=title,
        anchor=f"{'extra' if extra else 'section'}-{index}",
        items=tuple(items),
        shown=tuple(item for item in items if item.id not in folded),
        folds=tuple(folds),
        counts=Counter(item.status for item in items),
        extra=extra,
    )


def _alike(items: Iterable[ItemView]) -> list[list[ItemView]]:
    """Those of one and the same reason: a source that can't be read, or a collector that dies, takes many checks with it."""
    by_reason: dict[str, list[ItemView]] = {}
    for item in items:
        by_reason.setdefault(item.reason, []).append(item)
    return [found for found in by_reason.values() if len(found) > 1]


def fold_of(items: list[ItemView]) -> Fold:
    """Items of one status as one line."""
    return Fold(items[0].status, tuple(items), _ids(items), _reasons(items))


def _reasons(items: list[ItemView]) -> tuple[str, ...]:
    """Each reason once. Where a source was not given, what to give is all that several reasons are read for."""
    reasons = tuple(dict.fromkeys(item.reason for item in items if item.reason))
    if len(reasons) < 2 or items[0].cause is not Cause.SOURCE_NOT_GIVEN:
        return reasons
    return tuple(dict.fromkeys(found.group() if (found := _GIVE.search(reason)) else reason for reason in reasons))


def _ids(items: list[ItemView]) -> str:
    """Numbers with runs folded, then the ids of those that have none: `1-8, X016-X025`."""
    numbered = sorted(item.number for item in items if item.number is not None)
    return ", ".join(
        [*([numbers(numbered)] if numbered else []), *runs(item.id for item in items if item.number is None)]
    )


def _services(report: Report, sections: tuple[SectionView, ...]) -> tuple[ServiceView, ...]:
    return tuple(
        ServiceView(
            bounded(name, 240),
            summary,
            tuple(_cell(bounded(name, 240), section) for section in sections if not section.extra),
        )
        for name, summary in report.services.items()
    )


def _cell(service: str, section: SectionView) -> Cell:
    failing = [[f.severity for f in item.failing if f.service == service] for item in section.items]
    unsure = sum(
        1
        for item in section.items
        if any(f.service == service for f in item.open) and not any(f.service == service for f in item.failing)
    )
    severities = [severity for found in failing for severity in found]
    worst = min(severities, key=SEVERITY_ORDER.__getitem__, default=None)
    return Cell(section.title, section.anchor, sum(1 for found in failing if found), unsure, worst)


def _verdict(report: Report) -> VerdictView:
    gate = report.gate
    tone, headline = _WORDS.get(gate.exit_code, _WORDS[3])
    about = [(result.item.id, result.item.title) for result in (*report.results, *report.extra)]
    return VerdictView(tone, headline, clean(gate.policy), condense(gate.because, about), gate.exit_code)


def _date(started: str) -> str:
    day, _, time = clean(started).partition("T")
    return f"{day} {time[:5]} UTC" if time else day


def _digest(file: FileDigest) -> str:
    return f"{clean(file.path)} (sha256 {clean(file.sha256[:12])})"


def _limit(value: float | str | bool) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:,}" if isinstance(value, int | float) else clean(value)
