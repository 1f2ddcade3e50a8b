"""Who publishes the series that an alert or a panel reads, and what they measure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from auditor.code.metrics.quantity import of_name
from auditor.code.model import CodeModel, Metric, Quantity
from auditor.model import Confidence, Place
from auditor.prom.model import ExporterKind, Observability, Selector

_UNIT = r"(?:_(?:seconds|milliseconds|ratio|bytes|jobs))?"
_SUFFIX = re.compile(rf"^{_UNIT}(?:_(?:total|count|sum|bucket|created))?$")
_TARGET_LABELS = re.compile(
    r"^(?:__\w+|job|instance|namespace|pod|container|service\w*|node|host\w*|env|environment|cluster|region|zone|stage|team|app|app_\w+|"
    r"application|component|le|quantile|exported_\w+|kubernetes_\w+|otel_\w+|endpoint|tier|prometheus|replica)$"
)
FROM_QUEUE_EXPORTER = re.compile(r"^(?:bull|bullmq|jobs?|queues?)[_:]")
"""Names that the well-known queue exporters give; some of their gauges end in `_total`."""
_PLATFORM = re.compile(r"^(?:kube|container|node|process|nodejs|cadvisor)_")
_FROM_EXPORTERS: tuple[tuple[re.Pattern[str], tuple[ExporterKind, ...]], ...] = (
    (re.compile(r"^redis_"), (ExporterKind.REDIS,)),
    (FROM_QUEUE_EXPORTER, (ExporterKind.BULLMQ, ExporterKind.BULL_MONITOR)),
)


class State(StrEnum):
    """Whether a series is published."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Publication:
    """Who publishes a series, or why nobody does."""

    state: State
    why: str
    confidence: Confidence = Confidence.LIKELY
    places: tuple[Place, ...] = ()


def named(metric: Metric, name: str) -> bool:
    """Whether a series of this name is one of the metric's: OpenTelemetry's names get underscores, units and `_total`."""
    return _names(metric.name, name)


@lru_cache(maxsize=100_000)
def _names(declared: str, name: str) -> bool:
    """Asked for every metric of the code, of every selector of every alert and panel, by every item."""
    base = re.sub(r"[^a-zA-Z0-9_:*]", "_", declared)
    if "*" in base:
        return (
            re.fullmatch(
                rf"{re.escape(base).replace(chr(92) + '*', '.+')}{_UNIT}(?:_(?:total|count|sum|bucket|created))?", name
            )
            is not None
        )
    return bool(base) and name.startswith(base) and _SUFFIX.match(name[len(base) :]) is not None


def of_code(code: CodeModel | None, selector: Selector) -> tuple[Metric, ...]:
    """The metrics of code that the selector names."""
    metrics = [m for m in (code.metrics if code else ()) if m.kind != "board"]
    if selector.metric:
        wanted = re.sub(r"[^a-zA-Z0-9_:]", "_", selector.metric)
        return tuple(m for m in metrics if _names(m.name, wanted))
    return tuple(
        m
        for m in metrics
        if m.name and any(x.name == "__name__" for x in selector.matchers) and selector.allows("__name__", m.name)
    )


def quantity_of(selector: Selector, code: CodeModel | None) -> Quantity:
    """What its series measure: by what feeds them in code, else by the words of name and label values."""
    name = selector.metric or next((m.value for m in selector.matchers if m.name == "__name__"), "")
    values = tuple(
        m.value
        for m in selector.matchers
        if m.op in ("=", "=~") and m.name not in ("job", "instance", "namespace", "service")
    )
    told = _of_redis_key(selector) or of_name(name, values)
    fed = {m.quantity for m in of_code(code, selector) if not m.by_name}
    if len(fed) == 1 and told in (Quantity.OTHER, *fed):
        return fed.pop()
    return told


def _of_redis_key(selector: Selector) -> Quantity | None:
    """redis_exporter's `redis_key_size{key="bull:mail:wait"}`: the last word of the key is the state."""
    if not selector.metric.startswith("redis_key"):
        return None
    keys = [m.value for m in selector.matchers if m.name == "key"]
    return of_name("queue_key", [key.rpartition(":")[2] for key in keys]) if keys else None


def publication(selector: Selector, code: CodeModel | None, prom: Observability | None, depth: int = 0) -> Publication:
    """Who publishes it: a live Prometheus decides, then recording rules, exporters, and code."""
    name = selector.text or "the series"
    exists = prom.live.exists(selector) if prom and prom.live else None
    mine = of_code(code, selector)
    if exists:
        return Publication(State.YES, f"{name} exists in the live Prometheus", Confidence.CERTAIN)
    if not mine and prom and prom.live and selector.metric in prom.live.names:
        return Publication(
            State.YES, f"{selector.metric} exists in the live Prometheus, with which labels was not asked"
        )
    if mine:
        told = quantity_of(selector, code)
        return _by_code(selector, tuple(m for m in mine if m.quantity is told) or mine, code)
    if exists is False and prom and prom.live:
        return Publication(
            State.NO, f"{name} has no series at {prom.live.endpoint}, and no code publishes it", Confidence.CERTAIN
        )
    return _by_others(selector, code, prom, depth)


