from __future__ import annotations

import pytest

from auditor import engine, masking
from auditor.evidence import Broken
from auditor.model import (
    Cause,
    Confidence,
    Evidence,
    Finding,
    Severity,
    Snapshot,
    Status,
    Subject,
    SubjectType,
    Unavailable,
    Verdict,
)
from auditor.probes import conclude, failed, passed, unverified

from .support import Other, Thing, check, item

SHOWN = Evidence("CONFIG GET save", "3600 1")
NOT_GIVEN = Unavailable("live", Cause.SOURCE_NOT_GIVEN, "none given")


def finding(name: str = "mail", **more: object) -> Finding:
    return Finding("no attempts", Subject(SubjectType.PRODUCER, name), **more)  # type: ignore[arg-type]


def run_one(function, *, of=None, given=None):  # type: ignore[no-untyped-def]
    snapshots = given or {Thing: Thing(), Other: Other()}
    return next(engine.run([check(function, of)], lambda wanted: snapshots[wanted], lambda _: True))


def test_a_probe_gets_the_snapshots_it_declares() -> None:
    def probe(live: Thing, code: Other) -> Verdict:
        return passed(f"{live.value} {type(code).__name__}", SHOWN)

    assert run_one(probe).verdict.reason == "1 Other"


def test_a_crash_is_an_error_of_its_own_item_and_the_run_goes_on() -> None:
    def broken(live: Thing) -> Verdict:
        raise KeyError("meta")

    def sound(live: Thing) -> Verdict:
        return passed("fine", SHOWN)

    checks = [check(broken, item("TT001")), check(sound, item("TT002"))]
    first, second = engine.run(checks, lambda _: Thing(), lambda _: True)
    assert first.verdict.status is Status.ERROR
    assert "some.probe broke: KeyError: 'meta'" in first.verdict.reason
    assert second.verdict.status is Status.PASS


def test_a_source_that_was_not_given_is_named_with_how_to_give_it() -> None:
    def probe(live: Thing | None, code: Other | None) -> Verdict:
        raise AssertionError("not called without any source")

    none = {Thing: NOT_GIVEN, Other: Unavailable("code", Cause.SOURCE_NOT_GIVEN, "none given")}
    result = run_one(probe, given=none)
    assert (result.verdict.status, result.verdict.cause) == (Status.UNVERIFIED, Cause.SOURCE_NOT_GIVEN)
    assert result.verdict.reason == "give a Redis URL or --code PATH"


def test_a_refused_source_outweighs_one_that_was_not_given() -> None:
    def probe(live: Thing | None, code: Other | None) -> Verdict:
        raise AssertionError("not called without any source")

    given = {
        Thing: Unavailable("live", Cause.REFUSED, "wrong password"),
        Other: Unavailable("code", Cause.SOURCE_NOT_GIVEN, ""),
    }
    verdict = run_one(probe, given=given).verdict
    assert (verdict.cause, verdict.reason) == (Cause.REFUSED, "wrong password")


def test_an_optional_source_may_be_missing_and_its_refusal_is_told() -> None:
    def probe(live: Thing | None, code: Other | None) -> Verdict:
        assert live is None
        return unverified("code alone cannot tell")

    given: dict[type[Snapshot], object] = {Thing: Unavailable("live", Cause.REFUSED, "wrong password"), Other: Other()}
    verdict = run_one(probe, given=given).verdict
    assert verdict.reason == "code alone cannot tell; wrong password"
    assert verdict.cause is Cause.UNRESOLVED


def test_a_broken_collector_is_an_error_not_an_unverified_item() -> None:
    def probe(live: Thing) -> Verdict:
        return passed("fine", SHOWN)

    verdict = run_one(probe, given={Thing: Broken("live", RuntimeError("boom"))}).verdict
    assert verdict.status is Status.ERROR
    assert "RuntimeError: boom" in verdict.reason


