"""Queues that the real Bull and BullMQ made, as the collector sees them."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from auditor.live.jobs_model import State
from auditor.live.model import Counts, FoundBy, Library, LiveRedis, LockSureness, QueueWorkers

from ..support.node import LIBRARIES, drive, driving
from ..support.redis_server import RunningServer, redis_server
from .support import queue, scan

pytestmark = [pytest.mark.node, pytest.mark.usefixtures("npm")]

RETRYING = {
    "attempts": 3,
    "backoff": {"type": "exponential", "delay": 1000},
    "removeOnComplete": {"count": 50, "age": 3600},
    "removeOnFail": 500,
}


@pytest.fixture(scope="module", params=LIBRARIES)
def filled(request: pytest.FixtureRequest) -> Iterator[tuple[str, RunningServer, LiveRedis]]:
    """A server on which one library has worked off some jobs and left others; for tests that only read."""
    library = request.param
    with redis_server() as server:
        drive(
            server,
            library=library,
            queue="mail",
            add=[
                {"name": "welcome", "data": {"to": 1}, "times": 4},
                {"name": "receipt", "data": {"id": 7}, "opts": RETRYING, "times": 2},
            ],
            work={"jobs": 6, "ms": 30, "options": {"metrics": {"maxDataPoints": 10}}},
        )
        drive(
            server,
            library=library,
            queue="mail",
            add=[{"name": "broken", "opts": {"attempts": 1}}],
            work={"jobs": 1, "mode": "fail"},
        )
        drive(
            server,
            library=library,
            queue="mail",
            add=[
                {"name": "late", "opts": {"delay": 60000, "jobId": "order-7-late"}},
                {"name": "urgent", "opts": {"priority": 5}},
                {"name": "plain", "times": 3},
            ],
            schedulers=[{"id": "tick", "repeat": {"every": 3600000}, "template": {"opts": {"attempts": 2}}}],
        )
        yield library, server, scan(server)


def test_library_and_counts(filled: tuple[str, RunningServer, LiveRedis]) -> None:
    library, _, live = filled
    mail = queue(live, "mail")
    assert mail.library is (Library.BULL if library == "bull" else Library.BULLMQ)
    assert (mail.prefix, mail.db, mail.found_by) == ("bull", 0, FoundBy.SCAN)
    if library == "bull":  # priorities lie in the waiting list; the repeatable's next job is delayed
        assert mail.counts == Counts(waiting=4, delayed=2, completed=6, failed=1)
    else:  # a scheduler's first job waits at once
        assert mail.counts == Counts(waiting=4, prioritized=1, delayed=1, completed=6, failed=1)
    assert mail.version == {"bull": ""}.get(library, mail.version)
    assert mail.version.startswith({"bull": "", "bullmq5": "5.", "bullmq6": "6."}[library])


def test_jobs_by_name_with_their_options(filled: tuple[str, RunningServer, LiveRedis]) -> None:
    library, _, live = filled
    mail = queue(live, "mail")
    by_name = {group.name: group.jobs for group in mail.jobs}
    unset = 1 if library == "bull" else 0
    assert {name: len(jobs) for name, jobs in by_name.items()} == {
        "welcome": 4,
        "receipt": 2,
        "broken": 1,
        "late": 1,
        "urgent": 1,
        "plain": 3,
        "tick": 1,
    }
    assert {job.opts.attempts for job in by_name["welcome"] if job.opts} == {unset}
    for job in by_name["receipt"]:
        assert job.opts is not None
        assert job.opts.attempts == 3
        assert job.opts.backoff is not None
        assert (job.opts.backoff.type, job.opts.backoff.delay_ms) == ("exponential", 1000)
        assert job.opts.remove_on_complete is not None
        assert (job.opts.remove_on_complete.count, job.opts.remove_on_complete.age_s) == (50, 3600)
        assert job.opts.remove_on_fail is not None
        assert job.opts.remove_on_fail.count == 500
        assert job.opts.unknown == ()
    (late,) = by_name["late"]
    assert late.opts is not None
    assert (late.state, late.id, late.opts.job_id) == (State.DELAYED, "order-7-late", "order-7-late")
    assert mail.sampling.label() == "13 of 13 jobs"


def test_sizes_and_run_times(filled: tuple[str, RunningServer, LiveRedis]) -> None:
    _, _, live = filled
    mail = queue(live, "mail")
    (welcome,) = [group for group in mail.jobs if group.name == "welcome"]
    assert {job.data_bytes for job in welcome.jobs} == {len('{"to":1}')}
    assert all(job.run_ms is not None and 25 <= job.run_ms < 1000 for job in welcome.jobs)
    assert mail.durations is not None
    assert mail.durations.jobs == 6
    assert mail.oldest_waiting_ms is not None
    assert abs(live.servers[0].time_ms - mail.oldest_waiting_ms) < 60_000


def test_schedulers(filled: tuple[str, RunningServer, LiveRedis]) -> None:
    library, _, live = filled
    (scheduler,) = queue(live, "mail").schedulers
    assert scheduler.next_ms is not None
    if library != "bull":
        assert (scheduler.key, scheduler.job, scheduler.every_ms) == ("tick", "tick", 3600000)
        assert scheduler.template is not None
        assert scheduler.template.attempts == 2


def test_metrics_and_events(filled: tuple[str, RunningServer, LiveRedis]) -> None:
    library, _, live = filled
    mail = queue(live, "mail")
    if library == "bull":
        assert mail.events is None
        return
    assert mail.metrics_completed is not None
    assert mail.metrics_completed.count == 6
    assert mail.events is not None
    assert mail.events.types["completed"] == 6
    assert mail.events.read == mail.events.length


@pytest.mark.parametrize("library", LIBRARIES)
def test_workers_lock_and_stalled_check(library: str) -> None:
    options = {"lockDuration": 9000, "stalledInterval": 4000}
    settings = {"settings": options} if library == "bull" else {}
    with redis_server() as server:
        drive(server, library=library, queue="mail", add=[{"name": "slow", "times": 2}])
        work = {"mode": "hang", "settle": 500, "options": options}
        with driving(server, library=library, queue="mail", queueOptions=settings, work=work):
            mail = queue(scan(server), "mail")
    assert mail.found_by is FoundBy.CLIENTS
    assert isinstance(mail.workers, QueueWorkers)
    assert (mail.workers.count, mail.workers.certain) == (1, True)
    assert mail.counts.active >= 1
    assert mail.stalled_interval_ms == 4000
    assert mail.lock is not None
    assert (mail.lock.sureness, mail.lock.low_ms, mail.lock.high_ms) == (LockSureness.EXACT, 9000, 9000)
    assert mail.stalls.orphans == ()


def test_named_workers_are_counted_once_each() -> None:
    named = {"workers": 2, "settle": 500, "options": {"name": "eu"}}
    with (
        redis_server() as server,
        driving(server, library="bullmq5", queue="mail", listen=True, work=named),
        driving(server, library="bullmq6", queue="mail", work={"settle": 500, "options": {"name": "us"}}),
    ):
        workers = queue(scan(server), "mail").workers
    assert isinstance(workers, QueueWorkers)
    assert workers.count == 3
    assert workers.names == ("eu", "us")
    assert workers.listeners == 1


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_job_whose_worker_was_killed_is_nobodys(library: str) -> None:
    options = {"lockDuration": 700, "stalledInterval": 60000}
    settings = {"settings": options} if library == "bull" else {}
    with redis_server() as server:
        drive(server, library=library, queue="mail", add=[{"name": "slow"}])
        with driving(
            server,
            library=library,
            queue="mail",
            queueOptions=settings,
            work={"mode": "hang", "settle": 300, "options": options},
        ):
            pass
        time.sleep(1.0)
        mail = queue(scan(server), "mail")
    assert mail.stalls.orphans == ("1",)
    assert isinstance(mail.workers, QueueWorkers)
    assert mail.workers.count == 0


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_job_that_stalled_too_often(library: str) -> None:
    options = {
        "lockDuration": 600,
        "stalledInterval": 400,
        "maxStalledCount": 0,
        "lockRenewTime": 100000,
        "concurrency": 2,
    }
    settings = {"settings": options} if library == "bull" else {}
    with redis_server() as server:
        drive(server, library=library, queue="mail", add=[{"name": "slow"}])
        with driving(
            server,
            library=library,
            queue="mail",
            queueOptions=settings,
            work={"mode": "hang", "options": options, "settle": 3500},
        ):
            mail = queue(scan(server), "mail")
    assert mail.stalls.failed == ("1",)
    assert mail.stalls.max_stalled_count == 0


@pytest.mark.parametrize("library", LIBRARIES)
def test_paused(library: str) -> None:
    with redis_server() as server:
        drive(server, library=library, queue="mail", add=[{"name": "a", "times": 2}], pause=True)
        mail = queue(scan(server), "mail")
    assert mail.paused
    assert mail.counts.depth == 2


def test_other_prefix_hash_tag_and_database() -> None:
    with redis_server() as server:
        drive(server, library="bullmq5", queue="mail", prefix="{app:prod}", add=[{"name": "a"}])
        drive(server, library="bull", queue="mail", prefix="shop", add=[{"name": "a"}])
        live = scan(server)
    assert {(each.prefix, each.name) for each in live.queues} == {("{app:prod}", "mail"), ("shop", "mail")}


def test_global_limits() -> None:
    with redis_server() as server:
        drive(
            server,
            library="bullmq5",
            queue="mail",
            globalConcurrency=4,
            globalRateLimit=[10, 1000],
            add=[{"name": "a"}],
        )
        mail = queue(scan(server), "mail")
    assert (mail.global_concurrency, mail.rate_limit) == (4, (10, 1000))


def test_names_from_code_find_what_nothing_else_shows() -> None:
    """A queue that was drained under a foreign prefix is told from other applications' keys only by its name."""
    with redis_server() as server:
        work = {"jobs": 1}
        drive(
            server,
            library="bull",
            queue="mail",
            prefix="shop",
            add=[{"name": "a", "opts": {"removeOnComplete": True}}],
            work=work,
        )
        with server.client() as client:
            client.delete("shop:mail:stalled-check")
        assert scan(server).queues == ()
        (mail,) = scan(server, names=["shop:mail"]).queues
    assert mail.found_by is FoundBy.CODE
    assert mail.added == 1


