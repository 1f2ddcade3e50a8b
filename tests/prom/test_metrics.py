"""Published metrics and dashboards: the cases of metrics.yaml, boards and panels, stalled listeners."""

from __future__ import annotations

import importlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from auditor.code.model import CodeModel, Effect, Listener, Quantity, Role
from auditor.infra.collect import collect as collect_infra
from auditor.model import Cause, CodeSpan, Finding, Status, Subject, SubjectType, Verdict
from auditor.prom.collect import collect
from auditor.prom.model import LivePrometheus, Observability

from .support_code import code, metric, texts, worker

metrics = importlib.import_module("auditor.checks.metrics")
alerts = importlib.import_module("auditor.checks.alerts")
live_sides = importlib.import_module("auditor.checks._live")
CASES = yaml.safe_load((Path(__file__).parent / "cases" / "metrics.yaml").read_text())


def published(
    quantity: str, model: CodeModel | None, prom: Observability | None, infra: object = None, live: object = None
) -> Verdict:
    assert metrics.metric.params is not None
    verdict = metrics.metric.function(model, live, prom, infra, metrics.metric.params(quantity))
    assert isinstance(verdict, Verdict)
    return verdict


def with_live(prom: Observability, names: list[str]) -> Observability:
    return replace(prom, live=LivePrometheus("http://prom:9090", names=frozenset(names), names_known=True))


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
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    prom = collect([tmp_path], None)
    if "live" in case:
        prom = with_live(prom, case["live"])
    model = code(map(metric, case.get("metrics", ())), case.get("queues", ("mail",)), case.get("known", True))
    verdict = published(quantity, model, prom, collect_infra([tmp_path]) if case.get("infra") else None)
    assert verdict.status is Status(case["expect"]), texts(verdict)
    assert case.get("says", "") in texts(verdict)
    assert (verdict.cause is not None) is (verdict.status is Status.UNVERIFIED)
    if verdict.status is Status.PASS:
        assert verdict.evidence


def test_no_source_at_all_leaves_it_open_and_no_bull_is_not_applicable() -> None:
    verdict = published("depth", None, None)
    assert (verdict.status, verdict.cause) == (Status.UNVERIFIED, Cause.SOURCE_NOT_GIVEN)
    assert published("depth", code(queues=()), None).status is Status.NOT_APPLICABLE


def test_a_prometheus_alone_can_pass_it() -> None:
    seen = with_live(collect([], None), ["bull_queue_waiting"])
    assert published("depth", None, seen).status is Status.PASS
    assert published("failed", None, seen).status is Status.FAIL


def test_redis_never_passes_it_and_may_fail_it(monkeypatch: pytest.MonkeyPatch) -> None:
    failing = Finding("mail has 7 jobs and no worker", Subject(SubjectType.QUEUE, "mail", queue="mail"))
    sides = {
        Quantity.WORKERS: lambda _: live_sides.LiveSide(findings=(failing,)),
        Quantity.FAILED: lambda _: live_sides.LiveSide(held=(("mail", ""),)),
    }
    monkeypatch.setattr(metrics, "CORROBORATES", sides)
    good = code([metric({"name": "bullmq_workers", "quantity": "workers"})])
    assert published("workers", good, None).status is Status.PASS
    verdict = published("workers", good, None, live=object())
    assert verdict.status is Status.FAIL
    assert "no worker" in verdict.reason
    assert published("failed", code(), None, live=object()).status is Status.UNVERIFIED


LOG = Effect(Role.LOG, CodeSpan("src/worker.ts", 21), "logger.warn")


@pytest.mark.parametrize(
    ("listeners", "status"),
    [
        ((), Status.FAIL),
        ((Listener("failed", CodeSpan("src/worker.ts", 20), "worker", True, (LOG,)),), Status.FAIL),
        ((Listener("stalled", CodeSpan("src/worker.ts", 20), "worker", True, (LOG,)),), Status.PASS),
        ((Listener("stalled", CodeSpan("src/events.ts", 20), "events", True, (LOG,)),), Status.PASS),
        ((Listener("stalled", CodeSpan("src/worker.ts", 20), "worker", False, (LOG,)),), Status.FAIL),
    ],
)
def test_stalled_listeners(listeners: tuple[Listener, ...], status: Status) -> None:
    model = replace(code(), workers=(worker("mail", listeners),))
    assert metrics.stalled_events.function(model, None).status is status


def board(served_live: bool, guarded: bool | None = True) -> CodeModel:
    found = metric({"name": "Bull Board", "quantity": "other", "kind": "board", "served_live": served_live})
    return code([replace(found, guarded=guarded)])


