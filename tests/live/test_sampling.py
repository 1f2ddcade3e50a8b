"""The sample: bounded, even over states, the newest always in, the rest drawn from everywhere."""

from __future__ import annotations

import pytest

from auditor.live.budget import Budget
from auditor.live.jobs_model import State
from auditor.live.sampling import shares

from ..support.redis_server import redis_server
from .support import deny, queue, scan


@pytest.mark.parametrize(
    ("held", "sample", "expected"),
    [
        ({State.WAITING: 1000, State.FAILED: 1000}, 60, {State.WAITING: 30, State.FAILED: 30}),
        ({State.WAITING: 5, State.FAILED: 1000}, 60, {State.WAITING: 5, State.FAILED: 55}),
        ({State.WAITING: 5, State.FAILED: 7}, 60, {State.WAITING: 5, State.FAILED: 7}),
        (
            {State.WAITING: 1000, State.ACTIVE: 10, State.FAILED: 10},
            3,
            {State.WAITING: 1, State.ACTIVE: 1, State.FAILED: 1},
        ),
        ({State.WAITING: 9, State.ACTIVE: 9, State.FAILED: 9}, 2, {State.WAITING: 1, State.FAILED: 1}),
        ({State.WAITING: 9, State.ACTIVE: 9, State.COMPLETED: 9}, 1, {State.COMPLETED: 1}),
        ({State.ACTIVE: 9, State.DELAYED: 9}, 1, {State.ACTIVE: 1}),
        ({}, 60, {}),
    ],
)
def test_shares(held: dict[State, int], sample: int, expected: dict[State, int]) -> None:
    assert shares(held, sample) == expected


