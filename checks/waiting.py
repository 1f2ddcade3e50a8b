"""Jobs that wait for long (items beyond the 102): behind a pause, for their children, or for more urgent ones."""

from __future__ import annotations

from dataclasses import dataclass

from auditor.live.jobs_model import State
from auditor.live.model import Library, LiveQueue, LiveRedis
from auditor.model import Confidence, Evidence, Status, Verdict
from auditor.probes import probe

from ._each_queue import each_queue
from ._live_side import WAITING, Gathered, count_of, counted, duration, job_options, key_of, of_queue, producer

_HOUR_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class Hours:
    """How long is too long."""

    hours: int = 1


@probe("queue.paused_forgotten")
def paused_forgotten(live: LiveRedis, limit: Hours) -> Verdict:
    """No paused queue is forgotten: jobs that wait behind a pause for long."""

    def judge(queue: LiveQueue, found: Gathered) -> None:
        waits = [
            job.timestamp
            for job in queue.sampled
            if job.timestamp and job.state in (State.WAITING, State.PAUSED, State.PRIORITIZED)
        ]
        since = queue.read_ms - min(waits) if waits and queue.read_ms else 0
        if not queue.paused or since <= limit.hours * _HOUR_MS:
            held = f"{'paused' if queue.paused else 'not paused'}, {counted(queue.counts.depth, 'job')} waiting"
            found.hold(queue, "", _pause(queue, held))
        else:
            shown = [
                _pause(queue, "1"),
                count_of(queue, WAITING, f"{counted(queue.counts.depth, 'job')}, one for {duration(since)}"),
            ]
            text = f"{queue.label} is paused, with {counted(queue.counts.depth, 'job')} waiting, one of them for {duration(since)}"
            found.say(Status.FAIL, text, of_queue(queue), shown, symbol="paused")

    return each_queue(live, judge, "no queue with waiting jobs is paused for long")


def _pause(queue: LiveQueue, observed: str) -> Evidence:
    if queue.library is Library.BULL:
        return key_of(queue, "EXISTS", "meta-paused", observed)
    return key_of(queue, "HGET", "meta paused", observed)


@probe("queue.flows_end")
def flows_end(live: LiveRedis, limit: Hours) -> Verdict:
    """No parent of a flow waits for its children for long.

    A child that fails leaves its parent waiting for ever, unless it carries `failParentOnFailure` or one of its like.
    """

    def judge(queue: LiveQueue, found: Gathered) -> None:
        waits = [job for job in queue.sampled if job.state is State.WAITING_CHILDREN and job.timestamp]
        held = key_of(queue, "ZCARD", "waiting-children", f"{queue.counts.waiting_children:,}")
        if not waits or not queue.read_ms:
            found.hold(queue, "", held)
            return
        oldest = min(waits, key=lambda job: job.timestamp or 0)
        since = queue.read_ms - (oldest.timestamp or 0)
        if since <= limit.hours * _HOUR_MS:
            found.hold(queue, "", held)
            return
        shown = Evidence(
            f"HGET {queue.key(oldest.id)} timestamp", f"waits for its children for {duration(since)}",
            f"at most {limit.hours} h", queue.place(oldest.id), confidence=Confidence.LIKELY,
        )  # fmt: skip
        late = sum(1 for job in waits if queue.read_ms - (job.timestamp or 0) > limit.hours * _HOUR_MS)
        text = f"{queue.label}/{oldest.name}: {counted(late, 'sampled parent')} waiting for children, one for {duration(since)}"
        found.say(Status.FAIL, text, producer(queue, oldest.name), [shown], symbol=oldest.name)

    return each_queue(live, judge, "no sampled parent waits for its children for long")


@probe("queue.not_starved")
def not_starved(live: LiveRedis, limit: Hours) -> Verdict:
    """Jobs of low priority get their turn too."""

    def judge(queue: LiveQueue, found: Gathered) -> None:
        behind = [job for job in queue.sampled if job.state is State.PRIORITIZED and job.timestamp]
        done = [job.finished_on for job in queue.sampled if job.state is State.COMPLETED and job.finished_on]
        if not behind or not done or queue.paused:
            found.hold(queue, "", key_of(queue, "ZCARD", "prioritized", f"{queue.counts.prioritized:,}"))
            return
        oldest = min(behind, key=lambda job: job.timestamp or 0)
        since = queue.read_ms - (oldest.timestamp or 0)
        if since > limit.hours * _HOUR_MS and max(done) > queue.read_ms - _HOUR_MS:
            shown = job_options(
                queue,
                oldest.id,
                f"waits for {duration(since)}, while others were completed",
                "its turn",
                Confidence.LIKELY,
            )
            text = f"{queue.label}/{oldest.name}: a job of low priority waits for {duration(since)}, while others overtake it"
            found.say(Status.FAIL, text, producer(queue, oldest.name), [shown], symbol=oldest.name)
        else:
            found.hold(
                queue, "", key_of(queue, "ZCARD", "prioritized", f"the oldest sampled waits for {duration(since)}")
            )

    return each_queue(live, judge, "no sampled job of low priority waits for long")
