"""Rules, scrape jobs, exporters and dashboards are found by content and shape, wherever they lie."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path

import pytest

from auditor.infra.model import Environment
from auditor.prom.collect import collect
from auditor.prom.model import ExporterKind, Observability, RuleKind

RULES = """
groups:
  - name: queues
    rules:
      - alert: HighQueueDepth
        expr: bullmq_queue_depth{status="waiting"} > 1000
        for: 5m
        labels: {severity: warning}
        annotations: {summary: "{{ $labels.queue }} has a backlog"}
      - record: queue:depth:max
        expr: max by (queue) (bullmq_queue_depth)
"""


def read(folder: Path, **files: str) -> Observability:
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_yml", ".yml").replace("_json", ".json").replace("_tf", ".tf")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))
    return collect([folder], None)


def test_a_rule_file_gives_its_alerts_with_lines(tmp_path: Path) -> None:
    seen = read(tmp_path, prod__queues_yml=RULES)
    (rule,) = seen.rules
    assert (rule.name, rule.hold_s, rule.labels) == ("HighQueueDepth", 300, {"severity": "warning"})
    assert rule.place.label() == "prod/queues.yml:5"
    assert rule.environment is Environment.PRODUCTION
    assert rule.loaded is None, "no Prometheus configuration among the files tells"
    assert [r.name for r in seen.recordings] == ["queue:depth:max"]
    assert seen.notes == ()


def test_a_prometheus_rule_resource_and_a_config_map_hold_rules_too(tmp_path: Path) -> None:
    indented = textwrap.indent(RULES.strip(), "    ")
    seen = read(
        tmp_path,
        k8s_yml=f"kind: PrometheusRule\nmetadata: {{name: queues}}\nspec:\n{textwrap.indent(RULES.strip(), '  ')}\n"
        f"---\nkind: ConfigMap\nmetadata: {{name: rules}}\ndata:\n  queues.yml: |\n{indented}\n",
    )
    assert [(r.kind, r.place.label()) for r in seen.rules] == [
        (RuleKind.KUBERNETES, "k8s.yml:7"),
        (RuleKind.PROMETHEUS, "k8s.yml:22"),
    ]
    line = (tmp_path / "k8s.yml").read_text().splitlines()[21]
    assert "alert: HighQueueDepth" in line


@pytest.mark.parametrize(
    ("glob", "loaded"),
    [
        ("rules/*.yml", True),
        ("/etc/prometheus/rules/*.yml", True),
        ("queues.yml", True),
        ("/etc/prometheus/rules/*.yaml", False),
        ("other.yml", False),
    ],
)
def test_a_rule_is_loaded_if_a_configuration_names_its_file(tmp_path: Path, glob: str, loaded: bool) -> None:
    config = f"rule_files: ['{glob}']\nscrape_configs: []\n"
    (rule,) = read(tmp_path, prometheus_yml=config, rules__queues_yml=RULES).rules
    assert rule.loaded is loaded
    assert (rule.loaded_by is not None) is loaded


def test_a_configuration_without_rule_files_loads_none_and_a_sample_counts_for_nothing(tmp_path: Path) -> None:
    (rule,) = read(tmp_path, prometheus_yml="scrape_configs: []\n", rules__queues_yml=RULES).rules
    assert rule.loaded is False
    other = tmp_path / "other"
    other.mkdir()
    (sample,) = read(other, examples__queues_yml=RULES).rules
    assert sample.loaded is False


def test_scrape_jobs_and_alertmanagers(tmp_path: Path) -> None:
    seen = read(
        tmp_path,
        prometheus_yml="""
        alerting:
          alertmanagers: [{static_configs: [{targets: ['alertmanager:9093']}]}]
        scrape_configs:
          - job_name: worker
            metrics_path: /internal/metrics
            static_configs: [{targets: ['worker:9100']}]
          - job_name: pods
            kubernetes_sd_configs: [{role: pod}]
        """,
        monitor_yml="kind: ServiceMonitor\nmetadata: {name: api}\nspec:\n  endpoints: [{port: http, path: /m}]\n",
    )
    assert [(j.name, j.targets, j.path, j.discovered) for j in sorted(seen.jobs, key=lambda j: j.name)] == [
        ("api", (), "/m", True),
        ("pods", (), "/metrics", True),
        ("worker", ("worker:9100",), "/internal/metrics", False),
    ]
    assert seen.configs[0].alertmanagers == ("alertmanager:9093",)


@pytest.mark.parametrize(
    ("image", "environment", "kind", "redis"),
    [
        (
            "oliver006/redis_exporter:v1.5",
            "{REDIS_ADDR: 'redis://:secret77@queues:6379'}",
            ExporterKind.REDIS,
            "queues:6379",
        ),
        (
            "oliver006/redis_exporter@sha256:abc",
            "['REDIS_ADDR=redis://queues:6379']",
            ExporterKind.REDIS,
            "queues:6379",
        ),
        ("quay.io/x/bull_exporter", "{EXPORTER_REDIS_URL: 'redis://q:6379/1'}", ExporterKind.BULLMQ, "q:6379"),
        ("ron96g/bullmq-exporter", "{REDIS_HOST: q}", ExporterKind.BULLMQ, "q"),
        ("deadly0/bull-board", "{REDIS_HOST: q}", ExporterKind.BULL_BOARD, "q"),
    ],
)
def test_exporters_are_told_by_their_image_and_point_at_a_redis(
    tmp_path: Path, image: str, environment: str, kind: ExporterKind, redis: str
) -> None:
    (exporter,) = read(
        tmp_path, compose_yml=f"services:\n  exporter:\n    image: {image}\n    environment: {environment}\n"
    ).exporters
    assert (exporter.kind, exporter.redis, exporter.name) == (kind, redis, "exporter")
    assert "secret77" not in repr(exporter)


def test_exporters_by_arguments_by_chart_by_annotation_and_by_scrape_job(tmp_path: Path) -> None:
    seen = read(
        tmp_path,
        pod_yml="""
        kind: Deployment
        spec:
          template:
            metadata: {annotations: {ad.datadoghq.com/redis.check_names: '["redisdb"]'}}
            spec:
              containers:
                - {name: exporter, image: oliver006/redis_exporter, args: ['--redis.addr=rediss://queues:6380']}
        """,
        values_yml="redis:\n  metrics:\n    enabled: true\n",
        prometheus_yml="scrape_configs:\n  - job_name: redis\n    static_configs: [{targets: ['redis-exporter:9121']}]\n"
        "  - job_name: cache\n    static_configs: [{targets: ['redis:6379']}]\n",
    )
    found = {(e.kind, e.name, e.redis, e.scraped) for e in seen.exporters}
    assert found == {
        (ExporterKind.REDIS, "exporter", "queues:6380", False),
        (ExporterKind.DATADOG_REDIS, "redisdb check", "", False),
        (ExporterKind.REDIS, "redis chart metrics", "redis", False),
        (ExporterKind.REDIS, "redis", "", True),
    }


def test_dashboards_with_rows_nested_panels_and_variables(tmp_path: Path) -> None:
    board = {
        "title": "Queues",
        "panels": [
            {"title": "Depth", "targets": [{"expr": 'bullmq_queue_depth{queue=~"$queue"}'}]},
            {"type": "row", "panels": [{"title": "Rate", "targets": [{"expr": "rate(jobs_total[$__rate_interval])"}]}]},
        ],
    }
    seen = read(
        tmp_path,
        board_json=json.dumps(board, indent=1),
        several_json=json.dumps(
            {"dashboards": [{"title": "Old", "rows": [{"panels": [{"title": "P", "targets": [{"expr": "up"}]}]}]}]}
        ),
    )
    panels = [
        (d.title, p.title, [s.metric for q in p.queries for s in q.selectors()])
        for d in seen.dashboards
        for p in d.panels
    ]
    assert panels == [
        ("Queues", "Depth", ["bullmq_queue_depth"]),
        ("Queues", "Rate", ["jobs_total"]),
        ("Old", "P", ["up"]),
    ]
    place = seen.dashboards[0].panels[0].place
    assert "bullmq_queue_depth" in (tmp_path / "board.json").read_text().splitlines()[place.line - 1]


def test_a_board_in_a_config_map(tmp_path: Path) -> None:
    seen = read(
        tmp_path,
        map_yml="""
        kind: ConfigMap
        data:
          board.json: |
            {"title": "Queues",
             "panels": [{"title": "Depth",
               "targets": [{"expr": "bullmq_queue_depth"}]}]}
        """,
    )
    (panel,) = seen.dashboards[0].panels
    assert "bullmq_queue_depth" in (tmp_path / "map.yml").read_text().splitlines()[panel.place.line - 1]


def test_grafana_alerts_take_their_threshold_from_the_condition(tmp_path: Path) -> None:
    (rule,) = read(
        tmp_path,
        alerts_yml="""
        apiVersion: 1
        groups:
          - name: queues
            rules:
              - title: Backlog
                condition: C
                for: 10m
                data:
                  - {refId: A, datasourceUid: prom, model: {expr: 'sum(bullmq_queue_depth)'}}
                  - {refId: C, datasourceUid: __expr__, model: {type: threshold, conditions: [{evaluator: {type: gt, params: [500]}}]}}
        """,
    ).rules
    assert rule.kind is RuleKind.GRAFANA
    assert rule.hold_s == 600
    (condition,) = rule.query.conditions()
    assert condition.comparison is not None
    assert (condition.comparison.op, condition.comparison.threshold) == (">", 500)


def test_datadog_and_cloudwatch_alerts_as_code(tmp_path: Path) -> None:
    seen = read(
        tmp_path,
        monitors_tf="""
        resource "datadog_monitor" "depth" {
          name  = "queue depth"
          type  = "query alert"
          query = "avg(last_5m):avg:bull.queue.waiting{queue:mail} > 1000"
        }
        resource "aws_cloudwatch_metric_alarm" "memory" {
          alarm_name          = "redis-memory"
          namespace           = "AWS/ElastiCache"
          metric_name         = "DatabaseMemoryUsagePercentage"
          comparison_operator = "GreaterThanThreshold"
          threshold           = 80
          period              = 60
          evaluation_periods  = 5
          dimensions = { CacheClusterId = "queues" }
        }
        """,
        monitor_json=json.dumps({"name": "dlq", "type": "metric alert", "query": "max(last_10m):sum:dlq.size{*} > 0"}),
    )
    told = {r.name: next(iter(r.query.conditions())) for r in seen.rules}
    assert told["queue depth"].selectors[0].metric == "bull.queue.waiting"
    assert told["queue depth"].comparison and told["queue depth"].comparison.threshold == 1000
    assert told["dlq"].selectors[0].text == "dlq.size"
    assert told["redis-memory"].comparison and told["redis-memory"].comparison.op == ">"
    assert next(r for r in seen.rules if r.name == "redis-memory").hold_s == 300
    assert [(e.kind, e.name) for e in seen.exporters] == [(ExporterKind.CLOUDWATCH, "memory")]


def test_excluded_files_are_not_read(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "rules.yml").write_text(RULES)
    assert collect([tmp_path], None, exclude=["old"]).rules == ()


def test_a_mount_gives_a_rule_file_the_name_that_is_loaded(tmp_path: Path) -> None:
    seen = read(
        tmp_path,
        docker__prometheus_yml="rule_files: [/etc/prometheus/rules/app.yml, 'more/*.yml']\nscrape_configs: []\n",
        docker__compose_yml="""
        services:
          prometheus:
            image: prom/prometheus
            volumes:
              - ./prometheus.yml:/etc/prometheus/prometheus.yml:ro
              - ../alerting/rules-of-the-app.yml:/etc/prometheus/rules/app.yml:ro
              - {type: bind, source: ../alerting/more, target: /etc/prometheus/more}
        """,
        **{"alerting__rules-of-the-app_yml": RULES, "alerting__more__x_yml": RULES, "alerting__other_yml": RULES},
    )
    loaded = {r.place.label().rpartition(":")[0]: r.loaded for r in seen.rules}
    assert loaded == {"alerting/rules-of-the-app.yml": True, "alerting/more/x.yml": True, "alerting/other.yml": False}


def test_an_exporter_that_is_turned_off_is_none(tmp_path: Path) -> None:
    values = "metrics:\n  enabled: {on}\n  image: {{registry: docker.io, repository: bitnami/redis-exporter}}\n"
    (tmp_path / "values.yaml").write_text(values.format(on="false"))
    (tmp_path / "Chart.yaml").write_text(
        "annotations:\n  images: |\n    - name: redis-exporter\n      image: docker.io/bitnami/redis-exporter:1\n"
    )
    assert collect([tmp_path], None).exporters == ()
    (tmp_path / "values.yaml").write_text(values.format(on="true"))
    assert [e.kind for e in collect([tmp_path], None).exporters] == [ExporterKind.REDIS]


def test_an_image_copies_rules_and_a_tool_uploads_them(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile.prom").write_text(
        "FROM prom/prometheus:v3\nCOPY monitoring/copied.yml /etc/prometheus/rules/\n"
    )
    (tmp_path / "upload.sh").write_text("#!/bin/sh\nmimirtool rules load monitoring/uploaded.yml\n")
    (tmp_path / "other.sh").write_text("cat monitoring/nowhere.yml\n")
    seen = read(
        tmp_path,
        prometheus_yml="rule_files: [/etc/prometheus/rules/*.yml]\nscrape_configs: []\n",
        **{f"monitoring__{name}_yml": RULES for name in ("copied", "uploaded", "nowhere")},
    )
    told = {r.place.label(): (r.loaded, r.loaded_by.label() if r.loaded_by else "") for r in seen.rules}
    assert told == {
        "monitoring/copied.yml:5": (True, "prometheus.yml:1"),
        "monitoring/uploaded.yml:5": (True, "upload.sh:2"),
        "monitoring/nowhere.yml:5": (False, ""),
    }