def test_a_colon_in_a_name_is_read_as_code_and_clients_read_it() -> None:
    with redis_server() as server:
        drive(server, library="bull", queue="mail:eu", add=[{"name": "a"}])
        assert [(each.prefix, each.name) for each in scan(server).queues] == [("bull:mail", "eu")]
        assert [(each.prefix, each.name) for each in scan(server, names=["mail:eu"]).queues] == [("bull", "mail:eu")]
        with driving(server, library="bull", queue="mail:eu", work={"settle": 400}):
            (mail,) = scan(server).queues
    assert (mail.prefix, mail.name, mail.found_by) == ("bull", "mail:eu", FoundBy.CLIENTS)


def test_keys_of_other_applications_are_no_queues() -> None:
    with redis_server() as server, server.client() as client:
        for user in range(50):
            client.set(f"user:{user}:id", user)
            client.hset(f"post:{user}:meta", mapping={"version": 1, "title": "x"})
        client.rpush("user:1:wait", "x")
        drive(server, library="bullmq5", queue="mail", add=[{"name": "a"}])
        names = {(each.prefix, each.name) for each in scan(server).queues}
    assert ("bull", "mail") in names
    assert len(names) <= 2  # user:1 has a counter and a waiting list, as a queue of that prefix would
    assert not any(prefix == "post" for prefix, _ in names)


