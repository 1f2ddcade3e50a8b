"""Alerts as code beside Prometheus: Datadog monitors, CloudWatch, Azure and Google alarms in Terraform."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from auditor.infra.environment import of_path
from auditor.infra.yaml_tree import Node
from auditor.model import FilePlace

from .model import Exporter, ExporterKind, Rule, RuleKind
from .query import Comparison, Condition, Matcher, Query, Selector

_BLOCK = re.compile(r'^\s*resource\s+"(?P<type>\w+)"\s+"(?P<name>[\w-]+)"\s*\{', re.MULTILINE)
_ATTRIBUTE = re.compile(
    r'^\s*"?(?P<key>\w+)"?\s*=\s*(?:"(?P<text>(?:\\.|[^"\\])*)"|(?P<bare>[^\s{\[<][^\n]*))', re.MULTILINE
)
_ALARMS = {
    "aws_cloudwatch_metric_alarm": "cloudwatch",
    "azurerm_monitor_metric_alert": "azure",
    "google_monitoring_alert_policy": "google",
}
_AWS_OPS = {
    "GreaterThanThreshold": ">",
    "GreaterThanOrEqualToThreshold": ">=",
    "LessThanThreshold": "<",
    "LessThanOrEqualToThreshold": "<=",
}
_MEMORY = re.compile(r"DatabaseMemoryUsage|FreeableMemory|BytesUsedForCache|usedmemory|memory/usage", re.I)
_MANAGED = re.compile(r"elasticache|memorydb|redis|memorystore", re.I)
_DATADOG = re.compile(
    r"^\s*(?:(?P<outer>\w+)\((?P<window>last_\w+|\w+)\):)?\s*(?P<body>.+?)\s*(?P<op>>=|<=|==|!=|>|<)\s*(?P<number>-?[0-9.]+)\s*$",
    re.DOTALL,
)
_DATADOG_METRIC = re.compile(
    r"\b(?:avg|sum|min|max|count)\s*:\s*(?P<metric>[A-Za-z_][\w.]*)\s*(?:\{(?P<tags>[^}]*)\})?"
)


@dataclass(frozen=True, slots=True)
class Alarms:
    """Alerts of one Terraform file, and the alarms that watch a managed Redis' memory."""

    rules: tuple[Rule, ...]
    exporters: tuple[Exporter, ...]


def terraform_alarms(text: str, path: str, root: str) -> Alarms:
    """Alarms and monitors among the resources of a Terraform file; what is computed there stays unread."""
    rules: list[Rule] = []
    exporters: list[Exporter] = []
    for kind, name, body, line in _resources(text):
        place = FilePlace(path, line)
        given = {m["key"]: m["text"] if m["text"] is not None else m["bare"].strip() for m in _ATTRIBUTE.finditer(body)}
        if kind in _ALARMS:
            rules.append(_cloud_rule(kind, name, given, place, root))
            if _MEMORY.search(body) and _MANAGED.search(body):
                exporters.append(
                    Exporter(ExporterKind.CLOUDWATCH, name, place, "managed", place, of_path(path), unit=path)
                )
        elif kind == "datadog_monitor" and given.get("query"):
            rules.append(_datadog_rule(given.get("name", name), given["query"].replace('\\"', '"'), place, root))
    return Alarms(tuple(rules), tuple(exporters))


def _resources(text: str) -> Iterator[tuple[str, str, str, int]]:
    """(type, name, body, line) by matching braces; quotes and heredocs may hold braces in pairs."""
    for match in _BLOCK.finditer(text):
        depth, at = 1, match.end()
        while depth and at < len(text):
            depth += {"{": 1, "}": -1}.get(text[at], 0)
            at += 1
        yield match["type"], match["name"], text[match.end() : at], text.count("\n", 0, match.start("type")) + 1


def _cloud_rule(kind: str, name: str, given: dict[str, str], place: FilePlace, root: str) -> Rule:
    metric = given.get("metric_name") or given.get("filter", "")
    op = _AWS_OPS.get(given.get("comparison_operator", ""), ">")
    names = tuple(Matcher(key, "=", given[key]) for key in ("QueueName", "Queue", "queue") if given.get(key))
    selector = Selector(metric, names)
    seconds = _number(given.get("period", "")) or 0.0
    periods = _number(given.get("evaluation_periods", "")) or 1.0
    condition = Condition(
        (selector,), Comparison(op, _number(given.get("threshold", given.get("threshold_value", "")))), text=metric
    )
    query = Query(f"{metric} {op} {given.get('threshold', '?')}", ((condition,),), language=_ALARMS[kind])
    return Rule(
        given.get("alarm_name", name),
        RuleKind.CLOUDWATCH,
        query,
        place,
        hold_s=seconds * periods or None,
        environment=of_path(place.path),
        root=root,
    )


def datadog_of(node: Node, root: str) -> Iterator[Rule]:
    """A DatadogMonitor resource."""
    query = node.at("spec", "query")
    if node["kind"].text == "DatadogMonitor" and query.text:
        yield _datadog_rule(node.at("spec", "name").text, query.text, query.place, root)


def datadog_json(text: str, path: str, root: str) -> Iterator[Rule]:
    """Monitors as Datadog exports them: `{name, type, query}`, or a list of them."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return
    entries = value if isinstance(value, list) else (value.get("monitors", [value]) if isinstance(value, dict) else [])
    for entry in entries if isinstance(entries, list) else ():
        if (
            isinstance(entry, dict)
            and str(entry.get("type", "")).endswith("alert")
            and isinstance(entry.get("query"), str)
        ):
            at = text.find(json.dumps(entry["query"]))
            place = FilePlace(path, text.count("\n", 0, at) + 1 if at >= 0 else 0)
            yield _datadog_rule(str(entry.get("name", "")), entry["query"], place, root)


def _datadog_rule(name: str, text: str, place: FilePlace, root: str) -> Rule:
    return Rule(
        name, RuleKind.DATADOG, datadog_query(text), place, hold_s=None, environment=of_path(place.path), root=root
    )


def datadog_query(text: str) -> Query:
    """A Datadog monitor's query: `avg(last_5m):avg:bull.queue.waiting{queue:mail} > 1000`."""
    match = _DATADOG.match(text)
    metrics = list(_DATADOG_METRIC.finditer(match["body"])) if match else []
    if not match or not metrics:
        return Query(text, problem="not a metric query", language="datadog")
    selectors = tuple(Selector(m["metric"], _tags(m["tags"] or "")) for m in metrics)
    condition = Condition(
        selectors, Comparison(match["op"], _number(match["number"])), ratio="/" in match["body"], text=text
    )
    return Query(text, ((condition,),), language="datadog")


def _tags(text: str) -> tuple[Matcher, ...]:
    pairs = (tag.strip().partition(":") for tag in text.split(","))
    return tuple(Matcher(name, "=", value) for name, colon, value in pairs if colon and value and "*" not in value)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
