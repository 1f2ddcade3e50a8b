"""What sets a metric, and by that what it measures: results of the queue's counters, events, timers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from auditor.code import callers
from auditor.code.facts import Call, Function, Module, Scope
from auditor.code.metric_sites import Declared
from auditor.code.model import Quantity
from auditor.code.quantity import of_name, words_of
from auditor.code.values import External, Literal, Object, Template, Value, options_of, text_of, walk

if TYPE_CHECKING:
    from tree_sitter import Node

    from auditor.code.evaluate import Evaluator

SETTERS = frozenset("set inc dec observe startTimer setToCurrentTime record add addCallback".split())  # noqa: SIM905
_CHAINED = frozenset("labels zero withLabelValues".split())  # noqa: SIM905
_STATE = r"(?:\b\w*[qQ]ueue\w*|\b(?:job)?[cC]ounts?|\b(?:job)?[sS]tats?|\bjobs)(?:\(\))?(?:\[[^\]]*\])?\."
_COUNTS: tuple[tuple[re.Pattern[str], tuple[Quantity, ...]], ...] = (
    (re.compile(r"getWorkers(?:Count)?\b|\bisRunning\(\)"), (Quantity.WORKERS,)),
    (re.compile(r"used_memory|info\(['\"]?memory"), (Quantity.REDIS_MEMORY,)),
    (re.compile(r"get(?:Waiting|Prioritized|Wait)(?:Count)?\b|" + _STATE + r"(?:waiting|wait|prioritized)\b|\bqueue\.count\(|getJobCountByTypes\(['\"]wait"), (Quantity.DEPTH,)),
    (re.compile(r"getActive(?:Count)?\b|" + _STATE + r"active\b|getJobCountByTypes\(['\"]active"), (Quantity.ACTIVE,)),
    (re.compile(r"getFailed(?:Count)?\b|" + _STATE + r"failed\b|getJobCountByTypes\(['\"]failed"), (Quantity.FAILED,)),
    (re.compile(r"get(?:Completed|Delayed)(?:Count)?\b|" + _STATE + r"(?:completed|delayed|paused)\b"), (Quantity.OTHER,)),
    (re.compile(r"getJobCounts\(|getCountsPerState|checkHealth\(|getJobCountByTypes\("), (Quantity.DEPTH, Quantity.ACTIVE, Quantity.FAILED)),
)
_FAILED_WORDS = frozenset("failed failure failures fail errors error".split())  # noqa: SIM905
_TIME_WORDS = frozenset("duration seconds latency time milliseconds ms elapsed".split())  # noqa: SIM905
_NOT_JOBS = frozenset("http request requests db database query queries sql redis cache api rpc upload dns github pool connection lock locks circuit breaker auth login validation webhook".split())  # noqa: SIM905
_EVENTS = {"failed": Quantity.FAILED, "stalled": Quantity.STALLED}


@dataclass(slots=True, eq=False)
class Feed:
    """One place that sets a metric."""

    module: Module
    line: int
    function: Function | None
    """That it stands in; None at module level."""
    quantities: tuple[Quantity, ...]
    """Told by what is set; empty where only the metric's name can tell."""


def feeds(ev: Evaluator, metrics: list[Declared]) -> dict[Declared, list[Feed]]:
    """All places that set each metric."""
    found: dict[Declared, list[Feed]] = {metric: [] for metric in metrics}
    by_place: dict[tuple[str, int], list[Declared]] = {}
    by_module: dict[str, list[Declared]] = {}
    for metric in metrics:
        if metric.library in ("statsd", "text", "bullmq"):
            continue
        by_place.setdefault((metric.module.path, metric.line), []).append(metric)
        by_module.setdefault(metric.module.path, []).append(metric)
        found[metric].extend(_collected(ev, metric))
    for path, theirs in by_module.items():
        words = frozenset(name for metric in theirs for name in metric.names)
        for module in ev.program.mentioning(path, words):
            for call in module.calls_named("observe"):
                for metric in _observed(ev, call, by_place):
                    found[metric].append(_feed(ev, call, metric))
            for call in module.calls:
                if call.name in SETTERS and not ev.program.out_of_time():
                    for metric in _targets(ev, call, by_place, theirs):
                        found[metric].extend(_feeds(ev, call, metric))
    holding = [m for path in ev.program.tree.paths if ev.program.mentions(path, (b"InjectMetric",)) and (m := ev.program.module(path)) is not None]
    for metric, feed in injected(ev, holding, metrics) if holding else ():
        found[metric].append(feed)
    return {metric: _unique(theirs) for metric, theirs in found.items()}


def _observed(ev: Evaluator, call: Call, by_place: dict[tuple[str, int], list[Declared]]) -> list[Declared]:
    """OpenTelemetry's `result.observe(gauge, value)` in a batch callback."""
    arguments = call.arguments()
    if len(arguments) < 2 or arguments[0].type not in ("identifier", "member_expression"):
        return []
    values = options_of(ev.eval(arguments[0], call.scope))
    hit = [metric for one in values if isinstance(one, External) and one.where is not None for metric in by_place.get(one.where, [])]
    return [metric for metric in dict.fromkeys(hit) if metric.library == "otel"]


