"""Rates and the backlog's time, from each source that a queue may have."""

from __future__ import annotations

import pytest

from auditor.live.rates import drain_ms, rates

from ..support.node import drive
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
