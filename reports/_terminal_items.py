"""The sections of the terminal report: one line an item."""

from __future__ import annotations

from ._build import fold_of
from ._console import SEVERITY_STYLES, STYLES, Page, mark
from ._text import counted
from ._view import Fold, ItemView, ReportView, SectionView
from ._words import MARKS, Shown

_MARK = 13
_ID = 7
_SEVERITY = 10
_WIDE = 120
"""From this many columns on, the severity has a column of its own."""


def sections(report: ReportView, page: Page) -> None:
    """All sections; those of further packs say that they are not counted."""
    left_out = [item for section in report.sections if _is_left_out(section) for item in section.items]
    for section in report.sections:
        if _is_left_out(section):
            continue
        page.blank()
        _heading(section, page)
        for item in section.shown:
            _line(item, page)
        for fold in section.folds:
            _fold(fold, page)

    if left_out:
        page.blank()
        _fold(fold_of(left_out), page)


def _is_left_out(section: SectionView) -> bool:
    return all(item.status is Shown.SKIPPED for item in section.items)


def quiet_failures(report: ReportView, page: Page) -> None:
    """One line a failure, worst first."""
    for item in (*report.failures, *report.errors):
        _line(item, page)


def _heading(section: SectionView, page: Page) -> None:
    from rich.text import Text

    counts = [
        (f"{section.counts[status]} {MARKS[status].word}", STYLES[status]) for status in Shown if section.counts[status]
    ]
    right = Text.assemble(*[part for count in counts for part in ((" · ", "dim"), count)][1:])
    page.ends(
        Text.assemble((section.title, "bold"), (" (extra, not counted)" if section.extra else "", "dim")),
        right,
        fill="─",
    )


def _line(item: ItemView, page: Page) -> None:
    from rich.text import Text

    label, style = mark(item.status, page.options)
    severity = _SEVERITY if page.width >= _WIDE else 0
    indent = 2 + _MARK + _ID + severity
    room = page.width - indent
    loud = item.status in (Shown.FAIL, Shown.ERROR)
    quiet = item.status in (Shown.NOT_APPLICABLE, Shown.SKIPPED)
    title = Text(item.title, "bold" if loud else "dim" if quiet else "")
    reason = _reason(item)
    if reason and not page.options.verbose:
        title.truncate(_title_column(room), overflow="ellipsis", pad=True)
    parts: list[Text | str | tuple[str, str]] = [
        (label.ljust(_MARK), style),
        (item.id.ljust(_ID), "" if loud else "dim"),
    ]
    if severity:
        parts.append((item.worst.value.ljust(_SEVERITY), SEVERITY_STYLES[item.worst] if loud else "dim"))
    if page.options.verbose:
        page.cut(*parts, title, indent=2)
        if reason:
            page.line((reason, "dim"), indent=indent)
        for evidence in item.evidence if item.status is not Shown.FAIL else ():
            page.line((f"{evidence.source}: {evidence.observed}", "dim"), indent=indent, hang=2)
        return
    page.cut(*parts, title, ("  " + reason if reason else "", "dim"), indent=2)


def _title_column(room: int) -> int:
    """Columns of the title: most titles fit from 100 columns on; what is left is the reason's."""
    return max(24, min(60, room * 11 // 20))


def _reason(item: ItemView) -> str:
    if item.waived:
        return f"[{counted(item.waived, 'finding')} waived] {item.reason}"
    return item.reason


def _fold(fold: Fold, page: Page) -> None:
    label, style = mark(fold.status, page.options, word=False)
    why = f": {'; '.join(fold.reasons[:2])}" if fold.reasons else ""
    if len(fold.reasons) > 2:
        why += f"; and {counted(len(fold.reasons) - 2, 'more reason')}"
    page.line((label, style), (f" {len(fold.items)} {fold.summary} ({fold.ids}){why}", "dim"), indent=2, hang=2)
