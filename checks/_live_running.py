"""Items 17 to 19, 34 and 37 as a running system shows them: locks, stalls, workers."""

from __future__ import annotations

from collections.abc import Sequence

from auditor.live.model import LiveQueue, LiveRedis, LockFact, LockSureness, QueueWorkers
from auditor.model import Confidence, Evidence, Status

from ._live_side import WAITING, Gathered, LiveSide, count_of, counted, dead_letter, duration, key_of, of_queue

_DAY_MS = 86_400_000
_COUNTERS = "stc stalledCounter"
"""A job's count of stalls, as newer and as older versions name it."""
_INTERVAL_MS = 30_000
"""The libraries' default time between two checks for stalled jobs."""


def lock_duration(live: LiveRedis) -> LiveSide:
    """Item 17. FAIL: stalled counters on completed jobs, the stall text on failed ones. Evidence: lock beside longest run."""
    gathered = Gathered()
    for queue in live.queues:
        twice, lost = queue.stalls.completed, queue.stalls.failed
        known = _lock_and_run(queue)
        if twice:
            shown = _job(queue, twice[0], _COUNTERS, "a stalled counter on a completed job", "none")
            text = f"{queue.label}: {counted(len(twice), 'sampled job')} lost the lock on the way and ran again, though completed"
            _seen_then(gathered, queue, twice, text, [shown, *known], "twice")
        if lost:
            shown = _job(queue, lost[0], "failedReason", "job stalled more than allowable limit", "none")
            text = f"{queue.label}: {counted(len(lost), 'sampled job')} failed for losing the lock too often"
            _seen_then(gathered, queue, lost, text, [shown, *known], "lost")
        if known and not (twice or lost):
            gathered.hold(queue, "", *known)
    gathered.told = f"no sampled job of {counted(len(gathered.held), 'queue')} lost its lock"
    return gathered.side()


def stalled_interval(live: LiveRedis) -> LiveSide:
    """Item 18. Held: a check that was seen. FAIL: live workers, an orphan in `active`, and no check in a whole interval."""
    gathered = Gathered()
    for queue in live.queues:
        every, workers = queue.stalled_interval_ms, _count(queue)
        if not workers and isinstance(queue.workers, QueueWorkers) and queue.workers.certain:
            continue  # what the last worker left behind
        looked = f"in {duration(queue.unchecked_ms)}" if queue.unchecked_ms else "at two looks"
        unseen = key_of(queue, "EXISTS", "stalled-check", f"0 {looked}", "1")
        if every is not None:
            gathered.hold(queue, "", key_of(queue, "PTTL", "stalled-check", f"a check every {duration(every)}"))
        elif queue.stalled_check:
            gathered.hold(queue, "", key_of(queue, "EXISTS", "stalled-check", "1: a worker checks"))
        elif queue.stalls.suspected:
            marked = f"{counted(queue.stalls.suspected, 'active job')} marked by the last check"
            gathered.hold(queue, "", key_of(queue, "SCARD", "stalled", marked, confidence=Confidence.LIKELY))
        elif workers and queue.stalls.orphans and queue.unchecked_ms >= _INTERVAL_MS:
            orphan = f"{queue.stalls.orphans[0]}:lock"
            shown = [unseen, key_of(queue, "EXISTS", orphan, "0: the job is active and nobody holds it", "1")]
            text = f"{queue.label}: workers live, {counted(len(queue.stalls.orphans), 'active job')} held by none, and nobody checks for stalled jobs"
            gathered.say(Status.FAIL, text, of_queue(queue), shown, symbol="unchecked")
        elif workers and (queue.unchecked_ms or queue.stalls.orphans):
            text = f"{queue.label}: {counted(workers, 'worker')} live, and no check for stalled jobs was seen {looked}"
            gathered.say(Status.UNVERIFIED, text, of_queue(queue), [unseen], symbol="unchecked")
    gathered.told = f"a worker checks for stalled jobs in {counted(len(gathered.held), 'queue')}"
    return gathered.side()


def max_stalled_count(live: LiveRedis) -> LiveSide:
    """Item 19. FAIL: failed jobs whose stalled counters show a limit of 0, or above 3. Held: 1 to 3. Silent elsewhere."""
    gathered = Gathered()
    for queue in live.queues:
        limit, failed = queue.stalls.max_stalled_count, queue.stalls.failed
        if limit is None or not failed:
            continue
        shown = _job(
            queue,
            failed[0],
            f"failedReason {_COUNTERS}",
            f"failed for stalling, its counter shows a limit of {limit}",
            "1 to 3",
        )
        if 1 <= limit <= 3:
            gathered.hold(queue, "", shown)
        else:
            why = (
                "the first stall loses the job"
                if limit == 0
                else "a job that kills its worker is tried again and again"
            )
            _seen_then(gathered, queue, failed, f"{queue.label}: maxStalledCount is {limit}: {why}", [shown], "limit")
    return gathered.side()


