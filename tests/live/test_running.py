"""Findings on queues as they run: each fails on the state that it is about, and holds on a sound queue."""

from __future__ import annotations

import time
from typing import Any

import pytest

from ..cli.support import tt_audit
from ..support.node import drive, driving
from ..support.redis_server import RunningServer, redis_server

DAY = 86_400_000
IDS = [f"X{number:03}" for number in range(16, 26)]

pytestmark = [pytest.mark.node, pytest.mark.usefixtures("npm")]


def extra(server: RunningServer) -> dict[str, Any]:
    ran = tt_audit("scan", server.url, "--no-infra", "--format", "json", "--quiet", "--only", ",".join(IDS))
    return {item["id"]: item for item in ran.report()["extra"] if item["id"] in IDS}


def failing(server: RunningServer) -> dict[str, str]:
    return {name: item["reason"] for name, item in extra(server).items() if item["status"] == "fail"}


def test_a_sound_queue_holds() -> None:
    with redis_server(tcp=True) as server:
        jobs = [{"name": "a", "times": 3, "opts": {"attempts": 3}}]
        tick = [{"id": "tick", "repeat": {"every": 3600000}}]
        drive(server, library="bullmq5", queue="mail", add=jobs, schedulers=tick, work={"jobs": 4})
        with driving(server, library="bullmq5", queue="mail", work={"settle": 300}):
            found = extra(server)
    assert {name: item["status"] for name, item in found.items()} == dict.fromkeys(IDS, "pass"), found


def test_a_job_that_nobody_holds() -> None:
    options = {"lockDuration": 600, "stalledInterval": 60000}
    with redis_server(tcp=True) as server:
        drive(server, library="bullmq5", queue="mail", add=[{"name": "a"}])
        with driving(server, library="bullmq5", queue="mail", work={"mode": "hang", "settle": 300, "options": options}):
            pass
        time.sleep(0.8)
        item = extra(server)["X016"]  # the dead worker's check is still there, and will not come again
    assert item["status"] == "fail"
    assert item["reason"] == "mail: 1 active job held by no worker, and no worker lives to check"
    assert item["findings"][0]["severity"] == item["severity"]


def test_lost_overdue_paused_and_unknown() -> None:
    with redis_server(tcp=True) as server, server.client() as client:
        misspelt = {"name": "a", "opts": {"removeOnFailed": 5}}
        drive(server, library="bullmq5", queue="lost", add=[misspelt, {"name": "a"}])
        client.delete("bull:lost:2")
        drive(server, library="bullmq6", queue="late", add=[{"name": "a", "opts": {"delay": 3600000}}])
        client.zadd("bull:late:delayed", {"1": (time.time() * 1000 - DAY) * 4096})
        drive(server, library="bullmq5", queue="held", add=[{"name": "a"}], pause=True)
        client.hset("bull:held:1", "timestamp", int(time.time() * 1000) - DAY)
        for number in range(700):
            client.xadd("bull:late:events", {"event": "waiting", "jobId": str(number)})
        client.hset("bull:late:meta", "opts.maxLenEvents", 100)
        client.hset("bull:lost:meta", "version", "bullmq:5.34.9")
        found = failing(server)
    assert set(found) == {"X017", "X018", "X020", "X022", "X023", "X024"}
    assert "1 sampled id without a job" in found["X017"]
    assert "a delayed job is 24 h overdue: no worker moves it" in found["X018"]
    assert "held is paused" in found["X020"]
    assert "removeOnFailed" in found["X023"]
    assert "loses schedules" in found["X024"]


