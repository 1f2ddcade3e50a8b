"""Queues as they run (items beyond the 102): jobs that nobody will ever touch again, and schedules that stopped.

Each probe needs a live Redis, looks at every queue, and fails on what two looks or a moment's state prove.
"""

from __future__ import annotations

from dataclasses import dataclass

from auditor.live.jobs_model import Scheduler, State
from auditor.live.model import Library, LiveQueue, LiveRedis, QueueWorkers
from auditor.live.server_model import Memory
from auditor.model import Evidence, Severity, Status, Verdict
from auditor.probes import probe

from ._each_queue import each_queue
from ._live_side import Gathered, count_of, counted, duration, job_options, key_of, of_queue, producer


@dataclass(frozen=True, slots=True)
class Slack:
    """How late is too late."""

    seconds: int = 60


@probe("queue.orphans")
def orphans(live: LiveRedis) -> Verdict:
    """Every active job is held by a worker: an id in `active` without a lock, at two looks, is nobody's."""

    def judge(queue: LiveQueue, found: Gathered) -> None:
        lost = queue.stalls.orphans
        if lost:
            every = "" if queue.stalled_interval_ms is None else f" every {duration(queue.stalled_interval_ms)}"
            alone = _workers(queue) == 0  # then a check that was seen is the last one's
            checked = not alone and (queue.stalled_check or queue.stalls.suspected)
            why = f"; the stalled check runs{every}" if checked else ", and no worker lives to check" if alone else ""
            shown = key_of(queue, "EXISTS", f"{lost[0]}:lock", "0, at two looks", "1")
            text = f"{queue.label}: {counted(len(lost), 'active job')} held by no worker{why}"
            # where a check runs it will find them: a crash just now, not jobs that stay for ever
            grave = Severity.LOW if checked else None
            found.say(Status.FAIL, text, of_queue(queue), [shown], severity=grave, symbol="orphans")
        else:
            found.hold(
                queue,
                "",
                key_of(queue, "LRANGE", "active 0 -1", f"{queue.counts.active} active, the sampled ones locked"),
            )

    return each_queue(live, judge, "every sampled active job is held by a worker")


@probe("queue.jobs_exist")
def jobs_exist(live: LiveRedis) -> Verdict:
    """Every id in a queue's lists has its job: one without, at two looks, was evicted or deleted by hand."""

    def judge(queue: LiveQueue, found: Gathered) -> None:
        lost = queue.lost_hashes
        if not lost:
            found.hold(queue, "", _sampled(queue, "all there"))
            return
        shown = [key_of(queue, "EXISTS", lost[0], "0, though the queue lists it", "1")]
        memory = live.server(queue.endpoint).memory
        if isinstance(memory, Memory) and memory.evicted_keys:
            shown.append(Evidence("INFO stats", f"evicted_keys:{memory.evicted_keys}", "0"))
        text = f"{queue.label}: {counted(len(lost), 'sampled id')} without a job: evicted, or deleted by hand"
        found.say(Status.FAIL, text, of_queue(queue), shown, symbol="lost")

    return each_queue(live, judge, "every sampled id has its job")


@probe("queue.delayed_on_time")
def delayed_on_time(live: LiveRedis, slack: Slack) -> Verdict:
    """Delayed jobs come out when they are due.

    BullMQ's workers move them between two jobs, and not while a rate limit holds them: where live ones are at jobs, that
    they don't move is no proof. Bull moves them by a timer.
    """

    def judge(queue: LiveQueue, found: Gathered) -> None:
        late = queue.overdue_delayed_ms
        by_intent = "the queue is paused" if queue.paused else _limited(queue)
        if late is None or late <= slack.seconds * 1000 or by_intent:
            held = f"{queue.counts.delayed:,} delayed, {by_intent or 'the first not overdue'}"
            found.hold(queue, "", key_of(queue, "ZRANGE", "delayed 0 0 WITHSCORES", held))
            return
        shown = key_of(
            queue,
            "ZRANGE",
            "delayed 0 0 WITHSCORES",
            f"the first is {duration(late)} overdue",
            f"at most {slack.seconds} s",
        )
        text, busy = f"{queue.label}: a delayed job is {duration(late)} overdue", _busy(queue)
        if busy:
            at = count_of(queue, (State.ACTIVE,), f"{counted(busy, 'job')} active")
            text += f"; its workers are at {counted(busy, 'job')}, and a full one moves none"
            found.say(Status.UNVERIFIED, text, of_queue(queue), [shown, at], symbol="overdue")
            return
        why = "no worker moves it" if _workers(queue) == 0 else "workers live and do not take it"
        found.say(Status.FAIL, f"{text}: {why}", of_queue(queue), [shown], symbol="overdue")

    return each_queue(live, judge, "no delayed job is overdue")