def test_many_queues_are_all_read() -> None:
    with redis_server() as server:
        with server.client() as client, client.pipeline(transaction=False) as pipe:
            for number in range(300):
                pipe.set(f"bull:q{number}:id", 1)
                pipe.rpush(f"bull:q{number}:wait", "1")
                pipe.hset(
                    f"bull:q{number}:1", mapping={"name": "a", "data": "{}", "opts": '{"attempts":2}', "timestamp": "1"}
                )
            pipe.execute()
        live = scan(server)
    assert len(live.queues) == 300
    assert all(each.counts.waiting == 1 and each.sampled for each in live.queues)


@pytest.mark.parametrize(("marker", "era"), [("0", "bullmq 2-3"), ("0:1795525408000", "bullmq 3-4")])
def test_a_marker_of_old_versions_is_no_job(marker: str, era: str) -> None:
    """As BullMQ 2.4 and 3.16 leave them beside a delayed job while their worker is busy."""
    with redis_server() as server:
        with server.client() as client:
            client.hset("bull:mail:meta", mapping={"opts.maxLenEvents": 10_000})
            client.zadd("bull:mail:delayed", {"2": 1795525408000 * 4096})
            client.hset("bull:mail:2", mapping={"name": "a", "data": "{}", "opts": "{}", "timestamp": 1})
            client.lpush("bull:mail:wait", marker)
        mail = queue(scan(server), "mail")
    assert mail.counts == Counts(delayed=1)
    assert mail.lost_hashes == ()
    assert mail.era == era


@pytest.mark.parametrize(("completed", "added"), [(999, None), (1000, 1200)])
def test_the_id_counter_is_read_where_it_tells_of_removal(completed: int, added: int | None) -> None:
    with redis_server() as server:
        with server.client() as client:
            client.hset("bull:mail:meta", mapping={"opts.maxLenEvents": 10_000, "version": "bullmq:5.81.5"})
            client.set("bull:mail:id", 1200)
            client.zadd("bull:mail:completed", {str(job): job for job in range(completed)})
        assert queue(scan(server), "mail").added == added
