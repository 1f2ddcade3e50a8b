"""What a metric measures, told by the place that sets it: the value, the labels that are picked, the event around."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from auditor.code.evaluation import call_sites
from auditor.code.evaluation.values import Literal, Object, Template, Value, options_of, text_of, walk
from auditor.code.metrics.declared import Declared
from auditor.code.metrics.quantity import of_name, words_of
from auditor.code.model import Quantity
from auditor.code.syntax.facts import Call, Function, Module, Scope

if TYPE_CHECKING:
    from tree_sitter import Node

    from auditor.code.evaluation.evaluate import Evaluator

CHAINED = frozenset("labels zero withLabelValues".split())  # noqa: SIM905  # a list of words reads best as words
"""Calls between a metric and its setter."""
_STATE = r"(?:\b\w*[qQ]ueue\w*|\b(?:job)?[cC]ounts?|\b(?:job)?[sS]tats?|\bjobs)(?:\(\))?(?:\[[^\]]*\])?\."
_COUNTS: tuple[tuple[re.Pattern[str], tuple[Quantity, ...]], ...] = (
    (re.compile(r"getWorkers(?:Count)?\b|\bisRunning\(\)"), (Quantity.WORKERS,)),
    (re.compile(r"used_memory|info\(['\"]?memory"), (Quantity.REDIS_MEMORY,)),
    (
        re.compile(
            r"get(?:Waiting|Prioritized|Wait)(?:Count)?\b|"
            + _STATE
            + r"(?:waiting|wait|prioritized)\b|\bqueue\.count\(|getJobCountByTypes\(['\"]wait"
        ),
        (Quantity.DEPTH,),
    ),
    (re.compile(r"getActive(?:Count)?\b|" + _STATE + r"active\b|getJobCountByTypes\(['\"]active"), (Quantity.ACTIVE,)),
    (re.compile(r"getFailed(?:Count)?\b|" + _STATE + r"failed\b|getJobCountByTypes\(['\"]failed"), (Quantity.FAILED,)),
    (
        re.compile(r"get(?:Completed|Delayed)(?:Count)?\b|" + _STATE + r"(?:completed|delayed|paused)\b"),
        (Quantity.OTHER,),
    ),
    (
        re.compile(r"getJobCounts\(|getCountsPerState|checkHealth\(|getJobCountByTypes\("),
        (Quantity.DEPTH, Quantity.ACTIVE, Quantity.FAILED),
    ),
)
_FAILED_WORDS = frozenset("failed failure failures fail errors error".split())  # noqa: SIM905  # a list of words reads best as words
_TIME_WORDS = frozenset("duration seconds latency time milliseconds ms elapsed".split())  # noqa: SIM905  # a list of words reads best as words
_NOT_JOBS = frozenset(
    [
        "http",
        "request",
        "requests",
        "db",
        "database",
        "query",
        "queries",
        "sql",
        "redis",
        "cache",
        "api",
        "rpc",
        "upload",
        "dns",
        "github",
        "pool",
        "connection",
        "lock",
        "locks",
        "circuit",
        "breaker",
        "auth",
        "login",
        "validation",
        "webhook",
    ]
)
_EVENTS = {"failed": Quantity.FAILED, "stalled": Quantity.STALLED}


def told(ev: Evaluator, call: Call, metric: Declared) -> tuple[Quantity, ...]:
    """What a setting call says of the metric; empty where only its name can tell."""
    module = call.scope.module
    picked = [*(text for node in call.arguments() for text in _label_texts(module, node)), *_chained_labels(ev, call)]
    found = _by_value(ev, call, metric, picked) if metric.kind == "gauge" else quantities_of(metric.name, picked, [])
    found = found or _by_labels(ev, call, metric) or _by_event(ev, call, metric)
    return tuple(dict.fromkeys(q if fits(metric.kind, q) else Quantity.OTHER for q in found))


def fits(kind: str, quantity: Quantity) -> bool:
    """Whether a metric of this kind can carry the quantity: a counter is no depth, a histogram is a duration or nothing here."""
    if kind == "counter":
        return quantity in (Quantity.FAILED, Quantity.STALLED, Quantity.DEAD_LETTER, Quantity.OTHER)
    if kind in ("histogram", "summary"):
        return quantity in (Quantity.DURATION, Quantity.OTHER)
    return True


def in_handler(metric: Declared) -> Quantity | None:
    """What a metric measures when a job handler sets it, told by the words that remain: job durations and failures."""
    words = set(words_of(metric.name))
    if words & _NOT_JOBS:
        return None
    if metric.kind in ("histogram", "summary") and words & _TIME_WORDS:
        return Quantity.DURATION
    return Quantity.FAILED if metric.kind == "counter" and words & _FAILED_WORDS else None


def quantities_of(name: str, picked: list[str], sources: list[str]) -> tuple[Quantity, ...]:
    """By the labels that are picked and by what the value is made of; empty where neither tells."""
    by_labels = (
        of_name(name if of_name(name) is Quantity.DEAD_LETTER else f"queue_{name}", picked)
        if picked
        else Quantity.OTHER
    )
    if of_name(name, [*picked, *sources]) is Quantity.DEAD_LETTER:
        return (Quantity.DEAD_LETTER,)
    for pattern, quantities in _COUNTS:
        if any(pattern.search(text) for text in sources):
            narrowed = tuple(q for q in quantities if q is by_labels)
            return narrowed or quantities
    state = of_name("queue_jobs", picked)
    told = state in (Quantity.DEPTH, Quantity.ACTIVE, Quantity.FAILED, Quantity.STALLED)
    return (state,) if told and of_name(name) in (state, Quantity.DEPTH, Quantity.OTHER) and _of_queue(name) else ()


def _of_queue(name: str) -> bool:
    return bool({"queue", "queues", "job", "jobs", "bull", "bullmq"} & set(words_of(name)))


def _by_labels(ev: Evaluator, call: Call, metric: Declared) -> tuple[Quantity, ...]:
    """A counter of the queue's events by the values that its label may have: `{ event }` in a loop over their names."""
    if metric.kind != "counter" or not _of_queue(metric.name):
        return ()
    found: dict[Quantity, None] = {}
    for node in call.arguments():
        for one in options_of(ev.eval(node, call.scope)) if node.type == "object" else ():
            values = (
                [o for member in one.members.values() for o in options_of(member)] if isinstance(one, Object) else []
            )
            states = [
                of_name("queue_jobs", [o.value]) for o in values if isinstance(o, Literal) and isinstance(o.value, str)
            ]
            found.update(dict.fromkeys(state for state in states if state in (Quantity.FAILED, Quantity.STALLED)))
    return tuple(found)


