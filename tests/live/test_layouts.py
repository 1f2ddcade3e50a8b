"""What twelve versions of Bull and BullMQ left in a real Redis after one scenario, recorded, and loaded into a real one.

`data/layouts/<version>.json.gz`: every key with its type, value and TTL, and CLIENT LIST. The scenario: jobs of all
kinds, priorities, delays, schedules, flows (BullMQ), a paused queue, a rate limit, a worker that was killed twice in
the middle of its jobs.
"""

from __future__ import annotations

import gzip
import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from auditor.live import clients as client_list
from auditor.live.clients import Holder, holder
from auditor.live.model import Library, LiveRedis
from auditor.live.server_model import RedisClient
from auditor.model import SourceStatus

from ..support.redis_server import RunningServer, redis_server
from .support import queue, scan

DATA = Path(__file__).parent / "data" / "layouts"
VERSIONS = {
    "bull3": "3.29.3",
    "bull4": "4.16.5",
    "b1": "1.91.1",
    "b2": "2.4.0",
    "b3": "3.16.2",
    "b4": "4.18.3",
    "b50": "5.0.0",
    "b516": "5.16.0",
    "b534": "5.34.0",
    "b558": "5.58.0",
    "b5": "5.81.5",
    "b6": "6.7.0",
}
SAYS_ITS_VERSION = ("b3", "b4", "b534", "b558", "b5", "b6")


def recorded(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(gzip.decompress((DATA / f"{name}.json.gz").read_bytes()))
    return found


def load(server: RunningServer, keys: dict[str, dict[str, Any]]) -> None:
    with server.client() as client, client.pipeline(transaction=False) as pipe:
        for key, entry in keys.items():
            if not entry.get("v"):
                continue
            match entry["type"], entry["v"]:
                case "hash", value:
                    pipe.hset(key, mapping=value)
                case "string", value:
                    pipe.set(key, value)
                case "list", value:
                    pipe.rpush(key, *value)
                case "set", value:
                    pipe.sadd(key, *value)
                case "zset", value:
                    pipe.zadd(key, dict(value))
                case "stream", value:
                    for identity, fields in value:
                        pipe.xadd(key, fields, id=identity)
            if entry["pttl"] > 0:
                pipe.pexpire(key, entry["pttl"])
        pipe.execute()


@pytest.fixture(scope="module", params=VERSIONS)
def left(request: pytest.FixtureRequest) -> Iterator[tuple[str, LiveRedis]]:
    """A version's name, and a scan of what it left."""
    with redis_server() as server:
        load(server, recorded(request.param)["keys"])
        yield request.param, scan(server)


def test_every_queue_is_found_and_read(left: tuple[str, LiveRedis]) -> None:
    name, live = left
    assert live.report.status is SourceStatus.OK, live.report.why
    bull = name.startswith("bull")
    assert {"defs", "full", "limited", "paused", "slow", "stall", "work"} <= {each.name for each in live.queues}
    assert {(each.prefix, each.name) for each in live.queues} >= {("myapp", "pfx"), ("{bull}", "ht")}
    for each in live.queues:
        assert not each.notes, each.notes
        if each.counts.total and each.name != "drained":
            assert each.library is (Library.BULL if bull else Library.BULLMQ), each.name
        assert {job.opts.unknown for job in each.sampled if job.opts} <= {()}
    version = queue(live, "work").version
    assert version == (VERSIONS[name] if name in SAYS_ITS_VERSION else "")


def test_states_are_counted_alike(left: tuple[str, LiveRedis]) -> None:
    """Whatever the layout: priorities beside the waiting list or within, a paused list or none, markers left out."""
    name, live = left
    work, full, paused = queue(live, "work"), queue(live, "full"), queue(live, "paused")
    assert work.counts.completed + work.counts.failed in (9, 10)
    assert work.counts.depth == 0
    assert paused.paused
    assert paused.counts.depth == 2
    assert full.counts.delayed in (2, 3, 4)
    assert bool(full.counts.prioritized) == (name not in ("bull3", "bull4", "b1", "b2", "b3"))
    assert len(full.schedulers) == (0 if name == "b6" else 2)  # BullMQ 6 takes `repeat` and never repeats
    assert not full.lost_hashes
    assert len(full.sampled) == full.counts.total


def test_what_stalled_shows_the_limit(left: tuple[str, LiveRedis]) -> None:
    _, live = left
    stalls = queue(live, "stall").stalls
    assert len(stalls.failed) == 2
    assert stalls.max_stalled_count == 1


def test_attempts_and_options_of_each_form(left: tuple[str, LiveRedis]) -> None:
    name, live = left
    first = next(job for job in queue(live, "defs").sampled if job.opts and (job.opts.attempts or 0) > 1)
    assert first.opts is not None
    assert first.opts.attempts == 4
    assert first.opts.backoff is not None
    assert (first.opts.backoff.type, first.opts.backoff.delay_ms) == ("exponential", 1000)
    if name.startswith("bull"):
        return  # in the Bull scenario the queue had no more
    assert first.opts.remove_on_complete is not None
    assert first.opts.remove_on_complete.count == 7
    assert first.opts.remove_on_fail is not None
    assert first.opts.remove_on_fail.count == 9


@pytest.mark.parametrize("name", VERSIONS)
def test_workers_by_the_names_of_each_version(name: str) -> None:
    text = "\n".join(" ".join(f"{key}={value}" for key, value in line.items()) for line in recorded(name)["clients"])
    clients, _, _ = client_list.read(text, None)
    seats: dict[str, list[tuple[RedisClient, Holder]]] = defaultdict(list)
    for client in clients.named:
        if found := holder(client):
            seats[found.queue].append((client, found))
    counts = {queue: client_list.workers(mine, certain=True) for queue, mine in seats.items()}
    bull = name.startswith("bull")
    assert (counts["work"].count, counts["work"].certain) == (1 if bull else 2, True)
    assert counts["work"].listeners == (0 if bull or name == "b6" else 1)
    assert counts["limited"].count == counts["slow"].count == 1
    # of Bull 3 a producer's connection has the queue's name too
    assert {queue for queue, seen in counts.items() if seen.count == 0} == {
        "bull3": {"full", "defs", "paused", "pfx", "ht", "a:b", "drained", "stall"},
        "b1": {"full", "stall"},  # QueueSchedulers
    }.get(name, set())


@pytest.mark.parametrize("version", VERSIONS)
def test_what_is_said_of_stalls_can_be_read_again(version: str) -> None:
    """The counter has two names: the evidence's HMGET gives one of them in each version."""
    from auditor.checks import _live  # mounted by auditor.plugins

    with redis_server() as server:
        load(server, recorded(version)["keys"])
        live = scan(server)
        shown = [*_live.stalled_events(live).evidence, *_live.max_stalled_count(live).evidence]
        counters = [each.source for each in shown if " stc" in each.source]
        with server.client() as client:
            for source in counters:
                _, key, *names = source.split(" ")
                assert any(client.hmget(key, [name for name in names if name != "failedReason"])), source
    assert counters
