"""One queue, read in five steps → LiveQueue. Steps of many queues go over the wire together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from .asking import STOPPED, Answers, Asking, whole
from .connection import Command, Reply
from .discovery import Name
from .inference import Lock, durations, lock_duration, stalls
from .jobs import FIELD_LIMIT, Sample, clean, groups, read_jobs, shown
from .jobs_model import SampledJob, Sampling, Scheduler
from .jobs_model import State as JobState
from .keys import is_job
from .model import EventsWindow, FoundBy, Library, LiveQueue, QueueWorkers
from .options import decode, options
from .sampling import picks, sizes
from .server_model import Refused
from .state import Known, Shared, State, clock, ends, interval, metrics, oldest, read_state

_LOCKS = 20
_LATE_S = 3


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of one queue."""

    endpoint: str
    db: int
    name: Name
    found_by: FoundBy
    workers: QueueWorkers | Refused
    known: Known


@dataclass(frozen=True, slots=True)
class Answer:
    """A queue, and ids that need a second look before anything is said of them."""

    queue: LiveQueue
    unlocked: tuple[str, ...] = ()
    """Active without a lock; ids as Redis holds them."""
    hashless: tuple[tuple[JobState, str], ...] = ()
    """In a state's set without a hash."""
    locks: tuple[Lock, ...] = ()
    """The first look at the locks of sampled active jobs."""


def read_queue(question: Question, shared: Shared) -> Asking[Answer | None]:
    """Read it; None where the connection ended before its first look, or the cluster's node that holds it is gone."""
    stem = question.name.stem
    try:
        state = yield from read_state(stem, question.known, shared)
    except STOPPED:
        return None
    if state.gone:
        return None
    answer = Answer(_first(question, state))
    try:
        queue, ends = yield from _ends(stem, answer.queue, state, shared)
        answer = Answer(queue)
        sample = yield from read_jobs(stem, ends.ids, shared)
        queue = _with_jobs(_without_marker(queue, sample), sample)
        answer = Answer(queue, hashless=tuple(sample.lost))
        queue, locks = yield from _named(stem, queue, ends, sample)
        queue = replace(
            queue,
            lock=lock_duration(locks, queue.era),
            left_behind=sum(1 for lock in locks if lock.rest > 0 and not lock.renewed),
            held_at_once=max(Counter(lock.holder for lock in locks if lock.holder).values(), default=0),
            oldest_active_ms=_oldest_active(sample),
            refused=(*queue.refused, *sample.refused),
        )
        unlocked = tuple(lock.job for lock in locks if lock.rest == -2)
        answer = replace(answer, queue=queue, unlocked=unlocked, locks=tuple(locks))
    except STOPPED as error:
        note = f"not read to the end: {error}"
        return replace(answer, queue=replace(answer.queue, notes=(*answer.queue.notes, note)))
    return answer


def _first(question: Question, state: State) -> LiveQueue:
    meta = state.meta
    limit, per = whole(meta.get("max")), whole(meta.get("duration"))
    return LiveQueue(
        endpoint=question.endpoint,
        db=question.db,
        prefix=clean(question.name.prefix),
        name=clean(question.name.queue),
        library=state.library,
        version=clean(meta.get("version", "").partition(":")[2]),
        era=state.era,
        events=EventsWindow(state.events, whole(meta.get("opts.maxLenEvents"))) if state.events else None,
        found_by=question.found_by,
        counts=state.counts,
        paused=state.paused,
        workers=question.workers,
        added=state.added,
        stalled_check=state.checked,
        global_concurrency=whole(meta.get("concurrency")),
        rate_limit=(limit, per) if limit is not None and per is not None else None,
        notes=tuple(map(clean, state.notes)),
        refused=tuple(state.refused),
        read_ms=state.now_ms,
    )


@dataclass(frozen=True, slots=True)
class _Ends:
    """What the ends of its lists name."""

    ids: Sequence[tuple[JobState, str]] = ()
    """Jobs to sample."""
    next: str | None = None
    """The job that is next in line."""
    schedulers: Sequence[tuple[str, int | None]] = ()
    """Members of the `repeat` set, and when they are due."""


def _ends(stem: str, queue: LiveQueue, state: State, shared: Shared) -> Asking[tuple[LiveQueue, _Ends]]:
    """What lies at the ends of its lists, timers, metrics, schedulers, and the ids of the jobs to sample."""
    wanted = picks(stem, queue.counts, shared)
    commands = {**ends(stem, state), **wanted.commands}
    if not commands:
        return queue, _Ends()
    said = Answers(commands, (yield list(commands.values())))
    waiting = [job for job in said.items("next") if job is not None]
    in_line = [job for job in waiting if is_job(job)]
    markers = len(waiting) - len(in_line)
    due = oldest(said, "delayed")
    overdue = state.now_ms - due // 4096 if due is not None and state.now_ms else 0
    queue = replace(
        queue,
        counts=replace(queue.counts, waiting=max(queue.counts.waiting - markers, 0)),
        era=queue.era or ("bullmq 3-4" if markers else ""),
        added=queue.added if queue.added is not None else said.number("added"),
        stalled_interval_ms=interval(said),
        metrics_completed=metrics(said, "completed"),
        metrics_failed=metrics(said, "failed"),
        oldest_completed_ms=oldest(said, "completed"),
        oldest_failed_ms=oldest(said, "failed"),
        overdue_delayed_ms=overdue if overdue > 0 else None,
        rate_limited_ms=limited if (limited := said.count("limiter ttl")) > 0 else None,
        stalls=replace(queue.stalls, suspected=said.count("suspected")),
        refused=(*queue.refused, *said.refused),
    )
    members = said.items("repeat")
    schedulers = [
        (member, whole(score)) for member, score in zip(members[::2], members[1::2], strict=False) if member is not None
    ]
    return queue, _Ends(wanted.ids(said), in_line[-1] if in_line else None, schedulers)


