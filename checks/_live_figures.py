"""Figures of a running system beside items 31 to 33, 35, 36 and 38: what a monitor of that quantity would show now.

They never pass an item: that Redis can be asked is no monitoring. Each queue is one piece of evidence, the fullest first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from auditor.live.jobs_model import State
from auditor.live.model import LiveQueue, LiveRedis
from auditor.live.rates import Rates, drain_ms, rates
from auditor.live.server_model import Memory
from auditor.model import Confidence, Evidence

from ._live_side import WAITING, Gathered, LiveSide, count_of, counted, dead_letter, duration, key_of


def depth(live: LiveRedis) -> LiveSide:
    """Item 31: waiting and delayed jobs, the next in line's age, and when the backlog will be done at the present rate."""

    def shown(queue: LiveQueue) -> str:
        told = [
            f"{counted(queue.counts.depth, 'job')} waiting{_age(queue, queue.oldest_waiting_ms, 'the next in line')}"
        ]
        told += [f"{queue.counts.delayed:,} delayed"] if queue.counts.delayed else []
        told += ["paused"] if queue.paused else []
        told += [f"rate-limited for {duration(queue.rate_limited_ms)} more"] if queue.rate_limited_ms else []
        if (known := rates(queue)) is not None and queue.counts.depth:
            drained = drain_ms(queue)
            told.append(f"{_pace(known)} ({_window(known)})")
            told.append("nothing drains it" if drained is None else f"drained in {duration(drained)}")
        return ", ".join(told)

    waiting = [q for q in live.queues if (q.counts.depth or q.counts.delayed) and not dead_letter(q)]
    return _each(waiting, lambda queue: queue.counts.depth, WAITING, shown)


def active(live: LiveRedis) -> LiveSide:
    """Item 32: active jobs, and since when the one that runs longest is at it."""

    def shown(queue: LiveQueue) -> str:
        return f"{counted(queue.counts.active, 'job')} active{_age(queue, queue.oldest_active_ms, 'one')}"

    busy = [queue for queue in live.queues if queue.counts.active]
    return _each(busy, lambda queue: queue.counts.active, (State.ACTIVE,), shown)


def failed(live: LiveRedis) -> LiveSide:
    """Item 33: failures in a window, by the best source. Held: queues whose workers publish BullMQ's `metrics`."""
    gathered = Gathered()
    for queue in live.queues:
        known = rates(queue)
        metered = queue.metrics_failed is not None
        if known is None and not metered:
            continue
        told = []
        if known is not None:
            ended = known.failed + known.completed
            told.append(f"{known.failed:,} of {counted(ended, 'job')} failed in {_window(known)}: {known.failing:.0%}")
        if (total := queue.metrics_failed) is not None:
            done = queue.metrics_completed.count if queue.metrics_completed else 0
            told.append(f"{total.count:,} failed and {done:,} completed since metrics are on")
        sure = Confidence.CERTAIN if metered else Confidence.LIKELY
        where = ("HGETALL", "metrics:failed") if metered else _kept_or_heard(queue, known)
        shown = key_of(queue, *where, "; ".join(told), confidence=sure)
        if metered:
            gathered.hold(queue, "", shown)
        else:
            gathered.evidence.append(shown)
    return gathered.side()


def _kept_or_heard(queue: LiveQueue, known: Rates | None) -> tuple[str, str]:
    """Where a reader finds what the rates rest on: command and key."""
    if known is not None and known.source == "events" and queue.events is not None:
        return "XREVRANGE", f"events + - COUNT {queue.events.read}"
    since = queue.read_ms - known.window_ms if known is not None else 0
    return "ZCOUNT", f"failed {since} +inf"


def durations(live: LiveRedis) -> LiveSide:
    """Item 35: run times of sampled completed jobs."""

    gathered = Gathered()
    known = [(queue, ran) for queue in live.queues if (ran := queue.durations) is not None]
    for queue, ran in sorted(known, key=lambda pair: -pair[1].max_ms):
        at = f"p50 {duration(ran.p50_ms)}, p95 {duration(ran.p95_ms)}, p99 {duration(ran.p99_ms)}, max {duration(ran.max_ms)}"
        seen = f"{at}, of {counted(ran.jobs, 'sampled completed job')}"
        gathered.evidence.append(key_of(queue, "HMGET", f"{ran.longest_job} processedOn finishedOn", seen))
    return gathered.side()


def dead_letters(live: LiveRedis) -> LiveSide:
    """Item 36: what lies in queues that are named like dead-letter queues."""
    kept = [queue for queue in live.queues if dead_letter(queue)]
    return _each(
        kept,
        lambda queue: queue.counts.total,
        tuple(State),
        lambda queue: f"{counted(queue.counts.total, 'job')} kept",
    )


def redis_memory(live: LiveRedis) -> LiveSide:
    """Item 38: memory in use against the limit."""
    gathered = Gathered()
    for server in live.servers:
        memory = server.memory
        if isinstance(memory, Memory) and memory.used is not None:
            limit = f" of maxmemory {memory.maxmemory:,}" if memory.maxmemory else ", no maxmemory"
            gathered.evidence.append(
                Evidence("INFO memory", f"used_memory {memory.used:,}{limit}", place=server.place("INFO memory"))
            )
    return gathered.side()


def _each(
    queues: Iterable[LiveQueue],
    most: Callable[[LiveQueue], int],
    states: Sequence[State],
    shown: Callable[[LiveQueue], str],
) -> LiveSide:
    gathered = Gathered()
    for queue in sorted(queues, key=most, reverse=True):
        gathered.evidence.append(count_of(queue, states, shown(queue)))
    return gathered.side()


def _pace(known: Rates) -> str:
    each = known.per_minute
    return f"{each:,.0f} completed a minute" if each >= 1 else f"{each * 60:,.0f} completed an hour"


def _window(known: Rates) -> str:
    source = {"metrics": "the workers' metrics", "events": "its newest events"}.get(known.source, known.source)
    return f"{duration(known.window_ms)}, by {source}"


def _age(queue: LiveQueue, since: int | None, whose: str) -> str:
    spent = queue.read_ms - since if since is not None and queue.read_ms else 0
    return f", {whose} for {duration(spent)}" if spent > 0 else ""
