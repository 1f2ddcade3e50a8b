"""The matrix of the terminal report: sections down, services across, in as many blocks as the width asks for."""

from __future__ import annotations

from collections.abc import Iterator

from ._console import SEVERITY_STYLES, Page
from ._text import shorten
from ._view import Cell, ReportView, ServiceView

_TITLE = 30
_NAME = 20


def services(report: ReportView, page: Page) -> None:
    """Failing and open items by section and service; nothing where the scan had one service only."""
    if len(report.services) < 2:
        return
    page.blank()
    page.cut(("Services", "bold"), ("  failing items, + open ones", "dim"))
    for number, block in enumerate(_blocks(report.services, page.width - _TITLE - 2)):
        if number:
            page.blank()
        _block(block, page)


def _block(block: list[ServiceView], page: Page) -> None:
    widths = [_width(service) for service in block]
    names = [shorten(service.name, _NAME) for service in block]
    scores = ["–" if service.summary.score is None else str(service.summary.score) for service in block]
    page.cut(" " * _TITLE, *((name.rjust(width), "bold") for name, width in zip(names, widths, strict=True)), indent=2)
    page.cut(
        "score".ljust(_TITLE),
        *((score.rjust(width), "") for score, width in zip(scores, widths, strict=True)),
        indent=2,
    )
    for row, first in enumerate(block[0].cells):
        cells = [service.cells[row] for service in block]
        if any(cell.failing or cell.open for cell in cells):
            title = shorten(first.section, _TITLE - 1).ljust(_TITLE)
            page.cut(title, *(_cell(cell, width) for cell, width in zip(cells, widths, strict=True)), indent=2)


def _cell(cell: Cell, width: int) -> tuple[str, str]:
    if not cell.failing and not cell.open:
        return ("·".rjust(width), "dim")
    said = (str(cell.failing) if cell.failing else "") + (f"+{cell.open}" if cell.open else "")
    return (said.rjust(width), SEVERITY_STYLES[cell.worst] if cell.worst else "yellow")


def _width(service: ServiceView) -> int:
    return max(6, len(shorten(service.name, _NAME))) + 2


def _blocks(found: tuple[ServiceView, ...], room: int) -> Iterator[list[ServiceView]]:
    block: list[ServiceView] = []
    used = 0
    for service in found:
        if block and used + _width(service) > room:
            yield block
            block, used = [], 0
        block.append(service)
        used += _width(service)
    if block:
        yield block
