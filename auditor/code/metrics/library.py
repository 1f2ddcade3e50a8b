"""Metrics that the queue library itself gives: BullMQ's Prometheus text, its telemetry, workers' own counts; routes that ask workers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from auditor.code.evaluation.values import LibraryObject, Object, options_of, truth
from auditor.code.metrics.program import Program
from auditor.code.metrics.served import OTEL, in_route
from auditor.code.model import Metric, OptionState, Quantity, Worker
from auditor.code.syntax.facts import Call, Module
from auditor.model import CodeSpan

_EXPORT = (
    ("bullmq_job_count", Quantity.DEPTH),
    ("bullmq_job_count", Quantity.ACTIVE),
    ("bullmq_job_count", Quantity.FAILED),
    ("bullmq_job_completed_total", Quantity.OTHER),
    ("bullmq_job_failed_total", Quantity.FAILED),
)
_ASKS_WORKERS = frozenset(("getWorkers", "getWorkersCount", "isRunning"))


def exported(program: Program, call: Call) -> Iterator[Metric]:
    """BullMQ's own text for one queue."""
    module, live = call.scope.module, program.lives(call.scope.module, call.scope.func)
    span = CodeSpan(module.path, call.line, call.line)
    labels = ("queue", "state", "*") if call.arguments() else ("queue", "state")
    for name, quantity in _EXPORT:
        yield Metric(
            name,
            span,
            quantity,
            "bullmq-export",
            labels,
            (span,),
            live,
            span,
            live,
            service=program.service_of(module.path),
        )


def telemetry(program: Program, call: Call) -> Iterator[Metric]:
    """bullmq-otel with metrics turned on."""
    given = [
        one
        for node in call.arguments()
        for one in options_of(program.ev.eval(node, call.scope))
        if isinstance(one, Object)
    ]
    if not call.is_new or not any(
        "enableMetrics" in one.members and truth(one.members["enableMetrics"]) is not False for one in given
    ):
        return
    module, live = call.scope.module, program.lives(call.scope.module, call.scope.func)
    span = CodeSpan(module.path, call.line, call.line)
    readers = [o for o in program.outlets if OTEL in o.registries]
    served, served_live = program.given_out(
        min(readers, key=lambda o: not program.lives(o.module, o.scope.func), default=None)
    )
    for name, quantity in (
        ("bullmq.job.duration", Quantity.DURATION),
        ("bullmq.jobs.failed", Quantity.FAILED),
        ("bullmq.jobs.completed", Quantity.OTHER),
    ):
        kind = "histogram" if quantity is Quantity.DURATION else "counter"
        yield Metric(
            name,
            span,
            quantity,
            kind,
            ("*",),
            (span,),
            live,
            served,
            served_live,
            service=program.service_of(module.path),
        )


def of_workers(workers: Iterable[Worker]) -> Iterator[Metric]:
    """Workers that count in Redis (`metrics: { maxDataPoints }`): half of a metric, nobody reads it yet."""
    for worker in workers:
        option = worker.options.get("metrics")
        if option is not None and option.state in (OptionState.KNOWN, OptionState.VARIES) and option.value is not False:
            name = f"metrics of {'|'.join(worker.queue) or 'a worker'}"
            yield Metric(
                name,
                worker.span,
                Quantity.FAILED,
                "worker-metrics",
                (),
                (worker.span,),
                worker.live,
                service=worker.service,
            )


def endpoints(program: Program, modules: list[Module]) -> Iterator[Metric]:
    """Routes that ask how many workers there are, or whether one runs."""
    for module in modules:
        for call in module.calls:
            if call.name not in _ASKS_WORKERS or call.callee is None or call.callee.type != "member_expression":
                continue
            held = call.callee.child_by_field_name("object")
            value = program.ev.eval(held, call.scope) if held is not None else None
            if (
                value is None
                or not any(isinstance(one, LibraryObject) for one in options_of(value))
                or not in_route(program.ev, call.scope)
            ):
                continue
            live, span = program.lives(module, call.scope.func), CodeSpan(module.path, call.line, call.line)
            yield Metric(
                f"endpoint that asks {call.name}()",
                span,
                Quantity.WORKERS,
                "endpoint",
                (),
                (span,),
                live,
                span,
                live,
                service=program.service_of(module.path),
            )
