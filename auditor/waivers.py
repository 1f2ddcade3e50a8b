"""Waivers, attestations and baselines: matched, counted, expired, stale.

A waiver hides a finding from the gate alone; the finding keeps its status. An attestation is a person's dated word:
it stands in for missing evidence and never overrides a proven failure. Both expire.
"""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from auditor.errors import ConfigError
from auditor.model import Evidence, Recorded, Result, Status, Waiver

BASELINE = Waiver("known when the baseline was taken", "baseline", "")
"""Marks findings that the baseline already held."""


@dataclass(frozen=True, slots=True)
class WaiverRule:
    """Which findings a waiver covers: an item, and a fingerprint, path or subject within it (empty matches all)."""

    item: str
    waiver: Waiver
    fingerprint: str = ""
    path: str = ""
    subject: str = ""
    line: int = 0

    def covers(self, result: Result, recorded: Recorded) -> bool:
        """Whether the finding is meant."""
        place = recorded.finding.place
        label = place.label().rpartition(":")[0] or place.label() if place else ""
        return (
            self.item == result.item.id
            and (not self.fingerprint or recorded.fingerprint.startswith(self.fingerprint))
            and (not self.path or fnmatch.fnmatch(label, self.path))
            and (not self.subject or fnmatch.fnmatch(recorded.finding.subject.name, self.subject))
        )


@dataclass(frozen=True, slots=True)
class Attestation:
    """A person vouches for an item."""

    item: str
    by: str
    statement: str
    evidence: str
    expires: str
    line: int = 0


def apply(
    results: Iterable[Result],
    rules: Iterable[WaiverRule],
    attestations: Iterable[Attestation],
    baseline: frozenset[str],
    today: date,
) -> tuple[list[Result], list[str]]:
    """Results with waivers and attestations marked, and warnings about expired and stale ones."""
    warnings: list[str] = []
    valid_rules = [
        rule for rule in rules if _valid(rule.waiver.expires, today, f"waiver of {rule.item}", rule.line, warnings)
    ]
    vouched = {
        a.item: a for a in attestations if _valid(a.expires, today, f"attestation of {a.item}", a.line, warnings)
    }
    used: set[int] = set()
    marked: list[Result] = []
    for result in results:
        findings = []
        for recorded in result.findings:
            index = next((i for i, rule in enumerate(valid_rules) if rule.covers(result, recorded)), None)
            if recorded.finding.status is not Status.FAIL:
                findings.append(recorded)
            elif index is not None:
                used.add(index)
                findings.append(replace(recorded, waived=valid_rules[index].waiver))
            else:
                findings.append(replace(recorded, waived=BASELINE) if recorded.fingerprint in baseline else recorded)
        marked.append(_attest(replace(result, findings=tuple(findings)), vouched.get(result.item.id), warnings))
    warnings += [
        f"waiver of {rule.item} (line {rule.line}) matches no finding: remove it"
        for i, rule in enumerate(valid_rules)
        if i not in used
    ]
    return marked, warnings


def _attest(result: Result, attestation: Attestation | None, warnings: list[str]) -> Result:
    if attestation is None or not result.selected:
        return result
    if result.verdict.status is Status.FAIL:
        warnings.append(
            f"attestation of {attestation.item} (line {attestation.line}) does not count: the item is proven to fail"
        )
        return result
    if result.verdict.status is not Status.UNVERIFIED:
        return result
    reason = f"{attestation.by} vouches until {attestation.expires}: {attestation.statement}"
    shown = Evidence(
        "attestation", attestation.evidence or attestation.statement, expected=f"valid until {attestation.expires}"
    )
    return replace(
        result,
        verdict=replace(
            result.verdict,
            status=Status.ATTESTED,
            cause=None,
            reason=reason,
            evidence=(*result.verdict.evidence, shown),
        ),
    )


def _valid(expires: str, today: date, what: str, line: int, warnings: list[str]) -> bool:
    if date.fromisoformat(expires) >= today:
        return True
    warnings.append(f"{what} (line {line}) expired on {expires}")
    return False


def read_baseline(path: Path) -> frozenset[str]:
    """Fingerprints of the failures in an earlier JSON report. Raises ConfigError."""
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
        items = [*report["items"], *report.get("extra", [])]
        return frozenset(
            finding["fingerprint"] for item in items for finding in item["findings"] if finding["status"] == "fail"
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError(
            f"--baseline {path}: not a tt-audit JSON report: {error}",
            "make one with `tt-audit scan … -o baseline.json`",
        ) from error
