"""Where code declares metrics: prom-client, OpenTelemetry, statsd and Datadog clients, Nest's providers, text written by hand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from auditor.code.evaluation import call_sites, callers
from auditor.code.evaluation.values import Array, External, FunctionValue, Literal, Object, Template, Value, options_of
from auditor.code.metrics.registries import ANY, DEFAULT, OWN, Registry, registries_of
from auditor.code.syntax.facts import Call, Module

if TYPE_CHECKING:
    from tree_sitter import Node

    from auditor.code.evaluation.evaluate import Evaluator

_KINDS = {"Gauge": "gauge", "Counter": "counter", "Histogram": "histogram", "Summary": "summary"}
_OTEL = {
    "createCounter": "counter",
    "createUpDownCounter": "gauge",
    "createHistogram": "histogram",
    "createGauge": "gauge",
    "createObservableGauge": "gauge",
    "createObservableCounter": "counter",
    "createObservableUpDownCounter": "gauge",
}
_NEST = {f"make{kind}Provider": word for kind, word in _KINDS.items()}
STATSD = frozenset(
    "hot-shots node-statsd statsd-client lynx dd-trace datadog-metrics node-dogstatsd dogstatsd statsy".split()  # noqa: SIM905  # a list of words reads best as words
)
_STATSD = {
    "gauge": "gauge",
    "increment": "counter",
    "decrement": "counter",
    "count": "counter",
    "counter": "counter",
    "histogram": "histogram",
    "distribution": "histogram",
    "timing": "histogram",
    "timer": "histogram",
}
WORDS = (
    b"prom-client", b"nestjs-prometheus", b"Gauge", b"Counter", b"Histogram", b"Summary", b"hot-shots", b"statsd", b"dd-trace",
    b"datadog-metrics", b"# TYPE ", b'"} ${', b"help:", b"exportPrometheusMetrics", b"BullMQOtel",
)  # fmt: skip
MARKS = re.compile(
    rb"prom-client|nestjs-prometheus|new\s+[\w.]*(?:Gauge|Counter|Histogram|Summary)\b|\.create(?:Observable)?(?:Counter|Gauge|Histogram|UpDownCounter)\b|"
    rb"hot-shots|statsd|dd-trace|datadog-metrics|# TYPE |\w\{\w+=\"[^`\n]*\"\} \$\{|exportPrometheusMetrics|BullMQOtel|name:\s*['\"`][\w:]+['\"`]\s*,\s*help:"
)


@dataclass(slots=True, eq=False)
class Declared:
    """A metric that code makes."""

    name: str
    """`*` stands for a part that is not known; empty: none of it is."""
    kind: str
    library: str
    """`prom-client`, `otel`, `statsd`."""
    module: Module
    line: int
    end: int
    labels: tuple[str, ...] = ()
    """`*` where they could not be told."""
    registries: tuple[Registry, ...] = (DEFAULT,)
    names: frozenset[str] = frozenset()
    """Names that its object is bound to."""
    collect: FunctionValue | None = None
    call: Call | None = None
    several: bool = False
    """One construction makes metrics of many names."""
    made_at: tuple[tuple[str, int], ...] = ()
    """Then: the calls that lead to it with this name."""
    picked: tuple[str, ...] = ()
    """Of a plain object: the states that its samples name."""


def declared(ev: Evaluator, modules: list[Module]) -> list[Declared]:
    """Every metric that these modules declare."""
    found: list[Declared] = []
    for module in modules:
        if ev.program.out_of_time():
            break
        for call in module.calls:
            found.extend(_of_call(ev, module, call))
    return found


def _of_call(ev: Evaluator, module: Module, call: Call) -> Iterator[Declared]:
    if call.is_new and call.name in _KINDS:
        yield from _prom_client(ev, module, call, _KINDS[call.name])
    elif call.is_new and b"prom-client" in module.source and (kind := _kind_of(ev, call)):
        yield from _prom_client(ev, module, call, kind)
    elif call.name in _NEST:
        yield from _prom_client(ev, module, call, _NEST[call.name])
    elif call.name in _OTEL:
        yield from _named(ev, module, call, _OTEL[call.name], "otel")
    elif call.name in _STATSD and _is_statsd(ev, call):
        yield from _named(ev, module, call, _STATSD[call.name], "statsd")


def _kind_of(ev: Evaluator, call: Call) -> str:
    """The kind of metric that a constructor in a variable makes; empty where it makes none."""
    found = (
        ev.eval(call.callee, call.scope)
        if call.callee is not None and call.callee.type in ("identifier", "member_expression")
        else None
    )
    names = (
        {
            one.path.split(".")[-1]
            for one in options_of(found)
            if isinstance(one, External) and one.package == "prom-client"
        }
        if found is not None
        else set()
    )
    return next((_KINDS[name] for name in sorted(names) if name in _KINDS), "")


def _prom_client(ev: Evaluator, module: Module, call: Call, kind: str) -> Iterator[Declared]:
    arguments = call.arguments()
    if not arguments:
        return
    made = ev.eval(call.node, call.scope)
    ours = any(
        isinstance(one, External) and one.package in ("prom-client", "@willsoto/nestjs-prometheus")
        for one in options_of(made)
    )
    for options in options_of(ev.eval(arguments[0], call.scope)):
        members = options.members if isinstance(options, Object) else {}
        if isinstance(options, Object) and not (ours or {"name", "help"} <= set(members)):
            continue
        if isinstance(options, Literal | Template) and not ours:
            continue
        name = members.get("name", options if isinstance(options, Literal | Template) else None)
        names = _texts(name) if name is not None else [""]
        several = len(names) > 1
        ways = _ways(ev, call) if several else {}
        for text in names:
            yield Declared(
                text,
                kind,
                "prom-client",
                module,
                call.line,
                line_of_end(call.node),
                ("*",)
                if several
                else _labels(
                    members.get("labelNames") or (ev.eval(arguments[2], call.scope) if len(arguments) > 2 else None)
                ),
                registries_of(members.get("registers")) if ours else (OWN,),
                frozenset(bound_names(module, call.node)),
                _function(members.get("collect")),
                call,
                several,
                tuple(ways.get(text, ())),
            )


def _ways(ev: Evaluator, call: Call) -> dict[str, list[tuple[str, int]]]:
    """Of a construction in a function that gets the name: the calls of that function, by the name that they give."""
    found: dict[str, list[tuple[str, int]]] = {}
    function = call.scope.func
    named = _name_parameter(call)
    for site in call_sites.sites(ev, function) if function is not None and named is not None else ():
        given = callers.given(ev, site.call, None) if site.position is None else ()
        for text in _texts(given[named]) if named is not None and named < len(given) else ():
            if text:
                found.setdefault(text, []).append((site.call.scope.module.path, site.call.line))
    return found


def _name_parameter(call: Call) -> int | None:
    """Which parameter of the function around a construction is the metric's name."""
    function, module = call.scope.func, call.scope.module
    options = call.arguments()[0]
    texts = [module.text(options)]
    if options.type == "object":
        pairs = [child for child in options.named_children if child.type == "pair"]
        ends = [(p.child_by_field_name("key"), p.child_by_field_name("value")) for p in pairs]
        texts = [
            module.text(value)
            for key, value in ends
            if key is not None and value is not None and module.text(key) == "name"
        ]
        texts += [
            module.text(child) for child in options.named_children if child.type == "shorthand_property_identifier"
        ]
    return (
        next((at for at, p in enumerate(function.parameters) if p.name in texts), None)
        if function is not None
        else None
    )


