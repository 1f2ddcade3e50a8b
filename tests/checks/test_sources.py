"""Code and live Redis together: a proven failure wins, disagreement is drift, Redis settles what code leaves open."""

from __future__ import annotations

import pytest
from auditor.checks._live import LiveSide
from auditor.checks._sources import join
from auditor.checks._subjects import Judged, bad, by_producer, good, unsure

from auditor.code.model import CodeModel, Producer
from auditor.live.model import LiveRedis
from auditor.model import Cause, Confidence, Evidence, SourceReport, SourceStatus, Status, Verdict

from .facts import live_finding, model, producer

LIVE = LiveRedis(servers=(), queues=(), report=SourceReport("live", SourceStatus.OK))
HOLDS = LiveSide(held=(("mail", "welcome"),), evidence=(Evidence("HGET bull:mail:1 opts", "attempts 3"),))
FAILS = LiveSide(findings=(live_finding("mail", "welcome"),), options=True)


def joined(judged: Judged, side: LiveSide | None, *, decides: bool = True) -> Verdict:
    def rule(_: CodeModel, __: Producer) -> Judged:
        return judged

    live = LIVE if side is not None else None
    told: Verdict = join(
        model(producer()), live, by_producer(rule, "all hold"), lambda _: side or LiveSide(), decides=decides
    )
    return told


def test_both_hold() -> None:
    verdict = joined(good("attempts: 3"), HOLDS)
    assert verdict.status is Status.PASS
    assert "Redis agrees" in verdict.reason
    assert {e.source for e in verdict.evidence} == {"src/add.ts:3", "HGET bull:mail:1 opts"}


def test_redis_against_code_is_drift() -> None:
    verdict = joined(good("attempts: 3"), FAILS)
    assert verdict.status is Status.FAIL
    assert verdict.findings[0].message == "jobs carry no attempts; code says otherwise: drift"
    assert verdict.evidence, "what code says is shown beside it"


def test_jobs_that_this_code_does_not_add_have_not_drifted_from_it() -> None:
    """Another service adds them into the same queue."""
    verdict = joined(good("attempts: 3"), LiveSide(findings=(live_finding("mail", "digest"),), options=True))
    assert verdict.status is Status.FAIL
    assert verdict.findings[0].message == "jobs carry no attempts"


def test_both_fail_is_no_drift() -> None:
    verdict = joined(bad("no attempts"), FAILS)
    assert verdict.status is Status.FAIL
    assert not any("drift" in f.message for f in verdict.findings)
    assert len(verdict.findings) == 2


def test_what_code_leaves_open_is_no_drift() -> None:
    verdict = joined(unsure("attempts: not resolved"), FAILS)
    assert verdict.status is Status.FAIL
    assert not any("drift" in f.message for f in verdict.findings)


def test_what_code_cannot_say_is_no_drift() -> None:
    """A secret in a payload or a stall is simply seen."""
    seen = LiveSide(findings=(live_finding("mail", "welcome", message="data.password holds a secret"),))
    verdict = joined(good("no sensitive key"), seen)
    assert verdict.status is Status.FAIL
    assert verdict.findings[0].message == "data.password holds a secret"


def test_redis_settles_what_code_leaves_open() -> None:
    verdict = joined(unsure("attempts: not resolved"), HOLDS)
    assert verdict.status is Status.PASS
    assert verdict.confidence is Confidence.LIKELY


def test_another_queue_settles_nothing() -> None:
    verdict = joined(unsure("attempts: not resolved"), LiveSide(held=(("other", ""),)))
    assert verdict.status is Status.UNVERIFIED


def test_an_open_sample_does_not_shake_code() -> None:
    side = LiveSide(findings=(live_finding("mail", "welcome", Status.UNVERIFIED, "stores 1 either way"),))
    assert joined(good("attempts: 1"), side).status is Status.PASS


def test_a_queue_that_code_does_not_know_is_judged_by_redis() -> None:
    verdict = joined(good("attempts: 3"), LiveSide(findings=(live_finding("orphan"),), options=True))
    assert verdict.status is Status.FAIL
    assert "drift" not in verdict.findings[0].message


def test_corroboration_alone_proves_nothing() -> None:
    verdict = join(None, LIVE, lambda _: pytest.fail("no code"), lambda _: HOLDS, decides=False)
    assert (verdict.status, verdict.cause) == (Status.UNVERIFIED, Cause.SOURCE_NOT_GIVEN)


def test_redis_alone_decides_what_it_can() -> None:
    assert join(None, LIVE, lambda _: pytest.fail("no code"), lambda _: FAILS).status is Status.FAIL
    assert join(None, LIVE, lambda _: pytest.fail("no code"), lambda _: HOLDS).status is Status.PASS
    assert join(None, LIVE, lambda _: pytest.fail("no code"), lambda _: LiveSide()).status is Status.UNVERIFIED
