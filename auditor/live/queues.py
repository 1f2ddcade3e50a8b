"""One queue, read in six steps → LiveQueue. Steps of many queues go over the wire together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from .asking import STOPPED, Answers, Asking, whole
from .connection import Command, Reply
from .discovery import Name
from .inference import Lock, durations, lock_duration, stalls
from .jobs import FIELD_LIMIT, Sample, clean, groups, read_jobs
from .jobs_model import Sampling, Scheduler
from .jobs_model import State as JobState
from .model import EventsWindow, FoundBy, JobMetrics, Library, LiveQueue, QueueWorkers
from .options import decode, options
from .sampling import pick, sizes
from .server_model import Refused
from .state import State, clock, read_state

_EVENTS = 100
_MINUTES = 60
_SCHEDULERS = 50
_LOCKS = 20


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of one queue."""

    endpoint: str
    db: int
    name: Name
    found_by: FoundBy
    workers: QueueWorkers | Refused
    sample: int


@dataclass(frozen=True, slots=True)
class Answer:
    """A queue, and ids that need a second look before anything is said of them."""

    queue: LiveQueue
    unlocked: tuple[str, ...] = ()
    """Active without a lock."""
    hashless: tuple[tuple[JobState, str], ...] = ()
    """In a state's set without a hash."""


def read_queue(question: Question) -> Asking[Answer | None]:
    """Read it; None where the connection ended before its first look."""
    stem = question.name.stem
    try:
        state = yield from read_state(stem)
    except STOPPED:
        return None
    queue = _first(question, state)
    answer = Answer(queue)
    try:
        queue = yield from _more(stem, queue, state)
        answer = Answer(queue)
        ids = yield from pick(stem, queue.counts, question.sample)
        sample = yield from read_jobs(stem, ids)
        queue = _with_jobs(queue, sample)
        answer = Answer(queue, hashless=tuple(sample.lost))
        locks = yield from _locks(stem, sample)
        queue = replace(queue, lock=lock_duration(locks, queue.era), oldest_active_ms=_oldest_active(sample))
        answer = replace(answer, queue=queue, unlocked=tuple(lock.job for lock in locks if lock.rest == -2))
        window = yield from _events(stem, queue, state, sample)
        seen = stalls(sample.jobs, events=window.types.get("stalled", 0) if window else 0, suspected=state.suspected)
        answer = replace(
            answer, queue=replace(queue, events=window, stalls=seen, refused=(*queue.refused, *sample.refused))
        )
    except STOPPED as error:
        note = f"not read to the end: {error}"
        return replace(answer, queue=replace(answer.queue, notes=(*answer.queue.notes, note)))
    return answer


def _first(question: Question, state: State) -> LiveQueue:
    meta = state.meta
    limit, per = whole(meta.get("max")), whole(meta.get("duration"))
    overdue = state.now_ms - state.first_delayed[1] if state.first_delayed and state.now_ms else 0
    return LiveQueue(
        endpoint=question.endpoint,
        db=question.db,
        prefix=clean(question.name.prefix),
        name=clean(question.name.queue),
        library=state.library,
        version=clean(meta.get("version", "").partition(":")[2]),
        era=state.era,
        found_by=question.found_by,
        counts=state.counts,
        paused=state.paused,
        workers=question.workers,
        added=state.added,
        stalled_interval_ms=state.stalled_interval_ms,
        metrics_completed=state.metrics.get("completed"),
        metrics_failed=state.metrics.get("failed"),
        oldest_completed_ms=state.oldest_completed_ms,
        oldest_failed_ms=state.oldest_failed_ms,
        overdue_delayed_ms=overdue if overdue > 0 else None,
        global_concurrency=whole(meta.get("concurrency")),
        rate_limit=(limit, per) if limit is not None and per is not None else None,
        rate_limited_ms=state.rate_limited_ms,
        notes=tuple(map(clean, state.notes)),
        refused=tuple(state.refused),
        read_ms=state.now_ms,
    )


