"""Whether a quantity is published, by code, an exporter or a live Prometheus (items 31 to 33, 35 to 38)."""

from __future__ import annotations

from auditor.code.model import CodeModel, Metric, Quantity
from auditor.model import Cause, Confidence, Evidence, Finding, Status, Subject, SubjectType, Verdict
from auditor.probes import conclude, passed, unverified
from auditor.prom.model import Exporter, ExporterKind, Observability

from ._options import labels

WORDS = {
    Quantity.DEPTH: "the number of waiting jobs",
    Quantity.ACTIVE: "the number of active jobs",
    Quantity.FAILED: "failed jobs",
    Quantity.DURATION: "how long jobs take",
    Quantity.DEAD_LETTER: "the size of the dead-letter queue",
    Quantity.WORKERS: "the number or health of workers",
    Quantity.REDIS_MEMORY: "Redis' memory",
    Quantity.STALLED: "stalled jobs",
    Quantity.OTHER: "it",
}

_QUEUE_EXPORTERS = (ExporterKind.BULLMQ, ExporterKind.BULL_MONITOR, ExporterKind.TASKFORCE)
EXPORTERS: dict[Quantity, tuple[ExporterKind, ...]] = {
    Quantity.DEPTH: _QUEUE_EXPORTERS,
    Quantity.ACTIVE: _QUEUE_EXPORTERS,
    Quantity.FAILED: _QUEUE_EXPORTERS,
    Quantity.DURATION: (ExporterKind.BULLMQ, ExporterKind.BULL_MONITOR),
    Quantity.DEAD_LETTER: _QUEUE_EXPORTERS,
    Quantity.WORKERS: (ExporterKind.TASKFORCE,),
    Quantity.REDIS_MEMORY: (ExporterKind.REDIS, ExporterKind.CLOUDWATCH, ExporterKind.DATADOG_REDIS),
}
"""What each well-known exporter publishes by itself."""


def published(code: CodeModel | None, prom: Observability | None, quantity: Quantity) -> Verdict:
    """The verdict from code, infra files and Prometheus; Redis is not asked."""
    metrics = [m for m in (code.metrics if code else ()) if m.quantity is quantity and m.kind != "board"]
    alive = [metric for metric in metrics if _alive(metric)]
    exporters = [
        e for e in (prom.exporters if prom else ()) if e.kind in EXPORTERS.get(quantity, ()) and e.environment.decides
    ]
    shown = [*map(_of_metric, alive), *map(_of_exporter, exporters)]
    missing = [metric for metric in alive if _in_prometheus(prom, metric) is False]
    if missing and len(missing) == len(alive) and not exporters:
        return conclude([_absent(metric) for metric in missing], held="", evidence=shown)
    if shown:
        names = ", ".join(dict.fromkeys([*(m.name for m in alive), *(e.name for e in exporters)]))
        return passed(f"{WORDS[quantity]}: published as {names}", *shown, confidence=_sureness(alive, exporters))
    if metrics:
        return conclude([_not_published(metric) for metric in metrics], held="")
    return _nothing(code, prom, quantity)


def _nothing(code: CodeModel | None, prom: Observability | None, quantity: Quantity) -> Verdict:
    where = ["code" if code else "", "infra files" if prom and prom.files_given else ""]
    looked = " and ".join(filter(None, where)) or "no source"
    told = f"nothing in {looked} publishes {WORDS[quantity]}"
    if code and not code.metrics_known:
        told = f"the metrics that code publishes were not looked through, so {WORDS[quantity]} is open"
    return unverified(f"{told}; give --prometheus URL, or attest where it is measured", Cause.SOURCE_NOT_GIVEN)


def _alive(metric: Metric) -> bool:
    return metric.fed_live and metric.served_live


def _sureness(alive: list[Metric], exporters: list[Exporter]) -> Confidence:
    if any(not metric.by_name for metric in alive) or any(not exporter.scraped for exporter in exporters):
        return Confidence.LIKELY
    return Confidence.POSSIBLE if alive and not exporters else Confidence.LIKELY


def _in_prometheus(prom: Observability | None, metric: Metric) -> bool | None:
    """Whether a series of that name exists in the live Prometheus; None where that can't be told."""
    if prom is None or prom.live is None or not prom.live.names_known:
        return None
    base = metric.name
    return any(
        name in prom.live.names for name in (base, f"{base}_total", f"{base}_count", f"{base}_bucket", f"{base}_sum")
    )


def _of_metric(metric: Metric) -> Evidence:
    fed = f", fed at {labels(metric.fed_by)}" if metric.fed_by else ""
    served = f", served at {metric.served.label()}" if metric.served else ""
    sure = Confidence.POSSIBLE if metric.by_name else Confidence.LIKELY
    return Evidence(
        metric.span.label(), f"{metric.kind} {metric.name}{fed}{served}", place=metric.span, confidence=sure
    )


def _of_exporter(exporter: Exporter) -> Evidence:
    how = "scraped" if exporter.scraped else "deployed"
    return Evidence(
        exporter.place.label(),
        f"{exporter.kind.value} {exporter.name} is {how}",
        place=exporter.place,
        confidence=Confidence.LIKELY,
    )


def _absent(metric: Metric) -> Finding:
    text = f"{metric.name} is published by code, but the Prometheus given has no series of it"
    return _finding(metric, text, "no series", Confidence.CERTAIN)


def _not_published(metric: Metric) -> Finding:
    if not metric.fed_by:
        text = f"{metric.name} is declared and never set"
    elif not metric.fed_live:
        text = f"{metric.name} is set only in code that nothing starts ({labels(metric.fed_by)})"
    elif metric.served is None:
        text = f"{metric.name} is in a registry that no endpoint serves"
    else:
        text = f"{metric.name} is served only by an endpoint that nothing mounts ({metric.served.label()})"
    return _finding(metric, text, f"{metric.kind} {metric.name}", Confidence.LIKELY)


def _finding(metric: Metric, text: str, observed: str, sure: Confidence) -> Finding:
    related = tuple(dict.fromkeys((*metric.fed_by, *((metric.served,) if metric.served else ()))))
    return Finding(
        text,
        Subject(SubjectType.METRIC, metric.name, service=metric.service),
        metric.span,
        related,
        (Evidence(metric.span.label(), observed, "fed by living code and served by an endpoint", metric.span),),
        sure,
        status=Status.FAIL,
    )