@probe("scheduler.runs")
def scheduler_runs(live: LiveRedis, slack: Slack) -> Verdict:
    """Every schedule goes on: its next run lies ahead, and the library in force still reads it."""

    def judge(queue: LiveQueue, found: Gathered) -> None:
        for scheduler in queue.schedulers:
            _schedule(queue, scheduler, slack, found)
        for group in queue.jobs:
            once = [job for job in group.jobs if job.opts and job.opts.repeat and not job.scheduler]
            if once and queue.era == "bullmq 6":
                shown = job_options(queue, once[0].id, "repeat, and no scheduler made it", "upsertJobScheduler")
                text = f"{queue.label}/{group.name}: added with `repeat`, which BullMQ 6 runs once and never again"
                found.say(Status.FAIL, text, producer(queue, group.name), [shown], symbol=group.name)

    return each_queue(live, judge, "every schedule's next run lies ahead")


def _schedule(queue: LiveQueue, scheduler: Scheduler, slack: Slack, found: Gathered) -> None:
    late = queue.read_ms - scheduler.next_ms if scheduler.next_ms is not None and queue.read_ms else 0
    shown = key_of(
        queue,
        "ZSCORE",
        f"repeat {scheduler.key}",
        f"{scheduler.key}: next run {duration(abs(late))} {'ago' if late > 0 else 'ahead'}",
        "ahead",
    )
    if scheduler.legacy and queue.era == "bullmq 6":
        text = f"{queue.label}: repeatable {scheduler.key} is of the form before 5.16, which BullMQ 6 refuses"
        found.say(Status.FAIL, text, of_queue(queue), [shown], symbol=scheduler.key)
    elif late > slack.seconds * 1000 and not (queue.paused or _limited(queue)) and not _next_waits(queue, scheduler):
        text = f"{queue.label}: schedule {scheduler.key} should have run {duration(late)} ago, and nothing of it waits"
        found.say(Status.FAIL, text, of_queue(queue), [shown], symbol=scheduler.key)
    else:
        found.hold(queue, "", shown)


def _next_waits(queue: LiveQueue, scheduler: Scheduler) -> bool:
    """A scheduler's next job may lie among the waiting: then workers are late, not the schedule."""
    open_states = [State.WAITING, State.PAUSED, State.PRIORITIZED, State.ACTIVE]
    open_states += [State.DELAYED] if _busy(queue) else []
    return any(job.scheduler == scheduler.key and job.state in open_states for job in queue.sampled)


@probe("queue.events_trimmed")
def events_trimmed(live: LiveRedis) -> Verdict:
    """The events stream stays near its bound (`streams.events.maxLen`, 10,000 unless set)."""

    def judge(queue: LiveQueue, found: Gathered) -> None:
        events = queue.events
        if events is None:
            return
        bound = events.max_length or 10_000
        shown = key_of(queue, "XLEN", "events", f"{events.length:,}", f"about {bound:,}")
        # trimming is approximate, by whole nodes of the stream
        if events.length > bound * 1.5 + 500:
            found.say(
                Status.FAIL,
                f"{queue.label}: {events.length:,} events are kept, of at most about {bound:,}",
                of_queue(queue),
                [shown],
                symbol="events",
            )
        else:
            found.hold(queue, "", shown)

    return each_queue(live, judge, "events streams stay near their bounds")


