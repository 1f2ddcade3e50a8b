"""`tt-audit.report/1`: the report for machines, a frozen shape of its own with a published JSON Schema.

Text is as observed, not cleaned: all that is not printable ASCII is escaped by JSON itself, so that nothing is lost
and no terminal obeys it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from auditor.model import (
    Cause,
    CodeSpan,
    Evidence,
    FileDigest,
    FilePlace,
    Item,
    MetricPlace,
    Place,
    Recorded,
    RedisPlace,
    Report,
    Result,
    Severity,
    Status,
    Subject,
    Summary,
    TreeTarget,
)
from auditor.reporting import RenderOptions, ReportFormat

from ._text import well_formed

SCHEMA = "tt-audit.report/1"

Json = str | int | float | bool | None | list["Json"] | dict[str, "Json"]


def render(report: Report, options: RenderOptions) -> str:
    """The report as one JSON document."""
    return json.dumps(_report(report), indent=2) + "\n"


FORMAT = ReportFormat("json", (".json",), render)


def _report(report: Report) -> Json:
    return {
        "schema": SCHEMA,
        "tool": {"name": "tt-audit", "version": report.version},
        "started": report.started,
        "seconds": round(report.seconds, 3),
        "checklist": _digest(report.checklist),
        "config": _digest(report.config) if report.config else None,
        "limits": {
            _text(name): _text(value) if isinstance(value, str) else value for name, value in report.limits.items()
        },
        "targets": {
            "redis": [
                {
                    "url": _text(t.url),
                    "version": _text(t.version),
                    "run_id": _text(t.run_id),
                    "db": t.db,
                    "dbs": list(t.dbs),
                    "other_dbs": list(t.other_dbs),
                    "role": _text(t.role),
                }
                for t in report.targets.redis
            ],
            "code": [_tree(target) for target in report.targets.code],
            "infra": [_tree(target) for target in report.targets.infra],
            "prometheus": [{"url": _text(target.url)} for target in report.targets.prometheus],
        },
        "sources": [
            {
                "name": source.name,
                "status": source.status.value,
                "why": _text(source.why),
                "commands": {_text(name): sent for name, sent in source.commands.items()},
                "keys_scanned": source.keys_scanned,
                "server_seconds": None if source.server_seconds is None else round(source.server_seconds, 6),
            }
            for source in report.sources
        ],
        "summary": _summary(report.summary),
        "items": [_item(result) for result in report.results],
        "extra": [_item(result) for result in report.extra],
        "services": {_text(name): _summary(summary) for name, summary in report.services.items()},
        "gate": {
            "policy": _text(report.gate.policy),
            "failed": report.gate.failed,
            "exit_code": report.gate.exit_code,
            "because": [_text(line) for line in report.gate.because],
        },
    }


def _item(result: Result) -> Json:
    item, verdict = result.item, result.verdict
    numbered: dict[str, Json] = {} if item.number is None else {"number": item.number}
    return {
        **numbered,
        "id": item.id,
        "section": _text(item.section),
        "title": _text(item.title),
        "severity": item.severity.value,
        "selected": result.selected,
        "status": verdict.status.value,
        "confidence": verdict.confidence.value,
        "cause": verdict.cause.value if verdict.cause else None,
        "reason": _text(verdict.reason),
        "waived": sum(recorded.waived is not None for recorded in result.findings),
        "findings": [_finding(recorded, item) for recorded in result.findings],
        "evidence": _evidence(verdict.evidence),
        "why": _text(item.why),
        "fix": _text(item.fix),
        "references": [_text(reference) for reference in item.references],
    }


def _finding(recorded: Recorded, item: Item) -> Json:
    finding, waived = recorded.finding, recorded.waived
    return {
        "subject": _subject(finding.subject),
        "status": finding.status.value,
        "severity": recorded.severity.value,
        "message": _text(finding.message),
        "confidence": finding.confidence.value,
        "fingerprint": recorded.fingerprint,
        "place": _place(finding.place) if finding.place else None,
        "related": [_place(place) for place in finding.related],
        "evidence": _evidence(finding.evidence),
        "fix": _text(finding.fix or ("" if finding.status is Status.PASS else item.fix)),
        "waived": {"reason": _text(waived.reason), "by": _text(waived.by), "expires": _text(waived.expires)}
        if waived
        else None,
    }


def _subject(subject: Subject) -> Json:
    return {
        "type": subject.type.value,
        "name": _text(subject.name),
        "queue": _text(subject.queue) or None,
        "service": _text(subject.service) or None,
    }


def _place(place: Place) -> Json:
    match place:
        case CodeSpan(path, start, end):
            return {"path": _text(path), "line": start, "end_line": max(start, end)}
        case FilePlace(path, line):
            return {"path": _text(path), "line": line or None}
        case RedisPlace(endpoint, subject):
            return {"endpoint": _text(endpoint), "key": _text(subject)}
        case MetricPlace(source, name):
            return {"source": _text(source), "name": _text(name)}


def _evidence(pieces: Iterable[Evidence]) -> Json:
    return [
        {"source": _text(piece.source), "observed": _text(piece.observed), "expected": _text(piece.expected)}
        for piece in pieces
    ]


def _tree(target: TreeTarget) -> Json:
    return {
        "path": _text(target.path),
        "commit": _text(target.commit),
        "dirty": target.dirty,
        "files_read": target.files_read,
        "files_skipped": [{"path": _text(file.path), "why": _text(file.why)} for file in target.files_skipped],
    }


def _summary(summary: Summary) -> Json:
    return {
        "by_status": _counts(summary.by_status),
        "by_severity": {severity.value: _counts(summary.by_severity.get(severity, {})) for severity in Severity},
        "unverified_by_cause": {cause.value: summary.unverified_by_cause.get(cause, 0) for cause in Cause},
        "score": summary.score,
        "verified": summary.verified,
        "of": summary.of,
        "waived": summary.waived,
    }


def _counts(counts: Mapping[Status, int]) -> dict[str, Json]:
    return {status.value: counts.get(status, 0) for status in Status}


def _digest(file: FileDigest) -> Json:
    return {"path": _text(file.path), "sha256": file.sha256}


def _text(text: str) -> str:
    return well_formed(text)