def injected(ev: Evaluator, modules: list[Module], metrics: list[Declared]) -> Iterator[tuple[Declared, Feed]]:
    """Feeds of Nest's `@InjectMetric('name') private readonly c: Counter`, by the name of the property."""
    by_name: dict[str, list[Declared]] = {}
    for metric in metrics:
        by_name.setdefault(metric.name, []).append(metric)
    for module in modules:
        for call in module.calls_named("InjectMetric"):
            names = [o.value for node in call.arguments() for o in options_of(ev.eval(node, call.scope)) if isinstance(o, Literal)]
            theirs = [metric for name in names for metric in by_name.get(str(name), [])]
            held = _property_at(module, call)
            for use in module.calls if theirs and held else ():
                receiver = _receiver(use) if use.name in SETTERS else None
                if receiver is not None and _last_name(module, receiver) == held:
                    for metric in theirs:
                        yield metric, _feed(ev, use, metric)


def _property_at(module: Module, call: Call) -> str:
    """The constructor parameter or field that a decorator stands on."""
    at = call.node.start_byte
    for cls in module.classes:
        constructor = cls.constructor
        for parameter in constructor.parameters if constructor is not None else ():
            if parameter.node.start_byte <= at < parameter.node.end_byte:
                return parameter.name
        for field in cls.fields.values():
            if field.node.start_byte <= at < field.node.end_byte:
                return field.name
    return ""


def _unique(theirs: list[Feed]) -> list[Feed]:
    return list({(feed.module.path, feed.line, feed.quantities): feed for feed in theirs}.values())


def _targets(ev: Evaluator, call: Call, by_place: dict[tuple[str, int], list[Declared]], near: list[Declared]) -> list[Declared]:
    """The metrics that a call sets: by the value of its receiver, else by its name."""
    held = _receiver(call)
    if held is None or not _may_be(call, held, near):
        return []
    hit: list[Declared] = []
    value = ev.eval(held, call.scope)
    for one in options_of(value):
        at: Value | None = one
        while isinstance(at, External):
            hit += by_place.get(at.where, []) if at.where is not None else []
            at = at.base
    if hit or not all(not isinstance(one, External) for one in options_of(value)):
        return [metric for metric in dict.fromkeys(hit) if metric.library != "otel" or call.name != "set"]
    name = _last_name(call.scope.module, held)
    return [metric for metric in near if name and name in metric.names and _in_reach(call.scope.module, metric)]


def _may_be(call: Call, held: Node, near: list[Declared]) -> bool:
    """A cheap look before the receiver is evaluated: a Map's `set` and a Set's `add` are everywhere."""
    module = call.scope.module
    text = module.text(held)[:200]
    words = set(re.findall(r"\w+", text))
    if held.type == "identifier":
        binding = call.scope.lookup(text)
        if binding is not None and binding.node is not None and binding.kind in ("var", "param"):
            near_by = module.text(binding.node)[:200]
            words |= set(re.findall(r"\w+", near_by))
            if binding.kind == "var" and re.search(r"\.get\w*\(|\[", near_by):
                return True
        if binding is not None and binding.kind == "param":
            typed = module.text(binding.type_node)[:80] if binding.type_node is not None else ""
            return bool(_METRIC_TYPE.search(f"{typed} {text}"))
    return any(name in words for metric in near for name in metric.names) or bool(re.search(r"\.get\w*\(", text))


_METRIC_TYPE = re.compile(r"Gauge|Counter|Histogram|Summary|gauge|counter|histogram|metric|timer")


def _in_reach(module: Module, metric: Declared) -> bool:
    """By name alone: where the same file declares it, or the file imports something of that name's module."""
    return module is metric.module or metric.module.path.rpartition("/")[2].split(".")[0].encode() in module.source


def _receiver(call: Call) -> Node | None:
    """What a setter is called on, behind `.labels(...)`."""
    held = call.callee.child_by_field_name("object") if call.callee is not None and call.callee.type == "member_expression" else None
    while held is not None and held.type in ("non_null_expression", "parenthesized_expression", "call_expression"):
        if held.type == "call_expression":
            function = held.child_by_field_name("function")
            named = function.child_by_field_name("property") if function is not None and function.type == "member_expression" else None
            if function is None or named is None or call.scope.module.text(named) not in _CHAINED:
                return held
            held = function.child_by_field_name("object")
        else:
            held = held.named_children[0] if held.named_children else None
    return held


def _last_name(module: Module, node: Node) -> str:
    if node.type == "member_expression":
        named = node.child_by_field_name("property")
        return module.text(named).lstrip("#") if named is not None else ""
    return module.text(node) if node.type == "identifier" else ""


