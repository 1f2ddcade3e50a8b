"""What sets a metric: calls on its object, callbacks at a scrape, injected properties."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from auditor.code.evaluation.values import External, Literal, Value, options_of
from auditor.code.metrics.declared import Declared
from auditor.code.metrics.labels import given_labels
from auditor.code.metrics.quantities import CHAINED, told
from auditor.code.metrics.quantity import of_name
from auditor.code.model import Quantity
from auditor.code.syntax.facts import Call, Function, Module

if TYPE_CHECKING:
    from tree_sitter import Node

    from auditor.code.evaluation.evaluate import Evaluator

SETTERS = frozenset("set inc dec observe startTimer setToCurrentTime record add addCallback".split())  # noqa: SIM905  # a list of words reads best as words


@dataclass(slots=True, eq=False)
class Feed:
    """One place that sets a metric."""

    module: Module
    line: int
    function: Function | None
    """That it stands in; None at module level."""
    quantities: tuple[Quantity, ...]
    """Told by what is set; empty where only the metric's name can tell."""
    labels: Mapping[str, tuple[str, ...]] | None = None
    """Values that it may give to labels, empty for those that can't be told; None: its labels can't be told."""


def feeds(ev: Evaluator, metrics: list[Declared]) -> dict[Declared, list[Feed]]:
    """All places that set each metric."""
    found: dict[Declared, list[Feed]] = {metric: [] for metric in metrics}
    by_place: dict[tuple[str, int], list[Declared]] = {}
    by_module: dict[str, list[Declared]] = {}
    for metric in metrics:
        if metric.library == "object":  # it holds its values
            states = {of_name(metric.name, [state]): None for state in metric.picked}
            found[metric].append(
                Feed(metric.module, metric.line, function_at(metric.module, metric.line), tuple(states))
            )
        if metric.library in ("statsd", "object"):
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
    holding = [
        m
        for path in ev.program.tree.paths
        if ev.program.mentions(path, (b"InjectMetric",)) and (m := ev.program.module(path)) is not None
    ]
    for metric, feed in injected(ev, holding, metrics) if holding else ():
        found[metric].append(feed)
    return {metric: _unique(theirs) for metric, theirs in found.items()}


def _observed(ev: Evaluator, call: Call, by_place: dict[tuple[str, int], list[Declared]]) -> list[Declared]:
    """OpenTelemetry's `result.observe(gauge, value)` in a batch callback."""
    arguments = call.arguments()
    if len(arguments) < 2 or arguments[0].type not in ("identifier", "member_expression"):
        return []
    values = options_of(ev.eval(arguments[0], call.scope))
    hit = [
        metric
        for one in values
        if isinstance(one, External) and one.where is not None
        for metric in by_place.get(one.where, [])
    ]
    return [metric for metric in dict.fromkeys(hit) if metric.library == "otel"]


def injected(ev: Evaluator, modules: list[Module], metrics: list[Declared]) -> Iterator[tuple[Declared, Feed]]:
    """Feeds of Nest's `@InjectMetric('name') private readonly c: Counter`, by the name of the property."""
    by_name: dict[str, list[Declared]] = {}
    for metric in metrics:
        by_name.setdefault(metric.name, []).append(metric)
    for module in modules:
        for call in module.calls_named("InjectMetric"):
            names = [
                o.value
                for node in call.arguments()
                for o in options_of(ev.eval(node, call.scope))
                if isinstance(o, Literal)
            ]
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


def _targets(
    ev: Evaluator, call: Call, by_place: dict[tuple[str, int], list[Declared]], near: list[Declared]
) -> list[Declared]:
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
    held = call.receiver
    while held is not None and held.type in ("non_null_expression", "parenthesized_expression", "call_expression"):
        if held.type == "call_expression":
            function = held.child_by_field_name("function")
            named = (
                function.child_by_field_name("property")
                if function is not None and function.type == "member_expression"
                else None
            )
            if function is None or named is None or call.scope.module.text(named) not in CHAINED:
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
    own = [
        c
        for c in fact.module.calls
        if fact.node.start_byte <= c.node.start_byte < fact.node.end_byte and c.name in SETTERS
    ]
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
    return Feed(call.scope.module, call.line, call.scope.func, told(ev, call, metric), given_labels(ev, call, metric))
