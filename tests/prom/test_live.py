"""A real Prometheus: rules loaded and healthy, series that exist, targets that are up; and what goes wrong."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from auditor.errors import SourceError
from auditor.model import SourceStatus
from auditor.prom.address import parse
from auditor.prom.collect import collect
from auditor.prom.model import Observability, RuleKind

from .support import exposing, free_port, needs_prometheus, prometheus, serving, wait_for_health, wait_for_series

PAGE = """\
# TYPE bullmq_queue_depth gauge
bullmq_queue_depth{queue="mail",status="waiting"} 7
bullmq_queue_depth{queue="mail",status="active"} 2
# TYPE bullmq_workers gauge
bullmq_workers{queue="mail"} 3
"""
RULES = """\
groups:
  - name: queues
    rules:
      - alert: Backlog
        expr: bullmq_queue_depth{status="waiting"} > 5
        for: 1m
      - alert: Misspelt
        expr: bullmq_queue_depht{status="waiting"} > 5
      - alert: WrongLabel
        expr: bullmq_queue_depth{state="waiting"} > 5
      - alert: Clash
        expr: bullmq_queue_depth * on (queue) bullmq_queue_depth > 0
"""


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("prometheus")
    with exposing(PAGE) as address:
        config = f"""
global: {{scrape_interval: 1s, evaluation_interval: 1s}}
rule_files: [rules.yml]
scrape_configs:
  - job_name: worker
    static_configs: [{{targets: ['{address}']}}]
  - job_name: gone
    static_configs: [{{targets: ['127.0.0.1:{free_port()}']}}]
