"""Whatever the report cites from Redis can be read again: each command runs as it stands, and counts what it says."""

from __future__ import annotations

import re
from typing import Any

import pytest
import redis

from ..cli.support import tt_audit
from ..support.node import LIBRARIES, drive
from ..support.redis_server import redis_server

pytestmark = [pytest.mark.node, pytest.mark.usefixtures("npm")]

_COMMANDS = frozenset(
    (
        *("LLEN", "ZCARD", "SCARD", "XLEN", "EXISTS", "PTTL", "GET", "HGET", "HMGET", "HGETALL", "HSTRLEN", "LRANGE"),
        *("ZRANGE", "ZCOUNT", "ZSCORE", "XREVRANGE", "INFO", "CONFIG", "ACL"),
    )
)
_COUNTS = re.compile(r"(?:waiting: )?([\d,]+) jobs? (?:waiting|active|kept|in a queue)")


def cited(report: dict[str, Any]) -> list[tuple[str, str]]:
    """(source, observed) of all evidence that is a Redis command without a placeholder."""
    items = [*report["items"], *report["extra"]]
    pieces = [piece for item in items for piece in item["evidence"]]
    pieces += [piece for item in items for finding in item["findings"] for piece in finding["evidence"]]
    commands = [(piece["source"], piece["observed"]) for piece in pieces]
    return [(source, seen) for source, seen in commands if source.split(" ")[0] in _COMMANDS and "<" not in source]


@pytest.mark.parametrize("library", LIBRARIES)
def test_every_command_that_is_cited_runs(library: str) -> None:
    with redis_server(tcp=True) as server:
        jobs = [
            {"name": "plain", "times": 3},
            {"name": "urgent", "opts": {"priority": 3}},
            {"name": "late", "opts": {"delay": 600_000}},
        ]
        tick = [{"id": "tick", "repeat": {"every": 3_600_000}, "template": {"opts": {"attempts": 2}}}]
        work = {"jobs": 3, "ms": 5, "options": {"metrics": {"maxDataPoints": 10}}}
        drive(server, library=library, queue="mail", add=[{"name": "plain", "times": 3}], work=work)
        drive(server, library=library, queue="mail", add=[{"name": "plain"}], work={"jobs": 1, "mode": "fail"})
        drive(server, library=library, queue="mail", add=jobs, schedulers=tick)
        drive(server, library=library, queue="held", add=jobs, pause=True)
        drive(server, library=library, queue="mail-dlq", add=[{"name": "dead", "times": 2}])
        with server.client() as client:  # somebody took a job, and is gone
            client.rpoplpush("bull:mail:wait", "bull:mail:active")
            stale = client.lindex("bull:held:paused", -1) or client.lindex("bull:held:wait", -1)
            client.hset(f"bull:held:{stale}", "timestamp", "1")
        ran = tt_audit("scan", server.url, "--no-infra", "--format", "json", "--quiet", "--fail-on", "none")
        pieces = cited(ran.report())
        assert len({source.split(" ")[0] for source, _ in pieces}) > 8
        with redis.Redis(port=server.port, decode_responses=True) as client:
            for source, observed in pieces:
                replies = [client.execute_command(*part.split(" ")) for part in re.split(r" \+ (?=[A-Z]{4,} )", source)]
                if (said := _COUNTS.match(observed)) and source.split(" ")[0] in ("LLEN", "ZCARD"):
                    assert sum(replies) == int(said[1].replace(",", "")), (source, observed)