def _by_value(ev: Evaluator, call: Call, metric: Declared, picked: list[str]) -> tuple[Quantity, ...]:
    """By the value that a gauge is set to, as it is evaluated; else by the sources of the names in it."""
    module = call.scope.module
    made = [node for node in call.arguments() if node.type != "object"]
    near = [text for node in made for text in _source_texts(ev.eval(node, call.scope))]
    told = quantities_of(metric.name, picked, [*near, *(module.text(node)[:300] for node in made)])
    return told or quantities_of(
        metric.name, picked, [text for node in made for text in _traced(module, node, call.scope)]
    )


def _label_texts(module: Module, node: Node) -> Iterator[str]:
    """Constant label values of `{ queue: 'mail', state: 'waiting' }`."""
    for pair in node.named_children if node.type == "object" else ():
        value = pair.child_by_field_name("value") if pair.type == "pair" else None
        if value is not None and value.type == "string":
            yield module.text(value)[1:-1]


def _chained_labels(ev: Evaluator, call: Call) -> list[str]:
    """Values in `.labels('mail', 'waiting').set(n)`."""
    held = call.callee.child_by_field_name("object") if call.callee is not None else None
    inner = call.scope.module.call_at(held) if held is not None and held.type == "call_expression" else None
    if inner is None or inner.name not in CHAINED:
        return []
    values = [ev.eval(node, inner.scope) for node in inner.arguments()]
    texts = [
        str(o.value)
        for value in values
        for o in options_of(value)
        if isinstance(o, Literal) and isinstance(o.value, str)
    ]
    return [*texts, *(text for node in inner.arguments() for text in _label_texts(call.scope.module, node))]


def _source_texts(value: Value) -> Iterator[str]:
    for one in walk(value, 4):
        if not isinstance(one, Literal | Template | Object):
            yield text_of(one)[:300]


def _traced(module: Module, node: Node, scope: Scope, depth: int = 4) -> Iterator[str]:
    """The source of an expression, and of what the names in it are bound to."""
    yield module.text(node)[:300]
    if depth <= 0:
        return
    for name in _identifiers(node):
        binding = scope.lookup(module.text(name))
        if (
            binding is not None
            and binding.node is not None
            and binding.kind in ("var", "each", "key")
            and binding.node != node
        ):
            yield from _traced(module, binding.node, binding.scope, depth - 1)


def _identifiers(node: Node) -> Iterator[Node]:
    """Names in an expression; functions in it are not entered."""
    pending = [node]
    while pending:
        at = pending.pop()
        if at.type == "identifier":
            yield at
        elif at.type not in ("arrow_function", "function_expression", "function"):
            pending += at.named_children[:50]


def _by_event(ev: Evaluator, call: Call, metric: Declared) -> tuple[Quantity, ...]:
    """By the listener that it runs in, directly or one call away."""
    if call.name in ("set", "setToCurrentTime") and metric.kind == "gauge":
        return ()
    named = of_name(metric.name)
    if set(words_of(metric.name)) & _NOT_JOBS or (named is not Quantity.OTHER and fits(metric.kind, named)):
        return ()
    for event in events_around(ev, call.scope, 2):
        if event in _EVENTS and metric.kind in ("counter", "gauge"):
            return (_EVENTS[event],)
        if event == "completed" and metric.kind in ("histogram", "summary"):
            return (Quantity.DURATION,)
    return ()


def events_around(ev: Evaluator, scope: Scope, up: int) -> Iterator[str]:
    """Names of the queue events in whose listeners code of a scope runs, over `up` callers."""
    function: Function | None = scope.func
    while function is not None:
        for decorator in function.decorators:
            text = function.module.text(decorator)
            heard = re.search(r"OnQueue(?:Event\(['\"](\w+)|(\w+))|On(?:Worker|QueueEvents)Event\(['\"](\w+)", text)
            if heard:
                yield next(group for group in heard.groups() if group).lower()
        for site in call_sites.sites(ev, function):
            if site.position is not None and site.call.name in ("on", "once", "addListener") and site.call.arguments():
                event = ev.eval(site.call.arguments()[0], site.call.scope)
                if isinstance(event, Literal) and isinstance(event.value, str):
                    yield event.value.removeprefix("global:")
            elif up > 0 and site.call.scope.func is not None and site.call.scope.func is not function:
                yield from events_around(ev, site.call.scope, up - 1)
        outer = function.scope.parent
        function = outer.func if outer is not None else None
