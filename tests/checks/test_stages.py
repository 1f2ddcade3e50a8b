"""Item 13: writes of one stage, as a finding names them."""

from __future__ import annotations

from auditor.checks.idempotency import transactions

from auditor.code.model import Effect, Role
from auditor.model import CodeSpan, Status

from .facts import model, worker


def test_a_place_that_writes_several_times_is_named_once() -> None:
    lines = (7, 7, 7, 9)
    writes = tuple(
        Effect(Role.DB_INCREMENT, CodeSpan("src/stats.ts", line, line), "redis.hincrby", "ioredis", order=at)
        for at, line in enumerate(lines)
    )
    verdict = transactions.function(model(worker(effects=writes)))
    assert verdict.status is Status.FAIL
    (finding,) = verdict.findings
    assert "4 writes of one stage outside a transaction: " in finding.message
    assert "redis.hincrby (src/stats.ts:7) ×3, redis.hincrby (src/stats.ts:9); " in finding.message
