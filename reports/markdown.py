"""The report as Markdown for a pull request's comment: the verdict, the failures folded, then all sections in one table.

GitHub refuses a comment above 65,536 characters: what does not fit is left out from the end, and it says so.
"""

from __future__ import annotations

from auditor.model import Report, Severity, Status
from auditor.reporting import RenderOptions, ReportFormat

from ._build import view
from ._links import web_url
from ._markdown import block, code, html, inline, plain, prose
from ._prose import spans
from ._text import counted
from ._view import EvidenceView, FindingView, ItemView, PlaceView, ReportView
from ._words import MARKS, Shown

_LIMIT = 62_000
_FINDINGS = 10
"""Findings of one item in the comment."""


def render(report: Report, options: RenderOptions) -> str:
    """The comment."""
    shown = view(report)
    page = "\n".join([*_head(shown), *_table(shown)])
    tail = "\n".join(["", *_waived(shown), *_sections(shown), "", *_sources(shown), ""])
    items = (*shown.failures, *shown.errors)
    if items:
        page += "\n\n### Failures\n"
    for place, item in enumerate(items):
        told = "\n" + "\n".join(_item(item, report, options)) + "\n"
        if len(page) + len(told) + len(tail) > _LIMIT:
            left = items[place:]
            ids = ", ".join(plain(one.id) for one in left)
            page += f"\n{counted(len(left), 'more item')} did not fit (see the HTML or JSON report): {ids}\n"
            break
        page += told
    return page + tail


FORMAT = ReportFormat("markdown", (".md", ".markdown"), render)


def _head(report: ReportView) -> list[str]:
    said, summary = report.verdict, report.summary
    sign = {"good": Shown.PASS, "bad": Shown.FAIL, "incomplete": Shown.UNVERIFIED}[said.tone]
    score = "no score: no item passed or failed" if summary.score is None else f"score {summary.score} of 100"
    policy = f"Policy: {plain(said.policy)}; exit" if said.policy else "Exit"
    lines = [
        f"## {MARKS[sign].sign} tt-audit: {said.headline}, {score}",
        "",
        f"**{summary.verified} of {summary.of}** items verified. {policy} code {said.exit_code}.",
    ]
    return [*lines, *([""] if said.because else []), *(f"- {plain(line)}" for line in said.because), ""]


def _table(report: ReportView) -> list[str]:
    summary = report.summary
    lines = [f"| | {' | '.join(Severity)} | all |", "|:--|--:|--:|--:|--:|--:|"]
    for status in Status:
        total = summary.by_status.get(status, 0)
        if total:
            mark = MARKS[Shown(status.value)]
            cells = (summary.by_severity.get(severity, {}).get(status, 0) or "" for severity in Severity)
            lines.append(f"| {mark.sign} {mark.word} | {' | '.join(map(str, cells))} | **{total}** |")
    return lines


def _item(item: ItemView, report: Report, options: RenderOptions) -> list[str]:
    lines = [
        "<details>",
        f"<summary>{item.mark.sign} <b>{item.worst}</b> · {html(item.id)} {html(item.title)}</summary>",
        "",
        inline(spans(item.reason)),
    ]
    for finding in item.failing[:_FINDINGS]:
        lines += ["", *_finding(finding, report, options)]
    if len(item.failing) > _FINDINGS:
        lines += ["", f"and {counted(len(item.failing) - _FINDINGS, 'more finding')}"]
    lines += _evidence(item.evidence, "")
    if item.fix and item.status is Shown.FAIL and not item.all_have_fixes:
        lines += ["", "**Fix**", "", *prose(item.fix)]
    return [*lines, "", "</details>"]


def _finding(finding: FindingView, report: Report, options: RenderOptions) -> list[str]:
    lines = [f"- {inline(spans(finding.message))}{f' *(waived: {plain(finding.waiver)})*' if finding.waived else ''}"]
    places = [place for place in (finding.place, *finding.related) if place]
    if places:
        lines.append(f"  {', '.join(_place(place, report, options) for place in places)}")
    lines += [
        f"  {line}" if line else ""
        for line in _evidence(finding.evidence, finding.place.label if finding.place else "")
    ]
    if finding.fix:
        lines += ["", *(f"  {line}" if line else "" for line in prose(finding.fix))]
    return lines


def _evidence(pieces: tuple[EvidenceView, ...], at: str) -> list[str]:
    lines: list[str] = []
    for piece in pieces:
        expected = f", expected {code(piece.expected)}" if piece.expected else ""
        source = f"{code(piece.source)}: " if piece.source != at else ""
        lines += ["", f"{source}observed {code(piece.observed) or 'nothing'}{expected}"]
        if piece.excerpt:
            lines += ["", *block(piece.excerpt)]
    return lines


def _place(place: PlaceView, report: Report, options: RenderOptions) -> str:
    url = web_url(place, report, options)
    return f"[{code(place.label)}]({url.replace('(', '%28').replace(')', '%29')})" if url else code(place.label)


def _waived(report: ReportView) -> list[str]:
    told = [
        f"- {plain(item.id)} {plain(item.title)}: {plain(finding.waiver)}"
        for item in report.waived
        for finding in item.failing
    ]
    return ["### Waived", "", *told, ""] if told else []


def _sections(report: ReportView) -> list[str]:
    lines = [
        "<details>",
        "<summary>All sections</summary>",
        "",
        "| section | " + " | ".join(MARKS[status].word for status in Shown) + " |",
    ]
    lines.append("|:--|" + "--:|" * len(Shown))
    for section in report.sections:
        title = plain(section.title) + (" (extra)" if section.extra else "")
        lines.append(f"| {title} | " + " | ".join(str(section.counts.get(status) or "") for status in Shown) + " |")
    return [*lines, "", "</details>"]


def _sources(report: ReportView) -> list[str]:
    told = []
    for source in report.sources:
        what = ", ".join(code(target.label) for target in source.targets)
        cost = "".join(f", {cost}" for cost in source.cost)
        told.append(f"{source.title}: {f'{what} ' if what else ''}{source.word}{cost}")
    return [
        f"<sub>tt-audit {plain(report.version)} · {plain(report.date)} · {report.seconds} · {' · '.join(told)}</sub>"
    ]