def _named(ev: Evaluator, module: Module, call: Call, kind: str, library: str) -> Iterator[Declared]:
    arguments = call.arguments()
    if not arguments or call.callee is None or call.callee.type != "member_expression":
        return
    functions = [
        ev.eval(node, call.scope)
        for node in arguments[1:]
        if node.type in ("arrow_function", "function_expression", "identifier")
    ]
    names = frozenset(bound_names(module, call.node))
    for text in _texts(ev.eval(arguments[0], call.scope)):
        prefix = _prefix(ev, call) if library == "statsd" else ""
        observed = next((found for value in functions if (found := _function(value)) is not None), None)
        yield Declared(
            prefix + text,
            kind,
            library,
            module,
            call.line,
            line_of_end(call.node),
            ("*",),
            (ANY,),
            names,
            observed,
            call,
        )


def _is_statsd(ev: Evaluator, call: Call) -> bool:
    held = call.receiver
    if held is None:
        return False
    return any(isinstance(one, External) and one.package in STATSD for one in options_of(ev.eval(held, call.scope)))


def _prefix(ev: Evaluator, call: Call) -> str:
    """The prefix that a statsd client puts before each name."""
    held = call.callee.child_by_field_name("object") if call.callee is not None else None
    client = ev.eval(held, call.scope) if held is not None else None
    for one in options_of(client) if client is not None else ():
        for given in _given(ev, one):
            prefix = given.members.get("prefix") if isinstance(given, Object) else None
            if isinstance(prefix, Literal) and isinstance(prefix.value, str):
                return prefix.value
    return ""


