"""Counts over results: by status, by severity, the score."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from auditor.model import Cause, Result, Severity, Status, Summary

_DECIDED = (Status.PASS, Status.ATTESTED, Status.FAIL)
_HELD = (Status.PASS, Status.ATTESTED)
_VERIFIED = (Status.PASS, Status.FAIL, Status.NOT_APPLICABLE)


def summarise(results: Iterable[Result]) -> Summary:
    """The summary of all selected results.

    score = round(100 × Σ w(pass, attested) / Σ w(pass, attested, fail)), weights 10/5/2/1 by severity; waived failures
    count as failures; None where nothing is decided.
    """
    counted = [result for result in results if result.selected]
    statuses = Counter(result.verdict.status for result in counted)
    causes = Counter(result.verdict.cause for result in counted if result.verdict.cause is not None)
    weights = Counter[bool]()
    for result in counted:
        if result.verdict.status in _DECIDED:
            weights[result.verdict.status in _HELD] += result.item.severity.weight
    decided = weights.total()
    return Summary(
        by_status={status: statuses[status] for status in Status},
        by_severity={severity: _of_severity(counted, severity) for severity in Severity},
        unverified_by_cause={cause: causes[cause] for cause in Cause},
        score=round(100 * weights[True] / decided) if decided else None,
        verified=sum(statuses[status] for status in _VERIFIED),
        of=len(counted),
        waived=sum(recorded.waived is not None for result in counted for recorded in result.findings),
    )


def _of_severity(results: list[Result], severity: Severity) -> dict[Status, int]:
    statuses = Counter(result.verdict.status for result in results if result.item.severity is severity)
    return {status: statuses[status] for status in Status}