def _more(stem: str, queue: LiveQueue, state: State) -> Asking[LiveQueue]:
    """Per-minute metrics, the next waiting job's age, schedulers."""
    commands: dict[str, Command] = {
        name: ("LRANGE", f"{stem}metrics:{name}:data", 0, _MINUTES - 1) for name in state.metrics
    }
    if state.next_waiting is not None:
        commands["next"] = ("HMGET", f"{stem}{state.next_waiting}", "timestamp")
    if state.repeats:
        commands["repeat"] = ("ZRANGE", f"{stem}repeat", 0, _SCHEDULERS - 1, "WITHSCORES")
    if not commands:
        return queue
    said = Answers(commands, (yield list(commands.values())))
    metrics = {
        name: JobMetrics(known.count, known.previous_ms, tuple(whole(point) or 0 for point in said.items(name)))
        for name, known in state.metrics.items()
    }
    waiting = said.items("next")
    members = said.items("repeat")
    schedulers = yield from _schedulers(stem, list(zip(members[::2], members[1::2], strict=False)))
    return replace(
        queue,
        metrics_completed=metrics.get("completed"),
        metrics_failed=metrics.get("failed"),
        oldest_waiting_ms=whole(waiting[0]) if waiting else None,
        schedulers=schedulers,
        refused=(*queue.refused, *said.refused),
    )


def _schedulers(stem: str, members: Sequence[tuple[str | None, str | None]]) -> Asking[tuple[Scheduler, ...]]:
    known = [(member, whole(score)) for member, score in members if member is not None]
    if not known:
        return ()
    lengths = yield [("HSTRLEN", f"{stem}repeat:{member}", "opts") for member, _ in known]
    commands: list[Command] = []
    for (member, _), length in zip(known, lengths, strict=True):
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
        key=clean(member),
        job=clean(name or (member.partition(":")[0] if legacy else "")),
        next_ms=due,
        every_ms=whole(every),
        pattern=clean(pattern or ""),
        template=None if raw is None else options(raw),
        legacy=legacy,
    )


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
        stalls=stalls(sample.jobs, events=0, suspected=0),
    )


def _locks(stem: str, sample: Sample) -> Asking[list[Lock]]:
    active = [job for job in sample.jobs if job.state is JobState.ACTIVE][:_LOCKS]
    if not active:
        return []
    commands: dict[str, Command] = {"time": ("TIME",)}
    commands |= {job.id: ("PTTL", f"{stem}{job.id}:lock") for job in active}
    said = Answers(commands, (yield list(commands.values())))
    sample.refused += said.refused
    now = clock(said)
    rests = [(job, said.raw(job.id)) for job in active]
    return [
        Lock(job.id, rest, now - job.processed_on if now and job.processed_on is not None else None)
        for job, rest in rests
        if isinstance(rest, int)
    ]


def _oldest_active(sample: Sample) -> int | None:
    return min(
        (job.processed_on for job in sample.jobs if job.state is JobState.ACTIVE and job.processed_on), default=None
    )


def _events(stem: str, queue: LiveQueue, state: State, sample: Sample) -> Asking[EventsWindow | None]:
    """The newest events, unless results are so large that reading them (they lie in the stream) would weigh."""
    if not state.events:
        return None
    window = EventsWindow(state.events, None, None, None, whole(state.meta.get("opts.maxLenEvents")))
    if sample.largest_result > FIELD_LIMIT:
        return window
    commands: dict[str, Command] = {
        "newest": ("XREVRANGE", f"{stem}events", "+", "-", "COUNT", _EVENTS),
        "stream": ("XINFO", "STREAM", f"{stem}events"),
    }
    said = Answers(commands, (yield list(commands.values())))
    sample.refused += said.refused
    types: dict[str, int] = {}
    moments: list[int] = []
    for identity, event in _entries(said.raw("newest")):
        moments += [] if identity is None else [identity]
        types[event] = types.get(event, 0) + 1
    about = _pairs(said.raw("stream"))
    first = about.get("first-entry")
    return replace(
        window,
        first_ms=_moment(first[0]) if isinstance(first, list) and first else None,
        last_ms=moments[0] if moments else None,
        added=whole(about.get("entries-added")),
        read=len(moments),
        read_from_ms=moments[-1] if moments else None,
        types=types,
    )


def _entries(reply: Reply) -> Iterator[tuple[int | None, str]]:
    """(moment, type) of stream entries; the values beside the type are not looked at."""
    for entry in reply if isinstance(reply, list) else []:
        match entry:
            case [str(identity), list(fields)]:
                yield _moment(identity), str(_pairs(fields).get("event", ""))


def _pairs(reply: Reply) -> dict[str, Reply]:
    return dict(zip(map(str, reply[::2]), reply[1::2], strict=False)) if isinstance(reply, list) else {}


def _moment(identity: Reply) -> int | None:
    return whole(identity.partition("-")[0]) if isinstance(identity, str) else None
