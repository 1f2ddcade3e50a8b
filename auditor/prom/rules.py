"""Prometheus rules and configurations: rule files, PrometheusRule resources, Helm values and ConfigMaps that hold them."""

from __future__ import annotations

from dataclasses import dataclass

from auditor.infra.environment import of_path
from auditor.infra.model import Environment
from auditor.infra.text import seconds
from auditor.infra.yaml_tree import Node

from . import promql
from .model import Note, PrometheusConfig, Query, Recording, Rule, RuleKind, ScrapeJob


@dataclass(frozen=True, slots=True)
class Found:
    """Rules of one file."""

    rules: tuple[Rule, ...]
    recordings: tuple[Recording, ...]


def rules_of(node: Node, root: str, kind: RuleKind, notes: list[Note]) -> Found:
    """The rules of one group list's mapping (`{groups: [{name, rules: [...]}]}`)."""
    alerts: list[Rule] = []
    recordings: list[Recording] = []
    for group in node["groups"].list():
        for entry in group["rules"].list():
            expression = entry["expr"].text
            if not expression or not (entry["alert"].text or entry["record"].text):
                continue
            query = promql.read(expression)
            if query.problem:
                notes.append(
                    Note(entry["expr"].place, f"rule {entry['alert'].text or entry['record'].text}: {query.problem}")
                )
            if entry["alert"].text:
                alerts.append(_alert(entry, query, root, kind))
            else:
                recordings.append(Recording(entry["record"].text, query, entry["record"].place))
    return Found(tuple(alerts), tuple(recordings))


def _alert(entry: Node, query: Query, root: str, kind: RuleKind) -> Rule:
    stated = entry["for"].text
    return Rule(
        entry["alert"].text,
        kind,
        query,
        entry["alert"].place,
        hold_s=seconds(stated) if stated else None,
        labels={name: value.text for name, value in entry["labels"].items()},
        environment=of_path(entry.path),
        root=root,
    )


def config_of(node: Node, root: str) -> PrometheusConfig:
    """A prometheus.yml."""
    environment = of_path(node.path)
    managers = tuple(
        target
        for manager in node.at("alerting", "alertmanagers").list()
        for static in manager["static_configs"].list()
        for target in static["targets"].texts()
    )
    found = any(
        key.endswith("_sd_configs")
        for manager in node.at("alerting", "alertmanagers").list()
        for key, _ in manager.items()
    )
    return PrometheusConfig(
        node["scrape_configs"].place,
        tuple((entry.text, entry.place) for entry in node["rule_files"].list() if entry.text),
        tuple(_job(entry, environment) for entry in node["scrape_configs"].list() if entry["job_name"].text),
        managers,
        found,
        environment,
    )


def _job(entry: Node, environment: Environment) -> ScrapeJob:
    targets = [t for static in entry["static_configs"].list() for t in static["targets"].texts()]
    found = any(key.endswith("_sd_configs") for key, _ in entry.items())
    return ScrapeJob(
        entry["job_name"].text,
        tuple(targets),
        entry["metrics_path"].text or "/metrics",
        entry["job_name"].place,
        environment,
        found,
    )


def monitor_of(node: Node) -> ScrapeJob:
    """A ServiceMonitor or PodMonitor as a scrape job."""
    endpoints = [*node.at("spec", "endpoints").list(), *node.at("spec", "podMetricsEndpoints").list()]
    path = next((e["path"].text for e in endpoints if e["path"].text), "/metrics")
    return ScrapeJob(
        node.at("metadata", "name").text, (), path, node["kind"].place, of_path(node.path), discovered=True
    )
