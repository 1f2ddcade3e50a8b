"""What a live Redis says on items that code decides too: pure judges, `LiveRedis -> LiveSide`.

A probe of code merges a side into its verdict: `findings` of status FAIL win over anything that code says (drift: show
both), UNVERIFIED ones count where code says nothing of that queue and job, PASS ones are notes. `evidence` backs a
pass. Subjects: `Subject(PRODUCER, "<queue>/<job name>", queue=<queue name>)` with the job name as `symbol`, or
`Subject(QUEUE, "<queue>", queue=<queue name>)`; the queue name has no prefix, so that it joins with code's.

Rules of the options: the 20 newest sampled jobs of a job name decide; older ones that differ are a note. Jobs that a
scheduler made are judged by its template where Redis keeps one.
"""

from __future__ import annotations

from dataclasses import dataclass

from auditor.live.model import LiveRedis
from auditor.model import Evidence, Finding


@dataclass(frozen=True, slots=True)
class LiveSide:
    """What Redis adds to an item."""

    findings: tuple[Finding, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    held: tuple[tuple[str, str], ...] = ()
    """(queue name, job name or "") of the subjects that Redis shows to hold."""

    @property
    def silent(self) -> bool:
        """Redis holds nothing that bears on the item."""
        return not (self.findings or self.evidence or self.held)


def attempts(live: LiveRedis) -> LiveSide:
    """Item 1. FAIL: BullMQ's stored `attempts: 0`, a template without. UNVERIFIED: Bull's 1. Dead-letter queues exempt."""
    return LiveSide()


def backoff(live: LiveRedis) -> LiveSide:
    """Item 2. FAIL: attempts > 1 with no backoff or delay 0. UNVERIFIED: a custom type, which the worker's code defines."""
    return LiveSide()


def timeout(live: LiveRedis) -> LiveSide:
    """Item 3. FAIL: BullMQ jobs that carry a `timeout`, which BullMQ ignores. Held: Bull jobs with one."""
    return LiveSide()


def remove_on_complete(live: LiveRedis) -> LiveSide:
    """Item 4. FAIL: `false`; or no option and a completed set that grows; or above the bound by more than 10 %."""
    return LiveSide()


def remove_on_fail(live: LiveRedis, *, min_count: int = 100, min_age_s: int = 86_400) -> LiveSide:
    """Item 5. FAIL: `true`, 0, or any bound below the least; metrics that count failures which are no longer there."""
    return LiveSide()


def priority(live: LiveRedis) -> LiveSide:
    """Item 6. FAIL: a value outside 0 to 2,097,151. The order of kinds is for the caller: see `LiveQueue.jobs`."""
    return LiveSide()


def job_ids(live: LiveRedis) -> LiveSide:
    """Item 7. Notes only: which job names carry ids of their own; UNVERIFIED where ids look like time or uuid."""
    return LiveSide()


def serializable(live: LiveRedis) -> LiveSide:
    """Item 8. FAIL: sampled data that is no JSON."""
    return LiveSide()


def sensitive(live: LiveRedis) -> LiveSide:
    """Item 9. FAIL: detector hits in sampled payloads: key path, kind, count; never a value."""
    return LiveSide()


def size(live: LiveRedis, *, max_bytes: int = 102_400) -> LiveSide:
    """Item 10. FAIL: sampled data of `max_bytes` or more. Evidence: the largest of each queue and how many were sampled."""
    return LiveSide()


def lock_duration(live: LiveRedis) -> LiveSide:
    """Item 17. FAIL: stalled counters on completed jobs, the stall text on failed ones. Evidence: lock beside longest run."""
    return LiveSide()


def stalled_interval(live: LiveRedis) -> LiveSide:
    """Item 18. Evidence: the live interval. FAIL: live BullMQ workers, an orphan in `active`, and nobody checks."""
    return LiveSide()


def failed_metrics(live: LiveRedis) -> LiveSide:
    """Item 33. Corroborates only: queues whose workers publish BullMQ's `metrics`, with the failure rate they show."""
    return LiveSide()


def stalled_events(live: LiveRedis) -> LiveSide:
    """Item 34. Corroborates only: stalls seen, by queue: what a listener would have caught."""
    return LiveSide()


def worker_count(live: LiveRedis) -> LiveSide:
    """Item 37. FAIL: jobs that wait, no worker, not paused (a primary, CLIENT LIST allowed, no dead-letter queue)."""
    return LiveSide()


def redis_memory(live: LiveRedis) -> LiveSide:
    """Item 38. Corroborates only: memory in use against the limit."""
    return LiveSide()


def pci(live: LiveRedis) -> LiveSide:
    """Item 85. FAIL: card numbers, security codes, track data in sampled jobs."""
    return LiveSide()
