"""What happens between two replies: the server dies, talks nonsense, moves a slot, loses a node or a job."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from auditor.live.address import parse
from auditor.live.cluster import slot
from auditor.live.collect import collect
from auditor.live.model import LiveRedis
from auditor.model import SourceStatus

from ..cli.support import Ran, tt_audit
from ..support.offering import Answer, behind, error
from ..support.redis_server import RunningServer, redis_server
from ..support.topology import cluster
from .support import QUICK, fill, queue, scan


def then(event: Callable[[], object]) -> Answer:
    """The server's reply; the first one makes something happen before it is given."""
    done: list[object] = []

    def answer(reply: Any) -> Any:
        if not done:
            done.append(event())
        return reply

    return answer


def audit(port: int) -> Ran:
    return tt_audit(
        "scan", f"redis://127.0.0.1:{port}", "--no-infra", "--format", "json", "--quiet", "--fail-on", "none"
    )


@pytest.mark.parametrize("garbage", [b"\x00\xff\x00", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"*-7\r\n", b"$9x\r\n"])
def test_nonsense_in_the_middle_ends_the_source_early(garbage: bytes) -> None:
    with redis_server() as server:
        fill(server, 40, jobs=2)
        with behind(server, {"ZCARD": garbage}) as port:
            live = scan(f"redis://127.0.0.1:{port}")
            ran = audit(port)
    assert live.servers[0].version
    assert live.report.ended_early
    assert "what answers is no Redis" in live.report.why
    assert ran.code == 3


def test_killed_between_two_replies_is_incomplete_for_the_gate() -> None:
    with redis_server() as server:
        fill(server, 40, jobs=2)
        with behind(server, {"XLEN": then(server.kill)}) as port:
            ran = audit(port)
    assert ran.code == 3
    (source,) = [source for source in ran.report()["sources"] if source["name"] == "live"]
    assert source["status"] == "partial"
    assert "queues were read" in source["why"]
    assert ran.items()[88]["status"] == "pass", "what could be read is judged"


def test_a_refusal_or_a_spent_budget_leaves_the_exit_code_alone() -> None:
    with redis_server(tcp=True) as server:
        fill(server, 40, jobs=2)
        with behind(
            server, {"CONFIG": error("NOPERM this user has no permissions to run the 'config|get' command")}
        ) as port:
            refused = audit(port)
        cut = tt_audit(
            "scan",
            server.url,
            "--no-infra",
            "--format",
            "json",
            "--quiet",
            "--fail-on",
            "none",
            "--max-commands",
            "400",
        )
        strict = tt_audit(
            "scan",
            server.url,
            "--no-infra",
            "--quiet",
            "--fail-on",
            "none",
            "--max-commands",
            "400",
            "--strict-sources",
        )
    for ran in (refused, cut):
        (source,) = [source for source in ran.report()["sources"] if source["name"] == "live"]
        assert source["status"] == "partial"
        assert ran.code == 0
    assert strict.code == 3


def test_a_job_that_ends_between_two_reads_is_not_lost() -> None:
    """Its hash and its id go while it is looked at, as with removeOnComplete; one whose id stays is lost."""
    with redis_server() as server, server.client() as client:
        fill(server, 2, jobs=1)
        client.zadd("bull:q00000:completed", {"7": 1})
        client.hset("bull:q00000:7", mapping={"name": "a", "data": "{}", "opts": "{}"})

        def end() -> None:
            client.delete("bull:q00000:7", "bull:q00001:0")
            client.zrem("bull:q00000:completed", "7")

        with behind(server, {"MEMORY USAGE": then(end)}) as port:
            live = scan(f"redis://127.0.0.1:{port}")
    assert live.report.status is SourceStatus.OK
    assert queue(live, "q00000").lost_hashes == ()
    assert [job.id for job in queue(live, "q00000").sampled] == ["0"]
    assert queue(live, "q00001").lost_hashes == ("0",)


def during(nodes: list[RunningServer], event: Callable[[], object]) -> LiveRedis:
    """A scan of a cluster in which something happens when all that needs no names has been read."""

    def names() -> list[str]:
        event()
        return []

    return collect([parse(nodes[0].url)], names=names, budget=QUICK, deadline=10**9)


def tagged(number: int) -> str:
    """A prefix whose keys lie on that node of three."""
    return next(f"{{t{n}}}" for n in range(1000) if slot(f"{{t{n}}}") * 3 // 16_384 == number)


def test_a_slot_that_moves_during_the_scan() -> None:
    """Discovery found the queue on one node; when it is read, the node answers MOVED."""
    with cluster(3) as nodes:
        prefix = tagged(0)
        number = slot(f"{prefix}:wander:id")
        with nodes[0].client() as source, nodes[1].client() as target:
            source.hset(f"{prefix}:wander:meta", mapping={"opts.maxLenEvents": 100})
            source.lpush(f"{prefix}:wander:wait", "1", "2")
            source.hset(f"{prefix}:wander:1", mapping={"name": "a", "data": "{}", "opts": "{}"})
            source.hset(f"{prefix}:wander:2", mapping={"name": "a", "data": "{}", "opts": "{}"})

            def move() -> None:
                ids = [client.execute_command("CLUSTER", "MYID") for client in (source, target)]
                target.execute_command("CLUSTER", "SETSLOT", number, "IMPORTING", ids[0])
                source.execute_command("CLUSTER", "SETSLOT", number, "MIGRATING", ids[1])
                for key in ("meta", "wait", "1", "2"):
                    source.execute_command("MIGRATE", "127.0.0.1", nodes[1].port, f"{prefix}:wander:{key}", 0, 2000)
                for client in (target, source):
                    client.execute_command("CLUSTER", "SETSLOT", number, "NODE", ids[1])

            live = during(nodes, move)
    wander = queue(live, "wander")
    assert (wander.counts.waiting, len(wander.sampled)) == (2, 2)
    assert wander.refused == ()
    assert live.report.status is SourceStatus.OK, live.report.why


def test_a_node_that_dies_during_the_scan() -> None:
    """Its queues are missing and said to be; the others are read to the end."""
    with cluster(3) as nodes:
        for number in range(3):
            with nodes[number].client() as client:
                prefix = tagged(number)
                client.hset(f"{prefix}:q{number}:meta", mapping={"opts.maxLenEvents": 100})
                client.lpush(f"{prefix}:q{number}:wait", "1")
                client.hset(f"{prefix}:q{number}:1", mapping={"name": "a", "data": "{}", "opts": "{}"})
        live = during(nodes, nodes[2].kill)
    assert {each.name: len(each.sampled) for each in live.queues} == {"q0": 1, "q1": 1}
    assert live.report.ended_early
    assert f"127.0.0.1:{nodes[2].port}" in live.report.why
    assert "2 of 3 queues were read" in live.report.why
