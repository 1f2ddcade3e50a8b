"""X013 to X015: boards open to anybody, dead alerts, alerts that the queues contradict."""

from __future__ import annotations

import importlib
from dataclasses import replace
from pathlib import Path

from auditor.live.model import Counts, FoundBy, Library, LiveQueue, LiveRedis, QueueWorkers
from auditor.model import MetricPlace, SourceReport, SourceStatus, Status
from auditor.prom import promql
from auditor.prom.collect import collect
from auditor.prom.model import LiveRule, Observability, Rule, RuleKind

from .support_code import code, metric, texts
from .test_metrics import board

observability = importlib.import_module("auditor.checks.observability")


def test_a_board_is_guarded_open_or_not_told() -> None:
    assert observability.guarded.function(board(True, True)).status is Status.PASS
    assert observability.guarded.function(board(True, False)).status is Status.FAIL
    assert observability.guarded.function(board(True, None)).status is Status.UNVERIFIED
    assert observability.guarded.function(board(False, False)).status is Status.NOT_APPLICABLE


def test_one_dead_alert_fails_though_the_item_has_a_good_one(tmp_path: Path) -> None:
    model = code([metric({"name": "queue_depth", "quantity": "depth"})])
    rules = "groups: [{name: g, rules: [{alert: Good, expr: queue_depth > 5, for: 5m}%s]}]\n"
    (tmp_path / "r.yml").write_text(rules % "")
    assert observability.each_fires.function(model, collect([tmp_path], None)).status is Status.PASS
    (tmp_path / "r.yml").write_text(rules % ", {alert: Dead, expr: queue_size > 5, for: 5m}")
    verdict = observability.each_fires.function(model, collect([tmp_path], None))
    assert verdict.status is Status.FAIL
    assert [f.subject.name for f in verdict.findings] == ["Dead"]
    (tmp_path / "r.yml").write_text("groups: [{name: g, rules: [{alert: H, expr: http_requests_total > 5}]}]\n")
    assert observability.each_fires.function(model, collect([tmp_path], None)).status is Status.NOT_APPLICABLE


def seen(state: str, expression: str = 'bullmq_queue_depth{queue="mail"} > 100') -> Observability:
    loaded = LiveRule("Backlog", "queues", expression, True, "", state, 60)
    rule = Rule(
        "Backlog",
        RuleKind.LIVE,
        promql.read(expression),
        MetricPlace("http://prom", "Backlog"),
        60,
        loaded=True,
        live=loaded,
    )
    return replace(collect([], None), rules=(rule,))


def redis(depth: int, name: str = "mail", paused: bool = False) -> LiveRedis:
    queue = LiveQueue(
        "redis://r:6379",
        0,
        "bull",
        name,
        Library.BULLMQ,
        "5",
        "bullmq 5",
        FoundBy.CODE,
        Counts(waiting=depth),
        paused,
        QueueWorkers(1),
    )
    return LiveRedis((), (queue,), SourceReport("live", SourceStatus.OK))


def test_a_deep_queue_with_a_silent_alert() -> None:
    judge = observability.fits_reality.function
    verdict = judge(seen("inactive"), redis(5000))
    assert verdict.status is Status.FAIL
    assert "mail has 5000 jobs waiting" in texts(verdict)
    assert judge(seen("firing"), redis(5000)).status is Status.PASS
    assert judge(seen("inactive"), redis(50)).status is Status.PASS
    assert judge(seen("inactive"), redis(5000, paused=True)).status is Status.PASS
    assert judge(seen("inactive"), redis(5000, name="other")).status is Status.PASS, "the alert is not about this queue"
    assert judge(seen("inactive", "up == 0"), redis(5000)).status is Status.NOT_APPLICABLE
