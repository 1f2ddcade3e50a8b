"""Policy → exit code. The only place that knows exit codes of a scan.

0 the gate holds · 1 broken by findings · 3 incomplete: a source asked for gave nothing or ended early, a probe broke, or
no Bull/BullMQ subject was found. 1 beats 3; 2 (wrong usage) never gets here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from auditor.model import Cause, Confidence, GateOutcome, Result, Severity, SourceReport, SourceStatus, Status, Summary

HOLDS, BROKEN, INCOMPLETE = 0, 1, 3


@dataclass(frozen=True, slots=True)
class Policy:
    """What breaks the gate."""

    fail_on: Severity | None = Severity.HIGH
    """Findings of this severity or worse; None: no finding does."""
    min_confidence: Confidence = Confidence.LIKELY
    min_score: int | None = None
    fail_on_unverified: str = "no"
    """`no`, `asked` (all causes but source_not_given), `all`."""
    allow_empty: bool = False
    strict_sources: bool = False

    def describe(self) -> str:
        """One line for the report."""
        parts = [f"fail on {self.fail_on or 'none'}", f"at confidence {self.min_confidence} or surer"]
        if self.min_score is not None:
            parts.append(f"score at least {self.min_score}")
        if self.fail_on_unverified != "no":
            parts.append(
                "unverified items fail"
                + ("" if self.fail_on_unverified == "all" else " unless their source was not given")
            )
        return ", ".join(parts)


def judge(
    policy: Policy, results: Sequence[Result], summary: Summary, sources: Sequence[SourceReport], *, empty: bool
) -> GateOutcome:
    """The gate's outcome. `empty`: no Bull or BullMQ subject was found in any source that could show one."""
    broken = [*_findings(policy, results), *_unverified(policy, results), *_score(policy, summary)]
    incomplete = [*_sources(policy, sources), *_errors(results)]
    if empty and not policy.allow_empty:
        incomplete.append("no Bull or BullMQ queue, producer or worker was found (--allow-empty accepts that)")
    code = BROKEN if broken else INCOMPLETE if incomplete else HOLDS
    return GateOutcome(policy.describe(), bool(broken), code, (*broken, *incomplete))


def _findings(policy: Policy, results: Sequence[Result]) -> list[str]:
    if policy.fail_on is None:
        return []
    because = []
    for result in results:
        breaking = [
            recorded
            for recorded in result.findings
            if result.selected
            and result.verdict.status is Status.FAIL
            and recorded.finding.status is Status.FAIL
            and recorded.waived is None
            and recorded.severity.at_least(policy.fail_on)
            and recorded.finding.confidence.at_least(policy.min_confidence)
        ]
        if breaking:
            worst = min((recorded.severity for recorded in breaking), key=list(Severity).index)
            count = f"{len(breaking)} finding" + ("s" if len(breaking) > 1 else "")
            because.append(f"{result.item.id} {result.item.title}: {count}, {worst}")
    return because


def _unverified(policy: Policy, results: Sequence[Result]) -> list[str]:
    if policy.fail_on_unverified == "no":
        return []
    return [
        f"{result.item.id} {result.item.title}: unverified"
        for result in results
        if result.selected
        and result.verdict.status is Status.UNVERIFIED
        and (policy.fail_on_unverified == "all" or result.verdict.cause is not Cause.SOURCE_NOT_GIVEN)
    ]


def _score(policy: Policy, summary: Summary) -> list[str]:
    if policy.min_score is None:
        return []
    if summary.score is None:
        return [f"no item is decided, so a score of {policy.min_score} is not reached"]
    return [f"score {summary.score} is below {policy.min_score}"] if summary.score < policy.min_score else []


def _sources(policy: Policy, sources: Sequence[SourceReport]) -> list[str]:
    because = []
    for source in sources:
        if source.status is SourceStatus.UNAVAILABLE or source.ended_early:
            because.append(f"source {source.name}: {source.why}")
        elif policy.strict_sources and source.status is SourceStatus.PARTIAL:
            because.append(f"source {source.name} is partial: {source.why} (--strict-sources)")
    return because


def _errors(results: Sequence[Result]) -> list[str]:
    return [
        f"{result.item.id}: {result.verdict.reason}"
        for result in results
        if result.selected and result.verdict.status is Status.ERROR
    ]
