"""What can be said of sites once all others are known: context, dead letters, payloads."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from auditor.code.evaluation.flow import Flow, covers, functions_of
from auditor.code.model import Producer, Queue, Worker
from auditor.code.queues import payload
from auditor.code.queues.contexts import Contexts
from auditor.code.queues.misuse import producers_by_span
from auditor.code.queues.producers import cases
from auditor.code.sites.raw import RawProducer, Sites
from auditor.code.source.isolation import Gaps
from auditor.code.syntax.facts import Call
from auditor.model import CodeSpan

if TYPE_CHECKING:
    from auditor.code.evaluation.evaluate import Evaluator

_DEAD = re.compile(
    r"(?i)dlq|dead[-_ ]?letter|dead[-_ ]?queue|(?:^|[-_:.])(?:dead|failed|failures|poison|parking)(?:$|[-_:.])"
)


_CONTEXT = ("producers.in_handler", "producers.dead_letter")
_PAYLOAD = (
    "producers.data_keys",
    "producers.encrypted",
    "producers.public",
    "producers.unserializable",
    "producers.bulky",
)


def queues(found: Sequence[Queue], sites: Sites, contexts: Contexts, gaps: Gaps) -> tuple[Queue, ...]:
    """Queues with whether they are built per call."""
    calls = {
        CodeSpan(raw.call.scope.module.path, raw.call.line, int(raw.call.node.end_point[0]) + 1): raw.call
        for raw in sites.queues
    }

    def per_call(queue: Queue) -> bool:
        call = calls.get(queue.span)
        return call is not None and contexts.per_call(call)

    made: list[Queue] = []
    for queue in found:
        anew = gaps.take(
            "queues built per call", ("queues.per_call",), partial(per_call, queue), False, queue.span.path
        )
        made.append(replace(queue, per_call=True) if anew else queue)
    return tuple(made)


def producers(
    ev: Evaluator, flow: Flow, found: Sequence[Producer], sites: Sites, workers: Sequence[Worker], contexts: Contexts
) -> tuple[Producer, ...]:  # fmt: skip
    """Producers with their payload, and whether they fill a dead-letter queue or run inside of a job."""
    gaps, raws = ev.program.gaps, producers_by_span(sites)
    consumed = {name for worker in workers for name in worker.queue}
    nothing: dict[int, object] = {}
    failing = gaps.take("failure paths", ("producers.dead_letter",), lambda: _failure_paths(flow, sites), nothing)

    def placed(producer: Producer, call: Call) -> Producer:
        unconsumed = bool(producer.queue) and not set(producer.queue) & consumed
        return replace(
            producer,
            in_handler=contexts.in_handler(call),
            dead_letter=unconsumed and _is_failure(producer, call, failing),
            cases=tuple(placed(case, call) for case in producer.cases),
        )

    def paid(producer: Producer, raw: RawProducer) -> Producer:
        held = payload.of(ev, raw)
        return replace(
            producer,
            data_keys=tuple(held.keys),
            encrypted=tuple(held.encrypted),
            public=held.public(),
            unserializable=tuple(held.lost),
            bulky=tuple(held.bulky),
            cases=tuple(
                paid(case, RawProducer(raw.call, variants))
                for case, variants in zip(producer.cases, cases(raw.variants), strict=bool(producer.cases))
            ),
        )

    made: list[Producer] = []
    for one in found:
        raw, path, done = raws.get(one.span), one.span.path, one
        if raw is not None:
            done = gaps.take("payloads", _PAYLOAD, partial(paid, done, raw), done, path)
            done = gaps.take("what encloses an enqueue", _CONTEXT, partial(placed, done, raw.call), done, path)
        made.append(done)
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
