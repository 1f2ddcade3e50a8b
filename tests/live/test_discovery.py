"""Discovery in large databases: gentle, within its budget, and honest about its reach."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from auditor.live.budget import Budget
from auditor.live.discovery import _COUNT_MAX, _COUNT_MIN, _adapt
from auditor.live.keys import candidates, split_meta
from auditor.live.model import FoundBy

from ..support.redis_server import RunningServer, redis_server
from .support import queue, scan


@pytest.fixture(scope="module")
def large() -> Iterator[RunningServer]:
    """30,000 keys: one queue of 20,000 jobs, one of one, and sessions of another application."""
    with redis_server() as server:
        with server.client() as client, client.pipeline(transaction=False) as pipe:
            for name, jobs in (("big", 20_000), ("small", 1)):
                pipe.hset(f"bull:{name}:meta", mapping={"opts.maxLenEvents": 10_000})
                pipe.set(f"bull:{name}:id", jobs)
                pipe.lpush(f"bull:{name}:wait", *range(jobs))
                for job in range(jobs):
                    pipe.hset(f"bull:{name}:{job}", mapping={"name": "a", "data": "{}", "opts": "{}"})
            for number in range(10_000):
                pipe.set(f"session:{number}:id", "abc")
            pipe.execute()
        yield server


def test_random_keys_find_the_large_and_scan_the_small(large: RunningServer) -> None:
    live = scan(large)
    assert (queue(live, "big").found_by, queue(live, "small").found_by) == (FoundBy.RANDOM, FoundBy.SCAN)
    assert len(live.queues) == 2
    assert live.coverage == ""
    assert 30_000 <= live.report.keys_scanned <= 33_000


def test_no_scan_on_request(large: RunningServer) -> None:
    live = scan(large, names=["small"], budget=Budget(keys=0))
    assert [each.name for each in live.queues] == ["small"]
    assert "not scanned, as asked" in live.coverage
    assert "scan" not in live.report.commands
    assert "randomkey" not in live.report.commands


def test_count_follows_the_round_trip() -> None:
    assert _adapt(1000, 0.0005) == 2000
    assert _adapt(1000, 0.002) == 1000
    assert _adapt(1000, 0.005) == 500
    assert _adapt(_COUNT_MAX, 0.0001) == _COUNT_MAX
    assert _adapt(_COUNT_MIN, 0.03) == _COUNT_MIN


@pytest.mark.parametrize(
    ("key", "first"),
    [
        ("bull:mail:wait", ("bull", "mail")),
        ("bull:mail:repeat:x:1795494777028", ("bull", "mail")),
        ("{bull}:mail:7:lock", ("{bull}", "mail")),
        ("app:prod:mail:id", ("app", "prod")),
    ],
)
def test_queues_that_a_key_may_belong_to(key: str, first: tuple[str, str]) -> None:
    assert next(candidates(key)) == first


@pytest.mark.parametrize("key", ["bull::relay:namespaces", "mail", "bull:mail", ":mail:id", "a::id"])
def test_keys_of_no_queue(key: str) -> None:
    assert list(candidates(key)) == [] or key.startswith("bull::")
    assert split_meta(key) is None
