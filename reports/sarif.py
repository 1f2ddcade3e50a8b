"""SARIF 2.1.0 for code scanning: a rule an item, a result a failing finding, waived ones suppressed.

A finding about a live Redis or a metric has no file. GitHub refuses a whole upload for one result without a physical
location, so such a result is put on the config file (where the target is named), and its true place is the logical one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from urllib.parse import quote

from auditor.model import Report, Severity, SourceStatus
from auditor.reporting import RenderOptions, ReportFormat

from ._build import view
from ._links import is_web, repository_path
from ._markdown import prose
from ._prose import Block
from ._text import clean, well_formed
from ._view import EvidenceView, FindingView, ItemView, PlaceView, ReportView
from ._words import Shown

Json = str | int | float | bool | None | list["Json"] | dict[str, "Json"]

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {Severity.CRITICAL: "error", Severity.HIGH: "error", Severity.MEDIUM: "warning", Severity.LOW: "note"}
_RANKS = {Severity.CRITICAL: 95.0, Severity.HIGH: 75.0, Severity.MEDIUM: 45.0, Severity.LOW: 15.0}
_PRECISION = {"certain": "very-high", "likely": "high", "possible": "low"}


def render(report: Report, options: RenderOptions) -> str:
    """The log with its one run."""
    shown = view(report)
    run: Json = {
        "tool": {
            "driver": {"name": "tt-audit", "version": shown.version, "rules": [_rule(item) for item in shown.items]}
        },
        "automationDetails": {"id": "tt-audit/"},
        "columnKind": "unicodeCodePoints",
        "invocations": [_invocation(shown, report)],
        "results": [result for index, item in enumerate(shown.items) for result in _results(item, index, report)],
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


FORMAT = ReportFormat("sarif", (".sarif", ".sarif.json"), render)


def _rule(item: ItemView) -> Json:
    link = next((reference for reference in item.references if is_web(reference)), "")
    fix = "\n".join(prose(item.fix))
    help_text = "\n".join(["**Why**", "", *prose(item.why), "", "**Fix**", "", fix])
    return {
        "id": item.id,
        "name": "".join(word.capitalize() for word in item.title.split() if word.isalnum()) or item.id,
        "shortDescription": {"text": item.title},
        "fullDescription": {"text": _text(item.why) or item.title},
        "help": {"text": f"{_text(item.why)}\n\n{_text(item.fix)}".strip() or item.title, "markdown": help_text},
        **({"helpUri": link} if link else {}),
        "defaultConfiguration": {"level": _LEVELS[item.severity], "rank": _RANKS[item.severity]},
        "properties": {
            "tags": ["bullmq", item.section],
            "precision": "high",
            "problem.severity": "error"
            if _LEVELS[item.severity] == "error"
            else "warning"
            if _LEVELS[item.severity] == "warning"
            else "recommendation",
        },
    }


def _results(item: ItemView, index: int, report: Report) -> Iterator[Json]:
    if item.status is not Shown.FAIL:
        return
    for finding in item.failing:
        suppressed: dict[str, Json] = (
            {"suppressions": [{"kind": "external", "status": "accepted", "justification": finding.waiver}]}
            if finding.waived
            else {}
        )
        yield {
            "ruleId": item.id,
            "ruleIndex": index,
            "level": _LEVELS[finding.severity],
            "rank": _RANKS[finding.severity],
            "message": {"text": _message(finding)},
            "locations": [_location(finding, report)],
            "relatedLocations": [
                {"id": place, **_physical(found, report)}
                for place, found in enumerate(finding.related, start=1)
                if found.path
            ],
            "partialFingerprints": {"ttAuditFinding/v1": finding.fingerprint},
            "properties": {
                "confidence": finding.confidence.value,
                "precision": _PRECISION[finding.confidence.value],
                "service": finding.service,
                "queue": finding.queue,
            },
            **suppressed,
        }
    if not item.failing:
        yield {
            "ruleId": item.id,
            "ruleIndex": index,
            "level": _LEVELS[item.worst],
            "message": {"text": item.reason},
            "locations": [_fallback(report)],
            "partialFingerprints": {"ttAuditFinding/v1": hashlib.sha256(item.id.encode()).hexdigest()},
        }


def _message(finding: FindingView) -> str:
    return "\n".join([finding.message, *(_observed(piece) for piece in finding.evidence)])


def _observed(piece: EvidenceView) -> str:
    return f"{piece.source}: {piece.observed}" + (f" (expected: {piece.expected})" if piece.expected else "")


def _location(finding: FindingView, report: Report) -> Json:
    logical: Json = [
        {"fullyQualifiedName": finding.place.label if finding.place else finding.subject, "kind": finding.subject_type}
    ]
    if finding.place and finding.place.path:
        return {**_physical(finding.place, report), "logicalLocations": logical}
    nearest = next((place for place in finding.related if place.path), None)
    return {**(_physical(nearest, report) if nearest else _fallback(report)), "logicalLocations": logical}


def _physical(place: PlaceView, report: Report) -> dict[str, Json]:
    line = max(1, place.line)
    artifact: Json = {"uri": quote(well_formed(repository_path(place, report)))}
    return {
        "physicalLocation": {
            "artifactLocation": artifact,
            "region": {"startLine": line, "endLine": max(line, place.end)},
        }
    }


def _fallback(report: Report) -> dict[str, Json]:
    name = report.config.path if report.config else "tt-audit.yaml"
    return {"physicalLocation": {"artifactLocation": {"uri": quote(well_formed(name))}, "region": {"startLine": 1}}}


def _invocation(shown: ReportView, report: Report) -> Json:
    told: list[Json] = [
        {"level": "warning", "message": {"text": f"{source.title} {source.word}: {source.why}"}}
        for source in shown.sources
        if source.status not in (SourceStatus.OK, None)
    ]
    told += [{"level": "error", "message": {"text": f"{item.id} broke: {item.reason}"}} for item in shown.errors]
    return {
        "executionSuccessful": report.gate.exit_code in (0, 1),
        "exitCode": report.gate.exit_code,
        "startTimeUtc": clean(report.started),
        "toolExecutionNotifications": told,
    }


def _text(blocks: tuple[Block, ...]) -> str:
    return "\n".join(block.text for block in blocks)
