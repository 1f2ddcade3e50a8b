"""The demo's queues hold what the scan should find, and the real BullMQ reads and works them as its own."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from auditor.demo.fill import QUEUES, filled
from auditor.demo.server import private_server
from auditor.demo.signals import Interrupts

MODULES = Path(__file__).parents[1] / "node" / "node_modules"


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[Path, dict[str, int]]]:
    """A filled server; for tests that only read."""
    with private_server(Interrupts()) as socket_path, filled(socket_path) as counts:
        yield socket_path, counts


@pytest.fixture(scope="module")
def seen() -> dict[str, Any]:
    """What BullMQ 5 says of a filled server."""
    if not shutil.which("node"):
        pytest.skip("Node.js is not there (make setup)")
    bullmq = _bullmq_5()
    script = Path(__file__).parent / "read_queues.cjs"
    with private_server(Interrupts()) as socket_path, filled(socket_path):
        command = ["node", str(script), str(bullmq), str(socket_path), *QUEUES]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _bullmq_5() -> Path:
    for manifest in sorted(MODULES.glob("*/package.json")):
        read = json.loads(manifest.read_text(encoding="utf-8"))
        if read.get("name") == "bullmq" and read.get("version", "").startswith("5."):
            return manifest.parent
    pytest.skip("bullmq 5 is not installed (make setup)")


def test_every_queue_has_jobs(server: tuple[Path, dict[str, int]]) -> None:
    _, counts = server
    assert set(counts) == set(QUEUES)
    assert all(counts.values())


def test_it_is_filled_the_same_way_each_time() -> None:
    found = []
    for _ in range(2):
        with private_server(Interrupts()) as socket_path, filled(socket_path) as counts:
            found.append(counts)
    assert found[0] == found[1]


def test_workers_are_seen_where_there_should_be_some(server: tuple[Path, dict[str, int]]) -> None:
    with redis.Redis(unix_socket_path=str(server[0]), decode_responses=True) as client:
        names = [entry["name"] for entry in client.client_list() if entry["name"]]
    assert len(names) == 6, "refunds and dead-letter have none"


def test_a_schedulers_job_carries_only_what_its_template_says(server: tuple[Path, dict[str, int]]) -> None:
    with redis.Redis(unix_socket_path=str(server[0]), decode_responses=True) as client:
        (job_id,) = client.zrange("bull:cleanup:delayed", 0, -1)
        opts = json.loads(client.hget(f"bull:cleanup:{job_id}", "opts") or "")
    assert opts["repeatJobKey"] == "expired-reservations"
    assert "attempts" not in opts


@pytest.mark.node
def test_bullmq_counts_what_was_written(seen: dict[str, Any]) -> None:
    counts = {name: {state: n for state, n in queue["counts"].items() if n} for name, queue in seen["queues"].items()}
    assert counts["payment-processing"] == {
        "waiting": 1,
        "prioritized": 8,
        "delayed": 1,
        "active": 1,
        "completed": 180,
        "failed": 3,
    }
    assert counts["refunds"] == {"waiting": 14}
    assert counts["nft-mint"] == {"prioritized": 25, "delayed": 3, "active": 1, "completed": 60, "failed": 2}
    assert counts["analytics-events"] == {"waiting": 1100, "completed": 1300}
    assert counts["cleanup"] == {"delayed": 1}
    assert counts["dead-letter"] == {"waiting": 3}


@pytest.mark.node
def test_bullmq_gives_every_job_with_its_state(seen: dict[str, Any]) -> None:
    for name, queue in seen["queues"].items():
        for state, jobs in queue["jobs"].items():
            assert len(jobs) == queue["counts"][state], f"{name}: {state}"
            assert {job["state"] for job in jobs} <= {state}, name


@pytest.mark.node
def test_bullmq_reads_options_reasons_and_stalls(seen: dict[str, Any]) -> None:
    payments = seen["queues"]["payment-processing"]["jobs"]
    charge = payments["prioritized"][0]
    assert (charge["opts"]["attempts"], charge["opts"]["backoff"]["jitter"], charge["opts"]["priority"]) == (3, 0.5, 1)
    assert charge["id"].startswith("charge-ord_")
    assert payments["waiting"][0]["opts"] == {"attempts": 0, "timeout": 30000}
    declined = payments["failed"][0]
    assert (
        declined["failedReason"]
        and declined["stacktrace"][0].startswith("StripeCardError: ")
        and declined["attemptsMade"] == 3
    )
    assert sum(job["stalled"] for job in seen["queues"]["nft-mint"]["jobs"]["completed"]) == 1


@pytest.mark.node
def test_bullmq_knows_the_scheduler_its_next_job_and_the_metrics(seen: dict[str, Any]) -> None:
    cleanup = seen["queues"]["cleanup"]
    assert [(one["key"], one["pattern"], one["tz"]) for one in cleanup["schedulers"]] == [
        ("expired-reservations", "0 3 * * *", "UTC")
    ]
    (following,) = cleanup["jobs"]["delayed"]
    assert following["scheduler"] == "expired-reservations"
    assert seen["queues"]["payment-processing"]["failures"] == 3


@pytest.mark.node
def test_bullmq_sees_the_workers(seen: dict[str, Any]) -> None:
    assert len(seen["queues"]["nft-mint"]["workers"]) == 1
    assert seen["queues"]["refunds"]["workers"] == []


@pytest.mark.node
def test_a_real_worker_works_the_jobs_off(seen: dict[str, Any]) -> None:
    assert seen["transfers"]["failures"] == seen["mints"]["failures"] == []
    assert sorted(seen["transfers"]["done"]) == ["transfer-tr_4101", "transfer-tr_4102", "transfer-tr_4103"]
    assert seen["mints"]["done"][:5] == ["mint-3105", "mint-3110", "mint-3115", "mint-3120", "mint-3125"], (
        "by priority, oldest first"
    )
    assert len(seen["mints"]["done"]) >= 25