def test_findings_that_are_all_possible_do_not_fail_an_item_above_low() -> None:
    def probe(live: Thing) -> Verdict:
        return failed("looks wrong", finding(confidence=Confidence.POSSIBLE))

    above = run_one(probe, of=item(severity=Severity.MEDIUM))
    assert above.verdict.status is Status.UNVERIFIED
    assert [r.finding.status for r in above.findings] == [Status.UNVERIFIED]
    assert run_one(probe, of=item(severity=Severity.LOW)).verdict.status is Status.FAIL


def test_a_pass_without_evidence_is_no_pass() -> None:
    def probe(live: Thing) -> Verdict:
        return passed("all is well")

    verdict = run_one(probe).verdict
    assert (verdict.status, verdict.cause) == (Status.UNVERIFIED, Cause.UNRESOLVED)


def test_one_likely_finding_is_enough_to_fail() -> None:
    def probe(live: Thing) -> Verdict:
        return failed("wrong", finding(confidence=Confidence.POSSIBLE), finding(confidence=Confidence.LIKELY))

    assert run_one(probe).verdict.status is Status.FAIL


def test_a_failure_without_findings_gets_one_for_the_gate() -> None:
    def probe(live: Thing) -> Verdict:
        return failed("nothing of the kind", evidence=[Evidence("CONFIG GET save", "''")])

    (recorded,) = run_one(probe).findings
    assert recorded.finding.message == "nothing of the kind"
    assert recorded.severity is Severity.HIGH


def test_fingerprints_survive_lines_and_messages_and_are_unique() -> None:
    from dataclasses import replace

    from auditor.model import CodeSpan

    def recorded(*findings: Finding) -> list[str]:
        return [r.fingerprint for r in engine.record(item(), failed("x", *findings))]

    base = finding(place=CodeSpan("src/a.ts", 10, 12), symbol="Mail.send")
    moved = replace(base, place=CodeSpan("src/a.ts", 90, 92), message="other words")
    assert recorded(base) == recorded(moved)
    assert recorded(replace(base, symbol="Mail.resend")) != recorded(base)
    assert recorded(replace(base, place=CodeSpan("src/b.ts", 10))) != recorded(base)
    assert len(set(recorded(base, moved, base))) == 3


def test_a_given_password_that_is_a_common_word_hides_no_form(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(masking, "_known", {"redis"})
    assert masking.mask("redis://app:hunter22@db:6379") == "***://app:***@db:6379"


def test_secrets_never_leave_a_verdict() -> None:
    def probe(live: Thing) -> Verdict:
        shown = Evidence("src/a.ts:1", "redis://app:hunter22@db:6379", excerpt="const key = 'sk_live_51Habcdefgh12345'")
        return failed("url redis://app:hunter22@db:6379", finding(evidence=(shown,)), evidence=[shown])

    text = repr(run_one(probe))
    assert "hunter22" not in text
    assert "51Habcdefgh12345" not in text
    assert "redis://app:***@db:6379" in text


def test_items_left_out_are_listed_and_not_judged() -> None:
    def probe(live: Thing) -> Verdict:
        raise AssertionError("left out")

    (result,) = engine.run([check(probe)], lambda _: Thing(), lambda _: False)
    assert not result.selected


class TestConclude:
    def test_any_failure_decides(self) -> None:
        verdict = conclude([finding(status=Status.UNVERIFIED), finding("a"), finding("b")], held="fine")
        assert (verdict.status, verdict.reason) == (Status.FAIL, "no attempts (and 1 more)")

    def test_any_open_subject_leaves_the_item_open(self) -> None:
        verdict = conclude([finding(status=Status.UNVERIFIED), finding(status=Status.PASS)], held="fine")
        assert (verdict.status, verdict.cause) == (Status.UNVERIFIED, Cause.UNRESOLVED)

    def test_a_pass_is_no_surer_than_its_weakest_evidence(self) -> None:
        verdict = conclude(
            [], held="fine", evidence=[Evidence("a", "b", confidence=Confidence.LIKELY), Evidence("a", "b")]
        )
        assert (verdict.status, verdict.confidence) == (Status.PASS, Confidence.LIKELY)
