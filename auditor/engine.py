"""Checks × evidence → results: one per item, always.

A source that gave nothing makes UNVERIFIED, with its reason, of the items that needed it. A probe that crashes makes
ERROR of its own item and the run goes on. Findings that are all POSSIBLE do not fail an item above `low`. A pass that
shows no evidence is no pass.
"""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from auditor.binding import Check
from auditor.evidence import Broken
from auditor.gaps import FactLost, guarded
from auditor.masking import mask
from auditor.model import (
    Cause,
    Confidence,
    Evidence,
    Finding,
    Item,
    Recorded,
    Result,
    Severity,
    Snapshot,
    Status,
    Subject,
    SubjectType,
    Unavailable,
    Verdict,
)

Lookup = Callable[[type[Snapshot]], "Snapshot | Unavailable | Broken"]

HOW_TO_GIVE = {
    "live": "a Redis URL",
    "code": "--code PATH",
    "infra": "--infra PATH",
    "prom": "--prometheus URL",
}
"""What a user types to give each source."""


def run(checks: Iterable[Check], lookup: Lookup, selected: Callable[[Item], bool]) -> Iterator[Result]:
    """One result per check, in order. `lookup` gives the snapshot of a type, or what stands in its place."""
    for check in checks:
        if not selected(check.item):
            yield Result(
                check.item,
                Verdict(Status.UNVERIFIED, "left out by the selection", cause=Cause.SOURCE_NOT_GIVEN),
                selected=False,
            )
            continue
        begun = time.perf_counter()
        verdict = masked(settle(check.item, _decide(check, lookup)))
        yield Result(check.item, verdict, tuple(record(check.item, verdict)), time.perf_counter() - begun)


def _decide(check: Check, lookup: Lookup) -> Verdict:
    given: dict[str, object] = {}
    missing: list[Unavailable] = []
    optional: list[str] = []
    required_missing = False
    for need in check.probe.needs:
        got = lookup(need.snapshot)
        if isinstance(got, Broken):
            return Verdict(Status.ERROR, got.why)
        if isinstance(got, Unavailable):
            missing.append(got)
            required_missing = required_missing or not need.optional
        given[need.parameter] = None if isinstance(got, Unavailable) else guarded(got)
        if need.optional and not isinstance(got, Unavailable) and got.lost:
            optional.append(need.parameter)
    if missing and (required_missing or len(missing) == len(check.probe.needs)):
        return _unavailable(missing)
    if check.params is not None:
        given[check.probe.params_parameter] = check.params
    try:
        verdict = _asked(check, given, optional)
    except Exception as error:  # one broken probe must not cost the report
        return Verdict(Status.ERROR, f"the probe {check.probe.name} broke: {_one_line(error)}")
    return _explain_refusals(verdict, missing)


def _asked(check: Check, given: Mapping[str, object], optional: Sequence[str]) -> Verdict:
    """The probe's verdict; UNVERIFIED where it asks for a fact that is lost, unless what is left proves a failure."""
    try:
        return check.probe.function(**given)
    except FactLost as lost:
        rest = {**given, **dict.fromkeys(optional)}
        left = [n for n in check.probe.needs if rest[n.parameter] is not None]
        verdict = check.probe.function(**rest) if optional and left else None
        if verdict is not None and verdict.status is Status.FAIL:
            return verdict
        return Verdict(Status.UNVERIFIED, f"a fault of tt-audit: {lost}", cause=Cause.UNRESOLVED)


def _unavailable(missing: list[Unavailable]) -> Verdict:
    refused = [m for m in missing if m.cause is not Cause.SOURCE_NOT_GIVEN]
    if refused:
        return Verdict(Status.UNVERIFIED, "; ".join(m.why for m in refused), cause=refused[0].cause)
    ways = list(dict.fromkeys(HOW_TO_GIVE[m.source] for m in missing))
    return Verdict(Status.UNVERIFIED, "give " + " or ".join(ways), cause=Cause.SOURCE_NOT_GIVEN)


def _explain_refusals(verdict: Verdict, missing: list[Unavailable]) -> Verdict:
    """An open verdict also names the source that was asked for and gave nothing."""
    refused = [m for m in missing if m.cause is not Cause.SOURCE_NOT_GIVEN]
    if verdict.status is not Status.UNVERIFIED or not refused:
        return verdict
    cause = refused[0].cause if verdict.cause is Cause.SOURCE_NOT_GIVEN else verdict.cause
    return replace(verdict, reason="; ".join([verdict.reason, *(m.why for m in refused)]), cause=cause)


def settle(item: Item, verdict: Verdict) -> Verdict:
    """The verdict by the rules that hold for every item."""
    if verdict.status is Status.UNVERIFIED and verdict.cause is None:
        return replace(verdict, cause=Cause.UNRESOLVED)
    if verdict.status is Status.PASS and not verdict.evidence and not any(f.evidence for f in verdict.findings):
        return replace(
            verdict,
            status=Status.UNVERIFIED,
            cause=Cause.UNRESOLVED,
            reason=f"nothing was shown for it: {verdict.reason}",
        )
    failures = [f for f in verdict.findings if f.status is Status.FAIL]
    if verdict.status is not Status.FAIL:
        return verdict
    if not failures:
        whole = Finding(
            verdict.reason,
            Subject(SubjectType.PROJECT, item.title),
            evidence=verdict.evidence,
            confidence=verdict.confidence,
        )
        return replace(verdict, findings=(whole, *verdict.findings))
    guesses = all(f.confidence is Confidence.POSSIBLE for f in failures)
    if guesses and item.severity is not Severity.LOW:
        softened = tuple(
            replace(f, status=Status.UNVERIFIED) if f.status is Status.FAIL else f for f in verdict.findings
        )
        return replace(
            verdict,
            status=Status.UNVERIFIED,
            cause=Cause.UNRESOLVED,
            reason=f"only signs, no proof: {verdict.reason}",
            findings=softened,
        )
    return verdict


def masked(verdict: Verdict) -> Verdict:
    """The verdict with every text passed through the mask: the last net under collectors that mask what they read."""
    findings = tuple(
        replace(f, message=mask(f.message), fix=mask(f.fix), evidence=tuple(map(_masked_evidence, f.evidence)))
        for f in verdict.findings
    )
    return replace(
        verdict, reason=mask(verdict.reason), findings=findings, evidence=tuple(map(_masked_evidence, verdict.evidence))
    )


def _masked_evidence(evidence: Evidence) -> Evidence:
    return replace(evidence, observed=mask(evidence.observed), excerpt=mask(evidence.excerpt))


def record(item: Item, verdict: Verdict) -> Iterator[Recorded]:
    """The verdict's findings with fingerprints that survive edits and are unique within a report."""
    seen: Counter[str] = Counter()
    for finding in verdict.findings:
        place = finding.place.key() if finding.place else ""
        name = f"{finding.subject.type}:{finding.subject.name}"
        stem = "\n".join((item.id, place, name, finding.symbol))
        ordinal = seen[stem]
        seen[stem] += 1
        fingerprint = hashlib.sha256(f"{stem}\n{ordinal}".encode()).hexdigest()
        yield Recorded(finding, fingerprint, finding.severity or item.severity)


def _one_line(error: Exception) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
