"""Whether a quantity is published, by code, an exporter or a live Prometheus (items 31 to 33, 35 to 38)."""

from __future__ import annotations

from dataclasses import replace

from auditor.code.metrics.quantity import of_name
from auditor.code.model import CodeModel, Metric, Quantity, Worker
from auditor.infra.model import InfraModel
from auditor.model import (
    Cause,
    Confidence,
    Evidence,
    Finding,
    MetricPlace,
    Severity,
    Status,
    Subject,
    SubjectType,
    Verdict,
)
from auditor.probes import conclude, failed, passed, unverified
from auditor.prom.model import Exporter, ExporterKind, LivePrometheus, Observability

from ._options import labels
from ._series import named, unfed
from .failures import dead_letters, has_dead_letter_queue

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


def no_dead_letters(code: CodeModel) -> bool:
    """No dead-letter queue, and item 21 fails: there is nothing whose size could be watched."""
    return not has_dead_letter_queue(code) and dead_letters(code).status is Status.FAIL


def published(
    code: CodeModel | None, prom: Observability | None, infra: InfraModel | None, quantity: Quantity
) -> Verdict:
    """The verdict from code, infra files and Prometheus; Redis is not asked."""
    metrics = [m for m in (code.metrics if code else ()) if m.quantity is quantity and m.kind != "board"]
    alive = [m for m in metrics if m.fed_live and m.served_live]
    own, foreign = _exporters(prom, infra, quantity)
    live = prom.live if prom else None
    missing = [m for m in alive if _in_prometheus(live, m) is False]
    if missing and len(missing) == len(alive) and not own:
        return conclude([_absent(m, live) for m in missing], held="")
    shown = [*map(_of_metric, alive), *map(_of_exporter, own)]
    gaps = _gaps(code, alive, quantity) if code and not own else []
    if shown and gaps:
        dead = [_not_published(m) for m in metrics if m not in alive and m.service in {f.subject.service for f in gaps}]
        return conclude(
            [*dead, *(f for f in gaps if f.subject.service not in {d.subject.service for d in dead})],
            held="",
            evidence=shown,
        )
    if shown:
        names = ", ".join(dict.fromkeys([*(m.name for m in alive), *(e.name for e in own)]))
        notes = [
            replace(_not_published(m), status=Status.PASS, severity=Severity.LOW) for m in metrics if m not in alive
        ]
        return passed(f"{WORDS[quantity]}: published as {names}", *shown, confidence=_sureness(alive, own), notes=notes)
    if live and live.names_known:
        return _by_series(live, metrics, quantity)
    if any(m.kind != "worker-metrics" for m in metrics):
        return conclude([_not_published(m) for m in metrics], held="")
    if metrics or foreign:
        return unverified(
            _open(metrics, foreign), Cause.UNRESOLVED, [_half(m) for m in metrics], [*map(_of_exporter, foreign)]
        )
    return _nothing(code, prom, quantity)


_FROM_ANYWHERE = frozenset({Quantity.DEPTH, Quantity.ACTIVE, Quantity.DEAD_LETTER, Quantity.REDIS_MEMORY})
"""What one service can count for all queues of a Redis; the rest is seen by the workers' own process alone."""


def _gaps(code: CodeModel, alive: list[Metric], quantity: Quantity) -> list[Finding]:
    """Services with living workers that publish nothing of it, though others publish it of theirs.

    A publisher that runs no workers itself is a monitor of all; so is one that counts in Redis what others work on.
    """
    working: dict[str, list[Worker]] = {}
    for worker in code.workers:
        if worker.live:
            working.setdefault(worker.service, []).append(worker)
    publishing = {m.service for m in alive}
    if len(working) < 2 or not publishing <= set(working):
        return []
    theirs = {name for service in publishing for worker in working[service] for name in worker.queue}
    left = {
        s: w for s, w in working.items() if s not in publishing and not theirs & {n for each in w for n in each.queue}
    }
    if quantity in _FROM_ANYWHERE:
        known = {q.name for q in code.queues if q.service in publishing}
        left = {s: w for s, w in left.items() if not known & {n for each in w for n in each.queue}}
    return [_gap(service, workers[0], quantity) for service, workers in sorted(left.items())]


def _gap(service: str, worker: Worker, quantity: Quantity) -> Finding:
    text = f"service {service or 'without a name'} runs workers and publishes nothing of {WORDS[quantity]}; it may be measured elsewhere"
    shown = (
        Evidence(
            worker.span.label(),
            f"worker of {'|'.join(worker.queue) or 'a queue'}",
            "a metric that its process publishes",
            worker.span,
        ),
    )
    subject = Subject(SubjectType.METRIC, f"{WORDS[quantity]} of {service}", service=service)
    return Finding(text, subject, worker.span, (), shown, Confidence.LIKELY, status=Status.UNVERIFIED)


def _exporters(
    prom: Observability | None, infra: InfraModel | None, quantity: Quantity
) -> tuple[list[Exporter], list[Exporter]]:
    """(those that cover the queues' Redis, those pointed at another); scrape jobs count where no file deploys their exporter."""
    found = [
        e for e in (prom.exporters if prom else ()) if e.kind in EXPORTERS.get(quantity, ()) and e.environment.decides
    ]
    deployed = [e for e in found if not e.scraped]
    judged = deployed or found
    foreign = [e for e in judged if _of_another_redis(e, infra)]
    return [e for e in judged if e not in foreign], foreign


