"""Replicas, Sentinels and clusters of private servers, for tests."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis

from .redis_server import RunningServer, binary, free_port, redis_server


@dataclass(frozen=True, slots=True)
class Watched:
    """A primary with a replica under three Sentinels."""

    primary: RunningServer
    replica: RunningServer
    sentinels: tuple[int, ...]

    @property
    def url(self) -> str:
        return f"redis+sentinel://{','.join(f'127.0.0.1:{port}' for port in self.sentinels)}/queues"


def until(true: Callable[[], bool], seconds: float = 20.0) -> None:
    """Wait for it; raises AssertionError when it does not come about."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(redis.RedisError):
            if true():
                return
        time.sleep(0.05)
    raise AssertionError("it did not come about in time")


@contextlib.contextmanager
def with_replica() -> Iterator[tuple[RunningServer, RunningServer]]:
    """A primary and its replica, in step."""
    with contextlib.ExitStack() as stack:
        primary = stack.enter_context(redis_server("--repl-diskless-sync-delay", "0", tcp=True))
        replica = stack.enter_context(redis_server("--replicaof", "127.0.0.1", str(primary.port), tcp=True))
        client = stack.enter_context(primary.client())
        until(lambda: "online" in str(client.info("replication").get("slave0", "")))
        yield primary, replica


@contextlib.contextmanager
def watched() -> Iterator[Watched]:
    """A primary, its replica, and three Sentinels that know one another."""
    server = shutil.which("redis-server") or binary()
    with with_replica() as (primary, replica), contextlib.ExitStack() as stack:
        ports = tuple(free_port() for _ in range(3))
        for port in ports:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tta-")))
            (folder / "sentinel.conf").write_text(
                f"port {port}\nbind 127.0.0.1\nsentinel monitor queues 127.0.0.1 {primary.port} 2\n"
                "sentinel down-after-milliseconds queues 1000\nsentinel failover-timeout queues 3000\n",
                encoding="ascii",
            )
            command = [server, str(folder / "sentinel.conf"), "--sentinel", "--loglevel", "warning"]
            process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            stack.callback(process.wait)
            stack.callback(process.kill)
        clients = [redis.Redis(port=port, decode_responses=True) for port in ports]
        for client in clients:
            stack.callback(client.close)
        until(lambda: all(_known(client) == (2, 1) for client in clients))
        yield Watched(primary, replica, ports)


@contextlib.contextmanager
def cluster(primaries: int = 3, *, replicas: bool = False) -> Iterator[list[RunningServer]]:
    """A cluster: its primaries first, then a replica of each where asked for."""
    options = ("--cluster-enabled", "yes", "--cluster-node-timeout", "2000", "--cluster-require-full-coverage", "no")
    with contextlib.ExitStack() as stack:
        count = primaries * (2 if replicas else 1)
        nodes = [stack.enter_context(redis_server(*options, tcp=True)) for _ in range(count)]
        clients = [stack.enter_context(node.client()) for node in nodes]
        bounds = [number * 16_384 // primaries for number in range(primaries + 1)]
        for client, start, end in zip(clients, bounds, bounds[1:], strict=False):
            client.execute_command("CLUSTER", "ADDSLOTSRANGE", start, end - 1)
        for number, client in enumerate(clients):
            client.execute_command("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
        for node in nodes[1:]:
            clients[0].execute_command("CLUSTER", "MEET", "127.0.0.1", node.port)
        until(lambda: all(_nodes(client) == count for client in clients))
        for primary, follower in zip(clients, clients[primaries:], strict=False):
            follower.execute_command("CLUSTER", "REPLICATE", primary.execute_command("CLUSTER", "MYID"))
        until(lambda: all(_state(client) == "ok" for client in clients))
        if replicas:
            until(
                lambda: all(
                    "online" in str(client.info("replication").get("slave0", "")) for client in clients[:primaries]
                )
            )
        yield nodes


def urls(nodes: Sequence[RunningServer]) -> list[str]:
    """URLs of the nodes."""
    return [node.url for node in nodes]


def _known(sentinel: redis.Redis) -> tuple[int, int]:
    reply: Any = sentinel.execute_command("SENTINEL", "MASTERS")  # type: ignore[no-untyped-call]  # redis-py's own
    fields = reply["queues"] if isinstance(reply, dict) else reply[0]
    return int(fields["num-other-sentinels"]), int(fields["num-slaves"])


def _nodes(client: redis.Redis) -> int:
    return int(_info(client)["cluster_known_nodes"])


def _state(client: redis.Redis) -> str:
    return _info(client)["cluster_state"]


def _info(client: redis.Redis) -> dict[str, str]:
    reply: Any = client.execute_command("CLUSTER", "INFO")  # type: ignore[no-untyped-call]  # redis-py's own
    if isinstance(reply, dict):
        return {str(name): str(value) for name, value in reply.items()}
    return dict(line.partition(":")[::2] for line in str(reply).splitlines())
