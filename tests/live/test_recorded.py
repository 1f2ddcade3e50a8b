"""Products and managed offerings that these tests cannot run, by their documented replies: NOT RUN on the real thing.

Each is a real Redis that answers a few commands as the offering's documentation, or a client that knows it, says. What is
refused costs its own facts alone, is told as the provider's business, and never as a failure.
"""

from __future__ import annotations

import json
import re
import socket
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import pytest

from auditor.live import transport
from auditor.live.model import QueueWorkers

from ..cli.support import tt_audit
from ..support.offering import Answer, behind, error
from ..support.redis_server import RunningServer, redis_server
from .support import fill, queue, scan


def without(*sections: str) -> Answer:
    """INFO less some sections."""

    def cut(text: bytes) -> bytes:
        parts = re.split(rb"(?m)^(?=# )", text)
        return b"".join(part for part in parts if part.split(b"\r\n")[0].decode().lstrip("# ").lower() not in sections)

    return cut


def with_lines(*lines: str, drop: str = "") -> Answer:
    """INFO with other lines in place of its own."""
    names = [line.partition(":")[0] for line in lines] + ([drop] if drop else [])

    def change(text: bytes) -> bytes:
        kept = [line for line in text.decode().split("\r\n") if line.partition(":")[0] not in names]
        return "\r\n".join([*kept, *lines, ""]).encode()

    return change


def fields_of_clients(drop: str, add: str = "") -> Answer:
    """CLIENT LIST without some field, with others at the end."""

    def change(text: bytes) -> bytes:
        lines = re.sub(rf"(?: ?){drop}=\S*" if drop else "$^", "", text.decode()).splitlines()
        return "\n".join(f"{line}{add}" for line in lines).encode()

    return change


UNKNOWN = "ERR unknown command 'CONFIG', with args beginning with: 'GET'"


@dataclass(frozen=True)
class Offering:
    """What it answers, and what a scan must make of it."""

    host: str
    answers: Mapping[str, Answer]
    product: str = "Redis"
    managed: str = ""
    items: Mapping[int, str] = field(default_factory=dict)
    words: str = ""
    """In the reason of some unverified item, or in why the source is partial."""


CONSOLE = "see the provider's console"
HIDDEN = {88: "pass", 90: "unverified", 91: "unverified", 92: "fail", 94: "unverified"}

