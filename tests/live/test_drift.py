"""Code and the jobs in Redis: what differs now is drift, what dates from before the running code is history."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from ..cli.support import tt_audit
from ..support.node import drive, driving
from ..support.redis_server import RunningServer, redis_server

pytestmark = [pytest.mark.node, pytest.mark.usefixtures("npm")]

SERVICE = """
import { Queue, Worker } from 'bullmq';
const connection = { host: 'redis' };
const mail = new Queue('mail', { connection });
export const welcome = (id) => mail.add('welcome', { id }, { attempts: 3, backoff: { type: 'exponential', delay: 1000 } });
new Worker('mail', async (job) => console.log(job.id), { connection });
welcome(1);
"""


@pytest.fixture
def service(tmp_path: Path) -> Path:
    (tmp_path / "package.json").write_text(
        '{"name":"mail","dependencies":{"bullmq":"^5.58.0"},"scripts":{"start":"node index.js"}}'
    )
    (tmp_path / "index.js").write_text(SERVICE)
    return tmp_path


def attempts(server: RunningServer, service: Path | None) -> dict[str, Any]:
    code = ("--code", service) if service else ()
    ran = tt_audit("scan", server.url, *code, "--no-infra", "--format", "json", "--quiet", "--only", "1")
    item: dict[str, Any] = ran.items()[1]
    return item


def test_history_is_no_drift_and_what_comes_after_is(service: Path) -> None:
    with redis_server(tcp=True) as server:
        drive(server, library="bullmq5", queue="mail", add=[{"name": "welcome", "times": 3}], work={"jobs": 3})
        assert attempts(server, None)["status"] == "fail"  # nothing says that other code runs now
        time.sleep(1.5)
        with driving(server, library="bullmq5", queue="mail", work={"mode": "hang", "settle": 1500}):
            alone, beside = attempts(server, None), attempts(server, service)
            drive(server, library="bullmq5", queue="mail", add=[{"name": "welcome"}])
            drifted = attempts(server, service)
    assert alone["status"] == "unverified"
    assert "before the workers' last start" in alone["reason"]
    assert beside["status"] == "pass"
    assert any("before the workers' last start" in note["message"] for note in beside["findings"])
    assert drifted["status"] == "fail"
    assert "drift" in drifted["reason"]


def test_agreement(service: Path) -> None:
    with redis_server(tcp=True) as server:
        drive(server, library="bullmq5", queue="mail", add=[{"name": "welcome", "opts": {"attempts": 3}}])
        item = attempts(server, service)
    assert item["status"] == "pass"
    assert "Redis agrees" in item["reason"]


def test_stalls_from_before_the_running_code_are_history() -> None:
    """Items 17 and 19: jobs that stalled days ago, before the workers' start, do not fail the code that runs now."""
    stalls = {
        "lockDuration": 600,
        "stalledInterval": 400,
        "maxStalledCount": 0,
        "lockRenewTime": 100000,
        "concurrency": 2,
    }
    work = {"mode": "hang", "options": stalls, "settle": 3500}

    def judged(server: RunningServer) -> dict[int, Any]:
        ran = tt_audit("scan", server.url, "--no-infra", "--format", "json", "--quiet", "--only", "17,19")
        return {number: ran.items()[number] for number in (17, 19)}

    with redis_server(tcp=True) as server:
        drive(server, library="bullmq5", queue="mail", add=[{"name": "slow"}])
        with driving(server, library="bullmq5", queue="mail", work=work):
            now = judged(server)
        time.sleep(1.2)
        with driving(server, library="bullmq5", queue="mail", work={"settle": 300}), server.client() as client:
            restarted = judged(server)
            client.hset("bull:mail:1", "finishedOn", int((time.time() - 2 * 86_400) * 1000))
            later = judged(server)
    for seen in (now, restarted):  # a restart is no new deployment
        assert {number: item["status"] for number, item in seen.items()} == {17: "fail", 19: "fail"}
    assert {number: item["status"] for number, item in later.items()} == {17: "unverified", 19: "unverified"}
    assert "before the workers' last start" in later[19]["reason"]
