"""A real Prometheus scrapes a real BullMQ service: code, rules and live series tell the same story."""

from __future__ import annotations

import importlib
import json
import subprocess
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from auditor.code.collect import collect as collect_code
from auditor.model import Status
from auditor.prom.address import parse
from auditor.prom.collect import collect
from tests.support import node
from tests.support.redis_server import redis_server

from .support import needs_prometheus, prometheus, wait_for_health, wait_for_series
from .test_alerts import judge

alerts = importlib.import_module("auditor.checks.alerts")
metrics = importlib.import_module("auditor.checks.metrics")

RULES = textwrap.dedent("""\
    groups:
      - name: queues
        rules:
          - {alert: Backlog, expr: 'bullmq_job_count{queue="mail",state="waiting"} > 5', for: 1m}
          - {alert: Stalled, expr: 'increase(bullmq_jobs_stalled_total[5m]) > 0'}
          - {alert: Failures, expr: 'rate(bullmq_jobs_failed_total[5m]) > 0.1', for: 2m}
          - {alert: NoWorkers, expr: 'mail_workers == 0 or absent(mail_workers)', for: 1m}
    """)
EXPECTED = {"depth": Status.PASS, "stalled": Status.FAIL, "failed": Status.FAIL, "workers": Status.PASS}


@pytest.fixture(scope="module")
def service() -> Iterator[str]:
    why = node.install()
    if why:
        pytest.skip(why)
    with redis_server() as server:
        connection = {"host": "127.0.0.1", "port": server.port} if server.port else {"path": str(server.socket)}
        found = node.node()
        assert found is not None
        command = [found, "exporter.mjs", json.dumps({"connection": connection, "jobs": 7})]
        process = subprocess.Popen(
            command, cwd=Path(__file__).parent, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        try:
            assert process.stdout is not None
            port = process.stdout.readline().strip()
            assert port.isdigit(), process.stderr.read() if process.stderr else ""
            yield f"127.0.0.1:{port}"
        finally:
            process.kill()
            process.communicate()


@pytest.fixture(scope="module")
def infra(tmp_path_factory: pytest.TempPathFactory, service: str) -> Path:
    folder = tmp_path_factory.mktemp("infra")
    (folder / "rules.yml").write_text(RULES)
    (folder / "prometheus.yml").write_text(
        "global: {scrape_interval: 1s, evaluation_interval: 1s}\nrule_files: [rules.yml]\n"
        f"scrape_configs: [{{job_name: mail, static_configs: [{{targets: ['{service}']}}]}}]\n"
    )
    return folder


@needs_prometheus
@pytest.mark.node
def test_live_series_and_code_agree_on_what_can_fire(service: str, infra: Path, tmp_path: Path) -> None:
    assert service
    source = (
        (Path(__file__).parent / "exporter.mjs")
        .read_text()
        .replace("const { Queue, Worker } = require('bullmq5');", "import { Queue, Worker } from 'bullmq';")
    )
    (tmp_path / "package.json").write_text(
        '{"name": "mail", "dependencies": {"bullmq": "^5.58.0"}, "scripts": {"start": "node exporter.mjs"}}'
    )
    (tmp_path / "exporter.mjs").write_text(source)
    code = collect_code([tmp_path])
    by_files = collect([infra], None)
    assert {q: judge(alerts.rule, q, code=code, prom=by_files).status for q in EXPECTED} == EXPECTED
    with prometheus(tmp_path, (infra / "prometheus.yml").read_text(), RULES) as running:
        wait_for_series(running.url, "bullmq_job_count")
        wait_for_health(running.url)
        time.sleep(1)
        live = collect([], parse(running.url))
        both = collect([infra], parse(running.url))
    assert {q: judge(alerts.rule, q, prom=live).status for q in EXPECTED} == EXPECTED
    assert {q: judge(alerts.rule, q, code=code, prom=both).status for q in EXPECTED} == EXPECTED
    assert live.live is not None
    assert live.live.series['bullmq_job_count{queue="mail", state="waiting"}'].value == 7
    assert next(r.live.state for r in live.rules if r.live and r.name == "Backlog") == "pending"
    assert metrics.metric.params is not None
    told = {
        q: metrics.metric.function(code, None, both, None, metrics.metric.params(q)).status
        for q in ("depth", "active", "workers")
    }
    assert set(told.values()) == {Status.PASS}
