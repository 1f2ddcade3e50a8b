"""Whether kinds that share a queue come out in the right order (item 6)."""

from __future__ import annotations

from itertools import permutations

from auditor.code.model import CodeModel, Kind, OptionState, Producer
from auditor.live.model import LiveRedis
from auditor.model import Confidence, Finding, Verdict
from auditor.probes import conclude, not_applicable, probe

from . import _live
from ._options import choices, described, number, option, places, sureness
from ._sources import join
from ._subjects import NO_QUEUES, Judged, bad, decide, finding, good, jobs_of, subject_of, unsure
from ._versions import at_least, is_bull, library_of

RANK = {
    Kind.PAYMENT: 1,
    Kind.REFUND: 1,
    Kind.NFT: 2,
    Kind.TRANSFER: 3,
    Kind.QR: 5,
    Kind.EMAIL: 10,
    Kind.ANALYTICS: 50,
    Kind.CLEANUP: 100,
}
"""The audit document's order; kind `other` has no rank."""
HIGHEST = 2_097_151
"""Newest BullMQ throws above it."""


@probe("producer.priority")
def priority(code: CodeModel | None, live: LiveRedis | None) -> Verdict:
    """Kinds that share a queue are ordered: payment and refund, nft, transfer, qr, email, analytics, cleanup.

    No priority (or 0) runs first in BullMQ 4 and later and last in Bull and BullMQ 1 to 3. Queues of one kind pass. A
    value outside 0 to 2,097,151 fails by itself.
    """
    return join(code, live, _ordered, _live.priority, decides=False)


def _ordered(code: CodeModel) -> Verdict:
    jobs = jobs_of(code)
    if code.empty or not jobs:
        return not_applicable(NO_QUEUES if code.empty else "no call enqueues a job")
    ranges = decide(code, jobs, _in_range, held="one kind per queue, or kinds in order", nothing="")
    living = [job for job in jobs if job.live] or list(jobs)
    wrong = [found for first, second in permutations(living, 2) if (found := _order(first, second))]
    return conclude(
        [*ranges.findings, *dict.fromkeys(wrong)],
        held=ranges.reason if not ranges.findings else "one kind per queue, or kinds in order",
        evidence=ranges.evidence,
        confidence=Confidence.LIKELY,
    )


def _in_range(job: Producer) -> Judged:
    found = option(job.options, "priority")
    name, told = subject_of(job).name, described("priority", found)
    values = [n for value in choices(found) if (n := number(value)) is not None]
    if any(n < 0 or n > HIGHEST for n in values) and not is_bull(job):
        message = f"{name}: {told}, outside 0 to {HIGHEST}"
        return bad(
            message, told, expected=f"0 to {HIGHEST}", related=places(found), confidence=sureness(found, job.span)
        )
    return good(f"{name} of kind {job.kind.value}: {told}", confidence=sureness(found, job.span))


def _order(urgent: Producer, other: Producer) -> Finding | None:
    """What is wrong between a more urgent and a less urgent job of one queue; None when nothing is."""
    if urgent.kind not in RANK or other.kind not in RANK or RANK[urgent.kind] >= RANK[other.kind]:
        return None
    if not set(urgent.queue) & set(other.queue):
        return None
    first, second = option(urgent.options, "priority"), option(other.options, "priority")
    name, shared = subject_of(other).name, f"{other.kind.value} shares the queue with {urgent.kind.value}"
    told = f"{described('priority', first)} for {urgent.kind.value}; {described('priority', second)} for {other.kind.value}"
    related = (urgent.span, *places(first, second))
    if OptionState.UNKNOWN in (first.state, second.state):
        return finding(
            other,
            unsure(f"{name}: {shared}, and their priorities could not be resolved", told, related=related),
            subject_of(other),
        )
    if max(turn(urgent, value) for value in choices(first)) < min(turn(other, value) for value in choices(second)):
        return None
    message = f"{name}: {shared} and does not come after it in {library_of(other)}"
    judged = bad(
        message,
        told,
        expected="a larger number for the less urgent kind, or a queue of its own",
        related=related,
        confidence=Confidence.LIKELY,
    )
    return finding(other, judged, subject_of(other))


def turn(job: Producer, value: object) -> float:
    """When a job of this priority comes out, smaller first: none is first from BullMQ 4 on, and last before."""
    plain = number(value) if isinstance(value, int | float) else None
    if plain:
        return plain
    return 0.0 if at_least(job, 4) else float("inf")
