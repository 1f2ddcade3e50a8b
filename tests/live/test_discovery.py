"""Discovery in large databases: gentle, within its budget, and honest about its reach."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import Any

import pytest

from auditor.live.budget import Budget
from auditor.live.discovery import _COUNT_MAX, _COUNT_MIN, _adapt
from auditor.live.keys import candidates, split_meta
from auditor.live.model import FoundBy, QueueWorkers
from auditor.live.pace import Pace

from ..support.offering import Answer, behind
from ..support.redis_server import RunningServer, redis_server
from .support import fill, queue, scan


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
    # sessions are told for another application's after some hundreds of them
    assert live.report.commands["get"] < 1000


def test_a_client_that_is_named_like_a_python_worker_makes_no_queue() -> None:
    """`shop:api` may be anybody's connection; `bull:pymail` is a worker's where that queue is there."""
    with redis_server() as server, contextlib.ExitStack() as held:
        fill(server, 1)
        for name in ("shop:api", "bull:q00000"):
            client = held.enter_context(server.client())
            client.client_setname(name)
            client.eval("return 1", 0)
            client.evalsha(client.script_load("return 1"), 0)
        live = scan(server)
    assert [(each.prefix, each.name) for each in live.queues] == [("bull", "q00000")]
    workers = queue(live, "q00000").workers
    assert isinstance(workers, QueueWorkers)
    assert workers.count == 1


def test_no_scan_on_request(large: RunningServer) -> None:
    live = scan(large, names=["small"], budget=Budget(keys=0))
    assert [each.name for each in live.queues] == ["small"]
    assert "not scanned, as asked" in live.coverage
    assert "scan" not in live.report.commands
    assert "randomkey" not in live.report.commands


@pytest.mark.parametrize(
    ("count", "beyond", "way", "then"),
    [
        (1000, 0.0005, 0.001, 2000),
        (1000, 0.002, 0.001, 1000),
        (1000, 0.005, 0.001, 500),
        (1000, 0.005, 0.1, 2000),
        (1000, 0.03, 0.1, 500),
        (_COUNT_MAX, 0.0001, 0.001, _COUNT_MAX),
        (_COUNT_MIN, 0.03, 0.001, _COUNT_MIN),
    ],
)
def test_count_follows_the_round_trip(count: int, beyond: float, way: float, then: int) -> None:
    pace = Pace()
    pace.way, pace.beyond = way, beyond
    assert _adapt(count, pace) == then


def slow(seconds: float) -> Answer:
    """A command that takes so long."""

    def answer(reply: Any) -> Any:
        time.sleep(seconds)
        return reply

    return answer


def test_a_far_server_is_asked_for_more_at_once_and_a_slow_one_for_less(large: RunningServer) -> None:
    """30,000 keys: by 2,000 where only the way is long, by 200 where each SCAN takes the server long."""
    with behind(large, {"SCAN": slow(0.008)}) as busy, behind(large, {}, away_s=0.06) as far:
        apart = {
            name: scan(f"redis://127.0.0.1:{port}").report.commands["scan"]
            for name, port in (("busy", busy), ("far", far))
        }
    assert apart["busy"] > 100
    assert apart["far"] < apart["busy"] / 2


def test_a_server_whose_latency_rises_is_left_alone_as_long() -> None:
    """Each batch takes 0.1 s from the third on: the scan waits as long in between."""
    with redis_server() as server:
        fill(server, 160)
        calls: list[float] = []

        def heavier(reply: Any) -> Any:
            calls.append(time.monotonic())
            time.sleep(0.1 if len(calls) > 2 else 0)
            return reply

        with behind(server, {"TIME": heavier}) as port:
            began = time.monotonic()
            live = scan(f"redis://127.0.0.1:{port}")
            took = time.monotonic() - began
            calm = time.monotonic()
            scan(server)
            calm = time.monotonic() - calm
    assert len(live.queues) == 160
    assert len(calls) >= 6
    delayed = 0.1 * (len(calls) - 2)
    assert took > calm + delayed * 1.5


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
