"""What observability shows: rules, scrape jobs, exporters and dashboards in files, and what a live Prometheus says.

Paths in places are relative to the `--infra` folder that they came from. Durations are seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar

from auditor.infra.model import Environment
from auditor.model import FilePlace, MetricPlace, Snapshot, SourceReport

from .query import Comparison, Condition, Matcher, Query, Selector

__all__ = [
    "Comparison",
    "Condition",
    "Dashboard",
    "Exporter",
    "ExporterKind",
    "LivePrometheus",
    "LiveRule",
    "LiveTarget",
    "Matcher",
    "Note",
    "Observability",
    "Panel",
    "PrometheusConfig",
    "Query",
    "Recording",
    "Rule",
    "RuleKind",
    "ScrapeJob",
    "Selector",
    "Series",
]


class RuleKind(StrEnum):
    """Who evaluates a rule."""

    PROMETHEUS = "prometheus"
    KUBERNETES = "PrometheusRule"
    GRAFANA = "grafana"
    DATADOG = "datadog"
    CLOUDWATCH = "cloudwatch"
    LIVE = "live"
    """Known from the live Prometheus alone."""


@dataclass(frozen=True, slots=True)
class LiveRule:
    """An alert rule as the live Prometheus has loaded it."""

    name: str
    group: str
    expression: str
    healthy: bool
    error: str
    state: str
    """`inactive`, `pending`, `firing`."""
    hold_s: float


@dataclass(frozen=True, slots=True)
class Rule:
    """An alert as a file or a live Prometheus states it."""

    name: str
    kind: RuleKind
    query: Query
    place: FilePlace | MetricPlace
    hold_s: float | None = None
    """How long the condition must hold (`for`); None: not stated, it fires at once."""
    labels: Mapping[str, str] = field(default_factory=dict)
    environment: Environment = Environment.UNKNOWN
    loaded: bool | None = None
    """Whether the live Prometheus has it, else whether a configuration among the files loads its file; None: nothing to
    tell by, or a kind that needs none."""
    loaded_by: FilePlace | None = None
    root: str = ""
    """The `--infra` folder that it came from."""
    live: LiveRule | None = None
    """The same rule in the live Prometheus."""


@dataclass(frozen=True, slots=True)
class Recording:
    """A recording rule: it publishes the series `name`, computed from `query`."""

    name: str
    query: Query
    place: FilePlace | MetricPlace


@dataclass(frozen=True, slots=True)
class ScrapeJob:
    """A job of a Prometheus configuration, a ServiceMonitor or a PodMonitor."""

    name: str
    targets: tuple[str, ...]
    """`host:port` as written; empty where service discovery finds them."""
    path: str
    place: FilePlace
    environment: Environment = Environment.UNKNOWN
    discovered: bool = False
    """Targets come from service discovery."""


@dataclass(frozen=True, slots=True)
class PrometheusConfig:
    """A prometheus.yml."""

    place: FilePlace
    rule_files: tuple[tuple[str, FilePlace], ...] = ()
    """Globs as written."""
    jobs: tuple[ScrapeJob, ...] = ()
    alertmanagers: tuple[str, ...] = ()
    discovers_alertmanagers: bool = False
    """Alertmanagers come from service discovery."""
    environment: Environment = Environment.UNKNOWN


class ExporterKind(StrEnum):
    """What publishes metrics on behalf of something else."""

    REDIS = "redis_exporter"
    BULLMQ = "bullmq-exporter"
    BULL_MONITOR = "bull-monitor"
    TASKFORCE = "taskforce connector"
    BULL_BOARD = "bull-board"
    CLOUDWATCH = "cloudwatch alarm"
    DATADOG_REDIS = "datadog redis check"


@dataclass(frozen=True, slots=True)
class Exporter:
    """A unit that publishes queue or Redis metrics, as files deploy it or as a scrape job names it."""

    kind: ExporterKind
    name: str
    place: FilePlace
    redis: str = ""
    """The Redis that it is pointed at, without credentials; empty: not stated."""
    redis_place: FilePlace | None = None
    environment: Environment = Environment.UNKNOWN
    scraped: bool = False
    """Only a scrape job names it: nothing in the files deploys it."""
    unit: str = ""
    """File that holds it: exporters and a Redis of one compose file stand in one network."""


@dataclass(frozen=True, slots=True)
class Panel:
    """A panel of a dashboard with its queries."""

    title: str
    queries: tuple[Query, ...]
    place: FilePlace


@dataclass(frozen=True, slots=True)
class Dashboard:
    """A Grafana dashboard."""

    title: str
    panels: tuple[Panel, ...]
    place: FilePlace


@dataclass(frozen=True, slots=True)
class Note:
    """Something about a file that a reader should know: a rule that does not parse, a template, a broken document."""

    place: FilePlace
    text: str


@dataclass(frozen=True, slots=True)
class LiveTarget:
    """A scrape target."""

    job: str
    endpoint: str
    """Its URL without credentials and parameters."""
    up: bool | None
    """None: not scraped yet."""
    error: str


@dataclass(frozen=True, slots=True)
class Series:
    """What a selector finds in the live Prometheus within the last hour."""

    selector: str
    count: int
    """Number of series; 0: none exists."""
    value: float | None = None
    """The largest of their newest values."""


@dataclass(frozen=True, slots=True)
class LivePrometheus:
    """What a live Prometheus says."""

    endpoint: str
    """Its URL without credentials."""
    version: str = ""
    rules: tuple[LiveRule, ...] = ()
    rules_known: bool = False
    """False: the rules API gave nothing, so that no rule here says nothing."""
    targets: tuple[LiveTarget, ...] = ()
    names: frozenset[str] = frozenset()
    """Names of all metrics that exist."""
    names_known: bool = False
    series: Mapping[str, Series] = field(default_factory=dict)
    """By selector as written, for the selectors of alerts."""
    alertmanagers: int | None = None
    """Alertmanagers that it sends to; None: not told."""
    receivers: tuple[str, ...] = ()
    """Names of the receivers of those that could be asked."""

    def exists(self, selector: Selector) -> bool | None:
        """Whether the selector finds a series; None: not asked, or not answered."""
        found = self.series.get(selector.text)
        if found is not None:
            return found.count > 0
        return (
            None if not self.names_known or not selector.metric else (None if selector.metric in self.names else False)
        )


@dataclass(frozen=True, slots=True)
class Observability(Snapshot):
    """Rules and dashboards from files, and what a live Prometheus says of them."""

    source: ClassVar[str] = "prom"

    report: SourceReport
    files_given: bool = True
    """Whether infra files were looked through; False: no rule among the files says nothing."""
    rules: tuple[Rule, ...] = ()
    recordings: tuple[Recording, ...] = ()
    configs: tuple[PrometheusConfig, ...] = ()
    jobs: tuple[ScrapeJob, ...] = ()
    """Scrape jobs of all configurations, ServiceMonitors and PodMonitors."""
    exporters: tuple[Exporter, ...] = ()
    dashboards: tuple[Dashboard, ...] = ()
    notes: tuple[Note, ...] = ()
    live: LivePrometheus | None = None
    unreached: str = ""
    """Why the Prometheus that was given says nothing; empty where it answered, or none was given."""
    rule_files: tuple[FilePlace, ...] = ()
    """Every file that holds alert rules, whatever they are about."""