def test_a_board_that_is_mounted_passes_and_one_that_is_not_fails() -> None:
    assert alerts.dashboard.function(board(True), None).status is Status.PASS
    verdict = alerts.dashboard.function(board(False), None)
    assert verdict.status is Status.FAIL
    assert "nothing mounts it" in verdict.reason
    assert alerts.dashboard.function(code(), collect([], None)).status is Status.UNVERIFIED
    assert alerts.dashboard.function(code(queues=()), None).status is Status.NOT_APPLICABLE


def panels(folder: Path, *expressions: str) -> Observability:
    targets = [{"title": f"p{n}", "targets": [{"expr": text}]} for n, text in enumerate(expressions)]
    (folder / "board.json").write_text(json.dumps({"title": "Queues", "panels": targets}))
    return collect([folder], None)


def test_panels_count_if_somebody_publishes_one_of_their_series(tmp_path: Path) -> None:
    model = code([metric({"name": "queue_depth", "quantity": "depth", "labels": ["queue"]})])
    assert alerts.dashboard.function(model, panels(tmp_path, "queue_depth", "queue_size")).status is Status.PASS
    verdict = alerts.dashboard.function(model, panels(tmp_path, "queue_size", "http_requests_total"))
    assert verdict.status is Status.FAIL
    assert "nobody publishes queue_size" in verdict.reason
    assert len(verdict.findings) == 1, "a panel on HTTP is about no queue"
    assert alerts.dashboard.function(model, panels(tmp_path, "http_requests_total")).status is Status.UNVERIFIED


def test_a_deployed_board_passes(tmp_path: Path) -> None:
    (tmp_path / "compose.yml").write_text("services:\n  board: {image: deadly0/bull-board}\n")
    assert alerts.dashboard.function(code(), collect([tmp_path], None)).status is Status.PASS


def test_a_service_that_publishes_nothing_leaves_it_open_where_others_publish(tmp_path: Path) -> None:
    mail = worker("mail")
    other = replace(worker("payments"), service="payments")
    failed = metric({"name": "jobs_failed_total", "quantity": "failed", "kind": "counter"})
    mine, theirs = replace(failed, service="app"), replace(failed, service="payments")
    both = replace(code([mine]), workers=(mail, other), services=("app", "payments"))
    verdict = published("failed", both, None)
    assert verdict.status is Status.UNVERIFIED
    assert "service payments runs workers" in verdict.reason
    assert published("failed", replace(both, metrics=(mine, theirs)), None).status is Status.PASS
    dead = replace(theirs, fed_live=False)
    assert published("failed", replace(both, metrics=(mine, dead)), None).status is Status.FAIL
    monitor = replace(failed, service="monitor")
    assert published("failed", replace(both, metrics=(monitor,)), None).status is Status.PASS, (
        "a monitor without workers watches all"
    )
    assert published("failed", replace(both, workers=(mail, replace(other, live=False))), None).status is Status.PASS


def test_a_prometheus_that_says_nothing_is_no_prometheus_that_was_not_given(tmp_path: Path) -> None:
    seen = replace(collect([tmp_path], None), unreached="http://prom:9090: refused")
    for verdict in (published("depth", code(), seen), alerts.rule.function(code(), seen, alerts.rule.params("depth"))):
        assert (verdict.status, verdict.cause) == (Status.UNVERIFIED, Cause.REFUSED)
        assert "http://prom:9090: refused" in verdict.reason


def test_stalls_that_are_counted_for_queues_that_cannot_be_told_leave_it_open() -> None:
    counted = replace(metric({"name": "queue_events_total", "quantity": "stalled", "kind": "counter"}), service="app")
    verdict = metrics.stalled_events.function(code([counted]), None)
    assert verdict.status is Status.UNVERIFIED
    assert "queue_events_total counts stalls (src/feed.ts:20)" in verdict.reason
    assert metrics.stalled_events.function(code([replace(counted, service="other")]), None).status is Status.FAIL
    assert metrics.stalled_events.function(code([replace(counted, fed_live=False)]), None).status is Status.FAIL


def test_a_panel_on_a_series_that_the_live_prometheus_has(tmp_path: Path) -> None:
    board_ = panels(tmp_path, 'bull_queue_waiting{queue="mail"}')
    assert alerts.dashboard.function(code(), board_).status is Status.FAIL
    assert alerts.dashboard.function(code(), with_live(board_, ["bull_queue_waiting"])).status is Status.PASS
    assert alerts.dashboard.function(code(), with_live(board_, ["up"])).status is Status.FAIL
