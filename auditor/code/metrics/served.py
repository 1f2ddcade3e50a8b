"""Where metrics leave a process: endpoints that print a registry, pushes, exporters of OpenTelemetry; and what stands in a route."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from auditor.code.evaluation import call_sites
from auditor.code.evaluation.values import External, Literal, Unknown, options_of
from auditor.code.metrics.registries import ANY, DEFAULT, OWN, Registry, registry_of
from auditor.code.syntax.facts import Call, Function, Module, Scope

if TYPE_CHECKING:
    from auditor.code.evaluation.evaluate import Evaluator

WORDS = (b"metrics", b"Metric", b"Pushgateway", b"express-prom-bundle", b"PrometheusExporter")
MARKS = re.compile(
    rb"\.metrics\s*\(|getMetricsAsJSON|getSingleMetric|clusterMetrics|Pushgateway|express-prom-bundle|fastify-metrics|nestjs-prometheus|"
    rb"PrometheusExporter|MetricReader|prometheus-api-metrics|express-prometheus-middleware|/metrics['\"`]"
)
OTEL = ("otel", 0)
_PRINTS = frozenset(("metrics", "getMetricsAsJSON", "getSingleMetric", "getSingleMetricAsString", "clusterMetrics"))
_WHOLE = frozenset(
    (
        "express-prom-bundle",
        "fastify-metrics",
        "@willsoto/nestjs-prometheus",
        "prometheus-api-metrics",
        "express-prometheus-middleware",
    )
)
"""Packages that serve prom-client's own registry by themselves."""
_REGISTRY_NAME = re.compile(r"(?i)regist|prom|client$|metrics$")
_OTEL_NAMES = re.compile(r"(?:PrometheusExporter|MetricReader|OTLPMetricExporter)$")
_METRICS_PATH = re.compile(r"^['\"`][\w/.-]*/?metrics/?['\"`]$")
_ROUTES = frozenset("get head all route use createServer any options handle".split())  # noqa: SIM905  # a list of words reads best as words
_ROUTE_DECORATOR = re.compile(r"^@?(?:Get|All|Head|HealthCheck|Route)\b")


@dataclass(slots=True, eq=False)
class Outlet:
    """A place that gives out a registry."""

    registries: tuple[Registry, ...]
    module: Module
    line: int
    scope: Scope


def outlets(ev: Evaluator, modules: list[Module]) -> list[Outlet]:
    """Every place in these modules that gives out metrics."""
    return [
        Outlet(registries, module, call.line, call.scope)
        for module in modules
        for call in module.calls
        if (registries := _given_out(ev, call))
    ]


def _given_out(ev: Evaluator, call: Call) -> tuple[Registry, ...]:
    if call.is_new:
        return _constructed(ev, call)
    held = call.receiver
    if call.name in _PRINTS and held is not None:
        value = ev.eval(held, call.scope)
        ours = [one for one in options_of(value) if isinstance(one, External) and one.package == "prom-client"]
        if ours:
            return tuple(dict.fromkeys(registry for one in ours for registry in registry_of(one)))
        named = _REGISTRY_NAME.search(call.scope.module.text(held).split(".")[-1])
        return (ANY,) if named and all(isinstance(one, Unknown) for one in options_of(value)) else ()
    if call.name in _ROUTES and call.arguments() and _METRICS_PATH.match(call.scope.module.text(call.arguments()[0])):
        return (OWN,)
    return (DEFAULT,) if _serves_all(ev, call) else ()


def _serves_all(ev: Evaluator, call: Call) -> bool:
    """A package that serves prom-client's own registry by itself is called, or handed to a server."""
    source = call.scope.module.source
    if call.callee is None or not any(package.encode() in source for package in _WHOLE):
        return False
    values = (
        [ev.eval(call.callee, call.scope)]
        if call.callee.type == "identifier" or call.name in ("register", "registerAsync", "forRoot")
        else []
    )
    if call.name in ("use", "register"):
        values += [
            ev.eval(node, call.scope)
            for node in call.arguments()[:2]
            if node.type in ("identifier", "member_expression", "call_expression")
        ]
    return any(
        isinstance(one, External) and one.package in _WHOLE and "Metric" not in one.path
        for value in values
        for one in options_of(value)
    )


def _constructed(ev: Evaluator, call: Call) -> tuple[Registry, ...]:
    if call.name == "Pushgateway":
        arguments = call.arguments()
        return registry_of(ev.eval(arguments[2], call.scope)) if len(arguments) > 2 else (DEFAULT,)
    return (OTEL,) if _OTEL_NAMES.search(call.name) else ()


def in_route(ev: Evaluator, scope: Scope, up: int = 3) -> bool:
    """Whether code of a scope answers a request: within a route's handler, or called from one in `up` steps."""
    return any(True for _ in _routes(ev, scope, up, set()))


def _routes(ev: Evaluator, scope: Scope, up: int, seen: set[int]) -> Iterator[Call | Function]:
    function: Function | None = scope.func
    while function is not None and id(function) not in seen:
        seen.add(id(function))
        if any(_ROUTE_DECORATOR.match(function.module.text(decorator)) for decorator in function.decorators):
            yield function
        for site in call_sites.sites(ev, function):
            if site.position is not None and site.call.name in _ROUTES and _has_path(ev, site.call):
                yield site.call
            elif up > 0:
                yield from _routes(ev, site.call.scope, up - 1, seen)
        outer = function.scope.parent
        function = outer.func if outer is not None else None


def _has_path(ev: Evaluator, call: Call) -> bool:
    if call.name == "createServer":
        return True
    arguments = call.arguments()
    if not arguments:
        return False
    if arguments[0].type == "object":
        return call.name == "route"
    return arguments[0].type in ("string", "template_string") or isinstance(ev.eval(arguments[0], call.scope), Literal)