def _by_code(selector: Selector, metrics: tuple[Metric, ...], code: CodeModel | None) -> Publication:
    alive = next((m for m in metrics if m.fed_live and m.served_live), None)
    if alive is None:
        metric = metrics[0]
        return Publication(State.NO, f"{selector.metric} is {unfed(metric)}", places=(metric.span, *metric.fed_by))
    lacking = next((m for m in selector.matchers if not _has_label(alive, m.name) and not m.allows("")), None)
    if lacking:
        return Publication(
            State.NO,
            f"{alive.name} has no label {lacking.name} (it has: {', '.join(alive.labels) or 'none'})",
            places=(alive.span,),
        )
    never = _never(selector, alive, code)
    if never:
        return Publication(State.NO, never, places=(alive.span, *alive.fed_by[:3]))
    return Publication(
        State.YES, f"{alive.name} is published at {alive.span.label()}", places=(alive.span, *alive.fed_by[:1])
    )


def _never(selector: Selector, metric: Metric, code: CodeModel | None) -> str:
    """Why no series has a label value that the selector asks for; empty where one may."""
    known = dict(metric.label_values)
    if metric.kind == "bullmq-export" and code is not None and code.queues and all(queue.name for queue in code.queues):
        known["queue"] = tuple(dict.fromkeys(str(queue.name) for queue in code.queues))
    for matcher in selector.matchers:
        values = known.get(matcher.name, ())
        if values and not any(matcher.allows(value) for value in values):
            return f"{metric.name} never has {matcher.text}: {matcher.name} is {', '.join(values[:6])}"
    return ""


def unfed(metric: Metric) -> str:
    """Why a metric of code shows nothing, after `is`."""
    if not metric.fed_by:
        return f"declared at {metric.span.label()} and never set"
    if not metric.fed_live:
        return f"set only in code that nothing starts ({metric.fed_by[0].label()})"
    if metric.served is None:
        return f"in a registry that no endpoint of its process serves ({metric.span.label()})"
    return f"served only by an endpoint that nothing mounts ({metric.served.label()})"


def _has_label(metric: Metric, label: str) -> bool:
    return label in metric.labels or "*" in metric.labels or _TARGET_LABELS.match(label) is not None


def _by_others(selector: Selector, code: CodeModel | None, prom: Observability | None, depth: int) -> Publication:
    name = selector.metric
    recorded = next((r for r in (prom.recordings if prom else ()) if r.name == name), None)
    if recorded and depth < 3:
        below = [publication(s, code, prom, depth + 1) for s in recorded.query.selectors()]
        lacking = next((p for p in below if p.state is State.NO), None)
        return lacking or Publication(
            State.YES, f"{name} is recorded at {recorded.place.label()}", places=(recorded.place,)
        )
    for pattern, kinds in _FROM_EXPORTERS:
        exporter = next((e for e in (prom.exporters if prom else ()) if e.kind in kinds and pattern.match(name)), None)
        if exporter:
            return Publication(
                State.YES, f"{name} comes from {exporter.kind.value} {exporter.name}", places=(exporter.place,)
            )
    if name == "up" or name.startswith("scrape_"):
        return _of_targets(selector, prom)
    if _PLATFORM.match(name):
        return Publication(State.YES, f"{name} comes from the platform's own exporters", Confidence.POSSIBLE)
    if code is None or not code.metrics_known or any(not m.name and m.fed_live for m in code.metrics):
        return Publication(State.UNKNOWN, f"who publishes {name} could not be told: give --code, or --prometheus URL")
    return Publication(State.NO, f"nobody publishes {name}: no code, no exporter and no recording rule")


def _of_targets(selector: Selector, prom: Observability | None) -> Publication:
    jobs = prom.jobs if prom else ()
    hit = next((j for j in jobs if selector.allows("job", j.name)), None)
    if hit:
        return Publication(State.YES, f"up exists for each target of scrape job {hit.name}", places=(hit.place,))
    if not jobs or any(j.discovered for j in jobs):
        return Publication(
            State.UNKNOWN, f"{selector.text}: no scrape job among the files tells whether such a target exists"
        )
    return Publication(State.NO, f"{selector.text}: no scrape job of the files has that name")
