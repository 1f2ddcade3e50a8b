"""The report for a terminal: what was read, how it stands, one line an item, then the failures in full."""

from __future__ import annotations

from auditor.model import Report
from auditor.reporting import RenderOptions, ReportFormat

from ._build import view
from ._console import Page
from ._terminal_details import details
from ._terminal_head import head, verdict
from ._terminal_items import quiet_failures, sections
from ._terminal_services import services


def render(report: Report, options: RenderOptions) -> str:
    """The report as lines of `options.width` columns."""
    shown, page = view(report), Page(options)
    if options.quiet:
        verdict(shown, page)
        quiet_failures(shown, page)
        return page.text()
    head(shown, page)
    services(shown, page)
    sections(shown, page)
    details(shown, report, page)
    page.blank()
    verdict(shown, page)
    if shown.failures:
        first = shown.failures[0]
        page.line(
            ("tt-audit explain ", "dim"),
            (str(first.number or first.id), "dim"),
            (" says why it matters and how to mend it; ", "dim"),
            ("-o report.html", "dim"),
            (" writes it all as a page.", "dim"),
        )
    return page.text()


FORMAT = ReportFormat("terminal", (".txt",), render)
