"""Items decided from a live Redis, from failing to passing, through the command line."""

from __future__ import annotations

import json
import time

import pytest

from ..cli.support import Ran, tt_audit
from ..support.node import LIBRARIES, drive, driving
from ..support.redis_server import RunningServer, redis_server

SAFE = ("--maxmemory-policy", "noeviction", "--maxmemory", "200mb", "--appendonly", "yes", "--tcp-keepalive", "60")


def audit(server: RunningServer, only: str, *options: str) -> Ran:
    return tt_audit("scan", server.url, "--no-infra", "--format", "json", "--quiet", "--only", only, *options)


def status(ran: Ran, first: int = 88, last: int = 95) -> dict[int, str]:
    return {number: item["status"] for number, item in ran.items().items() if first <= number <= last}


@pytest.mark.node
@pytest.mark.usefixtures("npm")
def test_eviction_password_and_attempts_fail_then_pass() -> None:
    """The issue's own example: 88, 93 and 1 fail with the right evidence; set right, they pass; exit codes 1 and 0."""
    with redis_server("--maxmemory-policy", "allkeys-lru", tcp=True) as server:
        drive(server, library="bullmq5", queue="mail", add=[{"name": "welcome", "times": 5}])
        ran = audit(server, "1,88,93")
    found = ran.items()
    assert ran.code == 1
    assert [found[number]["status"] for number in (1, 88, 93)] == ["fail"] * 3
    (missing,) = found[1]["findings"]
    assert missing["subject"]["name"] == "mail/welcome"
    assert missing["evidence"][0]["source"].startswith("HGET bull:mail:")
    assert missing["evidence"][0]["observed"] == "attempts: 0"
    assert found[88]["findings"][0]["evidence"][0]["observed"] == "allkeys-lru"
    assert found[93]["findings"][0]["evidence"][0]["observed"] == "PONG"

    with redis_server(*SAFE, tcp=True, password="9b1de0d2c4a54f0f8f5c") as server:
        drive(server, library="bullmq5", queue="mail", add=[{"name": "welcome", "opts": {"attempts": 3}, "times": 5}])
        ran = audit(server, "1,88,93")
    assert ran.code == 0, ran.out
    assert [ran.items()[number]["status"] for number in (1, 88, 93)] == ["pass"] * 3
    assert "9b1de0d2c4a54f0f8f5c" not in ran.out + ran.err


def test_server_settings_fail_then_pass() -> None:
    bad = ("--maxmemory-policy", "volatile-lru", "--timeout", "60", "--tcp-keepalive", "0")
    with redis_server(*bad, tcp=True, password="redis") as server:
        failing = audit(server, "88-95")
    assert status(failing) == {
        88: "fail",
        89: "fail",
        90: "fail",
        91: "fail",
        92: "fail",
        93: "fail",
        94: "fail",
        95: "unverified",
    }
    assert "well-known word" in json.dumps(failing.items()[93])

    with redis_server(*SAFE, tcp=True, password="9b1de0d2c4a54f0f8f5c") as server:
        passing = audit(server, "88-95")
    assert status(passing) == {
        88: "pass",
        89: "pass",
        90: "pass",
        91: "fail",
        92: "fail",
        93: "pass",
        94: "pass",
        95: "unverified",
    }


def test_snapshots_alone_pass_with_a_note() -> None:
    with redis_server("--save", "900", "1", tcp=True) as server:
        item = audit(server, "90").items()[90]
    assert item["status"] == "pass"
    assert any("loses up to 15 min" in finding["message"] for finding in item["findings"])


def test_a_failed_save_fails() -> None:
    with redis_server("--save", "900", "1", tcp=True) as server, server.client() as client:
        client.set("k", "v")
        (server.folder / "dump.rdb").mkdir()  # a folder where the file should be: the save fails, for root too
        client.bgsave()
        until = time.monotonic() + 10
        while client.info("persistence")["rdb_last_bgsave_status"] != "err" and time.monotonic() < until:
            time.sleep(0.05)
        item = audit(server, "90").items()[90]
    assert item["status"] == "fail", item
    assert "the last save failed" in item["reason"]


