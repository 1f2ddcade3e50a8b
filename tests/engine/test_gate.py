from __future__ import annotations

from dataclasses import replace

from auditor.engine import record
from auditor.gate import Policy, judge
from auditor.model import (
    Cause,
    Confidence,
    Finding,
    Result,
    Severity,
    SourceReport,
    SourceStatus,
    Status,
    Subject,
    SubjectType,
    Verdict,
    Waiver,
)
from auditor.summary import summarise

from .support import item


def result(
    status: Status = Status.FAIL,
    severity: Severity = Severity.HIGH,
    confidence: Confidence = Confidence.CERTAIN,
    cause: Cause | None = None,
    id_: str = "TT001",
) -> Result:
    findings = (
        (Finding("wrong", Subject(SubjectType.QUEUE, "mail"), confidence=confidence),) if status is Status.FAIL else ()
    )
    verdict = Verdict(status, "because", confidence, cause, findings)
    of = item(id_, severity)
    return Result(of, verdict, tuple(record(of, verdict)))


def code(policy: Policy, *results: Result, sources: tuple[SourceReport, ...] = (), empty: bool = False) -> int:
    return judge(policy, results, summarise(results), sources, empty=empty).exit_code


def test_findings_at_or_above_the_threshold_break_the_gate() -> None:
    assert code(Policy(), result()) == 1
    assert code(Policy(), result(severity=Severity.MEDIUM)) == 0
    assert code(Policy(fail_on=Severity.MEDIUM), result(severity=Severity.MEDIUM)) == 1
    assert code(Policy(fail_on=None), result(severity=Severity.CRITICAL)) == 0


def test_a_findings_own_severity_is_what_counts() -> None:
    failed = result()
    (recorded,) = failed.findings
    assert code(Policy(), replace(failed, findings=(replace(recorded, severity=Severity.LOW),))) == 0


def test_unsure_findings_do_not_break_it() -> None:
    assert code(Policy(), result(confidence=Confidence.POSSIBLE)) == 0
    assert code(Policy(min_confidence=Confidence.POSSIBLE), result(confidence=Confidence.POSSIBLE)) == 1


def test_waived_findings_do_not_break_it() -> None:
    failed = result()
    waived = replace(
        failed, findings=tuple(replace(r, waived=Waiver("ok", "me", "2099-01-01")) for r in failed.findings)
    )
    assert code(Policy(), waived) == 0
    assert summarise([waived]).score == 0, "a waived failure still counts in the score"


def test_unverified_items_break_it_only_when_asked() -> None:
    asked = result(Status.UNVERIFIED, cause=Cause.REFUSED)
    not_given = result(Status.UNVERIFIED, cause=Cause.SOURCE_NOT_GIVEN)
    assert code(Policy(), asked) == 0
    assert code(Policy(fail_on_unverified="asked"), asked) == 1
    assert code(Policy(fail_on_unverified="asked"), not_given) == 0
    assert code(Policy(fail_on_unverified="all"), not_given) == 1


def test_a_score_below_the_least_breaks_it() -> None:
    half = [result(), result(Status.PASS)]
    assert code(Policy(fail_on=None, min_score=50), *half) == 0
    assert code(Policy(fail_on=None, min_score=51), *half) == 1


def test_incomplete_is_3_and_broken_beats_it() -> None:
    died = SourceReport("live", SourceStatus.PARTIAL, "died", ended_early=True)
    partial = SourceReport("live", SourceStatus.PARTIAL, "CONFIG refused")
    gone = SourceReport("live", SourceStatus.UNAVAILABLE, "refused")
    assert code(Policy(), sources=(gone,)) == 3
    assert code(Policy(), sources=(died,)) == 3
    assert code(Policy(), sources=(partial,)) == 0
    assert code(Policy(strict_sources=True), sources=(partial,)) == 3
    assert code(Policy(), result(Status.ERROR)) == 3
    assert code(Policy(), result(), sources=(gone,)) == 1


def test_finding_no_queue_at_all_is_incomplete_unless_allowed() -> None:
    assert code(Policy(), empty=True) == 3
    assert code(Policy(allow_empty=True), empty=True) == 0


def test_the_score_is_weighted_by_severity() -> None:
    summary = summarise(
        [
            result(Status.PASS, Severity.CRITICAL),
            result(Status.FAIL, Severity.HIGH),
            result(Status.ATTESTED, Severity.LOW),
            result(Status.UNVERIFIED, cause=Cause.UNRESOLVED),
        ]
    )
    assert summary.score == round(100 * 11 / 16)
    assert (summary.verified, summary.of) == (2, 4)
    assert summarise([result(Status.UNVERIFIED, cause=Cause.UNRESOLVED)]).score is None