def _named(stem: str, queue: LiveQueue, ends: _Ends, sample: Sample) -> Asking[tuple[LiveQueue, list[Lock]]]:
    """The age of the job that is next in line, the locks of sampled active jobs, and the schedulers."""
    waiting = next((job.timestamp for job in sample.jobs if sample.ids.get(job.id, job.id) == ends.next), None)
    active = {sample.ids.get(job.id, job.id): job for job in sample.jobs if job.state is JobState.ACTIVE}
    active = dict(list(active.items())[:_LOCKS])
    commands: dict[str, Command] = {}
    if ends.next is not None and waiting is None:
        commands["next"] = ("HMGET", f"{stem}{ends.next}", "timestamp")
    commands |= {f"repeat:{member}": ("HSTRLEN", f"{stem}repeat:{member}", "opts") for member, _ in ends.schedulers}
    commands |= {"time": ("TIME",)} if active else {}
    commands |= {f"rest {job}": ("PTTL", f"{stem}{job}:lock") for job in active}
    commands |= {f"token {job}": ("GET", f"{stem}{job}:lock") for job in active}
    said = Answers(commands, (yield list(commands.values())) if commands else [])
    queue = replace(
        queue,
        oldest_waiting_ms=next((whole(moment) for moment in said.items("next")), waiting),
        schedulers=(yield from _schedulers(stem, ends.schedulers, said)),
        refused=(*queue.refused, *said.refused),
    )
    return queue, _locks(active, said, queue.workers)


def _locks(active: Mapping[str, SampledJob], said: Answers, workers: QueueWorkers | Refused) -> list[Lock]:
    now = clock(said)
    since = _manned_since(now, workers)
    return [
        Lock(
            key,
            rest,
            now - job.processed_on if now and job.processed_on is not None else None,
            # `<uuid of the worker>:<number>` since BullMQ 3, the uuid alone before
            (said.text(f"token {key}") or "").partition(":")[0],
            job.processed_on is None or job.processed_on >= since,
        )
        for key, job in active.items()
        if isinstance(rest := said.raw(f"rest {key}"), int)
    ]


def _schedulers(stem: str, known: Sequence[tuple[str, int | None]], measured: Answers) -> Asking[tuple[Scheduler, ...]]:
    if not known:
        return ()
    commands: list[Command] = []
    for member, _ in known:
        length = measured.raw(f"repeat:{member}")
        small = isinstance(length, int) and length <= FIELD_LIMIT
        commands.append(("HMGET", f"{stem}repeat:{member}", "name", "every", "pattern", *(["opts"] if small else [])))
    replies = yield commands
    return tuple(_scheduler(member, due, reply) for (member, due), reply in zip(known, replies, strict=True))


def _scheduler(member: str, due: int | None, reply: Reply) -> Scheduler:
    values = [value if isinstance(value, str) else None for value in reply] if isinstance(reply, list) else []
    name, every, pattern, opts = (*values, None, None, None, None)[:4]
    raw = decode(opts) if name is not None else None
    legacy = "::" in member
    return Scheduler(
        key=shown(member),
        job=shown(name or (member.partition(":")[0] if legacy else "")),
        next_ms=due,
        every_ms=whole(every),
        pattern=clean(pattern or ""),
        template=None if raw is None else options(raw),
        legacy=legacy,
    )


def _without_marker(queue: LiveQueue, sample: Sample) -> LiveQueue:
    """BullMQ 2, which writes no version, puts a bare `0` among the waiting: a marker, where there is no job of that id."""
    marker = (JobState.WAITING, "0")
    if queue.version or marker not in sample.lost:
        return queue
    sample.lost.remove(marker)
    counts = replace(queue.counts, waiting=max(queue.counts.waiting - 1, 0))
    return replace(queue, counts=counts, era=queue.era or "bullmq 2-3")


def _with_jobs(queue: LiveQueue, sample: Sample) -> LiveQueue:
    library = queue.library
    if library is Library.UNKNOWN and sample.jobs:
        library = Library.BULL if sample.bull else Library.BULLMQ
    taken: dict[JobState, int] = {}
    for job in sample.jobs:
        taken[job.state] = taken.get(job.state, 0) + 1
    era = "bull" if library is Library.BULL else queue.era or sample.era
    return replace(
        queue,
        library=library,
        era=era,
        jobs=groups(sample.jobs),
        sampling=Sampling(taken, sizes(queue.counts)),
        durations=durations(sample.jobs),
        hits=tuple(sample.hits),
        stalls=stalls(sample.jobs, events=0, suspected=queue.stalls.suspected),
    )


def _manned_since(now: int, workers: QueueWorkers | Refused) -> int:
    """Since when the workers that live now have been there, clocks and whole seconds allowed for; 0 where not known."""
    if not isinstance(workers, QueueWorkers) or not workers.certain or not now:
        return 0
    return now if workers.oldest_s is None else now - (workers.oldest_s + _LATE_S) * 1000


def _oldest_active(sample: Sample) -> int | None:
    return min(
        (job.processed_on for job in sample.jobs if job.state is JobState.ACTIVE and job.processed_on), default=None
    )
