"""Code and live Redis about one item: a failure proven by either wins, and where they disagree it is drift."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from auditor.code.model import CodeModel
from auditor.live.model import LiveRedis
from auditor.model import Cause, Confidence, Finding, Severity, Status, SubjectType, Verdict
from auditor.probes import conclude, unverified

from ._live import LiveSide
from ._live_side import counted


def join(
    code: CodeModel | None,
    live: LiveRedis | None,
    by_code: Callable[[CodeModel], Verdict],
    by_live: Callable[[LiveRedis], LiveSide],
    *,
    decides: bool = True,
) -> Verdict:
    """The verdict of both sources; None where a source is not there.

    `decides` is False where Redis can only corroborate: then Redis alone leaves the item open.
    """
    seen = None if code is None else by_code(code)
    side = None if live is None else by_live(live)
    if side is None or side.silent:
        return seen or unverified("Redis shows nothing that bears on it; give --code PATH", Cause.SOURCE_NOT_GIVEN)
    if code is None or seen is None or seen.status is Status.NOT_APPLICABLE:
        return _live_alone(seen, side, decides)
    return _together(seen, _without_history(side, code), queue_names(code), _added(code))


def corroborated(seen: Verdict, side: LiveSide) -> Verdict:
    """Redis never passes it: a failure that it proves wins, all else stands beside as evidence and notes."""
    failures = [found for found in side.findings if found.status is Status.FAIL]
    evidence = (*seen.evidence, *side.evidence)
    if failures:
        return conclude([*failures, *seen.findings, *_notes(side.findings)], held="", evidence=evidence)
    return replace(seen, findings=(*seen.findings, *_notes(side.findings)), evidence=evidence)


def _without_history(side: LiveSide, code: CodeModel) -> LiveSide:
    """Jobs from before the code that runs now are no drift where that code adds jobs of their name: a note."""
    added = _added(code)

    def told(finding: Finding) -> Finding:
        queue, name = finding.subject.queue, finding.symbol
        excused = (queue, name) in side.aged and not added.isdisjoint({(queue, name), (queue, None)})
        return replace(finding, status=Status.PASS, severity=Severity.LOW) if excused else finding

    return replace(side, findings=tuple(told(finding) for finding in side.findings))


def _added(code: CodeModel) -> frozenset[tuple[str | None, str | None]]:
    """(queue, job name) that living code adds; a name of None is not known, and may be any."""
    return frozenset((queue, job.job) for job in code.jobs if job.live for queue in job.queue)


def queue_names(code: CodeModel) -> frozenset[str]:
    """Every queue that code names."""
    names = {name for queue in code.queues if queue.name for name in queue.name.split("|")}
    names.update(*(job.queue for job in code.producers), *(worker.queue for worker in code.workers))
    return frozenset(names)


def _together(
    seen: Verdict, side: LiveSide, known: frozenset[str], added: frozenset[tuple[str | None, str | None]]
) -> Verdict:
    said = {f.subject.queue or "" for f in seen.findings if f.status in (Status.FAIL, Status.UNVERIFIED)}
    heard = [f for f in side.findings if f.status is not Status.UNVERIFIED or f.subject.queue not in known]
    findings = [
        *(_settled(f, side.held) for f in seen.findings),
        *(_beside(f, known - said, added) if side.options else f for f in heard),
    ]
    evidence = (*seen.evidence, *side.evidence)
    was_open = seen.status is Status.UNVERIFIED
    if was_open and not seen.findings and not any(f.status is Status.FAIL for f in findings):
        return replace(seen, findings=tuple(findings), evidence=evidence)
    agrees = "; Redis agrees" if side.held and not was_open else ""
    return conclude(
        findings,
        held="what code leaves open is settled by the jobs in Redis" if was_open else seen.reason + agrees,
        evidence=evidence,
        confidence=Confidence.LIKELY if was_open else seen.confidence,
        cause=seen.cause or Cause.UNRESOLVED,
    )


def _live_alone(seen: Verdict | None, side: LiveSide, decides: bool) -> Verdict:
    judged = [f for f in side.findings if decides or f.status is not Status.UNVERIFIED]
    if seen is not None and not any(f.status is Status.FAIL for f in judged):
        return replace(seen, findings=(*seen.findings, *_notes(judged)), evidence=(*seen.evidence, *side.evidence))
    if not decides and not any(f.status is Status.FAIL for f in judged):
        return unverified(
            "code decides it, Redis only corroborates; give --code PATH", Cause.SOURCE_NOT_GIVEN, judged, side.evidence
        )
    if not judged and not side.held:
        return unverified("no sampled job shows it; give --code PATH", Cause.SOURCE_NOT_GIVEN, evidence=side.evidence)
    queues = counted(len({queue for queue, _ in side.held}), "queue")
    held = side.told or f"the sampled jobs of {queues} show it"
    return conclude(judged, held=held, evidence=side.evidence, confidence=Confidence.LIKELY)


def _beside(finding: Finding, holding: frozenset[str], added: frozenset[tuple[str | None, str | None]]) -> Finding:
    """A live failure of jobs that code adds, and whose options hold there, is drift."""
    told = finding.subject
    ours = not added.isdisjoint({(told.queue, finding.symbol), (told.queue, None)})
    drifted = finding.status is Status.FAIL and told.type is SubjectType.PRODUCER and told.queue in holding and ours
    return replace(finding, message=f"{finding.message}; code says otherwise: drift") if drifted else finding


def _settled(finding: Finding, held: Iterable[tuple[str, str]]) -> Finding:
    """What code could not resolve holds where the jobs of that queue show it."""
    here = any(queue == finding.subject.queue and (not job or finding.symbol.endswith(job)) for queue, job in held)
    if finding.status is not Status.UNVERIFIED or not here:
        return finding
    text = f"{finding.message}; the jobs in Redis carry it"
    return replace(finding, status=Status.PASS, message=text, confidence=Confidence.LIKELY, severity=Severity.LOW)


def _notes(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    return tuple(f for f in findings if f.status is Status.PASS)
