"""CLIENT LIST lines as the Python package leaves them: recorded from bullmq 3.4.4 on Redis 7.0."""

from __future__ import annotations

import pytest

from auditor.live import clients
from auditor.live.clients import holder


@pytest.mark.parametrize("second", ["client|setname", "bzpopmin"])
def test_a_python_worker_is_one_worker_of_its_queue(second: str) -> None:
    """Both of its connections have the queue's plain name; the blocking one waits, or has not waited yet."""
    lines = [
        "id=7 addr=10.0.0.5:1 name= cmd=evalsha flags=N age=9 idle=1 db=0 user=default",
        "id=8 addr=10.0.0.5:2 name=bull:pymail cmd=evalsha flags=N age=9 idle=1 db=0 user=default",
        f"id=9 addr=10.0.0.5:3 name=bull:pymail cmd={second} flags=N age=9 idle=1 db=0 user=default",
        "id=10 addr=10.0.0.6:3 name=metrics:exporter cmd=info flags=N age=9 idle=1 db=0 user=default",
    ]
    read, _, _ = clients.read("\n".join(lines), None)
    held = [(client, found) for client in read.named if (found := holder(client))]
    assert {(found.prefix, found.queue) for _, found in held} == {("bull", "pymail")}
    seen = clients.workers(held, certain=True)
    assert (seen.count, seen.hosts) == (1, ("10.0.0.5",))
