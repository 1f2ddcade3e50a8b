"""Rates and the backlog's time, from each source that a queue may have."""

from __future__ import annotations

import re

import pytest

from auditor.live.rates import drain_ms, rates

from ..cli.support import tt_audit
from ..support.node import drive, driving
from ..support.redis_server import redis_server
from .support import queue, scan

pytestmark = [pytest.mark.node, pytest.mark.usefixtures("npm")]


def test_metrics_come_first() -> None:
    with redis_server() as server, server.client() as client:
        drive(
            server,
            library="bullmq5",
            queue="mail",
            add=[{"name": "a", "times": 4}],
            work={"jobs": 4, "options": {"metrics": {"maxDataPoints": 60}}},
        )
        client.rpush("bull:mail:metrics:completed:data", 90, 60, 90)
        client.hset("bull:mail:metrics:failed", mapping={"count": 60, "prevTS": 1, "prevCount": 60})
        client.rpush("bull:mail:metrics:failed:data", 10, 0, 50)
        client.rpush("bull:mail:wait", *range(100, 258))
        mail = queue(scan(server), "mail")
    known = rates(mail)
    assert known is not None
    assert (known.completed, known.failed, known.window_ms, known.source) == (240, 60, 180_000, "metrics")
    assert known.failing == 0.2
    assert known.per_minute == 80
    assert mail.counts.depth == 158
    assert drain_ms(mail) == pytest.approx(158 / 80 * 60_000, abs=1)


def test_events_where_there_are_no_metrics() -> None:
    with redis_server() as server:
        drive(server, library="bullmq6", queue="mail", add=[{"name": "a", "times": 5}], work={"jobs": 5, "ms": 20})
        drive(server, library="bullmq6", queue="mail", add=[{"name": "a"}], work={"jobs": 1, "mode": "fail"})
        known = rates(queue(scan(server), "mail"))
    assert known is not None
    assert (known.completed, known.failed, known.source) == (5, 1, "events")


def test_kept_jobs_for_bull() -> None:
    with redis_server() as server:
        drive(server, library="bull", queue="mail", add=[{"name": "a", "times": 5}], work={"jobs": 5})
        known = rates(queue(scan(server), "mail"))
    assert known is not None
    assert (known.completed, known.failed, known.source) == (5, 0, "kept jobs")


def test_nothing_known_of_a_queue_that_nobody_works_on() -> None:
    with redis_server() as server:
        drive(server, library="bull", queue="mail", add=[{"name": "a"}])
        mail = queue(scan(server), "mail")
    assert rates(mail) is None
    assert drain_ms(mail) is None


def test_the_report_shows_them_by_queue() -> None:
    """Items 31 to 36: depth with drain time, active jobs, failures with window and source, durations, dead letters."""
    with redis_server(tcp=True) as server:
        drive(server, library="bullmq5", queue="mail", add=[{"name": "a", "times": 5}], work={"jobs": 5, "ms": 20})
        drive(server, library="bullmq5", queue="mail", add=[{"name": "a"}], work={"jobs": 1, "mode": "fail"})
        drive(server, library="bullmq5", queue="mail", add=[{"name": "a", "times": 3}])
        drive(server, library="bullmq5", queue="mail-dlq", add=[{"name": "a"}])
        drive(server, library="bullmq5", queue="bill", add=[{"name": "a", "times": 2}])
        with driving(server, library="bullmq5", queue="bill", work={"mode": "hang", "settle": 400}):
            ran = tt_audit("scan", server.url, "--no-infra", "--format", "json", "--quiet", "--only", "31-36")
    seen = {
        number: {shown["source"]: shown["observed"] for shown in item["evidence"]}
        for number, item in ran.items().items()
        if 31 <= number <= 36
    }
    assert {item["status"] for number, item in ran.items().items() if 31 <= number <= 36} == {"unverified"}
    assert re.fullmatch(
        r"3 jobs waiting, the next in line for .*, \S+ completed a minute \(.*, by its newest events\), drained in .*",
        seen[31]["LLEN bull:mail:wait"],
    )
    assert seen[32]["LLEN bull:bill:active"].startswith("1 job active, one for ")
    (heard,) = [source for source in seen[33] if re.fullmatch(r"XREVRANGE bull:mail:events \+ - COUNT \d+", source)]
    assert re.fullmatch(r"1 of 6 jobs failed in .*, by its newest events: 17%", seen[33][heard])
    (durations,) = seen[35].values()
    assert re.fullmatch(r"p50 .* ms, p95 .* ms, p99 .* ms, max .* ms, of 5 sampled completed jobs", durations)
    assert seen[36] == {"LLEN bull:mail-dlq:wait": "1 job kept"}
