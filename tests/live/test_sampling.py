"""The sample: bounded, even over states, the newest always in, the rest drawn from everywhere."""

from __future__ import annotations

import pytest

from auditor.live.budget import Budget
from auditor.live.jobs_model import State
from auditor.live.sampling import shares

from ..support.redis_server import redis_server
from .support import queue, scan


@pytest.mark.parametrize(
    ("held", "sample", "expected"),
    [
        ({State.WAITING: 1000, State.FAILED: 1000}, 60, {State.WAITING: 30, State.FAILED: 30}),
        ({State.WAITING: 5, State.FAILED: 1000}, 60, {State.WAITING: 5, State.FAILED: 55}),
        ({State.WAITING: 5, State.FAILED: 7}, 60, {State.WAITING: 5, State.FAILED: 7}),
        (
            {State.WAITING: 1000, State.ACTIVE: 10, State.FAILED: 10},
            1,
            {State.WAITING: 1, State.ACTIVE: 1, State.FAILED: 1},
        ),
        ({}, 60, {}),
    ],
)
def test_shares(held: dict[State, int], sample: int, expected: dict[State, int]) -> None:
    assert shares(held, sample) == expected


def test_newest_and_evenly_drawn_rest() -> None:
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
            for sampled in ids:
                if int(sampled[1:]) < 980:
                    met[sampled[0]][int(sampled[1:]) // 100] += 1
    for tenths in met.values():
        assert 560 < sum(tenths) <= 600
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
