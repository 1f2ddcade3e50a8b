"""Prometheus rules and configurations: rule files, PrometheusRule resources, Helm values and ConfigMaps that hold them."""

from __future__ import annotations

import fnmatch
import posixpath
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from auditor.infra.environment import of_path
from auditor.infra.model import Environment
from auditor.infra.text import seconds
from auditor.infra.yaml_tree import Node
from auditor.model import FilePlace

from . import promql
from .model import Note, PrometheusConfig, Query, Recording, Rule, RuleKind, ScrapeJob

_SAMPLES = frozenset(["example", "examples", "sample", "samples", "docs", "doc"])


@dataclass(frozen=True, slots=True)
class Found:
    """Rules of one file."""

    rules: tuple[Rule, ...]
    recordings: tuple[Recording, ...]


@dataclass(frozen=True, slots=True)
class Mount:
    """A file or folder of the repository, and where a container sees it."""

    source: str
    target: str


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


def mounts_of(unit: Node) -> Iterator[Mount]:
    """Files and folders that a compose service mounts where a Prometheus would look."""
    for entry in unit["volumes"].list():
        source, _, rest = (
            entry.text.partition(":") if entry.kind == "scalar" else (entry["source"].text, "", entry["target"].text)
        )
        target = rest.partition(":")[0]
        if source.startswith((".", "/")) is False and "/" not in source:
            continue  # a named volume
        if "prometheus" in target or "rules" in target or PurePosixPath(target).suffix in (".yml", ".yaml", ".rules"):
            yield Mount(posixpath.normpath(posixpath.join(posixpath.dirname(unit.path), source)), target)


def told_loaded(
    rules: Iterable[Rule], configs: tuple[PrometheusConfig, ...], names: dict[str, str], mounts: Sequence[Mount] = ()
) -> Iterator[Rule]:
    """The rules with `loaded` told by the configurations' `rule_files`.

    `names` gives, for a rule whose file is a ConfigMap's entry (by `path:line` of the rule), that entry's file name.
    """
    deployed = tuple(config for config in configs if not is_sample(config.place.path))
    for rule in rules:
        place = rule.place
        if not isinstance(place, FilePlace):
            yield rule
        elif is_sample(place.path):
            yield replace(rule, loaded=False)
        elif rule.kind is not RuleKind.PROMETHEUS or not deployed:
            yield rule
        else:
            by = _mounted(place.path, deployed, mounts) or _loader(
                place.path, names.get(place.label(), ""), deployed, not mounts
            )
            yield replace(rule, loaded=by is not None, loaded_by=by)


def is_sample(path: str) -> bool:
    """Whether a file lies among examples or documentation: nothing deploys it."""
    return not _SAMPLES.isdisjoint(PurePosixPath(path).parts[:-1])


def _mounted(path: str, configs: tuple[PrometheusConfig, ...], mounts: Sequence[Mount]) -> FilePlace | None:
    """The `rule_files` line that loads the file under the name that a mount gives it."""
    for mount in mounts:
        if path != mount.source and not path.startswith(mount.source + "/"):
            continue
        target = posixpath.normpath(mount.target + path[len(mount.source) :])
        for config in configs:
            for glob, place in config.rule_files:
                if fnmatch.fnmatch(target, posixpath.normpath(posixpath.join("/etc/prometheus", glob))):
                    return place
    return None


def _loader(path: str, entry: str, configs: tuple[PrometheusConfig, ...], by_pattern: bool) -> FilePlace | None:
    """The `rule_files` line that loads a file: by its path beside the configuration, else by its name alone, since a
    mount puts it anywhere; by a pattern of names (`*.yml`) only where `by_pattern`: no mount tells better."""
    name = entry or PurePosixPath(path).name
    stated = [(config, glob, place) for config in configs for glob, place in config.rule_files]
    near = [place for config, glob, place in stated if not entry and fnmatch.fnmatch(path, _beside(config, glob))]
    far = [
        place
        for config, glob, place in stated
        if fnmatch.fnmatch(name, last := PurePosixPath(glob).name)
        and (by_pattern or entry or last == name)
        and (not entry or config.place.path == path or glob.startswith("/"))
    ]
    return next(iter([*near, *far]), None)


def _beside(config: PrometheusConfig, glob: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(config.place.path), glob))