def _collected(ev: Evaluator, metric: Declared) -> Iterator[Feed]:
    """`collect()` of prom-client runs at each scrape: what it sets on `this`, itself or by a helper that gets `this`."""
    if metric.collect is None:
        return
    fact = metric.collect.fact
    built = metric.call.scope.func if metric.call is not None else None  # the metric's own life: prom-client calls it
    own = [c for c in fact.module.calls if fact.node.start_byte <= c.node.start_byte < fact.node.end_byte and c.name in SETTERS]
    for call in own:
        held = _receiver(call)
        own_result = metric.library == "otel" and call.name == "observe"
        if held is not None and (held.type == "this" or own_result or _last_name(fact.module, held) in metric.names):
            yield replace(_feed(ev, call, metric), function=built)
    if not own and re.search(r"[(,]\s*this\s*[),]", fact.module.text(fact.node)):  # a helper sets it
        yield Feed(fact.module, int(fact.node.start_point[0]) + 1, built, ())


def _feeds(ev: Evaluator, call: Call, metric: Declared) -> Iterator[Feed]:
    """The call itself; where one function makes metrics of many names and sets them, the calls that name this one."""
    if not metric.several:
        yield _feed(ev, call, metric)
        return
    same = metric.call is not None and call.scope.func is metric.call.scope.func
    for path, line in metric.made_at if same else ():
        module = ev.program.module(path)
        if module is not None:
            yield Feed(module, line, function_at(module, line), ())
    if not same or not metric.made_at:
        yield Feed(call.scope.module, call.line, call.scope.func, ())


def function_at(module: Module, line: int) -> Function | None:
    """The innermost function around a line."""
    around = [f for f in module.functions if f.node.start_point[0] < line <= f.node.end_point[0] + 1]
    return min(around, key=lambda f: f.node.end_byte - f.node.start_byte, default=None)


def _feed(ev: Evaluator, call: Call, metric: Declared) -> Feed:
    module = call.scope.module
    arguments = call.arguments()
    picked = [*(text for node in arguments for text in _label_texts(module, node)), *_chained_labels(ev, call)]
    told = _by_value(ev, call, metric, picked) if metric.kind == "gauge" else quantities_of(metric.name, picked, [])
    told = told or _by_labels(ev, call, metric) or _by_event(ev, call, metric)
    return Feed(module, call.line, call.scope.func, tuple(dict.fromkeys(q if fits(metric.kind, q) else Quantity.OTHER for q in told)))


def _by_labels(ev: Evaluator, call: Call, metric: Declared) -> tuple[Quantity, ...]:
    """A counter of the queue's events by the values that its label may have: `{ event }` in a loop over their names."""
    if metric.kind != "counter" or not _of_queue(metric.name):
        return ()
    found: dict[Quantity, None] = {}
    for node in call.arguments():
        for one in options_of(ev.eval(node, call.scope)) if node.type == "object" else ():
            values = [o for member in one.members.values() for o in options_of(member)] if isinstance(one, Object) else []
            states = [of_name("queue_jobs", [o.value]) for o in values if isinstance(o, Literal) and isinstance(o.value, str)]
            found.update(dict.fromkeys(state for state in states if state in (Quantity.FAILED, Quantity.STALLED)))
    return tuple(found)


def _by_value(ev: Evaluator, call: Call, metric: Declared, picked: list[str]) -> tuple[Quantity, ...]:
    """By the value that a gauge is set to, as it is evaluated; else by the sources of the names in it."""
    module = call.scope.module
    made = [node for node in call.arguments() if node.type != "object"]
    near = [text for node in made for text in _source_texts(ev.eval(node, call.scope))]
    told = quantities_of(metric.name, picked, [*near, *(module.text(node)[:300] for node in made)])
    return told or quantities_of(metric.name, picked, [text for node in made for text in _traced(module, node, call.scope)])


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
    by_labels = of_name(name if of_name(name) is Quantity.DEAD_LETTER else f"queue_{name}", picked) if picked else Quantity.OTHER
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
    if inner is None or inner.name not in _CHAINED:
        return []
    values = [ev.eval(node, inner.scope) for node in inner.arguments()]
    texts = [str(o.value) for value in values for o in options_of(value) if isinstance(o, Literal) and isinstance(o.value, str)]
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
        if binding is not None and binding.node is not None and binding.kind in ("var", "each", "key") and binding.node != node:
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
        for site in callers.sites(ev, function):
            if site.position is not None and site.call.name in ("on", "once", "addListener") and site.call.arguments():
                event = ev.eval(site.call.arguments()[0], site.call.scope)
                if isinstance(event, Literal) and isinstance(event.value, str):
                    yield event.value.removeprefix("global:")
            elif up > 0 and site.call.scope.func is not None and site.call.scope.func is not function:
                yield from events_around(ev, site.call.scope, up - 1)
        outer = function.scope.parent
        function = outer.func if outer is not None else None
