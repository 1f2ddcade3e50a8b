"""Code models with the metrics and workers that a case names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from auditor.code.model import CodeModel, Library, Listener, Metric, Quantity, Worker
from auditor.model import CodeSpan, Verdict


def worker(queue: str, listeners: tuple[Listener, ...] = (), live: bool = True) -> Worker:
    """A followed worker of one queue."""
    span = CodeSpan("src/worker.ts", 10)
    return Worker(span, Library.BULLMQ, "5.40.0", "app", live, "", queue=(queue,), listeners=listeners, followed=True)


def metric(told: Mapping[str, object]) -> Metric:
    """A metric as a case states it: fed and served by living code unless said."""
    span = CodeSpan("src/metrics.ts", 5)
    labels = told.get("labels")
    values = told.get("values")
    return Metric(
        str(told["name"]),
        span,
        Quantity(str(told["quantity"])),
        str(told.get("kind", "gauge")),
        labels=tuple(labels) if isinstance(labels, list) else (),
        fed_by=(CodeSpan("src/feed.ts", 20),) if told.get("fed", True) else (),
        fed_live=bool(told.get("fed", True)) and bool(told.get("fed_live", True)),
        served=CodeSpan("src/server.ts", 30) if told.get("served", True) else None,
        served_live=bool(told.get("served", True)) and bool(told.get("served_live", True)),
        by_name=bool(told.get("by_name", False)),
        label_values=tuple((label, tuple(given)) for label, given in values.items())
        if isinstance(values, dict)
        else (),
    )


def code(metrics: Iterable[Metric] = (), queues: Iterable[str] = ("mail",), known: bool = True) -> CodeModel:
    """A model with one worker a queue."""
    return CodeModel(
        (),
        ("app",),
        True,
        (),
        (),
        tuple(worker(name) for name in queues),
        (),
        (),
        metrics=tuple(metrics),
        metrics_known=known,
    )


def texts(verdict: Verdict) -> str:
    """Everything that a reader of the verdict sees."""
    lines = [verdict.reason, *(f.message for f in verdict.findings), *(e.observed for e in verdict.evidence)]
    lines += [e.observed for f in verdict.findings for e in f.evidence]
    return "\n".join(lines)
