"""What only several looks can tell: active jobs without a lock, ids without a hash, a stalled check, a lock's bounds.

Between two reads of one look a job may simply have been finished or removed: only what is the same a second later is
said. And a worker whose check comes a moment before the last one's key expires skips it, so that no key is there for one
whole interval: where it would decide, the scan waits for the next one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from .asking import STOPPED, Answers, Asking, together
from .connection import Asker, Command, ReplyError
from .inference import Lock, lock_duration
from .jobs import shown
from .jobs_model import State
from .keys import LISTS, SETS
from .meter import Meter
from .model import LiveQueue, LockSureness, QueueWorkers
from .queues import Answer
from .refusals import refused
from .server_model import Refused
from .state import checked, interval

_PAUSE_S = 1.0
_STEPS = (0.3, 0.3, 0.4)
"""Parts of the pause; locks are read after each, at moments that no renewal's rhythm meets alike."""
_SHARE = 0.6
"""Of the time left; of a scan's usual minute that is an interval of the libraries, and a little."""
_WINDOW = 500
_AT_ONCE = 32
_LOCKS = 5
_LOOKED_AT = 20
"""Queues looked at for a check where one of them is enough."""


def look(asker: Asker, answers: Sequence[Answer], *, told_by_code: Callable[[], bool]) -> list[LiveQueue]:
    """Look again where the first look asks for it; queues in the order of the answers.

    `told_by_code`: whether code is read too, which says if workers check for stalled jobs; it may wait for that.
    """
    answers = _paused(asker, list(answers))
    settled = {id(answer): answer.queue for answer in answers}
    again = [answer for answer in answers if answer.unlocked or answer.hashless or _unchecked(answer.queue)]
    for start in range(0, len(again), _AT_ONCE):
        some = again[start : start + _AT_ONCE]
        queues, stopped = together(asker, [_again(answer) for answer in some])
        settled |= {id(answer): queue for answer, queue in zip(some, queues, strict=True)}
        if stopped is not None:
            break
    return _wait_for_checks(asker, [settled[id(answer)] for answer in answers], told_by_code=told_by_code)


def _paused(asker: Asker, answers: list[Answer]) -> list[Answer]:
    """The answers a second later, where one of them needs it; locks that were only bounded are read again meanwhile."""
    needed = any(answer.unlocked or answer.hashless for answer in answers)
    bounded = [at for at, answer in enumerate(answers) if _bounded(answer.queue)][:_LOOKED_AT]
    if not bounded and not needed:
        return answers
    # without a pause one more look is free: the other queues have been read since
    steps = _STEPS if needed and asker.meter.left > _PAUSE_S * 2 else (0.0,)
    try:
        for step in steps:
            time.sleep(step * _PAUSE_S)
            for at in bounded:
                answers[at] = _narrowed(asker, answers[at])
    except STOPPED:
        pass  # what comes next will find out too
    return answers


def _bounded(queue: LiveQueue) -> bool:
    return queue.lock is not None and queue.lock.sureness is LockSureness.BOUNDS


def _narrowed(asker: Asker, answer: Answer) -> Answer:
    queue = answer.queue
    held = list({lock.job: lock for lock in answer.locks if lock.rest > 0}.values())[:_LOCKS]
    rests = asker.run([("PTTL", queue.key(f"{lock.job}:lock")) for lock in held])
    later = [
        Lock(lock.job, rest, None, renewed=lock.renewed)
        for lock, rest in zip(held, rests, strict=True)
        if isinstance(rest, int)
    ]
    locks = (*answer.locks, *later)
    return replace(answer, locks=locks, queue=replace(queue, lock=lock_duration(locks, queue.era)))


def _unchecked(queue: LiveQueue) -> bool:
    """Workers live, and no sign of a check for stalled jobs."""
    live = isinstance(queue.workers, QueueWorkers) and queue.workers.count > 0
    hidden = any(why.command == "PTTL" for why in queue.refused)
    return live and not (queue.stalled_check or queue.stalls.suspected or hidden)


