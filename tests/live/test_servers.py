"""The same on every server that tests can have: Redis 6.2, the system's (7.0 on Debian 12), Valkey 9.1.

Redis 7.2 and 8, Dragonfly, KeyDB and managed offerings are not run: see test_recorded.py.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator

import pytest
import redis

from auditor.errors import SourceError
from auditor.live import second_look
from auditor.live.acl import auditor_line, version
from auditor.live.address import parse
from auditor.live.allowlist import KEYS, SERVER
from auditor.live.model import LockSureness, QueueWorkers, Refused
from auditor.live.proof import Means, prove
from auditor.model import SourceStatus

from ..support.node import drive, driving
from ..support.redis_server import SERVERS, RunningServer, redis_server, server_of
from ..support.topology import until
from .support import deny, fill, queue, scan

pytestmark = pytest.mark.parametrize("which", SERVERS)


@contextlib.contextmanager
def started(which: str, *options: str, password: str = "") -> Iterator[RunningServer]:
    with redis_server(*options, tcp=True, password=password, server=server_of(which)) as server:
        yield server


def told(server: RunningServer) -> tuple[str, tuple[int, int]]:
    """The product and the Redis version that it acts as, by redis-py."""
    with server.client() as client:
        facts = client.info("server")
    name = str(facts.get("server_name", "redis"))
    return name, version(str(facts["valkey_version" if name == "valkey" else "redis_version"]))


@pytest.mark.node
@pytest.mark.usefixtures("npm")
def test_a_whole_scan(which: str) -> None:
    options = {"lockDuration": 9000, "stalledInterval": 4000, "name": "eu"}
    with started(which) as server:
        product, number = told(server)
        drive(server, library="bullmq5", queue="mail", add=[{"name": "a", "times": 2}], work={"jobs": 2})
        drive(server, library="bullmq5", queue="mail", add=[{"name": "b"}])
        server.client().delete("bull:mail:stalled-check")  # of the worker that has ended
        work = {"mode": "hang", "settle": 400, "options": options}
        with driving(server, library="bullmq5", queue="mail", work=work):
            live = scan(server)
    assert live.report.status is SourceStatus.OK, live.report.why
    (facts,) = live.servers
    assert (facts.product.lower(), version(facts.version)) == (product, number)
    assert facts.setting("maxmemory-policy") == "noeviction"
    assert facts.authentication.anonymous == "accepted"
    mail = queue(live, "mail")
    assert (mail.counts.completed, mail.counts.active, len(mail.sampled)) == (2, 1, 3)
    assert mail.stalled_interval_ms == 4000
    assert mail.lock is not None
    assert (mail.lock.low_ms, mail.lock.sureness) == (9000, LockSureness.EXACT)
    assert isinstance(mail.workers, QueueWorkers)
    assert (mail.workers.count, mail.workers.certain, mail.workers.names) == (1, True, ("eu",))


def test_it_saw_the_commands_that_the_report_states(which: str) -> None:
    """By its own count of commands; Redis 6.2 counts subcommands together."""
    with started(which) as server:
        fill(server, 3, jobs=5)
        with server.client() as client:
            client.config_resetstat()
            live = scan(server)
            stats = client.info("commandstats")
    saw, stated = Counter[str](), Counter[str]()
    for name, facts in stats.items():
        saw[name.removeprefix("cmdstat_").partition("|")[0]] += facts["calls"]
    for rule, sent in live.report.commands.items():
        stated[rule.partition("|")[0]] += sent
    for name in ("hello", "client", "info", "ping", "config"):  # the test's own client sends them too
        saw.pop(name, None)
        stated.pop(name, None)
    assert saw == stated


def test_the_report_states_the_servers_own_time(which: str) -> None:
    """Our share of what the server counted, while somebody else sends the same commands; none where it does not tell."""
    with started(which) as server:
        fill(server, 40, jobs=5)
        over = threading.Event()

        def others() -> None:
            with server.client() as client:
                while not over.is_set():
                    client.llen("bull:q00000:wait")

        with server.client() as client:
            client.config_resetstat()
            alone = scan(server)
            took = sum(facts["usec"] for facts in client.info("commandstats").values()) / 1_000_000
        beside = threading.Thread(target=others)
        beside.start()
        shared = scan(server)
        over.set()
        beside.join()
        silent = scan(deny(server, "-info"))
    assert alone.report.server_seconds is not None
    assert took * 0.5 < alone.report.server_seconds <= took
    assert shared.report.server_seconds is not None
    assert shared.report.server_seconds < took * 4
    assert silent.report.server_seconds is None


def test_our_own_line_is_enough_and_proven(which: str) -> None:
    with started(which) as server:
        fill(server, 2, jobs=3)
        product, number = told(server)
        line = auditor_line("7.2" if product == "valkey" else ".".join(map(str, number)))
        with server.client() as client:
            client.execute_command(*line.replace("PASSWORD", "a-long-secret").split(" "))
            client.xadd("bull:q00000:events", {"event": "added"})
        url = f"redis://tt-audit:a-long-secret@127.0.0.1:{server.port}"
        live = scan(url)
        proof = prove(parse(url), parse(server.url), time.monotonic() + 10)
        with redis.Redis(port=server.port, username="tt-audit", password="a-long-secret") as client:
            for command in (
                ["SET", "k", "v"],
                ["KEYS", "*"],
                ["EVAL", "return 1", "0"],
                ["CONFIG", "SET", "timeout", "1"],
            ):
                with pytest.raises(redis.exceptions.NoPermissionError):
                    client.execute_command(*command)
    assert live.report.status is SourceStatus.OK, live.report.why
    assert len(live.queues) == 2
    old = which == "redis-6.2"
    assert proof.means is (Means.RULES if old else Means.DRYRUN)
    assert proof.holds, [p for p in proof.permissions if not p.right]


NOT_NEEDED_HERE = ("randomkey", "lindex", "cluster|info", "cluster|nodes")
"""Sent to large databases, full lists and clusters alone."""
WITHOUT_LOSS = ("time", "client|id", "memory|usage")


@pytest.mark.parametrize("rule", sorted(name for name in SERVER | KEYS if not name.startswith("sentinel")))
def test_each_command_refused_in_turn(which: str, rule: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """NOPERM costs its own facts; the scan goes on, and says what would grant it."""
    monkeypatch.setattr(second_look, "_PAUSE_S", 0.01)
    # Redis 6.2 can take away whole commands alone
    taken = rule.partition("|")[0] if which == "redis-6.2" else rule
    with started(which) as server:
        fill(server, 2, jobs=2)
        with server.client() as client:
            client.zadd("bull:q00000:completed", {"0": 1})
            client.xadd("bull:q00000:events", {"event": "added", "jobId": "1"})
            client.zadd("bull:q00000:repeat", {"tick": 1})
            client.lpush("bull:q00000:active", "1")
            client.zadd("bull:q00000:failed", {"gone": 1})
        live = scan(deny(server, f"-{taken}"))
    assert len(live.servers) == 1
    if rule == "scan":
        assert live.coverage
    else:
        assert len(live.queues) == 2
    if rule not in (*WITHOUT_LOSS, *NOT_NEEDED_HERE):
        assert f"+{rule}" in live.report.why
    assert not live.report.ended_early
    seen = Refused if taken in ("client|list", "client") else QueueWorkers
    assert all(isinstance(each.workers, seen) for each in live.queues)


def refusal(url: str) -> str:
    with pytest.raises(SourceError) as caught:
        scan(url)
    return f"{caught.value.message} | {caught.value.hint}"


def taken(port: int, held: contextlib.ExitStack) -> bool:
    """Whether a place for a client was free; it is held then. The one that saw the server start may be leaving yet."""
    client = held.enter_context(socket.create_connection(("127.0.0.1", port)))
    with contextlib.suppress(ConnectionError):
        client.sendall(b"PING\r\n")
        return client.recv(16).startswith(b"+PONG")
    return False


def test_who_may_not_come_in_is_told_why(which: str) -> None:
    with started(which, password="a-long-secret") as server:
        assert "asks for a password, and none was given" in refusal(f"redis://127.0.0.1:{server.port}")
        assert "refused the user name or password" in refusal(f"redis://:wrong@127.0.0.1:{server.port}")
        assert "refused the user name or password" in refusal(f"redis://nobody:wrong@127.0.0.1:{server.port}")
    with started(which, "--maxclients", "3") as server, contextlib.ExitStack() as held:
        for _ in range(3):
            until(lambda: taken(server.port, held))
        assert "maxclients" in refusal(f"redis://127.0.0.1:{server.port}")