def test_unix_socket_needs_no_tls() -> None:
    with redis_server() as server:
        assert audit(server, "92", "--allow-empty").items()[92]["status"] == "not_applicable"


def test_used_memory_near_the_limit_fails() -> None:
    with redis_server(tcp=True) as server, server.client() as client:
        # in small pieces: the buffer of one large command would count as used memory for a moment
        for n in range(200):
            client.set(f"k{n}", "x" * 100_000)
        client.config_set("maxmemory", int(client.info("memory")["used_memory"] * 1.1))
        item = audit(server, "89").items()[89]
    assert item["status"] == "fail"
    assert "of maxmemory is used" in item["reason"]


@pytest.mark.node
@pytest.mark.usefixtures("npm")
@pytest.mark.parametrize("library", LIBRARIES)
def test_options_of_stored_jobs(library: str) -> None:
    bull = library == "bull"
    jobs = [
        {"name": "no-backoff", "opts": {"attempts": 4}},
        {
            "name": "bounded",
            "opts": {
                "attempts": 4,
                "backoff": {"type": "fixed", "delay": 500},
                "removeOnComplete": True,
                "removeOnFail": 1000,
            },
        },
        {"name": "forgets", "opts": {"attempts": 1, "removeOnFail": True, "removeOnComplete": False}},
        {"name": "timed", "opts": {"attempts": 2, "backoff": 200, "timeout": 5000, "removeOnComplete": 10}},
    ]
    with redis_server(tcp=True) as server:
        drive(server, library=library, queue="mail", add=jobs)
        items = audit(server, "1-7").items()

    def failing(number: int) -> set[str]:
        return {finding["subject"]["name"] for finding in items[number]["findings"] if finding["status"] == "fail"}

    assert failing(1) == set()
    assert items[1]["status"] == ("unverified" if bull else "pass")
    assert failing(2) == {"mail/no-backoff"}
    assert failing(3) == (set() if bull else {"mail/timed"})
    assert failing(4) == ({"mail/no-backoff", "mail/forgets"} if bull else {"mail/forgets"})
    assert failing(5) == {"mail/forgets"}


@pytest.mark.node
@pytest.mark.usefixtures("npm")
def test_payloads() -> None:
    secret = {
        "user": {"password": "hunter2-and-more"},
        "payment": {"card": {"number": "4242 4242 4242 4242", "cvc": "123"}},
    }
    with redis_server(tcp=True) as server:
        jobs = [
            {"name": "pay", "data": secret, "times": 3},
            {"name": "big", "data": {"file": "x" * 110_000}},
            {"name": "fine", "data": {"tokenId": 7}},
        ]
        drive(server, library="bullmq6", queue="orders", add=jobs)
        ran = audit(server, "8-10,85")
    items = ran.items()
    assert items[8]["status"] == "pass"
    assert items[9]["status"] == "fail"
    text = json.dumps(items[9])
    assert "data.user.password holds a secret in 3 of 3 sampled jobs" in text
    assert "data.payment.card.number" in text
    assert {finding["subject"]["name"] for finding in items[85]["findings"]} == {"orders/pay"}
    assert items[10]["status"] == "fail"
    assert "110,011 bytes" in items[10]["reason"]
    for leak in ("hunter2", "4242 4242", "4242424242424242"):
        assert leak not in ran.out


@pytest.mark.node
@pytest.mark.usefixtures("npm")
def test_waiting_jobs_without_a_worker() -> None:
    with redis_server(tcp=True) as server:
        drive(server, library="bullmq5", queue="mail", add=[{"name": "a"}])
        drive(server, library="bullmq5", queue="held", add=[{"name": "a"}], pause=True)
        drive(server, library="bullmq5", queue="mail-dlq", add=[{"name": "a"}])
        item = audit(server, "37").items()[37]
    assert item["status"] == "fail"
    assert [finding["subject"]["name"] for finding in item["findings"] if finding["status"] == "fail"] == ["mail"]


def test_a_refused_server_costs_its_items_alone() -> None:
    ran = tt_audit("scan", "redis://127.0.0.1:1", "--no-infra", "--format", "json", "--quiet", "--only", "88-95")
    assert ran.code == 3
    assert set(status(ran).values()) == {"unverified"}
    assert "connection refused" in ran.items()[88]["reason"]


