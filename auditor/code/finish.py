"""What can be said of sites once all others are known: context, dead letters, payloads."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from auditor.code import payload
from auditor.code.contexts import Contexts
from auditor.code.facts import Call
from auditor.code.flow import Flow, covers, functions_of
from auditor.code.misuse import producers_by_span
from auditor.code.model import Producer, Queue, Worker
from auditor.code.sites import Sites
from auditor.model import CodeSpan

if TYPE_CHECKING:
    from auditor.code.evaluate import Evaluator

_DEAD = re.compile(
    r"(?i)dlq|dead[-_ ]?letter|dead[-_ ]?queue|(?:^|[-_:.])(?:dead|failed|failures|poison|parking)(?:$|[-_:.])"
)


def queues(found: Sequence[Queue], sites: Sites, contexts: Contexts) -> tuple[Queue, ...]:
    """Queues with whether they are built per call."""
    calls = {
        CodeSpan(raw.call.scope.module.path, raw.call.line, int(raw.call.node.end_point[0]) + 1): raw.call
        for raw in sites.queues
    }
    return tuple(
        replace(q, per_call=True) if (call := calls.get(q.span)) is not None and contexts.per_call(call) else q
        for q in found
    )


def producers(
    ev: Evaluator, flow: Flow, found: Sequence[Producer], sites: Sites, workers: Sequence[Worker], contexts: Contexts
) -> tuple[Producer, ...]:  # fmt: skip
    """Producers with their payload, and whether they fill a dead-letter queue or run inside of a job."""
    raws = producers_by_span(sites)
    consumed = {name for worker in workers for name in worker.queue}
    failing = _failure_paths(flow, sites)
    made: list[Producer] = []
    for producer in found:
        raw = raws.get(producer.span)
        if raw is None:
            made.append(producer)
            continue
        held = payload.of(ev, raw)
        inside = contexts.in_handler(raw.call)
        made.append(
            replace(
                producer,
                in_handler=inside,
                dead_letter=bool(producer.queue)
                and not set(producer.queue) & consumed
                and _is_failure(producer, raw.call, failing),
                data_keys=tuple(held.keys),
                encrypted=tuple(held.encrypted),
                unserializable=tuple(held.lost),
                bulky=tuple(held.bulky),
            )
        )
    return tuple(made)


def _failure_paths(flow: Flow, sites: Sites) -> dict[int, object]:
    """Functions in reach of `failed` and `error` listeners."""
    starts = [
        function
        for listener in sites.listeners
        if listener.event.removeprefix("global:") in ("failed", "error", "stalled")
        for function in functions_of(listener.handler)
    ]
    return dict(flow.reach(starts, 120)) if starts else {}


def _is_failure(producer: Producer, call: Call, failing: dict[int, object]) -> bool:
    """Whether an enqueue stands on a failure path: in a catch, a failed listener, or by the queue's own name."""
    context = call.context
    while context is not None:
        if context.kind == "catch":
            return True
        context = context.parent
    if covers(failing, call):  # type: ignore[arg-type]  # only the keys matter
        return True
    return any(_DEAD.search(name) for name in producer.queue)
