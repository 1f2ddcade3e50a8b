"""What one look cannot tell: a check that was skipped, the bounds of a lock that was renewed."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from auditor.live import second_look
from auditor.live.budget import Budget
from auditor.live.meter import Meter
from auditor.live.model import LockSureness, QueueWorkers
from auditor.model import Status

from ..cli.support import tt_audit
from ..support.node import drive, driving
from ..support.redis_server import RunningServer, redis_server
from ..support.topology import until
from .support import QUICK, queue, scan

pytestmark = [pytest.mark.node, pytest.mark.usefixtures("npm")]


def side(live: object) -> object:
    from auditor.checks import _live  # mounted by auditor.plugins

    return _live.stalled_interval(live)


@contextmanager
def without_check(server: RunningServer, seconds: float) -> Iterator[None]:
    """As a worker that skips a check: the key is not there for so long."""
    over = threading.Event()

    def remove() -> None:
        end = time.monotonic() + seconds
        with server.client() as client:
            while time.monotonic() < end and not over.is_set():
                client.delete("bull:mail:stalled-check")
                time.sleep(0.005)
            client.set("bull:mail:stalled-check", int(time.time() * 1000), px=7000)

    thread = threading.Thread(target=remove)
    thread.start()
    time.sleep(0.05)
    yield
    over.set()
    thread.join()


def test_a_check_that_was_skipped_is_waited_for() -> None:
    with (
        redis_server() as server,
        driving(server, library="bullmq5", queue="mail", work={"settle": 200}),
        without_check(server, 1.5),
    ):
        began = time.monotonic()
        live = scan(server)
        took = time.monotonic() - began
    mail = queue(live, "mail")
    assert (mail.stalled_check, mail.stalled_interval_ms, mail.unchecked_ms) == (True, 7000, 0)
    assert 1.0 < took < 5.0
    assert side(live).held == (("mail", ""),)


def test_nothing_is_waited_for_where_code_decides() -> None:
    with (
        redis_server() as server,
        driving(server, library="bullmq5", queue="mail", work={"settle": 200}),
        without_check(server, 20),
    ):
        began = time.monotonic()
        live = scan(server, names=["mail"])
        took = time.monotonic() - began
    assert took < 1.5
    assert not queue(live, "mail").stalled_check


def test_nothing_is_waited_for_where_nobody_asks() -> None:
    """Item 18 and X016 alone look at the check."""
    with (
        redis_server(tcp=True) as server,
        driving(server, library="bullmq5", queue="mail", work={"settle": 200}),
        without_check(server, 20),
    ):
        began = time.monotonic()
        ran = tt_audit("scan", server.url, "--no-infra", "--quiet", "--fail-on", "none", "--only", "88-95")
        took = time.monotonic() - began
    assert ran.code == 0
    assert took < 3


def test_jobs_that_the_last_check_marked_show_it() -> None:
    with redis_server() as server:
        drive(server, library="bullmq5", queue="mail", add=[{"name": "a"}])
        work = {"mode": "hang", "settle": 1200, "options": {"stalledInterval": 500}}
        with (
            driving(server, library="bullmq5", queue="mail", work=work),
            server.client() as client,
        ):
            until(lambda: bool(client.scard("bull:mail:stalled")))
            with without_check(server, 20):
                began = time.monotonic()
                live = scan(server)
                took = time.monotonic() - began
    assert took < 2
    assert side(live).held == (("mail", ""),)


def test_workers_that_never_check_beside_a_job_that_nobody_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    """FAIL only where no check came in a whole interval; with less time it stays open."""
    with redis_server() as server:
        drive(server, library="bullmq5", queue="mail", add=[{"name": "a"}])
        crashed = {"mode": "hang", "settle": 300, "options": {"lockDuration": 600, "skipStalledCheck": True}}
        with driving(server, library="bullmq5", queue="mail", work=crashed):
            pass
        time.sleep(0.8)
        with driving(
            server, library="bullmq5", queue="mail", work={"settle": 200, "options": {"skipStalledCheck": True}}
        ):
            live = scan(server, budget=replace(QUICK, patience_s=4.0))
    (open_,) = side(live).findings
    assert open_.status is Status.UNVERIFIED
    assert "1 worker live, and no check for stalled jobs was seen in" in open_.message
    monkeypatch.setattr("auditor.checks._live_running._INTERVAL_MS", 2_000)  # as if it had been waited for so long
    (failed,) = side(live).findings
    assert failed.status is Status.FAIL
    assert "1 active job held by none, and nobody checks" in failed.message


def test_a_usual_scan_has_the_time_to_wait_for_a_whole_interval() -> None:
    """A half of its minute were 30 s less what came before: item 18 could never fail."""
    meter = Meter(Budget(), time.monotonic() + 120)
    meter.deadline -= 5  # what came before
    assert second_look._patience(meter) - second_look._PAUSE_S > 30


@pytest.mark.parametrize("library", ["bull", "bullmq5"])
def test_later_looks_narrow_the_bounds_of_a_lock(library: str) -> None:
    """Locks of 2 s that were renewed since the job began: a first look bounds it loosely, more looks close in."""
    options = {"lockDuration": 2000, "stalledInterval": 60000}
    settings = {"settings": options} if library == "bull" else {}
    work = {"mode": "hang", "settle": 2600, "options": options}
    with redis_server() as server:
        drive(server, library=library, queue="mail", add=[{"name": "slow"}])
        with (
            driving(server, library=library, queue="mail", queueOptions=settings, work=work),
            server.client() as client,
        ):
            # a job of another queue that nobody holds makes the scan look again a second later
            client.lpush("bull:other:active", "1")
            client.set("bull:other:id", "1")
            client.hset("bull:other:1", mapping={"name": "a", "data": "{}", "opts": "{}"})
            until(lambda: client.pttl("bull:mail:1:lock") < (1300 if library == "bull" else 1650))
            mail = queue(scan(server), "mail")
    assert mail.lock is not None
    assert mail.lock.sureness is LockSureness.BOUNDS
    assert mail.lock.low_ms <= 2000 <= mail.lock.high_ms
    assert mail.lock.high_ms - mail.lock.low_ms < 1000


@pytest.mark.parametrize("library", ["bull", "bullmq5"])
def test_a_dead_workers_lock_runs_out_and_shows_no_rhythm(library: str) -> None:
    """A lock of 6 s with 1.9 s left: nobody renews it, whoever works on the queue now."""
    options = {"lockDuration": 6000, "stalledInterval": 60000}
    settings = {"settings": options} if library == "bull" else {}
    with redis_server() as server:
        drive(server, library=library, queue="mail", add=[{"name": "slow"}])
        killed = {"mode": "hang", "settle": 300, "options": options}
        with driving(server, library=library, queue="mail", queueOptions=settings, work=killed):
            pass
        with server.client() as client:
            until(lambda: client.pttl("bull:mail:1:lock") < 1900)
        with driving(server, library=library, queue="mail", queueOptions=settings, work=killed):
            mail = queue(scan(server), "mail")
    assert isinstance(mail.workers, QueueWorkers)
    assert mail.workers.count == 1
    assert mail.left_behind == 1
    assert mail.lock is not None
    assert mail.lock.low_ms < 6000 <= mail.lock.high_ms + 50
    assert mail.lock.high_ms < 6500
