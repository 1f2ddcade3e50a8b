"""Boards of queues in code and infra files, and Grafana panels with or without living series (item 44)."""

from __future__ import annotations

from auditor.code.model import CodeModel, Metric, Quantity
from auditor.model import Confidence, Evidence, Finding, Severity, Status, Subject, SubjectType
from auditor.prom.model import Exporter, ExporterKind, Observability, Panel

from ._series import Publication, State, publication, quantity_of

BOARDS = (ExporterKind.BULL_BOARD, ExporterKind.BULL_MONITOR, ExporterKind.TASKFORCE)
OF_QUEUES = frozenset(
    {
        Quantity.DEPTH,
        Quantity.ACTIVE,
        Quantity.FAILED,
        Quantity.STALLED,
        Quantity.DEAD_LETTER,
        Quantity.WORKERS,
        Quantity.DURATION,
    }
)


def boards(code: CodeModel | None, prom: Observability | None) -> tuple[list[Evidence], list[Finding]]:
    """Boards that somebody can open, and findings of those that nothing mounts."""
    metrics = [m for m in (code.metrics if code else ()) if m.kind == "board"]
    living = [m for m in metrics if m.served_live]
    deployed = [e for e in (prom.exporters if prom else ()) if e.kind in BOARDS and e.environment.decides]
    shown = [*map(_of_board, living), *map(_of_unit, deployed)]
    return shown, [_unmounted(m) for m in metrics if not m.served_live]


def panels(code: CodeModel | None, prom: Observability | None) -> tuple[list[Evidence], list[Finding], list[Finding]]:
    """Panels about queues: (with a published series, with none, undecided)."""
    good: list[Evidence] = []
    bad: list[Finding] = []
    open_: list[Finding] = []
    for board in prom.dashboards if prom else ():
        for panel in board.panels:
            found = [
                publication(s, code, prom)
                for q in panel.queries
                for s in q.selectors()
                if quantity_of(s, code) in OF_QUEUES
            ]
            if any(p.state is State.YES for p in found):
                good.append(_of_panel(board.title, panel))
            elif any(p.state is State.UNKNOWN for p in found):
                open_.append(_finding(board.title, panel, found, Status.UNVERIFIED))
            elif found:
                bad.append(_finding(board.title, panel, found, Status.FAIL))
    return good, bad, open_


def _of_board(metric: Metric) -> Evidence:
    served = f", mounted at {metric.served.label()}" if metric.served else ""
    return Evidence(metric.span.label(), f"{metric.name}{served}", place=metric.span, confidence=Confidence.LIKELY)


def _of_unit(exporter: Exporter) -> Evidence:
    return Evidence(
        exporter.place.label(),
        f"{exporter.kind.value} {exporter.name} is deployed",
        place=exporter.place,
        confidence=Confidence.LIKELY,
    )


def _unmounted(metric: Metric) -> Finding:
    return Finding(
        f"{metric.name} is written but nothing mounts it: nobody can open it",
        Subject(SubjectType.PROJECT, metric.name, service=metric.service),
        metric.span,
        (metric.served,) if metric.served else (),
        (
            Evidence(
                metric.span.label(),
                "never mounted by living code",
                "a route that a started process registers",
                metric.span,
            ),
        ),
        Confidence.LIKELY,
    )


def _of_panel(board: str, panel: Panel) -> Evidence:
    texts = "; ".join(q.text for q in panel.queries)[:200]
    return Evidence(
        panel.place.label(),
        f"panel {panel.title!r} of dashboard {board!r}: {texts}",
        place=panel.place,
        confidence=Confidence.LIKELY,
    )


def _finding(board: str, panel: Panel, found: list[Publication], status: Status) -> Finding:
    why = "; ".join(dict.fromkeys(p.why for p in found))
    message = (
        f"panel {panel.title!r} of dashboard {board!r} shows nothing: {why}"
        if status is Status.FAIL
        else f"panel {panel.title!r}: {why}"
    )
    return Finding(
        message,
        Subject(SubjectType.PROJECT, panel.title or board),
        panel.place,
        tuple(dict.fromkeys(place for p in found for place in p.places)),
        (
            Evidence(
                panel.place.label(),
                "; ".join(q.text for q in panel.queries)[:200],
                "a series that somebody publishes",
                panel.place,
            ),
        ),
        Confidence.LIKELY,
        Severity.LOW,
        status,
        panel.title,
    )