@pytest.mark.node
@pytest.mark.usefixtures("npm")
def test_a_stall_limit_of_zero_shows_in_its_failures() -> None:
    options = {
        "lockDuration": 600,
        "stalledInterval": 700,
        "maxStalledCount": 0,
        "lockRenewTime": 100000,
        "concurrency": 2,
    }
    with redis_server(tcp=True) as server:
        drive(server, library="bullmq5", queue="mail", add=[{"name": "slow"}])
        with driving(
            server, library="bullmq5", queue="mail", work={"mode": "hang", "options": options, "settle": 3500}
        ):
            items = audit(server, "17-19,34").items()
    assert items[17]["status"] == "fail"
    assert "failed for losing the lock too often" in items[17]["reason"]
    assert items[18]["status"] == "pass"
    assert items[19]["status"] == "fail"
    assert items[19]["reason"].startswith("mail: maxStalledCount is 0")
    assert items[34]["status"] == "unverified"
    assert any("stalled: 1 sampled job" in shown["observed"] for shown in items[34]["evidence"])


@pytest.mark.node
@pytest.mark.usefixtures("npm")
@pytest.mark.parametrize("library", LIBRARIES)
def test_what_running_workers_hint_at(library: str) -> None:
    """Items 16, 21, 96: seen beside, decided by code."""
    options = {"concurrency": 6}
    with redis_server(tcp=True) as server:
        drive(server, library=library, queue="mail", add=[{"name": "a", "times": 8}])
        drive(server, library=library, queue="bill", add=[{"name": "a"}], work={"jobs": 1, "mode": "fail"})
        with driving(server, library=library, queue="mail", work={"mode": "hang", "settle": 500, "options": options}):
            items = audit(server, "16,21,96").items()
        drive(server, library=library, queue="mail-dlq", add=[{"name": "a", "times": 2}])
        kept = audit(server, "21").items()[21]
    seen = {number: " ".join(shown["observed"] for shown in items[number]["evidence"]) for number in (16, 21, 96)}
    assert {items[number]["status"] for number in seen} == {"unverified"}
    assert "6 jobs locked by one worker at once: its concurrency is 6 or more" in seen[16]
    assert "1 failed job, the oldest for" in seen[21]
    assert "workers connect from 1 host: 127.0.0.1 (1 queue)" in seen[96]
    assert [shown["observed"] for shown in kept["evidence"]] == ["2 jobs in a queue named like a dead-letter queue"]


@pytest.mark.node
@pytest.mark.usefixtures("npm")
def test_a_concurrency_that_shows_in_the_active_jobs_is_too_high() -> None:
    work = {"mode": "hang", "settle": 1500, "options": {"concurrency": 150}}
    with redis_server(tcp=True) as server:
        drive(server, library="bullmq5", queue="mail", add=[{"name": "a", "times": 130}])
        with driving(server, library="bullmq5", queue="mail", work=work):
            item = audit(server, "16").items()[16]
    assert item["status"] == "fail"
    assert "mail: a worker holds 130 jobs at once" in item["reason"]


@pytest.mark.node
@pytest.mark.usefixtures("npm")
def test_what_redis_alone_cannot_tell_stays_open() -> None:
    """Item 3: Bull's jobs have a timeout, BullMQ's can have none. 6: a value says nothing of the order. 18: no live worker."""
    with redis_server(tcp=True) as server:
        drive(server, library="bull", queue="old", add=[{"name": "a", "opts": {"timeout": 5000}}])
        alone = audit(server, "3").items()[3]
        drive(server, library="bullmq5", queue="mail", add=[{"name": "a", "opts": {"priority": 5}}], work={"jobs": 1})
        items = audit(server, "3,6,17,18").items()
    assert alone["status"] == "pass"
    assert {number: items[number]["status"] for number in (3, 6, 17, 18)} == {
        3: "unverified",
        6: "unverified",
        17: "pass",
        18: "unverified",
    }
    assert "mail: no timeout is stored; whether its handler bounds itself, only code tells" in items[3]["reason"]
    assert items[17]["reason"] == "no sampled job of 1 queue lost its lock"
