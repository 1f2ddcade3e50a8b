"""Alerts that can fire and alerts that cannot: the cases of alerts.yaml, and the same against a real Prometheus."""

from __future__ import annotations

import importlib
import textwrap
from pathlib import Path
from typing import Any

import pytest
import yaml

from auditor.model import Cause, FilePlace, Status, Verdict
from auditor.probes import Probe
from auditor.prom.address import parse
from auditor.prom.collect import collect

from .support import exposing, needs_prometheus, prometheus, wait_for_health, wait_for_series
from .support_code import code, metric, texts

alerts = importlib.import_module("auditor.checks.alerts")
CASES = yaml.safe_load((Path(__file__).parent / "cases" / "alerts.yaml").read_text())


def judge(probe: Probe, quantity: str, **given: object) -> Verdict:
    assert probe.params is not None
    return probe.function(given.get("code"), given.get("prom"), probe.params(quantity))


@pytest.mark.parametrize(
    ("quantity", "case"),
    [
        pytest.param(quantity, case, id=f"{quantity}: {case['name']}")
        for quantity, cases in CASES.items()
        for case in cases
    ],
)
def test_case(quantity: str, case: dict[str, Any], tmp_path: Path) -> None:
    for name, text in case.get("files", {}).items():
        (tmp_path / name).write_text(text)
    if case["rules"]:
        path = tmp_path / case.get("path", "rules.yml")
        path.parent.mkdir(exist_ok=True)
        path.write_text("groups:\n- name: g\n  rules:\n" + textwrap.indent(case["rules"], "  "))
    model = code(map(metric, case.get("metrics", ())), case.get("queues", ("mail",)), case.get("known", True))
    verdict = judge(alerts.rule, quantity, code=model, prom=collect([tmp_path], None))
    assert verdict.status is Status(case["expect"]), texts(verdict)
    assert case.get("says", "") in texts(verdict)
    assert (verdict.cause is not None) is (verdict.status is Status.UNVERIFIED)
    if verdict.status is Status.PASS:
        assert verdict.evidence
        assert all(isinstance(e.place, FilePlace) for e in verdict.evidence)
    if verdict.status is Status.FAIL:
        assert all(f.place is not None and f.evidence for f in verdict.findings)


def test_code_without_bull_is_not_applicable(tmp_path: Path) -> None:
    (tmp_path / "rules.yml").write_text("groups: [{name: g, rules: [{alert: A, expr: 'queue_depth > 5'}]}]\n")
    prom = collect([tmp_path], None)
    assert judge(alerts.rule, "depth", code=code(queues=()), prom=prom).status is Status.NOT_APPLICABLE


def test_no_files_and_no_prometheus_leave_it_open() -> None:
    verdict = judge(alerts.rule, "depth", code=code(), prom=collect([], None))
    assert (verdict.status, verdict.cause) == (Status.UNVERIFIED, Cause.SOURCE_NOT_GIVEN)


@needs_prometheus
def test_a_real_prometheus_decides_what_can_fire(tmp_path: Path) -> None:
    rules = """
    groups:
      - name: queues
        rules:
          - {alert: CanFire, expr: 'mail_backlog_jobs > 5', for: 1m}
          - {alert: NoSeries, expr: 'increase(jobs_stalled_total[5m]) > 0'}
          - {alert: Total, expr: 'jobs_failed_total > 5'}
    """
    page = '# TYPE mail_backlog_jobs gauge\nmail_backlog_jobs 7\njobs_failed_total{queue="mail"} 3\n'
    with exposing(page) as address:
        config = (
            "global: {scrape_interval: 1s, evaluation_interval: 1s}\nrule_files: [rules.yml]\n"
            f"scrape_configs: [{{job_name: worker, static_configs: [{{targets: ['{address}']}}]}}]\n"
        )
        with prometheus(tmp_path, config, textwrap.dedent(rules)) as running:
            wait_for_series(running.url, "mail_backlog_jobs")
            wait_for_health(running.url)
            seen = collect([], parse(running.url))
    verdicts = {q: judge(alerts.rule, q, code=code(), prom=seen) for q in ("depth", "stalled", "failed", "workers")}
    assert {q: v.status.value for q, v in verdicts.items()} == {
        "depth": "pass",
        "stalled": "fail",
        "failed": "fail",
        "workers": "fail",
    }
    assert "exists in the live Prometheus" in texts(verdicts["depth"])
    assert "can never fire: jobs_stalled_total has no series" in texts(verdicts["stalled"])
    assert "running total" in texts(verdicts["failed"])
    assert "none of 3 rules" in texts(verdicts["workers"])
    assert "sends its alerts to no Alertmanager" in texts(verdicts["depth"])
