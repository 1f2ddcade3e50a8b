"""Events streams: read where they tell most, and enough of each."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from auditor.live.budget import Budget
from auditor.live.model import LiveRedis
from auditor.live.rates import rates

from ..support.node import drive
from ..support.redis_server import redis_server
from .support import QUICK, deny, fill, queue, scan

QUEUES = 80
LONG, FAILING = 70, 75
"""A queue with a backlog, and one with failures; 60 others have one job waiting, the rest none."""


@pytest.fixture(scope="module")
def many() -> Iterator[LiveRedis]:
    with redis_server() as server:
        with server.client() as client, client.pipeline(transaction=False) as pipe:
            for number in range(QUEUES):
                stem = f"bull:q{number:02}:"
                pipe.hset(f"{stem}meta", mapping={"opts.maxLenEvents": 10_000, "version": "bullmq:5.81.5"})
                waiting = 500 if number == LONG else int(number < 60)
                if waiting:
                    pipe.lpush(f"{stem}wait", *(f"w{job}" for job in range(waiting)))
                if number == FAILING:
                    pipe.zadd(f"{stem}failed", {f"f{job}": job + 1 for job in range(90)})
                for event in range(150):
                    kind = "stalled" if event == 60 else "failed" if event % 3 == 0 else "completed"
                    pipe.xadd(
                        f"{stem}events", {"event": kind, "jobId": event}, id=f"{1_700_000_000_000 + event * 1000}-0"
                    )
            pipe.execute()
        yield scan(server, budget=QUICK)


def test_of_many_queues_the_fullest_and_the_failing_are_read(many: LiveRedis) -> None:
    read = {each.name: each.events.read for each in many.queues if each.events is not None}
    assert len(read) == QUEUES
    assert sorted(set(read.values())) == [0, 100]
    assert sum(1 for events in read.values() if events) == 50
    assert (read[f"q{LONG}"], read[f"q{FAILING}"]) == (100, 100)
    assert many.report.commands["xrevrange"] == 50


def test_what_was_read_tells_rates_and_stalls(many: LiveRedis) -> None:
    failing = queue(many, f"q{FAILING}")
    known = rates(failing)
    assert known is not None
    assert (known.source, known.failed, known.completed) == ("events", 32, 67)
    assert failing.stalls.events == 1


def test_a_stream_that_was_not_read_still_tells_its_length(many: LiveRedis) -> None:
    unread = queue(many, "q79").events
    assert unread is not None
    assert (unread.length, unread.max_length, unread.read) == (150, 10_000, 0)
    assert rates(queue(many, "q79")) is None


def test_a_budget_that_ends_before_the_events_says_so() -> None:
    with redis_server() as server:
        fill(server, 3)
        with server.client() as client:
            for number in range(3):
                client.xadd(f"bull:q{number:05}:events", {"event": "completed", "jobId": "1"})
        sent = sum(scan(server).report.commands.values())
        cut = [scan(server, budget=Budget(commands=sent + more)) for more in range(-4, 4)]
    told = [live for live in cut if "the newest events of queues were not read: the budget of" in live.coverage]
    assert told
    assert all(len(live.queues) == 3 and "queues were read" not in live.coverage for live in told)


@pytest.mark.node
@pytest.mark.usefixtures("npm")
def test_large_results_are_not_read_with_the_events() -> None:
    """Jobs that are removed at once leave their results in the stream, 120 kB each, and nothing else."""
    with redis_server() as server:
        jobs = [{"name": "a", "times": 12, "opts": {"removeOnComplete": True}}]
        drive(server, library="bullmq5", queue="big", add=jobs, work={"jobs": 12, "result": "x" * 120_000})
        with server.client() as client:
            before = client.info("stats")["total_net_output_bytes"]
            big = queue(scan(server), "big").events
            sent = client.info("stats")["total_net_output_bytes"] - before
    assert big is not None
    assert 1 <= big.read < big.length
    assert sent < 1_200_000 < 12 * 120_000


def test_a_user_who_may_not_measure_reads_fewer() -> None:
    with redis_server(tcp=True) as server:
        fill(server, 1)
        with server.client() as client:
            for event in range(60):
                client.xadd("bull:q00000:events", {"event": "completed", "jobId": event})
        found = queue(scan(deny(server, "-memory|usage")), "q00000").events
    assert found is not None
    assert found.read == 20
