"""Everything about metrics and alerts that the infra files of one folder state."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from auditor.infra.tree import open_tree
from auditor.infra.yaml_tree import Node
from auditor.model import FilePlace
from auditor.opening import Disk

from . import clouds, exporters, files, grafana, rules
from .files import Candidate, Topic
from .loading import Mount, mounts_of, told_loaded
from .model import Dashboard, Exporter, Note, PrometheusConfig, Recording, Rule, RuleKind, ScrapeJob


@dataclass(slots=True)
class Gathered:
    """What was found so far."""

    rules: list[Rule] = field(default_factory=list)
    recordings: list[Recording] = field(default_factory=list)
    configs: list[PrometheusConfig] = field(default_factory=list)
    jobs: list[ScrapeJob] = field(default_factory=list)
    exporters: list[Exporter] = field(default_factory=list)
    dashboards: list[Dashboard] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    mounts: list[Mount] = field(default_factory=list)
    ended_early: bool = False
    names: dict[str, str] = field(default_factory=dict)
    """File name of a ConfigMap's entry, by the `path:line` of a rule in it."""


def gather(roots: Sequence[Path], exclude: Sequence[str], deadline: float | None, disk: Disk | None = None) -> Gathered:
    """Read all folders; stops at the deadline with what it has."""
    found = Gathered()
    trees = []
    for root in roots:
        tree = open_tree(root, exclude, disk)
        trees.append(tree)
        for candidate in files.candidates(tree, found.notes):
            if deadline is not None and time.monotonic() > deadline:
                found.ended_early = True
                return found
            _take(candidate, str(root), found)
        for path, text in files.terraform(tree, found.notes):
            alarms = clouds.terraform_alarms(text, path, str(root))
            found.rules += alarms.rules
            found.exporters += alarms.exporters
    found.jobs += [job for config in found.configs for job in config.jobs]
    found.exporters += exporters.scraped_of(found.jobs)
    found.rules = list(told_loaded(found.rules, tuple(found.configs), found.names, found.mounts, trees))
    return found


def _take(candidate: Candidate, root: str, found: Gathered) -> None:
    if candidate.json:
        if Topic.DASHBOARDS in candidate.topic:
            found.dashboards += grafana.dashboards_of(candidate.text, candidate.path, found.notes)
            return
        if Topic.RULES not in candidate.topic and Topic.UNITS not in candidate.topic:
            found.rules += clouds.datadog_json(candidate.text, candidate.path, root)
            return
        if Topic.DATADOG in candidate.topic:
            found.rules += clouds.datadog_json(candidate.text, candidate.path, root)
        if not candidate.topic & ~(Topic.DATADOG | Topic.DASHBOARDS):
            return
    for document in files.read_yaml(candidate, found.notes):
        for key, mapping in files.mappings(document):
            _mapping(key, mapping, candidate, root, found)


def _mapping(key: str, here: Node, candidate: Candidate, root: str, found: Gathered) -> None:
    """One mapping of a document: a group list, a configuration, a container, a resource, or none of these."""
    keys = dict(here.items())
    if "groups" in keys:
        kind = RuleKind.KUBERNETES if key == "spec" else RuleKind.PROMETHEUS
        got = rules.rules_of(here, root, kind, found.notes)
        found.rules += got.rules
        found.recordings += got.recordings
        found.rules += grafana.alerts_of(here, root, found.notes)
    if "scrape_configs" in keys:
        found.configs.append(rules.config_of(here, root))
    if keys.get("kind") is not None and keys["kind"].text in ("ServiceMonitor", "PodMonitor"):
        found.jobs.append(rules.monitor_of(here))
    if "image" in keys:
        found.exporters += exporters.units_of(key, here)
    if "volumes" in keys and "image" in keys:
        found.mounts += mounts_of(here)
    if "metrics" in keys:
        found.exporters += exporters.chart_of(key, here)
    if key == "annotations":
        found.exporters += exporters.datadog_of(here)
    found.rules += clouds.datadog_of(here, root)
    if key in ("data", "stringData"):
        _entries(here, found)


def _entries(data: Node, found: Gathered) -> None:
    """A ConfigMap's files: dashboards are JSON, and a rule file is loaded by the entry's name."""
    for name, value in data.items():
        if '"panels"' in value.text:
            found.dashboards += grafana.dashboards_of(value.text, value.path, found.notes, shift=value.line)
        elif "groups:" in value.text and PurePosixPath(name).suffix:
            last = value.line + value.text.count("\n") + 1
            found.names |= {FilePlace(value.path, line).label(): name for line in range(value.line, last + 1)}
