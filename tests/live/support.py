"""Scans of real servers for these tests."""

from __future__ import annotations

import time
from collections.abc import Collection
from typing import Any

from auditor.live.address import Address, parse
from auditor.live.budget import Budget
from auditor.live.collect import collect
from auditor.live.model import LiveQueue, LiveRedis

from ..support.redis_server import RunningServer

QUICK = Budget(connect_s=2.0, reply_s=3.0)


def scan(
    target: RunningServer | Address | str,
    *more: Address,
    names: Collection[str] = (),
    budget: Budget = QUICK,
    seconds: float = 20.0,
    **way: Any,
) -> LiveRedis:
    """Collect from a server, an address or a URL; `way` goes to `parse`."""
    first = target if isinstance(target, Address) else parse(target if isinstance(target, str) else target.url, **way)
    return collect([first, *more], names=lambda: names, budget=budget, deadline=time.monotonic() + seconds)


def queue(live: LiveRedis, name: str) -> LiveQueue:
    """The one queue of that name."""
    (found,) = [each for each in live.queues if each.name == name]
    return found


def fill(server: RunningServer, queues: int, jobs: int = 1, data: str = "{}") -> None:
    """Queues as BullMQ 5 would have left them."""
    with server.client() as client, client.pipeline(transaction=False) as pipe:
        for number in range(queues):
            stem = f"bull:q{number:05}:"
            pipe.hset(f"{stem}meta", mapping={"opts.maxLenEvents": 10000, "version": "bullmq:5.81.5"})
            pipe.set(f"{stem}id", jobs)
            for job in range(jobs):
                pipe.lpush(f"{stem}wait", str(job))
                pipe.hset(
                    f"{stem}{job}", mapping={"name": "a", "data": data, "opts": '{"attempts":3}', "timestamp": "1"}
                )
        pipe.execute()


def deny(server: RunningServer, *rules: str, name: str = "auditor", password: str = "a-long-secret") -> str:
    """Make an ACL user with everything but these rules; its URL."""
    with server.client() as client:
        client.execute_command("ACL", "SETUSER", name, "reset", "on", f">{password}", "~*", "&*", "+@all", *rules)
    scheme, _, rest = server.url.partition("://")
    return f"{scheme}://{name}:{password}@{rest.rpartition('@')[2]}"
