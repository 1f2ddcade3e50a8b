"""Workers with what their handlers and listeners do, and what living code does elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from auditor.code.evaluation import classes
from auditor.code.evaluation.flow import functions_of
from auditor.code.evaluation.values import FunctionValue, Value
from auditor.code.model import Effect, Listener, Worker
from auditor.code.reach import catalogue
from auditor.code.reach.effects import Effects
from auditor.code.reach.found import Found
from auditor.code.sites import handlers
from auditor.code.sites.handlers import of_function
from auditor.code.sites.nest_classes import Processor
from auditor.code.sites.options import names
from auditor.code.sites.raw import RawProducer, RawWorker, Sites
from auditor.code.sites.shared_handlers import Shared, shared_handlers
from auditor.code.source.isolation import Gaps
from auditor.code.syntax.facts import Function
from auditor.model import CodeSpan

if TYPE_CHECKING:
    from auditor.code.evaluation.evaluate import Evaluator
    from auditor.code.evaluation.flow import Flow

_HEARD = ("workers.listeners",)


def effects_of(ev: Evaluator, flow: Flow, sites: Sites, roles: Mapping[str, str]) -> Effects:
    """A walker for this program; `roles` maps own functions to roles."""
    queues = {raw.call.node.id: _queues(raw) for raw in sites.producers}
    registering = frozenset([raw.call.node.id for raw in sites.workers] + [raw.call.node.id for raw in sites.listeners])
    return Effects(ev, flow, catalogue.load(roles), queues, registering)


def reaching(
    effects: Effects, workers: Sequence[Worker], nodes: Mapping[CodeSpan, RawWorker | Processor],
    heard: Mapping[tuple[str, CodeSpan], Value], gaps: Gaps,
) -> tuple[Worker, ...]:  # fmt: skip
    """The workers with effects, catches and conditions in reach of their handlers, and those of their listeners.

    A handler whose reach breaks counts as not followed.
    """
    found: list[Worker] = []
    for worker in workers:
        path, node = worker.span.path, nodes.get(worker.span)
        heeding = gaps.take("what listeners do", _HEARD, partial(_hearing, effects, worker, heard), worker, path)
        found.append(gaps.take("a handler's reach", (), partial(_reaching, effects, heeding, node), heeding, path))
    return tuple(found)


def _hearing(effects: Effects, worker: Worker, heard: Mapping[tuple[str, CodeSpan], Value]) -> Worker:
    listeners = tuple(
        _listening(effects, listener, heard.get((listener.event, listener.span))) for listener in worker.listeners
    )
    return replace(worker, listeners=listeners)


def _reaching(effects: Effects, worker: Worker, node: RawWorker | Processor | None) -> Worker:
    shared = shared_handlers(effects.ev, node) if isinstance(node, RawWorker) else []
    if len(shared) > 1:
        return _sharing(effects, worker, shared)
    functions = _handlers(effects, worker, node)
    return _doing(worker, effects.of(functions)) if functions else worker


def _sharing(effects: Effects, worker: Worker, shared: list[Shared]) -> Worker:
    """A worker whose place builds one for each of several handlers: each by itself, and what they do together."""
    parts: list[Worker] = []
    whole = Found()
    for one in shared:
        found = effects.of(one.functions)
        handler = of_function(one.names.fact)
        part = replace(worker, queue=one.queue, handler=handler.span, handler_name=handler.name)
        parts.append(_doing(part, found))
        whole.add(found)
    return replace(_doing(worker, whole), handlers=tuple(parts))


def _doing(worker: Worker, found: Found) -> Worker:
    return replace(
        worker,
        effects=tuple(found.effects),
        followed=found.complete,
        lost=tuple(dict.fromkeys(found.lost)),
        loops=found.loops,
        catches=tuple(found.catches),
        tests=tuple(found.conditions),
        swallows=found.swallows,
        bound=found.bound,
    )


def _handlers(effects: Effects, worker: Worker, node: RawWorker | Processor | None) -> list[Function | FunctionValue]:
    match node:
        case RawWorker():
            own = [one for value in node.handlers for one in handlers.functions(effects.ev, value)]
            if not own and worker.sandboxed and worker.handler is not None:
                own = handlers.exported(effects.ev, worker.handler.path)
            return [*{handlers.same(effects.ev, one): one for one in own}.values()]
        case Processor():
            return [_of_class(effects, node, function) for function, _, _ in node.handlers]
    return []


def _of_class(effects: Effects, node: Processor, function: Function) -> Function | FunctionValue:
    """A processor's method; an inherited one bound to the processor itself, whose own methods it calls."""
    own = classes.any_of(effects.ev, node.cls)
    frame = classes.run_on(effects.ev, own, function)
    return FunctionValue(function, frame, own) if frame is not None else function


def _listening(effects: Effects, listener: Listener, handler: Value | None) -> Listener:
    functions = functions_of(handler) if handler is not None else []
    own: list[Effect] = effects.of(functions, ("job", "error")).effects if functions else []
    return replace(listener, effects=tuple(own))


def _queues(raw: RawProducer) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for variant in raw.variants for name in names(variant.queue)))
