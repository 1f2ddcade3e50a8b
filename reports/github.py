"""GitHub workflow commands: an annotation a failing finding at its line, then the summary as plain lines.

GitHub shows 10 annotations of a kind and step: the worst come first. Waived findings make none.
"""

from __future__ import annotations

from auditor.model import Report, Severity
from auditor.reporting import RenderOptions, ReportFormat

from ._build import view
from ._links import repository_path
from ._text import clean, shorten, unheard
from ._view import FindingView, ItemView, ReportView
from ._words import MARKS, SEVERITY_ORDER, Shown

_COMMANDS = {Severity.CRITICAL: "error", Severity.HIGH: "error", Severity.MEDIUM: "warning", Severity.LOW: "notice"}
_MESSAGE = 1_000


def render(report: Report, options: RenderOptions) -> str:
    """Commands first, so that nothing above them can begin a line."""
    shown = view(report)
    findings = [(item, finding) for item in shown.failures for finding in item.failing if not finding.waived]
    findings.sort(key=lambda pair: SEVERITY_ORDER[pair[1].severity])
    lines = [_annotation(item, finding, report) for item, finding in findings]
    lines += [_bare(item) for item in shown.failures if not item.failing]
    lines += [
        _command("warning", f"{item.id} broke: {item.reason}", {"title": f"{item.id} {item.title}"})
        for item in shown.errors
    ]
    return "\n".join([*lines, unheard("\n".join(_summary(shown))), ""])


FORMAT = ReportFormat("github", (), render)


def _annotation(item: ItemView, finding: FindingView, report: Report) -> str:
    at: dict[str, str] = {}
    if path := clean(repository_path(finding.place, report)):
        at["file"] = path
        if finding.place and finding.place.line:
            at |= {"line": str(finding.place.line), "endLine": str(finding.place.end)}
    told = [finding.message]
    if finding.place and not path:
        told.append(f"where: {finding.place.label}")
    told += [
        f"{piece.source}: {piece.observed}" + (f" (expected: {piece.expected})" if piece.expected else "")
        for piece in finding.evidence
    ]
    message = "\n".join(shorten(line, _MESSAGE) for line in told)
    return _command(_COMMANDS[finding.severity], message, {**at, "title": f"{item.id} {item.title}"})


def _bare(item: ItemView) -> str:
    return _command(_COMMANDS[item.worst], item.reason, {"title": f"{item.id} {item.title}"})


def _command(name: str, message: str, properties: dict[str, str]) -> str:
    given = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
    return f"::{name} {given}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _summary(report: ReportView) -> list[str]:
    said, summary = report.verdict, report.summary
    score = "no score" if summary.score is None else f"score {summary.score} of 100"
    counts = ", ".join(
        f"{number} {MARKS[Shown(status.value)].word}" for status, number in summary.by_status.items() if number
    )
    lines = [
        f"tt-audit: {said.headline} ({said.policy}), {score}, {summary.verified} of {summary.of} verified",
        f"tt-audit: {counts}",
    ]
    lines += [f"tt-audit: {line}" for line in said.because]
    lines += [f"tt-audit: {item.id} fails, waived: {item.failing[0].waiver}" for item in report.waived]
    lines += [
        f"tt-audit: {source.title} {source.word}{f': {source.why}' if source.why else ''}"
        for source in report.sources
        if source.status not in ("ok", None)
    ]
    return lines
