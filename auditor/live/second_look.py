"""What only two looks can tell: active jobs without a lock, ids without a hash.

Between two reads of one look a job may simply have been finished or removed. Only what is the same a second later is said.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

from .asking import STOPPED, Asking, together
from .connection import Asker, Command, ReplyError
from .jobs import clean
from .jobs_model import State
from .keys import LISTS, SETS
from .model import LiveQueue
from .queues import Answer
from .refusals import refused
from .server_model import Refused

_PAUSE_S = 1.0
_WINDOW = 500
_AT_ONCE = 32


def look(connection: Asker, answers: Sequence[Answer]) -> list[LiveQueue]:
    """Look again where the first look asks for it; queues in the order of the answers."""
    open_ones = [answer for answer in answers if answer.unlocked or answer.hashless]
    settled = {id(answer): answer.queue for answer in answers}
    if open_ones and connection.meter.left > _PAUSE_S * 2:
        time.sleep(_PAUSE_S)
        for start in range(0, len(open_ones), _AT_ONCE):
            some = open_ones[start : start + _AT_ONCE]
            queues, stopped = together(connection, [_again(answer) for answer in some])
            settled |= {id(answer): queue for answer, queue in zip(some, queues, strict=True)}
            if stopped is not None:
                break
    return [settled[id(answer)] for answer in answers]


def _again(answer: Answer) -> Asking[LiveQueue]:
    queue = answer.queue
    stem = f"{queue.prefix}:{queue.name}:"
    try:
        orphans = yield from _still_unlocked(stem, answer.unlocked)
        lost, denied = yield from _still_hashless(stem, answer.hashless)
    except STOPPED:
        return queue
    seen = replace(queue.stalls, orphans=orphans)
    return replace(queue, stalls=seen, lost_hashes=lost, refused=(*queue.refused, *denied))


def _still_unlocked(stem: str, jobs: Sequence[str]) -> Asking[tuple[str, ...]]:
    if not jobs:
        return ()
    active, *locked = yield [
        ("LRANGE", f"{stem}active", 0, _WINDOW - 1),
        *(("EXISTS", f"{stem}{job}:lock") for job in jobs),
    ]
    held = set(map(str, active)) if isinstance(active, list) else set()
    return tuple(job for job, lock in zip(jobs, locked, strict=True) if job in held and lock == 0)


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
            lost.append(clean(job))
    return tuple(lost), [
        refused(("ZSCORE",), reply) for reply in rest if isinstance(reply, ReplyError) and reply.code == "NOPERM"
    ][:1]