OFFERINGS = {
    "ElastiCache": Offering(
        "queues.abc123.0001.use1.cache.amazonaws.com",
        {"CONFIG": error(UNKNOWN), "INFO": with_lines("os:Amazon ElastiCache")},
        managed="Amazon ElastiCache",
        items=HIDDEN,
        words="the server does not know the command (renamed, or a managed offering)",
    ),
    "ElastiCache Serverless": Offering(
        "queues.serverless.use1.cache.amazonaws.com",
        {
            "CONFIG": error(UNKNOWN),
            "CLIENT LIST": error("ERR unknown subcommand 'LIST'. Try CLIENT HELP."),
            "ACL": error("ERR unknown command 'ACL', with args beginning with: 'WHOAMI'"),
            "RANDOMKEY": error("ERR unknown command 'RANDOMKEY'"),
            "MEMORY": error("ERR unknown command 'MEMORY'"),
        },
        managed="Amazon ElastiCache Serverless",
        items=HIDDEN,
    ),
    "MemoryDB": Offering(
        "clustercfg.queues.abc.memorydb.us-east-1.amazonaws.com",
        {"CONFIG": error("NOPERM this user has no permissions to run the 'config' command or its subcommand")},
        managed="Amazon MemoryDB",
        items={**HIDDEN, 90: "unverified"},
    ),
    "Memorystore for Redis": Offering(
        "10.0.0.3",
        {
            "CONFIG": error("ERR unknown command `CONFIG`, with args beginning with: `GET`, "),
            "ACL": error("ERR unknown command `ACL`, with args beginning with: `WHOAMI`, "),
            "CLIENT": error("ERR unknown command `CLIENT`, with args beginning with: `LIST`, "),
            "INFO": with_lines("maxmemory_policy:volatile-lru"),
        },
        items={88: "fail", 94: "unverified"},
    ),
    "Azure Cache": Offering(
        "shop.redis.cache.windows.net",
        {"CONFIG": error("ERR unknown command `CONFIG`, with args beginning with: `GET`, ")},
        managed="Azure Cache for Redis",
        items=HIDDEN,
    ),
    "Redis Cloud": Offering(
        "redis-12345.c1.us-east-1-2.ec2.redns.redis-cloud.com",
        {"CONFIG GET": b"*0\r\n", "ACL GETUSER": error("ERR command is not allowed")},
        managed="Redis Cloud",
        items={88: "pass", 90: "unverified", 91: "unverified"},
    ),
    "Upstash": Offering(
        "eu1-shop-1.upstash.io",
        {
            "INFO": lambda text: with_lines("upstash_version:1.12.3")(without("persistence", "replication", "cpu")(text)),
            "CONFIG": error("ERR Command is not available: 'CONFIG'. See https://upstash.com/docs/redis for details"),
            "ACL": error("ERR Command is not available: 'ACL'. See https://upstash.com/docs/redis for details"),
            "MEMORY": error("ERR Command is not available: 'MEMORY'. See https://upstash.com/docs/redis for details"),
        },
        product="Upstash",
        managed="Upstash",
        items={88: "pass", 90: "unverified", 91: "unverified"},
    ),
    "Dragonfly": Offering(
        "10.0.0.4",
        {
            "INFO": with_lines(
                "redis_version:7.4.0", "dragonfly_version:df-v1.27.1", "maxmemory_policy:noeviction", "max_clients:64000"
            , drop="maxclients"),
            "CLIENT LIST": fields_of_clients("cmd"),
            "CONFIG GET": b"*0\r\n",
        },
        product="Dragonfly",
        items={88: "pass"},
    ),
    "KeyDB": Offering(
        "10.0.0.5",
        {"INFO": with_lines("redis_version:6.3.4", "executable:/opt/keydb/keydb-server", "mvcc_depth:0")},
        product="KeyDB",
        items={88: "pass", 90: "fail"},
    ),
    "Redis 7.2": Offering(
        "10.0.0.6",
        {
            "INFO": with_lines("redis_version:7.2.5", "listener0:name=tcp,bind=127.0.0.1,port=6379"),
            "CLIENT LIST": fields_of_clients("", " lib-name=ioredis lib-ver=5.11.1"),
        },
        items={88: "pass", 92: "fail"},
    ),
    "Redis 8": Offering(
        "10.0.0.7",
        {
            "INFO": with_lines("redis_version:8.0.2", "redis_build_id:abc"),
            "CLIENT LIST": fields_of_clients("", " lib-name=ioredis lib-ver=5.11.1 io-thread=0 tot-net-in=1 tot-cmds=2"),
        },
        items={88: "pass"},
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def real() -> Iterator[RunningServer]:
    """What lies beneath: BullMQ's keys, and a worker's connection."""
    with redis_server("--maxmemory", "100mb") as server, socket.socket(socket.AF_UNIX) as worker:
        fill(server, 3, jobs=4)
        server.client().set("bull:q00000:stalled-check", int(time.time() * 1000), px=3_000_000)
        worker.connect(str(server.socket))
        worker.sendall(b"CLIENT SETNAME bull:cTAwMDAw\r\nBZPOPMIN bull:q00000:marker 600\r\n")
        yield server


@pytest.fixture(params=sorted(OFFERINGS))
def offered(
    request: pytest.FixtureRequest, real: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Offering, str]]:
    """An offering, and a URL with its host's name that leads to it."""
    offering = OFFERINGS[request.param]
    with behind(real, offering.answers) as port:
        local = socket.getaddrinfo("127.0.0.1", port, type=socket.SOCK_STREAM)
        monkeypatch.setattr(transport.socket, "getaddrinfo", lambda *_, **__: local)
        yield offering, f"redis://{offering.host}:{port}"


def test_it_is_known_and_read_as_far_as_it_lets(offered: tuple[Offering, str]) -> None:
    offering, url = offered
    live = scan(url)
    (facts,) = live.servers
    assert (facts.product, facts.managed) == (offering.product, offering.managed)
    assert len(live.queues) == 3
    assert all(len(each.sampled) == 4 for each in live.queues)
    assert not live.report.ended_early
    workers = queue(live, "q00000").workers
    if "CLIENT" not in offering.answers and offering.managed != "Amazon ElastiCache Serverless":
        assert isinstance(workers, QueueWorkers)
        assert workers.count == 1


def test_what_it_hides_is_nobodys_failure(offered: tuple[Offering, str]) -> None:
    offering, url = offered
    ran = tt_audit("scan", url, "--no-infra", "--format", "json", "--quiet", "--only", "1-10,37,88-95")
    items = ran.items()
    assert {number: items[number]["status"] for number in offering.items} == dict(offering.items)
    assert not any(item["status"] == "error" for item in items.values())
    assert ran.code in (0, 1)
    if offering.words:
        assert offering.words in json.dumps(ran.report())