def _of_another_redis(exporter: Exporter, infra: InfraModel | None) -> bool:
    """It names a Redis of its own compose file, that file runs none of the project's own programs, and another file has
    a Redis beside them: a stack apart."""
    if infra is None or not exporter.redis:
        return False
    host = exporter.redis.partition(":")[0]
    beside = [unit for unit in infra.deployments if unit.place.path == exporter.unit]
    names = {unit.name for unit in beside} | {unit.name for unit in infra.redis if unit.place.path == exporter.unit}
    runs_code = any(not unit.backing for unit in beside if unit.name != exporter.name)
    working = {unit.place.path for unit in infra.deployments if not unit.backing and unit.environment.decides}
    others = any(unit.place.path in working - {exporter.unit} for unit in infra.redis)
    return host in names and not runs_code and others


def _open(metrics: list[Metric], foreign: list[Exporter]) -> str:
    if foreign:
        exporter = foreign[0]
        return f"{exporter.kind.value} {exporter.name} watches {exporter.redis}, the Redis of its own stack, not shown to be the queues': give --prometheus URL"
    return f"the workers count in Redis ({metrics[0].name}), but nothing in code or infra files reads it out: give --prometheus URL"


def _by_series(live: LivePrometheus, metrics: list[Metric], quantity: Quantity) -> Verdict:
    """No publisher among the files: the live Prometheus' own series decide, by their names."""
    fitting = sorted(n for n in live.names if of_name(n) is quantity)
    if fitting:
        place = MetricPlace(live.endpoint, fitting[0])
        shown = Evidence(
            place.label(), f"series exist: {', '.join(fitting[:5])}", place=place, confidence=Confidence.LIKELY
        )
        return passed(
            f"{WORDS[quantity]}: in the live Prometheus as {', '.join(fitting[:3])}",
            shown,
            confidence=Confidence.LIKELY,
        )
    if metrics:
        return conclude([_not_published(m) for m in metrics], held="")
    place = MetricPlace(live.endpoint, "")
    text = f"nobody publishes {WORDS[quantity]}: no code, no exporter, and no series among {len(live.names)} metrics of the Prometheus given"
    subject = Subject(SubjectType.METRIC, WORDS[quantity])
    shown = Evidence(
        f"GET {live.endpoint}/api/v1/label/__name__/values", f"{len(live.names)} names, none about it", place=place
    )
    return failed(text, Finding(text, subject, place, (), (shown,), Confidence.LIKELY))


def _nothing(code: CodeModel | None, prom: Observability | None, quantity: Quantity) -> Verdict:
    where = ["code" if code else "", "infra files" if prom and prom.files_given else ""]
    looked = " and ".join(filter(None, where))
    told = (
        f"nothing in {looked} publishes {WORDS[quantity]}"
        if looked
        else f"who publishes {WORDS[quantity]} is not known"
    )
    if code and not code.metrics_known:
        told = f"the metrics that code publishes were not looked through, so {WORDS[quantity]} is open"
    return unverified(f"{told}; {what_settles(prom)}, or attest where it is measured", open_cause(prom))


def what_settles(prom: Observability | None) -> str:
    """What would settle it: a Prometheus, or one that answers."""
    return (
        f"the Prometheus given says nothing ({prom.unreached})" if prom and prom.unreached else "give --prometheus URL"
    )


def open_cause(prom: Observability | None) -> Cause:
    """Why it is open: no Prometheus was given, or the one that was gave nothing."""
    return Cause.REFUSED if prom and prom.unreached else Cause.SOURCE_NOT_GIVEN


def _sureness(alive: list[Metric], exporters: list[Exporter]) -> Confidence:
    surely = exporters or any(not metric.by_name for metric in alive)
    return Confidence.LIKELY if surely else Confidence.POSSIBLE


def _in_prometheus(live: LivePrometheus | None, metric: Metric) -> bool | None:
    """Whether a series of the metric exists in the live Prometheus; None where that can't be told."""
    if live is None or not live.names_known or metric.kind in ("endpoint", "statsd", "worker-metrics"):
        return None
    return any(named(metric, name) for name in live.names)


def _of_metric(metric: Metric) -> Evidence:
    fed = f", fed at {labels(metric.fed_by)}" if metric.fed_by else ""
    served = f", served at {metric.served.label()}" if metric.served else ""
    sure = Confidence.POSSIBLE if metric.by_name else Confidence.LIKELY
    return Evidence(
        metric.span.label(), f"{metric.kind} {metric.name}{fed}{served}", place=metric.span, confidence=sure
    )


def _of_exporter(exporter: Exporter) -> Evidence:
    how = "is scraped; no file deploys it" if exporter.scraped else "is deployed"
    at = f", pointed at {exporter.redis}" if exporter.redis else ""
    return Evidence(
        exporter.place.label(),
        f"{exporter.kind.value} {exporter.name} {how}{at}",
        place=exporter.place,
        confidence=Confidence.LIKELY,
    )


def _absent(metric: Metric, live: LivePrometheus | None) -> Finding:
    where = live.endpoint if live else "the Prometheus given"
    return _finding(
        metric, f"{metric.name} is published by code, but {where} has no series of it", "no series", Confidence.CERTAIN
    )


def _half(metric: Metric) -> Finding:
    text = f"{metric.name}: counted in Redis by the workers, read by nobody that code shows"
    return replace(
        _finding(metric, text, "metrics option without a reader", Confidence.LIKELY), status=Status.UNVERIFIED
    )


def _not_published(metric: Metric) -> Finding:
    return _finding(metric, f"{metric.name} is {unfed(metric)}", f"{metric.kind} {metric.name}", Confidence.LIKELY)


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
