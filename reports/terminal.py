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
    read = options.verbose or any(source.status in ("ok", "partial") for source in shown.sources)
    head(shown, page, figures=read)
    if not read:
        page.blank()
        page.line(("Nothing could be read, so no item is decided; --verbose lists them all the same.", "dim"))
        return page.text()
    services(shown, page)
    sections(shown, page)
    details(shown, report, page)
    page.blank()
    verdict(shown, page)
    number = next((item.number or item.id for item in (*shown.failures, *shown.open)), 88)
    said = f"Reasons in full: --verbose. As a page: -o report.html. Why and how to mend: tt-audit explain {number}."
    page.line((said, "dim"))
    return page.text()


FORMAT = ReportFormat("terminal", (".txt",), render)
