"""Facts made by hand, for tests of rules that no small project shows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from auditor.code.model import CodeModel, Library, Option, OptionState, Producer, Worker
from auditor.model import CodeSpan, Evidence, Finding, RedisPlace, Status, Subject, SubjectType


def known(value: Any, line: int = 1) -> Option:
    """An option with that value, written in src/options.ts."""
    return Option(OptionState.KNOWN, value, origin=CodeSpan("src/options.ts", line))


def producer(queue: str = "mail", job: str = "welcome", *, live: bool = True, **more: Any) -> Producer:
    """A BullMQ 5 `add`."""
    return Producer(
        CodeSpan("src/add.ts", 3), Library.BULLMQ, "5.61.0", "", live, "enqueue", queue=(queue,), job=job, **more
    )


def worker(queue: str = "mail", *, live: bool = True, **more: Any) -> Worker:
    """A BullMQ 5 worker whose reach was followed."""
    more.setdefault("followed", True)
    return Worker(CodeSpan("src/work.ts", 5), Library.BULLMQ, "5.61.0", "", live, "", queue=(queue,), **more)


def model(*sites: Producer | Worker, entry_points_known: bool = True, **more: Any) -> CodeModel:
    """A code model of these sites."""
    return CodeModel(
        trees=(),
        services=(),
        entry_points_known=entry_points_known,
        queues=(),
        producers=tuple(site for site in sites if isinstance(site, Producer)),
        workers=tuple(site for site in sites if isinstance(site, Worker)),
        processes=(),
        connections=(),
        **more,
    )


def live_finding(
    queue: str, job: str = "", status: Status = Status.FAIL, message: str = "jobs carry no attempts"
) -> Finding:
    """What a live judge says of one queue."""
    place = RedisPlace("redis://localhost:6379", f"bull:{queue}")
    shown = Evidence(f"HGET bull:{queue}:1 opts", "{}", place=place)
    return Finding(
        message,
        Subject(SubjectType.PRODUCER, f"{queue}/{job}", queue),
        place,
        evidence=(shown,),
        status=status,
        symbol=job,
    )


Options = Mapping[str, Option]