def _seen_then(
    gathered: Gathered, queue: LiveQueue, jobs: Sequence[str], text: str, shown: Sequence[Evidence], symbol: str
) -> None:
    """A failure that ended jobs show; days-old ones from before the workers' last start say how it was done then.

    Workers come and go with the load, so that a start alone is no new deployment.
    """
    ended = [job.finished_on for job in queue.sampled if job.id in jobs and job.finished_on is not None]
    since = queue.code_since_ms
    if since is None or not ended or max(ended) >= min(since, queue.read_ms - _DAY_MS):
        gathered.say(Status.FAIL, text, of_queue(queue), shown, symbol=symbol)
        return
    when = f"(up to {duration(queue.read_ms - max(ended))} ago, before the workers' last start)"
    gathered.say(Status.UNVERIFIED, f"{text} {when}", of_queue(queue), shown, symbol=symbol)


def stalled_events(live: LiveRedis) -> LiveSide:
    """Item 34. Corroborates only: stalls seen, by queue: what a listener would have caught."""
    gathered = Gathered()
    for queue in live.queues:
        seen = queue.stalls
        if seen.events and queue.events is not None:
            observed = f"{seen.events} stalled among the {queue.events.read} newest events"
            gathered.evidence.append(key_of(queue, "XREVRANGE", f"events + - COUNT {queue.events.read}", observed))
        marked = (*seen.completed, *seen.failed)
        if marked:
            gathered.evidence.append(
                _job(queue, marked[0], _COUNTERS, f"stalled: {counted(len(marked), 'sampled job')}")
            )
        if seen.orphans:
            observed = f"{counted(len(seen.orphans), 'active job')} without a lock, at two looks"
            gathered.evidence.append(key_of(queue, "LRANGE", "active 0 -1", observed))
    return gathered.side()


def worker_count(live: LiveRedis) -> LiveSide:
    """Item 37. FAIL: jobs that wait, no worker, not paused (a primary, CLIENT LIST allowed, no dead-letter queue)."""
    gathered = Gathered()
    for queue in live.queues:
        workers = queue.workers
        if not isinstance(workers, QueueWorkers) or dead_letter(queue):
            continue
        seen = Evidence(
            "CLIENT LIST", f"{counted(workers.count, 'worker')} of {queue.label}", "at least one", queue.place()
        )
        if workers.count:
            gathered.hold(queue, "", seen)
        elif workers.certain and queue.counts.depth and not queue.paused and not _worked_on(queue):
            age = (
                ""
                if queue.oldest_waiting_ms is None
                else f", the oldest for {duration(queue.read_ms - queue.oldest_waiting_ms)}"
            )
            waits = count_of(queue, WAITING, f"waiting: {counted(queue.counts.depth, 'job')}{age}")
            gathered.say(
                Status.FAIL,
                f"{queue.label}: {counted(queue.counts.depth, 'job')} waiting{age}, and no worker takes them",
                of_queue(queue),
                [seen, waits],
                symbol="workers",
            )
    return gathered.side()


def _lock_and_run(queue: LiveQueue) -> list[Evidence]:
    shown = []
    if (lock := queue.lock) is not None:
        sure = Confidence.CERTAIN if lock.sureness is LockSureness.EXACT else Confidence.LIKELY
        shown.append(key_of(queue, "PTTL", f"{lock.job_id}:lock", f"lockDuration {_told(lock)}", confidence=sure))
    if (ran := queue.durations) is not None:
        observed = f"longest run {duration(ran.max_ms)}, p95 {duration(ran.p95_ms)}, of {counted(ran.jobs, 'sampled completed job')}"
        shown.append(_job(queue, ran.longest_job, "processedOn finishedOn", observed, confidence=Confidence.LIKELY))
    return shown


def _told(lock: LockFact) -> str:
    return (
        duration(lock.low_ms)
        if lock.low_ms == lock.high_ms
        else f"between {duration(lock.low_ms)} and {duration(lock.high_ms)}"
    )


def _worked_on(queue: LiveQueue) -> bool:
    """Signs of a worker that client names don't show: a stalled check within its interval, a lock that is renewed."""
    return queue.stalled_check or queue.lock is not None


def _count(queue: LiveQueue) -> int:
    return queue.workers.count if isinstance(queue.workers, QueueWorkers) else 0


def _job(
    queue: LiveQueue,
    job: str,
    names: str,
    observed: str,
    expected: str = "",
    *,
    confidence: Confidence = Confidence.CERTAIN,
) -> Evidence:
    return Evidence(f"HMGET {queue.key(job)} {names}", observed, expected, queue.place(job), confidence=confidence)
