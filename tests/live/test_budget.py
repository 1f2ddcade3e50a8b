"""The budget's options from the command line, on a real server: each cuts, says what it cut, and spares the exit code."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from ..cli.support import Ran, tt_audit
from ..support.offering import behind
from ..support.redis_server import RunningServer, redis_server
from .support import fill


@pytest.fixture(scope="module")
def full() -> Iterator[RunningServer]:
    """120 queues of 30 jobs, and 12,000 sessions of another application."""
    with redis_server(tcp=True) as server:
        fill(server, 120, jobs=30)
        with server.client() as client, client.pipeline(transaction=False) as pipe:
            for number in range(12_000):
                pipe.set(f"session:{number}", "x")
            pipe.execute()
        yield server


def audit(url: str, *options: str) -> tuple[Ran, dict[str, Any]]:
    """The run, and what it says of its live source."""
    ran = tt_audit("scan", url, "--no-infra", "--format", "json", "--quiet", "--fail-on", "none", *options)
    (source,) = [source for source in ran.report()["sources"] if source["name"] == "live"]
    return ran, source


def test_without_limits_all_is_read(full: RunningServer) -> None:
    ran, source = audit(full.url)
    assert (ran.code, source["status"]) == (0, "ok")
    assert source["keys_scanned"] >= 15_000


def test_max_commands(full: RunningServer) -> None:
    ran, source = audit(full.url, "--max-commands", "1200")
    assert sum(source["commands"].values()) <= 1200
    assert (ran.code, source["status"]) == (0, "partial")
    assert "the budget of 1,200 commands is spent" in source["why"]
    assert ran.report()["limits"]["max_commands"] == 1200


def test_max_keys(full: RunningServer) -> None:
    ran, source = audit(full.url, "--max-keys", "4000")
    assert 4000 <= source["keys_scanned"] < 7000
    assert (ran.code, source["status"]) == (0, "partial")
    assert "stopped at its budget, after about" in source["why"]


def test_max_seconds() -> None:
    """Every batch of queues takes a second here."""

    def slow(reply: Any) -> Any:
        time.sleep(1.0)
        return reply

    with redis_server() as server:
        fill(server, 120, jobs=3)
        began = time.monotonic()
        with behind(server, {"TIME": slow}) as port:
            ran, source = audit(f"redis://127.0.0.1:{port}", "--max-seconds", "4")
        assert time.monotonic() - began < 8
    assert (ran.code, source["status"]) == (0, "partial")
    assert "the time is up (4 s)" in source["why"]


def test_sample(full: RunningServer) -> None:
    few, few_source = audit(full.url, "--sample", "3", "--only", "10")
    many, many_source = audit(full.url, "--sample", "30", "--only", "10")
    assert "the largest of 3 sampled (3 of 30 jobs of the queue)" in few.items()[10]["evidence"][0]["observed"]
    assert "the largest of 30 sampled (30 of 30 jobs of the queue)" in many.items()[10]["evidence"][0]["observed"]
    assert few_source["commands"]["memory|usage"] == 360
    assert many_source["commands"]["memory|usage"] == 3600


def test_max_jobs(full: RunningServer) -> None:
    ran, source = audit(full.url, "--max-jobs", "240", "--only", "10")
    assert "the largest of 2 sampled (2 of 30 jobs of the queue)" in ran.items()[10]["evidence"][0]["observed"]
    assert source["commands"]["memory|usage"] == 240
    assert ran.report()["limits"]["max_jobs"] == 240