def _again(answer: Answer) -> Asking[LiveQueue]:
    queue = answer.queue
    stem = f"{queue.prefix}:{queue.name}:"
    try:
        orphans = yield from _still_unlocked(stem, answer.unlocked)
        queue = replace(queue, stalls=replace(queue.stalls, orphans=orphans))
        lost, denied = yield from _still_hashless(stem, answer.hashless)
        queue = replace(queue, lost_hashes=lost, refused=(*queue.refused, *denied))
        if _unchecked(queue):
            queue = _with_check(queue, Answers(checked(stem), (yield list(checked(stem).values()))))
    except STOPPED:
        pass
    return queue


def _with_check(queue: LiveQueue, said: Answers) -> LiveQueue:
    return replace(queue, stalled_check=said.count("check ttl") > 0, stalled_interval_ms=interval(said))


def _wait_for_checks(asker: Asker, queues: list[LiveQueue], *, told_by_code: Callable[[], bool]) -> list[LiveQueue]:
    """Wait for the check of each queue on which a failure hangs, or for anyone's where none was seen at all."""
    began, patience = time.monotonic(), _patience(asker.meter)
    try:
        while deciding := _deciding(queues, told_by_code):
            waited = time.monotonic() - began
            if waited + _PAUSE_S > patience:
                return [_looked_at(queue, waited) if at in deciding else queue for at, queue in enumerate(queues)]
            time.sleep(_PAUSE_S)
            stems = {at: f"{queues[at].prefix}:{queues[at].name}:" for at in deciding}
            replies = asker.run([command for stem in stems.values() for command in checked(stem).values()])
            for number, (at, stem) in enumerate(stems.items()):
                commands = checked(stem)
                said = Answers(commands, replies[number * len(commands) : (number + 1) * len(commands)])
                queues[at] = _with_check(queues[at], said)
    except STOPPED:
        pass
    return queues


def _patience(meter: Meter) -> float:
    """Seconds to wait for checks at the most: some are left for what comes after."""
    return min(meter.budget.patience_s, meter.left * _SHARE)


def _deciding(queues: Sequence[LiveQueue], told_by_code: Callable[[], bool]) -> set[int]:
    unchecked = [at for at, queue in enumerate(queues) if _unchecked(queue)]
    failing = {at for at in unchecked if queues[at].stalls.orphans}
    if failing or any(queue.stalled_check or queue.stalls.suspected for queue in queues):
        return failing
    return set() if not unchecked or told_by_code() else set(unchecked[:_LOOKED_AT])


def _looked_at(queue: LiveQueue, seconds: float) -> LiveQueue:
    return replace(queue, unchecked_ms=int(seconds * 1000))


def _still_unlocked(stem: str, jobs: Sequence[str]) -> Asking[tuple[str, ...]]:
    if not jobs:
        return ()
    active, *locked = yield [
        ("LRANGE", f"{stem}active", 0, _WINDOW - 1),
        *(("EXISTS", f"{stem}{job}:lock") for job in jobs),
    ]
    held = set(map(str, active)) if isinstance(active, list) else set()
    return tuple(shown(job) for job, lock in zip(jobs, locked, strict=True) if job in held and lock == 0)


def _still_hashless(stem: str, jobs: Sequence[tuple[State, str]]) -> Asking[tuple[tuple[str, ...], list[Refused]]]:
    if not jobs:
        return (), []
    lists = sorted({LISTS[state] for state, _ in jobs if state in LISTS})
    commands: list[Command] = [("LRANGE", f"{stem}{name}", 0, _WINDOW - 1) for name in lists]
    commands += [("EXISTS", f"{stem}{job}") for _, job in jobs]
    commands += [
        ("ZSCORE", f"{stem}{SETS[state]}", job) if state in SETS else ("EXISTS", f"{stem}{job}") for state, job in jobs
    ]
    replies = yield commands
    windows = {
        name: set(map(str, reply)) if isinstance(reply, list) else set()
        for name, reply in zip(lists, replies, strict=False)
    }
    rest = replies[len(lists) :]
    lost = []
    for (state, job), there, score in zip(jobs, rest[: len(jobs)], rest[len(jobs) :], strict=True):
        held = isinstance(score, str) if state in SETS else job in windows[LISTS[state]]
        if there == 0 and held:
            lost.append(shown(job))
    return tuple(lost), [
        refused(("ZSCORE",), reply) for reply in rest if isinstance(reply, ReplyError) and reply.code == "NOPERM"
    ][:1]
