"""The end of the terminal report: failures in full, then waived ones and broken checks."""

from __future__ import annotations

from collections.abc import Iterable

from auditor.model import Confidence, Report

from ._because import named as ids_named
from ._console import SEVERITY_STYLES, Page, mark
from ._groups import alike, by_expected, by_file, named, unsaid
from ._links import file_url
from ._text import counted
from ._view import EvidenceView, FindingView, ItemView, PlaceView, ReportView
from ._words import Shown

_IN_FULL = 3
"""Findings of one item that are shown with their evidence; the others take one line each. --verbose: all."""
_LISTED = 40
"""Findings of one item that are listed at all. --verbose: all."""
_INDENT = 4
_COLUMN = 11


def details(view: ReportView, report: Report, page: Page) -> None:
    """What failed and what to do; with --verbose also what stayed open."""
    _part("Failures", view.failures, report, page)
    _broken(view.errors, page)
    if page.options.verbose:
        _part("Unverified", view.open, report, page)
    if view.waived:
        _heading(f"Waived: {counted(len(view.waived), 'item')}", page)
        for item in view.waived:
            page.cut((f"{item.id}  ", "dim"), item.title, indent=2)
            for finding in item.failing:
                page.line((f"{_label(finding)}: {finding.waiver}", "dim"), indent=_INDENT, hang=2)


def _part(title: str, items: tuple[ItemView, ...], report: Report, page: Page) -> None:
    if not items:
        return
    extra = sum(item.number is None for item in items)
    among = f", {extra} of them extra" if extra else ""
    _heading(f"{title}: {counted(len(items), 'item')}{among}", page)
    for item in items:
        page.blank()
        _item(item, report, page)


def _broken(items: tuple[ItemView, ...], page: Page) -> None:
    if not items:
        return
    _heading(f"Broken checks: {counted(len(items), 'item')}", page)
    by_reason: dict[str, list[str]] = {}
    for item in items:
        by_reason.setdefault(item.reason, []).append(item.id)
    for reason, ids in by_reason.items():
        page.line(mark(Shown.ERROR, page.options, word=False), f" {reason}", hang=2)
        page.line((ids_named(ids, 12), "dim"), indent=2)
    page.line(("This is a bug of tt-audit, not of the scanned system.", "dim"), indent=2)


def _heading(text: str, page: Page) -> None:
    page.blank()
    page.cut((text, "bold"))
    page.rule()


def _item(item: ItemView, report: Report, page: Page) -> None:
    sign, style = mark(item.status, page.options, word=False)
    page.line((f"{sign} {item.id}  ", style), (item.title, "bold"), hang=4)
    page.line(
        (item.worst.value, SEVERITY_STYLES[item.worst]),
        (f" · {item.confidence} · {item.section}", "dim"),
        indent=_INDENT,
    )
    if not any(item.reason.startswith(finding.message) for finding in item.findings):
        page.line(item.reason, indent=_INDENT)
    _findings(item.findings if page.options.verbose else (*item.failing, *item.open), report, page)
    if item.evidence and (page.options.verbose or not item.findings):  # beside findings it tells what did hold
        page.blank()
        _evidence(item.evidence, report, page)
    if item.fix and not item.all_have_fixes:
        page.blank()
        page.prose(item.fix, _INDENT, "fix")


def _findings(findings: tuple[FindingView, ...], report: Report, page: Page) -> None:
    groups = alike(findings)
    full = len(groups) if page.options.verbose else _IN_FULL
    for group in groups[:full]:
        page.blank()
        _group(group, report, page)
    rest = [finding for group in groups[full:] for finding in group]
    if rest:
        page.blank()
        page.line((f"and {counted(len(rest), 'more finding')} (in full with --verbose):", "dim"), indent=_INDENT)
    for finding in rest[: _LISTED - full]:
        _short(finding, report, page)
    if len(rest) > _LISTED - full:
        page.line((f"… {len(rest) - _LISTED + full:,} of them are not listed here", "dim"), indent=_INDENT)


