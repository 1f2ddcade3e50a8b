"""BullMQ's events streams: the newest entries of the queues about which they tell most.

A handful of events tells no rate. Where there are too many queues to read enough of each, those with the longest backlog
and those with the most failures are read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain, zip_longest

from .asking import Answers, whole
from .connection import Asker, Command, Reply
from .model import EventsWindow, LiveQueue
from .queues import Answer

_EACH = 100
"""Newest events that are read of a queue, fewer where they are large: what jobs return lies in the stream too."""
_BYTES = 500_000
_UNMEASURED = 20
"""Events of a queue where MEMORY USAGE does not tell how large they are."""
_SAMPLES = 5
_QUEUES = 50


def read_events(asker: Asker, answers: Sequence[Answer]) -> list[Answer]:
    """The answers, with the newest events of at most 50 of their queues. Raises as `Asker.run` does."""
    found = list(answers)
    chosen = _telling(found)
    keys = [found[at].queue.key("events") for at in chosen]
    weights = asker.run(("MEMORY", "USAGE", key, "SAMPLES", _SAMPLES) for key in keys)
    commands: list[Command] = [
        ("XREVRANGE", key, "+", "-", "COUNT", _bounded(found[at].queue, weight))
        for at, key, weight in zip(chosen, keys, weights, strict=True)
    ]
    for at, command, reply in zip(chosen, commands, asker.run(commands), strict=True):
        found[at] = _with_events(found[at], Answers({"events": command}, [reply]))
    return found


def _bounded(queue: LiveQueue, weight: Reply) -> int:
    """Events to read, so that they take half a megabyte, if the newest are like the others."""
    assert queue.events is not None
    if not isinstance(weight, int):
        return _UNMEASURED
    return max(min(_BYTES * queue.events.length // max(weight, 1), _EACH), 1)


def _telling(answers: Sequence[Answer]) -> list[int]:
    """Places of the queues to read: by backlog and by failures in turn."""
    held = [at for at, answer in enumerate(answers) if answer.queue.events is not None]
    by_depth = sorted(held, key=lambda at: -answers[at].queue.counts.depth)
    by_failures = sorted(held, key=lambda at: -answers[at].queue.counts.failed)
    return list(dict.fromkeys(chain.from_iterable(zip_longest(by_depth, by_failures))))[:_QUEUES]


def _with_events(answer: Answer, said: Answers) -> Answer:
    queue = answer.queue
    assert queue.events is not None
    types: dict[str, int] = {}
    moments: list[int] = []
    for moment, event in _entries(said.raw("events")):
        moments += [] if moment is None else [moment]
        types[event] = types.get(event, 0) + 1
    window = EventsWindow(
        length=queue.events.length,
        max_length=queue.events.max_length,
        read=len(moments),
        read_from_ms=moments[-1] if moments else None,
        last_ms=moments[0] if moments else None,
        types=types,
    )
    stalls = replace(queue.stalls, events=types.get("stalled", 0))
    return replace(answer, queue=replace(queue, events=window, stalls=stalls, refused=(*queue.refused, *said.refused)))


def _entries(reply: Reply) -> Iterator[tuple[int | None, str]]:
    """(moment, type) of stream entries; the values beside the type are not looked at."""
    for entry in reply if isinstance(reply, list) else []:
        match entry:
            case [str(identity), list(fields)]:
                yield whole(identity.partition("-")[0]), str(_pairs(fields).get("event", ""))


def _pairs(reply: list[Reply]) -> dict[str, Reply]:
    return dict(zip(map(str, reply[::2]), reply[1::2], strict=False))
