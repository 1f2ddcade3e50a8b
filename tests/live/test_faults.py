"""Servers that die, hang, hold nonsense, or change under the scan: what was read is kept, the rest says why."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Collection

import pytest
import redis

from auditor.errors import SourceError
from auditor.live.address import parse
from auditor.live.budget import Budget
from auditor.live.collect import collect
from auditor.live.model import LiveRedis
from auditor.model import SourceStatus

from ..support.redis_server import RunningServer, free_port, redis_server
from ..support.topology import until
from .support import QUICK, fill, queue, scan


def interrupted(server: RunningServer, event: Callable[[], None], budget: Budget = QUICK) -> LiveRedis:
    """A scan during which `event` happens: when discovery asks for the names of code."""

    def names() -> Collection[str]:
        event()
        return ()

    return collect([parse(server.url)], names=names, budget=budget, deadline=time.monotonic() + 20)


def test_killed_after_discovery_keeps_the_server_facts() -> None:
    with redis_server(tcp=True) as server:
        fill(server, 50)
        live = interrupted(server, server.kill)
    assert live.servers[0].version
    assert live.report.ended_early
    assert live.report.status is SourceStatus.PARTIAL
    assert "0 of 50 queues were read" in live.report.why or "ended early" in live.report.why


def test_killed_in_the_middle_of_the_queues_keeps_those_that_were_read() -> None:
    with redis_server(tcp=True) as server:
        fill(server, 4000, jobs=2)

        def kill_once_it_reads() -> None:
            with server.client() as client:
                until(lambda: client.info("commandstats").get("cmdstat_memory|usage", {}).get("calls", 0) > 500)
            server.kill()

        killer = threading.Thread(target=kill_once_it_reads)
        live = interrupted(server, killer.start)
        killer.join()
    assert live.report.ended_early
    assert 0 < len(live.queues) < 4000
    assert "queues were read" in live.report.why


def test_stopped_past_the_patience() -> None:
    with redis_server(tcp=True) as server:
        fill(server, 10)
        with server.stopped():
            began = time.monotonic()
            with pytest.raises(SourceError) as caught:
                scan(server, budget=Budget(connect_s=1.0, reply_s=1.0))
            assert time.monotonic() - began < 4
    assert "no answer within 1 s" in caught.value.message


def test_stopped_in_the_middle() -> None:
    with redis_server(tcp=True) as server:
        fill(server, 10)
        stop = server.stopped()
        began = time.monotonic()
        live = interrupted(server, stop.__enter__, Budget(connect_s=1.0, reply_s=1.0))
        assert time.monotonic() - began < 6
        stop.__exit__(None, None, None)
    assert live.report.ended_early
    assert "no answer within 1 s" in live.report.why


def test_budget_of_commands_makes_it_partial_not_early() -> None:
    with redis_server(tcp=True) as server:
        fill(server, 100)
        live = scan(server, budget=Budget(commands=1500))
    assert sum(live.report.commands.values()) <= 1500
    assert live.report.status is SourceStatus.PARTIAL
    assert not live.report.ended_early
    assert 0 < len(live.queues) < 100
    assert "1,500 commands" in live.report.why


def test_budget_of_keys_is_said() -> None:
    with redis_server(tcp=True) as server:
        with server.client() as client, client.pipeline(transaction=False) as pipe:
            for number in range(20_000):
                pipe.set(f"session:{number}", "x")
            pipe.execute()
        fill(server, 3)
        live = scan(server, budget=Budget(keys=3000))
    assert live.report.keys_scanned < 6000
    assert "stopped at its budget" in live.coverage
    assert not live.report.ended_early


def test_keys_of_a_wrong_type_under_queue_names() -> None:
    with redis_server(tcp=True) as server, server.client() as client:
        fill(server, 1)
        client.delete("bull:q00000:wait")
        client.set("bull:q00000:wait", "not a list")
        client.set("bull:q00000:events", "not a stream")
        client.lpush("bull:q00000:completed", "not a sorted set")
        client.set("bull:q00000:7", "not a hash")
        client.zadd("bull:q00000:failed", {"7": 1})
        live = scan(server)
    found = queue(live, "q00000")
    assert any("wait" in note for note in found.notes)
    assert live.report.status is SourceStatus.OK


@pytest.mark.parametrize(
    "opts",
    [
        "",
        "{",
        "[]",
        "null",
        '"x"',
        '{"attempts":"many","backoff":[],"removeOnComplete":{"age":"x"}}',
        '{"attempts":1e999,"priority":NaN}',
        "{" * 3000,
    ],
)
def test_malformed_job_options(opts: str) -> None:
    with redis_server(tcp=True) as server, server.client() as client:
        fill(server, 1)
        client.hset("bull:q00000:0", mapping={"opts": opts, "data": opts, "timestamp": "soon", "stc": "x"})
        (job,) = queue(scan(server), "q00000").sampled
    assert job.timestamp is None
    assert job.opts is None or job.opts.attempts in (None, float("inf"))


def test_control_characters_and_bytes_that_are_no_text() -> None:
    with redis_server(tcp=True) as server, server.client() as client:
        fill(server, 1)
        client.hset("bull:q00000:0", mapping={b"name": b"\x1b[31mred\xff\x00\n::error::", b"data": b"\xff\xfe"})
        client.lpush("bull:q00000:wait", b"\xffid")
        client.set(b"bull:\xffqueue:id", "1")
        client.lpush(b"bull:\xffqueue:wait", "1")
        live = scan(server)
    for each in live.queues:
        for text in (each.name, *(job.name for job in each.sampled), *(job.id for job in each.sampled)):
            text.encode("utf-8")
    assert {each.name for each in live.queues} == {"q00000", "\\xffqueue"}


def test_a_payload_of_100_mb_is_measured_and_never_read() -> None:
    with redis_server(tcp=True) as server, server.client() as client:
        fill(server, 1)
        client.hset("bull:q00000:0", "data", "x" * 100_000_000)
        before = client.info("stats")["total_net_output_bytes"]
        began = time.monotonic()
        live = scan(server)
        assert time.monotonic() - began < 3
        assert client.info("stats")["total_net_output_bytes"] - before < 200_000
    (job,) = queue(live, "q00000").sampled
    assert job.data_bytes == 100_000_000
    assert job.data_parses is None


def test_a_job_that_is_gone_is_lost_only_while_its_id_stays() -> None:
    with redis_server(tcp=True) as server, server.client() as client:
        fill(server, 1, jobs=3)
        client.delete("bull:q00000:1")
        client.zadd("bull:q00000:completed", {"9": 1})
        found = queue(scan(server), "q00000")
    assert set(found.lost_hashes) == {"1", "9"}


def test_out_of_memory_server_can_still_be_read() -> None:
    with redis_server(tcp=True) as server, server.client() as client:
        fill(server, 2)
        client.config_set("maxmemory", 1)
        live = scan(server)
    assert len(live.queues) == 2
    assert live.report.status is SourceStatus.OK


def test_a_server_that_is_loading() -> None:
    with (
        redis_server("--enable-debug-command", "local", "--save", "900", "1", tcp=True) as server,
        server.client() as client,
    ):
        with client.pipeline(transaction=False) as pipe:
            for number in range(5000):
                pipe.set(f"k{number}", "x")
            pipe.execute()
        client.config_set("key-load-delay", 1000)
        client.config_set("loading-process-events-interval-bytes", 1024)

        def reload() -> None:
            with contextlib.suppress(redis.RedisError), server.client() as other:
                other.execute_command("DEBUG", "RELOAD")

        loading = threading.Thread(target=reload)
        loading.start()
        time.sleep(0.5)
        with pytest.raises(SourceError) as caught:
            scan(server)
        client.config_set("key-load-delay", 0)
        loading.join(20)
    assert "cannot answer now: LOADING" in caught.value.message
    assert "try again later" in caught.value.hint


def test_a_replica_that_lost_its_primary_names_it() -> None:
    gone = free_port()
    with redis_server("--replica-serve-stale-data", "no", tcp=True) as server, server.client() as client:
        client.replicaof("127.0.0.1", gone)
        with pytest.raises(SourceError) as caught:
            scan(server)
    assert f"a replica that has lost its primary 127.0.0.1:{gone}" in caught.value.message
    assert f"scan the primary 127.0.0.1:{gone} itself" in caught.value.hint


def test_fifty_queues_of_a_user_who_may_read_half_of_the_keys() -> None:
    with redis_server(tcp=True) as server:
        fill(server, 4)
        with server.client() as client:
            client.execute_command(
                "ACL",
                "SETUSER",
                "half",
                "reset",
                "on",
                ">a-long-secret",
                "%R~bull:q00000:*",
                "%R~bull:q00001:*",
                "+@all",
            )
        live = scan(f"redis://half:a-long-secret@127.0.0.1:{server.port}")
    assert {each.name for each in live.queues} == {"q00000", "q00001"}


@pytest.mark.slow
def test_fifty_thousand_queues() -> None:
    with redis_server(tcp=True) as server:
        fill(server, 50_000)
        began = time.monotonic()
        live = scan(server, budget=Budget(commands=5_000_000, seconds=120), seconds=120)
        took = time.monotonic() - began
    assert len(live.queues) == 50_000
    assert took < 90
