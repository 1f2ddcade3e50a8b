from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from auditor import waivers
from auditor.errors import ConfigError
from auditor.model import Cause, Result, Status, Verdict, Waiver
from auditor.waivers import Attestation, WaiverRule

from .support import item
from .test_gate import result

TODAY = date(2026, 11, 24)
WAIVER = Waiver("known", "ops", "2027-01-01")


def apply(
    results: list[Result],
    rules: list[WaiverRule] | None = None,
    attestations: list[Attestation] | None = None,
    baseline: frozenset[str] = frozenset(),
) -> tuple[list[Result], list[str]]:
    return waivers.apply(results, rules or [], attestations or [], baseline, TODAY)


def test_a_waiver_marks_its_finding_and_changes_no_status() -> None:
    (marked,), warnings = apply([result()], [WaiverRule("TT001", WAIVER, subject="ma*")])
    assert marked.verdict.status is Status.FAIL
    assert [r.waived for r in marked.findings] == [WAIVER]
    assert warnings == []


@pytest.mark.parametrize(
    "rule",
    [
        WaiverRule("TT002", WAIVER),
        WaiverRule("TT001", WAIVER, subject="sms"),
        WaiverRule("TT001", WAIVER, fingerprint="ffff"),
        WaiverRule("TT001", WAIVER, path="src/*"),
    ],
)
def test_a_waiver_that_matches_nothing_is_stale(rule: WaiverRule) -> None:
    (marked,), warnings = apply([result()], [rule])
    assert marked.findings[0].waived is None
    assert "matches no finding" in warnings[0]


def test_an_expired_waiver_does_not_count() -> None:
    (marked,), warnings = apply([result()], [WaiverRule("TT001", Waiver("known", "ops", "2026-11-23"))])
    assert marked.findings[0].waived is None
    assert "expired on 2026-11-23" in warnings[0]


def test_an_attestation_stands_in_for_missing_evidence_only() -> None:
    word = Attestation("TT001", "ops", "nightly snapshots", "runbook", "2027-01-01")
    open_item = Result(item(), Verdict(Status.UNVERIFIED, "cannot be seen", cause=Cause.NEEDS_PERSON))
    (attested,), _ = apply([open_item], attestations=[word])
    assert (attested.verdict.status, attested.verdict.cause) == (Status.ATTESTED, None)
    (still_failing,), warnings = apply([result()], attestations=[word])
    assert still_failing.verdict.status is Status.FAIL
    assert "proven to fail" in warnings[0]


def test_a_baseline_marks_what_was_known(tmp_path: Path) -> None:
    known = result()
    report = {"items": [{"findings": [{"fingerprint": known.findings[0].fingerprint, "status": "fail"}]}]}
    path = tmp_path / "old.json"
    path.write_text(json.dumps(report))
    (marked,), _ = apply([known], baseline=waivers.read_baseline(path))
    assert marked.findings[0].waived == waivers.BASELINE


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"items": 3}'])
def test_a_baseline_that_is_no_report_is_told(tmp_path: Path, text: str) -> None:
    path = tmp_path / "old.json"
    path.write_text(text)
    with pytest.raises(ConfigError, match="not a tt-audit JSON report"):
        waivers.read_baseline(path)
