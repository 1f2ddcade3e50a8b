"""JUnit XML: a suite a section, a test case an item.

fail → failure (waived: skipped, with the waiver, since CI systems break on failures), error → error,
unverified, n/a and skipped → skipped with the reason, pass and attested → a case with its evidence as output.
"""

from __future__ import annotations

from xml.etree import ElementTree

from auditor.model import Report
from auditor.reporting import RenderOptions, ReportFormat

from ._build import view
from ._links import repository_path
from ._text import clean, counted
from ._view import EvidenceView, FindingView, ItemView, ReportView, SectionView
from ._words import CAUSES, Shown


def render(report: Report, options: RenderOptions) -> str:
    """The document."""
    shown = view(report)
    root = ElementTree.Element(
        "testsuites", {"name": f"tt-audit {shown.version}", **_counts(shown.items), "time": f"{report.seconds:.3f}"}
    )
    for section in shown.sections:
        root.append(_suite(section, shown, report))
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


FORMAT = ReportFormat("junit", (".xml",), render)


def _suite(section: SectionView, shown: ReportView, report: Report) -> ElementTree.Element:
    seconds = sum(item.seconds for item in section.items)
    suite = ElementTree.Element(
        "testsuite",
        {"name": section.title, **_counts(section.items), "time": f"{seconds:.3f}", "timestamp": report.started[:19]},
    )
    for item in section.items:
        suite.append(_case(item, report))
    return suite


def _counts(items: tuple[ItemView, ...]) -> dict[str, str]:
    failures = sum(item.status is Shown.FAIL and not item.all_waived for item in items)
    errors = sum(item.status is Shown.ERROR for item in items)
    ran = sum(item.status in (Shown.PASS, Shown.ATTESTED) for item in items)
    return {
        "tests": str(len(items)),
        "failures": str(failures),
        "errors": str(errors),
        "skipped": str(len(items) - failures - errors - ran),
    }


def _case(item: ItemView, report: Report) -> ElementTree.Element:
    case = ElementTree.Element(
        "testcase",
        {
            "classname": f"tt-audit.{item.section.replace('.', ' ')}",
            "name": f"{item.id} {item.title}",
            "time": f"{item.seconds:.3f}",
        },
    )
    first = next((finding.place for finding in item.failing if finding.place and finding.place.path), None)
    if first:
        case.set("file", clean(repository_path(first, report)))
        case.set("line", str(max(1, first.line)))
    match item.status:
        case Shown.FAIL if not item.all_waived:
            _add(case, "failure", item.reason, item.worst.value, "\n".join(_told(item)))
        case Shown.FAIL:
            _add(case, "skipped", f"fails, waived: {item.failing[0].waiver}: {item.reason}")
        case Shown.ERROR:
            _add(case, "error", item.reason, "probe")
        case Shown.UNVERIFIED:
            cause = f", {CAUSES[item.cause]}" if item.cause else ""
            _add(case, "skipped", f"unverified{cause}: {item.reason}")
        case Shown.NOT_APPLICABLE | Shown.SKIPPED:
            _add(case, "skipped", f"{item.mark.word}: {item.reason}")
        case _:
            _add(
                case,
                "system-out",
                "",
                text="\n".join([item.reason, *(line for piece in item.evidence for line in _observed(piece))]),
            )
    return case


def _add(case: ElementTree.Element, tag: str, message: str = "", kind: str = "", text: str = "") -> None:
    attributes = ({"message": message} if message else {}) | ({"type": kind} if kind else {})
    ElementTree.SubElement(case, tag, attributes).text = text or None


def _told(item: ItemView) -> list[str]:
    lines = [counted(len(item.failing), "finding")]
    for finding in item.failing:
        lines += ["", *_finding(finding)]
    lines += [line for piece in item.evidence for line in _observed(piece)]
    return lines


def _finding(finding: FindingView) -> list[str]:
    lines = [finding.message + (f" [waived: {finding.waiver}]" if finding.waived else "")]
    lines += [f"  at {place.label}" for place in (finding.place, *finding.related) if place]
    return [*lines, *(f"  {line}" for piece in finding.evidence for line in _observed(piece))]


def _observed(piece: EvidenceView) -> list[str]:
    lines = [f"{piece.source}: {piece.observed}" + (f" (expected: {piece.expected})" if piece.expected else "")]
    return [*lines, *(f"  | {line}" for line in piece.excerpt)]
