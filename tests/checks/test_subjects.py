"""The living decide; the dead are told apart."""

from __future__ import annotations

from auditor.checks._subjects import Judged, bad, by_producer, good

from auditor.code.model import CodeModel, Producer
from auditor.model import Confidence, Status, Verdict

from .facts import model, producer


def rule(_: CodeModel, job: Producer) -> Judged:
    return good(f"{job.job} is fine") if job.job == "fine" else bad(f"{job.job} is wrong")


def verdict(*jobs: Producer, known: bool = True) -> Verdict:
    told: Verdict = by_producer(rule, "all {n} hold")(model(*jobs, entry_points_known=known))
    return told


def test_dead_failures_do_not_fail_living_passes() -> None:
    told = verdict(producer(job="fine"), producer(job="wrong", live=False))
    assert (told.status, told.reason) == (Status.PASS, "all 1 hold")
    assert [f.status for f in told.findings] == [Status.PASS]
    assert "dead code" in told.findings[0].message


def test_dead_passes_do_not_mend_living_failures() -> None:
    told = verdict(producer(job="wrong"), producer(job="fine", live=False))
    assert told.status is Status.FAIL
    assert len(told.findings) == 1


def test_only_dead_passes_are_written_but_never_reached() -> None:
    told = verdict(producer(job="fine", live=False))
    assert told.status is Status.UNVERIFIED
    assert "written but never reached" in told.reason


def test_only_dead_failures_fail() -> None:
    assert verdict(producer(job="wrong", live=False)).status is Status.FAIL


def test_unknown_entry_points_cap_the_confidence() -> None:
    assert verdict(producer(job="fine")).confidence is Confidence.CERTAIN
    assert verdict(producer(job="fine"), known=False).confidence is Confidence.LIKELY


def test_no_bull_at_all_is_said() -> None:
    told = verdict()
    assert told.status is Status.NOT_APPLICABLE
    assert "no Bull or BullMQ" in told.reason
