"""Top of the terminal report: targets, sources with their cost, and the figures."""

from __future__ import annotations

from collections.abc import Mapping

from auditor.model import Cause, Severity, Status

from ._console import SEVERITY_STYLES, STYLES, Page, mark
from ._text import counted
from ._view import ReportView, SourceView
from ._words import CAUSES, SOURCES, Shown

_LABEL = 15
_TONES = {"good": "bold green", "bad": "bold red", "incomplete": "bold yellow"}
_SOURCE_STYLES = {None: "dim", "ok": "green", "partial": "yellow", "unavailable": "bold yellow"}


def head(report: ReportView, page: Page, *, figures: bool = True) -> None:
    """Everything above the sections; `figures`: with the table of items by status and severity."""
    from rich.text import Text

    page.ends(
        Text.assemble(("tt-audit", "bold"), f" {report.version}"), Text(f"{report.date} · {report.seconds}", "dim")
    )
    page.rule()
    for source in report.sources:
        _source(source, page)
    if page.options.verbose:
        page.labelled("Checklist", report.checklist, indent=0, column=_LABEL)
        if report.config:
            page.labelled("Config", report.config, indent=0, column=_LABEL)
        if report.limits:
            page.labelled("Limits", " · ".join(report.limits), indent=0, column=_LABEL)
    page.blank()
    verdict(report, page, told=tuple(source.why for source in report.sources if source.why))
    if figures:
        page.blank()
        _table(report, page)


def verdict(report: ReportView, page: Page, told: tuple[str, ...] = ()) -> None:
    """The gate's word, why, and the two figures that sum it all up; `told` has just been said of the sources."""
    said, summary = report.verdict, report.summary
    sign = {"good": Shown.PASS, "bad": Shown.FAIL, "incomplete": Shown.UNVERIFIED}[said.tone]
    policy = f" ({said.policy})" if said.policy else ""
    page.line(
        (f"{mark(sign, page.options, word=False)[0]} {said.headline}", _TONES[said.tone]),
        (f"{policy}, exit code {said.exit_code}", "dim"),
    )
    for line in said.because:
        name, _, why = line.removeprefix("source ").partition(": ")
        again = name in SOURCES and why in told
        page.line("- ", f"{SOURCES[name]} could not be read: see above" if again else line, indent=2, hang=2)
    score = "none: no item passed or failed" if summary.score is None else f"{summary.score} of 100"
    figures = f"Score {score} · {summary.verified} of {summary.of} items verified"
    if summary.waived:
        figures += f" · {counted(summary.waived, 'finding')} waived"
    page.line((figures, "bold"))


def _source(source: SourceView, page: Page) -> None:
    first = source.title
    for target in source.targets:
        page.labelled(
            first,
            (target.label, "bold"),
            ("".join(f" · {fact}" for fact in target.facts), "dim"),
            indent=0,
            column=_LABEL,
            style="",
        )
        first = ""
        if page.options.verbose:
            for skipped in target.skipped:
                page.labelled("", (f"not read: {skipped}", "dim"), indent=0, column=_LABEL)
    said = [(source.word, _SOURCE_STYLES[source.status])]
    said += [(f" · {cost}", "dim") for cost in source.cost]
    if source.why:
        said.append((f" · {source.why}", "yellow"))
    if source.status != "ok" or source.cost or not source.targets:
        page.labelled(first, *said, indent=0, column=_LABEL, style="")
    if page.options.verbose and source.commands:
        page.labelled("", (source.commands, "dim"), indent=0, column=_LABEL)


def _table(report: ReportView, page: Page) -> None:
    summary = report.summary
    columns = [severity for severity in Severity if sum(summary.by_severity.get(severity, {}).values())]
    page.cut((" " * 16 + "all".rjust(5), "dim"), *((severity.value.rjust(10), "dim") for severity in columns))
    for status in Shown:
        if status is Shown.SKIPPED:
            continue
        total = _of(summary.by_status, status)
        if not total and status in (Shown.ERROR, Shown.ATTESTED):
            continue
        label, style = mark(status, page.options)
        cells = [
            _cell(
                _of(summary.by_severity.get(severity, {}), status),
                SEVERITY_STYLES[severity] if status is Shown.FAIL else "",
            )
            for severity in columns
        ]
        page.cut(
            (label.ljust(16), style if total else "dim"),
            (str(total).rjust(5), STYLES[status] if total else "dim"),
            *cells,
        )
    causes = [_caused(cause, number) for cause, number in summary.unverified_by_cause.items() if number]
    if causes:
        page.line((f"unverified: {' · '.join(causes)}", "dim"), indent=2)


def _caused(cause: Cause, number: int) -> str:
    """`1 needs a person's word`, `3 need a person's word`."""
    said = CAUSES[cause]
    return f"{number} {said if number == 1 else said.replace('needs ', 'need ')}"


def _of(counts: Mapping[Status, int], status: Shown) -> int:
    return counts.get(Status(status.value), 0)


def _cell(number: int, style: str) -> tuple[str, str]:
    return (str(number).rjust(10) if number else "·".rjust(10), style if number else "dim")