def _group(group: tuple[FindingView, ...], report: Report, page: Page) -> None:
    """Findings that say the same: the first in full, of the others subject and places."""
    finding, indent = group[0], _INDENT + 2
    sign, style = mark(finding.status, page.options, word=False)
    sure = () if finding.confidence is Confidence.CERTAIN else ((f" ({finding.confidence})", "dim"),)
    page.line((f"{sign} ", style), finding.message, *sure, *_waiver(finding), indent=_INDENT, hang=2)
    if finding.about:
        tags = " · ".join(f"{label} {name}" for label, name in finding.about)
        page.labelled("about", (tags, "dim"), indent=indent)
    _places(finding, report, page)
    shown = group[1:] if page.options.verbose else group[1:_LISTED]
    for other in shown:
        _also(named(other, finding), other, report, page)
    if len(shown) < len(group) - 1:
        page.labelled("", (f"… and {len(group) - 1 - len(shown):,} more", "dim"), indent=indent)
    _evidence(finding.evidence, report, page, finding)
    if finding.fix:
        page.prose(finding.fix, indent, "fix")


def _places(finding: FindingView, report: Report, page: Page) -> None:
    """Where a finding is, and what leads there: a line a file. Evidence tells its places itself."""
    told = {piece.source for piece in finding.evidence}
    related = [place for place in finding.related if place.label not in told]
    if finding.place:
        page.labelled("where", _linked(finding.place, report, page), indent=_INDENT + 2)
    for places in by_file(related):
        page.labelled("and", *_lines(places, report, page), indent=_INDENT + 2)


def _also(name: str, finding: FindingView, report: Report, page: Page) -> None:
    """A further subject of which the same is said."""
    service = f" · service {finding.service}" if finding.service and finding.service not in finding.subject else ""
    places = finding.places if page.options.verbose else finding.places[:1]
    spots = [part for group in by_file(places) for part in ("  ", *_lines(group, report, page))]
    page.labelled("also", name, (service, "dim"), *spots, indent=_INDENT + 2)


def _lines(places: tuple[PlaceView, ...], report: Report, page: Page) -> list[str | tuple[str, str]]:
    """`src/a.ts:40, :52`."""
    shown: list[str | tuple[str, str]] = [_linked(places[0], report, page)]
    for place in places[1:]:
        shown += [", ", _linked(place, report, page, f":{place.line}")]
    return shown


def _evidence(pieces: Iterable[EvidenceView], report: Report, page: Page, of: FindingView | None = None) -> None:
    at = of.place if of is not None else None
    for run in by_expected(pieces):
        for piece in run:
            if at is None or piece.source not in (at.label, at.label.partition(" @ ")[0]):  # `where` has just said it
                page.labelled("evidence", (piece.source, "bold"), *_beside(piece, report, page, at), indent=_INDENT + 2)
            if unsaid(piece, of):
                page.labelled("observed", piece.observed or "(nothing)", indent=_INDENT + 2)
            if piece.expected and piece is run[-1]:
                page.labelled("expected", piece.expected, indent=_INDENT + 2)
            for line in piece.excerpt:
                page.cut(("│ ", "dim"), (line, "cyan"), indent=_INDENT + 2 + _COLUMN)


def _beside(piece: EvidenceView, report: Report, page: Page, at: PlaceView | None) -> tuple[str | tuple[str, str], ...]:
    """Where evidence lies, as far as neither its source nor the finding's place has said it."""
    place = piece.place
    if place is None or place == at or place.label == piece.source:
        return ()
    key, _, endpoint = place.label.partition(" @ ")
    if place.kind == "redis" and key in piece.source:  # `LLEN bull:mail:wait` names its key itself
        return () if at is not None and at.label.endswith(f" @ {endpoint}") else ((f" @ {endpoint}", "dim"),)
    return (" · ", _linked(place, report, page))


def _short(finding: FindingView, report: Report, page: Page) -> None:
    sign, style = mark(finding.status, page.options, word=False)
    where = _linked(finding.place, report, page) if finding.place else ""
    if finding.place is not None and finding.place.kind == "redis":
        # keys are long, and say less than the message does: on a narrow page they would be all there is
        shown: tuple[str | tuple[str, str], ...] = (finding.message, *_waiver(finding), "  ", where)
    else:
        shown = (where, (f"  {finding.message}", "dim"), *_waiver(finding))
    page.cut((f"{sign} ", style), *shown, indent=_INDENT)


def _label(finding: FindingView) -> str:
    return finding.place.label if finding.place else finding.subject


def _linked(place: PlaceView, report: Report, page: Page, label: str = "") -> tuple[str, str]:
    url = file_url(place, report, page.options) if page.options.hyperlinks and page.options.color else ""
    return (label or place.label, f"underline link {url}" if url else "underline")


def _waiver(finding: FindingView) -> tuple[tuple[str, str], ...]:
    return ((f" [waived: {finding.waiver}]", "dim"),) if finding.waived else ()