@pytest.mark.parametrize("library", ["bullmq5", "bullmq6"])
def test_due_jobs_wait_while_workers_are_busy(library: str) -> None:
    """BullMQ moves them between two jobs: a worker that is full says nothing of whether it would."""
    late = [{"name": "late", "opts": {"delay": 3600000}}]
    with redis_server(tcp=True) as server, server.client() as client:
        tick = [{"id": "tick", "repeat": {"every": 60000}}]
        drive(server, library=library, queue="mail", schedulers=tick, work={"jobs": 1})
        drive(server, library=library, queue="mail", add=[*late, {"name": "long"}])
        with driving(server, library=library, queue="mail", work={"mode": "hang", "settle": 400}):
            for job, _ in client.zscan_iter("bull:mail:delayed"):
                client.zadd("bull:mail:delayed", {job: (time.time() * 1000 - DAY) * 4096})
            client.zadd("bull:mail:repeat", {"tick": int(time.time() * 1000) - DAY})
            busy = extra(server)
        idle = extra(server)
    assert busy["X018"]["status"] == "unverified"
    assert (
        "a delayed job is 24 h overdue; its workers are at 1 job, and a full one moves none" in busy["X018"]["reason"]
    )
    assert busy["X019"]["status"] == "pass", busy["X019"]["reason"]
    assert (idle["X018"]["status"], idle["X019"]["status"]) == ("fail", "fail")


def test_due_jobs_wait_while_a_rate_limit_holds_workers() -> None:
    limited = {"settle": 600, "options": {"limiter": {"max": 1, "duration": 60000}}}
    with redis_server(tcp=True) as server, server.client() as client:
        late = {"name": "late", "opts": {"delay": 3600000}}
        drive(server, library="bullmq5", queue="mail", add=[late, {"name": "a"}])
        with driving(server, library="bullmq5", queue="mail", work=limited):
            assert client.zcard("bull:mail:completed") == 1
            client.zadd("bull:mail:delayed", {"1": (time.time() * 1000 - DAY) * 4096})
            held = extra(server)["X018"]
        alone = extra(server)["X018"]
    assert held["status"] == "pass", held["reason"]
    assert "1 delayed, rate-limited for " in held["evidence"][0]["observed"]
    assert alone["status"] == "fail"


def test_schedules_that_stopped() -> None:
    with redis_server(tcp=True) as server, server.client() as client:
        drive(
            server,
            library="bullmq6",
            queue="mail",
            schedulers=[{"id": "tick", "repeat": {"every": 60000}}],
            work={"jobs": 1},
        )
        assert "X019" not in failing(server)
        client.zadd("bull:mail:repeat", {"tick": int(time.time() * 1000) - DAY})
        client.delete("bull:mail:delayed", "bull:mail:wait")
        stopped = failing(server)
        client.zadd(
            "bull:mail:repeat", {"tick": int(time.time() * 1000) + DAY, "old::::60000": int(time.time() * 1000) + DAY}
        )
        refused = failing(server)
    assert "schedule tick should have run 24 h ago" in stopped["X019"]
    assert "the form before 5.16" in refused["X019"]


def test_a_job_of_low_priority_that_waits() -> None:
    with redis_server(tcp=True) as server, server.client() as client:
        drive(server, library="bullmq5", queue="mail", add=[{"name": "fast"}], work={"jobs": 1})
        drive(server, library="bullmq5", queue="mail", add=[{"name": "slow", "opts": {"priority": 100}}])
        assert "X021" not in failing(server)
        client.hset("bull:mail:2", "timestamp", int(time.time() * 1000) - DAY)
        found = failing(server)
    assert "mail/slow: a job of low priority waits for 24 h" in found["X021"]


def test_a_parent_whose_child_has_failed_waits_for_ever() -> None:
    flow = {
        "name": "order",
        "queueName": "orders",
        "children": [{"name": "charge", "queueName": "charges", "data": {}}],
    }
    with redis_server(tcp=True) as server, server.client() as client:
        drive(server, library="bullmq5", queue="charges", flow=flow)
        drive(server, library="bullmq5", queue="charges", work={"jobs": 1, "mode": "fail"})
        assert "X025" not in failing(server)
        (parent,) = client.zrange("bull:orders:waiting-children", 0, -1)
        client.hset(f"bull:orders:{parent}", "timestamp", int(time.time() * 1000) - 3 * DAY)
        found = failing(server)
    assert found["X025"] == "orders/order: 1 sampled parent waiting for children, one for 3 d"


def test_no_queue_is_not_applicable() -> None:
    with redis_server(tcp=True) as server:
        assert {item["status"] for item in extra(server).values()} == {"not_applicable"}