"""
        with prometheus(folder, config, RULES) as running:
            wait_for_series(running.url, "bullmq_workers")
            wait_for_health(running.url, '"health":"err"')
            yield running.url


@needs_prometheus
def test_what_a_live_prometheus_says(url: str) -> None:
    seen = collect([], parse(url), deadline=time.monotonic() + 30)
    live = seen.live
    assert live is not None
    assert live.version.startswith("2")
    assert seen.report.status is SourceStatus.OK, seen.report
    assert {"bullmq_queue_depth", "up"} <= live.names
    assert {t.job: t.up for t in live.targets} == {"worker": True, "gone": False}
    assert next(t.error for t in live.targets if t.job == "gone")
    assert {r.name for r in seen.rules} == {"Backlog", "Misspelt", "WrongLabel", "Clash"}
    assert all(r.kind is RuleKind.LIVE and r.loaded and r.live for r in seen.rules)
    assert live.alertmanagers == 0


@needs_prometheus
def test_rules_that_can_and_cannot_fire_are_told_apart(url: str) -> None:
    seen = collect([], parse(url))
    assert exist(seen) == {"Backlog": True, "Misspelt": False, "WrongLabel": False, "Clash": True}
    assert seen.live is not None
    assert seen.live.series['bullmq_queue_depth{status="waiting"}'].value == 7
    broken = {r.name: r.live.error for r in seen.rules if r.live and not r.live.healthy}
    assert list(broken) == ["Clash"]
    assert "match" in broken["Clash"]


def exist(seen: Observability) -> dict[str, bool | None]:
    assert seen.live is not None
    return {rule.name: all(seen.live.exists(s) for s in rule.query.selectors()) for rule in seen.rules}


@needs_prometheus
def test_rules_of_files_are_loaded_or_not(url: str, tmp_path: Path) -> None:
    (tmp_path / "rules.yml").write_text(RULES.replace("Misspelt", "OnlyInTheFile"))
    seen = collect([tmp_path], parse(url))
    loaded = {r.name: r.loaded for r in seen.rules}
    assert loaded == {"Backlog": True, "OnlyInTheFile": False, "WrongLabel": True, "Clash": True, "Misspelt": True}


@needs_prometheus
def test_series_of_file_rules_are_looked_up_too(url: str, tmp_path: Path) -> None:
    (tmp_path / "rules.yml").write_text(
        "groups: [{name: a, rules: [{alert: W, expr: 'bullmq_workers{queue=\"mail\"} == 0'}, {alert: V, expr: 'bullmq_workers{queue=\"pay\"} == 0'}]}]\n"
    )
    live = collect([tmp_path], parse(url)).live
    assert live is not None
    assert live.series['bullmq_workers{queue="mail"}'].count == 1
    assert live.series['bullmq_workers{queue="pay"}'].count == 0


def test_nobody_listens(tmp_path: Path) -> None:
    address = parse(f"http://ann:hunter22@127.0.0.1:{free_port()}")
    with pytest.raises(SourceError) as caught:
        collect([], address)
    assert address.endpoint in caught.value.message
    assert "hunter22" not in f"{caught.value.message} {caught.value.hint}"
    seen = collect([tmp_path], address)
    assert seen.live is None
    assert seen.report.status is SourceStatus.PARTIAL
    assert seen.report.ended_early
    assert "files were read" in seen.report.why


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ((401, "text/plain", "who are you"), "credentials"),
        ((200, "text/html", "<html>log in</html>"), "not a Prometheus API"),
        ((500, "application/json", '{"status": "error", "error": "out of memory"}'), "out of memory"),
        ((200, "application/json", "[" * 100_000), "not a Prometheus API"),
        ((200, "application/json", '["status"]'), "HTTP 200"),
    ],
)
def test_what_answers_is_no_prometheus(answer: tuple[int, str, str], why: str) -> None:
    with serving(lambda _path, _headers: answer) as address, pytest.raises(SourceError, match=why):
        collect([], parse(f"http://{address}"))


def test_strange_answers_are_no_crash() -> None:
    def answer(path: str, _headers: dict[str, str]) -> tuple[int, str, str]:
        data: object = {
            "groups": [1, {"rules": [2, {"type": "alerting", "duration": "x"}]}],
            "activeTargets": [None, {"labels": 3}],
            "result": [{"value": [1]}],
        }
        return (
            200,
            "application/json",
            json.dumps({"status": "success", "data": [1, None] if "values" in path else data}),
        )

    with serving(answer) as address:
        seen = collect([], parse(f"http://{address}"))
    assert seen.live is not None
    assert seen.live.names == frozenset()
    assert [r.name for r in seen.rules] == [""]


def test_a_token_and_basic_credentials_are_sent() -> None:
    seen: list[str] = []

    def answer(_path: str, headers: dict[str, str]) -> tuple[int, str, str]:
        seen.append(headers.get("Authorization", ""))
        return 200, "application/json", '{"status": "success", "data": []}'

    with serving(answer) as address:
        collect([], parse(f"http://{address}", token="tok-123"))
        assert set(seen) == {"Bearer tok-123"}
        seen.clear()
        collect([], parse(f"http://ann:pw@{address}"))
        assert set(seen) == {"Basic YW5uOnB3"}


def test_a_slow_prometheus_is_given_up_at_the_deadline() -> None:
    def answer(_path: str, _headers: dict[str, str]) -> tuple[int, str, str]:
        time.sleep(3)
        return 200, "application/json", "{}"

    with serving(answer) as address:
        begun = time.monotonic()
        with pytest.raises(SourceError, match="no answer within"):
            collect([], parse(f"http://{address}"), deadline=begun + 0.5)
        assert time.monotonic() - begun < 2


def test_single_refusals_leave_it_partial() -> None:
    def answer(path: str, _headers: dict[str, str]) -> tuple[int, str, str]:
        if "rules" in path:
            return 404, "text/plain", "no such page"
        return 200, "application/json", json.dumps({"status": "success", "data": ["up"] if "values" in path else {}})

    with serving(answer) as address:
        seen = collect([], parse(f"http://{address}"))
    assert seen.live is not None
    assert not seen.live.rules_known
    assert seen.live.names == {"up"}
    assert seen.report.status is SourceStatus.PARTIAL
    assert not seen.report.ended_early


def test_receivers_of_an_alertmanager_that_answers_are_named_and_asked_without_our_token() -> None:
    asked: list[str] = []

    def manager(path: str, headers: dict[str, str]) -> tuple[int, str, str]:
        asked.append(f"{path} {headers.get('Authorization', '')}")
        return 200, "application/json", '[{"name": "on-call"}, {"name": "null"}]'

    with serving(manager) as alertmanager:

        def answer(path: str, _headers: dict[str, str]) -> tuple[int, str, str]:
            managers = {
                "activeAlertmanagers": [{"url": f"http://{alertmanager}/api/v2/alerts"}, {"url": "file:///etc/passwd"}]
            }
            data: object = managers if "alertmanagers" in path else ["up"] if "values" in path else {}
            return 200, "application/json", json.dumps({"status": "success", "data": data})

        with serving(answer) as address:
            live = collect([], parse(f"http://{address}", token="tok-123")).live
    assert live is not None
    assert (live.alertmanagers, live.receivers) == (2, ("on-call", "null"))
    assert asked == ["/api/v2/receivers "]


def test_an_answer_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("auditor.prom.api.LARGEST", 10_000)
    body = json.dumps({"status": "success", "data": ["x" * 20_000]})
    with (
        serving(lambda _path, _headers: (200, "application/json", body)) as address,
        pytest.raises(SourceError, match="more than 10,000 bytes"),
    ):
        collect([], parse(f"http://{address}"))


@needs_prometheus
def test_a_real_prometheus_refuses_a_file_with_one_bad_expression(tmp_path: Path) -> None:
    (tmp_path / "rules.yml").write_text(RULES + "      - alert: Broken\n        expr: rate(x[5m]) by (a) > 1\n")
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not on PATH")
    done = subprocess.run(
        [promtool, "check", "rules", str(tmp_path / "rules.yml")], capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert [bool(r.query.problem) for r in collect([tmp_path], None).rules] == [False, False, False, False, True]
