"""Replica, Sentinel, cluster, several databases and several URLs, on real servers."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import redis

from auditor.errors import SourceError
from auditor.live.address import parse
from auditor.live.cluster import primaries, slot
from auditor.live.collect import collect
from auditor.live.model import QueueWorkers, Refused
from auditor.live.server_model import ClusterShape, Replication, Server

from ..cli.support import tt_audit
from ..support.node import drive, driving
from ..support.redis_server import RunningServer, redis_server
from ..support.topology import Watched, cluster, until, watched, with_replica
from .support import QUICK, queue, scan


def replication(server: Server) -> Replication:
    assert not isinstance(server.replication, Refused)
    return server.replication


def fill(server: RunningServer, prefix: str, name: str, db: int = 0) -> None:
    with server.client(db) as client:
        client.hset(f"{prefix}:{name}:meta", mapping={"opts.maxLenEvents": 10000, "version": "bullmq:5.81.5"})
        client.set(f"{prefix}:{name}:id", 1)
        client.lpush(f"{prefix}:{name}:wait", "1")
        client.hset(
            f"{prefix}:{name}:1", mapping={"name": "a", "data": "{}", "opts": '{"attempts":3}', "timestamp": "1"}
        )


@pytest.fixture(scope="module")
def trio() -> Iterator[Watched]:
    """For tests that only read."""
    with watched() as made:
        fill(made.primary, "bull", "mail")
        yield made


def test_primary_with_a_replica_and_no_sentinel() -> None:
    with with_replica() as (primary, _):
        seen = replication(scan(primary).servers[0])
    assert [each.state for each in seen.replicas] == ["online"]
    assert seen.sentinels == 0


@pytest.mark.node
@pytest.mark.usefixtures("npm")
def test_workers_are_not_counted_on_a_replica() -> None:
    with with_replica() as (primary, replica):
        drive(primary, library="bullmq5", queue="mail", add=[{"name": "a", "times": 3}])
        with (
            driving(primary, library="bullmq5", queue="mail", work={"mode": "hang", "settle": 500}),
            replica.client() as copy,
        ):
            until(lambda: bool(copy.exists("bull:mail:id")))
            live = scan(replica)
    mail = queue(live, "mail")
    assert replication(live.servers[0]).role == "slave"
    assert isinstance(mail.workers, QueueWorkers)
    assert not mail.workers.certain


def test_sentinel_leads_to_the_primary(trio: Watched) -> None:
    live = scan(trio.url)
    (server,) = live.servers
    assert server.endpoint == f"redis://127.0.0.1:{trio.primary.port}"
    view = replication(server).sentinel
    assert view is not None
    assert (view.service, view.sentinels, view.quorum, view.replicas, view.agreed) == ("queues", 3, 2, 1, True)
    assert queue(live, "mail").counts.waiting == 1


def test_sentinels_are_counted_by_their_connections_too(trio: Watched) -> None:
    assert replication(scan(trio.primary).servers[0]).sentinels == 3


def test_the_first_sentinels_are_gone(trio: Watched) -> None:
    url = f"redis+sentinel://127.0.0.1:1,127.0.0.1:{trio.sentinels[2]}/queues"
    assert queue(scan(url), "mail")


def test_a_service_that_no_sentinel_knows(trio: Watched) -> None:
    with pytest.raises(SourceError) as caught:
        scan(trio.url.replace("/queues", "/cache"))
    assert "does not know the service cache; it watches queues" in caught.value.message


def test_a_sentinel_given_as_a_server(trio: Watched) -> None:
    with pytest.raises(SourceError) as caught:
        scan(f"redis://127.0.0.1:{trio.sentinels[0]}")
    assert "this is a Sentinel" in caught.value.message


def test_a_server_given_as_a_sentinel(trio: Watched) -> None:
    with pytest.raises(SourceError) as caught:
        scan(f"redis+sentinel://127.0.0.1:{trio.primary.port}/queues")
    assert "no Sentinel" in caught.value.message


def test_failover_under_way() -> None:
    """The primary dies; Sentinels promote the replica, and the next scan reads from it."""
    with watched() as made:
        fill(made.primary, "bull", "mail")
        made.primary.kill()
        url = made.url

        def promoted() -> bool:
            with contextlib.suppress(SourceError):
                return scan(url).servers[0].endpoint.endswith(str(made.replica.port))
            return False

        until(promoted, 30)
        live = scan(url)
    assert replication(live.servers[0]).role == "master"
    assert queue(live, "mail").counts.waiting == 1


def test_failover_in_the_middle_of_a_scan() -> None:
    """The primary dies while its queues are read: Sentinels lead to the next one, from which all is read."""
    with watched() as made:
        for number in range(20):
            fill(made.primary, "bull", f"q{number}")
        with made.replica.client() as copy:
            until(lambda: copy.dbsize() == 80)

        def names() -> list[str]:
            made.primary.kill()
            return []

        live = collect([parse(made.url)], names=names, budget=QUICK, deadline=time.monotonic() + 40)
        assert [server.endpoint for server in live.servers] == [f"redis://127.0.0.1:{made.replica.port}"]
    assert len(live.queues) == 20
    assert "was lost during the scan; all was read again" in live.report.why
    assert not live.report.ended_early


@pytest.fixture(scope="module")
def three() -> Iterator[list[RunningServer]]:
    """A cluster without replicas, for tests that leave it whole."""
    with cluster(3) as nodes:
        yield nodes


def test_slots_as_redis_computes_them(three: list[RunningServer]) -> None:
    with three[0].client() as client:
        for key in ("a", "bull:mail:id", "{bull}:mail:id", "x{}y", "x{a}{b}", "}{", "é"):
            assert slot(key) == client.execute_command("CLUSTER", "KEYSLOT", key)


@pytest.mark.node
@pytest.mark.usefixtures("npm")
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_every_primary_is_read_from_any_seed(three: list[RunningServer], seed: int) -> None:
    at = [{"host": "127.0.0.1", "port": node.port} for node in three]
    for name in ("alpha", "beta", "gamma", "delta"):
        drive(
            three[0],
            library="bullmq5",
            cluster=at,
            queue=name,
            prefix=f"{{{name}}}",
            add=[{"name": "a", "opts": {"attempts": 2}}],
        )
    with driving(
        three[0],
        library="bullmq5",
        cluster=at,
        queue="alpha",
        prefix="{alpha}",
        work={"mode": "hang", "workers": 2, "settle": 700},
    ):
        live = scan(three[seed])
    assert len(live.servers) == 3
    assert {"alpha", "beta", "gamma", "delta"} <= {each.name for each in live.queues}
    assert len({queue(live, name).endpoint for name in ("alpha", "beta", "gamma", "delta")}) > 1
    assert queue(live, "beta").sampled[0].opts is not None
    alpha = queue(live, "alpha")
    assert isinstance(alpha.workers, QueueWorkers)
    # a busy worker may have no connection to the queue's node, and the client may lose names while it connects
    assert 1 <= alpha.workers.count <= 2
    assert not alpha.workers.certain
    shape = replication(live.servers[0]).cluster
    assert isinstance(shape, ClusterShape)
    assert (shape.state, shape.masters, shape.masters_without_replica) == ("ok", 3, 3)
    assert not live.unreached


@pytest.mark.node
@pytest.mark.usefixtures("npm")
def test_that_a_cluster_has_no_worker_is_certain(three: list[RunningServer]) -> None:
    """Workers wait on the node that holds the queue: nobody there is nobody, unless a connection without a name waits."""
    at = [{"host": "127.0.0.1", "port": node.port} for node in three]
    cluster_of: dict[str, Any] = {"library": "bullmq5", "cluster": at, "queue": "count", "prefix": "{count}"}
    drive(three[0], **cluster_of, add=[{"name": "a"}])
    idle = queue(scan(three[0]), "count").workers
    assert isinstance(idle, QueueWorkers)
    assert (idle.count, idle.certain) == (0, True)
    ran = tt_audit("scan", three[0].url, "--no-infra", "--format", "json", "--quiet", "--only", "37")
    failing = [found["subject"]["name"] for found in ran.items()[37]["findings"] if found["status"] == "fail"]
    assert "{count}:count" in failing

    # as BullMQ 4 waits on a cluster
    holder = three[slot("{count}") // 5462]
    with redis.Redis(port=holder.port) as nameless:
        waiting = threading.Thread(target=lambda: nameless.brpoplpush("{count}:none", "{count}:other", 4))
        waiting.start()
        time.sleep(0.3)
        hidden = queue(scan(three[0]), "count").workers
    waiting.join()
    assert isinstance(hidden, QueueWorkers)
    assert (hidden.count, hidden.certain) == (0, False)


def test_a_queue_without_a_hash_tag_lies_on_several_nodes(three: list[RunningServer]) -> None:
    for suffix, value in (("id", "1"), ("2", "x")):
        for node in three:
            with node.client() as client, contextlib.suppress(Exception):
                client.set(f"bull:spread:{suffix}", value)
    live = scan(three[0])
    assert any(each.name == "spread" for each in live.queues)


def test_a_slot_that_moves_is_followed(three: list[RunningServer]) -> None:
    """MOVED for a slot whose owner changed, ASK for a key that is on its way."""
    tag = next(f"t{n}" for n in range(100) if slot(f"{{t{n}}}") < 5000)
    number = slot(f"{{{tag}}}")
    fill(three[0], f"{{{tag}}}", "wander")
    with three[0].client() as source, three[1].client() as target:
        ids = [client.execute_command("CLUSTER", "MYID") for client in (source, target)]
        target.execute_command("CLUSTER", "SETSLOT", number, "IMPORTING", ids[0])
        source.execute_command("CLUSTER", "SETSLOT", number, "MIGRATING", ids[1])
        source.execute_command("MIGRATE", "127.0.0.1", three[1].port, f"{{{tag}}}:wander:wait", 0, 2000)
        on_its_way = queue(scan(three[0]), "wander")
        for key in ("meta", "id", "1"):
            source.execute_command("MIGRATE", "127.0.0.1", three[1].port, f"{{{tag}}}:wander:{key}", 0, 2000)
        for client in (target, source):
            client.execute_command("CLUSTER", "SETSLOT", number, "NODE", ids[1])
        moved = queue(scan(three[2]), "wander")
    assert on_its_way.counts.waiting == 1
    assert moved.counts.waiting == 1
    assert moved.endpoint == f"redis://127.0.0.1:{three[1].port}"


def test_a_node_that_is_down_costs_its_own_keys_alone() -> None:
    with cluster(3) as nodes:
        tags = {
            number: next(f"t{n}" for n in range(1000) if number * 5462 <= slot(f"{{t{n}}}") < (number + 1) * 5461)
            for number in range(3)
        }
        for number, tag in tags.items():
            fill(nodes[number], f"{{{tag}}}", f"q{number}")
        nodes[2].kill()
        live = scan(nodes[0], seconds=20)
        assert {each.name for each in live.queues} == {"q0", "q1"}
        assert live.unreached or "fail" in str(replication(live.servers[0]).cluster)
        # until its peers agree that it is gone
        until(lambda: _failed(scan(nodes[0]).servers[0]) == 1)
        later = scan(nodes[0])
    assert {each.name for each in later.queues} == {"q0", "q1"}


def _failed(server: Server) -> int:
    shape = replication(server).cluster
    assert isinstance(shape, ClusterShape)
    return shape.failed_nodes


def test_cluster_with_replicas() -> None:
    with cluster(3, replicas=True) as nodes:
        live = scan(nodes[4])
    shape = replication(live.servers[0]).cluster
    assert isinstance(shape, ClusterShape)
    assert (shape.masters, shape.replicas, shape.masters_without_replica) == (3, 3, 0)
    assert {server.target.role for server in live.servers} == {"master"}


def test_nodes_without_an_address_are_the_seed() -> None:
    layout = "aa :7000@17000 myself,master - 0 0 1 connected 0-8191 [93->-bb]\nbb 10.0.0.2:7001@17001,host master - 0 0 2 connected 8192-16383\n"
    layout += (
        "cc 10.0.0.3:7002@17002 slave bb 0 0 2 connected\ndd 10.0.0.4:7003@17003 master,fail - 0 0 3 disconnected 1\n"
    )
    found = primaries(layout, parse("redis://seed:7000"))
    assert [(each.host, each.port, len(each.slots[0])) for each in found] == [
        ("seed", 7000, 8192),
        ("10.0.0.2", 7001, 8192),
    ]


def test_databases_on_request() -> None:
    with redis_server(tcp=True) as server:
        fill(server, "bull", "mail", db=0)
        fill(server, "bull", "mail", db=3)
        fill(server, "bull", "orders", db=5)
        one = scan(f"redis://127.0.0.1:{server.port}/3")
        every = scan(server, all_dbs=True)
    assert [(each.name, each.db) for each in one.queues] == [("mail", 3)]
    assert {(each.name, each.db) for each in every.queues} == {("mail", 0), ("mail", 3), ("orders", 5)}
    assert (one.targets[0].dbs, one.targets[0].other_dbs) == ((3,), (0, 5))
    assert (every.targets[0].dbs, every.targets[0].other_dbs) == ((0, 3, 5), ())


@pytest.mark.node
@pytest.mark.usefixtures("npm")
def test_workers_in_another_database_are_mentioned() -> None:
    with redis_server(tcp=True) as server:
        drive(server, library="bullmq5", queue="mail", db=2, add=[{"name": "a"}])
        with driving(server, library="bullmq5", queue="mail", db=2, work={"mode": "hang", "settle": 500}):
            live = scan(server)
            other = queue(scan(server, all_dbs=True), "mail")
    assert "other databases (2)" in live.coverage
    assert isinstance(other.workers, QueueWorkers)
    assert other.workers.count == 1


def test_several_urls_are_several_targets() -> None:
    with redis_server(tcp=True) as first, redis_server(tcp=True) as second:
        fill(first, "bull", "mail")
        fill(second, "bull", "mail")
        live = scan(first, parse(second.url))
    assert [server.endpoint for server in live.servers] == [first.url, second.url]
    assert [each.endpoint for each in live.queues] == [first.url, second.url]


def status(url: str) -> str:
    ran = tt_audit("scan", url, "--no-infra", "--format", "json", "--quiet", "--only", "91", "--allow-empty")
    found: str = ran.items()[91]["status"]
    return found


def test_high_availability_by_topology(trio: Watched, three: list[RunningServer]) -> None:
    """Item 91: a lone primary and a replica that nothing promotes fail, Sentinel and a replicated cluster hold."""
    assert status(trio.url) == "pass"
    assert status(trio.primary.url) == "pass"
    assert status(trio.replica.url) == "unverified"
    assert status(three[0].url) == "fail"
    with with_replica() as (primary, _):
        assert status(primary.url) == "fail"