def test_newest_oldest_and_evenly_drawn_rest() -> None:
    """Over 40 scans of 1,000 waiting and 1,000 completed jobs every tenth of both is met about equally often."""
    with redis_server() as server:
        with server.client() as client, client.pipeline(transaction=False) as pipe:
            pipe.hset("bull:mail:meta", mapping={"opts.maxLenEvents": 1})
            for job in range(1000):
                pipe.lpush("bull:mail:wait", f"w{job}")
                pipe.zadd("bull:mail:completed", {f"c{job}": job})
                for name in (f"w{job}", f"c{job}"):
                    pipe.hset(f"bull:mail:{name}", mapping={"name": "a", "data": "{}", "opts": "{}", "timestamp": job})
            pipe.execute()
        met: dict[str, list[int]] = {"w": [0] * 10, "c": [0] * 10}
        for _ in range(40):
            mail = queue(scan(server, budget=Budget(sample=60)), "mail")
            assert mail.sampling.label() == "60 of 2,000 jobs"
            ids = [job.id for job in mail.sampled]
            assert len(ids) == len(set(ids)) == 60
            assert {f"w{job}" for job in range(985, 1000)} <= set(ids)
            assert {f"c{job}" for job in range(985, 1000)} <= set(ids)
            assert {"w0", "c0"} <= set(ids)
            assert (mail.oldest_waiting_ms, mail.oldest_completed_ms) == (0, 0)
            for sampled in ids:
                if 0 < int(sampled[1:]) < 980:
                    met[sampled[0]][int(sampled[1:]) // 100] += 1
    for tenths in met.values():
        assert 530 < sum(tenths) <= 560
        assert min(tenths[:9]) > 25
        assert max(tenths) < 110


def test_no_more_than_asked() -> None:
    with redis_server() as server:
        with server.client() as client:
            client.lpush("bull:mail:wait", *range(500))
            client.set("bull:mail:id", 500)
            for job in range(500):
                client.hset(f"bull:mail:{job}", mapping={"name": "a", "data": "{}", "opts": "{}"})
        assert len(queue(scan(server, budget=Budget(sample=7)), "mail").sampled) == 7


def test_jobs_are_the_same_where_their_memory_may_not_be_asked() -> None:
    """Without MEMORY USAGE each field is measured apart, and the same is read."""
    with redis_server(tcp=True) as server:
        with server.client() as client:
            client.hset("bull:mail:meta", mapping={"opts.maxLenEvents": 1})
            for job, data in (
                ("1", '{"password":"hunter2hunter2"}'),
                ("2", '{"é":1}'),
                ("3", '"' + "x" * 70_000 + '"'),
            ):
                client.zadd("bull:mail:completed", {job: 1})
                fields = {"name": "a", "data": data, "opts": '{"attempts":3}', "timestamp": 5, "returnvalue": "null"}
                client.hset(f"bull:mail:{job}", mapping=fields)
        whole, piecewise = queue(scan(server), "mail"), queue(scan(deny(server, "-memory|usage")), "mail")
    assert {job.id: (job.data_bytes, job.data_parses) for job in whole.sampled} == {
        "1": (29, True),
        "2": (8, True),
        "3": (70_002, None),
    }
    assert whole.sampled == piecewise.sampled
    assert whole.hits == piecewise.hits
    assert len(whole.hits) == 1


def test_a_queue_costs_few_commands() -> None:
    """Nothing is asked twice, nor of keys that are empty: the server's time goes with the number of commands."""
    with redis_server() as server:
        with server.client() as client, client.pipeline(transaction=False) as pipe:
            for number in range(100):
                stem = f"bull:q{number}:"
                pipe.hset(f"{stem}meta", mapping={"opts.maxLenEvents": 10_000, "version": "bullmq:5.81.5"})
                pipe.set(f"{stem}id", 20)
                for job in range(20):
                    pipe.zadd(f"{stem}completed", {f"{job}": job})
                    pipe.hset(f"{stem}{job}", mapping={"name": "a", "data": "{}", "opts": "{}", "timestamp": job})
            pipe.execute()
        live = scan(server, names=[f"q{number}" for number in range(100)], budget=Budget(keys=0, sample=10))
    assert sum(len(each.sampled) for each in live.queues) == 1000
    assert sum(live.report.commands.values()) < 100 * (18 + 2 * 10) + 100


def jobs_of(*each: int, budget: Budget) -> list[int]:
    """Jobs that are read of queues that hold so many waiting and as many completed ones."""
    with redis_server() as server:
        with server.client() as client, client.pipeline(transaction=False) as pipe:
            for number, jobs in enumerate(each):
                stem = f"bull:q{number:03}:"
                pipe.set(f"{stem}id", jobs)
                for job in range(jobs):
                    pipe.lpush(f"{stem}wait", f"w{job}")
                    pipe.zadd(f"{stem}completed", {f"c{job}": job})
                    for name in (f"w{job}", f"c{job}"):
                        pipe.hset(f"{stem}{name}", mapping={"name": "a", "data": "{}", "opts": "{}", "timestamp": job})
            pipe.execute()
        return [len(queue.sampled) for queue in scan(server, budget=budget).queues]


@pytest.mark.parametrize(
    ("budget", "expected"),
    [
        (Budget(sample=1), [2, 2, 2]),
        (Budget(sample=1, each_state=False), [1, 1, 1]),
        (Budget(jobs=3, each_state=False), [1, 1, 1]),
        (Budget(jobs=1, each_state=False), [1, 1, 1]),
        (Budget(jobs=15, each_state=False), [5, 5, 5]),
        (Budget(jobs=15, sample=4, each_state=False), [4, 4, 4]),
        (Budget(jobs=15), [5, 5, 5]),
        (Budget(jobs=1), [4, 4, 4]),
    ],
)
def test_bounds_of_one_queue_and_of_all(budget: Budget, expected: list[int]) -> None:
    assert jobs_of(10, 10, 10, budget=budget) == expected


def test_what_small_queues_leave_goes_to_those_after_them() -> None:
    """Queues are read 32 at a time: the first 32 of 40 leave 638 of their 640 jobs to the others."""
    read = jobs_of(*[0] * 31, 1, *[50] * 8, budget=Budget(jobs=800, sample=1000, each_state=False))
    assert read == [0] * 31 + [2] + [99] * 8


def test_of_few_active_jobs_the_longest_running_is_read() -> None:
    with redis_server() as server:
        with server.client() as client:
            client.set("bull:mail:id", 9)
            for job in range(9):
                client.lpush("bull:mail:active", job)
                client.hset(f"bull:mail:{job}", mapping={"name": "a", "data": "{}", "opts": "{}", "timestamp": job})
        one = queue(scan(server, budget=Budget(sample=1, each_state=False)), "mail")
        two = queue(scan(server, budget=Budget(sample=2)), "mail")
    assert [job.id for job in one.sampled] == ["0"]
    assert sorted(job.id for job in two.sampled) == ["0", "8"]