def _given(ev: Evaluator, value: Value) -> tuple[Value, ...]:
    """What an outside object was constructed with."""
    if not isinstance(value, External) or value.where is None:
        return ()
    path, line = value.where
    module = ev.program.module(path)
    made = (
        [call for call in module.calls if call.line == line and (call.is_new or "()" in value.path)]
        if module is not None
        else []
    )
    return tuple(ev.eval(node, call.scope) for call in made[:1] for node in call.arguments())


def _texts(value: Value | None) -> list[str]:
    """Every text that a name may be; empty text for one that is not known."""
    found = []
    for one in options_of(value) if value is not None else ():
        if isinstance(one, Literal) and isinstance(one.value, str):
            found.append(one.value)
        elif isinstance(one, Template):
            text = "".join(str(part.value) if isinstance(part, Literal) else "*" for part in one.parts)
            found.append(text if text.strip("*") else "")
        else:
            found.append("")
    return list(dict.fromkeys(found))


def _labels(value: Value | None) -> tuple[str, ...]:
    if value is None:
        return ()
    found: list[str] = []
    for one in options_of(value):
        if not isinstance(one, Array) or one.rest is not None:
            return ("*",)
        for item in one.items:
            found.append(str(item.value) if isinstance(item, Literal) else "*")
    return tuple(found)


def _function(value: Value | None) -> FunctionValue | None:
    return (
        next((one for one in options_of(value) if isinstance(one, FunctionValue)), None) if value is not None else None
    )


_THROUGH = frozenset(
    (
        "parenthesized_expression",
        "as_expression",
        "satisfies_expression",
        "await_expression",
        "binary_expression",
        "arguments",
    )
)
_REGISTERS = re.compile(r"^[\w.]*(?:register|add|track|create|define|make|getOrCreate)\w*\(", re.IGNORECASE)


def bound_names(module: Module, node: Node) -> Iterator[str]:
    """Names that a new object gets: variable, property, field, assignment."""
    parent = node.parent
    while parent is not None and (
        parent.type in _THROUGH or (parent.type == "call_expression" and _REGISTERS.search(module.text(parent)[:80]))
    ):
        parent = parent.parent
    if parent is None:
        return
    if parent.type in ("variable_declarator", "public_field_definition", "field_definition"):
        named = parent.child_by_field_name("name") or parent.child_by_field_name("property")
    elif parent.type == "pair":
        named = parent.child_by_field_name("key")
    elif parent.type == "assignment_expression":
        left = parent.child_by_field_name("left")
        named = left.child_by_field_name("property") if left is not None and left.type == "member_expression" else left
    else:
        return
    if named is not None:
        yield module.text(named).strip("'\"`#")


def line_of_end(node: Node) -> int:
    """Last line of a node."""
    return int(node.end_point[0]) + 1
