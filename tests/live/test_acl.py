"""The ACL lines on real servers: the tool's user sees all it needs and can't write; applications can work."""

from __future__ import annotations

import pytest
import redis

from auditor.live.acl import application_line, auditor_line
from auditor.live.allowlist import ALLOWED
from auditor.live.model import Library
from auditor.model import SourceStatus

from ..support.node import drive
from ..support.redis_server import RunningServer, redis_server
from ..support.topology import cluster
from .support import scan


def make(server: RunningServer, line: str, password: str = "a-long-secret") -> None:
    with server.client() as client:
        client.execute_command(*line.replace("PASSWORD", password).split(" "))


def test_the_line_grants_all_that_a_scan_asks_for() -> None:
    with redis_server(tcp=True) as server:
        make(server, auditor_line("7.0"))
        with server.client() as client:
            client.lpush("bull:mail:wait", "1")
            client.set("bull:mail:id", "1")
            client.hset("bull:mail:1", mapping={"name": "a", "data": "{}", "opts": "{}"})
            client.xadd("bull:mail:events", {"event": "added"})
        live = scan(f"redis://tt-audit:a-long-secret@127.0.0.1:{server.port}")
        with redis.Redis(port=server.port, username="tt-audit", password="a-long-secret") as client:
            for command in (
                ["SET", "k", "v"],
                ["DEL", "bull:mail:1"],
                ["CONFIG", "SET", "maxmemory", "1"],
                ["KEYS", "*"],
                ["EVAL", "return 1", "0"],
            ):
                with pytest.raises(redis.exceptions.NoPermissionError):
                    client.execute_command(*command)
    assert live.report.status is SourceStatus.OK, live.report.why
    assert live.queues[0].sampled


def test_narrowed_to_a_prefix() -> None:
    with redis_server(tcp=True) as server:
        make(server, auditor_line("7.0", prefixes=["bull"]))
        with server.client() as client:
            for prefix in ("bull", "shop"):
                client.set(f"{prefix}:mail:id", "1")
                client.lpush(f"{prefix}:mail:wait", "1")
        live = scan(f"redis://tt-audit:a-long-secret@127.0.0.1:{server.port}")
    assert [(each.prefix, each.name) for each in live.queues] == [("bull", "mail")]


def test_in_a_cluster() -> None:
    with cluster(3) as nodes:
        for node in nodes:
            make(node, auditor_line("7.0", cluster=True))
        live = scan(f"redis://tt-audit:a-long-secret@127.0.0.1:{nodes[0].port}")
    assert live.report.status is SourceStatus.OK, live.report.why
    assert len(live.servers) == 3


def test_old_servers_get_no_read_patterns() -> None:
    assert "%R" not in auditor_line("6.2.14")
    assert "%R~*" in auditor_line("7.2.4")
    assert "+keys" not in auditor_line() and "+set " not in auditor_line()
    assert {rule for rule in ALLOWED if f"+{rule}" not in auditor_line(cluster=True).split(" ")} == {
        rule for rule in ALLOWED if rule.startswith("sentinel")
    } | {"auth"}


@pytest.mark.node
@pytest.mark.usefixtures("npm")
@pytest.mark.parametrize(
    ("library", "kind", "major"),
    [("bull", Library.BULL, 4), ("bullmq5", Library.BULLMQ, 5), ("bullmq6", Library.BULLMQ, 6)],
)
def test_applications_work_with_their_line_alone(library: str, kind: Library, major: int) -> None:
    with redis_server(tcp=True) as server:
        with server.client() as client:
            version = client.info("server")["redis_version"]
        make(server, application_line(kind, major, version))
        said = drive(
            server,
            library=library,
            login={"username": "app", "password": "a-long-secret"},
            queue="mail",
            add=[{"name": "a", "times": 3}, {"name": "b", "opts": {"priority": 3, "attempts": 2, "backoff": 10}}],
            schedulers=[{"id": "tick", "repeat": {"every": 3600000}}],
            work={"jobs": 4, "options": {"stalledInterval": 300}, "ms": 100},
        )
        with server.client() as client:
            log = client.execute_command("ACL", "LOG")
    assert said["errors"] == []
    assert said["done"] >= 4
    assert log == []