@probe("job.options_known")
def options_known(live: LiveRedis) -> Verdict:
    """Stored jobs carry no option that no version of the library reads: a misspelt one does nothing."""

    def judge(queue: LiveQueue, found: Gathered) -> None:
        if not any(job.opts and job.opts.unknown for job in queue.sampled):
            found.hold(queue, "", _sampled(queue, "with known options alone"))
        for group in queue.jobs:
            for name in sorted({name for job in group.newest if job.opts for name in job.opts.unknown}):
                job = next(job for job in group.newest if job.opts and name in job.opts.unknown)
                shown = job_options(queue, job.id, name, "an option of the library")
                text = f"{queue.label}/{group.name}: option {name} is read by no version of Bull or BullMQ"
                found.say(Status.FAIL, text, producer(queue, group.name), [shown], symbol=f"{group.name} {name}")

    return each_queue(live, judge, "every stored option is one that a library reads")


@probe("queue.version_sound")
def version_sound(live: LiveRedis) -> Verdict:
    """No queue runs a release that is known to lose schedules or jobs, or on a Redis that such a release can't use."""

    def judge(queue: LiveQueue, found: Gathered) -> None:
        shown = key_of(queue, "HGET", "meta version", f"bullmq:{queue.version}")
        version = _version(queue.version)
        for first, last, what in _UNSOUND:
            if version and first <= version <= last:
                found.say(
                    Status.FAIL,
                    f"{queue.label} runs BullMQ {queue.version}, which {what}",
                    of_queue(queue),
                    [shown],
                    symbol=what,
                )
                return
        server = live.server(queue.endpoint)
        blocks = queue.library is Library.BULLMQ and queue.era in ("bullmq 5", "bullmq 6", "bullmq 5-6")
        if (
            blocks
            and server.product == "Redis"
            and (0,) < _version(server.version) < (7, 0, 8)
            and queue.counts.delayed
        ):
            seen = Evidence(
                "INFO server", f"redis_version:{server.version}", "7.0.8 or newer", server.place("INFO server")
            )
            text = f"{queue.label}: on Redis {server.version} BZPOPMIN with a short timeout may block for ever, and delayed jobs stay"
            found.say(Status.FAIL, text, of_queue(queue), [seen], symbol="bzpopmin")
        elif version:
            found.hold(queue, "", shown)

    return each_queue(live, judge, "no queue's release is known to lose jobs")


_UNSOUND = (
    ((5, 34, 9), (5, 34, 9), "loses schedules when workers start (taskforcesh/bullmq#3009)"),
    ((5, 66, 6), (5, 70, 1), "leaves job hashes behind that no list names (taskforcesh/bullmq#3853)"),
)


def _limited(queue: LiveQueue) -> str:
    """That its workers wait for the end of a rate window; empty: they do not, or there are none."""
    if not queue.rate_limited_ms or _workers(queue) == 0:
        return ""
    return f"rate-limited for {duration(queue.rate_limited_ms)} more"


def _busy(queue: LiveQueue) -> int:
    """Jobs that live workers of BullMQ are at, which may be as many as they can take; 0 where that hinders nothing."""
    if queue.library is Library.BULL or not isinstance(queue.workers, QueueWorkers) or not queue.workers.count:
        return 0
    return max(queue.counts.active - len(queue.stalls.orphans) - queue.left_behind, 0)


def _sampled(queue: LiveQueue, what: str) -> Evidence:
    return Evidence(f"HGETALL {queue.key('<id>')}", f"{queue.sampling.label()} sampled, {what}", place=queue.place())


def _workers(queue: LiveQueue) -> int | None:
    return queue.workers.count if isinstance(queue.workers, QueueWorkers) and queue.workers.certain else None


def _version(text: str) -> tuple[int, ...]:
    parts = text.partition("-")[0].split(".")
    return tuple(int(part) for part in parts) if all(part.isdecimal() for part in parts) and len(parts) == 3 else ()
